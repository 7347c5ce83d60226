"""Label maps: whole numbers of any pixel type, a scale in the tags, and how one is told from an image."""

import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map, seems_label_map

LABELS = np.kron(np.arange(13).reshape(1, 13), np.ones((30, 10), int))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i8", "u1", "i4"])
def test_whole_numbers_of_any_type(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", LABELS.astype(dtype), photometric="minisblack")
    plane = as_label_map(open_image(tmp_path / "a.tif")).read_plane()
    assert plane.dtype.kind in "iu"
    np.testing.assert_array_equal(plane, LABELS)


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf, 3e9])
def test_other_numbers_are_refused(tmp_path, value):
    tifffile.imwrite(tmp_path / "a.tif", np.full((8, 8), value, "f4"), photometric="minisblack")
    with pytest.raises(UserError, match="which is no label"):
        as_label_map(open_image(tmp_path / "a.tif")).read_plane()


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (LABELS.astype("u2"), True),
        ((LABELS > 5).astype("u1") * 255, True),
        (np.random.default_rng(0).poisson(3, (200, 200)).astype("u1"), False),
        (np.random.default_rng(0).integers(90, 110, (200, 200)).astype("u2"), False),
        (LABELS.astype("f4"), False),
        (np.zeros((50, 50), "u1"), False),
        (np.full((50, 50), 7, "u1"), False),
    ],
    ids=["labels", "mask", "photons", "camera", "float", "empty", "constant"],
)
def test_what_seems_a_label_map(tmp_path, pixels, expected):
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    assert seems_label_map(open_image(tmp_path / "a.tif")) == expected
