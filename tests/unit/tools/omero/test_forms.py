"""Every choice that the forms of omero_find and omero_export_images offer is one that their scripts know.

A choice that could never match was a defect of the tools before these.
"""

import re
from xml.etree import ElementTree

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.ome_zarr.metadata import VERSIONS
from bioimage_suite.omero.images import filters as image_filters
from bioimage_suite.omero.images import find_columns
from bioimage_suite.omero.images import pixels as omero_pixels
from bioimage_suite.omero.images import views as image_views
from scripts.suite_files import TOOLS, tool_xml
from tests.unit.omero.image_details import details


def options(tool: str, *path: str) -> list[str]:
    """Values of the select that stands at a path of names, conditionals, repeats and `when` values."""
    place = ElementTree.parse(tool_xml(tool)).getroot().find("inputs")
    for step in path:
        place = next(one for one in place if step in (one.get("name"), one.get("value"), one.get("macro")))
        if place.tag == "expand":
            macros = ElementTree.parse(TOOLS / "macros" / "omero.xml").getroot()
            place = next(one for one in macros if one.get("name") == step)
    return [option.get("value") for option in place.findall("option")]


CONDITION = ("sets", "conditions", "what")
FORMS = {
    "name": {"form": "glob", "pattern": "x"},
    "tag": {"tag": "x"},
    "key": {"key": "k", "compare": "present", "value": None},
    "date": {"date": "acquired", "since": "2024-01-01", "before": None},
    "owner": {"owner": "x"},
    "roi": {},
    "table": {},
    "size": {"axis": "x", "compare": ">=", "size": 3},
    "pixel_type": {"pixel_type": "bit"},
}


def read(kind: str, **changed: object) -> image_filters.Condition:
    what = {"kind": kind, **FORMS[kind], **changed}
    return image_filters.read_condition({"what": what, "negate": False})


def test_every_kind_of_condition_is_read():
    assert set(options("omero_find", *CONDITION, "kind")) == set(FORMS)
    assert [read(kind).negated() != read(kind) for kind in FORMS] == [True] * len(FORMS)


@pytest.mark.parametrize(
    ("kind", "name", "more"),
    [
        ("name", "form", {}),
        ("key", "compare", {"value": "2.5"}),
        ("date", "date", {}),
        ("size", "axis", {}),
        ("size", "compare", {}),
        ("pixel_type", "pixel_type", {}),
    ],
)
def test_every_choice_of_a_condition_gives_a_condition_of_its_own(kind, name, more):
    values = options("omero_find", *CONDITION, kind, name)
    found = [read(kind, **more, **{name: value}) for value in values]
    described = {(one.hql, one.parameters, one.key, None if one.hql else value)
                 for one, value in zip(found, values, strict=True)}  # fmt: skip
    assert len(described) == len(values) > 1


def test_pixel_types_are_omeros():
    assert set(options("omero_find", *CONDITION, "pixel_type", "pixel_type")) == set(omero_pixels._DTYPES)


def test_rows_and_columns_are_known():
    assert set(options("omero_find", "listing", "rows")) == {"image", *find_columns.ROW_KINDS}
    known = {"hierarchy", "sizes", "conditions", *find_columns.GROUPS}
    assert set(options("omero_find", "listing", "image", "columns")) == known


def test_choices_of_the_export_are_known():
    assert set(options("omero_export_images", "format", "ome_zarr", "version")) == set(VERSIONS)
    selection = ("format", "ome_tiff", "image_selection", "selection")
    for projection in options("omero_export_images", *selection, "projection"):
        chosen = image_views.read_selection({"projection": projection, "level": 0, "channels": None, "planes": ""})
        assert image_views.choose_view(details(), chosen, [(100, 60)]).projection == projection
    assert options("omero_export_images", *selection, "region", "kind") == ["all", "rectangle", "rois"]


def test_a_value_is_needed_where_the_form_cannot_insist():
    with pytest.raises(UserError, match="'k': '' is not a number"):
        read("key", compare=">", value=None)


@pytest.mark.parametrize(
    ("name", "designation", "extension"),
    [
        ("Image_5_cell.tif.ome.tiff", "Image_5_cell.tif", "ome.tiff"),
        ("Plate_5_p.ome_zarr.zip", "Plate_5_p", "ome_zarr.zip"),
        ("Fileset_2_im.ome.tiff__zip", "Fileset_2_im.ome.tiff", "zip"),
        ("Image_2_im.ome.tiff__ome.tiff", "Image_2_im.ome.tiff", "ome.tiff"),
        ("Image_2_x.ome_zarr.zip__zip", "Image_2_x.ome_zarr.zip", "zip"),
        ("Image_2_cell.czi__data", "Image_2_cell.czi", "data"),
    ],
)
def test_galaxy_takes_each_file_for_what_it_is(name, designation, extension):
    """Galaxy takes the first pattern that fits the beginning of a name."""
    collection = ElementTree.parse(tool_xml("omero_export_images")).getroot().find("outputs/collection")
    for discover in collection:
        match = re.match(discover.get("pattern"), name)
        if match:
            found = match.groupdict()
            assert (found["designation"], found.get("ext", discover.get("format"))) == (designation, extension)
            return
    raise AssertionError(name)
