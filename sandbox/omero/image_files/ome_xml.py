"""Read the parts of OME-XML that OMERO keeps (schema 2016-06 and its forerunners)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.omero.image_files.description import (
    ChannelDescription,
    ImageFileError,
    OmeSource,
    Quantity,
)
from sandbox.omero.image_files.elements import children, first_child, tag_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


@dataclass(frozen=True)
class OmeImage:
    """The content of one `<Image>`; the fields are those of `SeriesDescription`."""

    name: str | None
    dimension_order: str
    channels: tuple[ChannelDescription, ...]
    physical_size_x: Quantity | None
    physical_size_y: Quantity | None
    physical_size_z: Quantity | None
    time_increment: Quantity | None
    acquisition_date: datetime.datetime | None
    description: str | None
    significant_bits: int | None
    ome: OmeSource


@dataclass(frozen=True)
class OmeDocument:
    """An OME-XML document.

    Attributes:
        images: One entry an `<Image>`.
        file_names: Files with its pixels, as the document names them.
        metadata_file: File that has the metadata instead (`<BinaryOnly>`).
        refused: Whether Bio-Formats does not take it, and opens its file as plain TIFF.
    """

    images: tuple[OmeImage, ...]
    file_names: tuple[str, ...]
    metadata_file: str | None
    refused: bool = False


# Units of length and time in the schema 2016-06.
LENGTH_UNITS = {
    "Ym", "Zm", "Em", "Pm", "Tm", "Gm", "Mm", "km", "hm", "dam", "m", "dm", "cm", "mm", "µm", "nm", "pm", "fm", "am",
    "zm", "ym", "Å", "thou", "li", "in", "ft", "yd", "mi", "ua", "ly", "pc", "pt", "pixel", "reference frame",
}  # fmt: skip
TIME_UNITS = {
    "Ys", "Zs", "Es", "Ps", "Ts", "Gs", "Ms", "ks", "hs", "das", "s", "ds", "cs", "ms", "µs", "ns", "ps", "fs", "as",
    "zs", "ys", "min", "h", "d",
}  # fmt: skip


def read_ome_xml(text: str) -> OmeDocument:
    """Read an OME-XML document.

    Raises:
        ImageFileError: It is not well-formed XML.
    """
    # expat >= 2.4.1, which CPython 3.11 carries, stops entity bombs by itself; ElementTree loads nothing external.
    from xml.etree.ElementTree import ParseError, fromstring

    try:
        root = fromstring(text.encode())  # noqa: S314
    except ParseError as error:
        raise ImageFileError(f"OME-XML is not well-formed: {error}") from error
    binary_only = first_child(root, "BinaryOnly")
    names = dict.fromkeys(u.get("FileName") for u in root.iter() if tag_of(u) == "UUID" and u.get("FileName"))
    return OmeDocument(
        tuple(_image(element, root) for element in children(root, "Image")),
        tuple(str(name) for name in names),
        binary_only.get("MetadataFile") if binary_only is not None else None,
        refused=any(_is_refused(element) for element in root.iter()),
    )


def _is_refused(element: Element) -> bool:
    """Return whether Bio-Formats 7.3.1 fails on a length or time of an element: its unit, or a number not above 0."""
    positive = {"Pixels": ("PhysicalSizeX", "PhysicalSizeY", "PhysicalSizeZ"),
                "Channel": ("EmissionWavelength", "ExcitationWavelength")}  # fmt: skip
    for name in positive.get(tag_of(element), ()):
        number = _number(element, name)
        if (number is not None and not number > 0) or element.get(f"{name}Unit", "µm") not in LENGTH_UNITS:
            return True
    return tag_of(element) == "Pixels" and element.get("TimeIncrementUnit", "s") not in TIME_UNITS


def _text(parent: Element, tag: str) -> str | None:
    child = first_child(parent, tag)
    return child.text.strip() if child is not None and child.text and child.text.strip() else None


def _number(element: Element | None, attribute: str) -> float | None:
    text = element.get(attribute) if element is not None else None
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _quantity(element: Element | None, attribute: str, default_unit: str) -> Quantity | None:
    value = _number(element, attribute)
    if value is None or element is None:
        return None
    # U+03BC (Greek mu) is common in files; the schema has U+00B5 (micro sign).
    return Quantity(value, (element.get(attribute + "Unit") or default_unit).replace("μ", "µ"))


def _image(element: Element, document: Element) -> OmeImage:
    pixels = first_child(element, "Pixels")
    channels = tuple(_channel(c) for c in children(pixels, "Channel"))
    bits = _number(pixels, "SignificantBits") or 0
    return OmeImage(
        name=element.get("Name") or None,
        dimension_order=(pixels.get("DimensionOrder") if pixels is not None else None) or "XYZCT",
        channels=channels,
        physical_size_x=_quantity(pixels, "PhysicalSizeX", "µm"),
        physical_size_y=_quantity(pixels, "PhysicalSizeY", "µm"),
        physical_size_z=_quantity(pixels, "PhysicalSizeZ", "µm"),
        time_increment=_quantity(pixels, "TimeIncrement", "s"),
        acquisition_date=read_date(_text(element, "AcquisitionDate") or _text(element, "CreationDate")),
        description=_text(element, "Description"),
        significant_bits=int(bits) if 0 < bits <= 64 else None,
        ome=OmeSource(document, element),
    )


def _channel(element: Element) -> ChannelDescription:
    return ChannelDescription(
        name=element.get("Name") or None,
        color=_color(element.get("Color")),
        emission=_quantity(element, "EmissionWavelength", "nm"),
        excitation=_quantity(element, "ExcitationWavelength", "nm"),
        fluor=element.get("Fluor") or None,
    )


def _color(text: str | None) -> tuple[int, int, int, int] | None:
    """Unpack OME-XML's Color: RGBA in a signed 32-bit integer."""
    try:
        value = int(text or "") & 0xFFFFFFFF
    except ValueError:
        return None
    return (value >> 24 & 255, value >> 16 & 255, value >> 8 & 255, value & 255)


def read_date(text: str | None) -> datetime.datetime | None:
    """Read an ISO 8601 date; one without a time zone is taken as UTC, as OMERO does."""
    try:
        date = datetime.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return date if date is None or date.tzinfo else date.replace(tzinfo=datetime.UTC)
