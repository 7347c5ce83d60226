"""Bands of whole rows, by which planes of any size are read and computed in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from bioimage_suite.core.scratch import release

RowReader = Callable[[int, int], np.ndarray]
"""Returns the rows from the first to before the last of a plane, as (rows, X)."""
BAND_PIXELS = 1 << 22  # pixels of a band
LEAST_ROWS = 64  # rows of a band of a very wide plane: with fewer, halos of filters would cost more than the band
TILE_ROWS = 512  # rows of the usual tile; more than these are decoded at once only where they are used at once
CHUNK_PIXELS = 1 << 25  # most pixels to decode at once


def rows_of(plane: np.ndarray) -> RowReader:
    """Return the reader of the rows of a plane in memory, or on disk: then only those read last are in memory."""

    def read(first: int, last: int) -> np.ndarray:
        release(plane)
        return plane[first:last]

    return read


def bands(height: int, width: int, least: int = LEAST_ROWS) -> Iterator[tuple[int, int]]:
    """Return the ranges of rows that cut a plane into bands of about BAND_PIXELS pixels and at least `least` rows."""
    step = max(least, BAND_PIXELS // max(1, width))
    return ((first, min(first + step, height)) for first in range(0, height, step))


def by_chunks(read_rows: RowReader, height: int, width: int) -> RowReader:
    """Return a reader of the same rows that decodes a row of tiles once, although several bands and halos lie in it.

    Args:
        read_rows: Decodes rows of the plane.
        height: Rows of the plane.
        width: Columns of the plane.

    Returns:
        A reader that keeps the chunks of TILE_ROWS rows that it read last, and nothing once it has read the last row.
    """
    step = max(LEAST_ROWS, min(TILE_ROWS, CHUNK_PIXELS // max(1, width)))
    kept: dict[int, np.ndarray] = {}

    def read(first: int, last: int) -> np.ndarray:
        starts = range(first // step * step, last, step)
        for start in set(kept) - set(starts):  # first, so that no more is kept than the rows that are read next
            del kept[start]
        for start in starts:
            if start not in kept:
                kept[start] = read_rows(start, min(start + step, height))
        parts = [kept[start][max(first - start, 0) : last - start] for start in starts]
        if last >= height:
            kept.clear()
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return read
