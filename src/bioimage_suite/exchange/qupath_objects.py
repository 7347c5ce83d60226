"""Objects of QuPath, exported as GeoJSON: a measurement table with their classes, and a label map.

The form is that of QuPath 0.2 to 0.6 (`qupath.lib.io.PathObjectTypeAdapters`): measurements as an object, before 0.4 as
a list; numbers may be NaN; a class with several parts has `names`. QuPath keeps `id`, `name`, `classification`,
`measurements` and `metadata` of what it read, and no other property: objects that `qupath.py` wrote are known by them.
"""

from __future__ import annotations

import math
import re
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core import damage
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import without_suffix
from bioimage_suite.core.repeats import repeated
from bioimage_suite.core.texts import whole_number
from bioimage_suite.core.untrusted_files import MAX_JSON_BYTES, parse_json
from bioimage_suite.images.model.filled_rings import fill_rings
from bioimage_suite.images.writers.label_maps import LARGEST_LABEL
from bioimage_suite.tables.measurement_table import MeasurementTable, format_cell
from bioimage_suite.tables.qupath_class import class_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile

REMEDY = "Write it again with the program that made it."
OWN_IDS = 5
"""Version of the UUIDs that `qupath.py` gives to objects; QuPath's own are random (4)."""
LARGEST = 1e9  # pixels from the first that a point may be: no image is larger, and areas of more could be infinite
_UNITS = {"µm^2": "um2", "µm²": "um2", "um^2": "um2", "µm": "um", "um": "um", "px^2": "px", "px²": "px", "px": "px"}
_NAME = re.compile(rf"(?:(?P<part>[^:]+): )?(?P<what>.+?)(?: (?P<unit>{'|'.join(map(re.escape, _UNITS))}))?")
_IDENTITY = ("image", "label", "object_id", "class")
_STATISTIC = re.compile(r"(?P<channel>.+?):? (?P<what>mean|median|min|max|sum|range|std\.? ?dev\.?)", re.IGNORECASE)
Ring = list[tuple[float, float]]


@dataclass(frozen=True)
class QuPathObject:
    """An object of QuPath.

    Attributes:
        image: Name of its image, or of the file where it names none.
        label: Its number; 0 until it has one.
        object_id: QuPath's id.
        kind: Its class; parts are joined by ": ".
        polygons: Rings of points (x, y) in pixels of each polygon, the upper left corner of the image is 0, 0; none for
            points and lines.
        place: Area in square pixels, and x and y of the centroid; the centre of the first pixel is 0.
        measurements: Values by name.
    """

    image: str
    label: int
    object_id: str
    kind: str
    polygons: list[list[Ring]]
    place: tuple[float, float, float]
    measurements: Mapping[str, float]


def is_geojson(start: bytes) -> bool:
    """Tell by the first bytes of a file whether it may be GeoJSON."""
    return start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"[")


def read_objects(path: Path, name: str) -> list[QuPathObject]:
    """Read the objects of a GeoJSON.

    Objects that this suite wrote have the labels of their label map again, also after QuPath changed and wrote them.
    Others are numbered after them, in the order of the file.

    Raises:
        UserError: It is no GeoJSON, or a feature is not as it should be.
    """
    with path.open("rb") as stream:
        document = parse_json(stream.read(MAX_JSON_BYTES + 1), name, constants=True)
    features = document.get("features") if isinstance(document, dict) and "features" in document else document
    found = []
    for number, feature in enumerate(features if isinstance(features, list) else [features], 1):
        with damage.reading(f"file {name}, feature {number}", REMEDY):
            found.append(_object_of(feature, name))
    return _numbered(found)


def _numbered(found: list[QuPathObject]) -> list[QuPathObject]:
    taken: dict[str, int] = {}
    for one in found:
        taken[one.image] = max(taken.get(one.image, 0), one.label)
    numbered = []
    for one in found:
        if not one.label:
            taken[one.image] += 1
        numbered.append(one if one.label else replace(one, label=taken[one.image]))
    return numbered


