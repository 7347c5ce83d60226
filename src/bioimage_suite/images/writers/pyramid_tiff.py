"""Writer of pyramidal, tiled OME-TIFF, band by band: smaller levels wait on disk, not in memory."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

from bioimage_suite.images.ome_zarr.half_size import halved
from bioimage_suite.images.ome_zarr.writer import level_sizes
from bioimage_suite.images.writers.tiff_output import Checksum, layout, needs_bigtiff, resolution_tags, tile_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np

    from bioimage_suite.images.model.image_file import ImageFile

BAND_BYTES = 1 << 26  # most bytes of a band that is read at once (a band has at least 1024 rows)
# Arguments for tifffile by the name in the form. A predictor stores differences of neighbours, which compress better.
# Galaxy 26.1 reads each TIFF with tifffile but without imagecodecs: a job fails if its TIFF has another codec than
# zlib, or the predictor of floating point numbers.
COMPRESSIONS: dict[str, dict[str, Any]] = {
    "zlib": {"compression": "zlib", "compressionargs": {"level": 1}, "predictor": True},
    "none": {},
}


def write_pyramid_tiff(path: Path, image: ImageFile, xml: str, *, samples: int, compression: str, nearest: bool) -> int:
    """Write all planes of an image with their smaller levels as SubIFDs.

    Args:
        path: File to write.
        image: The source.
        xml: OME-XML of the new file.
        samples: Channels in one pixel: 3 or 4 for colour pictures, else 1.
        compression: A key of `COMPRESSIONS`.
        nearest: Whether smaller levels take one of four pixels instead of their mean.

    Returns:
        A checksum (CRC-32) of the pixels.
    """
    import tifffile

    checksum = Checksum()
    sizes = level_sizes(image.size_y, image.size_x)
    channels = image.size_c // samples
    planes = (image.size_t, channels, image.size_z)
    dtype = "uint8" if image.dtype == bool else image.dtype.name
    options: dict[str, Any] = dict(COMPRESSIONS[compression])
    if image.dtype.kind not in "iub":
        options.pop("predictor", None)
    total = image.dtype.itemsize * image.size_t * image.size_c * image.size_z * image.size_y * image.size_x
    with ExitStack() as stack:
        tiff = stack.enter_context(tifffile.TiffWriter(path, bigtiff=needs_bigtiff(total * 4 // 3)))
        source: Iterable[np.ndarray] = checksum.over(_image_bands(image, samples))
        for number, (height, width) in enumerate(sizes):
            # OpenSlide takes a pyramid only if all its levels have tiles.
            cut = layout(height, width) if len(sizes) == 1 else {"tile": (tile_length(height), tile_length(width))}
            spool = stack.enter_context(tempfile.TemporaryFile()) if number + 1 < len(sizes) else None
            tiff.write(
                _tiles(source, cut.get("tile", (height, width)), spool, nearest),
                shape=(*planes, height, width, *((samples,) if samples > 1 else ())),
                dtype=dtype,
                photometric="rgb" if samples > 1 else "minisblack",
                planarconfig="contig" if samples > 1 else None,
                extrasamples=["unassalpha"] if samples == 4 else None,
                maxworkers=int(os.environ.get("GALAXY_SLOTS", "0")) or os.cpu_count(),
                buffersize=BAND_BYTES,
                metadata=None,
                **resolution_tags(image.micrometres("x"), image.micrometres("y"), 2**number),
                **({"description": xml.encode(), "subifds": len(sizes) - 1} if number == 0 else {"subfiletype": 1}),
                **{**options, **cut},
            )
            if spool:
                spool.seek(0)
                source = _spooled_bands(spool, planes[0] * planes[1] * planes[2], sizes[number + 1], samples, dtype)
    return checksum.value


def _band_height(width: int, pixel_bytes: int) -> int:
    """Return the rows of a band: an even number of tile rows, so that halved bands are bands of the next level."""
    rows = 4096
    while rows > 1024 and rows * width * pixel_bytes > BAND_BYTES:
        rows //= 2
    return rows


def _image_bands(image: ImageFile, samples: int) -> Iterator[np.ndarray]:
    """Yield all planes, band by band, as (rows, X) or (rows, X, samples) arrays."""
    step = _band_height(image.size_x, image.dtype.itemsize * samples)
    whole = slice(0, image.size_x)
    for t in range(image.size_t):
        for c in range(image.size_c // samples):
            for z in range(image.size_z):
                for y in range(0, image.size_y, step):
                    rows = slice(y, min(y + step, image.size_y))
                    if samples > 1 and image.read_interleaved:
                        yield image.read_interleaved(t, z, rows, whole)
                    else:
                        band = image.read_region(t, c, z, rows, whole)
                        yield band.view("uint8") if band.dtype == bool else band


def _spooled_bands(
    spool: IO[bytes], planes: int, size: tuple[int, int], samples: int, dtype: str
) -> Iterator[np.ndarray]:
    """Yield the bands that `_tiles` wrote to the spool."""
    import numpy as np

    kind = np.dtype(dtype)
    height, width = size
    step = _band_height(width, kind.itemsize * samples)
    for _ in range(planes):
        for y in range(0, height, step):
            rows = min(step, height - y)
            flat = np.frombuffer(spool.read(rows * width * samples * kind.itemsize), kind)
            yield flat.reshape((rows, width) if samples == 1 else (rows, width, samples))


def _tiles(
    bands: Iterable[np.ndarray], tile: tuple[int, int], spool: IO[bytes] | None, nearest: bool
) -> Iterator[np.ndarray]:
    """Cut bands into whole tiles in the order of a TIFF; write bands of half size to the spool."""
    import numpy as np

    for band in bands:
        if spool:
            spool.write(np.ascontiguousarray(halved(band, nearest)).data)
        for y in range(0, band.shape[0], tile[0]):
            for x in range(0, band.shape[1], tile[1]):
                part = band[y : y + tile[0], x : x + tile[1]]
                missing = [(0, tile[0] - part.shape[0]), (0, tile[1] - part.shape[1]), (0, 0)][: part.ndim]
                yield np.ascontiguousarray(part) if part.shape[:2] == tile else np.pad(part, missing)
