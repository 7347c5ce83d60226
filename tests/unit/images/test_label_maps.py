"""Label maps: whole numbers of any pixel type, a scale in the tags, and how one is told from an image."""

import json

import convert_image
import numpy as np
import pytest
import segment_objects
import tifffile
import zarr
from scipy import ndimage

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map, pieces_in, seems_label_map, write_label_map

LABELS = np.kron(np.arange(13).reshape(1, 13), np.ones((30, 10), int))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i8", "u8", "u1", "i4"])
def test_whole_numbers_of_any_type(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", LABELS.astype(dtype), photometric="minisblack")
    plane = as_label_map(open_image(tmp_path / "a.tif")).read_plane()
    assert plane.dtype.kind in "iu"
    np.testing.assert_array_equal(plane, LABELS)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(0.5, "f2"), (0.5, "f4"), (np.nan, "f4"), (np.inf, "f8"), (3e9, "f4")],
)
def test_other_numbers_are_refused(tmp_path, value, dtype):
    tifffile.imwrite(tmp_path / "a.tif", np.full((8, 8), value, dtype), photometric="minisblack")
    with pytest.raises(UserError, match="which is no label"):
        as_label_map(open_image(tmp_path / "a.tif")).read_plane()


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (LABELS.astype("u2"), True),
        ((LABELS > 5).astype("u1") * 255, True),
        (np.random.default_rng(0).poisson(3, (200, 200)).astype("u1"), False),
        (np.random.default_rng(0).integers(90, 110, (200, 200)).astype("u2"), False),
        (LABELS.astype("f4"), True),
        (np.random.default_rng(0).normal(9, 2, (200, 200)).astype("f4"), False),
        (np.where(LABELS > 3, np.nan, LABELS).astype("f4"), False),
        (np.zeros((50, 50), "u1"), False),
        (np.full((50, 50), 7, "u1"), False),
    ],
    ids=["labels", "mask", "photons", "camera", "float labels", "float", "not a number", "empty", "constant"],
)
def test_what_seems_a_label_map(tmp_path, pixels, expected):
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    assert seems_label_map(open_image(tmp_path / "a.tif")) == expected


@pytest.mark.parametrize(("value", "dtype"), [(2**31, "i8"), (2**32 - 1, "u4"), (2**63, "u8")])
def test_labels_that_no_file_of_ours_holds_are_not_written(tmp_path, value, dtype):
    tifffile.imwrite(tmp_path / "a.tif", np.full((8, 8), value, dtype), photometric="minisblack")
    labels = as_label_map(open_image(tmp_path / "a.tif"))
    assert labels.read_plane().max() == value
    with pytest.raises(UserError, match=f"label {value} is above 2,147,483,647"):
        write_label_map(tmp_path / "b.tif", [labels.read_plane()], labels)


PARTS = np.random.default_rng(3).random((60, 80)) > 0.6


@pytest.mark.parametrize(("pixels", "expected"), [
    (PARTS * np.uint8(255), True), (PARTS * np.uint16(65_535), True), (PARTS * np.uint16(255), True),
    (PARTS.astype("u1"), True), (LABELS.astype("u1"), False), (np.zeros((50, 50), "u1"), False),
    (PARTS * np.float32(255), True), (np.stack([np.zeros_like(PARTS), PARTS, PARTS]) * np.uint8(255), True),
])  # fmt: skip
def test_a_mask_is_found_out(tmp_path, pixels, expected, capsys):
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    as_label_map(open_image(tmp_path / "a.tif"))
    assert ("as in a mask: all objects have the same label" in capsys.readouterr().out) is expected


NOISE = np.random.default_rng(4).poisson(9, (90, 90))
CLASSES = np.random.default_rng(5).integers(0, 3, (20, 20)).repeat(9, 0).repeat(9, 1)


@pytest.mark.parametrize(
    "pixels", [NOISE.astype("u1"), (NOISE * 300 + 100).astype("u2"), NOISE.astype("i4"), NOISE.astype("f4")]
)
def test_an_image_in_place_of_a_label_map_is_refused(tmp_path, pixels):
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    with pytest.raises(
        UserError, match=r"its \d+ labels are in about \d,\d+ pieces, as grey values are. Was the image"
    ):
        as_label_map(open_image(tmp_path / "a.tif", "a"))


