"""omero_find and omero_export_images on plates: wells by pattern, key-values and table, fields, acquisition runs."""

from pathlib import Path

import numpy as np
import omero
import omero_annotate
import omero_export_images
import omero_find
import pytest
from omero.rtypes import rint, rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.series import Reading
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.plates.mihcsme_workbook import write_workbook
from bioimage_suite.plates.wells import Well, Wells, read_wells
from tests.galaxy.seed_omero import link
from tests.omero.tool_support import Lab, named, read_rows, typed

PLANE = np.arange(12, dtype=np.uint8).reshape(3, 4)


def make_plate(lab: Lab, name: str, wells: dict[str, list[str]], run: str = "") -> dict[str, int]:
    """A plate with named images in wells such as (0, 1); returns ids of its wells by label."""
    from bioimage_suite.tables.plate_layout import parse_well

    plate = omero.model.PlateI()
    plate.name = rstring(name)
    plate_id = lab.save(plate)
    taken = None
    if run:
        taken = omero.model.PlateAcquisitionI()
        taken.name, taken.plate = rstring(run), omero.model.PlateI(plate_id, False)
        taken = omero.model.PlateAcquisitionI(lab.save(taken), False)
    ids = {}
    for label, images in wells.items():
        well = omero.model.WellI()
        well.row, well.column = map(rint, parse_well(label))
        well.plate = omero.model.PlateI(plate_id, False)
        for image in images:
            sample = omero.model.WellSampleI()
            sample.image, sample.plateAcquisition = omero.model.ImageI(lab.image(image, PLANE), False), taken
            well.addWellSample(sample)
        ids[label] = lab.save(well)
    return ids


def note(lab: Lab, well: int, **pairs: str) -> None:
    made = omero.model.MapAnnotationI()
    made.mapValue = [omero.model.NamedValue(key, value) for key, value in pairs.items()]
    child = omero.model.MapAnnotationI(lab.save(made), False)
    link(lab.session, "WellAnnotationLinkI", omero.model.WellI(well, False), child)


@pytest.fixture
def plate(lab: Lab) -> dict[str, int]:
    wells = {"A1": ["a1 f1", "a1 f2"], "A2": ["a2 f1"], "B12": ["b12 f1", "b12 f2", "b12 f3"], "AA3": ["aa3 f1"]}
    ids = make_plate(lab, "p", wells, run="day 1")
    note(lab, ids["A1"], compound="DMSO", dose="0")
    note(lab, ids["A2"], compound="X", dose="10")
    return ids


@pytest.fixture
def find(lab: Lab, tmp_path: Path):
    def run(**wells) -> list[dict[str, str]]:
        listing = {"rows": "image", "columns": ["hierarchy", "runs", "conditions"]}
        values = {"target": typed("plate", "p"), "wells": wells, "listing": listing}
        return read_rows(lab.run(omero_find, tmp_path, {"output": "out.tsv"}, **values)["output"])

    return run


@pytest.mark.usefixtures("plate")
@pytest.mark.parametrize(
    ("wells", "images"),
    [
        ({}, ["a1 f1", "a1 f2", "a2 f1", "b12 f1", "b12 f2", "b12 f3", "aa3 f1"]),
        ({"pattern": "A*"}, ["a1 f1", "a1 f2", "a2 f1"]),
        ({"pattern": "a02:b12"}, ["a2 f1", "b12 f1", "b12 f2", "b12 f3"]),
        ({"pattern": "AA03, A2"}, ["a2 f1", "aa3 f1"]),
        ({"fields": "2-3"}, ["a1 f2", "b12 f2", "b12 f3"]),
        ({"key_values": "compound=X\ndose=10"}, ["a2 f1"]),
        ({"key_values": "compound=X\ndose=0"}, []),
        ({"run": "day 1", "pattern": "A1", "fields": "1"}, ["a1 f1"]),
    ],
)
def test_places_choose_images(find, wells, images):
    assert [row["image_name"] for row in find(**wells)] == images


@pytest.mark.usefixtures("plate")
def test_a_table_of_hits_chooses_wells(find, tmp_path: Path):
    path = tmp_path / "hits.tsv"
    path.write_text("plate\twell\thit\np\tA02\tyes\nother\tA1\tyes\n")
    [row] = find(table=named("hits", path))
    assert (row["well"], row["run_name"], row["compound"], row["dose"]) == ("A2", "day 1", "X", "10")


