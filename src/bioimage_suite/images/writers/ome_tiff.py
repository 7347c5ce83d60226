"""Writing an image as a pyramidal, tiled OME-TIFF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.writers.display_settings import channel_displays, with_colours
from bioimage_suite.images.writers.ome_document import PIXEL_TYPES, ome_document
from bioimage_suite.images.writers.pyramid_tiff import write_pyramid_tiff
from bioimage_suite.images.writers.tiff_output import identify_tiff

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile


def write_ome_tiff(path: Path, image: ImageFile, compression: str = "zlib", *, nearest: bool = False) -> None:
    """Write an image as pyramidal, tiled OME-TIFF.

    Args:
        path: File to write.
        image: The source.
        compression: A key of `pyramid_tiff.COMPRESSIONS`.
        nearest: Whether smaller levels take one of four pixels instead of their mean.

    Raises:
        UserError: OME-TIFF does not support the pixel type.
    """
    if image.dtype.name not in PIXEL_TYPES:
        raise UserError(
            f"Image {image.name}: its pixels are {image.dtype.name}, which OME-TIFF does not know. "
            "Choose OME-Zarr, or change the pixel type."
        )
    colour = image.read_interleaved is not None and image.size_c in {3, 4} and image.dtype.name in {"uint8", "uint16"}
    samples = image.size_c if colour else 1
    displays = with_colours(image, channel_displays(image))
    xml = ome_document(image, displays, samples=samples, in_tiff=True)
    checksum = write_pyramid_tiff(path, image, xml, samples=samples, compression=compression, nearest=nearest)
    identify_tiff(path, checksum)
