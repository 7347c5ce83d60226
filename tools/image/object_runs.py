"""Objects of a label plane as runs: stretches of one label along a row. Every measure but texture comes from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


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
    """Cut a (rows, X) band of labels into runs; `first_row` is its row in the plane."""
    import numpy as np

    foreground = labels != 0
    changes = labels[:, 1:] != labels[:, :-1]
    begins, ends = foreground.copy(), foreground.copy()
    begins[:, 1:] &= changes
    ends[:, :-1] &= changes
    first, last = np.flatnonzero(begins), np.flatnonzero(ends)
    row, start = np.divmod(first, labels.shape[1])
    return Runs(labels.ravel()[first].astype(np.int64), row + first_row, start, last - first + 1)


def joined(parts: list[Runs]) -> Runs:
    """Put the runs of successive bands together."""
    import numpy as np

    return Runs(*(np.concatenate([getattr(part, name) for part in parts]) for name in Runs.__dataclass_fields__))


@dataclass(frozen=True)
class RunIntensities:
    """Grey values of each run in one channel; arrays of equal length.

    Attributes:
        total: Sum, float64; exact for integers below 2^53.
        smallest: Minimum, in the channel's type.
        largest: Maximum, in the channel's type.
        spread: Sum of squared differences from the run's mean.
    """

    total: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray
    spread: np.ndarray


def intensities_of(runs: Runs, foreground: np.ndarray, values: np.ndarray) -> RunIntensities:
    """Sum up grey values by run.

    Args:
        runs: The runs of the band, in reading order.
        foreground: (rows, X) bool, the pixels of the runs.
        values: (rows, X) grey values.
    """
    import numpy as np

    inside = values[foreground]
    if not len(inside):
        empty = np.zeros(0)
        return RunIntensities(empty, inside, inside, empty)
    at = np.concatenate([[0], np.cumsum(runs.length)[:-1]])
    exact = inside.astype(np.float64)
    total = np.add.reduceat(exact, at)
    exact -= np.repeat(total / runs.length, runs.length)
    spread = np.add.reduceat(np.square(exact, out=exact), at)
    return RunIntensities(total, np.minimum.reduceat(inside, at), np.maximum.reduceat(inside, at), spread)
