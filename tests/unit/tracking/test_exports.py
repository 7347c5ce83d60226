"""Tracks in the forms of other programs."""

import numpy as np

from bioimage_suite.tracking.challenge_layout import challenge_tracks
from bioimage_suite.tracking.linking import Tracks
from bioimage_suite.tracking.trackmate import edges_of


def test_challenge_tracks_of_a_daughter_after_a_parents_gap():
    frame = np.array([0, 2, 3, 3])
    label, table = challenge_tracks(frame, Tracks(np.array([1, 1, 2, 3]), np.array([0, 0, 1, 1])))
    assert label.tolist() == [1, 2, 3, 4]
    assert table.tolist() == [[1, 0, 0, 0], [2, 2, 2, 1], [3, 3, 3, 2], [4, 3, 3, 2]]


def test_edges_join_daughters_to_their_parent():
    source, target = edges_of(np.array([0, 1, 2, 2]), Tracks(np.array([1, 1, 2, 3]), np.array([0, 0, 1, 1])))
    assert sorted(zip(source.tolist(), target.tolist(), strict=True)) == [(0, 1), (1, 2), (1, 3)]
