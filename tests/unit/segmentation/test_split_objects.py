"""Touching objects are divided as scikit-image's watershed divides them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.segmentation import split_objects


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), shape=st.tuples(st.integers(1, 30), st.integers(1, 30)))
def test_the_kernel_divides_as_scikit_images_watershed(seed, shape):
    from skimage.segmentation import watershed

    rng = np.random.default_rng(seed)
    heights = rng.integers(0, 6, shape).astype(rng.choice(["f4", "f8"]))  # many pixels of one height
    inside = rng.random(shape) < 0.8
    markers = np.zeros(shape, np.int32)
    seeds = np.argwhere(inside & (rng.random(shape) < 0.1))
    markers[tuple(seeds.T)] = np.arange(1, len(seeds) + 1)
    expected = watershed(-heights, markers, mask=inside)
    np.testing.assert_array_equal(split_objects._watershed(heights, inside, seeds), expected)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), density=st.floats(0.001, 0.3), size=st.integers(1, 9))
def test_distances_by_component_are_those_of_the_plane(seed, density, size):
    from scipy.ndimage import binary_dilation, distance_transform_edt

    rng = np.random.default_rng(seed)
    mask = binary_dilation(rng.random((90, 80)) < density / size**2, np.ones((size, size)))
    window = split_objects.complete_window(mask, 0, 90, 5, 1)
    expected = distance_transform_edt(mask) if not mask.all() else None
    if expected is not None:
        found = split_objects._distance(mask.view(np.uint8), window)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
