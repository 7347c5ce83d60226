"""Reduction of a label map and its image to runs, borders and grey values of runs, band by band.

Pixels are read in one thread, in the order of the file; runs and sums are computed in other threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.in_order import in_order
from bioimage_suite.images.model.label_runs import Runs, runs_of
from bioimage_suite.measurement import object_shape
from bioimage_suite.measurement.object_runs import RunIntensities, intensities_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from bioimage_suite.images.model.image_file import ImageFile

AHEAD = 3  # blocks that wait or are computed while the next ones are read
CHANNELS_AT_ONCE = 4  # channels whose sums share one pass over the foreground
# Blocks to read: about READ_PIXELS pixels in whole rows of tiles. Bands to compute: COMPUTED_PIXELS fit in the caches.
READ_PIXELS = 1 << 22
TILE_ROWS = 512
COMPUTED_PIXELS = 1 << 18


def blocks(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Return the ranges of rows of a plane to read at once."""
    step = max(TILE_ROWS, READ_PIXELS // max(1, width) // TILE_ROWS * TILE_ROWS)
    return ((first, min(first + step, height)) for first in range(0, height, step))


def _bands(rows: int, width: int) -> Iterator[slice]:
    step = max(8, COMPUTED_PIXELS // max(1, width))
    return (slice(first, min(first + step, rows)) for first in range(0, rows, step))


@dataclass(frozen=True)
class BlockScan:
    """The objects of some rows of a plane.

    Attributes:
        rows: First row and the row after the last.
        runs: Runs of each band, from top to bottom.
        foreground: (rows, X) bool, the pixels of the runs.
    """

    rows: tuple[int, int]
    runs: list[Runs]
    foreground: np.ndarray


@dataclass(frozen=True)
class PlaneScan:
    """The objects of one plane.

    Attributes:
        z: Index of the plane.
        blocks: Blocks of rows, from top to bottom.
        border_label: Label of each border pixel that counts for the perimeter.
        border_kind: Class of each border pixel (`object_shape.border_classes`).
    """

    z: int
    blocks: list[BlockScan]
    border_label: np.ndarray
    border_kind: np.ndarray

    @property
    def parts(self) -> list[Runs]:
        """Return the runs of the plane, band by band."""
        return [runs for block in self.blocks for runs in block.runs]


def scan_labels(labels: ImageFile, t: int, z: int, pool: Executor, perimeter: bool = True) -> PlaneScan:
    """Cut the objects of a plane into runs and classify their borders.

    Args:
        labels: Opened label map.
        t: Time point.
        z: Index of the plane.
        pool: Threads to compute in.
        perimeter: Whether to classify borders.

    Raises:
        UserError: A label is negative.
    """
    height, width = labels.size_y, labels.size_x
    border_label, border_kind = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    found: list[BlockScan] = []

    def scan(pixels: np.ndarray, above: int, first: int, last: int) -> tuple[BlockScan, list[np.ndarray]]:
        """Return the runs of rows first..last-1, and the borders of rows that have two rows below.

        `pixels` begins `above` rows above `first`.
        """
        block = pixels[above:]
        if block.dtype.kind == "i" and block.min() < 0:
            raise UserError(f"Label map {labels.name}: holds the negative label {block.min()}. Labels begin at 1.")
        runs = [runs_of(block[band], first + band.start) for band in _bands(last - first, width)]
        begin, end = max(above - 2, 0), len(pixels) - (0 if last == height else 2)
        borders: list[np.ndarray] = []
        for band in _bands(end - begin, width) if perimeter else ():
            a, b = begin + band.start, begin + band.stop
            low, high = max(0, a - 2), min(len(pixels), b + 2)
            borders += object_shape.border_classes(pixels[low:high], a - low, b - low)
        return BlockScan((first, last), runs, block != 0), borders

    def tasks() -> Iterator[Callable[[], tuple[BlockScan, list[np.ndarray]]]]:
        tail = np.zeros((0, width), labels.dtype)
        for first, last in blocks(height, width):
            pixels = labels.read_region(t, 0, z, slice(first, last), slice(0, width))
            joined_rows = np.concatenate([tail, pixels]) if len(tail) else pixels
            yield partial(scan, joined_rows, len(tail), first, last)
            tail = joined_rows[-4:].copy()

    for block, borders in in_order(pool, tasks(), AHEAD):
        found.append(block)
        border_label += borders[0::2]
        border_kind += borders[1::2]
    return PlaneScan(z, found, np.concatenate(border_label), np.concatenate(border_kind))


def scan_channels(image: ImageFile, t: int, scans: list[PlaneScan], pool: Executor) -> list[list[RunIntensities]]:
    """Sum the grey values of all runs in each channel.

    Args:
        image: Opened image.
        t: Time point.
        scans: Objects of the planes.
        pool: Threads to compute in.

    Returns:
        For each channel, the values of the bands of all planes in order.

    Raises:
        UserError: A pixel of an object is NaN or infinite.
    """
    found: list[list[RunIntensities]] = [[] for _ in range(image.size_c)]

    def sum_up(z: int, block: BlockScan, values: dict[int, np.ndarray]) -> dict[int, list[RunIntensities]]:
        summed: dict[int, list[RunIntensities]] = {c: [] for c in values}
        for runs, band in zip(block.runs, _bands(len(block.foreground), image.size_x), strict=True):
            pixels = np.flatnonzero(block.foreground[band])
            for c, grey in values.items():
                summed[c].append(intensities_of(runs, pixels, grey[band]))
        for c, grey in values.items():
            if grey.dtype.kind == "f":
                _check_finite(summed[c], f"Image {image.name}, channel {image.channel_label(c)}, t={t}, z={z}")
        return summed

    def tasks() -> Iterator[Callable[[], dict[int, list[RunIntensities]]]]:
        for scan in scans:
            for first in range(0, image.size_c, CHANNELS_AT_ONCE):
                some = range(first, min(first + CHANNELS_AT_ONCE, image.size_c))
                for block in scan.blocks:
                    region = (slice(*block.rows), slice(0, image.size_x))
                    yield partial(sum_up, scan.z, block, {c: image.read_region(t, c, scan.z, *region) for c in some})

    for summed in in_order(pool, tasks(), AHEAD):
        for c, parts in summed.items():
            found[c] += parts
    return found


def _check_finite(summed: list[RunIntensities], place: str) -> None:
    bad = sum(int((~np.isfinite(one.total)).sum()) for one in summed)
    if bad:
        raise UserError(f"{place}: {bad} rows of objects hold pixels that are NaN or infinite. Replace them.")
