"""Circularity and Feret's diameters of disks, squares, and thin debris."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.measurement.measured_columns import MeasureOptions, measure_body


def shapes_of(tmp_path, *masks):
    """The columns of objects, each in a plane of its own."""
    import tifffile

    found = []
    for mask in masks:
        tifffile.imwrite(tmp_path / "l.tiff", np.pad(mask, 3).astype(np.uint16))
        with ThreadPoolExecutor(1) as pool:
            measured = measure_body(open_image(tmp_path / "l.tiff"), None, 0, [0], MeasureOptions(), pool=pool)
        found.append({name: values[0] for name, values in measured.columns.items()})
    return found


def test_thin_debris_is_not_round(tmp_path):
    lines = [np.ones((1, n), bool) for n in (5, 12, 40)]
    corner = np.zeros((6, 6), bool)
    corner[0] = corner[:, 0] = True
    found = [one["circularity"] for one in shapes_of(tmp_path, *lines, np.eye(9, dtype=bool), corner)]
    assert max(found) < 0.75
    assert found[0] > found[1] > found[2]


@pytest.mark.parametrize("radius", [10, 40])
def test_a_disk_is_round_and_a_square_less(radius, tmp_path):
    y, x = np.indices((2 * radius + 1,) * 2) - radius
    disk, square = shapes_of(tmp_path, y**2 + x**2 <= radius**2, np.ones((2 * radius, 2 * radius), bool))
    assert 0.9 < disk["circularity"] <= 1
    assert square["circularity"] < disk["circularity"]
    assert disk["feret_max_px"] == pytest.approx(2 * radius + 1)
    assert disk["feret_min_px"] == pytest.approx(2 * radius + 1, rel=0.12)
    assert square["feret_max_px"] == pytest.approx(2 * radius * 2**0.5, rel=0.15)
    assert square["feret_min_px"] == pytest.approx(2 * radius, rel=1e-9)


def test_the_smallest_width_of_a_slanted_bar(tmp_path):
    y, x = np.indices((90, 90))
    (bar,) = shapes_of(tmp_path, (np.abs(y - x) <= 8) & (y + x > 40) & (y + x < 120))
    assert bar["feret_min_px"] == pytest.approx(17 / 2**0.5, abs=1)
    assert bar["feret_max_px"] > 55


def test_nothing_is_rounder_than_a_circle(tmp_path):
    rng = np.random.default_rng(0)
    masks = [rng.random((4, 4)) < 0.6 for _ in range(200)]
    found = [one["circularity"] for one in shapes_of(tmp_path, *(mask for mask in masks if mask.any()))]
    assert 0 < min(found) <= max(found) <= 1
