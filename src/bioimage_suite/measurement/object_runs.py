"""Grey values of objects from their runs: mean, extremes, standard deviation and sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bioimage_suite.images.model.label_runs import Runs


@dataclass(frozen=True)
class RunIntensities:
    """Grey values of each run in one channel; arrays of equal length.

    Attributes:
        total: Sum, float64; exact for integers below 2^53.
        smallest: Minimum, in the channel's type.
        largest: Maximum, in the channel's type.
        squares: For 8- and 16-bit integers the exact sum of squares; else the sum of squared differences from the
            run's mean, which loses no digits of decimal numbers.
    """

    total: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray
    squares: np.ndarray


def intensities_of(runs: Runs, pixels: np.ndarray, values: np.ndarray) -> RunIntensities:
    """Sum the grey values of each run.

    Args:
        runs: The runs of the band, in reading order.
        pixels: (n,) int64 flat indices of their pixels in `values`, row by row.
        values: (rows, X) grey values of the band, or of more rows.
    """
    inside = values.ravel().take(pixels)
    if not len(inside):
        empty = np.zeros(0)
        return RunIntensities(empty, inside, inside, empty)
    at = np.concatenate([[0], np.cumsum(runs.length)[:-1]])
    exact = inside.astype(np.float64)
    total = np.add.reduceat(exact, at)
    if not has_exact_squares(values.dtype):
        # Infinite pixels are refused later, by the sums, with a message that says where.
        with np.errstate(invalid="ignore"):
            exact -= np.repeat(total / runs.length, runs.length)
    squares = np.add.reduceat(np.square(exact, out=exact), at)
    return RunIntensities(total, np.minimum.reduceat(inside, at), np.maximum.reduceat(inside, at), squares)


def has_exact_squares(dtype: np.dtype) -> bool:
    """Return whether squares of such pixels sum exactly: integers of at most 16 bits."""
    return dtype.kind in "bui" and dtype.itemsize <= 2


def object_intensities(runs: Runs, index: np.ndarray, count: int, of_runs: RunIntensities) -> dict[str, np.ndarray]:
    """Return mean, minimum, maximum, population standard deviation and sum of each object in one channel.

    Args:
        runs: All runs.
        index: Object of each run, 0..count-1.
        count: Number of objects.
        of_runs: Grey values of the runs.

    Returns:
        Arrays of `count` values by the name of the statistic.
    """
    total, smallest, largest, squares = of_runs.total, of_runs.smallest, of_runs.largest, of_runs.squares
    area = np.bincount(index, runs.length, count)
    sums = np.bincount(index, total, count)
    mean = sums / area
    whole = smallest.dtype.kind in "bui"
    if has_exact_squares(smallest.dtype):
        variance = _exact_variance(index, area, sums, squares)
    else:
        # Parallel axis theorem: the variance of an object is that within its runs plus that of the runs' means.
        apart = total / runs.length - mean[index]
        variance = np.bincount(index, squares + runs.length * apart**2, count) / area
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, index, smallest.astype(float))
    np.maximum.at(high, index, largest.astype(float))
    exact = np.int64 if whole else np.float64
    return {
        "mean": mean,
        "min": low.astype(exact),
        "max": high.astype(exact),
        "std": np.sqrt(variance),
        "sum": sums.astype(exact),
    }


def _exact_variance(index: np.ndarray, area: np.ndarray, sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return the variance from sums of squares, in whole numbers about the nearest whole mean, without cancellation."""
    total = np.zeros(len(area), np.int64)
    np.add.at(total, index, squares.astype(np.int64))
    near = np.rint(sums / area).astype(np.int64)
    pixels, whole_sums = area.astype(np.int64), sums.astype(np.int64)
    about = total - 2 * near * whole_sums + pixels * near * near
    array: np.ndarray = about / area - ((whole_sums - near * pixels) / area) ** 2
    return array
