import math
from pathlib import Path

import numpy as np
import omero
import omero_import_table
import pytest
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.tables import imports as table_imports
from bioimage_suite.omero.tables import opening
from bioimage_suite.omero.tables import tables as omero_tables
from tests.omero.tool_support import CuttingProxy, Lab, fail_at, named, read_rows, typed

BY_ID = {"source": "identifier"}
PLANE = np.zeros((3, 4), np.uint8)


@pytest.fixture
def import_table(lab: Lab, tmp_path: Path):
    def run(tables: list[dict], **config) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        values = {"tables": tables, "match": BY_ID, "table_name": "measurements", "attach": "image"}
        values["rois"] = {"element_identifier": "", "source_path": None}
        outputs = {"output": "out.tsv", "merged": "merged.tsv"}
        paths = lab.run(omero_import_table, tmp_path, outputs, **(values | config))
        return read_rows(paths["output"]), read_rows(paths["merged"])

    return run


@pytest.fixture
def table(tmp_path: Path):
    def make(identifier: str, *lines: str) -> dict[str, str]:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.tsv"
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return named(identifier, path)

    return make


def tables_of(lab: Lab, kind: str, number: int) -> list[tuple[int, int]]:
    """(id of the annotation, id of the file) of each table of an object."""
    rows = lab.rows(
        f"select a.id, f.id from {kind}AnnotationLink l, FileAnnotation a join a.file f "
        f"where l.child.id = a.id and l.parent.id = {number} order by a.id"
    )
    return [tuple(row) for row in rows]


def read_back(lab: Lab, file_id: int) -> dict[str, tuple[str, list]]:
    """Class and values of each column of an OMERO.table."""
    found = lab.session.sharedResources().openTable(omero.model.OriginalFileI(file_id, False))
    try:
        headers = found.getHeaders()
        data = found.read(list(range(len(headers))), 0, found.getNumberOfRows())
        return {one.name: (type(one).__name__.removesuffix("I"), list(one.values)) for one in data.columns}
    finally:
        found.close()


def test_columns_get_the_narrowest_type_that_keeps_every_value(lab: Lab, import_table, table):
    image = lab.image("cell 1.tif", PLANE)
    name = f"Image_{image}_cell_1.tif"
    file = table(
        name,
        "image\tlabel\tarea_px\tmean_DAPI\tblank\tclass\tok\tcode\tbig",
        f"{name}\t1\t204\t10.5\t\tround é\tTrue\t007\t9007199254740993",
        f"{name}\t7\t\tnan\t\tlong\tFalse\t010\t-5",
    )
    report, merged = import_table([file])
    [(_, file_id)] = tables_of(lab, "Image", image)
    columns = read_back(lab, file_id)
    assert list(columns) == [
        "Image",
        "Image Name",
        "label",
        "area_px",
        "mean_DAPI",
        "blank",
        "class",
        "ok",
        "code",
        "big",
    ]
    assert columns["Image"] == ("ImageColumn", [image, image])
    assert columns["Image Name"] == ("StringColumn", ["cell 1.tif"] * 2)
    assert columns["label"] == ("LongColumn", [1, 7])
    assert columns["big"] == ("LongColumn", [9007199254740993, -5])
    assert columns["class"] == ("StringColumn", ["round é", "long"])
    assert columns["code"] == ("StringColumn", ["007", "010"])
    assert columns["ok"] == ("BoolColumn", [True, False])
    for column, first in (("area_px", 204), ("mean_DAPI", 10.5)):
        kind, values = columns[column]
        assert (kind, values[0], math.isnan(values[1])) == ("DoubleColumn", first, True)
    assert all(math.isnan(value) for value in columns["blank"][1])
    assert (report[0]["image_id"], report[0]["file_id"], report[0]["row_count"]) == (str(image), str(file_id), "2")
    assert merged[1] | {} == {
        "image_id": str(image), "image": name, "label": "7", "area_px": "", "mean_DAPI": "nan", "blank": "",
        "class": "long", "ok": "False", "code": "010", "big": "-5",
    }  # fmt: skip


