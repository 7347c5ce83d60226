"""Bands of whole rows, by which planes of any size are read and computed in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

RowReader = Callable[[int, int], np.ndarray]
"""Returns the rows from the first to before the last of a plane, as (rows, X)."""
BAND_PIXELS = 1 << 22  # pixels of a band
LEAST_ROWS = 64  # rows of a band of a very wide plane: with fewer, halos of filters would cost more than the band


def rows_of(plane: np.ndarray) -> RowReader:
    """Return the reader of the rows of a plane in memory."""
    return lambda first, last: plane[first:last]


def bands(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Return the ranges of rows that cut a plane into bands of about BAND_PIXELS pixels."""
    step = max(LEAST_ROWS, BAND_PIXELS // max(1, width))
    return ((first, min(first + step, height)) for first in range(0, height, step))
