"""Writing an image as a pyramidal, tiled OME-TIFF."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.writers.display_settings import channel_displays, with_colours
from bioimage_suite.images.writers.ome_document import PIXEL_TYPES, ome_document
from bioimage_suite.images.writers.pyramid_tiff import write_pyramid_tiff
from bioimage_suite.images.writers.tiff_output import identify_tiff

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile


# Types that OME's schema lacks, and the type that takes their values: all of float16, whole numbers if they fit.
OTHER_TYPES = {"float16": "float32", "int64": "int32", "uint64": "uint32"}


def write_ome_tiff(path: Path, image: ImageFile, compression: str = "zlib", *, nearest: bool = False) -> None:
    """Write an image as pyramidal, tiled OME-TIFF.

    Args:
        path: File to write.
        image: The source.
        compression: A key of `pyramid_tiff.COMPRESSIONS`.
        nearest: Whether smaller levels take one of four pixels instead of their mean.

    Raises:
        UserError: OME-TIFF does not support the pixel type, and no other takes its values.
    """
    image = _storable(image)
    colour = image.read_interleaved is not None and image.size_c in {3, 4} and image.dtype.name in {"uint8", "uint16"}
    samples = image.size_c if colour else 1
    displays = with_colours(image, channel_displays(image))
    xml = ome_document(image, displays, samples=samples, in_tiff=True)
    checksum = write_pyramid_tiff(path, image, xml, samples=samples, compression=compression, nearest=nearest)
    identify_tiff(path, checksum)


def _storable(image: ImageFile) -> ImageFile:
    """Return the image with a pixel type of OME's schema, its values unchanged; a note says so.

    Raises:
        UserError: There is none for its type; or, when a region is read, for a value in it.
    """
    if image.dtype.kind == "c":
        print(f"NOTE: Image {image.name}: OME-TIFF knows its complex numbers, but Bio-Formats, and so OMERO, does not.")
    if image.dtype.name in PIXEL_TYPES:
        return image
    if image.dtype.name not in OTHER_TYPES:
        raise UserError(
            f"Image {image.name}: its pixels are {image.dtype.name}, which OME-TIFF does not know. "
            "Choose OME-Zarr, or change the pixel type."
        )
    dtype = np.dtype(OTHER_TYPES[image.dtype.name])

    def read_region(t: int, c: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        pixels = image.read_region(t, c, z, rows, columns)
        if dtype.kind != "f" and not (np.iinfo(dtype).min <= pixels.min() <= pixels.max() <= np.iinfo(dtype).max):
            raise UserError(
                f"Image {image.name}: its pixels are {image.dtype.name}, which OME-TIFF does not know, and values from "
                f"{pixels.min()} to {pixels.max()} do not fit {dtype}. Choose OME-Zarr."
            )
        array: np.ndarray = pixels.astype(dtype)
        return array

    print(f"NOTE: Image {image.name}: OME-TIFF knows no {image.dtype.name}; its pixels are written as {dtype}.")
    return replace(image, dtype=dtype, read_region=read_region, read_interleaved=None)
