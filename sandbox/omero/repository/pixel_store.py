"""Pixels that clients write: one file an image, planes in the order XYZCT, big-endian as on the wire.

From its first write on the file is as large as all pixels. So every plane, row and tile has its fixed place, and
several handles may write at once; what was never written reads as zero. A call returns after the operating system has
taken the data, so a killed server loses nothing that it confirmed.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sandbox.omero.image_files.series_reader import numpy_type_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# OMERO's largest plane of an image that is not a pyramid: 3192 * 3192 pixels
# (ome.io.nio.ConfiguredTileSizes: omero.pixeldata.max_plane_width and _height, both 3192).
MAX_PLANE_PIXELS = 3192 * 3192
# Tiles of images that have none of their own (ConfiguredTileSizes: 256 x 256).
DEFAULT_TILE = (256, 256)
CHUNK = 1 << 24
PENDING_SHA1 = "Pending..."  # as OMERO writes for pixels that it has not read in full


@dataclass(frozen=True)
class PixelsShape:
    """The size and type of an image's pixels, as in the Pixels object."""

    size_x: int
    size_y: int
    size_z: int
    size_c: int
    size_t: int
    pixel_type: str

    @property
    def wire_type(self) -> np.dtype:
        """Return the numpy dtype of the pixels on the wire: big-endian."""
        return numpy_type_of(self.pixel_type).newbyteorder(">")

    @property
    def row_bytes(self) -> int:
        """Return the number of bytes of one row."""
        return self.size_x * self.wire_type.itemsize

    @property
    def plane_bytes(self) -> int:
        """Return the number of bytes of one plane."""
        return self.size_y * self.row_bytes

    @property
    def stack_bytes(self) -> int:
        """Return the number of bytes of the planes of one channel at one time point."""
        return self.size_z * self.plane_bytes

    @property
    def timepoint_bytes(self) -> int:
        """Return the number of bytes of all channels at one time point."""
        return self.size_c * self.stack_bytes

    @property
    def total_bytes(self) -> int:
        """Return the number of bytes of all pixels."""
        return self.size_t * self.timepoint_bytes

    def plane_offset(self, z: int, c: int, t: int) -> int:
        """Return the byte offset of a plane.

        Raises:
            IndexError: There is no such plane.
        """
        for name, value, size in (("z", z, self.size_z), ("c", c, self.size_c), ("t", t, self.size_t)):
            if not 0 <= value < size:
                raise IndexError(f"{name}={value} is outside 0..{size - 1}")
        return t * self.timepoint_bytes + c * self.stack_bytes + z * self.plane_bytes

    def check_region(self, x: int, y: int, w: int, h: int) -> None:
        """Raise IndexError for a region that is not inside a plane."""
        if x < 0 or y < 0 or w <= 0 or h <= 0 or x + w > self.size_x or y + h > self.size_y:
            raise IndexError(f"x={x} y={y} w={w} h={h} is outside the {self.size_x} x {self.size_y} image")


class PixelSource(Protocol):
    """Where pixels are read from: `StoredPixels`, or an imported file."""

    shape: PixelsShape
    level_sizes: tuple[tuple[int, int], ...]
    tile_size: tuple[int, int]

    def read_tile(self, level: int, z: int, c: int, t: int, x: int, y: int, w: int, h: int) -> np.ndarray:
        """Return one region of one plane, shape (h, w)."""

    def close(self) -> None:
        """Release the file."""


