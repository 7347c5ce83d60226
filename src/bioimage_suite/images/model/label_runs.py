"""Objects of a label plane as runs: stretches of one label along a row, from which most measurements are computed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from bioimage_suite.images.model.bands import bands

if TYPE_CHECKING:
    from bioimage_suite.images.model.image_file import ImageFile


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
    read = labels.plane_reader(t, 0, z)
    found = [np.zeros(0, np.int64)]
    for first, last in bands(labels.size_y, labels.size_x):
        found.append(np.unique(runs_of(read(first, last), first).label))
    return np.unique(np.concatenate(found))


Arrays = TypeVar("Arrays", bound=Any)
"""A dataclass of arrays of equal length, such as Runs."""


def joined(parts: list[Arrays]) -> Arrays:
    """Concatenate arrays of successive bands, at least one."""
    every = ([getattr(part, one.name) for part in parts] for one in fields(parts[0]))
    made: Arrays = type(parts[0])(*(np.concatenate(arrays) for arrays in every))
    return made


def taken(arrays: Arrays, which: np.ndarray | slice) -> Arrays:
    """Return some entries of each array: copies by indices, views by a slice."""
    made: Arrays = type(arrays)(*(getattr(arrays, one.name)[which] for one in fields(arrays)))
    return made


def distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct values, ascending, and the index of each value among them, as np.unique does.

    Labels have few values beside their number, and then a table takes a tenth of the time of sorting.

    Args:
        values: (n,) integers.

    Returns:
        (k,) int64 values and (n,) int64 indices.
    """
    values = values.astype(np.int64)
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    if high - low > 4 * len(values) + 65_536:
        return np.unique(values, return_inverse=True)
    present = np.zeros(high - low + 1, bool)
    present[values - low] = True
    place = np.cumsum(present) - 1
    ids = np.flatnonzero(present) + low if len(values) else np.zeros(0, np.int64)
    return ids, place[values - low]
