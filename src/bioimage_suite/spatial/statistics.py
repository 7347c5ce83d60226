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

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.spatial.window import Box, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

STRIP_POINTS = 500  # least points of a strip: with fewer, building its tree takes longer than finding its pairs
FINE_BINS = 1000  # bins of the distances from 0 to the largest radius


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


Pairs = tuple["np.ndarray", "np.ndarray", "np.ndarray"]


def pairs_within(position: np.ndarray, reach: float) -> Iterator[Pairs]:
    """Yield every pair of points at most `reach` apart once, strip by strip: i, j, distance."""
    from scipy.spatial import cKDTree

    order = np.argsort(position[:, 0], kind="stable")
    along = position[order, 0]
    start = 0
    while start < len(order):
        # A strip at least as wide as the reach forms pairs only within itself and with the halo behind it.
        end = max(
            int(np.searchsorted(along, along[start] + reach, side="right")), min(start + STRIP_POINTS, len(order))
        )
        halo = int(np.searchsorted(along, along[end - 1] + reach, side="right"))
        members = order[start:halo]
        pairs = cKDTree(position[members]).query_pairs(reach, output_type="ndarray")
        pairs = pairs[pairs.min(axis=1) < end - start]
        i, j = members[pairs[:, 0]], members[pairs[:, 1]]
        yield i, j, np.sqrt(((position[i] - position[j]) ** 2).sum(axis=1))
        start = end


def pair_histogram(points: Points, window: Window, reach: float, correction: str) -> np.ndarray:
    """Return sums of the edge corrections of ordered pairs by classes and distance.

    Returns:
        (classes, classes, FINE_BINS) float64; bin b holds distances in (b, b + 1] * reach / FINE_BINS.
    """
    n, size = points.classes, points.classes**2 * FINE_BINS
    total = np.zeros((n, n, FINE_BINS))
    for i, j, distance in pairs_within(points.position, reach):
        bins = np.clip(np.ceil(distance * (FINE_BINS / reach)).astype(np.int64) - 1, 0, FINE_BINS - 1)
        a, b = points.of_class[i], points.of_class[j]
        weight = edge_weights(points.position, (i, j, distance), window, correction)
        there = np.bincount((a * n + b) * FINE_BINS + bins, weight, size).reshape(n, n, FINE_BINS)
        if correction == "isotropic":  # the only one that differs between (i, j) and (j, i)
            weight = edge_weights(points.position, (j, i, distance), window, correction)
            back = np.bincount((b * n + a) * FINE_BINS + bins, weight, size).reshape(n, n, FINE_BINS)
        else:
            back = there.transpose(1, 0, 2)
        total += there + back
    return total


def edge_weights(position: np.ndarray, pairs: Pairs, window: Window, correction: str) -> np.ndarray:
    """Return the edge correction of each pair, (k,) float64.

    Raises:
        UserError: The isotropic correction is requested for a window that is not a rectangle.
    """
    i, j, distance = pairs
    if correction == "none":
        return np.ones(len(i))
    if correction == "translation":
        return window.translation_weights(position[j] - position[i])
    if not isinstance(window, Box) or position.shape[1] != 2:
        raise UserError(
            "Edge correction isotropic: the window is no rectangle. Choose translation, which works for any window."
        )
    return window.isotropic_weights(position[i], np.maximum(distance, 1e-12 * window.shortest_side))


def curves_of(histogram: np.ndarray, points: Points, window: Window, reach: float, radii: int) -> Curves:
    """Compute K, L and g from sums over pairs.

    Args:
        histogram: (classes, classes, FINE_BINS) sums from `pair_histogram`.
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
    middle = (np.arange(FINE_BINS) + 0.5) * reach / FINE_BINS
    kernel = np.clip(1 - ((r[:, None] - middle) / half) ** 2, 0, None)
    # Divide by the part of the kernel within the counted distances: otherwise g would fall off at both ends.
    kernel /= np.maximum(kernel.sum(axis=1, keepdims=True) * reach / FINE_BINS, 1e-300)
    g = np.einsum("abm,rm->abr", histogram, kernel) * scale / shell
    return Curves(r, k, (k / ball) ** (1 / dimensions), g)


def nearest_distances(points: Points) -> np.ndarray:
    """Return the distance of each point to the nearest other point of each class.

    Returns:
        (n, classes) float64, NaN where a class has no other point.
    """
    from scipy.spatial import cKDTree

    nearest = np.full((len(points.position), points.classes), np.nan)
    for target in range(points.classes):
        own = points.of_class == target
        if own.any():
            # The nearest point of its own class is the point itself: take the second.
            found = cKDTree(points.position[own]).query(points.position, k=[1, 2])[0]
            nearest[:, target] = np.where(own, found[:, 1], found[:, 0])
    nearest[~np.isfinite(nearest)] = np.nan
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


def analyze(points: Points, window: Window, options: PatternOptions) -> Pattern:
    """Compute all functions of a pattern and of its simulations.

    Args:
        points: Points within the window.
        window: Where points could have been.
        options: What is computed.
    """
    n, dimensions = points.position.shape
    reach = options.max_radius or default_max_radius(window, n, dimensions)
    rng = np.random.default_rng(options.seed)

    def functions(of: Points) -> tuple[Curves, np.ndarray]:
        histogram = pair_histogram(of, window, reach, options.correction)
        return curves_of(histogram, of, window, reach, options.radii), nearest_distances(of)

    simulated_l, simulated_g, simulated_nearest = [], [], []
    for _ in range(options.simulations):
        if options.null == "random":
            pattern = Points(window.random_points(n, rng), points.of_class, points.classes)
        else:
            pattern = Points(points.position, rng.permutation(points.of_class), points.classes)
        curves, nearest = functions(pattern)
        simulated_l.append(curves.l)
        simulated_g.append(curves.g)
        simulated_nearest.append(mean_nearest(nearest, pattern))
    curves, nearest = functions(points)
    means = mean_nearest(nearest, points)
    stacks = (
        np.array(one).reshape(-1, *like.shape)
        for one, like in ((simulated_l, curves.l), (simulated_g, curves.g), (simulated_nearest, means))
    )
    return Pattern(curves, nearest, means, *stacks)


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
