"""Lines drawn on a picture: paths of tracked objects up to a time point, and ROIs from GeoJSON."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.texts import whole_number
from bioimage_suite.figures.spread import spread
from bioimage_suite.tables.measurement_table import MeasurementTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Bits of fraction in OpenCV's coordinates, which can lie between pixels.
FRACTION_BITS = 4
FARTHEST = (
    1e5  # px; farther points are drawn here: OpenCV's 32-bit coordinates end at 2^27 px, pictures at some thousand
)
LARGEST_GEOJSON = 200 * 1024 * 1024
# For each GeoJSON type, a function that turns its coordinates into lists of lines.
LINES_OF: dict[str, Callable[[list[Any]], list[Any]]] = {
    "Point": lambda corner: [[[corner]]],
    "MultiPoint": lambda corners: [[[corner] for corner in corners]],
    "LineString": lambda line: [[line]],
    "MultiLineString": lambda lines: [lines],
    "Polygon": lambda rings: [rings],
    "MultiPolygon": lambda polygons: polygons,
}


@dataclass(frozen=True)
class TrackPaths:
    """Steps of tracked objects in pixels; the centre of the first pixel is 0.

    Attributes:
        track: (k,) track of each step.
        frame: (k,) frame where a step ends; a track of one object has a step of length 0.
        start: (k, 2) x, y where it begins.
        end: (k, 2) x, y where it ends.
        count: Number of tracks.
    """

    track: np.ndarray
    frame: np.ndarray
    start: np.ndarray
    end: np.ndarray
    count: int


@dataclass(frozen=True)
class Roi:
    """A region of interest.

    Attributes:
        rings: Lines of (n, 2) x, y corners in pixels; the upper left corner of the first pixel is 0.
        closed: Whether each line goes back to its first corner.
        text: Text to write beside it.
    """

    rings: list[np.ndarray]
    closed: bool
    text: str


def track_paths(table: MeasurementTable) -> TrackPaths:
    """Return the paths in a table of tracked objects, as `track_objects` writes it.

    Args:
        table: Table with the columns `track`, `frame`, `centroid_x_px`, `centroid_y_px`, and `parent_track` if objects
            divide.

    Raises:
        UserError: A column is missing or holds no numbers.
    """
    tracked = table.texts("track")
    rows = tuple(row for row, text in zip(table.rows, tracked, strict=True) if text.strip())
    kept = MeasurementTable(table.name, table.columns, rows)
    track, frame = kept.whole_numbers("track"), kept.whole_numbers("frame")
    position = np.column_stack([kept.numbers("centroid_x_px"), kept.numbers("centroid_y_px")])
    order = np.lexsort((frame, track))
    track, frame, position = track[order], frame[order], position[order]
    first = np.diff(track, prepend=0) != 0
    before = np.arange(len(track)) - ~first  # a track's first object has a step from itself to itself
    if "parent_track" in kept.columns:
        last_of = dict(zip(track.tolist(), range(len(track)), strict=True))
        parents = kept.texts("parent_track")
        for at in np.flatnonzero(first).tolist():
            # The path of a daughter begins at the last position of its parent.
            before[at] = last_of.get(whole_number(parents[order[at]].strip()) or 0, at)
    return TrackPaths(track, frame, position[before], position, int(first.sum()))


def draw_tracks(picture: np.ndarray, paths: TrackPaths, frame: int, scale: float) -> None:
    """Draw the steps up to a frame, and a dot for each object in that frame, into the picture."""
    import cv2

    seen = paths.frame <= frame
    colours = spread_colours(paths.track[seen]).tolist()
    start, end = (_fixed(points[seen], scale, 0.5) for points in (paths.start, paths.end))
    for a, b, colour in zip(start.tolist(), end.tolist(), colours, strict=True):
        cv2.line(picture, a, b, colour, 1, cv2.LINE_AA, FRACTION_BITS)
    for at, now, colour in zip(end.tolist(), (paths.frame[seen] == frame).tolist(), colours, strict=True):
        if now:
            cv2.circle(picture, at, 2 << FRACTION_BITS, colour, -1, cv2.LINE_AA, FRACTION_BITS)


def draw_rois(picture: np.ndarray, rois: list[Roi], scale: float, numbers: bool) -> None:
    """Draw the lines of ROIs into the picture, each in its own colour, optionally with their texts."""
    import cv2

    colours = spread_colours(np.arange(1, len(rois) + 1)).tolist()
    for roi, colour in zip(rois, colours, strict=True):
        for ring in roi.rings:
            points = _fixed(ring, scale, 0.0)
            if len(points) == 1:
                cv2.circle(picture, points[0].tolist(), 2 << FRACTION_BITS, colour, -1, cv2.LINE_AA, FRACTION_BITS)
            else:
                cv2.polylines(picture, [points], roi.closed, colour, 1, cv2.LINE_AA, FRACTION_BITS)
        if numbers and roi.text:
            middle = np.concatenate(roi.rings).mean(axis=0) * scale
            write_text(picture, roi.text, float(middle[0]), float(middle[1]))


def _fixed(points: np.ndarray, scale: float, corner: float) -> np.ndarray:
    """Return positions in the picture as OpenCV's fixed-point numbers, (n, 2) int32.

    Args:
        points: (n, 2) x, y in pixels of the image.
        scale: Pixels of the picture in one of the image.
        corner: Distance from the corner of the first pixel to the origin of `points`, px: 0.5 for its centre.
    """
    at = (points + corner) * scale - 0.5  # OpenCV's origin is the centre of a pixel
    return np.rint(np.clip(at, -FARTHEST, FARTHEST) * (1 << FRACTION_BITS)).astype(np.int32)


def write_text(picture: np.ndarray, text: str, x: float, y: float) -> None:
    """Write a short text centred on a point into the picture, white with a dark rim."""
    import cv2

    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.35
    (width, height), _ = cv2.getTextSize(text, font, size, 1)
    at = (round(x - width / 2), round(y + height / 2))
    cv2.putText(picture, text, at, font, size, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, text, at, font, size, (255, 255, 255), 1, cv2.LINE_AA)


def spread_colours(labels: np.ndarray) -> np.ndarray:
    """Return a bright colour per label, (n, 3) uint8: hues a golden angle apart, so that successive ones differ."""
    import cv2

    hue = (spread(labels.astype(np.int64)) * 179).astype(np.uint8)
    colours = np.stack([hue, np.full_like(hue, 190), np.full_like(hue, 255)], axis=1)
    return cv2.cvtColor(colours[None], cv2.COLOR_HSV2RGB)[0] if len(labels) else np.zeros((0, 3), np.uint8)


def read_geojson(path: Path, name: str) -> list[Roi]:
    """Read the shapes of a GeoJSON file (RFC 7946; coordinates in pixels, as QuPath and OMERO exports write them).

    Raises:
        UserError: The file is too large, not JSON or not GeoJSON, or a geometry has invalid corners.
    """
    if path.stat().st_size > LARGEST_GEOJSON:
        raise UserError(f"ROIs {name}: larger than {LARGEST_GEOJSON >> 20} MiB. Give fewer ROIs.")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"ROIs {name}: not a JSON file ({error}). Give GeoJSON.") from error
    features = content.get("features", [content]) if isinstance(content, dict) else content
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        raise UserError(f"ROIs {name}: not GeoJSON. Give a FeatureCollection.")
    return [roi for number, one in enumerate(features, 1) for roi in _shapes_of(one, f"ROIs {name}, shape {number}")]


def _shapes_of(feature: dict[str, Any], name: str) -> Iterator[Roi]:
    """Yield the geometry of a feature as one ROI."""
    geometry = feature.get("geometry", feature)
    if not isinstance(geometry, dict):
        raise UserError(f"{name}: it has no geometry. Remove it.")
    kind, corners = geometry.get("type"), geometry.get("coordinates")
    text = _text_of(feature.get("properties"))
    if not isinstance(kind, str) or kind not in LINES_OF or not isinstance(corners, list):
        raise UserError(f"{name}: its geometry is {kind!r}. Give points, lines or polygons with coordinates.")
    rings = [ring for part in LINES_OF[kind](corners) for ring in _listed(part, name)]
    lines = [_corners(ring, name) for ring in rings]
    if lines:  # RFC 7946 allows geometries without coordinates
        yield Roi(lines, kind in ("Polygon", "MultiPolygon"), text)


def _text_of(properties: Any) -> str:
    """Return the text of a ROI: its label, text or name."""
    known = properties if isinstance(properties, dict) else {}
    return str(next((known[key] for key in ("label", "text", "name") if known.get(key) not in (None, "")), ""))[:40]


def _listed(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise UserError(f"{name}: its coordinates are no list. Export the ROIs again.")
    return value


def _is_coordinate(value: Any) -> bool:
    # An integer of JSON may be larger than any float; NaN is not smaller.
    return isinstance(value, (int, float)) and abs(value) <= sys.float_info.max


def _corners(ring: Any, name: str) -> np.ndarray:
    """Return the corners of a ring as (n, 2) float64 x, y."""
    points = []
    for corner in _listed(ring, name):
        numbers = _listed(corner, name)[:2]
        if len(numbers) < 2 or not all(map(_is_coordinate, numbers)):
            raise UserError(f"{name}: {corner!r} is no pair of numbers. Export the ROIs again.")
        points.append(numbers)
    if not points:
        raise UserError(f"{name}: a line without a corner. Export the ROIs again.")
    return np.array(points, float)
