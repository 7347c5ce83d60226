"""Numbered objects of a plane from flows as Cellpose predicts them.

Stringer, Wang, Michaelos and Pachitariu 2021, doi:10.1038/s41592-020-01018-x. Each pixel of a cell has a direction that
leads towards the centre of the cell; pixels that arrive at the same place are one object. All numbers are those of
Cellpose 3.1 (`dynamics.compute_masks` with its defaults).
"""

from __future__ import annotations

import numpy as np

STEPS = 200  # steps along the flow, where cells have the model's diameter (`niter`)
FLOW_SCALE = 5.0  # Cellpose's networks predict five times the step
# A centre has the most arrivals in the square of 5 x 5 pixels around it, and more than 10; it grows by 5 pixels over
# pixels with more than 2 arrivals.
PEAK_EDGE, PEAK_ARRIVALS, GROWTH, PLACE_ARRIVALS = 5, 10, 5, 2
LARGEST_SHARE = 0.4  # of the plane that an object may cover (`max_size_fraction`)
MOST_ERROR = 0.4  # of an object's flows (`flow_threshold`)


def label_flows(
    prediction: np.ndarray, threshold: float, most_error: float = MOST_ERROR, steps: int = STEPS
) -> np.ndarray:
    """Follow the flows of a plane and number the objects.

    Args:
        prediction: (3, Y, X) flow along y, flow along x, and the logit of the probability of a cell.
        threshold: Pixels with a greater logit belong to cells (Cellpose's `cellprob_threshold`).
        most_error: Objects with a greater `flow_errors` are dropped (Cellpose's `flow_threshold`); 0 keeps all.
        steps: Along the flow.

    Returns:
        (Y, X) int32 labels, in descending order of the arrivals at the centre, with gaps; holes are filled.
    """
    inside = prediction[2] > threshold
    start = np.nonzero(inside)
    flows = prediction[:2] / FLOW_SCALE
    arrived = _followed(np.stack(start).astype(np.float32), np.where(inside, flows, 0).astype(np.float32), steps)
    labels = np.zeros(inside.shape, np.int32)
    labels[start] = _places(arrived, inside.shape)[tuple(arrived)]
    sizes = np.bincount(labels.ravel())
    labels[np.isin(labels, np.flatnonzero(sizes > LARGEST_SHARE * labels.size))] = 0
    if most_error > 0:
        labels[np.isin(labels, np.flatnonzero(flow_errors(labels, flows) > most_error))] = 0
    return _without_holes(labels)


def flow_errors(labels: np.ndarray, flows: np.ndarray) -> np.ndarray:
    """Return how far the flows of each object are from those that its shape would have.

    It is the mean over an object's pixels of the squared length of the difference of both vectors (Cellpose's
    `metrics.flow_error`). Those of the shape are unit vectors up the gradient of a heat that is added to the pixel
    next to the centre of mass and spreads by means of 3 x 3 pixels within the object (`dynamics.masks_to_flows`).

    Args:
        labels: (Y, X) int32.
        flows: (2, Y, X) along y and x; unit vectors where a network is right.

    Returns:
        (largest label + 1,) float64; 0 for the background and for labels that do not occur.
    """
    heat = np.pad(_heat(labels), 1)
    slopes = np.stack([heat[2:, 1:-1] - heat[:-2, 1:-1], heat[1:-1, 2:] - heat[1:-1, :-2]])
    slopes /= np.sqrt((slopes**2).sum(axis=0)) + 1e-60
    squared = np.where(labels > 0, ((slopes - flows) ** 2).sum(axis=0), 0)
    sums = np.bincount(labels.ravel(), squared.ravel())
    means: np.ndarray = sums / np.maximum(np.bincount(labels.ravel()), 1)
    return means


def _heat(labels: np.ndarray) -> np.ndarray:
    """Return the heat of every object, (Y, X) float64, after twice as many additions as the largest box is long."""
    import cv2
    from scipy.ndimage import find_objects

    heat = np.zeros(labels.shape)
    boxes = {number: box for number, box in enumerate(find_objects(labels), 1) if box}
    times = 2 * max((sum(part.stop - part.start for part in box) + 2 for box in boxes.values()), default=0)
    for number, box in boxes.items():
        inside = labels[box] == number
        places = np.argwhere(inside)
        centre = tuple(places[((places - places.mean(axis=0)) ** 2).sum(axis=1).argmin()])
        part = np.zeros(inside.shape)
        for _ in range(times):
            part[centre] += 1
            part = cv2.blur(part, (3, 3), borderType=cv2.BORDER_CONSTANT) * inside
        heat[box][inside] = part[inside]
    return heat


def _followed(points: np.ndarray, steps: np.ndarray, times: int) -> np.ndarray:
    """Return (2, n) points after so many steps along the interpolated (2, Y, X) field, as (2, n) int64."""
    from scipy.ndimage import map_coordinates

    last = np.array(steps.shape[1:], np.float32)[:, None] - 1
    for _ in range(times):
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
