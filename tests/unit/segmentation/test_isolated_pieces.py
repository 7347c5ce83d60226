"""Isolated pieces are flipped band by band as in the whole plane."""

from unittest import mock

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bioimage_suite.segmentation import isolated_pieces


def in_bands(heights: list[int]):
    """Let planes be cut into bands of these heights; the last one takes what is left."""

    def bands(height: int, _width: int) -> list[tuple[int, int]]:
        cuts = [cut for cut in np.cumsum(heights).tolist() if cut < height]
        return list(zip([0, *cuts], [*cuts, height], strict=True))

    return mock.patch.object(isolated_pieces, "bands", bands)


PLANES = given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 30)),
    share=st.floats(0.2, 0.9),
    heights=st.lists(st.integers(1, 9), max_size=40),
)


@settings(max_examples=200)
@PLANES
@example(seed=0, shape=(1, 1), share=0.5, heights=[])
def test_bands_of_any_height_fill_the_holes_of_the_plane(seed, shape, share, heights):
    from scipy.ndimage import binary_fill_holes

    mask = np.random.default_rng(seed).random(shape) < share
    found = mask.astype(np.uint8)
    with in_bands(heights):
        isolated_pieces.fill_holes(found)
    np.testing.assert_array_equal(found.view(bool), binary_fill_holes(mask))


@settings(max_examples=100)
@PLANES
def test_bands_of_any_height_keep_the_components_with_a_core(seed, shape, share, heights):
    from skimage.filters import apply_hysteresis_threshold

    grey = np.random.default_rng(seed).random(shape)
    found = (grey > 1 - share).astype(np.uint8)
    with in_bands(heights):
        isolated_pieces.flip_isolated(found, 1, lambda first, last: [grey[first:last] > 0.97])
    np.testing.assert_array_equal(found.view(bool), apply_hysteresis_threshold(grey, 1 - share, max(0.97, 1 - share)))


def test_a_hole_over_many_bands_is_filled_unless_a_path_leads_out():
    comb = np.ones((60, 60), np.uint8)
    comb[5:55, 5:55:4] = 0  # columns of background
    comb[5, 5:55] = 0  # which one row joins
    filled, opened = comb.copy(), comb.copy()
    opened[54:, 9] = 0  # one column is open below
    expected = opened.copy()
    with in_bands([7] * 9):
        isolated_pieces.fill_holes(filled)
        isolated_pieces.fill_holes(opened)
    assert filled.all()
    np.testing.assert_array_equal(opened, expected)
