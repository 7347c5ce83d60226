"""The distance of points to the nearest of others, by a search through rows of points (`pair_sums.Rows`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.spatial.machine_code import machine_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from bioimage_suite.spatial.pair_sums import Rows

Place = tuple[float, float, float, float]
# z, y, x and own place of the points asked for, z, y, x of the others, starts, rows along y, place, distances
NEAREST = (
    "void(float64[::1], float64[::1], float64[::1], int64[::1], float64[::1], float64[::1], float64[::1], int64[::1], "
    "int64, UniTuple(float64, 4), float64[::1])"
)


def nearest_by_rows(rows: Rows, position: np.ndarray, itself: np.ndarray) -> np.ndarray | None:
    """Return the distance of each point to the nearest one of `rows`, with the same bits as SciPy's cKDTree.

    Args:
        rows: The points that are searched.
        position: (3, n) float64 positions z, y, x of the points.
        itself: (n,) int64 which of the sorted points of `rows` each point is itself; -1 for none.

    Returns:
        (n,) float64, infinite where there is no other point; None where there is no machine code for it.
    """
    search = machine_code("nearest", vectors=False)
    if search is None:
        return None
    found = np.empty(position.shape[1])
    place = (*rows.low.tolist(), *rows.thick.tolist())
    search(*position, itself, *rows.position, rows.starts, rows.rows_y, place, found)
    return found


# ruff: noqa: PLR0917 (compiled functions have no keywords)
def search_rows(
    of_z: np.ndarray, of_y: np.ndarray, of_x: np.ndarray, itself: np.ndarray,
    zs: np.ndarray, ys: np.ndarray, xs: np.ndarray, starts: np.ndarray, rows_y: int, place: Place, found: np.ndarray,
) -> None:  # fmt: skip
    """Fill in the distance to the nearest point: rows around the point's own, ring by ring, until they are too far.

    It holds arithmetic only: the same function runs in Python, in the tests.
    """
    rows_z = (len(starts) - 1) // rows_y
    # Rows one after the other along an axis that has only one are at no distance.
    thin = min(place[2] if rows_z > 1 else np.inf, place[3] if rows_y > 1 else np.inf)
    for i in range(len(of_x)):
        z, y, x, best = of_z[i], of_y[i], of_x[i], np.inf
        row_z = min(max(int((z - place[0]) / place[2]) if rows_z > 1 else 0, 0), rows_z - 1)
        row_y = min(max(int((y - place[1]) / place[3]) if rows_y > 1 else 0, 0), rows_y - 1)
        ring = 0
        while ring < max(rows_z, rows_y):
            # Rounding may put a point into the row beside its own: the gap counts as a little less than it is.
            gap = (ring - 1.000001) * thin
            if ring > 1 and gap * gap > best:
                break
            for other_z in range(max(row_z - ring, 0), min(row_z + ring, rows_z - 1) + 1):
                # Between its first and last plane a ring has only its two ends.
                step = 1 if abs(other_z - row_z) == ring or ring == 0 else 2 * ring
                other_y = row_y - ring - step
                while other_y < row_y + ring:
                    other_y += step
                    if other_y < 0 or other_y >= rows_y:
                        continue
                    row = other_z * rows_y + other_y
                    first, last = starts[row], starts[row + 1]
                    low, high = first, last
                    while low < high:
                        middle = (low + high) // 2
                        if xs[middle] < x:
                            low = middle + 1
                        else:
                            high = middle
                    j = low
                    while j < last and (xs[j] - x) * (xs[j] - x) < best:
                        if j != itself[i]:
                            dz, dy, dx = zs[j] - z, ys[j] - y, xs[j] - x
                            best = min(best, dz * dz + dy * dy + dx * dx)
                        j += 1
                    j = low - 1
                    while j >= first and (xs[j] - x) * (xs[j] - x) < best:
                        if j != itself[i]:
                            dz, dy, dx = zs[j] - z, ys[j] - y, xs[j] - x
                            best = min(best, dz * dz + dy * dy + dx * dx)
                        j -= 1
            ring += 1
        found[i] = math.sqrt(best)


def compiled_search() -> Callable[..., None]:
    """Return `search_rows` compiled by Numba."""
    from bioimage_suite.spatial.pair_sums import compiled

    return compiled(search_rows, NEAREST, nogil=True)
