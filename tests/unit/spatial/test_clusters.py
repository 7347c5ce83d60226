"""Clusters and densities of points, against scikit-learn and counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.spatial.clusters import density_map, find_clusters, neighbours_within
from tests.unit.spatial.points import SQUARE, random_points


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 150), st.floats(1, 15), st.integers(1, 8))
def test_clusters_are_those_of_scikit_learn(seed, n, reach, least):
    from sklearn.cluster import DBSCAN

    position = np.random.default_rng(seed).uniform(0, 60, (n, 2))
    ours, theirs = find_clusters(position, reach, least), DBSCAN(eps=reach, min_samples=least).fit(position)
    core = theirs.core_sample_indices_
    assert (ours[core] - 1 == theirs.labels_[core]).all()  # both number by the first core point
    assert ((ours > 0) == (theirs.labels_ >= 0)).all()
    assert (neighbours_within(position, reach) + 1 >= least).sum() == len(core)


def test_density_map_counts_every_point():
    points = random_points(200, 1)
    sigma, cell = 1.0, 0.5
    density, corner = density_map(points.position, SQUARE, sigma, cell)
    assert density.shape == (200, 160)
    assert corner.tolist() == [0, 0]
    assert density.sum() * cell**2 == pytest.approx(200, rel=0.05)
