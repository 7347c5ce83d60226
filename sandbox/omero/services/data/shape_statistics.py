"""Pixels of a shape and their statistics, as OMERO counts them.

Which pixels belong to a shape: omero-blitz, omero/model/SmartShape.java (`pointsByBoundingBox`: from the corner of the
bounding box in steps of 1, where a square of 0.001 meets the shape; lines in steps of 0.1) and Smart*I.java.
The numbers: ome/services/roi/GeomTool.java, `getStatsRestricted`.
"""

from __future__ import annotations

import itertools
import math
import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.omero import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    Inside = Callable[[np.ndarray, np.ndarray], np.ndarray]

REACH = 0.001
LINE_STEP = 0.1
MOST_POINTS = 100_000_000


def area_points(shape: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of a shape as two arrays of int64: x and y.

    Args:
        shape: A loaded omero.model.Shape, with its transform.

    Raises:
        omero.ApiUsageException: The shape has no area here (a path), or an absurd one.
    """
    kind = shape.ice_id().rsplit("::", 1)[-1]
    if kind in ("Point", "Label"):
        x, y = _transformed(np.array([[_number(shape.x), _number(shape.y)]]), shape.transform).T
        return np.trunc(x).astype(np.int64), np.trunc(y).astype(np.int64)
    if kind == "Line":
        ends = np.array([[_number(shape.x1), _number(shape.y1)], [_number(shape.x2), _number(shape.y2)]])
        return _line_points(_transformed(ends, shape.transform))
    if kind == "Polyline":
        return _line_points(_transformed(_points(shape.points), shape.transform))
    if kind in ("Rectangle", "Mask"):
        x, y, w, h = (_number(v) for v in (shape.x, shape.y, shape.width, shape.height))
        corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
        return _polygon_points(_transformed(corners, shape.transform))
    if kind == "Polygon":
        return _polygon_points(_transformed(_points(shape.points), shape.transform))
    if kind == "Ellipse":
        return _ellipse_points(shape)
    raise errors.api_usage(f"A {kind} has no pixels")


def _number(value: Any) -> float:
    if value is None:
        raise errors.api_usage("The shape has no coordinates")
    return float(value.val)


def _points(text: Any) -> np.ndarray:
    numbers = [float(n) for n in re.findall(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?", text.val if text is not None else "")]
    if len(numbers) < 2 or len(numbers) % 2:
        raise errors.api_usage("The shape has no points")
    return np.array(numbers).reshape(-1, 2)


def _matrix(transform: Any) -> np.ndarray:
    rows = [["a00", "a01", "a02"], ["a10", "a11", "a12"]]
    return np.array([[_number(getattr(transform, name)) for name in row] for row in rows])


def _transformed(points: np.ndarray, transform: Any) -> np.ndarray:
    if transform is None:
        return points
    matrix = _matrix(transform)
    moved: np.ndarray = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


def _grid(low: np.ndarray, high: np.ndarray, inside: Inside) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of the places in a bounding box that are inside."""
    xs, ys = (np.arange(low[i], high[i], 1.0) for i in (0, 1))
    if len(xs) * len(ys) > MOST_POINTS:
        raise errors.api_usage(f"The shape covers {len(xs)} x {len(ys)} pixels: too many")
    found_x, found_y = [], []
    for y in ys:
        row = xs[inside(xs, np.full_like(xs, y))]
        found_x.append(np.trunc(row).astype(np.int64))
        found_y.append(np.full(len(row), math.trunc(y), np.int64))
    return (np.concatenate(found_x), np.concatenate(found_y)) if found_x else (np.zeros(0, np.int64),) * 2


def _polygon_points(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    nexts = np.roll(corners, -1, axis=0)

    def crossed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        odd: np.ndarray = np.zeros(len(x), bool)
        for (x1, y1), (x2, y2) in zip(corners, nexts, strict=True):
            if y1 != y2:
                spans = (y1 > y) != (y2 > y)
                odd = odd ^ (spans & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1))
        return odd

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        met: np.ndarray = crossed(x, y) | crossed(x + REACH, y) | crossed(x, y + REACH) | crossed(x + REACH, y + REACH)
        return met

    return _grid(corners.min(axis=0), corners.max(axis=0), inside)


def _ellipse_points(shape: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of an ellipse, whose transform may turn it: places are turned back."""
    center = np.array([_number(shape.x), _number(shape.y)])
    radii = np.array([_number(shape.radiusX), _number(shape.radiusY)])
    matrix = _matrix(shape.transform) if shape.transform is not None else np.eye(2, 3)
    linear = matrix[:, :2]
    if abs(np.linalg.det(linear)) < sys.float_info.epsilon or radii.min() <= 0:
        return (np.zeros(0, np.int64),) * 2
    middle = linear @ center + matrix[:, 2]
    extent = np.sqrt((linear**2) @ (radii**2))
    back = np.linalg.inv(linear)

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        # The point of the small square that is next to the middle.
        near = np.stack([np.clip(middle[0], x, x + REACH), np.clip(middle[1], y, y + REACH)])
        turned = back @ (near - middle[:, None])
        within: np.ndarray = ((turned / radii[:, None]) ** 2).sum(axis=0) < 1
        return within

    return _grid(middle - extent, middle + extent, inside)


def _line_points(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = []
    for start, end in itertools.pairwise(corners):
        length = float(np.hypot(*(end - start)))
        if length / LINE_STEP > MOST_POINTS:
            raise errors.api_usage(f"The line has a length of {length} pixels: too long")
        steps = np.arange(0, length + LINE_STEP, LINE_STEP)
        direction = (end - start) / length if length else np.zeros(2)
        parts.append(np.floor(start + steps[:, None] * direction))
    if not parts:
        return (np.zeros(0, np.int64),) * 2
    points = np.unique(np.concatenate(parts), axis=0).astype(np.int64)
    return points[:, 0], points[:, 1]


def statistics(shape_id: int, points: tuple[np.ndarray, np.ndarray], planes: dict[int, np.ndarray]) -> Any:
    """Return omero.api.ShapeStats of the pixels of a shape, as far as they are in the image.

    Args:
        shape_id: The shape's id.
        points: x and y of its pixels.
        planes: By channel, one plane, shape (Y, X).
    """
    import omero.api

    names = ("pointsCount", "min", "max", "sum", "mean", "stdDev")
    made = omero.api.ShapeStats(shapeId=shape_id, channelIds=list(planes), **{name: [] for name in names})
    for plane in planes.values():
        x, y = points
        within = (x >= 0) & (y >= 0) & (x < plane.shape[1]) & (y < plane.shape[0])
        values = plane[y[within], x[within]].astype(np.float64)
        total, count = float(values.sum()), len(values)
        mean = total / count if count else 0.0
        spread = (float((values**2).sum()) - total * mean) / (count - 1) if count > 1 else 0.0
        made.pointsCount.append(count)
        made.min.append(float(values.min()) if count else sys.float_info.max)
        # OMERO begins with 0: the largest of negative values is 0.
        made.max.append(max(0.0, float(values.max())) if count else 0.0)
        made.sum.append(total)
        made.mean.append(mean)
        made.stdDev.append(math.sqrt(spread) if spread > 0 else 0.0)
    return made