@pytest.mark.usefixtures("plate")
def test_what_cannot_be_chosen_is_refused(lab: Lab, find):
    make_plate(lab, "no run", {"A1": ["x"]})
    for wells, message in (
        ({"pattern": "1A"}, "wells '1A': not a pattern"),
        ({"fields": "0"}, "fields '0'"),
        ({"key_values": "compound"}, "not of the form key=value"),
        ({"run": "day 2"}, "acquisition run 'day 2': the plates do not have it; they have .*'day 1'"),
    ):
        with pytest.raises(UserError, match=message):
            find(**wells)


def test_a_plate_without_a_run_says_so(lab: Lab, find):
    make_plate(lab, "p", {"A1": ["x"]})
    with pytest.raises(UserError, match="they have none, so leave this empty"):
        find(run="day 1")
    assert [row["run_id"] for row in find()] == [""]


@pytest.mark.usefixtures("plate")
def test_an_export_is_named_by_well_and_field(lab: Lab, tmp_path: Path):
    outputs = {"folder": "images", "metadata": "metadata.tsv"}
    form = {"kind": "ome_tiff", "names": "well"}
    values = {"target": typed("plate", "p"), "wells": {"pattern": "A*", "fields": "2"}, "format": form}
    made = lab.run(omero_export_images, tmp_path, outputs, **values)
    [row] = read_rows(made["metadata"])
    assert row["image"] == f"Image_{row['image_id']}_a1_f2_A01_f2"
    assert [file.name for file in made["folder"].iterdir()] == [f"{row['image']}.ome.tiff"]
    with pytest.raises(UserError, match="none of 7 images stands in those chosen; wells there: A1, A2, B12, AA3"):
        lab.run(omero_export_images, tmp_path, outputs, **(values | {"wells": {"pattern": "H*"}}))


def test_a_mihcsme_workbook_goes_to_wells_and_back(lab: Lab, find, tmp_path: Path):
    make_plate(lab, "p", {"A1": ["a"], "B2": ["b"]})
    wells = Wells({Well("p", 0, 0): {"drug": "Oct4"}, Well("p", 1, 1): {"drug": "x", "dose": "0.10"}})
    pairs = {("StudyInformation", "Study", "Study Title"): "Made"}
    book = tmp_path / "m.xlsx"
    write_workbook(book, wells, pairs)
    values = {"table": named("m.xlsx", book), "within": typed("plate", "p"), "kind": "well", "mode": "replace"}
    values |= {"namespace": "", "dry_run": False}
    lab.run(omero_annotate, tmp_path, {"output": "o.tsv", "changes": "c.tsv"}, **values)
    found = find()
    assert [(row["well"], row["drug"], row["dose"]) for row in found] == [("A1", "Oct4", ""), ("B2", "x", "0.10")]
    again = read_wells([(tmp_path / "out.tsv", "found")])
    assert {well: {k: v for k, v in said.items() if v} for well, said in again.conditions.items()} == wells.conditions
    [[namespace]] = lab.rows("select distinct m.ns from ImageAnnotationLink l, MapAnnotation m where l.child.id = m.id")
    assert namespace == "MIHCSME/StudyInformation/Study"


def test_ragged_fields_of_two_pixel_types_become_one_plate(lab: Lab, tmp_path: Path):
    """A1 has two fields, B2 one of another type and size, B3 was never imaged."""
    make_plate(lab, "p", {"A1": ["a", "b"], "B3": []})
    wide = np.arange(30, dtype=np.uint16).reshape(5, 6) * 2000
    number = lab.image("c", wide)
    [[plate_id]] = lab.rows("select p.id from Plate p")
    well, sample = omero.model.WellI(), omero.model.WellSampleI()
    well.row, well.column, well.plate = rint(1), rint(1), omero.model.PlateI(plate_id, False)
    sample.image = omero.model.ImageI(number, False)
    well.addWellSample(sample)
    lab.save(well)
    outputs = {"folder": "images", "metadata": "metadata.tsv"}
    form = {"kind": "ome_zarr", "version": "0.5", "plates": True}
    made = lab.run(omero_export_images, tmp_path, outputs, target=typed("plate", "p"), format=form)
    [file] = made["folder"].iterdir()
    found = {}
    for place in ("A/1/0", "A/1/1", "B/2/0"):
        found[place] = open_image(file, "p", Reading(series=place)).read_plane()
    np.testing.assert_array_equal(found["B/2/0"], wide)
    np.testing.assert_array_equal(found["A/1/0"], PLANE)
    assert {place: pixels.dtype for place, pixels in found.items()} == {
        "A/1/0": np.uint8, "A/1/1": np.uint8, "B/2/0": np.uint16,
    }  # fmt: skip
    assert [row["pixel_type"] for row in read_rows(made["metadata"])] == ["uint8", "uint8", "uint16"]
