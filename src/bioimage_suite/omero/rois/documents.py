"""Conversion of regions of interest to GeoJSON and back, and to OME-XML."""

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.ome_xml import OME, valid_text
from bioimage_suite.omero.rois.geometry import mask_of_rings, shape_rings
from bioimage_suite.omero.rois.label_shapes import join_rings
from bioimage_suite.omero.rois.shapes import NUMBERS, TRANSFORM, RoiShape, number_text, points_text
from bioimage_suite.tables.qupath_class import class_name


def to_geojson(shapes: Sequence[RoiShape]) -> dict[str, Any]:
    """Convert shapes to a GeoJSON FeatureCollection (RFC 7946, coordinates in pixels), one feature per shape.

    QuPath reads this form. Transforms are applied. Properties keep what GeoJSON cannot express: ids, name, text, z, t,
    c, kind, colours, and the exact numbers and transform of an ellipse, whose ring is an approximation. `plane` is
    QuPath's field for z, t and c (-1 means all channels).
    """
    return {"type": "FeatureCollection", "features": [_feature(shape) for shape in shapes]}


def from_geojson(document: Any, name: str) -> list[RoiShape]:
    """Read shapes from a FeatureCollection, a list of features (as QuPath writes it), a feature or a geometry.

    Features from `to_geojson` become the same shapes again, masks with the same pixels. In features of other programs,
    polygons with holes become one ring (`label_shapes.join_rings`), several parts become several shapes of one ROI, and
    the text is `name` or the name of the `classification`.

    Args:
        document: Parsed JSON.
        name: Name of the file in messages.

    Raises:
        UserError: A feature is not valid; the message has its number.
    """
    features = document.get("features") if isinstance(document, dict) and "features" in document else document
    features = features if isinstance(features, list) else [features]
    if not features:
        raise UserError(f"file {name}: no feature in it. Check the step that made it.")
    shapes: list[RoiShape] = []
    rois: dict[str, int] = {}
    for number, found in enumerate(features, 1):
        try:
            feature = found if found.get("type") == "Feature" else {"geometry": found}
            properties = feature.get("properties") or {}
            given = properties.get("roi_id")
            roi = rois.setdefault(f"feature {number}" if given is None else f"roi {given}", len(rois) + 1)
            shapes += _feature_shapes(feature["geometry"], properties, roi)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            why = str(error) if isinstance(error, ValueError) else f"it is not as RFC 7946 has it ({error!r})"
            raise UserError(f"file {name}, feature {number}: {why}. Mend it or leave it out.") from None
    return shapes


def to_ome_xml(shapes: Sequence[RoiShape]) -> str:
    """Convert shapes to an OME-XML document (2016-06) with one ROI element per ROI; masks hold their bits in base64."""
    root = ElementTree.Element("OME", xmlns=OME)
    by_roi: dict[int, list[RoiShape]] = {}
    for shape in shapes:
        by_roi.setdefault(shape.roi_id, []).append(shape)
    for roi_id, members in by_roi.items():
        attributes = {"ID": f"ROI:{roi_id}"}
        if members[0].roi_name:
            attributes["Name"] = valid_text(members[0].roi_name)
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
    if shape.z is not None and shape.t is not None:  # QuPath has no way to say "all".
        geometry["plane"] = {"c": -1 if shape.c is None else shape.c, "z": shape.z, "t": shape.t}
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
        "stroke": shape.stroke,
        "fill": shape.fill,
        "stroke_width": shape.stroke_width,
    }
    if shape.kind == "ellipse":
        properties["ellipse"] = dict(zip(("x", "y", "radius_x", "radius_y"), shape.numbers, strict=True))
        if shape.transform is not None:
            properties["ellipse"]["transform"] = list(shape.transform)
    return {"type": "Feature", "id": str(shape.shape_id), "geometry": geometry, "properties": properties}


def _feature_shapes(geometry: Mapping[str, Any], properties: Mapping[str, Any], roi: int) -> list[RoiShape]:
    plane = geometry.get("plane") or {}
    z, t, c = (_place(properties.get(axis, plane.get(axis)), axis) for axis in ("z", "t", "c"))
    text = properties.get("name") or class_name(properties.get("classification")) or None
    text = properties.get("text", text)
    basis = RoiShape(
        *(0, roi, properties.get("roi_name"), 0, str(properties.get("shape") or "")),
        *(z, t, c, None if text is None else str(text)),
        stroke=properties.get("stroke"),
        fill=properties.get("fill"),
        stroke_width=properties.get("stroke_width"),
    )
    shapes = list(_geometry_shapes(geometry, properties, basis))
    if not shapes:
        raise ValueError("its geometry is empty")
    for shape in shapes:
        _check_finite(*shape.numbers, *(shape.transform or ()), shape.stroke_width or 0)
    return shapes


