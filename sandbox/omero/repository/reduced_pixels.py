"""Smaller sizes of a large image stored in one size: OMERO keeps them as its pyramid (omero-romio, PixelsService).

OMERO writes a file with six sizes, each half of the one before, some time after the import. Here a region of a smaller
size is made when it is read, from the full size, so it takes as long as reading what it covers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sandbox.omero.repository.pixel_store import DEFAULT_TILE, MAX_PLANE_PIXELS

if TYPE_CHECKING:
    from sandbox.omero.repository.pixel_store import PixelSource

# The size levels of JPEG 2000 with Bio-Formats' five decompositions (JPEG2000CodecOptions).
LEVELS = 6
STRIP_BYTES = 1 << 26
FLOATING = ("float", "double")  # no pyramid is made of these


class ReducedPixels:
    """A source of pixels in six sizes, of which the full one is another source's."""

    def __init__(self, full: PixelSource) -> None:
        self.full = full
        self.shape = full.shape
        width, height = full.level_sizes[0]
        self.level_sizes = tuple((width >> level, height >> level) for level in range(LEVELS))
        self.tile_size = DEFAULT_TILE

    def read_tile(self, level: int, z: int, c: int, t: int, x: int, y: int, w: int, h: int) -> np.ndarray:
        """Return one region of one plane, shape (h, w); each pixel of a smaller size is a mean."""
        if level == 0:
            return self.full.read_tile(0, z, c, t, x, y, w, h)
        if not 0 <= level < LEVELS:
            raise IndexError(f"resolution level {level} of {LEVELS}")
        width, height = self.level_sizes[level]
        if x < 0 or y < 0 or w <= 0 or h <= 0 or x + w > width or y + h > height:
            raise IndexError(f"x={x} y={y} w={w} h={h} is outside the {width} x {height} image")
        factor = 1 << level
        rows = max(1, STRIP_BYTES // (w * factor * factor * self.shape.wire_type.itemsize))
        strips = []
        for top in range(y, y + h, rows):
            count = min(rows, y + h - top)
            part = self.full.read_tile(0, z, c, t, x * factor, top * factor, w * factor, count * factor)
            strips.append(part.reshape(count, factor, w, factor).mean(axis=(1, 3)).astype(part.dtype))
        return np.concatenate(strips)

    def close(self) -> None:
        """Release the file."""
        self.full.close()


def with_smaller_sizes(source: PixelSource) -> PixelSource:
    """Return the source itself, or one with smaller sizes where OMERO would have made a pyramid."""
    shape = source.shape
    is_large = shape.size_x * shape.size_y > MAX_PLANE_PIXELS
    if not is_large or len(source.level_sizes) > 1 or shape.pixel_type in FLOATING:
        return source
    return ReducedPixels(source)
