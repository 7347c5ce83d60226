"""Colour deconvolution and what is counted of it."""

import numpy as np
import pytest
import tifffile
from image_file import open_image


@pytest.mark.parametrize("options", [{}, {"tile": (16, 32), "compression": "zlib"}, {"planarconfig": "separate"},
                                     {"tile": (16, 16), "planarconfig": "separate"}])  # fmt: skip
def test_colour_is_read_whole(options, tmp_path):
    rgb = np.random.default_rng(0).integers(0, 255, (50, 70, 3), dtype=np.uint8)
    separate = options.get("planarconfig") == "separate"
    tifffile.imwrite(tmp_path / "a.tiff", rgb.transpose(2, 0, 1) if separate else rgb, photometric="rgb", **options)
    image = open_image(tmp_path / "a.tiff")
    assert (image.read_colour(0, 0, slice(5, 40), slice(3, 66)) == rgb[5:40, 3:66]).all()
    assert (image.read_region(0, 1, 0, slice(5, 40), slice(3, 66)) == rgb[5:40, 3:66, 1]).all()
