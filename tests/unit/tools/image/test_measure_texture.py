"""measure_objects: texture against scikit-image, by channel and within limits."""

import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from tests.unit.tools.image.measuring import DATA, measure, write

SKIMAGE_NAMES = {"contrast": "contrast", "correlation": "correlation", "energy": "ASM", "homogeneity": "homogeneity",
                 "variance": "variance"}  # fmt: skip


def test_texture_equals_scikit_images_cooccurrence(tmp_path):
    """One rectangle, so that scikit-image's matrices, which know no mask, are the object's."""
    from skimage.feature import graycomatrix, graycoprops

    image = tifffile.imread(DATA / "nuclei.ome.tiff")[100:160, 200:280]
    labels = np.zeros_like(image)
    labels[5:50, 10:60] = 3
    write(tmp_path / "i.ome.tiff", image, "YX", Channel={"Name": ["N"]})
    write(tmp_path / "l.ome.tiff", labels, "YX")
    (row,) = measure(tmp_path, tmp_path / "l.ome.tiff", tmp_path / "i.ome.tiff", "--texture-channels=N",
                     "--texture-levels=16")  # fmt: skip
    low, high = int(image.min()), int(image.max())
    levels = np.minimum((image - float(low)) * 16 // (high - low), 15).astype(np.uint8)[5:50, 10:60]
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    matrices = graycomatrix(levels, [1], angles, levels=16, symmetric=True, normed=True)
    for ours, theirs in SKIMAGE_NAMES.items():
        expected = graycoprops(matrices, theirs).mean()
        assert float(row[f"haralick_{ours}_N"]) == pytest.approx(expected), ours
    assert float(row["haralick_entropy_N"]) == pytest.approx(graycoprops(matrices, "entropy").mean() / np.log(2))


def test_texture_of_a_pixel_is_empty_and_of_a_flat_object_defined(tmp_path):
    labels = np.zeros((20, 20), np.uint16)
    labels[2, 2], labels[5:9, 5:9] = 1, 2
    write(tmp_path / "l.ome.tiff", labels, "YX")
    image = write(tmp_path / "i.ome.tiff", np.full((20, 20), 7, np.uint8), "YX", Channel={"Name": ["A"]})
    pixel, flat = measure(tmp_path, tmp_path / "l.ome.tiff", image, "--texture-channels=all")
    assert pixel["haralick_contrast_A"] == ""
    assert (flat["haralick_contrast_A"], flat["haralick_correlation_A"], flat["haralick_energy_A"]) == (
        "0.0",
        "1.0",
        "1.0",
    )


def test_texture_range_is_the_given_one(tmp_path):
    labels = np.ones((8, 8), np.uint8)
    image = np.tile(np.array([0, 100], np.uint8), (8, 4))
    write(tmp_path / "l.ome.tiff", labels, "YX")
    write(tmp_path / "i.ome.tiff", image, "YX", Channel={"Name": ["A"]})
    options = ["--texture-channels=A", "--texture-levels=4"]
    (own,) = measure(tmp_path, tmp_path / "l.ome.tiff", tmp_path / "i.ome.tiff", *options)
    (wide,) = measure(tmp_path, tmp_path / "l.ome.tiff", tmp_path / "i.ome.tiff", *options, "--texture-high=400")
    assert float(own["haralick_contrast_A"]) > float(wide["haralick_contrast_A"]) > 0


def test_texture_needs_an_image(tmp_path):
    with pytest.raises(UserError, match="no image was given"):
        measure(tmp_path, DATA / "nuclei_truth.ome.tiff", None, "--texture-channels=all")
