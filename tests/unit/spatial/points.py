"""Points in a square, and curves of their statistics."""

import numpy as np

from bioimage_suite.spatial.statistics import (
    Points,
    curves_of,
    pair_histogram,
)
from bioimage_suite.spatial.window import Box

SQUARE = Box(np.zeros(2), np.array([100.0, 80.0]))


def random_points(n, seed, classes=1, window=SQUARE):
    rng = np.random.default_rng(seed)
    return Points(window.random_points(n, rng), rng.integers(0, classes, n), classes)


def curves(points, window, correction, reach=20.0, radii=10):
    return curves_of(pair_histogram(points, window, reach, correction), points, window, reach, radii)
