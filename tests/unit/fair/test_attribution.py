"""Attribution: every row keeps its study, or there is no result."""

from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.archives.attribution import (
    CARRIED,
    Attribution,
    ResultTable,
    attribute,
    attribution_page,
    read_origin,
    read_result,
)

DATA = Path(__file__).resolve().parents[3] / "test-data" / "fair_archives"


def sources() -> dict[str, Attribution]:
    return read_origin(DATA / "origin.tabular", "origin")


def result(*rows: tuple[str, ...], name: str = "cells") -> ResultTable:
    return ResultTable(name, rows)


def test_rows_of_several_tables_keep_their_own_study() -> None:
    one = result(("image", "label"), ("cell_1.tif", "1"))
    two = result(("label", "image", "mean_DAPI"), ("7", "cell_2.tif", "1.5"))
    merged = attribute([one, two], sources(), "image")
    assert merged[0] == ["image", "label", "mean_DAPI", *CARRIED]
    assert [row[:5] for row in merged[1:]] == [
        ["cell_1.tif", "1", "", "S-TEST1", "Nuclei of mitotic HeLa cells"],
        ["cell_2.tif", "7", "1.5", "S-TEST2", "More nuclei"],
    ]
    assert [row[5] for row in merged[1:]] == ["CC BY 4.0", "CC0"]


def test_a_result_without_objects_is_its_header() -> None:
    assert attribute([result(("image", "label"))], sources(), "image") == [["image", "label", *CARRIED]]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((("image",), ("cell_9.tif",)), "image 'cell_9.tif' is not in the table of origin"),
        ((("name",), ("cell_1.tif",)), "no column 'image'. Columns are: name"),
        ((("image", "licence"), ("cell_1.tif", "CC0")), "already have a column licence"),
    ],
)
def test_no_result_without_a_source(rows: tuple[tuple[str, ...], ...], said: str) -> None:
    with pytest.raises(UserError, match=said):
        attribute([result(*rows)], sources(), "image")


def test_an_origin_that_contradicts_itself(tmp_path: Path) -> None:
    path = tmp_path / "origin.tsv"
    path.write_text("file\taccession\tlicence\tcitation\na.tif\tS-1\tCC0\t\na.tif\tS-2\tCC0\t\n")
    with pytest.raises(UserError, match=r"line 3: file 'a\.tif' comes from two places"):
        read_origin(path, "origin")


def test_what_archives_wrote_is_escaped_and_studies_stand_once(tmp_path: Path) -> None:
    path = tmp_path / "origin.tsv"
    path.write_text(
        "file\taccession\tlicence\tcitation\n"
        "a.tif\tS-1\t\t<script>alert(1)</script>\nb.tif\tS-1\t\t<script>alert(1)</script>\nc.tif\tS-2\tCC0\tC\n"
    )
    page = attribution_page(read_origin(path, "origin"), ["b.tif", "a.tif", "a.tif"]).html
    assert "<script>" not in page
    assert page.count("&lt;script&gt;alert(1)") == 1
    assert "a.tif, b.tif" in page
    assert "not said: ask the archive" in page
    assert "S-2" not in page


@pytest.mark.parametrize(
    ("text", "message"),
    [("image\tarea\tarea\na\t1\t2\n", "column 'area' occurs twice"), ("image\tarea\na\t1\t5\n", "line 2: 3 cells")],
)
def test_a_result_loses_no_value(tmp_path: Path, text: str, message: str):
    (tmp_path / "r").write_text(text)
    with pytest.raises(UserError, match=f"results r.*{message}"):
        read_result(tmp_path / "r", "r")