def _object_of(feature: Mapping[str, Any], name: str) -> QuPathObject:
    properties = feature.get("properties") or {}
    said = {**(properties.get("metadata") or {}), **properties}
    number = str(feature.get("id") or "")
    label = _own_label(number, said)
    is_own = label > 0
    given = properties.get("measurements") or {}
    # QuPath before 0.4 wrote a list.
    pairs = given.items() if isinstance(given, dict) else ((one["name"], one["value"]) for one in given)
    polygons = _polygons(feature["geometry"])
    return QuPathObject(
        str(said.get("image") or name),
        label,
        number,
        class_name(properties.get("classification")),
        polygons,
        _sums(polygons) if polygons else _middle(feature["geometry"]),
        # What this suite wrote has its own names already.
        _measured([(key if is_own else qupath_feature(key), value) for key, value in pairs]),
    )


def _measured(pairs: Sequence[tuple[str, Any]]) -> dict[str, float]:
    twice = repeated([*_IDENTITY, *(name for name, _ in pairs)])
    if twice:
        raise ValueError(f"two of its values would be called {twice[0]!r}")
    return {name: math.nan if value is None else float(value) for name, value in pairs}


def _own_label(number: str, said: Mapping[str, Any]) -> int:
    """Return the label of an object that this suite made, else 0; QuPath may have left its id and name alone.

    Raises:
        ValueError: No label map can have it.
    """
    text = str(said.get("label", ""))
    if not text:
        with suppress(ValueError):
            text = str(said.get("name", "")) if uuid.UUID(number).version == OWN_IDS else ""
    label = whole_number(text) or 0
    if label > LARGEST_LABEL:
        raise ValueError(f"the label {label} is more than {LARGEST_LABEL}")
    return label


def _polygons(geometry: Mapping[str, Any]) -> list[list[Ring]]:
    parts = {"Polygon": [geometry["coordinates"]], "MultiPolygon": geometry["coordinates"]}.get(geometry["type"], [])
    found = [[[(float(x), float(y)) for x, y, *_ in ring] for ring in part] for part in parts]
    if not all(abs(value) <= LARGEST for part in found for ring in part for point in ring for value in point):
        raise ValueError(f"a coordinate is not a number, or beyond {LARGEST:,.0f}")
    return found


