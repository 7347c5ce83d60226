from pathlib import Path

import numpy as np
import omero_export_table
import omero_import_table
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.tables import reading
from bioimage_suite.omero.tables import tables as omero_tables
from tests.omero.tool_support import Lab, named, read_rows, typed

PLANE = np.zeros((2, 2), np.uint8)
HEADER = "image\tlabel\tarea_px\tmean_DAPI\tclass\tok\n"


@pytest.fixture
def attach(lab: Lab, tmp_path: Path):
    def run(text: str, identifier: str, **config) -> None:
        path = tmp_path / "in.tsv"
        path.write_text(text)
        values = {"match": {"source": "identifier"}, "table_name": "measurements", "attach": "image"} | config
        outputs = {"output": "o.tsv", "merged": "merged.tsv"}
        lab.run(omero_import_table, tmp_path, outputs, tables=[named(identifier, path)], **values)

    return run


@pytest.fixture
def export(lab: Lab, tmp_path: Path):
    def run(target: dict, of: str = "images", **config) -> tuple[dict[str, Path], list[dict[str, str]]]:
        outputs = {"folder": "tables", "output": "out.tsv"}
        paths = lab.run(omero_export_table, tmp_path, outputs, target=target, of=of, **config)
        return {path.name: path for path in paths["folder"].iterdir()}, read_rows(paths["output"])

    return run


@pytest.fixture
def image(lab: Lab) -> int:
    return lab.image("cell.tif", PLANE, lab.container("Dataset", "d"))


def test_a_table_comes_back_value_by_value_and_can_go_in_again(attach, export, image):
    name = f"Image_{image}_cell.tif"
    text = HEADER + f"{name}\t1\t204\t0.1\tround é\tTrue\n{name}\t7\t\t1e-300\t\tFalse\n"
    attach(text, name)
    files, report = export(typed("dataset", "d"))
    assert list(files) == [f"{name}.tabular"]
    assert (report[0]["image_id"], report[0]["row_count"], report[0]["table"]) == (str(image), "2", name)
    found = files[f"{name}.tabular"].read_text()
    assert read_rows(files[f"{name}.tabular"]) == [
        {"image_id": str(image), "image": name, "label": "1", "area_px": "204.0", "mean_DAPI": "0.1",
         "class": "round é", "ok": "True"},
        {"image_id": str(image), "image": name, "label": "7", "area_px": "", "mean_DAPI": "1e-300",
         "class": "", "ok": "False"},
    ]  # fmt: skip
    attach(found, name)
    again, _ = export(typed("dataset", "d"))
    assert again[f"{name}.tabular"].read_text() == found


def test_a_table_of_300_columns_goes_in_and_comes_out_value_by_value(attach, export, image):
    name = f"Image_{image}_cell.tif"
    header = ["label", *(f"feature_{number}" for number in range(300))]
    rows = [[str(label), *(str(number / 7 * label) for number in range(300))] for label in (1, 2)]
    attach("".join("\t".join(row) + "\n" for row in (header, *rows)), name)
    files, _ = export(typed("dataset", "d"))
    found = read_rows(files[f"{name}.tabular"])
    assert [[row[column] for column in header] for row in found] == rows


def test_queries_choose_rows_in_portions(attach, export, image, monkeypatch):
    monkeypatch.setattr(reading, "BATCH", 7)
    name = f"Image_{image}_cell.tif"
    attach("label\tarea_px\n" + "".join(f"{n}\t{n * 10}\n" for n in range(1, 31)), name)
    files, report = export(typed("dataset", "d"))
    assert [row["label"] for row in read_rows(files[f"{name}.tabular"])] == [str(n) for n in range(1, 31)]
    files, report = export(typed("dataset", "d"), query="(area_px > 95) & (label < 20)")
    assert [row["label"] for row in read_rows(files[f"{name}.tabular"])] == [str(n) for n in range(10, 20)]
    assert report[0]["row_count"] == "10"
    assert export(typed("dataset", "d"), query="label > 99")[1][0]["row_count"] == "0"
    with pytest.raises(UserError, match=r"OMERO refused to read it .*Check the query 'no_such >'"):
        export(typed("dataset", "d"), query="no_such >")


def test_tables_are_chosen_by_name_and_object(attach, export, image):
    name = f"Image_{image}_cell.tif"
    attach("label\n1\n", name)
    attach("label\n1\n", name, table_name="other")
    attach("label\n1\n2\n", name, attach="dataset")
    files, report = export(typed("dataset", "d"))
    assert [row["table_name"] for row in report] == ["measurements.h5", "other.h5"]
    assert set(files) == {f"{row['table']}.tabular" for row in report}
    assert all(row["table"].startswith(name) for row in report)
    for path in files.values():
        path.unlink()
    assert list(export(typed("dataset", "d"), table_name="oth*")[0]) == [f"{name}.tabular"]
    _, report = export(typed("dataset", "d"), of="objects")
    assert (report[0]["dataset_name"], report[0]["row_count"]) == ("d", "2")
    assert report[0]["table"].startswith("Dataset_")
    with pytest.raises(UserError, match=r"no OMERO.table of a name like 'none'"):
        export(typed("dataset", "d"), table_name="none")


def test_rois_and_long_tables_stay_within_bounds(attach, export, image, tmp_path: Path):
    assert reading.BATCH == omero_tables.BATCH
    rois = tmp_path / "rois.tsv"
    rois.write_text(f"image_id\tlabel\troi_id\n{image}\t1\t71\n")
    attach(
        "label\tx\n1\t1\n2\t1\n", f"Image_{image}_cell.tif", rois={"element_identifier": "", "source_path": str(rois)}
    )
    files, _ = export(typed("dataset", "d"))
    rows = read_rows(next(iter(files.values())))
    assert [row["roi_id"] for row in rows] == ["71", "-1"]
