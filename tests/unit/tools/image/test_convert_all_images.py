"""convert_image makes a file of each image of a file with several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import convert_image
import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = {
    "left": np.arange(48, dtype=np.uint8).reshape(6, 8),
    "a/b: <right>": np.arange(90, dtype=np.uint16).reshape(9, 10),
}


@pytest.fixture
def several(tmp_path: Path) -> Path:
    with tifffile.TiffWriter(tmp_path / "several.ome.tif", ome=True) as tiff:
        for name, pixels in IMAGES.items():
            tiff.write(pixels, metadata={"axes": "YX", "Name": name, "PhysicalSizeX": 0.5})
    return tmp_path / "several.ome.tif"


@pytest.mark.parametrize(("form", "suffix"), [("ome-tiff", ".ome.tiff"), ("ozx", ".ome_zarr.zip")])
def test_each_image_is_a_file(several: Path, tmp_path: Path, form: str, suffix: str, capsys):
    convert_image.main([f"--image={several}", "--image-name=several", "--all-images", f"--format={form}", "--check",
                        f"--output={tmp_path / 'images'}"])  # fmt: skip
    found = {path.name: open_image(path) for path in sorted((tmp_path / "images").iterdir())}
    assert list(found) == [f"several 0 left{suffix}", f"several 1 a_b_ _right_{suffix}"]
    for image, pixels in zip(found.values(), IMAGES.values(), strict=True):
        np.testing.assert_array_equal(image.read_plane(), pixels)
        assert image.micrometres("x") == 0.5
    assert capsys.readouterr().out.count("checked with") == 2


def test_one_image_is_a_list_of_one(tmp_path: Path):
    tifffile.imwrite(tmp_path / "a.tif", IMAGES["left"])
    convert_image.main(
        [f"--image={tmp_path / 'a.tif'}", "--all-images", "--format=ome-tiff", f"--output={tmp_path / 'b'}"]
    )
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["a.tif 0.ome.tiff"]


def test_folders_are_no_list(several: Path, tmp_path: Path):
    with pytest.raises(UserError, match=r"each becomes one file\. Choose OME-TIFF or \.ozx"):
        convert_image.main(
            [f"--image={several}", "--all-images", "--format=ome-zarr-0.5", f"--output={tmp_path / 'b'}"]
        )
    assert not (tmp_path / "b").exists()
