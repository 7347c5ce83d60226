"""Writer of OME-Zarr 0.4 (Zarr 2) and 0.5 (Zarr 3, sharded) from planes or tiles; it computes the pyramid.

    with complete_folder(Path("cells.ome.zarr")) as folder:
        with PyramidWriter(folder, ZarrImage("cells", "czyx", (2, 5, 4096, 4096), dtype, channels=...)) as writer:
            for each tile:
                writer.write(tile, y, x, c=c, z=z)
    pack(Path("cells.ome.zarr"), Path("cells.ozx"))

Memory depends on the number of incomplete blocks, not on the size of the image; `block_regions` gives an order of
tiles that keeps this number low.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bioimage_suite.images.ome_zarr.files import ArrayFiles
from bioimage_suite.images.ome_zarr.folder import write_ome
from bioimage_suite.images.ome_zarr.half_size import halved
from bioimage_suite.images.ome_zarr.metadata import VERSIONS, ZarrImage, display, multiscale

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import numpy as np

    from bioimage_suite.images.ome_zarr.files import Place

CHUNK = 512  # edge of a chunk, px: 512 KiB of 16-bit pixels, the unit that viewers fetch
BLOCK = 2048  # edge of a shard, which is written at once, px
SHARD_FROM_CHUNKS = 64  # an array of more chunks is sharded: one file holds up to 16 chunks of a plane
PENDING_BYTES = 1 << 26  # most bytes of a row of blocks; a wider plane is read in squares (`block_regions`)


class PyramidWriter:
    """Writer of one multiscale image; as a context manager it writes the metadata after the last pixels."""

    def __init__(self, folder: Place, image: ZarrImage, version: str = "0.5") -> None:
        """Check the description of the image; the first pixels create its arrays.

        Args:
            folder: Folder of the image, on the disk or in an archive; created if it is missing.
            image: Description of the image.
            version: One of `VERSIONS`.

        Raises:
            ValueError: The version is unknown, or OME-Zarr does not allow the axes.
        """
        if version not in VERSIONS:
            raise ValueError(f"OME-Zarr version {version}: only {', '.join(VERSIONS)} can be written")
        if [a for a in "tczyx" if a in image.axes] != list(image.axes) or not image.axes.endswith("yx"):
            raise ValueError(f"axes {image.axes}: they must be some of tczyx in this order, with y and x")
        if len(image.axes) != len(image.shape) or min(image.shape) < 1:
            raise ValueError(f"axes {image.axes} do not fit the shape {image.shape}")
        self._folder, self._image, self._version = folder, image, version
        self._levels: list[_Level] = []
        self._missing = math.prod(image.shape)
        self._extremes: dict[int, tuple[float, float]] = {}

    def __enter__(self) -> PyramidWriter:
        """Return the writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the metadata unless an exception was raised."""
        if kind is None:
            self.close()

    def write(self, pixels: np.ndarray, y: int = 0, x: int = 0, *, t: int = 0, c: int = 0, z: int = 0) -> None:
        """Write a plane or a part of one; each pixel must be written once, in any order.

        Args:
            pixels: (Y, X) array.
            y: Row of the first pixel in the plane.
            x: Column of the first pixel in the plane.
            t: Time point.
            c: Channel.
            z: z-plane.
        """
        if not self._levels:
            sizes = level_sizes(self._image.size("y"), self._image.size("x"))
            places = [self._folder / str(number) for number in range(len(sizes))]
            self._levels = [
                _Level(place, self._image, size, self._version) for place, size in zip(places, sizes, strict=True)
            ]
        self._missing -= pixels.size
        if self._image.channels and None in (self._image.channels[c].start, self._image.channels[c].end):
            self._extremes[c] = _wider(self._extremes.get(c), pixels)
        self._add(0, (t, c, z), pixels, y, x)

    def close(self) -> None:
        """Write the metadata.

        Raises:
            ValueError: Pixels are missing.
        """
        if self._missing:
            raise ValueError(f"image {self._image.name}: {self._missing} pixels were not written")
        attributes: dict[str, Any] = {"multiscales": [multiscale(self._image, len(self._levels))]}
        if self._image.channels:
            attributes["omero"] = display(self._image, self._extremes)
        if self._image.is_labels:
            attributes["image-label"] = {"source": {"image": "../../"}}
        write_ome(self._folder, attributes, self._version)

    def _add(self, number: int, plane: tuple[int, int, int], pixels: np.ndarray, y: int, x: int) -> None:
        """Place pixels into the blocks of a level; pass completed blocks on to the next level."""
        level = self._levels[number]
        for origin, block in level.add(plane, pixels, y, x):
            level.store(plane, origin, block)
            if number + 1 == len(self._levels):
                continue
            for depth, one in enumerate(block):
                half = halved(one, self._image.is_labels or self._image.nearest)
                self._add(number + 1, (*plane[:2], origin[0] + depth), half, origin[1] // 2, origin[2] // 2)


class _Level:
    """One array of the pyramid with its incomplete blocks."""

    def __init__(self, folder: Place, image: ZarrImage, sizes: tuple[int, int], version: str) -> None:
        self._axes, self._dtype = image.axes, image.dtype
        self._sizes = (image.size("z"), *sizes)
        shape = (*image.shape[:-2], *sizes)
        planes = max(1, BLOCK * BLOCK // (_grown(sizes[0]) * _grown(sizes[1])))
        # A block holds several small planes, so that a deep stack does not become one file for each plane.
        self._block = (min(planes, self._sizes[0]), min(BLOCK, _grown(sizes[0])), min(BLOCK, _grown(sizes[1])))
        self._files = _array_files(folder, image, shape, self._block, version=version)
        self._files.write_metadata()
        self._waiting: dict[tuple[int, ...], tuple[np.ndarray, int]] = {}

    def add(
        self, plane: tuple[int, int, int], pixels: np.ndarray, y: int, x: int
    ) -> Iterator[tuple[tuple[int, int, int], np.ndarray]]:
        """Place pixels; yield each completed block as its origin (z, y, x) and a (Z, Y, X) array."""
        import numpy as np

        t, c, z = plane
        deep, tall, wide = self._block
        z0 = z // deep * deep
        for y0 in range(y // tall * tall, y + pixels.shape[0], tall):
            for x0 in range(x // wide * wide, x + pixels.shape[1], wide):
                part = pixels[max(y0 - y, 0) : y0 + tall - y, max(x0 - x, 0) : x0 + wide - x]
                full = tuple(
                    min(edge, size - at) for edge, size, at in zip(self._block, self._sizes, (z0, y0, x0), strict=True)
                )
                if (1, *part.shape) == full:
                    yield (z0, y0, x0), part[None]
                    continue
                key = (t, c, z0, y0, x0)
                block, seen = self._waiting.get(key) or (np.empty(full, self._dtype), 0)
                top, left = max(y - y0, 0), max(x - x0, 0)
                block[z - z0, top : top + part.shape[0], left : left + part.shape[1]] = part
                if seen + part.size < block.size:
                    self._waiting[key] = (block, seen + part.size)
                else:
                    self._waiting.pop(key, None)
                    yield (z0, y0, x0), block

    def store(self, plane: tuple[int, int, int], origin: tuple[int, int, int], block: np.ndarray) -> None:
        """Write a complete block."""
        where = {"t": plane[0], "c": plane[1], **dict(zip("zyx", origin, strict=True))}
        lengths = {"t": 1, "c": 1, **dict(zip("zyx", block.shape, strict=True))}
        first = tuple(where[axis] for axis in self._axes)
        self._files.write(first, block.reshape([lengths[axis] for axis in self._axes]))


def level_sizes(size_y: int, size_x: int) -> list[tuple[int, int]]:
    """Return the rows and columns of each level: halved and rounded up until a plane fits in one chunk."""
    sizes = [(size_y, size_x)]
    while max(sizes[-1]) > CHUNK:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def block_regions(size_y: int, size_x: int, bytes_per_pixel: int) -> Iterator[tuple[slice, slice]]:
    """Yield the rows or squares of the writer's blocks in an order that leaves few blocks incomplete.

    Regions are whole rows of blocks from the top, as most files are laid out, if that needs little memory (blocks wait
    at half the size, at a quarter, ...); else squares in Z-order, where at most three blocks wait at each level.

    Args:
        size_y: Rows of the plane.
        size_x: Columns of the plane.
        bytes_per_pixel: Bytes of a pixel in all channels that are written together.

    Yields:
        Rows and columns of a region.
    """
    wide = size_x if size_x * BLOCK * bytes_per_pixel <= PENDING_BYTES else BLOCK
    order = [(y, x) for y in range(0, size_y, BLOCK) for x in range(0, size_x, wide)]
    if wide == BLOCK:
        order.sort(key=lambda at: _interleaved_bits(at[0] // BLOCK, at[1] // BLOCK))
    for y, x in order:
        yield slice(y, min(y + BLOCK, size_y)), slice(x, min(x + wide, size_x))


def _interleaved_bits(row: int, column: int) -> int:
    """Return the Morton number of a position: neighbours in a square of 2, of 4, ... follow each other."""
    return sum((row >> bit & 1) << (2 * bit + 1) | (column >> bit & 1) << (2 * bit) for bit in range(32))


def _array_files(
    folder: Place, image: ZarrImage, shape: tuple[int, ...], block: tuple[int, int, int], *, version: str
) -> ArrayFiles:
    """Return the files of a level; those of 0.5 hold several chunks if there are many."""
    import numpy as np

    lengths = dict(zip(image.axes, shape, strict=True))
    chunks = tuple(min(CHUNK, lengths[axis]) if axis in "yx" else 1 for axis in image.axes)
    count = math.prod(-(-length // chunk) for length, chunk in zip(shape, chunks, strict=True))
    edges = dict(zip("zyx", block, strict=True))
    # A shard is a whole number of chunks; if the plane is smaller than a chunk, the block is too.
    shards = tuple(
        -(-min(edges[axis], lengths[axis]) // chunk) * chunk if axis in edges else 1
        for axis, chunk in zip(image.axes, chunks, strict=True)
    )
    sharded = version != "0.4" and count > SHARD_FROM_CHUNKS
    # C's type name `long long` is not known to Zarr: give the type by its size.
    dtype = np.dtype(image.dtype.str)
    return ArrayFiles(folder, version, image.axes, shape, dtype, chunks, shards if sharded else None)


def _grown(length: int) -> int:
    """Round a length up to whole chunks; a length that fits in one chunk stays as it is."""
    return length if length <= CHUNK else -(-length // CHUNK) * CHUNK


def _wider(known: tuple[float, float] | None, pixels: np.ndarray) -> tuple[float, float]:
    """Return the smallest and largest finite value so far."""
    import numpy as np

    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        pixels = pixels[np.isfinite(pixels)]
    if not pixels.size:
        return known or (0.0, 1.0)
    low, high = float(pixels.min()), float(pixels.max())
    return (min(known[0], low), max(known[1], high)) if known else (low, high)