def test_a_rerun_replaces_its_own_and_nobody_elses(lab: Lab, import_table, table):
    image = lab.image("a", PLANE)
    file = table(f"Image_{image}_a", "label\tx", "1\t2")
    by_hand = omero.model.FileAnnotationI()
    original = omero.model.OriginalFileI()
    original.name, original.path = rstring("measurements.h5"), rstring("/")
    by_hand.file = original
    hand_id = lab.annotate(image, by_hand)
    lab.colleague().sign_in()
    import_table([file])
    lab.sign_in()
    import_table([file], table_name="others")
    kept = tables_of(lab, "Image", image)
    assert len(kept) == 3
    import_table([file])
    [first] = set(tables_of(lab, "Image", image)) - set(kept)
    report, _ = import_table([table(f"Image_{image}_a", "label\tx", "1\t3", "2\t4")])
    [second] = set(tables_of(lab, "Image", image)) - set(kept)
    assert set(tables_of(lab, "Image", image)) == {*kept, second}
    assert hand_id in {annotation for annotation, _ in kept}
    assert report[0]["replaced_count"] == "1"
    assert read_back(lab, second[1])["x"] == ("LongColumn", [3, 4])
    assert lab.rows(f"select f.id from OriginalFile f where f.id = {first[1]}") == []


def test_tables_of_a_dataset_become_one(lab: Lab, import_table, table):
    dataset = lab.container("Dataset", "d")
    images = [lab.image(name, PLANE, dataset) for name in ("a", "b", "c")]
    files = [
        table(f"Image_{images[0]}_a", "label\tx", "1\t2", "2\t3"),
        table(f"Image_{images[1]}_b", "label\tx"),
        table(f"Image_{images[2]}_c", "label\ty", "1\tlow"),
    ]
    report, merged = import_table(files, attach="dataset")
    assert [(row["dataset_id"], row["dataset_name"], row["row_count"]) for row in report] == [(str(dataset), "d", "3")]
    [(_, file_id)] = tables_of(lab, "Dataset", dataset)
    columns = read_back(lab, file_id)
    assert columns["Image"][1] == [images[0], images[0], images[2]]
    assert columns["y"] == ("StringColumn", ["", "", "low"])
    assert columns["x"][1][:2] == [2, 3]
    assert math.isnan(columns["x"][1][2])
    assert [row["image_id"] for row in merged] == [str(images[0]), str(images[0]), str(images[2])]
    assert import_table(files, attach="dataset")[0][0]["replaced_count"] == "1"
    assert len(tables_of(lab, "Dataset", dataset)) == 1


def test_one_merged_table_serves_many_images_in_any_order(lab: Lab, import_table, table):
    dataset = lab.container("Dataset", "d")
    images = [lab.image(name, PLANE, dataset) for name in ("a.tif", "b.tif")]
    file = table("all", "image\tlabel\tx", "a.tif\t1\t1", "b\t1\t2", "a.tif\t2\t3", "b\t2\t4")
    report, _ = import_table([file], match=typed("dataset", "d"))
    assert [(row["image_id"], row["row_count"]) for row in report] == [(str(images[0]), "2"), (str(images[1]), "2")]
    for image, values in zip(images, ([1, 3], [2, 4]), strict=True):
        [(_, file_id)] = tables_of(lab, "Image", image)
        assert read_back(lab, file_id)["x"] == ("LongColumn", values)
    by_number = table("all", "image_id\tx", f"{images[1]}\t9")
    assert import_table([by_number])[0][0]["image_id"] == str(images[1])


def test_a_table_with_nothing_but_a_header_is_fine(lab: Lab, import_table, table):
    image = lab.image("a", PLANE)
    report, merged = import_table([table(f"Image_{image}_a", "image\tlabel\tarea_px\tclass")])
    assert (report[0]["row_count"], merged) == ("0", [])
    [(_, file_id)] = tables_of(lab, "Image", image)
    assert read_back(lab, file_id)["label"] == ("LongColumn", [])


def test_rows_are_linked_to_their_rois(lab: Lab, import_table, table):
    image = lab.image("a", PLANE)
    rois = table("rois", "image_id\timage\tlabel\troi_id", f"{image}\ta\t1\t71", f"{image}\ta\t3\t73", "1\tz\t2\t74")
    import_table([table(f"Image_{image}_a", "label\tx", "1\t1", "2\t1", "3\t1")], rois=rois)
    [(_, file_id)] = tables_of(lab, "Image", image)
    assert read_back(lab, file_id)["Roi"] == ("RoiColumn", [71, -1, 73])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1\t204\t10.5"], "no header, the first line holds values"),
        ([], "empty. It needs a header"),
        (["label\tx", "1"], "line 2: 1 columns, but the header has 2"),
        (["label\tlabel", "1\t2"], "columns need names that differ"),
    ],
)
def test_bad_tables_are_refused_before_any_change(lab: Lab, import_table, table, lines, message):
    images = [lab.image(name, PLANE) for name in "ab"]
    files = [table(f"Image_{images[0]}_a", "label", "1"), table(f"Image_{images[1]}_b", *lines)]
    with pytest.raises(UserError, match=rf"table Image_{images[1]}_b.*{message}"):
        import_table(files)
    assert tables_of(lab, "Image", images[0]) == []


