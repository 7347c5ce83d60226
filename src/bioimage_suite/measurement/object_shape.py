"""Shapes of 2D objects from their runs, by the definitions of skimage.measure.regionprops (version 0.26)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.images.model.label_runs import distinct

if TYPE_CHECKING:
    from bioimage_suite.images.model.label_runs import Runs

# Second moments along y and x that differ by less, relative to their sum, are equal: float64 rounds at 1e-16, and a few
# thousand such steps lie between.
SAME_MOMENTS = 1e-12
DOWN, ASLANT = 3, 4  # classes of border pixels that begin a run down a column, or along a diagonal
KINDS = 5  # classes of border pixels: three that count for the perimeter, and these


def moments(runs: Runs, index: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """Return area, box, centroid and the ellipse with the same second moments of each object.

    With the eigenvalues a >= b of the inertia tensor of the pixel centres, the axes of the ellipse are 4 sqrt(a) and
    4 sqrt(b), eccentricity is sqrt(1 - b/a), orientation the angle between the row axis and the long axis,
    from -pi/2 to pi/2, counter-clockwise.

    Args:
        runs: Runs of the plane.
        index: Object of each run, 0..count-1.
        count: Number of objects.

    Returns:
        Arrays of `count` values by column name, in pixels and radians.
    """
    area = np.bincount(index, runs.length, count)
    top, bottom = extremes(index, count, runs.row, runs.row + 1)
    left, right = extremes(index, count, runs.start, runs.start + runs.length)
    # Coordinates relative to the box keep the squares small; sums below 2^53 are exact in float64.
    n, x, y = runs.length.astype(float), (runs.start - left[index]).astype(float), (runs.row - top[index]).astype(float)
    end = x + n - 1
    sum_x = np.bincount(index, n * (x + end) / 2, count)
    sum_y = np.bincount(index, n * y, count)
    mean_x, mean_y = sum_x / area, sum_y / area
    squares = (end * (end + 1) * (2 * end + 1) - (x - 1) * x * (2 * x - 1)) / 6
    xx = np.bincount(index, squares, count) / area - mean_x**2
    yy = np.bincount(index, n * y * y, count) / area - mean_y**2
    xy = np.bincount(index, n * y * (x + end) / 2, count) / area - mean_x * mean_y
    root = np.sqrt(4 * xy**2 + (yy - xx) ** 2)
    large, small = (xx + yy + root) / 2, np.maximum((xx + yy - root) / 2, 0)
    ratio = np.divide(small, large, out=np.ones(count), where=large > 0)
    # As in regionprops: with equal second moments along y and x, the long axis is a diagonal.
    diagonal = np.where(xy > 0, np.pi / 4, -np.pi / 4)
    angle = 0.5 * np.arctan2(2 * xy, yy - xx)
    # xx and yy of whole pixels are equal or differ by more than rounding.
    equal = np.abs(xx - yy) <= SAME_MOMENTS * np.maximum(1, xx + yy)
    return {
        "centroid_y_px": mean_y + top, "centroid_x_px": mean_x + left,
        "bbox_min_y_px": top, "bbox_min_x_px": left, "bbox_max_y_px": bottom, "bbox_max_x_px": right,
        "area_px": area.astype(np.int64),
        "equivalent_diameter_px": np.sqrt(4 * area / np.pi),
        "major_axis_px": 4 * np.sqrt(large), "minor_axis_px": 4 * np.sqrt(small),
        "eccentricity": np.sqrt(1 - ratio),
        "orientation_rad": np.where(equal, diagonal, angle),
    }  # fmt: skip


def extremes(index: np.ndarray, count: int, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest `low` and the largest `high` of each object."""
    smallest, largest = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(smallest, index, low)
    np.maximum.at(largest, index, high)
    return smallest, largest