def _check_finite(*numbers: float) -> None:
    """Check numbers of a geometry: a file may hold NaN, as QuPath writes measurements.

    Raises:
        ValueError: One is not finite.
    """
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a coordinate is not a number")


def _geometry_shapes(geometry: Mapping[str, Any], properties: Mapping[str, Any], basis: RoiShape) -> Iterator[RoiShape]:
    kind = geometry["type"]
    if kind == "GeometryCollection":
        for one in geometry["geometries"]:
            yield from _geometry_shapes(one, properties, basis)
        return
    parts = geometry["coordinates"] if kind.startswith("Multi") else [geometry["coordinates"]]
    simple = kind.removeprefix("Multi")
    if simple == "Point":
        for x, y, *_ in parts:
            yield replace(basis, kind="label" if basis.kind == "label" else "point", numbers=(float(x), float(y)))
    elif simple == "LineString":
        for part in parts:
            points = _ring(part)
            if len(points) == 2 and basis.kind != "polyline":
                yield replace(basis, kind="line", numbers=(*points[0], *points[1]))
            else:
                yield replace(basis, kind="polyline", points=tuple(points))
    elif simple == "Polygon":
        polygons = [[_open(_ring(ring)) for ring in part] for part in parts if part]
        yield from _areas(polygons, properties, basis)
    else:
        raise ValueError(f"geometry {kind!r} is unknown")


def _areas(
    polygons: list[list[list[tuple[float, float]]]], properties: Mapping[str, Any], basis: RoiShape
) -> Iterator[RoiShape]:
    ellipse = properties.get("ellipse")
    if basis.kind == "ellipse" and ellipse:
        numbers = tuple(float(ellipse[name]) for name in ("x", "y", "radius_x", "radius_y"))
        transform = tuple(float(number) for number in ellipse.get("transform") or ()) or None
        yield replace(basis, numbers=numbers, transform=transform)
    elif basis.kind == "mask" and polygons:
        yield mask_of_rings(basis, polygons)
    elif basis.kind == "rectangle" and (rectangle := _rectangle(polygons)):
        yield replace(basis, numbers=rectangle)
    else:
        for polygon in polygons:
            yield replace(basis, kind="polygon", points=tuple(join_rings(polygon)))


def _rectangle(polygons: list[list[list[tuple[float, float]]]]) -> tuple[float, ...] | None:
    """Return x, y, width and height if the corners form an upright rectangle, else None."""
    corners = polygons[0][0]
    (x, y), (right, bottom) = min(corners), max(corners)
    expected = [(x, y), (right, y), (right, bottom), (x, bottom)]
    return (x, y, right - x, bottom - y) if len(polygons) == 1 and corners == expected else None


def _ring(coordinates: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    ring = [(float(x), float(y)) for x, y, *_ in coordinates]
    for point in ring:
        _check_finite(*point)
    return ring


def _open(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Remove the last point of a closed ring: rings in RFC 7946 repeat the first point, those in OMERO do not."""
    ring = ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring
    if len(ring) < 3:
        raise ValueError(f"a polygon needs three corners, found {len(ring)}")
    return ring


def _place(value: Any, axis: str) -> int | None:
    if value is None or (isinstance(value, int) and value < 0):
        return None
    if not isinstance(value, int):
        raise ValueError(f"{axis} is {value!r}, which is not a whole number")
    return value


def _add_shape(union: ElementTree.Element, shape: RoiShape) -> None:
    attributes = {"ID": f"Shape:{shape.shape_id}"}
    places = {"TheZ": shape.z, "TheT": shape.t, "TheC": shape.c, "StrokeColor": shape.stroke, "FillColor": shape.fill}
    attributes |= {name: str(value) for name, value in places.items() if value is not None}
    if shape.stroke_width is not None:
        attributes |= {"StrokeWidth": number_text(shape.stroke_width), "StrokeWidthUnit": "pixel"}
    if shape.text:
        attributes["Text"] = valid_text(shape.text)
    names = [f"{name[0].upper()}{name[1:]}" for name in NUMBERS[shape.kind]]
    attributes |= {name: number_text(number) for name, number in zip(names, shape.numbers, strict=True)}
    if shape.points:
        attributes["Points"] = points_text(shape.points)
    element = ElementTree.SubElement(union, shape.kind.capitalize(), attributes)
    if shape.transform is not None:
        values = {name.upper(): number_text(number) for name, number in zip(TRANSFORM, shape.transform, strict=True)}
        ElementTree.SubElement(element, "Transform", values)
    if shape.kind == "mask":
        bits = ElementTree.SubElement(element, "BinData", BigEndian="false", Length=str(len(shape.bits)))
        bits.text = base64.b64encode(shape.bits).decode()
