"""Ripley's K and L, pair correlation and nearest neighbours between classes, with simulation envelopes.

Definitions, with n_a and n_b points of classes a and b in a window W and e_ij the edge correction of a pair:
    K_ab(r) = |W| / (n_a n_b) * sum of e_ij over pairs (i in a, j in b) not further apart than r; for a = b the first
        factor is |W| / (n_a (n_a - 1))
    L = sqrt(K / pi) in 2D, cbrt(3 K / (4 pi)) in 3D: r for a random pattern
    g_ab(r) = derivative of K over that of a random pattern (2 pi r, 4 pi r²), smoothed by an Epanechnikov kernel of
        half-width 0.15 / sqrt(density) in 2D, 0.26 / cbrt(density) in 3D (Stoyan's rule)
Sources: Ripley BD (1977), doi:10.1111/j.2517-6161.1977.tb01615.x; Baddeley A, Rubak E, Turner R (2015) Spatial Point
Patterns, CRC Press, chapters 7, 8, 10; Stoyan D, Stoyan H (1994) Fractals, Random Shapes and Point Fields, p. 285.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.in_order import in_order, threads_allowed
from bioimage_suite.spatial.nearest_points import nearest_by_rows
from bioimage_suite.spatial.pair_sums import FINE_BINS, Rows, in_rows, pair_sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bioimage_suite.spatial.window import Window


FEW_POINTS = 20_000
"""Up to so many points the nearest ones are sought in rows: quicker than to load SciPy and to build trees. Trees are
safe from arrangements in which rows are long and empty."""


@dataclass(frozen=True)
class Points:
    """A pattern of points.

    Attributes:
        position: (n, 2) or (n, 3) positions y, x or z, y, x.
        of_class: (n,) int64 class of each point, from 0.
        classes: Number of classes.
    """

    position: np.ndarray
    of_class: np.ndarray
    classes: int


@dataclass(frozen=True)
class PatternOptions:
    """Options of the statistics.

    Attributes:
        radii: Number of radii.
        max_radius: Largest radius, in the unit of the positions; None for that of `default_max_radius`.
        correction: `translation`, `isotropic` (rectangles) or `none`.
        simulations: Number of random patterns; 0 for no envelope.
        null: Null model: `random` places all points in the window, `labels` shuffles the classes of the given points.
        seed: Seed of the random numbers.
    """

    radii: int = 50
    max_radius: float | None = None
    correction: str = "translation"
    simulations: int = 99
    null: str = "random"
    seed: int = 0


@dataclass(frozen=True)
class Curves:
    """Functions of distance by pair of classes: (a, a) with itself, (a, b) from a to b.

    Attributes:
        r: (k,) radii, above 0.
        k: (classes, classes, k) Ripley's K.
        l: (classes, classes, k) L.
        g: (classes, classes, k) pair correlation.
    """

    r: np.ndarray
    k: np.ndarray
    l: np.ndarray  # noqa: E741 (the name of the function in the literature)
    g: np.ndarray


def default_max_radius(window: Window, n: int, dimensions: int) -> float:
    """Return a quarter of the shortest side, or less where a point has 1000 neighbours (spatstat's rule)."""
    density = max(n, 1) / window.size
    crowd = (1000 / (np.pi * density)) ** 0.5 if dimensions == 2 else (750 / (np.pi * density)) ** (1 / 3)
    return float(min(window.shortest_side / 4, crowd))


@cache
def _smoothing(radii: int, reach: float, half: float) -> np.ndarray:
    """Return the (radii, FINE_BINS) Epanechnikov kernels of a half-width about each radius."""
    r = np.rint(np.arange(1, radii + 1) * FINE_BINS / radii) * reach / FINE_BINS
    middle = (np.arange(FINE_BINS) + 0.5) * reach / FINE_BINS
    kernel = np.clip(1 - ((r[:, None] - middle) / half) ** 2, 0, None)
    # Divide by the part of the kernel within the counted distances: otherwise g would fall off at both ends.
    array: np.ndarray = kernel / np.maximum(kernel.sum(axis=1, keepdims=True) * reach / FINE_BINS, 1e-300)
    return array


def curves_of(histogram: np.ndarray, points: Points, window: Window, reach: float, radii: int) -> Curves:
    """Compute K, L and g from sums over pairs.

    Args:
        histogram: (classes, classes, FINE_BINS) sums from `pair_sums`.
        points: The points.
        window: Where points could have been.
        reach: Largest distance in the histogram.
        radii: Number of radii; they are multiples of reach / radii.
    """
    counts = np.bincount(points.of_class, minlength=points.classes)
    dimensions = points.position.shape[1]
    pairs = counts[:, None] * (counts[None] - np.eye(len(counts), dtype=np.int64))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(pairs > 0, window.size / pairs, np.nan)[:, :, None]
    at = np.rint(np.arange(1, radii + 1) * FINE_BINS / radii).astype(np.int64)
    r = at * reach / FINE_BINS
    k = np.cumsum(histogram, axis=2)[:, :, at - 1] * scale
    ball = np.pi if dimensions == 2 else 4 / 3 * np.pi
    shell = 2 * np.pi * r if dimensions == 2 else 4 * np.pi * r**2
    # Stoyan's rule for the mean density of the classes: one width for all pairs, so that they can be compared.
    density = max(counts.mean(), 1) / window.size
    half = min(0.15 / density**0.5 if dimensions == 2 else 0.26 / density ** (1 / 3), reach / 2)
    kernel = _smoothing(radii, reach, float(half))
    g = np.einsum("abm,rm->abr", histogram, kernel) * scale / shell
    return Curves(r, k, (k / ball) ** (1 / dimensions), g)


def nearest_distances(points: Points, rows: Rows) -> np.ndarray:
    """Return the distance of each point to the nearest other point of each class.

    Args:
        points: The points.
        rows: The same points in rows.

    Returns:
        (n, classes) float64, NaN where a class has no other point.
    """
    nearest = np.full((len(points.position), points.classes), np.nan)
    for target in range(points.classes):
        own = points.of_class == target
        if own.any():
            found = _nearest_of_few(points, rows, own) if len(own) <= FEW_POINTS else None
            nearest[:, target] = _nearest_by_tree(points, own) if found is None else found
    nearest[~np.isfinite(nearest)] = np.nan
    return nearest


def _nearest_of_few(points: Points, rows: Rows, own: np.ndarray) -> np.ndarray | None:
    """Return the distance of each point to the nearest other of those in `own`; None without machine code for it."""
    everything = np.arange(len(own))
    if not own.all():
        rows = in_rows(points.position[own], rows.reach)
    itself = np.full(len(own), -1)
    itself[everything[own][rows.order]] = np.arange(len(rows.order))
    full = np.zeros((3, len(own)))
    full[3 - points.position.shape[1] :] = points.position.T
    return nearest_by_rows(rows, full, itself)


def _nearest_by_tree(points: Points, own: np.ndarray) -> np.ndarray:
    """Return the distance of each point to the nearest other of those in `own`, by a tree."""
    from scipy.spatial import cKDTree

    nearest = np.full(len(own), np.inf)
    # The nearest point of its own class is the point itself: take the second. Balancing the tree does not pay.
    tree = cKDTree(points.position[own], balanced_tree=False)
    for some, which in ((own, 2), (~own, 1)):
        if some.any():
            nearest[some] = tree.query(points.position[some], k=[which])[0][:, 0]
    return nearest


def mean_nearest(nearest: np.ndarray, points: Points) -> np.ndarray:
    """Return (classes, classes) mean distances from points of a class to the nearest of another; NaN if none."""
    known = np.isfinite(nearest)
    total, count = (np.zeros((points.classes, points.classes)) for _ in range(2))
    np.add.at(total, points.of_class, np.where(known, nearest, 0))
    np.add.at(count, points.of_class, known)
    with np.errstate(invalid="ignore"):
        return total / count


@dataclass(frozen=True)
class Pattern:
    """Statistics of one image.

    Attributes:
        curves: Curves of the given points.
        nearest: (n, classes) nearest-neighbour distances.
        mean_nearest: (classes, classes) their means.
        simulated_l: (simulations, classes, classes, k) L of the random patterns.
        simulated_g: (simulations, classes, classes, k) g of the random patterns.
        simulated_nearest: (simulations, classes, classes) mean nearest-neighbour distances of the random patterns.
    """

    curves: Curves
    nearest: np.ndarray
    mean_nearest: np.ndarray
    simulated_l: np.ndarray
    simulated_g: np.ndarray
    simulated_nearest: np.ndarray


@dataclass(frozen=True)
class Functions:
    """Functions of one pattern.

    Attributes:
        curves: Functions of distance.
        nearest: (n, classes) nearest-neighbour distances.
        mean_nearest: (classes, classes) their means.
    """

    curves: Curves
    nearest: np.ndarray
    mean_nearest: np.ndarray


def functions_of(points: Points, window: Window, reach: float, options: PatternOptions) -> Functions:
    """Compute the functions of a pattern for radii up to `reach`."""
    rows = in_rows(points.position, reach)
    histogram = pair_sums(rows, points.of_class, points.classes, reach, window.correction(options.correction))
    nearest = nearest_distances(points, rows)
    curves = curves_of(histogram, points, window, reach, options.radii)
    return Functions(curves, nearest, mean_nearest(nearest, points))


def analyze(points: Points, window: Window, options: PatternOptions) -> Pattern:
    """Compute all functions of a pattern and of its simulations.

    Args:
        points: Points within the window.
        window: Where points could have been.
        options: What is computed.
    """
    reach = options.max_radius or default_max_radius(window, *points.position.shape)
    with ThreadPoolExecutor(threads_allowed()) as pool:
        patterns = (partial(functions_of, one, window, reach, options) for one in _patterns(points, window, options))
        found = in_order(pool, patterns, ahead=threads_allowed())
        observed = next(found)
        simulated = list(found)
    parts: list[Callable[[Functions], np.ndarray]] = [
        lambda one: one.curves.l,
        lambda one: one.curves.g,
        lambda one: one.mean_nearest,
    ]
    stacks = (np.array([part(one) for one in simulated]).reshape(-1, *part(observed).shape) for part in parts)
    return Pattern(observed.curves, observed.nearest, observed.mean_nearest, *stacks)


def _patterns(points: Points, window: Window, options: PatternOptions) -> Iterator[Points]:
    """Yield the given pattern, then the random ones."""
    yield points
    rng = np.random.default_rng(options.seed)
    for _ in range(options.simulations):
        if options.null == "random":
            yield Points(window.random_points(len(points.position), rng), points.of_class, points.classes)
        else:
            yield Points(points.position, rng.permutation(points.of_class), points.classes)


def deviation_test(observed: np.ndarray, simulated: np.ndarray) -> float:
    """Return the Monte Carlo p-value of the largest deviation of a curve or number from the mean of simulations.

    This is Ripley's global test with the mean over all patterns as reference (Baddeley A et al. 2014, Ecol Monogr 84,
    477-489, doi:10.1890/13-2042.1).

    Args:
        observed: (...) observed curve or number.
        simulated: (simulations, ...) simulated ones.
    """
    n = len(simulated)
    if n == 0 or not np.isfinite(observed).all():
        return float("nan")
    everything = np.concatenate([observed[None], simulated]).reshape(n + 1, -1)
    # Compare each pattern with the mean of all others, so that the observed one has no advantage.
    others = (everything.sum(axis=0) - everything) / n
    deviation = np.abs(everything - others).max(axis=1)
    return float((deviation >= deviation[0] * (1 - 1e-12)).sum() / (n + 1))
