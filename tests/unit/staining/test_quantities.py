"""Colour deconvolution and what is counted of it."""

import numpy as np
import pytest
import tifffile

from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.staining import quantities as stain_quantities
from bioimage_suite.staining.quantities import colour_of, otsu, palette_of, separate
from bioimage_suite.staining.vectors import (
    DAB,
    EOSIN,
    HEMATOXYLIN,
    STAIN_SETS,
    make_stains,
)
from tests.unit.staining.stained import options_for, stained


@pytest.mark.parametrize("options", [{}, {"tile": (16, 32), "compression": "zlib"}, {"planarconfig": "separate"},
                                     {"tile": (16, 16), "planarconfig": "separate"}])  # fmt: skip
def test_colour_is_read_whole(options, tmp_path):
    rgb = np.random.default_rng(0).integers(0, 255, (50, 70, 3), dtype=np.uint8)
    separate = options.get("planarconfig") == "separate"
    tifffile.imwrite(tmp_path / "a.tiff", rgb.transpose(2, 0, 1) if separate else rgb, photometric="rgb", **options)
    image = open_image(tmp_path / "a.tiff")
    assert (image.read_colour(0, 0, slice(5, 40), slice(3, 66)) == rgb[5:40, 3:66]).all()
    assert (image.read_region(0, 1, 0, slice(5, 40), slice(3, 66)) == rgb[5:40, 3:66, 1]).all()


def test_amounts_come_back():
    stains = make_stains(STAIN_SETS["h_dab"])
    amounts = np.zeros((40, 3), np.float64)
    amounts[:, 0], amounts[:, 1] = np.linspace(0, 0.8, 40), np.linspace(0.6, 0, 40)
    found, density = separate(stained(amounts, stains.vectors), options_for(stains))
    assert found == pytest.approx(amounts[:, :2], abs=0.02)
    assert density == pytest.approx((amounts @ stains.vectors).mean(axis=1), abs=0.01)


def test_equal_to_scikit_image():
    from skimage.color import rgb2hed

    rgb = np.random.default_rng(0).integers(1, 256, (50, 60, 3), dtype=np.uint8)
    # scikit-image takes the logarithm to the base of a millionth, and vectors as published, not of length 1.
    lengths = np.linalg.norm([HEMATOXYLIN, EOSIN, DAB], axis=1)
    expected = rgb2hed(rgb) * 6 * lengths
    found, _ = separate(rgb, options_for(make_stains(STAIN_SETS["h_e_dab"])))
    assert found == pytest.approx(expected, abs=2e-6)


def test_both_ways_to_count_colours_agree(tmp_path, monkeypatch):
    rgb = np.random.default_rng(1).integers(0, 7, (1500, 1100, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tiff", rgb, photometric="rgb", tile=(256, 256), compression="zlib")
    image = open_image(tmp_path / "a.tiff")
    sorted_ = palette_of(image)
    monkeypatch.setattr(stain_quantities, "SORTED_PIXELS", 0)
    counted = palette_of(image)
    assert (sorted_.colours == counted.colours).all()
    assert (sorted_.counts == counted.counts).all()
    assert counted.counts.sum() == 1500 * 1100
    colours, counts = np.unique(rgb.reshape(-1, 3), axis=0, return_counts=True)
    assert (colours == counted.colours).all()
    assert (counts == counted.counts).all()


def test_otsu_is_scikit_images():
    from skimage.filters import threshold_otsu

    values = np.concatenate([np.random.default_rng(0).normal(m, 0.1, 5000) for m in (0.5, 1.2)]).clip(0)
    ours = otsu(values, np.ones(len(values)))
    assert ours == pytest.approx(threshold_otsu(values, 512), abs=2 * values.max() / 512)
    assert np.isnan(otsu(np.ones(5), np.ones(5)))
    assert np.isnan(otsu(np.zeros(0), np.zeros(0)))


def test_transparent_pixels_are_background(tmp_path):
    """Their colour does not count; half transparent ones are seen on white; opaque ones are as they are stored."""
    pixels = np.zeros((3, 40, 4), np.uint8)
    pixels[..., :3] = (120, 60, 141)
    pixels[1, :, 3], pixels[2, :, 3] = 128, 255
    tifffile.imwrite(tmp_path / "a.tiff", pixels, photometric="rgb", extrasamples=["unassalpha"])
    colours = colour_of(open_image(tmp_path / "a.tiff"), slice(0, 3), slice(0, 40))
    assert colours[:, 7].tolist() == [[255, 255, 255], [187, 157, 198], [120, 60, 141]]
    palette = palette_of(open_image(tmp_path / "a.tiff"))
    assert palette.counts.tolist() == [40, 40, 40]
