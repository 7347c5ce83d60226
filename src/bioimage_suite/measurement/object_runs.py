"""Objects of a label plane as runs: stretches of one label along a row, from which most measurements are computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bioimage_suite.segmentation.foreground_mask import bands

if TYPE_CHECKING:
    import numpy as np

    from bioimage_suite.images.image_file import ImageFile


@dataclass(frozen=True)
class Runs:
    """Stretches of one label along a row, in reading order; arrays of equal length.

    Attributes:
        label: Label of each run, int64, never 0.
        row: Row of the plane.
        start: First column.
        length: Number of pixels.
    """

    label: np.ndarray
    row: np.ndarray
    start: np.ndarray
    length: np.ndarray


def runs_of(labels: np.ndarray, first_row: int) -> Runs:
    """Cut a (rows, X) band of labels into runs; `first_row` is the band's first row in the plane."""
    import numpy as np

    begins = np.ones(labels.shape, bool)  # starts of runs of any label, also 0; each row starts a run
    np.not_equal(labels[:, 1:], labels[:, :-1], out=begins[:, 1:])
    at = np.flatnonzero(begins)
    label = labels.ravel()[at]
    length = np.diff(at, append=labels.size)
    inside = label != 0
    row, start = np.divmod(at[inside], labels.shape[1])
    return Runs(label[inside].astype(np.int64), row + first_row, start, length[inside])


def labels_on(labels: ImageFile, t: int, z: int) -> np.ndarray:
    """Return the labels of a plane, read band by band: (n,) int64, ascending, without 0."""
    import numpy as np

    read = labels.plane_reader(t, 0, z)
    found = [np.zeros(0, np.int64)]
    for first, last in bands(labels.size_y, labels.size_x):
        found.append(np.unique(runs_of(read(first, last), first).label))
    return np.unique(np.concatenate(found))


def joined(parts: list[Runs]) -> Runs:
    """Concatenate the runs of successive bands."""
    import numpy as np

    return Runs(*(np.concatenate([getattr(part, name) for part in parts]) for name in Runs.__dataclass_fields__))


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
        pixels: (n,) int64 flat indices of their pixels in the band, row by row.
        values: (rows, X) grey values of the band.
    """
    import numpy as np

    inside = values.ravel().take(pixels)
    if not len(inside):
        empty = np.zeros(0)
        return RunIntensities(empty, inside, inside, empty)
    at = np.concatenate([[0], np.cumsum(runs.length)[:-1]])
    exact = inside.astype(np.float64)
    total = np.add.reduceat(exact, at)
    if not has_exact_squares(values.dtype):
        exact -= np.repeat(total / runs.length, runs.length)
    squares = np.add.reduceat(np.square(exact, out=exact), at)
    return RunIntensities(total, np.minimum.reduceat(inside, at), np.maximum.reduceat(inside, at), squares)


def has_exact_squares(dtype: np.dtype) -> bool:
    """Return whether squares of such pixels sum exactly: integers of at most 16 bits."""
    return dtype.kind in "bui" and dtype.itemsize <= 2


def object_intensities(runs: Runs, index: np.ndarray, count: int, parts: list[RunIntensities]) -> dict[str, np.ndarray]:
    """Return mean, minimum, maximum, population standard deviation and sum of each object in one channel.

    Args:
        runs: All runs.
        index: Object of each run, 0..count-1.
        count: Number of objects.
        parts: Grey values of successive parts of the runs.

    Returns:
        Arrays of `count` values by the name of the statistic.
    """
    import numpy as np

    total, smallest, largest, squares = (
        np.concatenate([getattr(part, name) for part in parts]) for name in RunIntensities.__dataclass_fields__
    )
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
    import numpy as np

    total = np.zeros(len(area), np.int64)
    np.add.at(total, index, squares.astype(np.int64))
    near = np.rint(sums / area).astype(np.int64)
    pixels, whole_sums = area.astype(np.int64), sums.astype(np.int64)
    about = total - 2 * near * whole_sums + pixels * near * near
    return about / area - ((whole_sums - near * pixels) / area) ** 2
