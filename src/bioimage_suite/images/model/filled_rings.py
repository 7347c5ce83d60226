"""Pixels within rings of points, such as the outer ring and the holes of a polygon."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def fill_rings(rings: Sequence[Sequence[tuple[float, float]]], height: int, width: int) -> "np.ndarray":
    """Return a boolean image (height, width) of the pixels whose centres are inside rings (even-odd rule).

    Rings that `label_outlines` traced give their pixels again.

    Args:
        rings: Points (x, y) of each ring; its last point joins the first.
        height: Rows of the image; rings are clipped to it.
        width: Columns of the image.
    """
    import numpy as np

    start = np.concatenate([np.asarray(ring, float) for ring in rings])
    end = np.concatenate([np.roll(np.asarray(ring, float), -1, axis=0) for ring in rings])
    # Rows whose centre line crosses an edge; the half-open interval counts a shared vertex once.
    first = np.ceil(np.minimum(start[:, 1], end[:, 1]) - 0.5).clip(0, height).astype(int)
    last = np.ceil(np.maximum(start[:, 1], end[:, 1]) - 0.5).clip(0, height).astype(int)
    count = last - first
    edge = np.repeat(np.arange(len(start)), count)
    row = first[edge] + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    slope = (end[edge, 0] - start[edge, 0]) / (end[edge, 1] - start[edge, 1])
    crossing = start[edge, 0] + (row + 0.5 - start[edge, 1]) * slope
    # Each crossing switches inside and outside for all pixel centres on it or to its right.
    column = np.ceil(crossing - 0.5).clip(0, width).astype(int)
    turns = np.zeros((height, width + 1), np.int32)
    np.add.at(turns, (row, column), 1)
    return (np.cumsum(turns[:, :-1], axis=1) % 2).astype(bool)
