"""The size of objects, the options that follow from it, and what is found without any option."""

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.bands import rows_of
from bioimage_suite.segmentation import foreground_mask
from bioimage_suite.segmentation.foreground_mask import ForegroundOptions
from bioimage_suite.segmentation.object_size import (
    LOCAL_SIZE,
    SplitBySize,
    local_size,
    radius_in_plane,
    radius_in_volume,
)
from bioimage_suite.segmentation.split_objects import SplitOptions, label_bands
from bioimage_suite.segmentation.whole_images import plane_threshold, segment_plane


def disks(shape, radius, centres):
    y, x = np.indices(shape)
    return np.any([(y - a) ** 2 + (x - b) ** 2 <= radius**2 for a, b in centres], axis=0)


def segment(plane, **options):
    foreground = ForegroundOptions(**options)
    read = foreground_mask.smoothed_plane(rows_of(plane), *plane.shape, foreground)
    threshold = plane_threshold(read, plane.shape, foreground)
    return np.vstack(list(segment_plane(read, plane.shape, foreground, SplitBySize(), threshold)))


@pytest.mark.parametrize("radius", [4, 10, 40])
def test_the_radius_of_disks_is_found_among_specks(radius):
    mask = disks((300, 300), radius, [(80, 80), (80, 200), (200, 120)])
    mask[::60, ::50] = True
    assert radius_in_plane(mask) == pytest.approx(radius + 0.5, rel=0.12)


@pytest.mark.parametrize(("radius", "z_step"), [(5, 1.0), (12, 1.0), (12, 3.0)])
def test_the_radius_of_a_ball_is_found(radius, z_step):
    z, y, x = np.indices((41, 60, 60))
    ball = ((z - 20) * z_step) ** 2 + (y - 30) ** 2 + (x - 30) ** 2 <= radius**2
    assert radius_in_volume(ball.astype(np.uint8), z_step) == pytest.approx(radius, rel=0.15)


def test_a_large_volume_is_measured_by_steps(monkeypatch):
    z, y, x = np.indices((60, 60, 60))
    ball = ((z - 30) ** 2 + (y - 30) ** 2 + (x - 30) ** 2 <= 400).astype(np.uint8)
    whole = radius_in_volume(ball, 1.0)
    monkeypatch.setattr("bioimage_suite.segmentation.object_size.MOST_VOXELS", 10_000)
    assert radius_in_volume(ball, 1.0) == pytest.approx(whole, rel=0.15)


def test_no_foreground_has_the_least_size():
    assert radius_in_plane(np.zeros((9, 9), bool)) == 0
    assert radius_in_volume(np.zeros((3, 9, 9), np.uint8), 2.0) == 0
    assert SplitBySize().for_radius(0).seed_distance == 2


def test_the_cuts_between_tiles_do_not_show(monkeypatch):
    mask = np.random.default_rng(0).random((700, 300)) < 0.7
    whole = radius_in_plane(mask)
    monkeypatch.setattr("bioimage_suite.segmentation.object_size.TILE", 64)
    assert radius_in_plane(mask) == whole
    monkeypatch.setattr("bioimage_suite.segmentation.object_size.MOST_TILES", 9)
    assert radius_in_plane(mask) == pytest.approx(whole, rel=0.05)


def test_options_follow_the_radius_unless_they_are_given():
    assert SplitBySize().for_radius(10) == SplitOptions("distance", 8, 2.0, 47)
    assert SplitBySize().for_radius(10, 2.0) == SplitOptions("both", 3, 1.5, 105)
    assert SplitBySize(max_area=30).for_radius(10).min_area == 30
    given = SplitBySize("intensity", 3, 0.5, 9, 99, clear_border=True)
    assert given.for_radius(10) == given.for_radius(99, 1.0) == SplitOptions("intensity", 3, 0.5, 9, 99, True)
    assert local_size(10) == 10 * LOCAL_SIZE + 1
    for wrong in (SplitBySize(seed_distance=0), SplitBySize(min_area=9, max_area=8), SplitBySize(max_area=0)):
        with pytest.raises(UserError):
            wrong.check()


@pytest.mark.parametrize("method", ["li", "otsu", "local_mean", "local_otsu"])
@pytest.mark.parametrize("radius", [6, 15])
def test_disks_in_noise_are_found_by_every_method(method, radius):
    """Three disks, two of which touch, and no noise: local thresholds alone would find hundreds of objects."""
    rng = np.random.default_rng(0)
    mask = disks((200, 260), radius, [(60, 60), (60, 60 + round(1.8 * radius)), (140, 150)])
    plane = rng.poisson(np.where(mask, 200, 20)).astype(np.uint16)
    assert segment(plane, method=method).max() == 3


def test_a_plane_without_background_is_one_object():
    assert np.vstack(list(label_bands(np.ones((300, 200), bool), SplitOptions(), 1))).tolist() == [[1] * 200] * 300
    plane = np.full((90, 80), 1000, np.uint16)
    assert (segment(plane, method="manual", manual_threshold=10) == 1).all()
