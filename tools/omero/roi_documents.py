"""Regions of interest as GeoJSON and as OME-XML."""

import base64
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from omero_roi_shapes import RoiShape
from roi_geometry import shape_rings

OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
_ATTRIBUTES = {
    "rectangle": ("X", "Y", "Width", "Height"),
    "mask": ("X", "Y", "Width", "Height"),
    "ellipse": ("X", "Y", "RadiusX", "RadiusY"),
    "point": ("X", "Y"),
    "label": ("X", "Y"),
    "line": ("X1", "Y1", "X2", "Y2"),
}


def to_geojson(shapes: Sequence[RoiShape]) -> dict[str, Any]:
    """A GeoJSON FeatureCollection (RFC 7946, coordinates in pixels), one feature a shape, as QuPath reads it.

    Transforms are applied. Properties keep what GeoJSON has no place for: ids, name, text, z, t, c, kind, and the exact
    numbers of an ellipse, whose ring is an approximation.
    """
    return {"type": "FeatureCollection", "features": [_feature(shape) for shape in shapes]}


def to_ome_xml(shapes: Sequence[RoiShape]) -> str:
    """An OME-XML document (2016-06) with one ROI element for each ROI; masks hold their bits in base64."""
    root = ElementTree.Element("OME", xmlns=OME)
    by_roi: dict[int, list[RoiShape]] = {}
    for shape in shapes:
        by_roi.setdefault(shape.roi_id, []).append(shape)
    for roi_id, members in by_roi.items():
        attributes = {"ID": f"ROI:{roi_id}"}
        if members[0].roi_name:
            attributes["Name"] = members[0].roi_name
        union = ElementTree.SubElement(ElementTree.SubElement(root, "ROI", attributes), "Union")
        for shape in members:
            _add_shape(union, shape)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)


def _feature(shape: RoiShape) -> dict[str, Any]:
    polygons = [[[[x, y] for x, y in ring] for ring in polygon] for polygon in shape_rings(shape)]
    first = polygons[0][0] if polygons else []
    if shape.kind in ("point", "label"):
        geometry: dict[str, Any] = {"type": "Point", "coordinates": first[0]}
    elif shape.kind in ("line", "polyline"):
        geometry = {"type": "LineString", "coordinates": first}
    else:
        # RFC 7946: a ring ends where it begins.
        closed = [[[*ring, ring[0]] for ring in polygon] for polygon in polygons]
        single = len(closed) == 1
        kind = "Polygon" if single else "MultiPolygon"
        geometry = {"type": kind, "coordinates": closed[0] if single else closed}
    properties: dict[str, Any] = {
        "objectType": "annotation",
        "name": shape.text or shape.roi_name,
        "image_id": shape.image_id,
        "roi_id": shape.roi_id,
        "roi_name": shape.roi_name,
        "shape_id": shape.shape_id,
        "shape": shape.kind,
        "text": shape.text,
        "z": shape.z,
        "t": shape.t,
        "c": shape.c,
    }
    if shape.kind == "ellipse":
        properties["ellipse"] = dict(zip(("x", "y", "radius_x", "radius_y"), shape.numbers, strict=True))
    return {"type": "Feature", "id": str(shape.shape_id), "geometry": geometry, "properties": properties}


def _add_shape(union: ElementTree.Element, shape: RoiShape) -> None:
    attributes = {"ID": f"Shape:{shape.shape_id}"}
    places = {"TheZ": shape.z, "TheT": shape.t, "TheC": shape.c, "StrokeColor": shape.stroke, "FillColor": shape.fill}
    attributes |= {name: str(value) for name, value in places.items() if value is not None}
    if shape.text:
        attributes["Text"] = shape.text
    names = _ATTRIBUTES.get(shape.kind, ())
    attributes |= {name: f"{number:.15g}" for name, number in zip(names, shape.numbers, strict=True)}
    if shape.points:
        attributes["Points"] = " ".join(f"{x:.15g},{y:.15g}" for x, y in shape.points)
    element = ElementTree.SubElement(union, shape.kind.capitalize(), attributes)
    if shape.transform is not None:
        names = ("A00", "A10", "A01", "A11", "A02", "A12")
        values = {name: f"{number:.15g}" for name, number in zip(names, shape.transform, strict=True)}
        ElementTree.SubElement(element, "Transform", values)
    if shape.kind == "mask":
        bits = ElementTree.SubElement(element, "BinData", BigEndian="false", Length=str(len(shape.bits)))
        bits.text = base64.b64encode(shape.bits).decode()
