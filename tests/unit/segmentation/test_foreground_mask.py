"""Smoothing, background, thresholds and holes equal scikit-image's and scipy's definitions."""

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model import bands
from bioimage_suite.segmentation import foreground_mask, threshold_methods
from bioimage_suite.segmentation.foreground_mask import ForegroundOptions
from bioimage_suite.segmentation.split_objects import SplitOptions


def rows_of(plane: np.ndarray):
    return lambda first, last: plane[first:last]


def smoothed(plane: np.ndarray, options: ForegroundOptions) -> np.ndarray:
    return foreground_mask.smoothed_rows(rows_of(plane), len(plane), options, 0, len(plane))


def test_smoothing_is_scikit_images_gaussian_rounded(nuclei):
    from skimage.filters import gaussian

    expected = gaussian(nuclei, 1.5, preserve_range=True)
    found = smoothed(nuclei, ForegroundOptions(smoothing_sigma=1.5))
    assert found.dtype == np.uint16
    assert np.abs(found - expected).max() <= 0.501


def test_background_is_scikit_images_white_tophat(nuclei):
    from skimage.morphology import footprint_rectangle, white_tophat

    expected = white_tophat(nuclei, footprint_rectangle((21, 21)))
    found = smoothed(nuclei, ForegroundOptions(background_radius=10, smoothing_sigma=0))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("method", ["otsu", "li", "triangle"])
@pytest.mark.parametrize("scale", [1, 13])
def test_global_thresholds_equal_scikit_image(nuclei, method, scale):
    import skimage.filters

    plane = nuclei * np.uint16(scale)
    counts, levels = foreground_mask.histogram(rows_of(plane), *plane.shape)
    expected = getattr(skimage.filters, f"threshold_{method}")
    if method == "triangle":
        # scikit-image takes 256 bins; with one bin per level the image's own levels are the bins.
        wanted = expected(plane, nbins=int(plane.max()) - int(plane.min()) + 1)
        assert threshold_methods.global_threshold(method, counts, levels) == pytest.approx(wanted, abs=1)
    else:
        assert threshold_methods.global_threshold(method, counts, levels) == pytest.approx(expected(plane), rel=1e-9)


def test_multi_otsu_equals_scikit_image(nuclei):
    from skimage.filters import threshold_multiotsu

    counts, levels = foreground_mask.histogram(rows_of(nuclei), *nuclei.shape)
    assert threshold_methods.global_threshold("multi_otsu", counts, levels) == threshold_multiotsu(nuclei, 3)[-1]


def test_local_mean_equals_scikit_image(nuclei):
    from skimage.filters import threshold_local

    options = ForegroundOptions(0, 0, "local_mean", local_size=31, local_offset=-2.5, fill_holes=False)
    found = foreground_mask.foreground_mask(rows_of(nuclei), *nuclei.shape, options, np.nan)
    local = threshold_local(nuclei.astype(float), 31, method="mean", offset=-2.5)
    clear = np.abs(nuclei - local) > 1e-9  # ties are rounding noise in scikit-image, exact here
    np.testing.assert_array_equal(found[clear], (nuclei > local)[clear])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_local_otsu_equals_scikit_image(nuclei, dtype):
    from skimage.filters.rank import maximum, minimum, otsu

    plane = nuclei[:150, :140].astype(dtype) * (1 if dtype == np.uint8 else 7)
    low, high = (0, 255) if dtype == np.uint8 else (plane.min(), plane.max())
    levels = np.rint((plane - float(low)) * (255 / (float(high) - low))).astype(np.uint8)
    square = np.ones((31, 31))
    varied = maximum(levels, square) > minimum(levels, square)
    options = ForegroundOptions(0, 0, "local_otsu", local_size=31, local_offset=0.0, fill_holes=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_PIXELS", 1)
        found = foreground_mask.foreground_mask(rows_of(plane), *plane.shape, options, np.nan)
    np.testing.assert_array_equal(found, varied & (levels > otsu(levels, square)))


def test_offset_of_local_otsu_is_in_grey_levels():
    plane = np.full((60, 60), 1000, np.uint16)
    plane[20:40, 20:40] = 3000
    plane[50, 50] = 1100  # alone in its square: Otsu takes it, an offset does not
    counts = []
    for offset in (0, -200):
        options = ForegroundOptions(0, 0, "local_otsu", local_size=15, local_offset=offset, fill_holes=False)
        mask = foreground_mask.foreground_mask(rows_of(plane), *plane.shape, options, np.nan)
        assert mask[20, 20]
        counts.append(mask[45:, 45:].sum())
    assert counts == [1, 0]


def test_holes_are_those_of_scipy():
    from scipy.ndimage import binary_fill_holes

    rng = np.random.default_rng(0)
    plane = (rng.random((200, 150)) < 0.55).astype(np.uint8) * 100
    found = foreground_mask.foreground_mask(
        rows_of(plane), *plane.shape, ForegroundOptions(smoothing_sigma=0, method="manual", manual_threshold=50), 50
    )
    np.testing.assert_array_equal(found, binary_fill_holes(plane > 0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ForegroundOptions(method="manual"), "no grey level"),
        (ForegroundOptions(local_size=4), "odd number"),
        (ForegroundOptions(smoothing_sigma=-1), "between 0 and 100"),
        (ForegroundOptions(smoothing_sigma=float("nan")), "between 0 and 100"),
        (ForegroundOptions(background_radius=-1), "between 0 and 1000"),
        (SplitOptions(seeds="luck"), "unknown"),
        (SplitOptions(seed_distance=0), "between 1 and 1000"),
        (SplitOptions(min_area=-1), "negative"),
        (SplitOptions(min_area=9, max_area=8), "less than the minimum"),
    ],
)
def test_meaningless_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        options.check()
