"""Metadata of an OME-Zarr that are odd, wrong or older than its pixels: right values, none with a note, or an error."""

import json
import math

import numpy as np
import pytest
import zarr

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.ome_zarr.metadata import pixel_scale
from bioimage_suite.images.readers.opening import open_image, open_images

AXES = [
    {"name": "c", "type": "channel"},
    *({"name": axis, "type": "space", "unit": "micrometer"} for axis in "yx"),
]
PIXELS = np.arange(2 * 8 * 8, dtype=np.uint16).reshape(2, 8, 8)


def scale(*values):
    return {"type": "scale", "scale": list(values)}


def written(folder, version=2, dtype="<u2", pixels=PIXELS, **changed):
    """Write an image of two levels whose first level is described by other values where they are given."""
    group = zarr.open_group(folder, mode="w", zarr_format=version)
    levels = [
        {"path": "0", "coordinateTransformations": changed.pop("transformations", [scale(1, 0.5, 0.25)])},
        {"path": "1", "coordinateTransformations": [scale(1, 1, 0.5)]},
    ]
    multiscale = {"axes": changed.pop("axes", AXES), "datasets": changed.pop("order", lambda all_: all_)(levels)}
    described = {"multiscales": [multiscale | changed.pop("multiscale", {})], **changed}
    group.attrs.update(described if version == 2 else {"ome": {"version": "0.5", **described}})
    for name, level in (("0", pixels), ("1", pixels[..., ::2, ::2])):
        group.create_array(name, shape=level.shape, dtype=dtype, chunks=level.shape)[...] = level
    return folder


@pytest.fixture(params=[2, 3])
def version(request):
    return request.param


@pytest.mark.parametrize(
    "transformations",
    [None, [], {}, ["scale"], [{"type": "identity"}], [{"type": "translation", "translation": [1, 2, 3]}],
     [{"type": "affine", "affine": [[1]]}], [scale(1, 0.5, 0.25), {"type": "rotation"}], [{"type": "scale"}],
     [{"type": "scale", "path": "scales"}], [scale(1, 0.5)], [scale(1, 0.5, 0.25, 1)], [{"scale": [1, 1, 1]}],
     [{"type": "scale", "scale": "abc"}]],
)  # fmt: skip
def test_without_a_scale_that_is_understood_the_size_of_a_pixel_is_unknown(transformations, version, tmp_path, capsys):
    image = open_image(written(tmp_path / "a.zarr", version, transformations=transformations))
    assert image.physical_size == {}
    assert "what should give the size of its pixels" in capsys.readouterr().out
    np.testing.assert_array_equal(image.read_plane(c=1), PIXELS[1])


@pytest.mark.parametrize("value", ["0.5", "NaN", None, True, [1], math.nan, math.inf, 0, -1, 1e300])
def test_a_scale_that_is_no_extent_is_unknown_along_its_axis_alone(value, version, tmp_path, capsys):
    image = open_image(written(tmp_path / "a.zarr", version, transformations=[scale(1, value, 0.25)]))
    assert {axis: size.value for axis, size in image.physical_size.items()} == {"x": 0.25}
    assert "the physical size along y" in capsys.readouterr().out


@pytest.mark.parametrize("unit", [5, ["micrometer"], {}, "furlong"])
def test_a_unit_that_is_none_is_left_out(unit, version, tmp_path):
    axes = [AXES[0], AXES[1] | {"unit": unit}, AXES[2]]
    assert set(open_image(written(tmp_path / "a.zarr", version, axes=axes)).physical_size) == {"x"}


def test_the_scale_of_all_levels_counts():
    level = {"coordinateTransformations": [scale(1, 0.5, 0.25), {"type": "translation", "translation": [0, 9, 9]}]}
    assert pixel_scale({"coordinateTransformations": [scale(1, 2, 4)]}, level, 3) == [1, 1, 1]


def test_axes_that_are_names_alone_are_taken_as_such(version, tmp_path):
    image = open_image(written(tmp_path / "a.zarr", version, axes=["t", "y", "x"]))
    assert (image.size_t, image.size_c) == (2, 1)


def test_axes_without_names_are_taken_as_the_last_and_that_is_said(version, tmp_path, capsys):
    image = open_image(written(tmp_path / "a.zarr", version, axes=None))
    assert image.size_z == 2
    assert "its axes have no names and are taken as z, y, x" in capsys.readouterr().out


@pytest.mark.parametrize(
    "axes",
    [["y", "y", "x"], ["c", "x", "y"], ["c", "x"], "cyx", 7, [{"name": 1}] * 3, [{}] * 3, ["q", "y", "x"]],
)
def test_axes_that_are_not_those_of_the_array_are_refused(axes, version, tmp_path):
    with pytest.raises(UserError, match="do not fit an array of 3 dimensions that ends in y, x"):
        open_image(written(tmp_path / "a.zarr", version, axes=axes))


