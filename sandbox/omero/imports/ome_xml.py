"""The rows of OME-XML beyond sizes and channel names: microscope, settings, planes, ROIs, annotations.

OME-XML's attributes are the model's properties with a capital letter, except for RENAMED; a child element is a row of
its own. What OMERO cannot store is left out. Source: OME schema 2016-06.
"""

from __future__ import annotations

import base64
import bz2
import math
import zlib
from typing import TYPE_CHECKING, Any

from sandbox.omero.image_files import Quantity, read_date
from sandbox.omero.image_files.elements import children, first_child, tag_of
from sandbox.omero.imports.quantities import quantity_columns
from sandbox.omero.model.entities import MODEL_ENTITIES, Property

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from sandbox.omero.database.transactions import Transaction
    from sandbox.omero.image_files import OmeSource

RENAMED = {
    "AcquisitionMode": "mode",
    "CO2Percent": "co2percent",
    "IlluminationType": "illumination",
    "NDFilter": "ndFilter",
    "Namespace": "ns",
    "Offset": "offsetValue",
    "PinholeSize": "pinHoleSize",
    "Text": "textValue",
}
DEFAULT_UNITS = {
    "airPressure": "mbar",
    "deltaT": "s",
    "exposureTime": "s",
    "fontSize": "pt",
    "positionX": "reference frame",
    "positionY": "reference frame",
    "positionZ": "reference frame",
    "power": "mW",
    "readOutRate": "MHz",
    "repetitionRate": "Hz",
    "strokeWidth": "pixel",
    "temperature": "°C",
    "voltage": "V",
    "wavelength": "nm",
    "cutIn": "nm",
    "cutInTolerance": "nm",
    "cutOut": "nm",
    "cutOutTolerance": "nm",
}
"""Units of quantities that come without one; all others are in µm."""
LIGHT_SOURCES = ("Laser", "Arc", "Filament", "LightEmittingDiode", "GenericExcitationSource")
# Filter sets come last, as they refer to the filters.
PARTS = (*LIGHT_SOURCES, "Detector", "Objective", "Filter", "Dichroic", "FilterSet")
SHAPES = ("Rectangle", "Ellipse", "Polygon", "Polyline", "Line", "Point", "Label", "Mask")
VALUES = {
    "BooleanAnnotation": "boolValue",
    "CommentAnnotation": "textValue",
    "DoubleAnnotation": "doubleValue",
    "LongAnnotation": "longValue",
    "TagAnnotation": "textValue",
    "TermAnnotation": "termValue",
    "TimestampAnnotation": "timeValue",
}
"""Kinds of annotation whose `<Value>` is a text, and the property that holds it."""
UNPACK: dict[str, Callable[[bytes], bytes]] = {"none": bytes, "zlib": zlib.decompress, "bzip2": bz2.decompress}
ORIGINAL_METADATA = "OriginalMetadata"
"""Part of the namespace of Bio-Formats' annotations of original metadata, which OMERO does not store as annotations."""


def _references(element: Element, tag: str) -> list[str]:
    """Return the ids that an element refers to, each once."""
    return list(dict.fromkeys(str(reference.get("ID")) for reference in children(element, tag)))


