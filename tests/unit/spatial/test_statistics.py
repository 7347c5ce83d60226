"""Spatial statistics against formulas, brute force and random patterns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.spatial import statistics
from bioimage_suite.spatial.pair_sums import in_rows
from bioimage_suite.spatial.statistics import (
    PatternOptions,
    Points,
    analyze,
    deviation_test,
    nearest_distances,
)
from bioimage_suite.spatial.window import Box, Region
from tests.unit.spatial.points import SQUARE, curves, random_points, sums, sums_one_by_one

WINDOWS = {
    "square": SQUARE,
    "box": Box(np.array([5.0, -10.0, 0.0]), np.array([25.0, 50.0, 40.0])),
    "region": Region(np.random.default_rng(1).random((50, 60)) < 0.7, np.array([0.5, 2.0])),
}


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 60),
    st.floats(0.01, 90),
    st.sampled_from([("square", "translation"), ("square", "isotropic"), ("square", "none"), ("box", "translation"),
                     ("box", "none"), ("region", "translation"), ("region", "none")]),
    st.integers(1, 3),
)  # fmt: skip
def test_every_pair_counts_by_its_definition(seed, n, reach, which, classes):
    window = WINDOWS[which[0]]
    points = random_points(n, seed, classes, window)
    expected = sums_one_by_one(points, window, which[1], reach)
    assert sums(points, window, which[1], reach) == pytest.approx(expected, rel=1e-12)


def test_equal_and_aligned_points_are_counted():
    """Points on a grid, some of them twice: distances of 0, and of exactly the reach."""
    grid = np.stack(np.meshgrid(np.arange(5.0), np.arange(7.0), indexing="ij"), -1).reshape(-1, 2)
    points = Points(np.concatenate([grid, grid[:9]]), np.arange(44) % 2, 2)
    found = sums(points, SQUARE, "none", 2.0)
    assert np.array_equal(found, sums_one_by_one(points, SQUARE, "none", 2.0))
    assert found[:, :, 0].sum() == 18
    assert found[:, :, -1].sum() > 100


@pytest.mark.parametrize("threads", ["1", "3"])
def test_the_number_of_threads_changes_nothing(threads, monkeypatch):
    monkeypatch.setenv("GALAXY_SLOTS", threads)
    found = analyze(random_points(200, 5, 2), SQUARE, PatternOptions(simulations=7))
    monkeypatch.setenv("GALAXY_SLOTS", "2")
    again = analyze(random_points(200, 5, 2), SQUARE, PatternOptions(simulations=7))
    assert np.array_equal(found.simulated_l, again.simulated_l, equal_nan=True)
    assert np.array_equal(found.curves.g, again.curves.g, equal_nan=True)


def test_two_points_by_hand():
    points = Points(np.array([[40.0, 40.0], [40.0, 46.0]]), np.zeros(2, int), 1)
    size = 100 * 80
    plain = curves(points, SQUARE, "none")
    assert plain.r.tolist() == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]
    assert plain.k[0, 0].tolist() == [0, 0] + [size] * 8
    assert plain.l[0, 0, 2] == pytest.approx((size / np.pi) ** 0.5)
    moved = curves(points, SQUARE, "translation")
    assert moved.k[0, 0, 2] == pytest.approx(size * 80 / (80 - 6))
    round_ = curves(points, SQUARE, "isotropic")
    assert round_.k[0, 0, 2] == pytest.approx(size)  # both circles lie within the rectangle


def test_classes_are_paired_with_each_other():
    points = Points(np.array([[40.0, 40], [40, 45], [40, 43]]), np.array([0, 0, 1]), 2)
    k = curves(points, SQUARE, "none").k
    assert k[0, 1, 0] == k[1, 0, 0] == pytest.approx(8000 / 2 * 1)  # 2 apart
    assert k[0, 1, 1] == pytest.approx(8000 / 2 * 2)  # 3 apart
    assert np.isnan(k[1, 1]).all()  # one point has no other of its class


@pytest.mark.parametrize("correction", ["translation", "isotropic"])
def test_random_patterns_have_l_equal_r_and_g_one(correction):
    found = [curves(random_points(120, seed), SQUARE, correction) for seed in range(60)]
    mean_l = np.mean([one.k[0, 0] for one in found], axis=0) ** 0.5 / np.pi**0.5
    assert mean_l == pytest.approx(found[0].r, rel=0.03)
    assert np.mean([one.g[0, 0] for one in found], axis=0)[2:] == pytest.approx(np.ones(8), abs=0.06)


def test_random_patterns_in_a_ragged_region_and_in_3d():
    mask = np.zeros((80, 100), bool)
    mask[10:70, 5:40] = mask[50:70, 30:90] = True
    region = Region(mask, np.ones(2))
    mean_k = np.mean([curves(random_points(120, s, 1, region), region, "translation").k for s in range(60)], axis=0)[
        0, 0
    ]
    assert (mean_k / np.pi) ** 0.5 == pytest.approx(np.arange(2, 21, 2), rel=0.04)
    box = Box(np.zeros(3), np.array([30.0, 60, 60]))
    found = [curves(random_points(150, seed, 1, box), box, "translation").k[0, 0] for seed in range(60)]
    mean_k = np.mean(found, axis=0)
    assert (0.75 * mean_k / np.pi) ** (1 / 3) == pytest.approx(np.arange(2, 21, 2), rel=0.06)


@pytest.mark.parametrize("few", [0, 1000])
def test_nearest_distances_by_brute_force(few, monkeypatch):
    monkeypatch.setattr(statistics, "FEW_POINTS", few)
    points = random_points(60, 4, classes=3)
    distance = np.sqrt(((points.position[:, None] - points.position[None]) ** 2).sum(axis=2))
    np.fill_diagonal(distance, np.inf)
    found = nearest_distances(points, in_rows(points.position, 20))
    for target in range(3):
        assert found[:, target] == pytest.approx(distance[:, points.of_class == target].min(axis=1))
    pair = np.array([[1.0, 1], [4, 5]])
    lonely = nearest_distances(Points(pair, np.array([0, 1]), 3), in_rows(pair, 9))
    assert np.nan_to_num(lonely, nan=-1).tolist() == [[-1, 5, -1], [5, -1, -1]]


def test_deviation_test_ranks():
    simulated = np.random.default_rng(0).normal(0, 1, (99, 5))
    assert deviation_test(np.full(5, 30.0), simulated) == pytest.approx(0.01)
    assert deviation_test(np.zeros(5), simulated) == pytest.approx(1.0)
    assert np.isnan(deviation_test(np.zeros(5), simulated[:0]))


def test_clustered_and_regular_patterns_are_told_apart():
    rng = np.random.default_rng(0)
    options = PatternOptions(radii=10, max_radius=10, simulations=39)
    parents = np.repeat(rng.uniform(10, 70, (10, 2)), 8, axis=0)
    clustered = Points(parents + rng.normal(0, 1.5, (80, 2)), np.zeros(80, int), 1)
    grid = np.stack(np.meshgrid(np.arange(5, 100, 10.0), np.arange(5, 80, 10.0), indexing="ij"), -1).reshape(-1, 2)
    regular = Points(grid + rng.normal(0, 0.5, grid.shape), np.zeros(80, int), 1)
    for points, above in ((clustered, True), (regular, False)):
        found = analyze(points, SQUARE, options)
        assert deviation_test(found.curves.l[0, 0], found.simulated_l[:, 0, 0]) == pytest.approx(1 / 40)
        assert (found.curves.l[0, 0, 4] > 5) == above
        assert (found.mean_nearest[0, 0] < found.simulated_nearest[:, 0, 0].mean()) == above


def test_shuffled_classes_keep_the_points():
    points = random_points(60, 3, classes=2)
    found = analyze(points, SQUARE, PatternOptions(simulations=5, null="labels"))
    one = analyze(Points(points.position, np.zeros(60, int), 1), SQUARE, PatternOptions(simulations=2, null="labels"))
    assert one.simulated_l[0] == pytest.approx(one.curves.l)
    assert found.simulated_l[0, 0, 1] != pytest.approx(found.curves.l[0, 1])
