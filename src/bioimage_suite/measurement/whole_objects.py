"""Runs of whole objects, gathered from blocks: an object is measured when the last block with its pixels is known."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.images.model.label_runs import Runs, joined, taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.measurement.object_runs import RunIntensities
    from bioimage_suite.measurement.object_scan import Block, LabelScan

GROUP_BYTES = 1 << 25
"""Bytes of runs that are measured together, about."""
RUN_BYTES, CHANNEL_BYTES = 40, 24


@dataclass(frozen=True)
class ObjectRuns:
    """All runs of some objects, in the order of the blocks.

    Attributes:
        z: (n,) plane of each run.
        runs: The runs.
        grey: Their grey values in each channel.
    """

    z: np.ndarray
    runs: Runs
    grey: list[RunIntensities]

    def some(self, which: np.ndarray | slice) -> ObjectRuns:
        """Return some of the runs."""
        return ObjectRuns(self.z[which], taken(self.runs, which), [taken(one, which) for one in self.grey])

    @property
    def size(self) -> int:
        """Return about how many bytes they have."""
        return len(self.z) * (RUN_BYTES + CHANNEL_BYTES * len(self.grey))


def _merged(parts: list[ObjectRuns]) -> ObjectRuns:
    grey = [joined(list(channel)) for channel in zip(*(part.grey for part in parts), strict=True)]
    return ObjectRuns(np.concatenate([part.z for part in parts]), joined([part.runs for part in parts]), grey)


def whole_objects(scan: LabelScan, blocks: Iterator[tuple[Block, Runs, list[RunIntensities]]]) -> Iterator[ObjectRuns]:
    """Yield the runs of all objects, some objects at a time, each object whole; at least once.

    Args:
        scan: The objects.
        blocks: All blocks of the scan with runs and grey values (`object_scan.scan_channels`).
    """
    waiting: dict[int, list[ObjectRuns]] = defaultdict(list)  # by the last block of their objects
    ready: list[ObjectRuns] = []
    for number, (block, runs, grey) in enumerate(blocks):
        found = ObjectRuns(np.full(block.count, block.z), runs, grey)
        for last, part in _by_last_block(found, scan):
            waiting[last].append(part)
        ready += waiting.pop(number, [])
        if sum(part.size for part in ready) > GROUP_BYTES:
            yield _merged(ready)
            ready.clear()
        ready = ready or [found.some(np.zeros(0, np.int64))]  # no runs, but their types
    yield _merged(ready)


def _by_last_block(found: ObjectRuns, scan: LabelScan) -> Iterator[tuple[int, ObjectRuns]]:
    """Yield the runs of a block by the last block of their objects, in reading order."""
    last = scan.last[np.searchsorted(scan.label, found.runs.label)]
    order = np.argsort(last, kind="stable")
    cuts = np.flatnonzero(np.diff(last[order])) + 1
    for which in np.split(order, cuts) if len(order) else ():
        yield int(last[which[0]]), found.some(which)
