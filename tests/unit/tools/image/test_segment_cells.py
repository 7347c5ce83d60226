"""segment_objects with cells around nuclei: labels, time points, what is refused."""

from pathlib import Path

import numpy as np
import pytest
import segment_objects
import tifffile

from bioimage_suite.core.errors import UserError


def cells_of(tmp_path: Path, image: Path, *options: str) -> tuple[np.ndarray, np.ndarray]:
    nuclei, cells = tmp_path / "nuclei.tiff", tmp_path / "cells.tiff"
    segment_objects.main(
        ["--image", str(image), "--output", str(nuclei), "--output-cells", str(cells), "--seeds=none", *options]
    )
    return tifffile.imread(nuclei), tifffile.imread(cells)


def two_channels(path: Path, depth: int) -> Path:
    stack = np.zeros((2, depth, 60, 80), np.uint16)
    middle = slice(depth // 3, depth // 3 + max(1, depth // 2))
    stack[0, middle, 25:35, 15:25] = stack[0, middle, 25:35, 55:65] = 1000
    stack[1, :, 10:50, 5:75] = 500
    stack[1, :, :, 40] //= 2
    stack[1, :, 52:58, 5:75] = 500  # without a nucleus
    tifffile.imwrite(path, stack, ome=True, photometric="minisblack",
                     metadata={"axes": "CZYX", "Channel": {"Name": ["DAPI", "Actin"]}})  # fmt: skip
    return path


@pytest.mark.parametrize("depth", [1, 6])
def test_each_nucleus_gets_the_cell_of_its_label(tmp_path, depth):
    image = two_channels(tmp_path / "two.ome.tiff", depth)
    nuclei, cells = cells_of(
        tmp_path, image, "--smoothing-sigma=0", "--volume", "--cells-by=channel", "--cell-channel=actin",
        "--cell-method=manual", "--cell-manual-threshold=100",
    )  # fmt: skip
    assert nuclei.max() == cells.max() == 2
    np.testing.assert_array_equal(cells[nuclei > 0], nuclei[nuclei > 0])
    plane = cells if depth == 1 else cells[0]
    assert set(plane[10:50, 5:39].ravel()) == {1}
    assert set(plane[10:50, 42:75].ravel()) == {2}
    assert plane[52:58].max() == 0


def test_one_time_point_after_the_other(tmp_path):
    movie = np.zeros((2, 40, 40), np.uint16)
    movie[0, 5:12, 5:12] = movie[1, 20:27, 20:27] = 900
    tifffile.imwrite(tmp_path / "m.ome.tiff", movie, ome=True, photometric="minisblack", metadata={"axes": "TYX"})
    nuclei, cells = cells_of(tmp_path, tmp_path / "m.ome.tiff", "--cells-by=distance", "--cell-distance=3")
    for t in range(2):
        assert set(np.unique(cells[t])) == {0, t + 1}
        assert (cells[t] > 0).sum() > (nuclei[t] > 0).sum()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cells-by=distance"], "no distance was given"),
        (["--cells-by=distance", "--cell-distance=0"], "between 1 and 1000"),
        (["--cells-by=channel", "--cell-method=manual"], "no grey level"),
        (["--cells-by=channel", "--cell-channel=Cy5"], "does not exist"),
    ],
)
def test_bad_options_leave_no_output(tmp_path, options, message):
    image = two_channels(tmp_path / "two.ome.tiff", 1)
    with pytest.raises(UserError, match=message):
        cells_of(tmp_path, image, *options)
    assert [file.name for file in tmp_path.iterdir()] == ["two.ome.tiff"]