def border_classes(labels: np.ndarray, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Classify the border pixels of rows first..last-1 for both perimeters.

    Equals skimage.measure.perimeter(neighborhood=4): a border pixel has a 4-neighbour outside its object. Its weight
    depends on the object's border pixels beside it: 1 (straight), sqrt(2) (diagonal), or their mean (corner). For
    Crofton's perimeter, a pixel counts in each direction in which it begins a run: see `crofton_perimeters`.

    Args:
        labels: (rows, X) labels with two more rows above `first` and below `last` where the plane has them.
        first: First row to classify.
        last: Row after the last.

    Returns:
        Label (int64) and class (0 straight, 1 diagonal, 2 corner; DOWN or ASLANT for the begin of a run) of each border
        pixel that counts.
    """
    padded = np.pad(labels, 2)
    width = padded.shape[1]
    border = np.zeros(padded.shape, bool)
    across, down = padded[:, 1:] != padded[:, :-1], padded[1:] != padded[:-1]
    border[:, 1:] = across
    border[:, :-1] |= across
    border[1:] |= down
    border[:-1] |= down
    border &= padded != 0
    flat, is_border = padded.ravel(), border.ravel()
    at = np.flatnonzero(border[first + 2 : last + 2]) + (first + 2) * width
    label = flat[at]
    code = np.ones(len(at), np.int64)
    for step, weight in ((1, 2), (width, 2), (width - 1, 10), (width + 1, 10)):
        for neighbour in (at - step, at + step):
            code += weight * (is_border[neighbour] & (flat[neighbour] == label))
    kind = np.full(50, -1)
    kind[[5, 7, 15, 17, 25, 27]], kind[[21, 33]], kind[[13, 23]] = 0, 1, 2
    found = kind[code]
    labels_of, kinds = [label[found >= 0].astype(np.int64)], [found[found >= 0]]
    here = padded[first + 2 : last + 2, 1:-1]
    above = padded[first + 1 : last + 1]
    for other, direction in ((above[:, 1:-1], DOWN), (above[:, :-2], ASLANT), (above[:, 2:], ASLANT)):
        begins = here[(here != other) & (here != 0)].astype(np.int64)
        labels_of.append(begins)
        kinds.append(np.full(len(begins), direction))
    return np.concatenate(labels_of), np.concatenate(kinds)


def count_classes(label: np.ndarray, kind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count border pixels by label and class.

    Args:
        label: (n,) int64 label of each pixel.
        kind: (n,) int64 class of each (`border_classes`).

    Returns:
        (k,) int64 labels, ascending, and (k, KINDS) int64 numbers of pixels.
    """
    found, index = distinct(label)
    counts = np.bincount(index * KINDS + kind, minlength=KINDS * len(found))
    return found, counts.reshape(len(found), KINDS)


def perimeters(borders: np.ndarray) -> np.ndarray:
    """Return the perimeter of each object in pixels from its border pixels by class, (n, KINDS)."""
    array: np.ndarray = borders[:, :DOWN] @ np.array([1, np.sqrt(2), (1 + np.sqrt(2)) / 2])
    return array


def crofton_perimeters(runs: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """Return the perimeter of each object in pixels by Crofton's formula.

    Equals skimage.measure.perimeter_crofton(directions=4): pi / 4 times the number of runs along rows and columns, and
    of those along diagonals divided by sqrt(2). A line across an object meets its outline twice a run; averaged over
    directions this is proportional to the perimeter, also for thin and small objects.

    Args:
        runs: (n,) number of runs along rows of each object.
        borders: (n, KINDS) border pixels of each by class.
    """
    array: np.ndarray = np.pi / 4 * (runs + borders[:, DOWN] + borders[:, ASLANT] / np.sqrt(2))
    return array


def convex_shapes(runs: Runs, index: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """Return the area of each object's convex hull and its diameters by Feret.

    The area is the number of pixels whose centre lies in or on the convex hull of the object's pixels. It equals
    skimage.morphology.convex_hull_image: pixels count as diamonds, the four midpoints of their edges. All
    arithmetic is on whole numbers (coordinates are doubled), so that a centre on the hull always counts. Feret's
    diameters are the largest and the smallest distance of two parallel lines that enclose the hull.

    Returns:
        `convex_area_px` (int64), `feret_max_px` and `feret_min_px`, each (count,).
    """
    import cv2

    # numpy sorts 16-bit integers by radix sort, which is faster.
    key = index.astype(np.uint16) if count <= 1 << 16 else index
    order = np.argsort(key, kind="stable")  # runs are in reading order: this sorts by object, row, column
    owner, row = index[order], runs.row[order]
    left, right = runs.start[order], (runs.start + runs.length - 1)[order]
    new = np.r_[True, (owner[1:] != owner[:-1]) | (row[1:] != row[:-1])]
    at = np.flatnonzero(new)
    owner, row, left, right = owner[at], row[at], left[at], right[np.r_[at[1:], len(order)] - 1]
    x, y = np.stack([2 * left - 1, 2 * left, 2 * left, 2 * right, 2 * right, 2 * right + 1], 1), 2 * row[:, None]
    points = np.stack([x, y + np.array([0, -1, 1, -1, 1, 0])], axis=2).astype(np.int32).reshape(-1, 2)
    starts = np.searchsorted(owner, np.arange(count + 1))
    hulls = [cv2.convexHull(points[6 * a : 6 * b])[:, 0] for a, b in pairwise(starts)]
    diameters = np.array([_feret(hull) for hull in hulls]) / 2  # coordinates are doubled
    return {
        "convex_area_px": _centres_inside(hulls, row[starts[:-1]]),
        "feret_max_px": diameters[:, 0],
        "feret_min_px": diameters[:, 1],
    }


def _feret(hull: np.ndarray) -> tuple[float, float]:
    """Return the largest and the smallest width of a convex polygon, (corners, 2) in order."""
    corners = hull.astype(np.float64)
    sides = np.roll(corners, -1, axis=0) - corners
    normals = np.stack([-sides[:, 1], sides[:, 0]], axis=1) / np.hypot(sides[:, 0], sides[:, 1])[:, None]
    # The smallest width is across a side; the largest is the distance of two corners.
    along = corners @ normals.T
    between = corners[:, None] - corners[None]
    return float(np.sqrt((between**2).sum(axis=2)).max()), float(np.ptp(along, axis=0).min())


def _centres_inside(hulls: list[np.ndarray], top: np.ndarray) -> np.ndarray:
    """Count the pixel centres in each polygon; each row of an object's box holds one of its pixels or is crossed.

    Args:
        hulls: (corners, 2) doubled x and y of each convex polygon.
        top: First row of each object.
    """
    owner = np.repeat(np.arange(len(hulls)), [len(hull) for hull in hulls])
    begin = np.concatenate(hulls).astype(np.int64)
    following = np.arange(1, len(owner) + 1)
    ends = np.flatnonzero(np.r_[owner[1:] != owner[:-1], True])
    following[ends] = np.r_[0, ends[:-1] + 1]  # the last corner is followed by the first
    end = begin[following]
    low = np.where((begin[:, 1] <= end[:, 1])[:, None], begin, end)
    high = np.where((begin[:, 1] <= end[:, 1])[:, None], end, begin)
    slanted = low[:, 1] < high[:, 1]  # the ends of a level edge belong to its neighbours
    low, high, owner = low[slanted], high[slanted], owner[slanted]
    first, last = -(-low[:, 1] // 2), high[:, 1] // 2
    steps = np.maximum(last - first + 1, 0)
    edge = np.repeat(np.arange(len(steps)), steps)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(steps) - steps, steps)
    # x of the crossing, doubled: low_x + (2 row - low_y) dx / dy; halved and rounded without leaving whole numbers.
    dx, dy = (high - low)[edge, 0], (high - low)[edge, 1]
    crossing = low[edge, 0] * dy + (2 * row - low[edge, 1]) * dx
    heights = np.zeros(len(hulls), np.int64)
    np.maximum.at(heights, owner[edge], row - top[owner[edge]] + 1)
    offset = np.concatenate([[0], np.cumsum(heights)])
    slot = offset[owner[edge]] + row - top[owner[edge]]
    left, right = extremes(slot, int(offset[-1]), -(-crossing // (2 * dy)), crossing // (2 * dy))
    inside = np.concatenate([[0], np.cumsum(np.maximum(right - left + 1, 0))])
    array: np.ndarray = inside[offset[1:]] - inside[offset[:-1]]
    return array
