"""Cells around nuclei: equal to scikit-image's watershed and expand_labels on the whole image, whatever the bands."""

from pathlib import Path

import numpy as np
import pytest
import segment_objects
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.segmentation import foreground_mask, grow_cells
from bioimage_suite.segmentation.foreground_mask import ForegroundOptions
from bioimage_suite.segmentation.grow_cells import CellOptions


def random_nuclei(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    labels = np.zeros(shape, np.int32)
    for label in range(1, 9):
        corner = [rng.integers(0, size) for size in shape]
        labels[tuple(slice(at, at + 4) for at in corner)] = label
    return labels


def grown(nuclei: np.ndarray, channel: np.ndarray, options: CellOptions, threshold: float = 0.0) -> np.ndarray:
    bands = grow_cells.cell_bands(
        lambda first, last: nuclei[first:last], nuclei.shape, lambda first, last: channel[first:last], options,
        lambda _: threshold,
    )  # fmt: skip
    return np.vstack(list(bands))


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), distance=st.none() | st.integers(1, 30))
def test_cells_are_the_watershed_of_the_channel(seed, distance):
    from scipy.ndimage import distance_transform_edt
    from skimage.segmentation import watershed

    rng = np.random.default_rng(seed)
    nuclei = random_nuclei(rng, (300, 40))
    channel = rng.integers(0, 1000, nuclei.shape).astype(np.uint16)
    options = CellOptions("channel", ForegroundOptions(0, 0.0, "manual", 400.0, fill_holes=False), distance)
    mask = channel > 400
    if distance:
        mask &= distance_transform_edt(nuclei == 0) <= distance
    expected = watershed(-channel.astype(np.float32), nuclei, mask=mask | (nuclei > 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foreground_mask, "BAND_PIXELS", 1)
        np.testing.assert_array_equal(grown(nuclei, channel, options, 400.0), expected)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), distance=st.integers(1, 40))
def test_cells_by_distance_are_expanded_labels(seed, distance):
    from skimage.segmentation import expand_labels

    nuclei = random_nuclei(np.random.default_rng(seed), (300, 40))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foreground_mask, "BAND_PIXELS", 1)
        found = grown(nuclei, nuclei, CellOptions("distance", distance=distance))
    expected = expand_labels(nuclei, distance)
    np.testing.assert_array_equal(found > 0, expected > 0)
    # Pixels as far from one nucleus as from another may go to either.
    assert (found != expected).mean() < 0.02
    np.testing.assert_array_equal(found[nuclei > 0], nuclei[nuclei > 0])


@pytest.mark.parametrize("z_step", [1.0, 2.5])
def test_cells_of_a_volume(z_step):
    from scipy.ndimage import distance_transform_edt
    from skimage.segmentation import expand_labels, watershed

    rng = np.random.default_rng(3)
    nuclei = random_nuclei(rng, (9, 300, 30))
    channel = rng.integers(0, 1000, nuclei.shape).astype(np.uint16)
    options = CellOptions("channel", ForegroundOptions(0, 0.0, "manual", 400.0, fill_holes=False), 12)
    found = np.stack(list(grow_cells.cell_volume(nuclei, channel, options, 400.0, z_step)))
    near = distance_transform_edt(nuclei == 0, sampling=(z_step, 1, 1)) <= 12
    mask = ((channel > 400) & near) | (nuclei > 0)
    np.testing.assert_array_equal(found, watershed(-channel.astype(np.float32), nuclei, mask=mask))
    by_distance = np.stack(list(grow_cells.cell_volume(nuclei, None, CellOptions("distance", distance=6), 0, z_step)))
    np.testing.assert_array_equal(by_distance > 0, expand_labels(nuclei, 6, spacing=(z_step, 1, 1)) > 0)


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
