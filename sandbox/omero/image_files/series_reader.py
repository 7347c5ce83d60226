"""Read one image, a region at a time, from anything that slices like an array."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.omero.image_files.description import ImageFileError, SeriesDescription

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

# numpy's names of the pixel types that OMERO has, and OMERO's own names (omero.model.enums.PixelsType*).
# OMERO has no 64-bit integers; half floats are widened, as Bio-Formats widens them.
PIXEL_TYPES = {
    "bool": "uint8",
    "uint8": "uint8",
    "int8": "int8",
    "uint16": "uint16",
    "int16": "int16",
    "uint32": "uint32",
    "int32": "int32",
    "float16": "float",
    "float32": "float",
    "float64": "double",
    "complex64": "complex",
}
NUMPY_TYPES = {"float": "float32", "double": "float64", "complex": "complex64", "bit": "uint8"}


def pixel_type_of(dtype: np.dtype, path: Path) -> str:
    """Return OMERO's name of a numpy dtype.

    Raises:
        ImageFileError: OMERO has no such pixel type.
    """
    try:
        return PIXEL_TYPES[dtype.name]
    except KeyError:
        raise ImageFileError(
            f"{path.name}: pixel type {dtype.name} has no counterpart in OMERO; "
            f"convert to one of {', '.join(sorted(set(PIXEL_TYPES)))}"
        ) from None


def numpy_type_of(pixel_type: str) -> np.dtype:
    """Return the numpy dtype (native byte order) of one of OMERO's pixel types."""
    return np.dtype(NUMPY_TYPES.get(pixel_type, pixel_type))


@dataclass
class SeriesReader:
    """One image of an opened file.

    Attributes:
        description: What the file says about the image.
        levels: One array a resolution level, full size first; anything that slices like an array:
            a zarr array, a numpy array, a picture that is decoded when first read.
        axes: Letters of the arrays' axes: T, C, Z, Y, X, and S for interleaved samples (RGB).
            An axis with any other letter is read at index 0.
        path: The file, for messages.
        close: Called once to release the file.
        inverted: Whether 0 is white (WhiteIsZero): such pixels are inverted, as Bio-Formats does.
    """

    description: SeriesDescription
    levels: Sequence[Any]
    axes: str
    path: Path
    close: Callable[[], None] = lambda: None
    inverted: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def read_tile(self, level: int, z: int, c: int, t: int, x: int, y: int, w: int, h: int) -> np.ndarray:
        """Return one region of one plane.

        Args:
            level: Resolution level, 0 is full size.
            z: Focal plane, from 0.
            c: Channel, from 0; samples of an RGB image are channels.
            t: Time point, from 0.
            x: First column.
            y: First row.
            w: Number of columns.
            h: Number of rows.

        Returns:
            Array of shape (h, w) in the image's pixel type, native byte order.

        Raises:
            IndexError: The region is not inside the image.
            ImageFileError: The file's data cannot be decoded.
        """
        self._check(level, z, c, t, x, y, w, h)
        array = self.levels[level]
        samples = array.shape[self.axes.index("S")] if "S" in self.axes else 1
        position = {
            "T": t,
            "Z": z,
            "C": c // samples,
            "S": c % samples,
            "Y": slice(y, y + h),
            "X": slice(x, x + w),
        }
        index = tuple(position.get(axis, 0) for axis in self.axes)
        try:
            with self._lock:
                tile = np.asarray(array[index])
        except Exception as error:  # decoders of tifffile, zarr and imagecodecs share no base class
            raise ImageFileError(
                f"{self.path.name}: region x={x} y={y} w={w} h={h} of plane z={z} c={c} t={t} cannot be read: {error}"
            ) from error
        if self.axes.index("X") < self.axes.index("Y"):
            tile = tile.T
        if self.inverted:
            tile = ~tile
        return tile.astype(numpy_type_of(self.description.pixel_type), copy=False)

    def _check(self, level: int, z: int, c: int, t: int, x: int, y: int, w: int, h: int) -> None:
        d = self.description
        if not 0 <= level < len(self.levels):
            raise IndexError(f"resolution level {level} of {len(self.levels)}")
        for name, value, size in (("z", z, d.size_z), ("c", c, d.size_c), ("t", t, d.size_t)):
            if not 0 <= value < size:
                raise IndexError(f"{name}={value} is outside 0..{size - 1}")
        width, height = d.level_sizes[level]
        if x < 0 or y < 0 or w <= 0 or h <= 0 or x + w > width or y + h > height:
            raise IndexError(f"x={x} y={y} w={w} h={h} is outside the {width} x {height} image")
