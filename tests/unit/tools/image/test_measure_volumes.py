"""measure_objects in 3D: against scikit-image and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.images.model import bands
from bioimage_suite.measurement import object_scan
from tests.unit.tools.image.measuring import measure, random_labels, write


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(2, 7), st.integers(1, 80), st.integers(1, 14)),
    z_step=st.sampled_from([1.0, 2.0, 3.5]),
)
def test_volumes_equal_regionprops(tmp_path_factory, seed, shape, z_step):
    from skimage.measure import marching_cubes, mesh_surface_area, regionprops

    tmp_path = tmp_path_factory.mktemp("volume")
    labels = random_labels(seed, shape)
    values = np.random.default_rng(seed).integers(0, 5000, shape).astype(np.uint16)
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 0.5 * z_step}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_PIXELS", 1)
        patch.setattr(object_scan, "TILE_ROWS", 16)
        patch.setattr(object_scan, "READ_PIXELS", 1)
        patch.setattr(object_scan, "COMPUTED_PIXELS", 1)
        rows = measure(
            tmp_path, write(tmp_path / "l.ome.tiff", labels, "ZYX", **sizes),
            write(tmp_path / "i.ome.tiff", values, "ZYX", Channel={"Name": ["A"]}), "--volume",
        )  # fmt: skip
    props = regionprops(labels, values, spacing=(z_step, 1, 1))
    assert [int(row["label"]) for row in rows] == [prop.label for prop in props]
    for row, prop in zip(rows, props, strict=True):
        numbers = {name: float(text) for name, text in row.items() if name != "image" and text}
        assert numbers["volume_voxels"] == len(prop.coords)
        assert numbers["volume_um3"] == pytest.approx(prop.area * 0.125)
        np.testing.assert_array_equal(
            [numbers[f"bbox_{end}_{a}_px"] for end in ("min", "max") for a in "zyx"], prop.bbox
        )
        centre = [numbers["centroid_z_px"] * z_step, numbers["centroid_y_px"], numbers["centroid_x_px"]]
        np.testing.assert_allclose(centre, prop.centroid, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose([numbers[f"centroid_{a}_um"] for a in "zyx"], np.multiply(prop.centroid, 0.5))
        assert numbers["equivalent_diameter_px"] == pytest.approx(prop.equivalent_diameter_area)
        assert numbers["major_axis_px"] == pytest.approx(prop.axis_major_length, abs=1e-6)
        assert numbers["minor_axis_px"] == pytest.approx(prop.axis_minor_length, abs=1e-5)
        inside = np.pad(prop.image, 1).astype(float)
        area = mesh_surface_area(*marching_cubes(inside, 0.5, spacing=(z_step, 1, 1))[:2])
        assert numbers["surface_area_px2"] == pytest.approx(area, rel=1e-5)
        if np.linalg.matrix_rank(prop.coords - prop.coords[0]) == 3:  # scikit-image gives flat objects no hull
            assert numbers["convex_volume_voxels"] == prop.image_convex.sum()
            assert numbers["solidity"] == pytest.approx(prop.solidity)
        assert numbers["solidity"] <= 1
        assert (numbers["mean_A"], numbers["max_A"]) == (pytest.approx(prop.intensity_mean), prop.intensity_max)
        assert numbers["std_A"] == pytest.approx(prop.intensity_std, abs=1e-9)


def test_a_ball_is_round_and_a_rod_is_not(tmp_path):
    z, y, x = np.indices((41, 41, 41)) - 20
    labels = (z**2 + y**2 + x**2 <= 15**2).astype(np.uint16)
    labels[0:2, 0:2, :] = 2
    ball, rod = measure(tmp_path, write(tmp_path / "l.ome.tiff", labels, "ZYX"), None, "--volume")
    assert float(ball["sphericity"]) == pytest.approx(1, abs=0.01)
    assert float(ball["solidity"]) == pytest.approx(0.94244, abs=1e-5)  # that of regionprops
    assert float(ball["major_axis_px"]) == pytest.approx(30, abs=0.5)
    assert float(rod["sphericity"]) < 0.7
    assert "volume_um3" not in ball


def test_volumes_keep_time_points_apart(tmp_path):
    labels = np.zeros((2, 3, 20, 20), np.uint16)
    labels[0, :, 5:9, 5:9], labels[1, 1, 5:9, 5:9] = 1, 1
    rows = measure(tmp_path, write(tmp_path / "l.ome.tiff", labels, "TZYX"), None, "--volume")
    assert [(row["t"], row["volume_voxels"]) for row in rows] == [("0", "48"), ("1", "16")]
    assert "z" not in rows[0]


def test_an_empty_volume(tmp_path):
    path = write(tmp_path / "l.ome.tiff", np.zeros((3, 9, 9), np.uint8), "ZYX")
    assert measure(tmp_path, path, path, "--volume", "--texture-channels=0", "--neighbours-within=9") == []
