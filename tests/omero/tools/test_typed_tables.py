"""OMERO.tables with ids of every kind of object, made from names and back, with types inferred or declared."""

from pathlib import Path

import numpy as np
import omero
import omero_export_table
import omero_import_table
import pytest
from omero.rtypes import rint, rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.tables.tables import TableWriter
from tests.omero.tool_support import Lab, fail_at, named, read_rows, typed

PLANE = np.zeros((2, 2), np.uint8)


@pytest.fixture
def import_table(lab: Lab, tmp_path: Path):
    def run(text: str, match: dict, attach: str = "container", **config) -> list[dict[str, str]]:
        path = tmp_path / "in.tsv"
        path.write_text(text)
        values = {"tables": [named("in.tsv", path)], "match": match, "table_name": "m", "attach": attach}
        outputs = {"output": "o.tsv", "merged": "merged.tsv"}
        return read_rows(lab.run(omero_import_table, tmp_path, outputs, **(values | config))["output"])

    return run


@pytest.fixture
def export(lab: Lab, tmp_path: Path):
    def run(target: dict, **config) -> list[dict[str, str]]:
        for old in (tmp_path / "tables").glob("*"):
            old.unlink()
        outputs = {"folder": "tables", "output": "out.tsv"}
        paths = lab.run(omero_export_table, tmp_path, outputs, target=target, of="objects", **config)
        [file] = paths["folder"].iterdir()
        return read_rows(file)

    return run


def make_plate(lab: Lab, name: str) -> list[int]:
    """A plate with an image in A1 and in AB2; returns the ids of the plate and the wells."""
    plate = omero.model.PlateI()
    plate.name = rstring(name)
    for row, column in ((0, 0), (27, 1)):
        well, sample = omero.model.WellI(), omero.model.WellSampleI()
        well.row, well.column = rint(row), rint(column)
        sample.image = omero.model.ImageI(lab.image(f"{name} {row}", PLANE), False)
        well.addWellSample(sample)
        plate.addWell(well)
    number = lab.save(plate)
    wells = lab.rows(f"select w.id from Well w where w.plate.id = {number} order by w.row")
    return [number, *(well for [well] in wells)]


def columns_of(lab: Lab, file_id: str) -> dict[str, str]:
    table = lab.session.sharedResources().openTable(omero.model.OriginalFileI(int(file_id), False))
    try:
        return {one.name: type(one).__name__.removesuffix("I") for one in table.getHeaders()}
    finally:
        table.close()


def test_wells_and_plates_by_name_become_ids_and_come_back(lab: Lab, import_table, export):
    screen = omero.model.ScreenI()
    screen.name = rstring("s")
    plates = [make_plate(lab, name) for name in ("p1", "p2")]
    for number, *_ in plates:
        screen.linkPlate(omero.model.PlateI(number, False))
    lab.save(screen)
    text = "plate\twell\tcount\tmean\tclass\tgood\np2\tab2\t3\t\tround\tTrue\np1\tA1\t4\t0.5\té\tFalse\n"
    [row] = import_table(text, typed("screen", "s"))
    assert (row["screen_name"], row["row_count"], row["status"]) == ("s", "2", "imported")
    assert columns_of(lab, row["file_id"]) == {
        "Plate": "PlateColumn", "Plate Name": "StringColumn", "Well": "WellColumn", "Well Name": "StringColumn",
        "count": "LongColumn", "mean": "DoubleColumn", "class": "StringColumn", "good": "BoolColumn",
    }  # fmt: skip
    rows = export(typed("screen", "s"))
    assert rows == [
        {"plate_id": str(plates[1][0]), "plate": "p2", "well_id": str(plates[1][2]), "well": "ab2", "count": "3",
         "mean": "", "class": "round", "good": "True"},
        {"plate_id": str(plates[0][0]), "plate": "p1", "well_id": str(plates[0][1]), "well": "A1", "count": "4",
         "mean": "0.5", "class": "é", "good": "False"},
    ]  # fmt: skip


def test_what_was_exported_is_imported_as_the_same_table(lab: Lab, import_table, export, tmp_path: Path):
    _, first, second = make_plate(lab, "p")
    lines = f"well_id\troi_id\tdataset_id\tx\n{first}\t71\t\t1.5\n{second}\t\t9\tnan\n"
    [row] = import_table(lines, typed("plate", "p"))
    kinds = {"Well": "WellColumn", "Roi": "RoiColumn", "Dataset": "DatasetColumn", "x": "DoubleColumn"}
    assert columns_of(lab, row["file_id"]) == kinds
    rows = export(typed("plate", "p"))
    assert [(one["roi_id"], one["dataset_id"], one["x"]) for one in rows] == [("71", "-1", "1.5"), ("-1", "9", "")]
    [file] = (tmp_path / "tables").iterdir()
    [again] = import_table(file.read_text(), typed("plate", "p"))
    assert again["replaced_count"] == "1"
    assert columns_of(lab, again["file_id"]) == kinds
    assert export(typed("plate", "p")) == rows
    assert export(typed("plate", "p"), query=f"(Well=={second}) & (Roi<0)") == rows[1:]


