"""Writer of OME-TIFF, tile by tile, with a pyramid for large images and the metadata from OMERO."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bioimage_suite.images.ome_zarr.half_size import halved
from bioimage_suite.images.writers.tiff_output import needs_bigtiff, resolution_tags, strip_rows
from bioimage_suite.omero.images.details import ImageDetails
from bioimage_suite.omero.images.ome_xml import ome_xml
from bioimage_suite.omero.images.pixels import pixel_dtype

if TYPE_CHECKING:
    import numpy as np

LARGE = 3192 * 3192  # Pixels of a plane: larger ones need a pyramid in OMERO (omero.pixeldata.max_plane_*).
SMALLEST_LEVEL = 1024  # Edge in pixels: a smaller plane is not halved further.
WORTH_IT = 0.5  # "auto" compresses if a sample shrinks to this fraction or less.
SAMPLE = 256  # Edge in pixels of the sample in the middle of the first tile: to compress all of it is too slow.


def tile_side(image: ImageDetails, largest: int) -> int:
    """Return the side of the file's square tiles in pixels: a multiple of 16, as TIFF requires, at most `largest`."""
    need = max(image.size_x, image.size_y)
    return min(largest, -(-need // 16) * 16)


def write_ome_tiff(
    path: Path, image: ImageDetails, tiles: Iterable["np.ndarray"], side: int, source: str, *, compression: str = "zlib"
) -> None:
    """Write one image as OME-TIFF, axes TCZYX; planes above 3192 x 3192 pixels get smaller levels (SubIFDs).

    Memory holds one row of tiles; the smaller levels are kept in temporary files of a third of the image's size.

    Args:
        path: File to make.
        image: The image's metadata.
        tiles: Its tiles, (rows, columns) of `pixel_dtype`, in the order of `images.views.view_tiles`; those at the
            border may be smaller.
        side: Side of the tiles in pixels.
        source: Unique name of the image across servers; gives the file's UUID, so that the same image gives the same
            file.
        compression: "none", "zlib" (level 1), or "auto": zlib if the middle of the first tile shrinks to half or less.
    """
    import tifffile

    sizes = pyramid_sizes(image)
    dtype = pixel_dtype(image)
    planes = image.size_t * image.size_c * image.size_z
    total = planes * dtype.itemsize * sum(height * width for height, width in sizes)
    with ExitStack() as stack:
        file = stack.enter_context(tifffile.TiffWriter(path, bigtiff=needs_bigtiff(total)))
        source_tiles, compression = _choose_compression(iter(tiles), compression)
        for level, (height, width) in enumerate(sizes):
            spill = None
            if level + 1 < len(sizes):
                spill = stack.enter_context(tempfile.TemporaryFile(dir=path.parent))
                source_tiles = _with_halves(source_tiles, (height, width), side, planes, spill)
            parts, cut = pieces(source_tiles, side, sizes)
            file.write(
                parts,
                shape=(image.size_t, image.size_c, image.size_z, height, width),
                dtype=dtype,
                **cut,
                **_options(compression),
                description=ome_xml([image], source, in_tiff=True).encode() if level == 0 else None,
                subifds=len(sizes) - 1 if level == 0 and len(sizes) > 1 else None,
                subfiletype=1 if level else None,
                **resolution_tags(image.micrometres("x"), image.micrometres("y"), 2**level),
            )
            if spill is not None:
                source_tiles = _stored_tiles(spill, sizes[level + 1], side, planes, dtype)


def _options(compression: str) -> dict[str, Any]:
    """Return what tifffile needs to know for every level."""
    return {
        "photometric": "minisblack",
        "compression": None if compression == "none" else "zlib",
        "compressionargs": None if compression == "none" else {"level": 1},
        "maxworkers": int(os.environ.get("GALAXY_SLOTS", "1")),
        "metadata": None,
        "software": False,
    }


def pyramid_sizes(image: ImageDetails) -> list[tuple[int, int]]:
    """Return rows and columns of each level, full size first; each further level halves the one before, rounded up."""
    sizes = [(image.size_y, image.size_x)]
    if image.size_y * image.size_x > LARGE:
        while max(sizes[-1]) > SMALLEST_LEVEL:
            sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def _choose_compression(tiles: Iterator["np.ndarray"], wanted: str) -> tuple[Iterator["np.ndarray"], str]:
    if wanted != "auto":
        return tiles, wanted
    import zlib
    from itertools import chain

    first = list(islice(tiles, 1))
    # Camera noise hardly shrinks, and compressing it takes most of an export; background and labels shrink fast.
    sample = first[0][_middle(first[0].shape[0]), _middle(first[0].shape[1])].tobytes() if first else b""
    small = len(zlib.compress(sample, 1)) <= WORTH_IT * len(sample)
    return chain(first, tiles), "zlib" if small else "none"


def _middle(length: int) -> slice:
    start = max(0, (length - SAMPLE) // 2)
    return slice(start, start + SAMPLE)


def pieces(
    tiles: Iterable["np.ndarray"], side: int, sizes: Sequence[Sequence[int]]
) -> tuple[Iterator["np.ndarray"], dict[str, Any]]:
    """Return what tifffile shall write, and how it shall cut a plane: tiles, or strips where one tile is the plane.

    Args:
        tiles: The tiles.
        side: Their side in pixels.
        sizes: Height and width of a plane, of each level.
    """
    if len(sizes) == 1 and max(sizes[0]) <= side:
        return iter(tiles), {"rowsperstrip": strip_rows(sizes[0][0])}
    return padded(tiles, side), {"tile": (side, side)}


def padded(tiles: Iterable["np.ndarray"], side: int) -> Iterator["np.ndarray"]:
    """Pad tiles at the right and lower border with zeros, because TIFF stores whole tiles."""
    import numpy as np

    for tile in tiles:
        rows, columns = side - tile.shape[0], side - tile.shape[1]
        yield np.pad(tile, ((0, rows), (0, columns))) if rows or columns else tile


def _with_halves(
    tiles: Iterator["np.ndarray"], size: Sequence[int], side: int, planes: int, spill: IO[bytes]
) -> Iterator["np.ndarray"]:
    """Pass tiles through, and write the planes of half the size to a file, row by row of tiles; `side` is even."""
    import numpy as np

    across, down = -(-size[1] // side), -(-size[0] // side)
    for _ in range(planes * down):
        row = []
        for tile in islice(tiles, across):
            row.append(halved(tile, is_labels=False))
            if len(row) == across:  # Before the last tile is yielded: the consumer may not ask for another one.
                spill.write(np.hstack(row).tobytes())
            yield tile


def _stored_tiles(
    spill: IO[bytes], size: Sequence[int], side: int, planes: int, dtype: "np.dtype"
) -> Iterator["np.ndarray"]:
    """Yield the tiles of planes stored in a file; `size` is (rows, columns)."""
    import numpy as np

    height, width = size
    spill.seek(0)
    for _ in range(planes):
        for top in range(0, height, side):
            rows = min(side, height - top)
            band = np.frombuffer(spill.read(rows * width * dtype.itemsize), dtype).reshape(rows, width)
            for left in range(0, width, side):
                yield band[:, left : left + side]
