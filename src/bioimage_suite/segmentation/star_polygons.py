"""Numbered objects of a plane from star-convex polygons as StarDist predicts them.

Schmidt, Weigert, Broaddus and Myers 2018, doi:10.1007/978-3-030-00934-2_30. Each pixel has the probability that it lies
inside an object and the distance to the object's outline along rays of equal angles; the first ray points along x,
the next ones turn towards larger y. So each pixel proposes a polygon; of overlapping ones the most probable stays.
"""

from __future__ import annotations

import math

import numpy as np

# Pixels within this distance of the border, px, propose no polygon, as in StarDist.
BORDER = 2
# Number of points on each ray at which overlap is sampled; each stands for the same area.
SAMPLES = 4
LEAST_RAY = 1e-3  # px; shorter and negative rays become as long, so that every polygon has an area, as in StarDist


def label_stars(prediction: np.ndarray, threshold: float, overlap: float) -> np.ndarray:
    """Select polygons and draw them as labels.

    A polygon is dropped if it shares more than `overlap` of the smaller one's area with a more probable one that stays
    (StarDist's `nms_thresh`). Where remaining polygons overlap, the more probable one is on top.

    Args:
        prediction: (1 + rays, Y, X) probability, then distances in pixels.
        threshold: Probability above which a pixel proposes a polygon (StarDist's `prob_thresh`).
        overlap: Largest share of the smaller area, from 0 to 1.

    Returns:
        (Y, X) int32 labels from 1, starting with the most probable object.
    """
    from skimage.draw import polygon

    points, distance = proposals(prediction, threshold)
    labels = np.zeros(prediction.shape[1:], np.int32)
    chosen = _chosen(points, distance, labels.shape, overlap)
    for number, one in reversed(list(enumerate(chosen, 1))):
        labels[polygon(*_outline(points[one], distance[one]), labels.shape)] = number
    return labels


def proposals(prediction: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the points that propose an object, the most probable first, and the length of their rays.

    Args:
        prediction: (1 + rays, Y, X) or (1 + rays, Z, Y, X) probability, then distances.
        threshold: Probability above which a point away from the border proposes an object.

    Returns:
        (points, axes) int64 places; (points, rays) distances of at least `LEAST_RAY`.
    """
    probability = prediction[0]
    inside = np.zeros(probability.shape, bool)
    middle = (slice(BORDER, -BORDER),) * probability.ndim
    inside[middle] = probability[middle] > threshold
    order = np.argsort(-probability[inside], kind="stable")
    distance = np.stack([np.maximum(ray[inside][order], LEAST_RAY) for ray in prediction[1:]], axis=-1)
    return np.argwhere(inside)[order], distance


def _angles(rays: int) -> np.ndarray:
    return np.linspace(0, 2 * np.pi, rays, endpoint=False)


def _outline(point: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns of a polygon's corners."""
    angle = _angles(len(distance))
    return point[0] + distance * np.sin(angle), point[1] + distance * np.cos(angle)


def _chosen(points: np.ndarray, distance: np.ndarray, shape: tuple[int, ...], overlap: float) -> list[int]:
    """Return indices of the polygons that stay; points (n, 2) and distances (n, rays) start with the most probable."""
    reach = distance.max(axis=1, initial=0)
    farthest = float(reach.max(initial=0))
    area = math.sin(2 * math.pi / distance.shape[1]) / 2 * (distance * np.roll(distance, -1, axis=1)).sum(axis=1)
    proposed = np.full(shape, -1, np.int64)  # the polygon of each pixel until it is chosen or dropped
    proposed[tuple(points.T)] = np.arange(len(points))
    stay: list[int] = []
    for one, (row, column) in enumerate(points.tolist()):
        if proposed[row, column] != one:
            continue
        stay.append(one)
        proposed[row, column] = -1
        room = math.ceil(reach[one] + farthest)
        around = proposed[max(0, row - room) : row + room + 1, max(0, column - room) : column + room + 1]
        near = around[around >= 0]
        near = near[np.hypot(*(points[near] - points[one]).T) < reach[near] + reach[one]]
        shared = _share_inside(points[near], distance[near], points[one], distance[one]) * area[near]
        gone = points[near[shared > overlap * np.minimum(area[near], area[one])]]
        proposed[tuple(gone.T)] = -1
    return stay


def _share_inside(points: np.ndarray, distance: np.ndarray, point: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Return the share of each polygon's area inside another polygon, (n,) from 0 to 1."""
    from skimage.draw import polygon

    room = math.ceil(float(outline.max())) + 1
    mask = np.zeros((2 * room + 1, 2 * room + 1), bool)
    mask[polygon(*_outline(np.array([room, room]), outline), mask.shape)] = True
    angle = _angles(distance.shape[1])
    shares = np.zeros(len(points))
    for sample in range(SAMPLES):
        along = distance * math.sqrt((sample + 0.5) / SAMPLES)
        rows = np.rint(points[:, :1] - point[0] + room + along * np.sin(angle)).astype(np.int64)
        columns = np.rint(points[:, 1:] - point[1] + room + along * np.cos(angle)).astype(np.int64)
        known = (rows >= 0) & (columns >= 0) & (rows < len(mask)) & (columns < len(mask))
        hit = known & mask[np.where(known, rows, 0), np.where(known, columns, 0)]
        shares += (hit * distance**2).sum(axis=1)
    array: np.ndarray = shares / (SAMPLES * np.square(distance).sum(axis=1))
    return array
