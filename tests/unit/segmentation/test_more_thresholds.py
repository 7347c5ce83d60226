"""Yen, Isodata and hysteresis equal scikit-image's; dark objects are the bright ones of the inverted image."""

import numpy as np
import pytest
import segment_objects
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.segmentation import dark_objects, foreground_mask, threshold_methods, volume_objects
from bioimage_suite.segmentation.foreground_mask import ForegroundOptions

HYSTERESIS = ForegroundOptions(0, 0, "hysteresis", manual_threshold=90, low_threshold=60, fill_holes=False)


def rows_of(plane: np.ndarray):
    return lambda first, last: plane[first:last]


@pytest.mark.parametrize("scale", [1, 13])
def test_yen_and_isodata_equal_scikit_image(nuclei, scale):
    from skimage.filters import threshold_isodata, threshold_yen

    plane = nuclei * np.uint16(scale)
    counts, levels = foreground_mask.histogram(rows_of(plane), *plane.shape)
    used = slice(int(plane.min()), int(plane.max()) + 1)  # Isodata of scikit-image needs bins of equal width
    yen, isodata = (threshold_methods.global_threshold(one, counts, levels) for one in ("yen", "isodata"))
    assert yen == threshold_yen(hist=(counts[used], levels[used]))
    assert int(isodata) == threshold_isodata(hist=(counts[used], levels[used]))


def test_isodata_lies_midway_between_the_means_of_decimal_numbers():
    counts, levels = np.array([3, 1, 2]), np.array([0.0, 0.1, 1.0])
    threshold = threshold_methods.isodata_threshold(counts, levels)
    assert threshold == pytest.approx((0.1 / 4 + 1.0) / 2)


def test_hysteresis_equals_scikit_image_in_2d_and_3d():
    from scipy.ndimage import gaussian_filter
    from skimage.filters import apply_hysteresis_threshold

    noise = gaussian_filter(np.random.default_rng(5).random((6, 70, 80)), 1.5)
    volume = ((noise - noise.min()) / np.ptp(noise) * 120).astype(np.uint8)
    plane = volume[3]
    found = foreground_mask.foreground_mask(rows_of(plane), *plane.shape, HYSTERESIS, 90)
    np.testing.assert_array_equal(found, apply_hysteresis_threshold(plane, 60.5, 90.5))
    assert 0 < found.sum() < (plane > 60).sum()
    solid = volume_objects.foreground_volume(volume, HYSTERESIS, 90)
    np.testing.assert_array_equal(solid, apply_hysteresis_threshold(volume, 60.5, 90.5))


def run(tmp_path, pixels, *options, axes="YX"):
    source, output = tmp_path / "image.ome.tiff", tmp_path / "labels.ome.tiff"
    tifffile.imwrite(source, pixels, ome=True, photometric="minisblack", metadata={"axes": axes})
    segment_objects.main(["--image", str(source), "--output", str(output), *options])
    return tifffile.imread(output)


def test_hysteresis_takes_both_levels_of_multi_otsu(tmp_path, nuclei):
    from skimage.filters import apply_hysteresis_threshold, threshold_multiotsu

    labels = run(tmp_path, nuclei, "--method=hysteresis", "--smoothing-sigma=0", "--seeds=none", "--keep-holes",
                 "--min-area=0")  # fmt: skip
    low, high = threshold_multiotsu(nuclei, 3)
    np.testing.assert_array_equal(labels > 0, apply_hysteresis_threshold(nuclei, low + 0.5, high + 0.5))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("more", [[], ["--method=yen"], ["--method=local_mean", "--background-radius=20"]])
def test_dark_objects_are_the_bright_ones_of_the_inverted_image(tmp_path, nuclei, dtype, more):
    bright = (nuclei[:128, :128] // 2).astype(dtype)
    dark = dark_objects.top_of(bright.dtype) - bright.astype(np.int64)
    expected = run(tmp_path, bright, *more)
    assert expected.max() >= 3
    np.testing.assert_array_equal(run(tmp_path, dark.astype(dtype), "--dark", *more), expected)


def test_levels_of_dark_objects_are_those_of_the_image(tmp_path, capsys):
    pixels = np.full((40, 40), 200, np.uint8)
    pixels[5:20, 5:20], pixels[25:35, 25:35] = 50, 120
    options = ["--dark", "--smoothing-sigma=0", "--min-area=0"]
    assert run(tmp_path, pixels, *options, "--method=manual", "--manual-threshold=100").max() == 1
    assert "threshold 100, 1 objects" in capsys.readouterr().out
    assert (
        run(tmp_path, pixels, *options, "--method=hysteresis", "--manual-threshold=60", "--low-threshold=150").max()
        == 1
    )
    with pytest.raises(
        UserError, match=r"hysteresis 60 and 150: the first, of the dim parts, must be above the second"
    ):
        run(tmp_path, pixels, *options, "--method=hysteresis", "--manual-threshold=150", "--low-threshold=60")


def test_one_threshold_of_a_list_of_dark_images(tmp_path):
    pale, strong = np.full((2, 40, 40), 200, np.uint8)
    pale[5:15, 5:15], strong[5:15, 5:15] = 160, 20
    paths = [tmp_path / "pale.tiff", tmp_path / "strong.tiff"]
    for path, pixels in zip(paths, (pale, strong), strict=True):
        tifffile.imwrite(path, pixels)
    shared = ["--dark", "--smoothing-sigma=0", "--method=isodata", "--threshold-images", *map(str, paths)]
    assert [run(tmp_path, pixels, *shared).max() for pixels in (pale, strong)] == [0, 1]


def test_inverting_twice_gives_the_pixels_back(tmp_path):
    for dtype in ("uint8", "int8", "uint32", "int16", "float64"):
        limits = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else np.finfo(np.float32)
        pixels = np.array([[limits.min, 0, 1], [limits.max, 7, 9]], dtype)
        tifffile.imwrite(tmp_path / "a.tiff", pixels)
        twice = dark_objects.inverted(dark_objects.inverted(open_image(tmp_path / "a.tiff")))
        np.testing.assert_array_equal(twice.read_plane(), pixels)
        assert twice.read_plane().dtype == pixels.dtype
