"""Tables and files from strangers: encodings, delimiters, formulas, bombs, paths."""

import csv
import io
import json
import struct
import tracemalloc
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.untrusted_files import open_zip, parse_json, read_member, safe_relative_path
from bioimage_suite.tables.column_letters import letters_of
from bioimage_suite.tables.formulas import plain_text, spreadsheet_safe
from bioimage_suite.tables.reader import guess_delimiter, read_sheets, read_table, read_text_table

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


@given(TEXT)
def test_a_safe_cell_is_no_formula_and_comes_back(text: str):
    safe = spreadsheet_safe(text)
    assert not safe.startswith(("=", "@"))
    assert plain_text(safe) == text
    assert plain_text(spreadsheet_safe("'" + text)) == "'" + text


def test_full_width_signs_are_formulas_too():
    # To spreadsheets of Japanese and Chinese locales.
    assert spreadsheet_safe("\N{FULLWIDTH EQUALS SIGN}1+1").startswith("'")
    assert plain_text(spreadsheet_safe("\N{FULLWIDTH PLUS SIGN}a")) == "\N{FULLWIDTH PLUS SIGN}a"


@pytest.mark.parametrize("number", ["-5", "+1.5", "-1e-3", "-0,5"])
def test_numbers_keep_their_sign(number: str):
    assert spreadsheet_safe(number) == number


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "-/-", "+/+", "=cmd|' /C calc'!A0"])
def test_formulas_and_genotypes_become_text(text: str):
    assert spreadsheet_safe(text) == "'" + text


@given(
    st.sampled_from("\t,;"),
    st.lists(
        st.lists(st.text("abcxyz ,;\t", min_size=1).map(str.strip).filter(bool), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    ),
)
def test_the_delimiter_that_wrote_a_table_reads_it(delimiter: str, rows: list[list[str]]):
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["image", "key a", "key b"], *rows])
    assert guess_delimiter(stream.getvalue()) == delimiter
    table = read_text_table(stream.getvalue().encode(), "t")
    assert [row.cells for row in table.rows[1:]] == [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("encoding", "mark", "form"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8 with BOM"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le with BOM"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be with BOM"),
        ("cp1252", b"", "windows-1252"),
    ],
)
def test_encodings_are_found(encoding: str, mark: bytes, form: str):
    table = read_text_table(mark + "image,size\nMüller.tif,5 µm\n".encode(encoding), "t.csv")
    assert table.form == f"{form}, comma"
    assert table.rows[1].cells == ("Müller.tif", "5 µm")
    assert bool(table.findings) == (form != "utf-8")


def test_mixed_encodings_are_said_with_their_line():
    data = "image,a\nä.tif,1\n".encode() + "ö.tif,2\n".encode("cp1252")
    table = read_text_table(data, "t.csv")
    assert table.form.startswith("mixed")
    assert [row.cells[0] for row in table.rows[1:]] == ["ä.tif", "ö.tif"]
    assert [(finding.level, finding.line) for finding in table.findings] == [("warning", 3)]


def test_text_that_was_saved_wrongly_is_said_with_its_repair():
    found = read_text_table("image,size\na,5 Âµm\n".encode(), "t").findings
    assert (found[0].line, found[0].found, found[0].suggestion) == (2, "Âµ", "a,5 µm")


def test_formulas_in_csv_are_refused_with_their_place():
    table = read_text_table(b'image,a\nx,"=HYPERLINK(""http://evil"")"\n', "t.csv")
    assert table.rows[1].cells == ("x", "")
    assert [(f.level, f.line, f.column) for f in table.findings] == [("error", 2, "B")]


def test_formulas_and_dates_in_xlsx(tmp_path: Path):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["image", "a", "b", "n"], ["x", "=1+1", date(2026, 3, 1), 2.0]):
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    [table] = read_sheets(tmp_path / "t.xlsx", "t.xlsx")
    assert table.rows[1].cells == ("x", "", "2026-03-01", "2")
    assert table.date_cells == {(2, 2)}
    assert [(f.level, f.column, f.found) for f in table.findings] == [("error", "B", "=1+1")]


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_formula_without_a_value_does_not_pass_for_an_empty_cell(tmp_path: Path, form: str):
    book = openpyxl.Workbook()
    for row in (["label", "area_px"], [1, 5], [2, "=B2*2"]):
        book.active.append(row)
    book.save(tmp_path / "t")
    if form == "csv":
        (tmp_path / "t").write_text("label,area_px\n1,5\n2,=B2*2\n")
    with pytest.raises(UserError, match=r"file t, line 3, column B: the formula =B2.2 has no stored value"):
        read_table(tmp_path / "t", "t")


def test_the_empty_text_is_a_value_of_a_formula(tmp_path: Path):
    book = openpyxl.Workbook()
    for row in (["label", "area_px"], [1, '=IF(A2>1,A2,"")']):
        book.active.append(row)
    book.save(tmp_path / "o")
    with zipfile.ZipFile(tmp_path / "o") as old, zipfile.ZipFile(tmp_path / "t", "w") as new:
        for one in old.namelist():
            # As spreadsheet programs write the type of the result.
            new.writestr(one, old.read(one).replace(b'<c r="B2">', b'<c r="B2" t="str">'))
    assert read_table(tmp_path / "t", "t").rows[1].cells == ("1",)


