"""Parts of the segmented objects of a plane: pixels that hang together by their sides (4-connected)."""

from typing import TYPE_CHECKING

from bioimage_suite.core.scratch import array_of, release

if TYPE_CHECKING:
    import numpy as np

    from bioimage_suite.images.model.label_runs import Runs

BAND_ROWS = 256  # rows that are compared at once
PIXELS_AT_ONCE = 1 << 16  # that get a new number


def parts_of(labels: "np.ndarray") -> "np.ndarray":
    """Return a plane in which two parts of an object that touch at a corner have different numbers.

    Args:
        labels: Integers, (rows, columns); 0 is background.

    Returns:
        The labels themselves where no object touches itself at a corner. Else a copy: the first part of an object keeps
        its label, others get new numbers.
    """
    import numpy as np

    from bioimage_suite.images.model.bands import bands
    from bioimage_suite.images.model.label_runs import Runs, joined, runs_of, taken

    touching = _touching_corners(labels)
    if not len(touching):
        return labels
    found = [Runs(*(np.empty(0, np.int64) for _ in range(4)))]
    for first, last in bands(*labels.shape):
        release(labels)
        every = runs_of(labels[first:last], first)
        found.append(taken(every, np.flatnonzero(np.isin(every.label, touching))))
    runs = joined(found)
    part = _part_of_runs(runs, labels.shape[1])
    first_of = np.unique(runs.label, return_index=True)
    extra = part != first_of[1][np.searchsorted(first_of[0], runs.label)]
    highest = max(int(labels[first:last].max()) for first, last in bands(*labels.shape))
    parts = array_of(labels.shape, np.int32 if highest + len(part) < 2**31 else np.int64)
    for first, last in bands(*labels.shape):
        release(labels)
        release(parts)
        parts[first:last] = labels[first:last]
    length = runs.length[extra]
    begin = np.repeat(runs.row[extra] * labels.shape[1] + runs.start[extra], length)
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    at, numbers = begin + within, np.repeat(part[extra], length) + highest
    for start in range(0, len(at), PIXELS_AT_ONCE):  # in reading order
        some = slice(start, start + PIXELS_AT_ONCE)
        parts.reshape(-1)[at[some]] = numbers[some]
        release(parts)
    return parts


def _touching_corners(labels: "np.ndarray") -> "np.ndarray":
    """Return the labels of objects of which two pixels share a corner and no side of either is within the object."""
    import numpy as np

    found = [np.empty(0, labels.dtype)]
    for top in range(0, labels.shape[0] - 1, BAND_ROWS):
        release(labels)
        upper, lower = labels[top : top + BAND_ROWS], labels[top + 1 : top + BAND_ROWS + 1]
        upper = upper[: len(lower)]
        for one, opposite, side, other in (
            (upper[:, :-1], lower[:, 1:], upper[:, 1:], lower[:, :-1]),
            (upper[:, 1:], lower[:, :-1], upper[:, :-1], lower[:, 1:]),
        ):
            at = (one == opposite) & (one != 0)
            at &= (one != side) & (one != other)
            found.append(np.unique(one[at]))
    return np.unique(np.concatenate(found))


def _part_of_runs(runs: "Runs", width: int) -> "np.ndarray":
    """Return for each run the index of the first run of its part; runs are in reading order."""
    import numpy as np

    begin = runs.row * width + runs.start
    # Runs of the next row that overlap: they end after this one's begin there, and begin before its end.
    first = np.searchsorted(begin + runs.length, begin + width, side="right")
    last = np.searchsorted(begin, begin + width + runs.length)
    count = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(begin)), count)
    lower = first[upper] + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    same = runs.label[upper] == runs.label[lower]
    upper, lower = upper[same], lower[same]
    part = np.arange(len(begin))
    while (part[upper] != part[lower]).any():
        one, other = part[upper], part[lower]
        np.minimum.at(part, np.maximum(one, other), np.minimum(one, other))
        while (part != part[part]).any():
            part = part[part]
    return part