def test_an_axis_that_is_named_twice_is_refused(version, tmp_path):
    # Read as it says, channel and channel would be the diagonal of the two.
    pixels = np.arange(2 * 2 * 8 * 8, dtype=np.uint16).reshape(2, 2, 8, 8)
    with pytest.raises(UserError, match=r"its axes \['C', 'C', 'Y', 'X'\] do not fit"):
        open_image(written(tmp_path / "a.zarr", version, axes=["c", "c", "y", "x"], pixels=pixels))


def test_a_small_level_is_not_taken_for_the_full_resolution(version, tmp_path):
    with pytest.raises(UserError, match="its levels are not in order: the first, '1', has the shape"):
        open_image(written(tmp_path / "a.zarr", version, order=lambda levels: levels[::-1]))


def test_levels_that_are_not_read_may_be_missing(version, tmp_path):
    folder = written(tmp_path / "a.zarr", version)
    for file in (folder / "1").iterdir():
        if file.is_file():
            file.unlink()
    np.testing.assert_array_equal(open_image(folder).read_plane(), PIXELS[0])


@pytest.mark.parametrize(
    "omero", [None, [], "x", 7, {"channels": None}, {"channels": [None]}, {"channels": {"0": {}}}, {"channels": ["a"]}]
)
def test_an_image_is_whole_without_display_settings(omero, version, tmp_path):
    image = open_image(written(tmp_path / "a.zarr", version, omero=omero))
    assert image.channels == (None, None)
    assert image.details["omero"] is None


@pytest.mark.parametrize("dtype", [">u2", ">i4", ">f4"])
def test_pixels_have_the_byte_order_of_this_machine(dtype, version, tmp_path):
    image = open_image(written(tmp_path / "a.zarr", version, dtype=dtype))
    assert image.dtype.isnative
    assert image.read_plane().dtype.isnative
    np.testing.assert_array_equal(image.read_plane(c=1), PIXELS[1])


@pytest.mark.parametrize("change", [{"dtype": "<i2"}, {"order": "F"}, {"shape": [2, 8, 4]}, None])
def test_the_metadata_of_an_array_win_over_those_that_were_consolidated_once(change, tmp_path):
    folder = written(tmp_path / "a.zarr")
    zarr.consolidate_metadata(folder, zarr_format=2)
    consolidated = json.loads((folder / ".zmetadata").read_text())
    if change:
        consolidated["metadata"]["0/.zarray"].update(change)
    else:
        del consolidated["metadata"]["0/.zarray"]
    (folder / ".zmetadata").write_text(json.dumps(consolidated))
    image = open_image(folder)
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image.read_plane(c=1), PIXELS[1])


@pytest.fixture
def plate(tmp_path):
    """A plate of two wells with two fields each; pixels of a field have one value."""
    folder = tmp_path / "p.zarr"
    top = zarr.open_group(folder, mode="w", zarr_format=2)
    top.attrs["plate"] = {"rows": [{"name": "A"}], "columns": [{"name": "1"}, {"name": "2"}],
                          "wells": [{"path": "A/1"}, {"path": "A/2"}]}  # fmt: skip
    for column in (1, 2):
        top.require_group(f"A/{column}").attrs["well"] = {"images": [{"path": "0"}, {"path": "1"}]}
        for number in (0, 1):
            written(folder / f"A/{column}/{number}", pixels=np.full_like(PIXELS, 10 * column + number))
    return folder


def fields(folder):
    found = []
    for image in open_images(folder):
        facts = {key: value for _, key, value, _ in image.details["facts"]}
        found.append((int(image.read_plane()[0, 0]), facts["Well"], facts["Field"]))
    return found


EVERY = [(10, "A1", "1"), (11, "A1", "2"), (20, "A2", "1"), (21, "A2", "2")]


@pytest.mark.parametrize("path", ["A/1", "A/1/", "/A/1"])
def test_a_field_is_in_its_well_however_the_path_is_written(path, plate):
    zarr.open_group(plate).attrs["plate"] = {"wells": [{"path": path}, {"path": "A/2"}]}
    assert fields(plate) == EVERY


def test_a_field_that_is_listed_twice_is_refused(plate):
    zarr.open_group(plate).attrs["plate"] = {"wells": [{"path": "A/1"}, {"path": "A/2"}, {"path": "A/1"}]}
    with pytest.raises(UserError, match="the plate lists its image 'A/1/0' more than once"):
        open_images(plate)


def test_a_well_that_does_not_list_its_images_is_not_left_out(plate):
    (plate / "A/2/.zattrs").unlink()
    with pytest.raises(UserError, match="its well A/2 does not list its images"):
        open_images(plate)


def test_a_well_that_is_missing_is_named_without_the_place_of_the_file(plate):
    (plate / "A/2").rename(plate / "A/3")
    with pytest.raises(UserError, match=r"no group 'A/2' in it") as caught:
        open_images(plate)
    assert str(plate) not in str(caught.value)