class StoredPixels:
    """The pixels of one image in a file of their own.

    Attributes:
        path: The file; the first write creates it.
        shape: Size and type.
    """

    def __init__(self, path: Path, shape: PixelsShape) -> None:
        self.path = path
        self.shape = shape
        self.level_sizes: tuple[tuple[int, int], ...] = ((shape.size_x, shape.size_y),)
        self.tile_size = (min(DEFAULT_TILE[0], shape.size_x), min(DEFAULT_TILE[1], shape.size_y))
        self._file: int | None = None
        # One lock a handle: the number of a descriptor that is closed during a read may already be another file's.
        self._lock = threading.RLock()

    def _open(self, create: bool) -> int | None:
        if self._file is None:
            if not create and not self.path.exists():
                return None
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            os.ftruncate(self._file, self.shape.total_bytes)
        return self._file

    def read_bytes(self, offset: int, size: int) -> bytes:
        """Return bytes of the file; zeros where nothing was written."""
        if offset < 0 or size < 0 or offset + size > self.shape.total_bytes:
            raise IndexError(f"offset {offset} and size {size} are outside {self.shape.total_bytes} bytes")
        with self._lock:
            file = self._open(create=False)
            return bytes(size) if file is None else os.pread(file, size, offset).ljust(size, b"\0")

    def write_bytes(self, offset: int, data: bytes | memoryview) -> None:
        """Write bytes at their place.

        Raises:
            IndexError: They do not fit into the image.
        """
        if offset < 0 or offset + len(data) > self.shape.total_bytes:
            raise IndexError(f"offset {offset} and size {len(data)} are outside {self.shape.total_bytes} bytes")
        view = memoryview(data)
        with self._lock:
            file = self._open(create=True)
            assert file is not None
            while view:
                written = os.pwrite(file, view, offset)
                view, offset = view[written:], offset + written

    def _runs(self, z: int, c: int, t: int, x: int, y: int, w: int, h: int) -> tuple[range, int]:
        """Return the offsets of the contiguous runs of bytes of a region, and the size of each."""
        shape = self.shape
        shape.check_region(x, y, w, h)
        item, row = shape.wire_type.itemsize, shape.row_bytes
        start = shape.plane_offset(z, c, t) + y * row + x * item
        if w == shape.size_x:
            return range(start, start + 1), h * row
        return range(start, start + h * row, row), w * item

    def read_tile(self, level: int, z: int, c: int, t: int, x: int, y: int, w: int, h: int) -> np.ndarray:
        """Return one region of one plane, shape (h, w), big-endian.

        Raises:
            IndexError: It is not inside the image.
        """
        if level != 0:
            raise IndexError(f"resolution level {level} of 1")
        offsets, size = self._runs(z, c, t, x, y, w, h)
        with self._lock:
            file = self._open(create=False)
            if file is None:
                data = bytes(size * len(offsets))
            else:
                data = b"".join([os.pread(file, size, offset) for offset in offsets])
        return np.frombuffer(data, self.shape.wire_type).reshape(h, w)

    def write_tile(self, data: bytes, z: int, c: int, t: int, x: int, y: int, w: int, h: int) -> None:
        """Write one region of one plane.

        Raises:
            IndexError: It is not inside the image.
            ValueError: The data are not exactly as long as the region.
        """
        offsets, size = self._runs(z, c, t, x, y, w, h)
        if len(data) != w * h * self.shape.wire_type.itemsize:
            raise ValueError(f"{len(data)} bytes given for {w} x {h} pixels of {self.shape.wire_type.itemsize} bytes")
        view = memoryview(data)
        with self._lock:
            for number, offset in enumerate(offsets):
                self.write_bytes(offset, view[number * size : (number + 1) * size])

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None


def sha1_of_pixels(source: PixelSource) -> bytes:
    """Return the SHA-1 of all pixels, big-endian, plane by plane in the order XYZCT."""
    digest = hashlib.sha1(usedforsecurity=False)
    for _, block in plane_blocks(source):
        digest.update(block.astype(source.shape.wire_type, copy=False).tobytes())
    return digest.digest()


def plane_blocks(source: PixelSource, level: int = 0) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (channel, block of whole rows), plane by plane in the order XYZCT, in bounded memory."""
    shape = source.shape
    width, height = source.level_sizes[level]
    rows = max(1, CHUNK // (width * shape.wire_type.itemsize))
    tile_height = max(1, source.tile_size[1])
    if rows > tile_height:  # whole tiles, so that none is decoded twice
        rows -= rows % tile_height
    for t in range(shape.size_t):
        for c in range(shape.size_c):
            for z in range(shape.size_z):
                for y in range(0, height, rows):
                    yield c, source.read_tile(level, z, c, t, 0, y, width, min(rows, height - y))


def channel_minmax(source: PixelSource, level: int = 0) -> list[tuple[float, float]]:
    """Return (minimum, maximum) of every channel; not-a-number is left out."""
    lows = [np.inf] * source.shape.size_c
    highs = [-np.inf] * source.shape.size_c
    for c, block in plane_blocks(source, level):
        values = np.abs(block) if block.dtype.kind == "c" else block
        finite = values[np.isfinite(values)] if block.dtype.kind in "fc" else values
        if finite.size:
            lows[c] = min(lows[c], float(finite.min()))
            highs[c] = max(highs[c], float(finite.max()))
    return [(0.0, 0.0) if low > high else (low, high) for low, high in zip(lows, highs, strict=True)]


def plane_minmax(source: PixelSource, c: int) -> tuple[float, float]:
    """Return (minimum, maximum) of a channel's middle plane; the range of the pixel type where planes are too large.

    Which plane, and the range: RawPixelsBean.findMinMax (omero-server), StatsFactory.initPixelsRange (omero-renderer).
    """
    shape = source.shape
    if shape.size_x * shape.size_y > MAX_PLANE_PIXELS:
        kind = np.iinfo(shape.wire_type if shape.wire_type.kind in "iu" else np.int32)
        return float(kind.min), float(kind.max)
    low, high = np.inf, -np.inf
    rows = max(1, CHUNK // (shape.size_x * shape.wire_type.itemsize))
    z, t = (shape.size_z - 1) // 2, (shape.size_t - 1) // 2
    for y in range(0, shape.size_y, rows):
        block = source.read_tile(0, z, c, t, 0, y, shape.size_x, min(rows, shape.size_y - y))
        values = block[np.isfinite(block)] if block.dtype.kind == "f" else block
        if values.size and values.dtype.kind != "c":
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    return (low, high) if low <= high else (0.0, 1.0)
