"""Label maps for OMERO are read as every image is: any order of axes, whole numbers of any type, masks found out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.rois.label_map_file import describe_label_map, read_planes

if TYPE_CHECKING:
    from pathlib import Path

LABELS = np.random.default_rng(0).integers(0, 9, (2, 3, 20, 30))  # T, Z, Y, X


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "i8", "f2", "f4"])
@pytest.mark.parametrize("axes", ["TZYX", "ZTYX", "YXTZ"])
def test_planes_have_their_place(tmp_path: Path, axes: str, dtype: str):
    pixels = LABELS.transpose(["TZYX".index(axis) for axis in axes]).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, metadata={"axes": axes}, photometric="minisblack")
    file = describe_label_map("a", tmp_path / "a.tif")
    assert (file.size_t, file.size_z, file.size_y, file.size_x) == LABELS.shape
    for z, t, plane in read_planes(file):
        assert plane.dtype.kind in "iu"
        np.testing.assert_array_equal(plane, LABELS[t, z])


def test_truth_values_are_one_object(tmp_path: Path):
    tifffile.imwrite(tmp_path / "a.tif", LABELS[0, 0] > 4)
    [(_, _, plane)] = read_planes(describe_label_map("a", tmp_path / "a.tif"))
    np.testing.assert_array_equal(plane, (LABELS[0, 0] > 4).astype(np.uint8))


def test_a_mask_is_found_out(tmp_path: Path, capsys):
    tifffile.imwrite(tmp_path / "a.tif", (LABELS[0, 0] > 4) * np.uint8(255))
    describe_label_map("a", tmp_path / "a.tif")
    assert "as in a mask" in capsys.readouterr().out


@pytest.mark.parametrize(("pixels", "message"), [
    (LABELS[0, 0] / 2, "which is no label"), (-LABELS[0, 0], "is negative"), (np.zeros((0, 5), "u1"), "Image a"),
])  # fmt: skip
def test_what_is_no_label_map(tmp_path: Path, pixels: np.ndarray, message: str):
    tifffile.imwrite(tmp_path / "a.tif", pixels.astype("f4" if pixels.dtype.kind == "f" else "i4"))
    with pytest.raises(UserError, match=message):
        list(read_planes(describe_label_map("a", tmp_path / "a.tif")))
