"""The metadata of an image in a file, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime
    from xml.etree.ElementTree import Element


class ImageFileError(ValueError):
    """A file that is broken, or of a kind that is not read here; the message names the file and the reason."""


@dataclass(frozen=True)
class Quantity:
    """A number with its unit.

    Attributes:
        value: The number.
        unit: Unit symbol as in OME-XML (`µm`, `nm`, `s`, ...).
    """

    value: float
    unit: str


@dataclass(frozen=True)
class ChannelDescription:
    """One channel.

    Attributes:
        name: Channel name, None where the file has none.
        color: Red, green, blue, alpha (0 to 255), None where the file has none.
        emission: Emission wavelength.
        excitation: Excitation wavelength.
        fluor: Name of the fluorophore.
        window: Display range (start, end) where the file gives one.
    """

    name: str | None = None
    color: tuple[int, int, int, int] | None = None
    emission: Quantity | None = None
    excitation: Quantity | None = None
    fluor: str | None = None
    window: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class OmeSource:
    """The OME-XML that describes an image.

    Attributes:
        document: Its root.
        image: The image's element.
    """

    document: Element
    image: Element


@dataclass(frozen=True)
class AcquisitionDescription:
    """One run of imaging a plate; times in milliseconds since 1970."""

    id: int
    name: str | None = None
    description: str | None = None
    maximum_field_count: int | None = None
    start_time: int | None = None
    end_time: int | None = None


@dataclass(frozen=True)
class FieldDescription:
    """The place on a plate where an image was taken; rows and columns count from 0."""

    row: int
    column: int
    acquisition: int | None = None


@dataclass(frozen=True)
class PlateDescription:
    """A plate.

    Attributes:
        name: Name, None where the file gives none.
        rows: Names of its rows.
        columns: Names of its columns.
        acquisitions: Runs of imaging.
        fields: One entry an image, in their order.
        screen: Name of the screen that the file puts it into; the plates of one file with the same name share it.
    """

    name: str | None
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    acquisitions: tuple[AcquisitionDescription, ...]
    fields: tuple[FieldDescription, ...]
    screen: str | None = None


@dataclass(frozen=True)
class SeriesDescription:
    """One image of a file.

    Attributes:
        name: Name of the image inside its file; None where the file gives none.
        size_x: Columns.
        size_y: Rows.
        size_z: Focal planes.
        size_c: Channels; the samples of an RGB image count as channels, as in Bio-Formats.
        size_t: Time points.
        pixel_type: OMERO's pixel type: uint8, int8, uint16, int16, uint32, int32, float, double or complex.
        dimension_order: Order of the planes in the file, such as XYZCT.
        channels: One entry a channel.
        physical_size_x: Width of a pixel; also y (height) and z (distance of focal planes).
        time_increment: Time between two time points.
        acquisition_date: When the image was taken; UTC if the file names no time zone.
        description: Free text.
        significant_bits: Number of bits of a pixel that carry values, if the file gives it.
        ome: The OME-XML of the image, for everything that has no attribute here.
        level_sizes: (width, height) of every resolution level, full size first.
        tile_size: (width, height) of the file's own tiles or strips.
        original_metadata: Further key-value pairs of the file.
        global_metadata: Those that the file has for all its images.
    """

    name: str | None
    size_x: int
    size_y: int
    size_z: int
    size_c: int
    size_t: int
    pixel_type: str
    dimension_order: str = "XYZCT"
    channels: tuple[ChannelDescription, ...] = ()
    physical_size_x: Quantity | None = None
    physical_size_y: Quantity | None = None
    physical_size_z: Quantity | None = None
    time_increment: Quantity | None = None
    acquisition_date: datetime.datetime | None = None
    description: str | None = None
    significant_bits: int | None = None
    ome: OmeSource | None = None
    level_sizes: tuple[tuple[int, int], ...] = ()
    tile_size: tuple[int, int] = (0, 0)
    original_metadata: tuple[tuple[str, str], ...] = ()
    global_metadata: tuple[tuple[str, str], ...] = ()
