"""Surfaces and hulls of bodies whose measures are known, in voxels of several heights."""

import numpy as np
import pytest

from bioimage_suite.images.model.label_runs import joined, runs_of
from bioimage_suite.measurement.volume_shape import convex_volumes, surface_areas


def places(radius: float, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions z, y, x of voxels around the origin, in pixels of the plane."""
    planes, side = int(radius / step) + 2, int(radius) + 2
    return np.meshgrid(np.arange(-planes, planes + 1) * step, *[np.arange(-side, side + 1)] * 2, indexing="ij")


def crofton(body: np.ndarray, step: float) -> float:
    return surface_areas(body.astype(np.int32), np.array([1]), step)[1][0]


def hull(body: np.ndarray) -> int:
    planes = [runs_of(plane.astype(np.int32), 0) for plane in body]
    z = np.repeat(np.arange(len(planes)), [len(one.label) for one in planes])
    return int(convex_volumes(joined(planes), z, np.zeros(len(z), np.int64), 1)[0])


@pytest.mark.parametrize("step", [1.0, 2.0, 3.5])
@pytest.mark.parametrize("radius", [10, 25])
def test_the_surface_of_a_ball(radius, step):
    z, y, x = places(radius, step)
    ball = z**2 + y**2 + x**2 <= radius**2
    assert crofton(ball, step) == pytest.approx(4 * np.pi * radius**2, rel=0.015)
    assert surface_areas(ball.astype(np.int32), np.array([1]), step)[0][0] > 1.07 * 4 * np.pi * radius**2


def test_the_surface_of_a_spheroid_and_of_a_slanted_plate():
    z, y, x = places(30, 1.0)
    a, c = 15, 30  # prolate: 2 pi a^2 (1 + c / (a e) asin e)
    e = (1 - a**2 / c**2) ** 0.5
    true = 2 * np.pi * a**2 * (1 + c / (a * e) * np.arcsin(e))
    assert crofton((z**2 + y**2) / a**2 + x**2 / c**2 <= 1, 1.0) == pytest.approx(true, rel=0.02)
    normal = np.array([1, 2, 3]) / 14**0.5
    away = np.abs(z * normal[0] + y * normal[1] + x * normal[2])
    plate = (away <= 3) & (z**2 + y**2 + x**2 - away**2 <= 22**2)  # a disk of height 6
    assert crofton(plate, 1.0) == pytest.approx(2 * np.pi * 22**2 + 2 * np.pi * 22 * 6, rel=0.05)


def test_two_touching_bodies_share_no_surface():
    both = np.ones((8, 8, 16), np.int32)
    both[:, :, 8:] = 2
    alone = (both == 1).astype(np.int32)
    assert surface_areas(both, np.array([1, 2]), 1.0)[1][0] == pytest.approx(crofton(alone, 1.0))


@pytest.mark.parametrize("seed", range(8))
def test_the_hull_is_that_of_scikit_image(seed):
    from skimage.morphology import convex_hull_image

    rng = np.random.default_rng(seed)
    z, y, x = places(12, 1.0)
    stretched = sum((one @ np.array([z, y, x]).reshape(3, -1)) ** 2 for one in rng.normal(0, 0.12, (4, 3)))
    body = (stretched.reshape(z.shape) <= 1) & (rng.random(z.shape) < 0.8)
    assert hull(body) == convex_hull_image(body).sum()


def test_hulls_of_flat_and_hollow_bodies():
    plane, line, box = np.zeros((3, 9, 9), bool), np.zeros((3, 9, 9), bool), np.ones((6, 7, 8), bool)
    plane[1, 2:7, 3:8] = line[1, 4, 2:7] = True
    box[1:5, 1:6, 1:7] = False
    assert (hull(plane), hull(line), hull(box)) == (25, 5, 6 * 7 * 8)
