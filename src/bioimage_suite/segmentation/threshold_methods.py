"""Global thresholds of a histogram, each by scikit-image's definition for an image of integers."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable


def otsu_threshold(counts: np.ndarray, levels: np.ndarray) -> float:
    """Return the level that maximises the variance between the two classes `<= level` and `> level`.

    Otsu 1979, doi:10.1109/TSMC.1979.4310076; equals skimage.filters.threshold_otsu(hist=(counts, levels)).

    Args:
        counts: Pixels per level, (N,).
        levels: Grey level of each bin, (N,) ascending.
    """
    below = np.cumsum(counts)
    above = np.cumsum(counts[::-1])[::-1]
    mean_below = np.cumsum(counts * levels) / below
    mean_above = np.cumsum((counts * levels)[::-1])[::-1] / above
    between = below[:-1].astype(float) * above[1:] * (mean_below[:-1] - mean_above[1:]) ** 2
    return float(levels[int(np.argmax(between))])


def li_threshold(counts: np.ndarray, levels: np.ndarray) -> float:
    """Return the fixed point of Li and Tam's iteration, which minimises cross entropy.

    Li and Tam 1998, doi:10.1016/S0167-8655(98)00057-9; equals skimage.filters.threshold_li of the integer image:
    levels count from the lowest one, the iteration starts at the mean and stops within half a level (for floats: half
    the smallest step).
    """
    lowest = levels[0]
    values = (levels - lowest).astype(float)
    tolerance = 0.5 if _is_integer(levels) else float(np.diff(values).min()) / 2
    following, current = float(np.average(values, weights=counts)), -2 * tolerance
    while abs(following - current) > tolerance:
        current = following
        high = values > current
        mean_high = np.average(values[high], weights=counts[high])
        mean_low = np.average(values[~high], weights=counts[~high])
        if mean_low == 0:
            break
        following = float((mean_low - mean_high) / (np.log(mean_low) - np.log(mean_high)))
    return float(following + lowest)


def triangle_threshold(counts: np.ndarray, levels: np.ndarray) -> float:
    """Return the level farthest from the line between the histogram's peak and the end of its longer tail.

    Zack, Rogers and Latt 1977, doi:10.1177/25.7.70454; equals skimage.filters.threshold_triangle when every level
    between the lowest and the highest is a bin.
    """
    every = np.arange(levels[0], levels[-1] + 1) if _is_integer(levels) else levels
    full = np.zeros(len(every))
    full[np.searchsorted(every, levels)] = counts
    peak, height = int(np.argmax(full)), full.max()
    low, high = np.flatnonzero(full)[[0, -1]]
    flip = peak - low < high - peak
    if flip:
        full = full[::-1]
        low, peak = len(full) - high - 1, len(full) - peak - 1
    width = peak - low
    x = np.arange(width)
    length = np.hypot(height, width)
    distance = (height / length) * x - (width / length) * full[x + low]
    chosen = int(np.argmax(distance)) + low
    return float(every[len(full) - chosen - 1 if flip else chosen])


def isodata_threshold(counts: np.ndarray, levels: np.ndarray) -> float:
    """Return the lowest level midway between the mean of the pixels up to it and the mean of those above it.

    Ridler and Calvard 1978, doi:10.1109/TSMC.1978.4310039. Between two grey levels that occur, both means are constant,
    so that the midpoint is the threshold if it lies between them; its whole part equals
    skimage.filters.threshold_isodata of an image of integers.
    """
    pixels, sums = np.cumsum(counts), np.cumsum(counts * levels.astype(float))
    below = sums[:-1] / pixels[:-1]
    above = (sums[-1] - sums[:-1]) / (pixels[-1] - pixels[:-1])
    midway = (below + above) / 2
    fixed = (levels[:-1] <= midway) & (midway < levels[1:])
    return float(midway[int(np.argmax(fixed))])


def yen_threshold(counts: np.ndarray, levels: np.ndarray) -> float:
    """Return the level that maximises the correlation between the shares of the grey levels in both classes.

    Yen, Chang and Chang 1995, doi:10.1109/83.366472; equals skimage.filters.threshold_yen(hist=(counts, levels)), but
    that shares are summed in float64.
    """
    share = counts / counts.sum()
    squares = share**2
    below, squares_below = np.cumsum(share)[:-1], np.cumsum(squares)[:-1]
    squares_above = np.cumsum(squares[::-1])[::-1][1:]
    criterion = 2 * np.log(below * (1 - below)) - np.log(squares_below) - np.log(squares_above)
    return float(levels[int(np.argmax(criterion))])


def multi_otsu_threshold(counts: np.ndarray, levels: np.ndarray) -> float:
    """Return the highest of the two thresholds between three classes, see `multi_otsu_thresholds`."""
    return multi_otsu_thresholds(counts, levels)[-1]


def multi_otsu_thresholds(
    counts: np.ndarray, levels: np.ndarray, classes: int = 3, bins: int = 256
) -> tuple[float, ...]:
    """Return the `classes - 1` thresholds that maximise the variance between the classes, ascending.

    Liao, Chen and Chung 2001; equals skimage.filters.threshold_multiotsu with 256 bins. The time of an
    exact search over all levels would grow with the power `classes - 1` of their number.

    Args:
        counts: Pixels per level, (N,).
        levels: Grey level of each bin, (N,) ascending.
        classes: 3 or 4.
        bins: Number of equal bins between the lowest and the highest level.
    """
    if len(levels) > bins:
        binned, edges = np.histogram(levels, bins=bins, weights=counts)
        centres = (edges[:-1] + edges[1:]) / 2
    else:
        binned, centres = counts.astype(float), levels.astype(float)
    weight = np.concatenate([[0.0], np.cumsum(binned)])
    moment = np.concatenate([[0.0], np.cumsum(binned * centres)])

    def between(first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Return the part of the class of bins first..last-1 in the variance: (sum of levels)^2 / pixels."""
        pixels = weight[last] - weight[first]
        return np.where(pixels > 0, (moment[last] - moment[first]) ** 2 / np.maximum(pixels, 1), 0)

    splits = np.array(list(combinations(range(1, len(centres)), classes - 1)), np.int32)
    edges_of = [np.zeros(len(splits), np.int32), *splits.T, np.full(len(splits), len(centres), np.int32)]
    variance = sum(between(first, last) for first, last in pairwise(edges_of))
    return tuple(float(centres[split - 1]) for split in splits[int(np.argmax(variance))])


