"""What a track measures, on paths whose answer is known."""

import numpy as np
import pytest

from bioimage_suite.tracking.linking import Tracks
from bioimage_suite.tracking.measures import SUMMARY_MEASURES, mean_squared_displacement, summarize_tracks


def test_a_right_angle():
    frame = np.array([0, 1, 3])
    position = np.array([[0.0, 0], [0, 3], [4, 3]])
    found = summarize_tracks(frame, position, Tracks(np.ones(3, int), np.zeros(2, int)), frame_interval=10)
    expected = {
        "objects": 3, "first_frame": 0, "last_frame": 3, "missing_frames": 1, "daughters": 0, "generation": 0,
        "duration": 30, "path_length": 7, "displacement": 5, "max_distance_from_start": 5, "straightness": 5 / 7,
        "mean_speed": 7 / 30, "median_speed": 0.25, "max_speed": 0.3, "mean_turning_angle_deg": 90,
    }  # fmt: skip
    assert tuple(found) == SUMMARY_MEASURES == tuple(expected)
    assert {name: values.tolist() for name, values in found.items()} == {
        name: [pytest.approx(value)] for name, value in expected.items()
    }


def test_a_single_object_has_no_speed_and_families_are_counted():
    tracks = Tracks(np.array([1, 2, 3, 4]), np.array([0, 0, 1, 1, 2]))
    found = summarize_tracks(np.array([0, 1, 1, 2]), np.zeros((4, 2)), tracks)
    assert np.isnan(found["mean_speed"]).all()
    assert np.isnan(found["max_speed"]).all()
    assert np.isnan(found["straightness"]).all()
    assert found["generation"].tolist() == [0, 1, 1, 2]
    assert found["daughters"].tolist() == [2, 1, 0, 0]


def test_mean_squared_displacement_of_a_straight_line():
    frame = np.array([0, 1, 2, 3, 5, 0])
    position = np.column_stack([2.0 * frame, 0 * frame])
    lags, msd, count = mean_squared_displacement(frame, position, np.array([1, 1, 1, 1, 1, 2]), 6)
    assert lags.tolist() == [1, 2, 3, 4, 5, 6]
    assert msd[:5].tolist() == [4, 16, 36, 64, 100]
    assert np.isnan(msd[5])
    assert count.tolist() == [3, 3, 2, 1, 1, 0]


def test_no_track():
    found = summarize_tracks(np.zeros(0, int), np.zeros((0, 2)), Tracks(np.zeros(0, int), np.zeros(1, int)))
    assert all(len(values) == 0 for values in found.values())