def test_labels_in_many_pieces_are_carried_with_a_note(tmp_path, capsys):
    tifffile.imwrite(tmp_path / "a.tif", NOISE.astype("u2"), photometric="minisblack")
    labels = as_label_map(open_image(tmp_path / "a.tif", "a"), carried=True)
    np.testing.assert_array_equal(labels.read_plane(), NOISE)
    said = capsys.readouterr().out
    assert said.startswith("NOTE: Label map a: its ")
    assert "pieces, as grey values are. Was the image given in its place?" in said


def test_regions_may_be_a_mask_but_no_grey_values(tmp_path, capsys):
    for name, pixels in (("mask", PARTS * np.uint8(255)), ("classes", CLASSES.astype("u1"))):
        tifffile.imwrite(tmp_path / name, pixels, photometric="minisblack")
        as_label_map(open_image(tmp_path / name), regions=True)
    assert capsys.readouterr().out == ""
    tifffile.imwrite(tmp_path / "grey", NOISE.astype("u2"), photometric="minisblack")
    with pytest.raises(UserError, match="as grey values are"):
        as_label_map(open_image(tmp_path / "grey"), regions=True)


def test_a_map_of_classes_is_noted_and_taken(tmp_path, capsys):
    tifffile.imwrite(tmp_path / "a.tif", CLASSES.astype("u1"), photometric="minisblack")
    np.testing.assert_array_equal(as_label_map(open_image(tmp_path / "a.tif")).read_plane(), CLASSES)
    assert "NOTE: Label map a.tif: 2 labels are in about" in capsys.readouterr().out


@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_blocks_are_counted_as_they_are(seed):
    blocks = np.random.default_rng(seed).integers(0, 50, (6, 7))
    pixels = blocks.repeat(4, 0).repeat(5, 1)
    separate = np.kron(blocks, np.pad(np.ones((3, 4), int), ((0, 1), (0, 1))))
    assert pieces_in(separate) == (np.count_nonzero(blocks), 1.0)
    pieces, same = pieces_in(pixels)
    parts = sum(ndimage.label(pixels == value)[1] for value in np.unique(blocks[blocks > 0]))
    assert parts <= pieces <= np.count_nonzero(blocks)
    assert 0.7 < same <= 1


def test_the_remedy_for_a_mask_gives_each_part_a_label(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", PARTS * np.uint8(255), photometric="minisblack")
    segment_objects.main([
        f"--image={tmp_path / 'a.tif'}", "--method=manual", "--manual-threshold=127", "--smoothing-sigma=0",
        "--seeds=none", "--min-area=1", "--keep-holes", f"--output={tmp_path / 'b.tif'}",
    ])  # fmt: skip
    np.testing.assert_array_equal(open_image(tmp_path / "b.tif").read_plane(), ndimage.label(PARTS)[0])


def test_a_plate_of_label_maps_has_smaller_levels_of_labels(tmp_path, capsys):
    labels = 200 * np.kron(np.arange(300).reshape(15, 20), np.ones((45, 45), int))
    tifffile.imwrite(tmp_path / "a.tif", labels.astype("u2"), photometric="minisblack")
    (tmp_path / "wells.tsv").write_text("image\twell\na\tA1\n")
    (tmp_path / "list.json").write_text(json.dumps([["a", str(tmp_path / "a.tif")]]))
    convert_image.main([
        f"--images={tmp_path / 'list.json'}", f"--layout={tmp_path / 'wells.tsv'}", "--format=ome-zarr-0.5",
        f"--output={tmp_path / 'plate'}", "--plate-name=p",
    ])  # fmt: skip
    assert "it looks like a label map; smaller levels take pixels" in capsys.readouterr().out
    small = zarr.open_array(tmp_path / "plate" / "A" / "1" / "0" / "1", mode="r")[:]
    assert set(np.unique(small)) <= set(np.unique(labels))