class OmeRows:
    """Writer of the rows of one OME-XML document; what several images share is written once."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.made: dict[str, int] = {}

    def image_columns(self, ome: OmeSource) -> dict[str, int]:
        """Write how and where an image was taken; return the columns of the Image that refer to it."""
        columns = {}
        for name in _references(ome.image, "InstrumentRef")[:1]:
            for instrument in children(ome.document, "Instrument"):
                if instrument.get("ID") == name:
                    columns["instrument"] = self._instrument(instrument)
        settings = first_child(ome.image, "ObjectiveSettings")
        if settings is None:
            settings = first_child(ome.image, "ObjectiveRef")  # before 2012
        if settings is not None and settings.get("ID") in self.made:
            columns["objectiveSettings"] = self._row(
                "ObjectiveSettings", settings, objective=self.made[str(settings.get("ID"))]
            )
        label = first_child(ome.image, "StageLabel")
        if label is not None:
            positions = {
                f"Position{name.removesuffix('Unit')}" + ("Unit" if name.endswith("Unit") else ""): value
                for name, value in label.attrib.items()
                if name[0] in "XYZ"
            }
            columns["stageLabel"] = self._row("StageLabel", {**positions, "Name": label.get("Name") or ""})
        environment = first_child(ome.image, "ImagingEnvironment")
        if environment is not None:
            columns["imagingEnvironment"] = self._row("ImagingEnvironment", environment)
        return columns

    def channel_columns(self, ome: OmeSource, index: int, count: int) -> dict[str, Any]:
        """Write a channel's settings; return the columns of its LogicalChannel.

        Args:
            ome: Where the image comes from.
            index: Number of the channel.
            count: Channels of the image; the samples of an RGB channel count, and share its element.
        """
        elements = list(children(first_child(ome.image, "Pixels"), "Channel"))
        if not elements or count % len(elements):
            return {}
        element = elements[index * len(elements) // count]
        columns = self._columns("LogicalChannel", element)
        for tag, kind, column, part in (
            ("DetectorSettings", "DetectorSettings", "detectorSettings", "detector"),
            ("LightSourceSettings", "LightSettings", "lightSourceSettings", "lightSource"),
        ):
            settings = first_child(element, tag)
            if settings is not None and settings.get("ID") in self.made:
                columns[column] = self._row(kind, settings, **{part: self.made[str(settings.get("ID"))]})
        path, filters = first_child(element, "LightPath"), first_child(element, "FilterSetRef")
        if path is not None:
            columns["lightPath"] = self._optics("LightPath", path)
        if filters is not None and filters.get("ID") in self.made:
            columns["filterSet"] = self.made[str(filters.get("ID"))]
        return columns

    def write_contents(self, ome: OmeSource, image: int, pixels: int, planes: tuple[int, int, int]) -> None:
        """Write what refers to an image: planes, ROIs and annotations.

        Args:
            ome: Where the image comes from.
            image: Id of the Image.
            pixels: Id of its Pixels.
            planes: Focal planes, channels and time points; a `<Plane>` beyond them is left out.
        """
        sizes = dict(zip(("theZ", "theC", "theT"), planes, strict=True))
        for plane in children(first_child(ome.image, "Pixels"), "Plane"):
            columns = self._columns("PlaneInfo", plane)
            if len(columns) > 3 and all(0 <= columns.get(name, -1) < size for name, size in sizes.items()):
                self.tx.create("PlaneInfo", pixels=pixels, **columns)
        for name in _references(ome.image, "ROIRef"):
            for roi in children(ome.document, "ROI"):
                if roi.get("ID") == name:
                    self._roi(ome.document, roi, image)
        self._annotate(ome.document, "Image", image, ome.image)

    def _row(self, entity: str, element: Element | dict[str, str], **columns: Any) -> int:
        return self.tx.create(entity, **{**self._columns(entity, element), **columns})

    def _columns(self, entity: str, element: Element | dict[str, str]) -> dict[str, Any]:
        attributes = element if isinstance(element, dict) else element.attrib
        kinds, columns = MODEL_ENTITIES[entity].properties, {}
        for attribute, text in attributes.items():
            found = kinds.get(RENAMED.get(attribute) or attribute[:1].lower() + attribute[1:])
            if found is not None:
                columns.update(self._value(found, text, attributes.get(f"{attribute}Unit")))
        for name in MODEL_ENTITIES[entity].required:
            if name not in columns and MODEL_ENTITIES.get(kinds[name].type, MODEL_ENTITIES["Image"]).is_enumeration:
                columns[name] = self.tx.ensure_enum(kinds[name].type, "Unknown")
        return columns

    def _value(self, found: Property, text: str, unit: str | None) -> dict[str, Any]:
        """Return the column of a property; none for a value that is not of its type."""
        try:
            if found.kind == "unit":
                value = _finite(text)
                symbol = (unit or DEFAULT_UNITS.get(found.name, "µm")).replace("μ", "µ")
                return quantity_columns(found.name, Quantity(value, symbol), found.type)
            if found.kind == "reference" and MODEL_ENTITIES[found.type].is_enumeration:
                return {found.name: self.tx.ensure_enum(found.type, text)} if text else {}
            if found.kind == "scalar":
                return {found.name: _scalar(found.type, text)}
        except ValueError:
            return {}
        return {}

    def _instrument(self, element: Element) -> int:
        number = self.made.get(str(element.get("ID")))
        if number is not None:
            return number
        microscope = first_child(element, "Microscope")
        columns = {} if microscope is None else {"microscope": self._row("Microscope", microscope)}
        number = self.made[str(element.get("ID"))] = self.tx.create("Instrument", **columns)
        for kind in PARTS:
            for part in children(element, kind):
                self.made[str(part.get("ID"))] = self._part(kind, part, number)
        for laser in children(element, "Laser"):
            pump = first_child(laser, "Pump")
            if pump is not None and pump.get("ID") in self.made:
                self.tx.update("Laser", self.made[str(laser.get("ID"))], pump=self.made[str(pump.get("ID"))])
        return number

    def _part(self, kind: str, element: Element, instrument: int) -> int:
        columns: dict[str, Any] = {"instrument": instrument}
        if kind == "FilterSet":
            return self._optics(kind, element, **columns)
        passed = first_child(element, "TransmittanceRange")
        if kind == "Filter" and passed is not None:
            columns["transmittanceRange"] = self._row("TransmittanceRange", passed)
        return self._row(kind, element, **columns)

    def _optics(self, kind: str, element: Element, **columns: Any) -> int:
        """Write a LightPath or a FilterSet with its dichroic and its filters."""
        mirror = first_child(element, "DichroicRef")
        if mirror is not None and mirror.get("ID") in self.made:
            columns["dichroic"] = self.made[str(mirror.get("ID"))]
        row = self._row(kind, element, **columns)
        for side in ("Excitation", "Emission"):
            for name in _references(element, f"{side}FilterRef"):
                if name in self.made:
                    self.tx.create(f"{kind}{side}FilterLink", parent=row, child=self.made[name])
        return row

    def _roi(self, document: Element, element: Element, image: int) -> None:
        description = first_child(element, "Description")
        text = None if description is None else description.text
        roi = self._row("Roi", element, image=image, description=text)
        for shape in children(first_child(element, "Union"), *SHAPES):
            columns: dict[str, Any] = {"roi": roi}
            transform, data = first_child(shape, "Transform"), first_child(shape, "BinData")
            if transform is not None:
                columns["transform"] = self._row("AffineTransform", transform)
            if data is not None:
                columns["bytes"] = _bytes(data)
            self._row(tag_of(shape), shape, **columns)
        self._annotate(document, "Roi", roi, element)

    def _annotate(self, document: Element, kind: str, row: int, element: Element) -> None:
        known = first_child(document, "StructuredAnnotations")
        for name in _references(element, "AnnotationRef"):
            found = None if known is None else next((a for a in known if a.get("ID") == name), None)
            number = None if found is None else self._annotation(document, found)
            if number is not None:
                self.tx.create(f"{kind}AnnotationLink", parent=row, child=number)

    def _annotation(self, document: Element, element: Element) -> int | None:
        """Write an annotation, and those on it; return its id, or None where OMERO has no such kind (files)."""
        known = self.made.get(str(element.get("ID")))
        if known is not None:
            return known
        kind = tag_of(element).replace("XML", "Xml")
        if kind not in (*VALUES, "XmlAnnotation", "MapAnnotation", "ListAnnotation"):
            return None
        if ORIGINAL_METADATA in (element.get("Namespace") or ""):
            return None
        description = first_child(element, "Description")
        columns = self._annotation_value(kind, first_child(element, "Value"))
        if description is not None:
            columns["description"] = description.text
        made = self.made[str(element.get("ID"))] = self._row(kind, element, **columns)
        self._annotate(document, "Annotation", made, element)
        return made

    def _annotation_value(self, kind: str, value: Element | None) -> dict[str, Any]:
        from xml.etree.ElementTree import tostring

        if value is None:
            return {}
        if kind == "MapAnnotation":
            return {"mapValue": [(pair.get("K") or "", pair.text or "") for pair in children(value, "M")]}
        if kind == "XmlAnnotation":
            inner = "".join(tostring(child, "unicode") for child in value)
            return {"textValue": (value.text or "").strip() + inner}
        if kind in VALUES:
            return self._value(MODEL_ENTITIES[kind].properties[VALUES[kind]], value.text or "", None)
        return {}


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _scalar(kind: str, text: str) -> Any:
    """Return a text as a value of an rtype."""
    if kind in ("RInt", "RLong"):
        number, bits = int(text), 31 if kind == "RInt" else 63
        if not -(1 << bits) <= number < 1 << bits:
            raise ValueError(text)
        return number
    if kind in ("RDouble", "RFloat"):
        return _finite(text)
    if kind == "RBool":
        return text.strip().lower() in ("true", "1")
    if kind == "RTime":
        date = read_date(text)
        if date is None:
            raise ValueError(text)
        return int(date.timestamp() * 1000)
    return text


def _bytes(data: Element) -> bytes | None:
    """Return the content of `<BinData>`; None where it is broken."""
    try:
        return UNPACK[data.get("Compression") or "none"](base64.b64decode(data.text or ""))
    except (KeyError, ValueError, zlib.error, OSError):
        return None
