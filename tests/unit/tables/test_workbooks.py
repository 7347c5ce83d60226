"""Workbooks as people keep them: what a reader of a sheet sees."""

import time
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables import spreadsheet
from bioimage_suite.tables.number_formats import shown_number, shown_text
from bioimage_suite.tables.reader import read_sheets, read_table

DATA = Path(__file__).resolve().parents[3] / "tools/fair/validate_metadata/test-data/fair"


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (0.15, "0%", "15%"),
        (0.1234, "0%", "12.34%"),
        (25, '0" µM"', "25 µM"),
        (25, "0 °C", "25 °C"),
        (5, r"0\ \m\l", "5 ml"),
        (5, 'General" µM"', "5 µM"),
        (1234567, "#,##0", None),
        (1500.5, '0.0,"k"', "1.5005k"),
        (-3, '0" mM";(0" mM")', "-3 mM"),
        (0, '0;-0;"none"', "none"),
        (3, "#,##0.00 [$€-407]", "3 €"),
        (7, '"n; "0', "n; 7"),
        (12, '[Red]0" cells"', "12 cells"),
        (2.5, "0.00E+00", None),
        (0.5, "# ?/?", None),
        (5, "_-* #,##0.00_-", None),
        (0.000015, '0.00000" M"', "0.000015 M"),
        (5, "General", None),
    ],
)
def test_what_only_the_number_format_shows(value: float, number_format: str, shown: str | None):
    assert shown_number(value, number_format) == shown


@given(st.floats(allow_nan=False, allow_infinity=False), st.text())
def test_no_format_breaks_the_reader(value: float, number_format: str):
    assert shown_number(value, number_format) is None or shown_number(value, number_format)
    assert "5" in shown_text("5", number_format)


def test_texts_have_formats_too():
    assert (shown_text("5", '@" µM"'), shown_text("5", "@"), shown_text("5", "General")) == ("5 µM", "5", "5")


def test_a_workbook_as_people_keep_it():
    sheets = read_sheets(DATA / "workbook.xlsx", "w")
    assert [(sheet.title, sheet.hidden) for sheet in sheets] == [
        ("Lists", True),
        ("Images", False),
        ("Größen & 'Maße' 2", False),
    ]
    assert [row.cells for row in sheets[1].rows] == [
        ("Metadata of our images",) * 3,
        ("image", "Organism", "Drug"),
        ("a.tif", "Homo sapiens", "15%"),
        ("b.tif", "Mus musculus (mouse)", "25 µM"),
    ]
    assert [(f.level, f.line, f.column, f.found, f.suggestion) for f in sheets[1].findings] == [
        ("note", 3, "B", "=Lists!A1", "Homo sapiens")
    ]
    table = read_table(DATA / "workbook.xlsx", "w")
    assert (table.title, table.rows[2].cells[2]) == ("Images", "0.15")


def test_merged_cells_fill_what_they_cover_and_no_more(tmp_path: Path):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["image", "a", "b"], ["x", "drug", 1], ["y", None, 2], ["z", None, None]):
        sheet.append(row)
    sheet.merge_cells("B2:B3")
    # As openpyxl would make each cell of a range, this one is written past it.
    sheet.merged_cells.add("A4:XFD1048576")
    book.save(tmp_path / "t")
    assert [row.cells for row in read_sheets(tmp_path / "t", "t")[0].rows] == [
        ("image", "a", "b"),
        ("x", "drug", "1"),
        ("y", "drug", "2"),
        ("z", "z", "z"),
    ]


def test_links_are_kept_beside_their_text(tmp_path: Path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["image", "page"])
    sheet.append(["x", "our page"])
    sheet["B2"].hyperlink = "https://example.org/a?b=1&c=2"
    book.save(tmp_path / "t")
    (read,) = read_sheets(tmp_path / "t", "t")
    assert read.rows[1].cells == ("x", "our page")
    assert read.links == {(2, 1): "https://example.org/a?b=1&c=2"}


def test_a_book_of_only_a_chart_is_said(tmp_path: Path):
    book = openpyxl.Workbook()
    book.create_chartsheet("only")
    del book["Sheet"]
    book.save(tmp_path / "t")
    with pytest.raises(UserError, match="file t: not a readable XLSX file"):
        read_sheets(tmp_path / "t", "t")


def with_rows(path: Path, rows: str) -> Path:
    """A workbook with other rows than a program would write."""
    openpyxl.Workbook().save(path.with_suffix(".whole"))
    with zipfile.ZipFile(path.with_suffix(".whole")) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for member in whole.namelist():
            data = whole.read(member)
            if member == "xl/worksheets/sheet1.xml":
                assert b"<sheetData></sheetData>" in data
                data = data.replace(b"</sheetData>", f"{rows}</sheetData>".encode())
            made.writestr(member, data)
    return path


def test_a_small_file_with_millions_of_cells_is_refused_in_time_and_memory(tmp_path: Path, monkeypatch):
    path = with_rows(tmp_path / "t", "<row>" + "<c/>" * 3_000_000 + "</row>")
    assert path.stat().st_size < 40_000
    with monkeypatch.context() as patch:
        patch.setattr(spreadsheet, "MAX_SECONDS", 1)
        began = time.monotonic()
        with pytest.raises(UserError, match=r"^file t: not a readable XLSX file \(took longer than 1 s\)\. Save it"):
            read_table(path, "t")
        assert time.monotonic() - began < 10
    monkeypatch.setattr(spreadsheet, "MAX_MEMORY", 32 << 20)
    with pytest.raises(UserError, match=r"^file t: not a readable XLSX file \(needs more memory than 32 MB\)"):
        read_table(path, "t")