def _middle(geometry: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return the middle of the points of a geometry without an area."""
    x, y = np.array(list(_points(geometry["coordinates"])), float).T
    if not np.isfinite([x, y]).all():
        raise ValueError("a coordinate is not a number")
    return 0.0, float(x.mean()) - 0.5, float(y.mean()) - 0.5


def _points(coordinates: Any) -> Iterator[tuple[Any, Any]]:
    """Yield x and y of each point of a Point, LineString, MultiPoint or MultiLineString, the lines of any lengths."""
    if coordinates and isinstance(coordinates[0], list):
        for part in coordinates:
            yield from _points(part)
    else:
        x, y, *_ = coordinates
        yield x, y


def _sums(polygons: Sequence[Sequence[Ring]]) -> tuple[float, float, float]:
    """Return area and centroid (centre of the first pixel is 0) of polygons with holes, by the shoelace formula."""
    # From a corner of the object: far from the origin the products of coordinates lose the digits of small objects.
    first = np.asarray(next((ring[0] for part in polygons for ring in part if ring), (0, 0)), float)[:, None]
    sums = np.zeros(3)
    for part in polygons:
        for place, ring in enumerate(part):
            x, y = np.asarray(ring, float).reshape(-1, 2).T - first
            cross = x * np.roll(y, -1) - np.roll(x, -1) * y
            moments = ((x + np.roll(x, -1)) * cross, (y + np.roll(y, -1)) * cross)
            one = np.array([cross.sum() / 2, moments[0].sum() / 6, moments[1].sum() / 6])
            sums += np.sign(one[0]) * one * (1 if place == 0 else -1)
    if sums[0] == 0:
        raise ValueError("a polygon without an area")
    if sums[0] < 0:
        raise ValueError("a polygon with holes that are larger than it")
    x, y = sums[1:] / sums[0] + first[:, 0] - 0.5
    return float(sums[0]), float(x), float(y)


def objects_table(objects: Sequence[QuPathObject], name: str) -> MeasurementTable:
    """Return objects as a measurement table: image, label, id, class, place, then what QuPath measured."""
    rows: list[dict[str, str]] = []
    for one in objects:
        area, x, y = one.place
        row = {"image": one.image, "label": str(one.label), "object_id": one.object_id, "class": one.kind}
        row |= {"centroid_x_px": format_cell(x), "centroid_y_px": format_cell(y), "area_px": format_cell(area)}
        rows.append(row | {key: format_cell(value) for key, value in one.measurements.items()})
    columns = list(dict.fromkeys(column for row in rows for column in row)) or ["image", "label"]
    return MeasurementTable(name, tuple(columns), tuple(tuple(row.get(c, "") for c in columns) for row in rows))


def objects_of(objects: Sequence[QuPathObject], image: ImageFile) -> list[QuPathObject]:
    """Return the objects of an image, by its name with or without the suffix of its format.

    Raises:
        UserError: None is of this image.
    """
    found = [one for one in objects if without_suffix(one.image) == without_suffix(image.name)]
    if not found:
        names = ", ".join(list(dict.fromkeys(one.image for one in objects))[:5]) or "none"
        raise UserError(
            f"image {image.name}: no object is of it; those of the GeoJSON files are of {names}. Name the image or the "
            "file like the other."
        )
    return found


def label_plane(objects: Sequence[QuPathObject], image: ImageFile) -> np.ndarray:
    """Return a (Y, X) int32 label map of objects: pixels whose centre an object has; the first one takes it.

    What lies outside of the image is left out.

    Raises:
        UserError: The image has several planes.
    """
    if image.size_z * image.size_t > 1:
        raise UserError(
            f"image {image.name}: {image.size_z} z-planes and {image.size_t} time points. Cut one plane out: an object "
            "of QuPath lies on one."
        )
    labels = np.zeros((image.size_y, image.size_x), np.int32)
    for one in objects:
        rings = [ring for part in one.polygons for ring in part]
        if not rings:
            continue
        x, y = np.concatenate([np.asarray(ring) for ring in rings]).T
        left, top = (max(0, math.floor(values.min())) for values in (x, y))
        right, bottom = min(image.size_x, math.ceil(x.max())), min(image.size_y, math.ceil(y.max()))
        if right <= left or bottom <= top:
            continue
        moved = [[(at[0] - left, at[1] - top) for at in ring] for ring in rings]
        place = labels[top:bottom, left:right]
        place[fill_rings(moved, bottom - top, right - left) & (place == 0)] = one.label
    return labels


def qupath_feature(name: str) -> str:
    """Return the name of a feature as the suite writes it.

    >>> qupath_feature("Centroid X µm"), qupath_feature("Nucleus: Area µm^2"), qupath_feature("Nucleus: DAPI mean")
    ('centroid_x_um', 'nucleus_area_um2', 'nucleus_mean_DAPI')
    >>> qupath_feature("Cell: Circularity"), qupath_feature("DAPI: Std.Dev.")
    ('cell_circularity', 'std_DAPI')
    """
    statistic = re.fullmatch(r"(?P<channel>[^:]+): (?P<what>Mean|Median|Min|Max|Sum|Std\.? ?[Dd]ev\.?)", name)
    if statistic:
        return f"{_short(statistic['what'])}_{statistic['channel']}"
    match = _NAME.fullmatch(name)
    if match is None:
        return name
    part = "".join(f"{word}_" for word in (match["part"] or "").lower().split())
    inner = _STATISTIC.fullmatch(match["what"])
    if inner and not match["unit"]:
        return f"{part}{_short(inner['what'])}_{inner['channel']}"
    unit = f"_{_UNITS[match['unit']]}" if match["unit"] else ""
    return part + "_".join(re.sub(r"[/.]", " ", match["what"]).lower().split()) + unit


def _short(statistic: str) -> str:
    return "std" if statistic.lower().startswith("std") else statistic.lower()