def test_a_row_of_no_image_is_refused_before_any_change(lab: Lab, import_table, table):
    image = lab.image("a", PLANE)
    file = table(f"Image_{image}_a", "image\tlabel", f"Image_{image}_a\t1", "Image_999999999_x\t1")
    with pytest.raises(UserError, match="image 999999999: no such id"):
        import_table([file])
    assert tables_of(lab, "Image", image) == []


def test_the_dataset_must_be_clear(lab: Lab, import_table, table):
    loose = lab.image("loose", PLANE)
    with pytest.raises(UserError, match=r"it must stand in one dataset.*found: none"):
        import_table([table(f"Image_{loose}_loose", "label", "1")], attach="dataset")
    first, second = (lab.container("Dataset", name) for name in "de")
    shared = lab.image("shared", PLANE, first)
    made = omero.model.DatasetImageLinkI()
    made.parent, made.child = omero.model.DatasetI(second, False), omero.model.ImageI(shared, False)
    lab.save(made)
    file = table(f"Image_{shared}_shared", "label", "1")
    with pytest.raises(UserError, match=f"found: {first} 'd', {second} 'e'"):
        import_table([file], attach="dataset")
    assert import_table([file], attach="dataset", match=typed("dataset", "e"))[0][0]["dataset_id"] == str(second)


def test_a_dry_run_changes_nothing(lab: Lab, import_table, table):
    image = lab.image("a", PLANE)
    report, _ = import_table([table(f"Image_{image}_a", "label", "1")], dry_run=True)
    assert (report[0]["status"], tables_of(lab, "Image", image)) == ("would import", [])


def test_a_failure_half_way_takes_back_what_was_made(lab: Lab, import_table, table, monkeypatch):
    images = [lab.image(name, PLANE) for name in "ab"]
    files = [table(f"Image_{image}_{name}", "label", "1") for image, name in zip(images, "ab", strict=True)]
    import_table(files[:1])
    before = tables_of(lab, "Image", images[0])
    count = lab.rows("select count(f) from OriginalFile f where f.name = 'measurements.h5'")

    def refuse() -> None:
        raise UserError("refused")

    with monkeypatch.context() as patch:
        fail_at(patch, table_imports, "attach_table", 2, refuse)
        with pytest.raises(UserError, match="refused"):
            import_table(files)
    assert tables_of(lab, "Image", images[0]) == before
    assert tables_of(lab, "Image", images[1]) == []
    assert lab.rows("select count(f) from OriginalFile f where f.name = 'measurements.h5'") == count


@pytest.mark.parametrize("stage", ["attach_table", "finish_tables", "_by_target"])
def test_a_broken_connection_is_mended_by_a_rerun(
    lab: Lab, import_table, table, monkeypatch, proxy: CuttingProxy, stage
):
    image = lab.image("a", PLANE)
    file = table(f"Image_{image}_a", "label", "1")
    import_table([file])
    with monkeypatch.context() as patch:
        fail_at(patch, table_imports, stage, 1, proxy.cut)
        with pytest.raises(UserError, match="the connection broke"):
            import_table([file], omero_host=proxy.address)
    assert len(tables_of(lab, "Image", image)) >= 1
    import_table([file])
    assert len(tables_of(lab, "Image", image)) == 1
    assert lab.rows("select a.ns from FileAnnotation a") == [[omero_tables.TABLE_NAMESPACE]]


def test_a_run_that_broke_off_while_rows_went_in_leaves_nothing_after_the_next(
    lab: Lab, import_table, table, monkeypatch, proxy: CuttingProxy
):
    monkeypatch.setattr(omero_tables, "BATCH", 2)
    image = lab.image("a", PLANE)
    file = table(f"Image_{image}_a", "label", *"12345")
    with monkeypatch.context() as patch:
        fail_at(patch, omero_tables, "islice", 2, proxy.cut)
        with pytest.raises(UserError, match="the connection broke"):
            import_table([file], omero_host=proxy.address)
    assert lab.rows("select a.ns from FileAnnotation a") == [[omero_tables.UNFINISHED]]
    import_table([file])
    assert lab.rows("select a.ns from FileAnnotation a") == [[omero_tables.TABLE_NAMESPACE]]
    assert lab.rows("select count(f) from OriginalFile f where f.name = 'measurements.h5'") == [[1]]