def test_a_cell_far_to_the_right_is_refused_and_not_padded(tmp_path: Path):
    book = openpyxl.Workbook()
    book.active["XFD1"] = "far"
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(UserError, match="2,000 columns"):
        read_table(tmp_path / "t.xlsx", "t.xlsx")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\xd0\xcf\x11\xe0old", "old Excel"),
        (b"a,b\n\0\0", "zero bytes"),
        (b"PK\x03\x04junk", "not a readable"),
        (b"\xff\xfea", "utf-16-le but it is not"),
        ("image,a\n".encode("utf-32"), "is UTF-32"),
    ],
)
def test_what_is_no_table_is_said(tmp_path: Path, data: bytes, message: str):
    (tmp_path / "t").write_bytes(data)
    with pytest.raises(UserError, match=message):
        read_table(tmp_path / "t", "t")


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (b"</row>", b""),
        (b' r="1"', b' r="x"'),
        (b"<sheetPr>", b'<sheetPr unheard="1">'),
        (b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]>&a;<worksheet'),
        # No sheet at all.
        (b"", b""),
    ],
)
def test_a_broken_sheet_is_said(tmp_path: Path, found: bytes, instead: bytes):
    book = openpyxl.Workbook()
    book.active.append(["image", "a"])
    book.save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "t.xlsx", "w") as broken:
        for member in whole.namelist():
            data = whole.read(member)
            if not member.startswith("xl/worksheets/"):
                broken.writestr(member, data)
            elif found:
                assert found in data
                broken.writestr(member, data.replace(found, instead, 1))
    said = "not a readable XLSX file .*" if found else r"a workbook without a sheet\."
    with pytest.raises(UserError, match=rf"file t\.xlsx: {said}.* or give CSV"):
        read_table(tmp_path / "t.xlsx", "t.xlsx")


@pytest.mark.parametrize(("index", "letter"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_column_letters(index: int, letter: str):
    assert letters_of(index) == letter


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[" * 100_000, "too deep"),
        (b"[" * 101 + b"1" + b"]" * 101, "more than 100 levels"),
        (b"[" * 1_000_001, "more than 1,000,000"),
        (b" " * (32 * 1024 * 1024 + 1), "bytes of JSON"),
        (b'{"a":1,"a":2}', "'a' stands twice"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[-1e999]", "-1e999 is not JSON, or no finite number"),
        (b'{"a":', "line 1, column"),
        (b'"\xff"', "not UTF-8"),
        (b"1" * 5000, "too long"),
        (b'{"a": ["\\ud83d"]}', "half of a character"),
        (b'{"\\uDC00": 1}', "half of a character"),
    ],
)
def test_json_bombs_and_broken_json_are_refused(data: bytes, message: str):
    with pytest.raises(UserError, match=message):
        parse_json(data, "x.json")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
        lambda c: st.lists(c) | st.dictionaries(TEXT, c),
    )
)
def test_json_is_read_as_written(value: object):
    assert parse_json(json.dumps(value).encode(), "x") == value


@pytest.mark.parametrize(
    "path", ["../a", "a/../../b", "/etc/passwd", "a//b", "", ".", "a/", "C:/x", "file:x", "a\\b", "a\nb"]
)
def test_paths_that_climb_out_are_refused(path: str):
    assert safe_relative_path(path) is None


@pytest.mark.parametrize("path", ["a", "a/b.tif", "a/b:c.tif", "..a/b", "ä µ/1.tif"])
def test_paths_inside_are_kept(path: str):
    assert str(safe_relative_path(path)) == path


def _zip(path: Path, name: str, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return path


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path):
    bomb = _zip(tmp_path / "b.zip", "x", b"\0" * 5_000_000)
    with pytest.raises(UserError, match="zip bomb"):
        open_zip(bomb, "b.zip", max_unpacked=1_000_000)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["a", "a/b"], "member 'a' is a file and also a folder"), (['a/b/c', 'a/b/', 'a/b'], "member 'a/b' is a file"),
        (['a', 'a/'], "member 'a' is a file and also a folder"),
        (["a/" * 1500 + "f"], "is 1500 folders deep"), (["a/" + "x" * 256], "a name that no disk takes"),
    ],
)  # fmt: skip
def test_a_zip_whose_members_no_disk_can_hold_is_refused(tmp_path: Path, members, message):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for member in members:
            archive.writestr(member, b"")
    with pytest.raises(UserError, match=message):
        open_zip(tmp_path / "b.zip", "b.zip")


def test_a_zip_that_lies_about_its_size_is_cut_off(tmp_path: Path):
    with (
        open_zip(_zip(tmp_path / "b.zip", "x", b"\0" * 5000), "b.zip") as archive,
        pytest.raises(UserError, match="larger"),
    ):
        read_member(archive, "x", "b.zip", max_bytes=4999)


@pytest.mark.parametrize("declared", [100, 64 << 20], ids=["a lie", "the truth"])
def test_a_member_that_unpacks_to_far_more_takes_no_memory(tmp_path: Path, declared: int):
    bomb = _zip(tmp_path / "b.zip", "x", bytes(64 << 20))
    data = bytearray(bomb.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, declared)
    bomb.write_bytes(data)
    tracemalloc.start()
    try:
        with open_zip(bomb, "b.zip") as archive, pytest.raises(UserError, match=r"member 'x'"):
            read_member(archive, "x", "b.zip", max_bytes=1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_an_xlsx_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bioimage_suite.tables.spreadsheet.MAX_XLSX_UNPACKED", 1000)
    bomb = _zip(tmp_path / "b.xlsx", "xl/worksheets/sheet1.xml", b" " * 100_000)
    with pytest.raises(UserError, match="zip bomb"):
        read_table(bomb, "b.xlsx")


def test_a_zip_that_climbs_out_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="would leave its folder"):
        open_zip(_zip(tmp_path / "b.zip", "../evil", b"x"), "b.zip")
