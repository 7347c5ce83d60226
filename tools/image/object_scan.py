"""Reads a label map and its image band by band and boils them down to runs, borders and grey values of runs.

Pixels are read one after the other, as files want it; what is made of them is computed in threads beside that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import object_shape
from foreground_mask import bands
from image_file import ImageFile
from object_runs import RunIntensities, Runs, intensities_of, joined, runs_of
from tool_errors import UserError

if TYPE_CHECKING:
    import numpy as np

RowReader = Callable[[int, int], "np.ndarray"]
Made = TypeVar("Made")
# Bands that wait or are computed while the next ones are read.
AHEAD = 4


@dataclass(frozen=True)
class PlaneScan:
    """The objects of one plane.

    Attributes:
        z: The plane.
        read: Gives rows of its labels.
        parts: Its runs, band by band.
        border_label: Label of each border pixel that counts for the perimeter.
        border_kind: Its class (`object_shape.border_classes`).
    """

    z: int
    read: RowReader
    parts: list[Runs]
    border_label: np.ndarray
    border_kind: np.ndarray

    @property
    def runs(self) -> Runs:
        """All runs of the plane."""
        return joined(self.parts)


def scan_labels(labels: ImageFile, t: int, z: int, pool: Executor, perimeter: bool = True) -> PlaneScan:
    """Cut the objects of a plane into runs and find their borders.

    Args:
        labels: Opened label map.
        t: Time point.
        z: Plane.
        pool: Threads.
        perimeter: Whether borders are wanted.

    Raises:
        UserError: A label is negative.
    """
    import numpy as np

    height, read = labels.size_y, labels.plane_reader(t, 0, z)

    def scan(around: np.ndarray, top: int, first: int, last: int) -> tuple[Runs, tuple[np.ndarray, np.ndarray]]:
        if around.dtype.kind == "i" and around.min() < 0:
            raise UserError(f"Label map {labels.name}: holds the negative label {around.min()}. Labels begin at 1.")
        nothing = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        border = object_shape.border_classes(around, first - top, last - top) if perimeter else nothing
        return runs_of(around[first - top : last - top], first), border

    def task(first: int, last: int) -> Callable[[], tuple[Runs, tuple[np.ndarray, np.ndarray]]]:
        top = max(0, first - 2)
        return partial(scan, read(top, min(height, last + 2)), top, first, last)

    found = list(in_order(pool, (task(*band) for band in bands(height, labels.size_x))))
    label, kind = (np.concatenate(both) for both in zip(*(border for _, border in found), strict=True))
    return PlaneScan(z, read, [runs for runs, _ in found], label, kind)


def scan_channels(image: ImageFile, t: int, scans: list[PlaneScan], pool: Executor) -> list[list[RunIntensities]]:
    """Sum up the grey values of all runs.

    Args:
        image: Opened image.
        t: Time point.
        scans: The planes' objects.
        pool: Threads.

    Returns:
        For each channel the values of the bands of all planes, one after the other.

    Raises:
        UserError: A pixel of an object is NaN or infinite.
    """
    found: list[list[RunIntensities]] = [[] for _ in range(image.size_c)]

    def sum_up(c: int, z: int, part: Runs, labels: np.ndarray, values: np.ndarray) -> tuple[int, RunIntensities]:
        summed = intensities_of(part, labels != 0, values)
        if values.dtype.kind == "f":
            _check_finite(summed, f"Image {image.name}, channel {image.channel_label(c)}, t={t}, z={z}")
        return c, summed

    # One channel after the other: only one of them, and what is still computed of the last, is in memory.
    def tasks() -> Iterator[Callable[[], tuple[int, RunIntensities]]]:
        for scan in scans:
            rows = list(bands(image.size_y, image.size_x))
            for c in range(image.size_c):
                read = image.plane_reader(t, c, scan.z)
                for band, part in zip(rows, scan.parts, strict=True):
                    yield partial(sum_up, c, scan.z, part, scan.read(*band), read(*band))

    for c, summed in in_order(pool, tasks()):
        found[c].append(summed)
    return found


def _check_finite(summed: RunIntensities, place: str) -> None:
    import numpy as np

    bad = ~np.isfinite(summed.total)
    if bad.any():
        raise UserError(
            f"{place}: {int(bad.sum())} rows of objects hold pixels that are NaN or infinite. Replace them."
        )


def in_order(pool: Executor, tasks: Iterable[Callable[[], Made]]) -> Iterator[Made]:
    """Do tasks in the pool and give the results in their order; a task is fetched only when few are left to do."""
    waiting: deque[Future[Made]] = deque()
    for task in tasks:
        waiting.append(pool.submit(task))
        if len(waiting) > AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
