"""Pictures of objects: outlines where objects end, stretched grey levels, planes of any size."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.figures import object_pictures
from bioimage_suite.figures.object_pictures import Found, View
from bioimage_suite.images.model import bands
from bioimage_suite.images.readers.opening import open_image

DATA = Path(__file__).parents[3] / "test-data"
NUCLEI, TRUTH = DATA / "nuclei.ome.tiff", DATA / "nuclei_truth.ome.tiff"


def test_outline_is_the_rim_of_each_object():
    labels = np.zeros((9, 12), np.int32)
    labels[2:7, 2:6], labels[2:7, 6:10] = 1, 2
    drawn = object_pictures.with_outlines(np.zeros((9, 12, 3), np.uint8), labels).any(axis=2)
    expected = labels > 0
    expected[3:6, 3:5] = expected[3:6, 7:9] = False
    np.testing.assert_array_equal(drawn, expected)


def test_stretch_ignores_hot_pixels_and_survives_anything():
    plane = np.tile(np.arange(100, dtype=np.float32), (100, 1))
    plane[0, 0] = 1e9
    grey = object_pictures.stretched(plane)
    assert grey[:, 99].min() == 255
    assert grey[1:, 0].max() == 0
    assert object_pictures.stretched(np.full((5, 5), 7)).max() == 0
    assert object_pictures.stretched(np.array([[np.nan, 1.0]])).max() == 255
    sparse = np.zeros((100, 100), np.uint16)
    sparse[5, 5] = 9
    assert object_pictures.stretched(sparse).max() == 255


@pytest.mark.parametrize(("channel", "image"), [("0", NUCLEI), ("colour", DATA / "ihc.png")])
def test_a_plane_too_large_for_memory_gives_the_same_picture(channel, image, monkeypatch):
    whole = object_pictures.draw_objects(open_image(image), Found(), View(channel, 64))
    monkeypatch.setattr(object_pictures, "MOST_PIXELS", 128 * 128)
    monkeypatch.setattr(object_pictures, "BAND_PIXELS", 4096)
    banded = object_pictures.draw_objects(open_image(image), Found(), View(channel, 64))
    assert banded.grey.shape == whole.grey.shape
    # Hot pixels are averaged before black and white are chosen.
    assert np.abs(banded.grey.astype(int) - whole.grey).mean() < (2 if channel == "colour" else 12)


def test_labels_are_sampled_band_by_band(monkeypatch):
    truth = tifffile.imread(TRUTH)
    monkeypatch.setattr(bands, "BAND_PIXELS", 1)
    for width, height in ((64, 64), (100, 37), (900, 700)):
        sampled = object_pictures._sampled(open_image(TRUTH), 0, 0, (width, height))
        expected = truth[np.arange(height) * 512 // height][:, np.arange(width) * 512 // width]
        np.testing.assert_array_equal(sampled, expected)
    assert object_pictures._count(open_image(TRUTH)) == 125


def test_stack_counts_all_planes_and_says_which_is_shown(tmp_path):
    labels = np.zeros((2, 1, 3, 64, 80), np.uint16)
    for number, (t, z) in enumerate(np.ndindex(2, 3), 1):
        labels[t, 0, z, 10:20, 10:20] = number
    tifffile.imwrite(tmp_path / "l.ome.tiff", labels, ome=True, photometric="minisblack", metadata={"axes": "TCZYX"})
    picture = object_pictures.draw_objects(
        open_image(DATA / "synthetic_tczyx.ome.tiff"),
        Found(open_image(tmp_path / "l.ome.tiff")),
        View("DAPI", 160),
    )
    assert (picture.objects, picture.place) == (6, "z 1 of 3, t 0 of 2")
    assert picture.outlined.shape == (128, 160, 3)


def test_colour_images_keep_their_colours():
    image = open_image(DATA / "synthetic_rgb.png")
    picture = object_pictures.draw_objects(image, Found(), View("colour", max(image.size_y, image.size_x)))
    np.testing.assert_array_equal(picture.grey, image.read_colour(0, 0, slice(0, image.size_y), slice(0, image.size_x)))
    with pytest.raises(UserError, match="no colours"):
        object_pictures.draw_objects(open_image(NUCLEI), Found(), View("colour"))
