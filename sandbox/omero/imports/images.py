"""The rows of an imported image: Image, Pixels, channels, statistics, microscope.

Reading is slow and comes first; writing is one short transaction. So the import of a large file does not block
other writers, and a file that turns out to be broken leaves no row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.omero.image_files.series_reader import numpy_type_of
from sandbox.omero.imports.quantities import quantity_columns
from sandbox.omero.rendering.pictures import GREY, channel_colors
from sandbox.omero.repository.pixel_access import SeriesPixels
from sandbox.omero.repository.pixel_store import (
    MAX_PLANE_PIXELS,
    PENDING_SHA1,
    channel_minmax,
    plane_minmax,
    sha1_of_pixels,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.omero.database.transactions import Transaction
    from sandbox.omero.image_files import ImageFile, SeriesDescription
    from sandbox.omero.imports.ome_xml import OmeRows


@dataclass(frozen=True)
class PreparedImage:
    """What an import writes about one image.

    Attributes:
        name: Name of the image.
        description: What the file says.
        minmax: Minimum and maximum of each channel, of its middle plane where they are not to be stored.
        sha1: Checksum of the pixels, or `Pending...` for an image that is a pyramid.
    """

    name: str
    description: SeriesDescription
    minmax: tuple[tuple[float, float], ...]
    sha1: str
    without_stats: bool = False


def image_names(file_name: str, descriptions: list[SeriesDescription]) -> list[str]:
    """Return the names that OMERO gives to the images of a file: `file.tif`, or `file.tif [name of the image]`."""
    if len(descriptions) == 1:
        return [file_name]
    return [f"{file_name} [{d.name or f'#{number}'}]" for number, d in enumerate(descriptions, 1)]


def prepare_images(
    opened: ImageFile, file_name: str, progress: Callable[[int], None] = lambda _: None, *, without_stats: bool = False
) -> list[PreparedImage]:
    """Read what an import needs of every image, among it the extremes of its pixels.

    Of a pyramid only the smallest level is read, which is enough for a display range, and no checksum is made.

    Raises:
        ImageFileError: The pixels cannot be decoded.
    """
    prepared = []
    names = image_names(file_name, [reader.description for reader in opened.series])
    for number, (reader, name) in enumerate(zip(opened.series, names, strict=True)):
        progress(number)
        source = SeriesPixels(reader)
        pyramid = len(source.level_sizes) > 1 and source.shape.size_x * source.shape.size_y > MAX_PLANE_PIXELS
        level = len(source.level_sizes) - 1 if pyramid else 0
        minmax = _middle_minmax(source) if without_stats else tuple(channel_minmax(source, level))
        sha1 = PENDING_SHA1 if pyramid else sha1_of_pixels(source).hex()
        prepared.append(PreparedImage(name, reader.description, minmax, sha1, without_stats))
    return prepared


def _middle_minmax(source: SeriesPixels) -> tuple[tuple[float, float], ...]:
    return tuple(plane_minmax(source, c) for c in range(source.shape.size_c))


def write_image(
    tx: Transaction, image: PreparedImage, series: int, file_format: str, ome: OmeRows, **links: Any
) -> tuple[int, int]:
    """Write the rows of one image.

    Args:
        tx: The transaction.
        image: What to write.
        series: Number of the image in its file.
        file_format: Name of the file's format.
        ome: Writer of the content of the fileset's OME-XML.
        **links: More columns of the Image: fileset, description.

    Returns:
        Ids of the Image and its Pixels.
    """
    d = image.description
    columns: dict[str, Any] = {
        "name": image.name[-255:],
        "series": series,
        "partial": False,
        "archived": False,
        "description": d.description,
        "format": tx.ensure_enum("Format", file_format),
        **links,
        **(ome.image_columns(d.ome) if d.ome else {}),
    }
    if d.acquisition_date is not None:
        columns["acquisitionDate"] = int(d.acquisition_date.timestamp() * 1000)
    image_id = tx.create("Image", **columns)
    pixels_id = tx.create(
        "Pixels",
        image=image_id,
        pixelsType=tx.enum("PixelsType", d.pixel_type),
        dimensionOrder=tx.enum("DimensionOrder", d.dimension_order),
        significantBits=d.significant_bits or 8 * numpy_type_of(d.pixel_type).itemsize,
        sizeX=d.size_x,
        sizeY=d.size_y,
        sizeZ=d.size_z,
        sizeC=d.size_c,
        sizeT=d.size_t,
        sha1=image.sha1,
        **quantity_columns("physicalSizeX", d.physical_size_x),
        **quantity_columns("physicalSizeY", d.physical_size_y),
        **quantity_columns("physicalSizeZ", d.physical_size_z),
        **quantity_columns("timeIncrement", d.time_increment, "Time"),
    )
    _write_channels(tx, image, pixels_id, ome)
    if d.ome:
        ome.write_contents(d.ome, image_id, pixels_id, (d.size_z, d.size_c, d.size_t))
    return image_id, pixels_id


def _write_channels(tx: Transaction, image: PreparedImage, pixels_id: int, ome: OmeRows) -> None:
    channels, source = image.description.channels, image.description.ome
    waves = [one.emission.value if one.emission and one.emission.unit == "nm" else None for one in channels]
    own = [one.color for one in channels]
    colors = [own[0] or GREY] if len(channels) == 1 else channel_colors(own, waves)  # ChannelProcessor (omero-blitz)
    for index, (channel, (low, high)) in enumerate(zip(channels, image.minmax, strict=True)):
        red, green, blue, alpha = colors[index]
        settings = ome.channel_columns(source, index, len(channels)) if source else {}
        told = {"name": channel.name, "fluor": channel.fluor, "samplesPerPixel": 1}
        told |= quantity_columns("emissionWave", channel.emission)
        told |= quantity_columns("excitationWave", channel.excitation)
        logical = tx.create("LogicalChannel", **{**settings, **told})
        stats = None if image.without_stats else tx.create("StatsInfo", globalMin=low, globalMax=high)
        tx.create(
            "Channel",
            pixels=pixels_id,
            logicalChannel=logical,
            statsInfo=stats,
            red=red,
            green=green,
            blue=blue,
            alpha=alpha,
        )
