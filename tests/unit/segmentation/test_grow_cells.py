"""Cells around nuclei: equal to scikit-image's watershed and expand_labels on the whole image, whatever the bands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.images.model import bands
from bioimage_suite.segmentation import grow_cells
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
        patch.setattr(bands, "BAND_PIXELS", 1)
        np.testing.assert_array_equal(grown(nuclei, channel, options, 400.0), expected)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), distance=st.integers(1, 40))
def test_cells_by_distance_are_expanded_labels(seed, distance):
    from skimage.segmentation import expand_labels

    nuclei = random_nuclei(np.random.default_rng(seed), (300, 40))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND_PIXELS", 1)
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