def _is_integer(levels: np.ndarray) -> bool:
    return bool((levels == levels.astype(int)).all())


GLOBAL_METHODS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "otsu": otsu_threshold,
    "multi_otsu": multi_otsu_threshold,
    "li": li_threshold,
    "triangle": triangle_threshold,
    "yen": yen_threshold,
    "isodata": isodata_threshold,
}


def global_threshold(method: str, counts: np.ndarray, levels: np.ndarray) -> float:
    """Return the threshold of a histogram; infinite if all pixels are alike, so that nothing is an object.

    Args:
        method: A key of GLOBAL_METHODS.
        counts: Pixels per level, (N,); empty levels are allowed.
        levels: Grey level of each bin, (N,) ascending.
    """
    used = counts > 0
    needed = 3 if method == "multi_otsu" else 2
    if used.sum() < needed:
        return float("inf")
    return GLOBAL_METHODS[method](counts[used], levels[used])


def low_and_high(counts: np.ndarray, levels: np.ndarray) -> tuple[float, float]:
    """Return both thresholds of Multi-Otsu between three classes; infinite if there are fewer grey levels."""
    used = counts > 0
    if used.sum() < 3:
        return float("inf"), float("inf")
    low, high = multi_otsu_thresholds(counts[used], levels[used])
    return low, high