def test_long_tables_go_in_portions(lab: Lab, import_table, table, monkeypatch):
    monkeypatch.setattr(omero_tables, "BATCH", 10)
    image = lab.image("a", PLANE)
    import_table([table(f"Image_{image}_a", "label", *map(str, range(25)))])
    [(_, file_id)] = tables_of(lab, "Image", image)
    assert read_back(lab, file_id)["label"] == ("LongColumn", list(range(25)))


@pytest.mark.parametrize("name", ["", " ", "a/b"])
def test_table_names_that_omero_would_change_are_refused(import_table, table, name):
    with pytest.raises(UserError, match="table name"):
        import_table([table("Image_1_a", "label", "1")], table_name=name)


def test_names_that_omero_tables_cannot_hold_are_replaced_and_listed(lab: Lab, import_table, table, capsys):
    image = lab.image("a", PLANE)
    names = ("area/perimeter", "area_perimeter", "_v_x", "__y", "_f_/z", ".", "mean.DAPI (µm²)")
    _, merged = import_table([table(f"Image_{image}_a", "\t".join(names), "1\t2\t3\t4\t5\t6\t7")])
    assert list(merged[0]) == ["image_id", "image", *names]
    [(_, file_id)] = tables_of(lab, "Image", image)
    columns = read_back(lab, file_id)
    stored = ["area_perimeter_2", "area_perimeter", "v_x", "y", "f__z", "column", "mean.DAPI (µm²)"]
    assert list(columns)[2:] == stored
    assert [values for _, values in columns.values()][2:] == [[number] for number in range(1, 8)]
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("column")]
    assert len(lines) == 5
    assert lines[0] == "column 'area/perimeter': OMERO.tables cannot hold this name; it is 'area_perimeter_2' in OMERO"


def test_more_columns_than_a_table_can_hold_are_refused_before_any_change(lab: Lab, import_table, table):
    """The limit is that of the server: one column less goes in."""
    image = lab.image("a", PLANE)
    most = 1090  # Of names of 12 bytes with whole numbers, beside the two of the image.

    def columns(count: int) -> dict[str, str]:
        header = "\t".join(f"feature_{number:04d}" for number in range(count))
        return table(f"Image_{image}_a", header, "\t".join("1" * count))

    with pytest.raises(
        UserError, match=rf"tables: {most + 3} columns are too many .* hold the first {most + 2} of them"
    ):
        import_table([columns(most + 1)])
    assert tables_of(lab, "Image", image) == []
    report, _ = import_table([columns(most)])
    assert report[0]["status"] == "imported"


def test_wide_rows_go_in_portions_that_fit_a_message(lab: Lab, import_table, table, monkeypatch):
    monkeypatch.setattr(omero_tables, "BATCH_BYTES", 300)
    image = lab.image("a", PLANE)
    import_table([table(f"Image_{image}_a", "text", *("x" * 90 for _ in range(7)))])
    [(_, file_id)] = tables_of(lab, "Image", image)
    assert read_back(lab, file_id)["text"][1] == ["x" * 90] * 7


def test_a_tables_service_that_does_not_answer_ends_in_an_error_and_a_rerun_leaves_one_table(
    lab: Lab, import_table, table, monkeypatch
):
    """A call that gets no answer in time; here the time is a millisecond, in which no table is made."""
    image = lab.image("cell 1.tif", PLANE)
    file = table(f"Image_{image}_cell_1.tif", "label\tarea", "1\t204")
    with monkeypatch.context() as short:
        short.setattr(opening, "CALL_SECONDS", 0.001)
        with pytest.raises(UserError, match=r"it is there, but its tables service gave no answer.*Ask its admin"):
            import_table([file])
    assert tables_of(lab, "Image", image) == []
    import_table([file])
    assert len(tables_of(lab, "Image", image)) == 1
    assert lab.rows("select count(f.id) from OriginalFile f where f.mimetype = 'OMERO.tables'") == [[1]]
