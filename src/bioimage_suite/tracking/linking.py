"""Linking of objects in successive frames to tracks by linear assignment, with gap closing and divisions.

The objects of each frame are assigned to the objects seen last so that the sum of all costs is least. A link costs
its squared distance divided by the frames it spans (the mean squared displacement of a random walk grows with time); an
object without a link costs 1.05 times the square of the largest distance allowed. Tracks that begin beside a running
track are then assigned to parents. Sources: Jaqaman K et al. (2008) Nature Methods 5, 695-702, doi:10.1038/nmeth.1237
(the bordered assignment); Tinevez J-Y et al. (2017) Methods 115, 80-90, doi:10.1016/j.ymeth.2016.09.016 (TrackMate:
the factor 1.05); Crocker JC, Grier DG (1996) J Colloid Interface Sci 179, 298-310 (memory across gaps).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ALTERNATIVE_COST_FACTOR = 1.05


@dataclass(frozen=True)
class LinkOptions:
    """Limits of links. Distances are in the unit of the positions.

    Attributes:
        max_distance: Longest step from one frame to the next.
        max_gap: Number of frames that an object may be missing; 0 closes no gap.
        gap_distance: Longest step across a gap; None for `max_distance`.
        divisions: Whether a track may end in two daughters.
        division_distance: Longest distance from a parent to its second daughter; None for `max_distance`.
        division_area_ratio: Largest ratio of the areas of two daughters; 0 for no limit. Needs areas.
        directed: Whether an object is expected where its last step points, instead of at its last position.
    """

    max_distance: float
    max_gap: int = 2
    gap_distance: float | None = None
    divisions: bool = False
    division_distance: float | None = None
    division_area_ratio: float = 0.0
    directed: bool = False


@dataclass(frozen=True)
class Overlaps:
    """Pairs of objects in successive frames that share pixels.

    Attributes:
        earlier: (k,) index of the object in the earlier frame.
        later: (k,) index of the object in the later frame.
        iou: (k,) pixels in both over pixels in either.
    """

    earlier: np.ndarray
    later: np.ndarray
    iou: np.ndarray


@dataclass(frozen=True)
class Objects:
    """The objects of a movie.

    Attributes:
        frame: (n,) integers, frame of each object.
        position: (n, 2) or (n, 3) float64 position of each object, in the same unit along all axes.
        area: (n,) float64 area or volume of each object, to compare daughters; None where unknown.
        overlaps: If given, objects of successive frames are linked only if they overlap, and a link costs
            (1 - iou) * max_distance²; gaps are still closed by distance.
    """

    frame: np.ndarray
    position: np.ndarray
    area: np.ndarray | None = None
    overlaps: Overlaps | None = None


@dataclass(frozen=True)
class Tracks:
    """The track of each object and the parent of each track.

    Attributes:
        track: (n,) int64, 1-based track of each object, in order of first frame, then of the objects.
        parent: (number of tracks + 1,) int64, parent track of each track; 0 for none. Index 0 is unused.
    """

    track: np.ndarray
    parent: np.ndarray


def link_objects(objects: Objects, options: LinkOptions) -> Tracks:
    """Link objects to tracks.

    Args:
        objects: The objects of all frames, in any order.
        options: Limits of links.

    Returns:
        The tracks; every object has one.
    """
    frame, position = objects.frame, objects.position
    n = len(frame)
    following, preceding = np.full(n, -1), np.full(n, -1)
    velocity = np.zeros_like(position)
    waiting = np.zeros(0, np.int64)  # objects without a successor that may still get one
    for now, current in _by_frame(frame, np.arange(n)).items():
        waiting = waiting[now - frame[waiting] <= options.max_gap + 1]
        rows, cols, cost = _candidates(objects, waiting, current, velocity, options)
        reach = max(options.max_distance, options.gap_distance or 0)
        rows, cols = assign(rows, cols, cost, (len(waiting), len(current)), ALTERNATIVE_COST_FACTOR * reach**2)
        a, b = waiting[rows], current[cols]
        following[a], preceding[b] = b, a
        velocity[b] = (position[b] - position[a]) / (frame[b] - frame[a])[:, None]
        waiting = np.concatenate([waiting[following[waiting] < 0], current])
    parent_object = np.full(n, -1)
    if options.divisions:
        parent, daughter = _divide(objects, following, preceding, options)
        parent_object[daughter] = parent
    return _number_tracks(frame, following, preceding, parent_object)


def _by_frame(frame: np.ndarray, members: np.ndarray) -> dict[int, np.ndarray]:
    """Split object indices by frame, in the order of time."""
    members = members[np.argsort(frame[members], kind="stable")]
    frames, first = np.unique(frame[members], return_index=True)
    return dict(zip(frames.tolist(), np.split(members, first[1:]), strict=False))


def near(a: np.ndarray, b: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find all pairs of two point sets within a distance.

    Points are sorted into cells as wide as the reach, so partners lie in the same or a neighbouring cell. For a few
    thousand points per frame this is as fast as scipy's tree, whose import takes longer than linking a short movie.

    Args:
        a: (n, 2) or (n, 3) points.
        b: (m, 2) or (m, 3) points.
        reach: Largest distance.

    Returns:
        (k,) index in `a`, (k,) index in `b` and (k,) squared distance of each pair.
    """
    import itertools

    rows, cols = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    if len(a) and len(b):
        low = np.minimum(a.min(axis=0), b.min(axis=0))
        extent = np.maximum(a.max(axis=0), b.max(axis=0)) - low
        # At most a million cells along an axis, so that their numbers fit in 64 bits.
        width = np.maximum(reach * (1 + 1e-9), extent / 2**20)
        strides = np.cumprod([1, *(extent[:0:-1] // width[:0:-1]).astype(np.int64) + 3])[::-1]
        cell_a, cell_b = (((one - low) // width).astype(np.int64) @ strides for one in (a, b))
        order = np.argsort(cell_b, kind="stable")
        sorted_b = cell_b[order]
        # Neighbouring cells along the last axis have successive numbers, so one range holds all three.
        for beside in itertools.product((-1, 0, 1), repeat=a.shape[1] - 1):
            middle = cell_a + np.dot(strides[:-1], beside)
            first, end = np.searchsorted(sorted_b, middle - 1), np.searchsorted(sorted_b, middle + 1, "right")
            count = end - first
            rows.append(np.repeat(np.arange(len(a)), count))
            cols.append(order[np.arange(count.sum()) + np.repeat(first - np.cumsum(count) + count, count)])
    row, col = np.concatenate(rows), np.concatenate(cols)
    squared = ((a[row] - b[col]) ** 2).sum(axis=1)
    near = squared <= reach**2
    return row[near], col[near], squared[near]


def _candidates(
    objects: Objects, waiting: np.ndarray, current: np.ndarray, velocity: np.ndarray, options: LinkOptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return possible links as rows (of `waiting`), columns (of `current`) and costs."""
    if not len(waiting):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    frame, position = objects.frame, objects.position
    age = frame[current[0]] - frame[waiting]
    expected = position[waiting] + velocity[waiting] * age[:, None] if options.directed else position[waiting]
    gap_distance = options.gap_distance or options.max_distance
    rows, cols, squared = near(expected, position[current], max(options.max_distance, gap_distance))
    allowed = squared <= np.where(age[rows] == 1, options.max_distance, gap_distance) ** 2
    cost = squared / age[rows]
    if objects.overlaps is not None:
        iou = _iou_of(waiting[rows], current[cols], objects.overlaps, len(frame))
        cost = np.where(age[rows] == 1, (1 - iou) * options.max_distance**2, cost)
        allowed &= (age[rows] > 1) | (iou > 0)
    return rows[allowed], cols[allowed], cost[allowed]


def _iou_of(earlier: np.ndarray, later: np.ndarray, overlaps: Overlaps, n: int) -> np.ndarray:
    """Return the overlap of object pairs; 0 for pairs that share no pixel."""
    known = overlaps.earlier * n + overlaps.later
    order = np.argsort(known)
    wanted = earlier * n + later
    at = np.minimum(np.searchsorted(known[order], wanted), max(len(known) - 1, 0))
    if not len(known):
        return np.zeros(len(wanted))
    at = order[at]
    return np.where(known[at] == wanted, overlaps.iou[at], 0.0)


def assign(
    rows: np.ndarray, cols: np.ndarray, cost: np.ndarray, shape: tuple[int, int], alternative: float
) -> tuple[np.ndarray, np.ndarray]:
    """Choose links with the least sum of their costs and of `alternative` for each row and column without a link.

    Links without a competitor are chosen directly. The others are solved in one sparse matrix, whose time grows about
    linearly with the number of links, up to a hundred thousand objects in a frame.

    Args:
        rows: (k,) row of each candidate link.
        cols: (k,) column of each candidate link.
        cost: (k,) cost of each, at least 0; links above twice the alternative are never chosen.
        shape: Number of rows and columns.
        alternative: Cost of a row or a column without a link.

    Returns:
        Rows and columns of the chosen links.
    """
    useful = cost <= 2 * alternative
    rows, cols, cost = rows[useful], cols[useful], cost[useful]
    alone = (np.bincount(rows, minlength=shape[0])[rows] == 1) & (np.bincount(cols, minlength=shape[1])[cols] == 1)
    chosen_rows, chosen_cols = [rows[alone]], [cols[alone]]
    rows, cols, cost = rows[~alone], cols[~alone], cost[~alone]
    if len(rows):
        r, c = _match(rows, cols, cost, alternative)
        chosen_rows.append(r)
        chosen_cols.append(c)
    return np.concatenate(chosen_rows), np.concatenate(chosen_cols)


def _match(rows: np.ndarray, cols: np.ndarray, cost: np.ndarray, alternative: float) -> tuple[np.ndarray, np.ndarray]:
    """Solve one assignment, extended by the alternatives of each row and column (Jaqaman's figure 1b)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    row_ids, r = np.unique(rows, return_inverse=True)
    col_ids, c = np.unique(cols, return_inverse=True)
    n, m = len(row_ids), len(col_ids)
    # A sparse matrix takes zeros for missing edges, so the same tiny amount is added to every cost.
    tiny = alternative * 1e-9
    weights = np.concatenate([cost, np.full(n + m, alternative), np.zeros(len(cost))]) + tiny
    at_rows = np.concatenate([r, np.arange(n), n + np.arange(m), n + c])
    at_cols = np.concatenate([c, m + np.arange(n), np.arange(m), m + r])
    order = np.lexsort((at_cols, at_rows))
    # Build the matrix directly: scipy's checks and sorting would take longer than the matching.
    starts = np.concatenate([[0], np.cumsum(np.bincount(at_rows, minlength=n + m))]).astype(np.int32)
    matrix = csr_array((weights[order], at_cols[order].astype(np.int32), starts), shape=(n + m, n + m))
    left, right = min_weight_full_bipartite_matching(matrix)
    real = (left < n) & (right < m)
    return row_ids[left[real]], col_ids[right[real]]


def _divide(
    objects: Objects, following: np.ndarray, preceding: np.ndarray, options: LinkOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Assign tracks that begin beside a running track to it as second daughters.

    The cost is the squared distance from the parent to the midpoint of its two daughters.

    Returns:
        Parent objects and the objects that begin as their second daughters.
    """
    frame, position, area = objects.frame, objects.position, objects.area
    n = len(frame)
    reach = options.division_distance or options.max_distance
    # The first daughter of a parent is its link to the next frame: a division within a gap was not observed.
    linked = np.flatnonzero(following >= 0)
    parents = _by_frame(frame, linked[frame[following[linked]] == frame[linked] + 1])
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for now, begin in _by_frame(frame, np.flatnonzero(preceding < 0)).items():
        if now - 1 not in parents:
            continue
        parent = parents[now - 1]
        rows, cols, _ = near(position[parent], position[begin], reach)
        first, second, parent = following[parent[rows]], begin[cols], parent[rows]
        if area is not None and options.division_area_ratio > 0:
            a, b = area[first], area[second]
            alike = np.maximum(a, b) <= options.division_area_ratio * np.minimum(a, b)
            first, second, parent = first[alike], second[alike], parent[alike]
        middle = (position[first] + position[second]) / 2
        found.append((parent, second, ((middle - position[parent]) ** 2).sum(axis=1)))
    rows, cols, cost = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return assign(rows, cols, cost, (n, n), ALTERNATIVE_COST_FACTOR * reach**2)


def _number_tracks(
    frame: np.ndarray, following: np.ndarray, preceding: np.ndarray, parent_object: np.ndarray
) -> Tracks:
    """Number the tracks; a division ends the parent's track and begins one for each daughter."""
    parents = parent_object[parent_object >= 0]
    parent_object = parent_object.copy()
    parent_object[following[parents]] = parents
    preceding = np.where(parent_object >= 0, -1, preceding)
    track = np.zeros(len(frame), np.int64)
    order = np.argsort(frame, kind="stable")
    # Objects are in the order of their frames, so the predecessor of an object already has its number.
    count = 0
    for i, before in zip(order.tolist(), preceding[order].tolist(), strict=True):
        if before < 0:
            count += 1
            track[i] = count
        else:
            track[i] = track[before]
    parent = np.zeros(count + 1, np.int64)
    daughters = np.flatnonzero(parent_object >= 0)
    parent[track[daughters]] = track[parent_object[daughters]]
    return Tracks(track, parent)
