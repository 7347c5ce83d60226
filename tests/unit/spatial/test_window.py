"""Windows of points: boxes and regions, and what an edge takes away."""

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.spatial import window as spatial_window
from bioimage_suite.spatial.window import Box, Region
from tests.unit.spatial.points import SQUARE, weight_of


@pytest.mark.parametrize("centre", [(0.0, 0.0), (3.0, 40.0), (50.0, 79.0), (99.0, 78.0), (50.0, 40.0)])
@pytest.mark.parametrize("radius", [1.0, 6.0, 25.0])
def test_isotropic_weight_is_the_part_of_the_circle_inside(centre, radius):
    angle = (np.arange(200_000) + 0.5) * 2 * np.pi / 200_000
    circle = np.array(centre) + radius * np.column_stack([np.sin(angle), np.cos(angle)])
    weight = weight_of(SQUARE, "isotropic", centre, (0, radius))
    assert 1 / weight == pytest.approx(SQUARE.contains(circle).mean(), abs=1e-4)


def test_translation_weights_of_a_region_are_counted_pixels():
    rng = np.random.default_rng(2)
    mask = rng.random((30, 40)) < 0.6
    region = Region(mask, np.array([0.5, 2.0]))
    for dy, dx in ((0, 0), (3, 5), (-3, 5), (3, -5), (-7, -2), (0, 9), (12, 0)):
        a = mask[max(dy, 0) : 30 + min(dy, 0), max(dx, 0) : 40 + min(dx, 0)]
        b = mask[max(-dy, 0) : 30 + min(-dy, 0), max(-dx, 0) : 40 + min(-dx, 0)]
        found = weight_of(region, "translation", (0, 0), (dy * 0.5, dx * 2.0))
        assert found == pytest.approx(mask.sum() / (a & b).sum(), rel=1e-4)
    assert region.size == pytest.approx(mask.sum())
    assert weight_of(region, "translation", (0, 0), (500.0, 3)) == pytest.approx(100)


def weights(window, shifts):
    return np.array([weight_of(window, "translation", (0, 0), shift) for shift in shifts])


def test_a_large_region_is_coarsened_but_weighs_the_same(monkeypatch):
    mask = np.zeros((300, 420), bool)
    mask[20:280, 30:200] = mask[200:290, 100:400] = True
    shift = np.random.default_rng(0).uniform(-60, 60, (200, 2))
    exact = weights(Region(mask, np.array([0.5, 0.5])), shift)
    monkeypatch.setattr(spatial_window, "LARGEST_SIDE", 100)
    coarse = weights(Region(mask, np.array([0.5, 0.5])), shift)
    assert coarse == pytest.approx(exact, rel=0.06)
    assert np.median(coarse / exact) == pytest.approx(1, abs=0.01)


def test_a_full_region_is_a_box():
    region = Region(np.ones((80, 100), bool), np.ones(2))
    box = Box(np.array([-0.5, -0.5]), np.array([79.5, 99.5]))
    shift = np.array([[3.0, -9], [0, 0], [20, 20]])
    assert weights(region, shift) == pytest.approx(weights(box, shift), rel=1e-4)
    assert [c.tolist() for c in region.bounds] == [c.tolist() for c in box.bounds]
    points = region.random_points(500, np.random.default_rng(0))
    assert box.contains(points).all()
    assert region.contains(points).all()


def test_corrections_that_a_window_does_not_have():
    for window in (Region(np.ones((8, 8), bool), np.ones(2)), Box(np.zeros(3), np.ones(3))):
        with pytest.raises(UserError, match="the window is no rectangle"):
            window.correction("isotropic")
