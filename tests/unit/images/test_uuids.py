"""UUIDs of written images: made from their content, so that the same input gives the same file and no two share one."""

import re

import numpy as np
import pytest
import tifffile

from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.ome_tiff import write_ome_tiff
from bioimage_suite.images.writers.ome_zarr import METADATA_FILE, write_zarr_image


@pytest.mark.parametrize("form", ["tiff", "zarr"])
def test_the_uuid_tells_pixels_apart_and_is_the_same_for_the_same(form, tmp_path):
    found = []
    for number, value in enumerate((1, 2, 1)):
        (tmp_path / str(number)).mkdir()
        source = tmp_path / str(number) / "a.tiff"
        tifffile.imwrite(source, np.full((2, 700, 700), value, np.uint8), photometric="minisblack")
        image = open_image(source)
        if form == "tiff":
            write_ome_tiff(tmp_path / f"{number}.tiff", image)
            xml = tifffile.TiffFile(tmp_path / f"{number}.tiff").ome_metadata
            np.testing.assert_array_equal(open_image(tmp_path / f"{number}.tiff").read_plane(1), value)
        else:
            write_zarr_image(tmp_path / f"{number}.zarr", image, "0.5")
            xml = (tmp_path / f"{number}.zarr" / METADATA_FILE).read_text()
        found.append(re.search("urn:uuid:[0-9a-f-]{36}", xml)[0])
    assert found[0] == found[2] != found[1]
