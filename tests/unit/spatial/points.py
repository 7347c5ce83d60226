"""Points in a square, curves of their statistics, and weights of pairs one by one."""

import numpy as np

from bioimage_suite.spatial.pair_sums import FINE_BINS, WEIGHTS, in_rows, pair_sums
from bioimage_suite.spatial.statistics import Points, curves_of
from bioimage_suite.spatial.window import Box

SQUARE = Box(np.zeros(2), np.array([100.0, 80.0]))


def random_points(n, seed, classes=1, window=SQUARE):
    rng = np.random.default_rng(seed)
    return Points(window.random_points(n, rng), rng.integers(0, classes, n), classes)


def sums(points, window, correction, reach=20.0):
    rows = in_rows(points.position, reach)
    return pair_sums(rows, points.of_class, points.classes, reach, window.correction(correction))


def curves(points, window, correction, reach=20.0, radii=10):
    return curves_of(sums(points, window, correction, reach), points, window, reach, radii)


def weight_of(window, correction, point, shift):
    """The weight of one pair, by the function in Python."""
    wanted = window.correction(correction)
    whole = [np.r_[np.zeros(3 - len(one)), one] for one in (np.asarray(point, float), np.asarray(shift, float))]
    distance = np.sqrt((whole[1] ** 2).sum())
    return WEIGHTS[wanted.kind](*whole[0], *whole[1], distance, wanted.numbers, wanted.table)


def sums_one_by_one(points, window, correction, reach):
    """The definition: every ordered pair (i, j) adds its weight to the bin of its distance."""
    found = np.zeros((points.classes, points.classes, FINE_BINS))
    for i, a in enumerate(points.of_class):
        for j, b in enumerate(points.of_class):
            shift = points.position[j] - points.position[i]
            distance = np.sqrt((shift**2).sum())
            if i != j and distance <= reach:
                at = min(max(int(np.ceil(distance * FINE_BINS / reach)) - 1, 0), FINE_BINS - 1)
                found[a, b, at] += weight_of(window, correction, points.position[i], shift)
    return found
