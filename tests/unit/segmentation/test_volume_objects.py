"""Smoothing, holes and components of volumes as scipy and scikit-image have them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.segmentation import volume_objects
from bioimage_suite.segmentation.foreground_mask import ForegroundOptions
from bioimage_suite.segmentation.split_objects import SplitOptions
from tests.unit.segmentation.round_objects import balls


@pytest.mark.parametrize("z_step", [1.0, 2.5])
def test_smoothing_is_scikit_images_gaussian_rounded(z_step):
    from skimage.filters import gaussian

    volume = balls()
    options = ForegroundOptions(smoothing_sigma=1.5)
    found = volume_objects.smoothed_volume(lambda z: volume[z], volume.shape, options, z_step)
    expected = gaussian(volume, (1.5 / z_step, 1.5, 1.5), preserve_range=True)
    assert found.dtype == np.uint16
    assert np.abs(found - expected).max() <= 0.51


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(2, 8), st.integers(1, 20), st.integers(1, 20)),
    density=st.floats(0.2, 0.9),
)
def test_holes_and_components_are_those_of_scipy(seed, shape, density):
    from scipy import ndimage

    volume = (np.random.default_rng(seed).random(shape) < density).astype(np.uint16)
    mask = volume_objects.foreground_volume(volume, ForegroundOptions(method="manual", manual_threshold=0.5), 0.5)
    np.testing.assert_array_equal(mask, ndimage.binary_fill_holes(volume))
    labels = np.stack(list(volume_objects.label_volume(mask, SplitOptions(seeds="none", min_area=1), 1, 1.0)))
    np.testing.assert_array_equal(labels, ndimage.label(mask)[0])
