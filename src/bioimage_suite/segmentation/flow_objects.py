"""Numbered objects of a plane from flows as Cellpose predicts them.

Stringer, Wang, Michaelos and Pachitariu 2021, doi:10.1038/s41592-020-01018-x. Each pixel of a cell has a direction that
leads towards the centre of the cell; pixels that arrive at the same place are one object.
"""

from __future__ import annotations

import numpy as np

STEPS = 200  # steps along the flow, as Cellpose's default `niter`
FLOW_SCALE = 5.0  # Cellpose's networks predict five times the step
# A centre has the most arrivals in the square of 5 x 5 pixels around it, and more than 10; it grows by 5 pixels over
# pixels with more than 2 arrivals. All as in Cellpose.
PEAK_EDGE, PEAK_ARRIVALS, GROWTH, PLACE_ARRIVALS = 5, 10, 5, 2


def label_flows(prediction: np.ndarray, threshold: float) -> np.ndarray:
    """Follow the flows of a plane and number the objects.

    Objects whose flows disagree with their shape are kept (Cellpose's `flow_threshold` of 0).

    Args:
        prediction: (3, Y, X) flow along y, flow along x, and the logit of the probability of a cell.
        threshold: Pixels with a greater logit belong to cells (Cellpose's `cellprob_threshold`).

    Returns:
        (Y, X) int32 labels from 1, in descending order of the arrivals at the centre; holes are filled.
    """
    inside = prediction[2] > threshold
    start = np.nonzero(inside)
    steps = np.where(inside, prediction[:2] / FLOW_SCALE, 0).astype(np.float32)
    arrived = _followed(np.stack(start).astype(np.float32), steps)
    labels = np.zeros(inside.shape, np.int32)
    labels[start] = _places(arrived, inside.shape)[tuple(arrived)]
    return _without_holes(labels)


def _followed(points: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return (2, n) points after `STEPS` steps along the interpolated (2, Y, X) field, as (2, n) int64."""
    from scipy.ndimage import map_coordinates

    last = np.array(steps.shape[1:], np.float32)[:, None] - 1
    for _ in range(STEPS):
        points += np.stack([map_coordinates(along, points, order=1, mode="nearest") for along in steps])
        np.clip(points, 0, last, out=points)
    return points.astype(np.int64)


def _places(arrived: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the object of each pixel where points arrive: (Y, X) int32, 0 where too few arrive."""
    import cv2
    from scipy.ndimage import maximum_filter

    counts = np.bincount(np.ravel_multi_index(tuple(arrived), shape), minlength=shape[0] * shape[1]).reshape(shape)
    centres = np.argwhere((counts == maximum_filter(counts, PEAK_EDGE)) & (counts > PEAK_ARRIVALS))
    centres = centres[np.argsort(-counts[tuple(centres.T)], kind="stable")]
    labels = np.zeros(np.add(shape, 2 * GROWTH), np.int32)
    allowed = np.pad(counts > PLACE_ARRIVALS, GROWTH).astype(np.uint8)
    edge = 2 * GROWTH + 1
    for number, (row, column) in enumerate(centres.tolist(), 1):
        around = (slice(row, row + edge), slice(column, column + edge))
        place = np.zeros((edge, edge), np.uint8)
        place[GROWTH, GROWTH] = 1
        for _ in range(GROWTH):
            place = np.bitwise_and(cv2.dilate(place, np.ones((3, 3), np.uint8)), allowed[around], dtype=np.uint8)
        labels[around][place > 0] = number
    return labels[GROWTH:-GROWTH, GROWTH:-GROWTH]


def _without_holes(labels: np.ndarray) -> np.ndarray:
    """Fill the background holes of each object."""
    from scipy.ndimage import binary_fill_holes, find_objects

    for number, box in enumerate(find_objects(labels), 1):
        if box:
            part = labels[box]
            part[binary_fill_holes(part == number) & (part == 0)] = number
    return np.ascontiguousarray(labels)
