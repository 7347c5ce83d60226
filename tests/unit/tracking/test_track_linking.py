"""Linking: what must be linked, what must not, and that batches give the optimum of the whole matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.tracking.linking import LinkOptions, Objects, Overlaps, assign, link_objects, near


def link(points, options, **more):
    """Link a list of (frame, y, x)."""
    table = np.array(points, float)
    return link_objects(Objects(table[:, 0].astype(int), table[:, 1:], **more), options)


def test_two_objects_keep_apart():
    points = [(t, 10 * i, 3.0 * t) for t in range(5) for i in range(2)]
    tracks = link(points, LinkOptions(5))
    assert tracks.track.tolist() == [1, 2] * 5
    assert tracks.parent.tolist() == [0, 0, 0]


def test_order_of_rows_does_not_matter():
    rng = np.random.default_rng(3)
    frame = np.repeat(np.arange(6), 20)
    position = np.tile(rng.uniform(0, 100, (20, 2)), (6, 1)) + rng.normal(0, 1, (120, 2))
    whole = link_objects(Objects(frame, position), LinkOptions(8))
    order = rng.permutation(120)
    mixed = link_objects(Objects(frame[order], position[order]), LinkOptions(8))
    pairs = {tuple(np.flatnonzero(whole.track == k)) for k in np.unique(whole.track)}
    assert {tuple(sorted(order[mixed.track == k])) for k in np.unique(mixed.track)} == pairs


def test_the_sum_of_costs_decides_not_the_nearest_pair():
    # The nearest pair is (0, 1) to (1, 0.6): taking it would leave (0, 0) a partner 3 away, 0.16 + 9 against 0.36 + 4.
    tracks = link([(0, 0, 0), (0, 0, 1), (1, 0, 0.6), (1, 0, 3)], LinkOptions(4))
    assert tracks.track.tolist() == [1, 2, 1, 2]


def test_nothing_is_linked_beyond_the_largest_distance():
    assert link([(0, 0, 0), (1, 0, 5.01)], LinkOptions(5)).track.tolist() == [1, 2]
    assert link([(0, 0, 0), (1, 0, 5)], LinkOptions(5)).track.tolist() == [1, 1]


@pytest.mark.parametrize(("max_gap", "expected"), [(0, [1, 2]), (1, [1, 2]), (2, [1, 1])])
def test_gaps_are_closed_up_to_their_length(max_gap, expected):
    assert link([(0, 0, 0), (3, 0, 1)], LinkOptions(5, max_gap)).track.tolist() == expected


def test_gap_distance_is_its_own():
    points = [(0, 0, 0), (2, 0, 6)]
    assert link(points, LinkOptions(5, 1)).track.tolist() == [1, 2]
    assert link(points, LinkOptions(5, 1, gap_distance=7)).track.tolist() == [1, 1]
    assert link([(0, 0, 0), (1, 0, 6)], LinkOptions(5, 1, gap_distance=7)).track.tolist() == [1, 2]


def test_directed_motion_finds_crossing_objects():
    there = [(t, 0.5, 4.0 * t) for t in range(6)]
    back = [(t, -0.5, 20 - 4.0 * t) for t in range(6)]
    points = [point for pair in zip(there, back, strict=True) for point in pair]
    # The first step alone has no direction: the two start far apart.
    assert link(points, LinkOptions(6, directed=True)).track.tolist() == [1, 2] * 6


def test_division_gives_two_daughters_with_one_parent():
    points = [(0, 0, 0), (1, 0, 0), (2, 0, -2), (2, 0, 2), (3, 0, -3), (3, 0, 3)]
    tracks = link(points, LinkOptions(5, divisions=True))
    assert tracks.track.tolist() == [1, 1, 2, 3, 2, 3]
    assert tracks.parent.tolist() == [0, 0, 1, 1]
    assert link(points, LinkOptions(5)).parent.tolist() == [0, 0, 0]


def test_daughters_of_unequal_size_are_none():
    points = [(0, 0, 0), (1, 0, -2), (1, 0, 2)]
    options = LinkOptions(5, divisions=True, division_area_ratio=2)
    assert link(points, options, area=np.array([100.0, 50, 51])).parent.tolist() == [0, 0, 1, 1][:4]
    assert not link(points, options, area=np.array([100.0, 90, 20])).parent.any()


def test_no_division_across_a_gap():
    points = [(0, 0, 0), (2, 0, -2), (2, 0, 2)]
    assert not link(points, LinkOptions(5, 2, divisions=True)).parent.any()


def test_overlap_links_only_what_overlaps():
    points = [(0, 0, 0), (1, 0, 1), (1, 0, 3)]
    overlaps = Overlaps(np.array([0]), np.array([2]), np.array([0.4]))
    assert link(points, LinkOptions(5), overlaps=overlaps).track.tolist() == [1, 2, 1]
    nothing = Overlaps(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    assert link(points, LinkOptions(5), overlaps=nothing).track.tolist() == [1, 2, 3]


def test_no_object_and_one_object():
    assert link_objects(Objects(np.zeros(0, int), np.zeros((0, 2))), LinkOptions(5, divisions=True)).track.size == 0
    assert link([(4, 1, 1)], LinkOptions(5, divisions=True)).track.tolist() == [1]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.tuples(st.integers(0, 40), st.integers(0, 40)), st.sampled_from([2, 3]),
    st.sampled_from([1e-9, 0.5, 3, 8, 500]), st.sampled_from([0.0, -1e6]),
)  # fmt: skip
def test_every_pair_within_reach_is_found_once(seed, sizes, dimensions, reach, origin):
    rng = np.random.default_rng(seed)
    # Whole numbers: many pairs are exactly at the reach, or at one place.
    a, b = (rng.integers(0, 20, (n, dimensions)) + origin for n in sizes)
    rows, cols, squared = near(a, b, reach)
    distance = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    assert sorted(zip(rows.tolist(), cols.tolist(), strict=True)) == [
        (i, j) for i in range(len(a)) for j in range(len(b)) if distance[i, j] <= reach**2
    ]
    assert (squared == distance[rows, cols]).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12))
def test_assignment_is_the_optimum_of_the_whole_matrix(seed, n, m):
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    cost = rng.uniform(0, 2, (n, m))
    rows, cols = np.nonzero(rng.random((n, m)) < 0.5)
    r, c = assign(rows, cols, cost[rows, cols], (n, m), 0.7)
    full = np.full((n + m, n + m), 1e6)
    full[rows, cols] = cost[rows, cols]
    full[:n, m:][np.diag_indices(n)] = 0.7
    full[n:, :m][np.diag_indices(m)] = 0.7
    full[n:, m:] = 0
    best = full[linear_sum_assignment(full)].sum()
    assert len(set(r)) == len(r)
    assert len(set(c)) == len(c)
    assert cost[r, c].sum() + 0.7 * (n + m - 2 * len(r)) == pytest.approx(best, abs=1e-6)
