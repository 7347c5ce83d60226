"""Reduction of a label map and its image to runs, border pixels and grey values of runs, block by block.

Pixels are read in one thread, in the order of the file; runs and sums are computed in other threads. Runs wait in a
file until all blocks are known, and so the last one of each object: see `whole_objects`.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.in_order import in_order
from bioimage_suite.images.model.label_runs import Runs, distinct, joined, runs_of, taken
from bioimage_suite.measurement import object_shape
from bioimage_suite.measurement.object_runs import RunIntensities, intensities_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from bioimage_suite.images.model.image_file import ImageFile

AHEAD = 3  # blocks that wait or are computed while the next ones are read, as long as all have AHEAD_BYTES
AHEAD_BYTES = 1 << 26
CHANNELS_AT_ONCE = 4  # channels whose sums share one pass over the foreground, as long as a block has AHEAD_BYTES
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


def _ahead(image: ImageFile, channels: int = 1) -> int:
    """Return how many blocks of an image may wait."""
    first, last = next(blocks(image.size_y, image.size_x))
    size = (last - first) * image.size_x * image.dtype.itemsize * channels
    return max(1, min(AHEAD, AHEAD_BYTES // max(1, size)))


@dataclass(frozen=True)
class Block:
    """Some rows of a plane.

    Attributes:
        z: Index of the plane.
        rows: First row and the row after the last.
        count: Number of runs.
        label: (n,) int64 labels in it, ascending.
    """

    z: int
    rows: tuple[int, int]
    count: int
    label: np.ndarray


@dataclass(frozen=True)
class LabelScan:
    """The objects of a plane or a volume.

    Attributes:
        blocks: From the first plane to the last, each from top to bottom.
        label: (n,) int64 labels of all objects, ascending.
        last: (n,) index of the last block with pixels of the object.
        borders: (n, KINDS) int64 border pixels of each object by class (`object_shape.border_classes`), or zeros.
        file: Runs of the blocks, one after the other, as (4, count) int64.
    """

    blocks: list[Block]
    label: np.ndarray
    last: np.ndarray
    borders: np.ndarray
    file: IO[bytes]

    def runs(self) -> Iterator[tuple[Block, Runs]]:
        """Yield the blocks with their runs."""
        self.file.seek(0)
        for block in self.blocks:
            flat = np.frombuffer(self.file.read(32 * block.count), np.int64)
            yield block, Runs(*flat.reshape(4, block.count))


Borders = tuple[np.ndarray, np.ndarray]
"""Labels, and their border pixels by class, (n, KINDS)."""


def scan_labels(labels: ImageFile, t: int, planes: list[int], pool: Executor, perimeter: bool = True) -> LabelScan:
    """Cut the objects of a plane, or of a volume, into runs and count their border pixels.

    Args:
        labels: Opened label map.
        t: Time point.
        planes: Index z of the plane or planes.
        pool: Threads to compute in.
        perimeter: Whether to classify borders.

    Raises:
        UserError: A label is negative.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the scan)
    found: list[Block] = []
    borders: list[Borders] = []
    for block, runs, border in in_order(pool, _label_tasks(labels, t, planes, perimeter), _ahead(labels)):
        file.write(np.stack([runs.label, runs.row, runs.start, runs.length]).data)
        found.append(block)
        borders.append(border)
    label = np.unique(np.concatenate([block.label for block in found]))
    last = np.zeros(len(label), np.int64)
    for number, block in enumerate(found):
        last[np.searchsorted(label, block.label)] = number
    total = np.zeros((len(label), object_shape.KINDS), np.int64)
    for some, counts in borders:
        total[np.searchsorted(label, some)] += counts
    return LabelScan(found, label, last, total, file)


def _label_tasks(
    labels: ImageFile, t: int, planes: list[int], perimeter: bool
) -> Iterator[Callable[[], tuple[Block, Runs, Borders]]]:
    """Read block after block, and yield the function that cuts it into runs."""
    height, width = labels.size_y, labels.size_x
    for z in planes:
        tail = np.zeros((0, width), labels.dtype)  # of the block above
        for rows in blocks(height, width):
            pixels = labels.read_region(t, 0, z, slice(*rows), slice(0, width))
            pixels = np.concatenate([tail, pixels]) if len(tail) else pixels
            ends = (len(tail), rows[1] == height)
            yield partial(_scanned, (z, rows), pixels, ends, name=labels.name, perimeter=perimeter)
            tail = pixels[-4:].copy()
            del pixels


