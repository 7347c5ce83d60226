"""Copying of an opened image into an OME-Zarr: pixels block by block, and the metadata of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioimage_suite.images.ome_zarr.metadata import ZarrChannel, ZarrImage
from bioimage_suite.images.ome_zarr.writer import PyramidWriter, block_regions
from bioimage_suite.images.writers.display_settings import channel_displays, with_colours
from bioimage_suite.images.writers.ome_document import PIXEL_TYPES, ome_document
from bioimage_suite.images.writers.tiff_output import Checksum, identified

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile
    from bioimage_suite.images.ome_zarr.archive import ArchiveWriter

METADATA_FILE = "OME/METADATA.ome.xml"  # the name that bioformats2raw writes and Galaxy looks for


def describe(image: ImageFile, *, nearest: bool = False, is_labels: bool = False) -> ZarrImage:
    """Return the description of the multiscale image; axes of length 1 are left out unless the file scales them.

    Args:
        image: The source.
        nearest: Whether smaller levels take one of four pixels instead of their mean.
        is_labels: Whether it is a label map, which has no channel axis.
    """
    sizes = {"t": image.size_t, "c": image.size_c, "z": image.size_z, "y": image.size_y, "x": image.size_x}
    scale = {axis: size.value for axis, size in image.physical_size.items()}
    units = {axis: size.unit for axis, size in image.physical_size.items()}
    if image.time_increment:
        scale["t"], units["t"] = image.time_increment.value, image.time_increment.unit
    named = {"y", "x"} if is_labels else {"c", "y", "x"}
    axes = "".join(axis for axis in "tczyx" if sizes[axis] > 1 or axis in named or (axis in "tz" and axis in scale))
    channels = tuple(
        ZarrChannel(image.channel_label(number), one.color or "FFFFFF", one.start, one.end, one.active)
        for number, one in enumerate(with_colours(image, channel_displays(image)))
    )
    return ZarrImage(
        name=image.name, axes=axes, shape=tuple(sizes[axis] for axis in axes), dtype=image.dtype, scale=scale,
        units=units, channels=() if is_labels else channels, is_labels=is_labels, nearest=nearest,
    )  # fmt: skip


def write_zarr_image(
    folder: Path, image: ImageFile, version: str, *, nearest: bool = False, is_labels: bool = False
) -> None:
    """Write an image, or a label map, as a multiscale image at `folder`.

    Args:
        folder: Folder of the image, created if it is missing.
        image: The source.
        version: `0.4` or `0.5`.
        nearest: Whether smaller levels take one of four pixels instead of their mean.
        is_labels: Whether it is a label map.
    """
    with PyramidWriter(folder, describe(image, nearest=nearest, is_labels=is_labels), version) as writer:
        checksum = _copy_pixels(image, writer)
    if not is_labels and image.dtype.name in PIXEL_TYPES:
        file = folder / METADATA_FILE
        file.parent.mkdir()
        file.write_text(_metadata(image, checksum), encoding="utf-8")


def add_zarr_image(archive: ArchiveWriter, place: str, image: ImageFile, version: str, *, nearest: bool) -> None:
    """Write an image as a multiscale image straight into one file: the same as `write_zarr_image` and `pack` make.

    Args:
        archive: The file.
        place: Folder of the image in it, such as `A/1/0`.
        image: The source.
        version: `0.4` or `0.5`.
        nearest: Whether smaller levels take one of four pixels instead of their mean.
    """
    with PyramidWriter(archive.root / place, describe(image, nearest=nearest), version) as writer:
        checksum = _copy_pixels(image, writer)
    if image.dtype.name in PIXEL_TYPES:
        archive.add(f"{place}/{METADATA_FILE}", _metadata(image, checksum).encode())


def _metadata(image: ImageFile, checksum: int) -> str:
    """Return what OME-NGFF cannot store, as OME-XML beside the image: instrument, objective, wavelengths and dates."""
    return identified(ome_document(image, channel_displays(image), samples=1, in_tiff=False), checksum)


def _copy_pixels(image: ImageFile, writer: PyramidWriter) -> int:
    """Copy all pixels; return a checksum of them."""
    checksum = Checksum()
    together = image.size_c if image.read_interleaved else 1
    for t in range(image.size_t):
        for first in range(0, image.size_c, together):
            for z in range(image.size_z):
                for rows, columns in block_regions(image.size_y, image.size_x, image.dtype.itemsize * together):
                    if image.read_interleaved:
                        pixels = image.read_interleaved(t, z, rows, columns)
                    else:
                        pixels = image.read_region(t, first, z, rows, columns)[..., None]
                    checksum.add(pixels)
                    for c in range(together):
                        writer.write(pixels[..., c], rows.start, columns.start, t=t, c=first + c, z=z)
    return checksum.value
