"""Images of separated stains: amounts of each stain, masks of tissue and of positive pixels; written tile by tile."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.images.writers.label_maps import ome_sizes
from bioimage_suite.images.writers.tiff_output import (
    TILE,
    Checksum,
    identify_tiff,
    needs_bigtiff,
    resolution_tags,
    uuid_of,
)
from bioimage_suite.staining.quantities import StainOptions, colour_of, separate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile

# 16-bit amounts count in thousandths of an optical density, less than a camera can distinguish.
AMOUNT_STEPS = 1000


def write_amounts(path: Path, image: ImageFile, options: StainOptions) -> None:
    """Write the amount of each stain as a uint16 channel; an amount of 1 is AMOUNT_STEPS, values end at 65,535."""

    def amount(pixels: np.ndarray, channel: int) -> np.ndarray:
        values = separate(pixels, options)[0][..., channel]
        array: np.ndarray = np.minimum(np.rint(values * AMOUNT_STEPS), 65_535).astype(np.uint16)
        return array

    _write(path, image, list(options.stains.names), np.dtype(np.uint16), amount)


def write_masks(path: Path, image: ImageFile, options: StainOptions) -> None:
    """Write tissue and the positive pixels of each stain as uint8 channels with the values 0 and 255."""

    def mask(pixels: np.ndarray, channel: int) -> np.ndarray:
        amounts, density = separate(pixels, options)
        found = density >= options.tissue
        if channel:
            found &= amounts[..., channel - 1] >= options.levels[channel - 1, 0]
        return found.astype(np.uint8) * np.uint8(255)

    names = ["Tissue", *(f"{name} positive" for name in options.stains.names)]
    _write(path, image, names, np.dtype(np.uint8), mask)


def _write(
    path: Path, image: ImageFile, names: list[str], dtype: np.dtype, make: Callable[[np.ndarray, int], np.ndarray]
) -> None:
    """Write one channel after the other; the image is read once for each channel, which bounds the memory."""
    import tifffile

    shape = (len(names), image.size_y, image.size_x)
    description = f"{image.name} {names} {dtype} {shape}".encode()
    identity = uuid_of(f"{zlib.crc32(description)}")
    checksum = Checksum()
    with tifffile.TiffWriter(path, ome=True, bigtiff=needs_bigtiff(2 * math.prod(shape))) as tiff:
        tiff.write(
            checksum.over(_tiles(image, len(names), make)),
            shape=shape,
            dtype=dtype,
            tile=(TILE, TILE),
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 1},
            predictor=dtype.itemsize > 1,
            metadata={"axes": "CYX", "UUID": identity, "Channel": {"Name": names}, **ome_sizes(image)},
            **resolution_tags(image.micrometres("x"), image.micrometres("y")),
        )
    identify_tiff(path, checksum.value)


def _tiles(image: ImageFile, channels: int, make: Callable[[np.ndarray, int], np.ndarray]) -> Iterator[np.ndarray]:
    for channel in range(channels):
        for y in range(0, image.size_y, TILE):
            for x in range(0, image.size_x, TILE):
                rows, columns = slice(y, min(y + TILE, image.size_y)), slice(x, min(x + TILE, image.size_x))
                part = make(colour_of(image, rows, columns), channel)
                yield np.pad(part, [(0, TILE - part.shape[0]), (0, TILE - part.shape[1])])