def _scanned(
    place: tuple[int, tuple[int, int]], pixels: np.ndarray, ends: tuple[int, bool], *, name: str, perimeter: bool
) -> tuple[Block, Runs, Borders]:
    """Return the runs of a block, and the borders of the rows that have two rows below.

    Args:
        place: Plane and rows of the block.
        pixels: Its labels, after those of some rows above it.
        ends: How many rows above, and whether the block is the last of its plane.
        name: Name of the label map in messages.
        perimeter: Whether to classify borders.
    """
    (z, rows), (above, is_last) = place, ends
    block, width = pixels[above:], pixels.shape[1]
    if block.dtype.kind == "i" and block.min() < 0:
        raise UserError(f"Label map {name}: holds the negative label {block.min()}. Labels begin at 1.")
    runs = joined([runs_of(block[band], rows[0] + band.start) for band in _bands(len(block), width)])
    begin, end = max(above - 2, 0), len(pixels) - (0 if is_last else 2)
    label, kind = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for band in _bands(end - begin, width) if perimeter else ():
        a, b = begin + band.start, begin + band.stop
        low, high = max(0, a - 2), min(len(pixels), b + 2)
        some = object_shape.border_classes(pixels[low:high], a - low, b - low)
        label.append(some[0])
        kind.append(some[1])
    counted = object_shape.count_classes(np.concatenate(label), np.concatenate(kind))
    return Block(z, rows, len(runs.label), distinct(runs.label)[0]), runs, counted


def scan_channels(
    image: ImageFile | None, t: int, scan: LabelScan, pool: Executor
) -> Iterator[tuple[Block, Runs, list[RunIntensities]]]:
    """Yield each block with its runs, and the grey values of the runs in each channel.

    Args:
        image: Opened image; None for no channel.
        t: Time point.
        scan: Objects of the plane or volume.
        pool: Threads to compute in.

    Raises:
        UserError: A pixel of an object is NaN or infinite.
    """
    if image is None:
        yield from ((block, runs, []) for block, runs in scan.runs())
        return
    some = _ahead(image)  # as many channels as blocks, as both are bounded by their bytes
    at_once = min(CHANNELS_AT_ONCE, some + 1)

    def tasks() -> Iterator[Callable[[], tuple[Block, Runs, list[RunIntensities]]]]:
        for block, runs in scan.runs():
            for first in range(0, image.size_c, at_once):
                channels = range(first, min(first + at_once, image.size_c))
                yield partial(_summed, image, t, block, runs, _grey_values(image, t, block, channels))

    found: list[RunIntensities] = []
    for block, runs, summed in in_order(pool, tasks(), _ahead(image, at_once)):
        found += summed
        if len(found) == image.size_c:
            yield block, runs, found
            found = []


def _grey_values(image: ImageFile, t: int, block: Block, channels: range) -> dict[int, np.ndarray]:
    """Read the pixels of a block in some channels."""
    region = (slice(*block.rows), slice(0, image.size_x))
    return {c: image.read_region(t, c, block.z, *region) for c in channels}


def _summed(
    image: ImageFile, t: int, block: Block, runs: Runs, values: dict[int, np.ndarray]
) -> tuple[Block, Runs, list[RunIntensities]]:
    """Sum the grey values of a block's runs, band by band."""
    first, last = block.rows
    cuts = np.searchsorted(runs.row, [first + band.start for band in _bands(last - first, image.size_x)])
    parts: dict[int, list[RunIntensities]] = {c: [] for c in values}
    for some in map(slice, cuts, [*cuts[1:], block.count]):
        band = taken(runs, some)
        pixels = _pixels(band, first, image.size_x)
        for c, grey in values.items():
            parts[c].append(intensities_of(band, pixels, grey))
    found = {c: joined(some) for c, some in parts.items()}
    for c, grey in values.items():
        if grey.dtype.kind == "f":
            _check_finite(found[c], f"Image {image.name}, channel {image.channel_label(c)}, t={t}, z={block.z}")
    return block, runs, list(found.values())


def _pixels(runs: Runs, first: int, width: int) -> np.ndarray:
    """Return the flat indices of the pixels of runs, in a block that begins with the row `first`."""
    ends = np.cumsum(runs.length)
    begin = (runs.row - first) * width + runs.start - (ends - runs.length)
    array: np.ndarray = np.repeat(begin, runs.length)
    array += np.arange(len(array))
    return array


def _check_finite(summed: RunIntensities, place: str) -> None:
    bad = int((~np.isfinite(summed.total)).sum())
    if bad:
        raise UserError(f"{place}: {bad} rows of objects hold pixels that are NaN or infinite. Replace them.")
