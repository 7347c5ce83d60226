"""Sums over all pairs of points within a distance, weighed near the edge of their window, by compiled loops.

Points lie in rows: slabs along y (in 3D also along z) a quarter of the reach thick, sorted by x within each. The
partners of a point are then short runs of a few rows. From one point of a row to the next both ends of a run move only
onwards, so that finding them takes no search.

A pair (i, j) far from the edge counts once; near the edge, where a partner of i may lie outside, it counts for those
that are not seen. Sources: Ohser J (1983) Math Operationsforsch Stat 14, 63-71 (translation correction); Ripley BD
(1977) J R Stat Soc B 39, 172-212, doi:10.1111/j.2517-6161.1977.tb01615.x (isotropic correction, here with the angles of
Baddeley's spatstat). The weights take the position z, y, x of i, the shift from i to j, their distance, and the numbers
of their window; in 2D z is 0. They hold arithmetic only: the same function runs in Python, in the tests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.spatial.machine_code import machine_code

if TYPE_CHECKING:
    from collections.abc import Callable

FINE_BINS = 1000  # bins of the distances from 0 to the largest radius
ROWS_A_REACH = 4  # rows along an axis within the reach: more fit a circle better, and make shorter runs
LEAST_POINTS_A_ROW = 2  # fewer and thicker rows where points are sparse
# Largest weight of a pair: with a small overlap a pair would outweigh all others. The limit of spatstat.
LARGEST_WEIGHT = 100.0
LEAST_OVERLAP = 1 / LARGEST_WEIGHT
# z, y, x and class of each point, starts, offsets, widths, rows along y, reach, numbers, table, bins, weights, sums
SUMS = (
    "void(float64[::1], float64[::1], float64[::1], int64[::1], int64[::1], int64[:, ::1], float64[::1], int64, "
    "float64, UniTuple(float64, 5), float64[:, ::1], uint64[::1], float64[:, ::1], float64[:, :, ::1])"
)

Numbers = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class EdgeCorrection:
    """How pairs are weighed.

    Attributes:
        kind: Name of the weight: a key of WEIGHTS.
        numbers: Numbers of the window that it needs, then zeros.
        table: (rows, columns) float64 table of the window that it needs.
    """

    kind: str
    numbers: Numbers
    table: np.ndarray


# ruff: noqa: ARG001, PLR0917 (all weights have one signature, and compiled functions have no keywords)
def no_correction(
    z: float, y: float, x: float, dz: float, dy: float, dx: float, distance: float,
    numbers: Numbers, table: np.ndarray,
) -> float:  # fmt: skip
    """Return 1."""
    return 1.0


def translation_in_box(
    z: float, y: float, x: float, dz: float, dy: float, dx: float, distance: float,
    numbers: Numbers, table: np.ndarray,
) -> float:  # fmt: skip
    """Return the ratio of a box's size to the size of its overlap with itself moved by the shift.

    `numbers` holds 1 / side along z, y, x; 0 for z in 2D.
    """
    deep, high, wide = 1.0 - abs(dz) * numbers[0], 1.0 - abs(dy) * numbers[1], 1.0 - abs(dx) * numbers[2]
    # (v + |v|) / 2 is v, or 0 if v is below it. A processor does this for several pairs at a time, other than max().
    overlap = (deep + abs(deep)) * (high + abs(high)) * (wide + abs(wide)) / 8.0
    return 1.0 / (overlap if overlap > LEAST_OVERLAP else LEAST_OVERLAP)


def translation_in_region(
    z: float, y: float, x: float, dz: float, dy: float, dx: float, distance: float,
    numbers: Numbers, table: np.ndarray,
) -> float:  # fmt: skip
    """Return the ratio of a mask's area to that of its overlap with itself moved by the shift, rounded to pixels.

    `numbers` holds the extent of a pixel along y and x, and the rows and columns of the mask. `table` holds the overlap
    for each shift in pixels; the last columns are negative shifts along x.
    """
    down, across = abs(round(dy / numbers[0])), abs(round(dx / numbers[1]))
    whole, overlap = table[0, 0], 0.0
    if down < numbers[2] and across < numbers[3]:
        # A shift and its opposite have the same overlap: one half of the table is read.
        overlap = table[down, -across if (dy < 0) != (dx < 0) else across]
    return float(whole / max(overlap, whole * LEAST_OVERLAP))


def isotropic_in_rectangle(
    z: float, y: float, x: float, dz: float, dy: float, dx: float, distance: float,
    numbers: Numbers, table: np.ndarray,
) -> float:  # fmt: skip
    """Return the ratio of the circumference of the circle around a point to its part inside a rectangle.

    `numbers` holds the lower y, x, the upper y, x, and a length that is nearly 0: at a corner the distance to two edges
    is 0, and atan2 splits the outer angle evenly only for distances above 0.
    """
    tiny = numbers[4]
    low_y, low_x = max(y - numbers[0], tiny), max(x - numbers[1], tiny)
    high_y, high_x = max(numbers[2] - y, tiny), max(numbers[3] - x, tiny)
    radius, outside = max(distance, tiny), 0.0
    for edge, corner, other in ((low_y, low_x, high_x), (high_y, low_x, high_x),
                                (low_x, low_y, high_y), (high_x, low_y, high_y)):  # fmt: skip
        # Half the angle of the arc beyond this edge, cut where the next edge begins to count.
        beyond = math.acos(min(edge / radius, 1.0))
        outside += min(beyond, math.atan2(corner, edge)) + min(beyond, math.atan2(other, edge))
    return 1.0 / max(1.0 - outside / (2.0 * math.pi), LEAST_OVERLAP)


WEIGHTS = {
    "none": no_correction,
    "box": translation_in_box,
    "region": translation_in_region,
    "rectangle": isotropic_in_rectangle,
}
ASYMMETRIC = ("rectangle",)  # weights of (i, j) that differ from those of (j, i)


@dataclass(frozen=True)
class Rows:
    """Points sorted into rows.

    Attributes:
        reach: Largest distance of partners.
        order: (n,) index of each sorted point in the pattern.
        position: (3, n) sorted positions z, y, x; z is 0 in 2D.
        starts: (rows + 1,) int64 first sorted point of each row: row along z * rows along y + row along y.
        rows_y: Number of rows along y.
        low: (2,) z and y where the first rows begin.
        thick: (2,) thickness of the rows along z and y.
        offsets: (k, 2) int64 rows along z and y to those with partners; of two opposite ones the first is left out.
        widths: (k,) float64 largest distance along x of partners in rows so far apart.
    """

    reach: float
    order: np.ndarray
    position: np.ndarray
    starts: np.ndarray
    rows_y: int
    low: np.ndarray
    thick: np.ndarray
    offsets: np.ndarray
    widths: np.ndarray


def in_rows(position: np.ndarray, reach: float) -> Rows:
    """Sort (n, 2) or (n, 3) positions into rows for partners at most `reach` apart."""
    n, dimensions = position.shape
    full = np.zeros((3, n))
    full[3 - dimensions :] = position.T
    low = full.min(axis=1, initial=0 if n == 0 else np.inf)[:2, None]
    extent = full[:2].max(axis=1, initial=0 if n == 0 else -np.inf) - low[:, 0]
    # As many rows as have enough points, however small the reach.
    most = max(1.0, (n / LEAST_POINTS_A_ROW) ** (1 / (dimensions - 1)))
    thick = np.maximum(reach / ROWS_A_REACH, extent / most)
    at = ((full[:2] - low) / thick[:, None]).astype(np.int64)
    shape = at.max(axis=1, initial=0) + 1
    row = at[0] * shape[1] + at[1]
    order = np.lexsort((full[2], row))
    starts = np.searchsorted(row[order], np.arange(shape.prod() + 1)).astype(np.int64)
    far = np.minimum(np.ceil(reach / thick).astype(np.int64), shape - 1)
    pairs = [(z, y) for z in range(far[0] + 1) for y in range(-far[1], far[1] + 1) if (z, y) >= (0, 0)]
    offsets = np.array(pairs, np.int64).reshape(-1, 2)
    # Rounding may put a point into the row beside its own: the gap between rows counts as a little less than it is.
    gap = np.maximum(np.abs(offsets) - 1.000001, 0) * thick
    widths = np.sqrt(np.maximum(reach**2 - (gap**2).sum(axis=1), 0))
    return Rows(reach, order, full.take(order, axis=1), starts, int(shape[1]), low[:, 0], thick, offsets, widths)


def pair_sums(rows: Rows, of_class: np.ndarray, classes: int, reach: float, correction: EdgeCorrection) -> np.ndarray:
    """Return the sums of the weights of ordered pairs by their classes and distance.

    Args:
        rows: The points.
        of_class: (n,) int64 class of each point of the pattern, from 0.
        classes: Number of classes.
        reach: Largest distance.
        correction: How pairs are weighed.

    Returns:
        (classes, classes, FINE_BINS) float64; bin b holds distances in (b, b + 1] * reach / FINE_BINS.
    """
    sums = np.zeros((classes, classes, FINE_BINS + 1))  # the last one is of pairs beyond the reach
    sorted_class = np.ascontiguousarray(of_class[rows.order], np.int64)
    symmetric = correction.kind not in ASYMMETRIC
    add = machine_code(correction.kind) or compiled_sums(correction.kind)
    add(*rows.position, sorted_class, rows.starts, rows.offsets, rows.widths, rows.rows_y, float(reach),
        correction.numbers, correction.table, np.empty(len(of_class), np.uint64), np.empty((2, len(of_class))),
        sums)  # fmt: skip
    found = sums[:, :, :FINE_BINS]
    return found + found.transpose(1, 0, 2) if symmetric else found


@cache
def compiled_sums(kind: str) -> Callable[..., None]:
    """Return a compiled function that adds the weights of all pairs of rows to sums.

    Of a symmetric weight each pair is added once, else both ways. Without Python's lock several patterns can be summed
    at the same time. Numba takes a second to compile it: `spatial.machine_code` has it in a tenth.
    """
    symmetric = kind not in ASYMMETRIC
    weigh_run, add_run = _weighing_runs(compiled(WEIGHTS[kind], inline="always"), symmetric), _adding_runs(symmetric)

    def add(
        zs: np.ndarray, ys: np.ndarray, xs: np.ndarray, of_class: np.ndarray, starts: np.ndarray, offsets: np.ndarray,
        widths: np.ndarray, rows_y: int, reach: float, numbers: Numbers, table: np.ndarray, bins: np.ndarray,
        weights: np.ndarray, sums: np.ndarray,
    ) -> None:  # fmt: skip
        rows, there, back = len(starts) - 1, weights[0], weights[1]
        for row in range(rows):
            row_y = row % rows_y
            for k in range(len(offsets)):
                other, other_y = row + offsets[k, 0] * rows_y + offsets[k, 1], row_y + offsets[k, 1]
                if other >= rows or other_y < 0 or other_y >= rows_y:
                    continue
                first, end, last = starts[other], starts[other], starts[other + 1]
                for i in range(starts[row], starts[row + 1]):
                    while end < last and xs[end] <= xs[i] + widths[k]:
                        end += 1
                    while first < end and xs[first] < xs[i] - widths[k]:
                        first += 1
                    if k == 0:  # In its own row a point is paired with those behind it, in another with all.
                        first = i + 1
                    weigh_run(zs[i], ys[i], xs[i], zs[first:end], ys[first:end], xs[first:end], reach, numbers, table,
                              bins, there, back)  # fmt: skip
                    add_run(of_class[i], of_class[first:end], bins, there, back, sums)

    return compiled(add, SUMS, nogil=True)


def _weighing_runs(weigh: Callable[..., float], symmetric: bool) -> Callable[..., None]:
    """Return a compiled function that fills in bins and weights of a point with each point of a run.

    The loop has no branches, counts from 0 and reads few arrays, so that a processor weighs several pairs at a time.
    Pairs beyond the reach get the bin after the last.
    """

    def weigh_run(
        z: float, y: float, x: float, zs: np.ndarray, ys: np.ndarray, xs: np.ndarray, reach: float,
        numbers: Numbers, table: np.ndarray, bins: np.ndarray, there: np.ndarray, back: np.ndarray,
    ) -> None:  # fmt: skip
        bins_a_length, farthest, last = FINE_BINS / reach, reach * reach, FINE_BINS - 1.0
        for j in range(len(xs)):
            dz, dy, dx = zs[j] - z, ys[j] - y, xs[j] - x
            squared = dz * dz + dy * dy + dx * dx
            distance = math.sqrt(squared)
            # A distance of 0 belongs to the first bin; the reach itself may be rounded into the one after the last.
            into = math.ceil(distance * bins_a_length) - 1.0
            into = into if into > 0.0 else 0.0
            into = into if into < last else last
            bins[j] = into if squared <= farthest else last + 1.0
            there[j] = weigh(z, y, x, dz, dy, dx, distance, numbers, table)
            if not symmetric:
                back[j] = weigh(zs[j], ys[j], xs[j], -dz, -dy, -dx, distance, numbers, table)

    return compiled(weigh_run, inline="always")


def _adding_runs(symmetric: bool) -> Callable[..., None]:
    """Return a compiled function that adds the weights of a point with each point of a run to the sums."""

    def add_run(
        a: int, of_class: np.ndarray, bins: np.ndarray, there: np.ndarray, back: np.ndarray, sums: np.ndarray
    ) -> None:
        for j in range(len(of_class)):
            sums[a, of_class[j], bins[j]] += there[j]
            if not symmetric:
                sums[of_class[j], a, bins[j]] += back[j]

    return compiled(add_run, inline="always")


def compiled(function: Callable[..., Any], *types: str, **options: Any) -> Callable[..., Any]:
    """Compile a function for explicit types, or else to be called by another that is compiled."""
    import numba

    made: Callable[..., Any] = numba.njit(list(types) or None, error_model="numpy", **options)(function)
    return made