def test_declared_types_are_those_of_omero_metadata(lab: Lab, import_table, export):
    dataset = lab.container("Dataset", "d")
    images = [lab.image(name, PLANE, dataset) for name in ("a", "b")]
    text = f"# header image,d,s,l,b\nImage,area,code,count,good\n{images[0]},2,7,3,1\n{images[1]},,08,4,false\n"
    [row] = import_table(text, typed("dataset", "d"))
    assert columns_of(lab, row["file_id"]) == {
        "Image": "ImageColumn", "Image Name": "StringColumn", "area": "DoubleColumn", "code": "StringColumn",
        "count": "LongColumn", "good": "BoolColumn",
    }  # fmt: skip
    rows = export(typed("dataset", "d"))
    assert [(one["image"], one["area"], one["code"], one["count"], one["good"]) for one in rows] == [
        (f"Image_{images[0]}_a", "2.0", "7", "3", "True"), (f"Image_{images[1]}_b", "", "08", "4", "False"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# header d\tl\nx\ty\n1\t2\nn\t3\n", "line 4: x is 'n', which is no double"),
        ("# header d\tl\nx\ty\n1\t2.5\n", "line 3: y is '2.5', which is no long"),
        ("# header d\nx\ty\n1\t2\n", "it must declare a type of s, d, l, b, image"),
        ("# header d\tq\nx\ty\n1\t2\n", "found: d, q"),
        ("well\tx\nA1\t1\nC9\t2\n", "well 'C9': plate p must hold one of this name; found ids: none"),
        ("plate\tx\nother\t1\n", "plate 'other': plate p must hold one of this name"),
        ("image\tx\nnone\t1\n", "'none': plate p has no image of this name"),
        ("well\tWell\nA1\t1\n", "column 'Well' would stand twice"),
    ],
)
def test_bad_tables_are_refused_before_anything_is_made(lab: Lab, import_table, text, message):
    make_plate(lab, "p")
    with pytest.raises(UserError, match=message):
        import_table(text, typed("plate", "p"))
    assert lab.rows("select count(f) from OriginalFile f") == [[0]]


def test_one_container_only(lab: Lab, import_table):
    make_plate(lab, "p")
    make_plate(lab, "q")
    with pytest.raises(UserError, match="the table can go to one object only"):
        import_table("x\n1\n", typed("plate", "p, q"))
    with pytest.raises(UserError, match="container: none is named"):
        import_table("x\n1\n", {"source": "identifier"})


def test_a_failure_says_at_which_object(lab: Lab, import_table, monkeypatch, tmp_path: Path):
    dataset = lab.container("Dataset", "d")
    for name in "abc":
        lab.image(name, PLANE, dataset)

    def refuse() -> None:
        raise UserError("refused")

    fail_at(monkeypatch, TableWriter, "write", 2, refuse)
    with pytest.raises(UserError, match="refused"):
        import_table("image\tx\na\t1\nb\t2\nc\t3\n", typed("dataset", "d"), attach="image")
    rows = read_rows(tmp_path / "o.tsv")
    assert [row["status"] for row in rows] == ["taken back", "failed: refused", "not done"]
    assert lab.rows("select count(f) from OriginalFile f") == [[0]]


def test_a_table_goes_to_a_well_given_by_its_id(lab: Lab, import_table):
    _, first, second = make_plate(lab, "p")
    [row] = import_table("x\n1\n", typed("well", second, by="id"))
    assert (row["well_id"], row["well_name"], row["row_count"]) == (str(second), "p/AB2", "1")
    assert lab.rows("select l.parent.id from WellAnnotationLink l") == [[second]]
    with pytest.raises(UserError, match="well: wells have no name"):
        import_table("x\n1\n", typed("well", "A1"))
    with pytest.raises(UserError, match=f"wells {first}, {second}: the table can go to one object only"):
        import_table("x\n1\n", typed("well", f"{first},{second}", by="id"))
    with pytest.raises(UserError, match="well 999999: no such id"):
        import_table("x\n1\n", typed("well", 999999, by="id"))


@pytest.mark.parametrize("attach", ["well", "plate"])
def test_rows_of_images_go_to_their_wells_or_plate(lab: Lab, import_table, attach: str):
    plate, first, second = make_plate(lab, "p")
    text = "image\tx\np 0\t1\np 27\t2\np 0\t3\n"
    rows = import_table(text, typed("plate", "p"), attach)
    found = [(row[f"{attach}_id"], row[f"{attach}_name"], row["row_count"]) for row in rows]
    wells = [(str(first), "p/A1", "2"), (str(second), "p/AB2", "1")]
    assert found == (wells if attach == "well" else [(str(plate), "p", "3")])
    again = import_table(text, typed("plate", "p"), attach)
    assert {row["replaced_count"] for row in again} == {"1"}
    lab.image("free", PLANE, lab.container("Dataset", "d"))
    with pytest.raises(UserError, match=f"image .* 'free': it is in no {attach}"):
        import_table("image\tx\nfree\t1\n", typed("dataset", "d"), attach)
