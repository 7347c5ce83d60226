"""Spreadsheets beyond the plain table: blocks above it, units in headers, plural sheets, odd formats, hidden signs."""

import zipfile
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.metadata.checks import validate
from bioimage_suite.fair.metadata.fields import is_field
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.tables.key_value_dialects import read_key_values

Rows = list[list[object]]


def book(path: Path, **sheets: Rows) -> Path:
    workbook = openpyxl.Workbook()
    del workbook["Sheet"]
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title.replace("_", " "))
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def values(path: Path) -> dict[tuple[str, str], str]:
    """The valid values by image and field, or key where there is no field."""
    found = validate([read_key_values(path, "t", known=is_field)], [], ()).values
    return {(one.object_name, one.field or one.key): one.value for one in found}


STACKED: Rows = [
    ["Metadata of our study"],
    ["License", "CC-BY 4.0"],
    ["Contact", "Jane"],
    ["Study: Landing page", "https://example.org/"],
    [],
    ["image", "Organism", "Drug"],
    ["a.tif", "human", "A"],
    ["b.tif", "mouse", "B"],
]


@pytest.mark.parametrize("rows", [STACKED, [row for row in STACKED if row]], ids=["with a blank row", "without"])
def test_names_and_values_above_a_table_are_about_all_images(tmp_path: Path, rows: Rows):
    assert values(book(tmp_path / "t", Data=rows)) == {
        ("*", "study.license"): "CC BY 4.0",
        ("*", "Contact"): "Jane",
        ("*", "study.landing_page"): "https://example.org/",
        ("a.tif", "biosample.organism"): "Homo sapiens",
        ("a.tif", "biosample.extrinsic_variables"): "A",
        ("b.tif", "biosample.organism"): "Mus musculus",
        ("b.tif", "biosample.extrinsic_variables"): "B",
    }


def test_places_of_the_block_above_are_those_of_the_sheet(tmp_path: Path):
    rows: Rows = [*STACKED[:1], ["License", "All mine"], *STACKED[5:]]
    found = validate([read_key_values(book(tmp_path / "t", Data=rows), "t", known=is_field)], [], ()).findings
    assert [(one.line, one.column) for one in found if one.level == "error"] == [(2, "B (License)")]


def test_a_row_of_modules_above_the_header_is_no_block(tmp_path: Path):
    rows: Rows = [
        [None, "Biosample", None, "Image acquisition"],
        ["image", "Organism", "Title", "Imaging method"],
        ["a.tif", "human", "S1", "confocal"],
    ]
    assert values(book(tmp_path / "t", Data=rows)) == {
        ("a.tif", "biosample.organism"): "Homo sapiens",
        ("a.tif", "biosample.title"): "S1",
        ("a.tif", "acquisition.imaging_method"): "confocal microscopy",
    }


def test_a_unit_that_stands_in_the_header_alone_is_kept(tmp_path: Path):
    rows: Rows = [
        ["image *", "Pixel size X [µm]", "Temperature (°C)", "Voxel size Z in µm", "Time point (h)"],
        ["a.tif", 0.65, 37, "500 nm", 5],
    ]
    assert values(book(tmp_path / "t", Data=rows)) == {
        ("a.tif", "image.pixel_size_x"): "0.65 µm",
        ("a.tif", "acquisition.temperature"): "37 °C",
        ("a.tif", "image.pixel_size_z"): "500 nm",
        # The field's values are texts, so the unit stays where it is: in the key.
        ("a.tif", "Time point (h)"): "5",
    }


def test_sheets_may_be_named_after_modules_in_the_plural(tmp_path: Path):
    path = book(
        tmp_path / "t",
        Study_=[["Publisher"], ["An archive"]],
        Biosamples=[["Title", "Organism"], ["S1", "human"], ["S2", "mouse"]],
        Images=[["Image", "Biosample"], ["a.tif", "S2"], ["b.tif", "S1"]],
    )
    found = values(path)
    assert found["a.tif", "biosample.organism"] == "Mus musculus"
    assert found["b.tif", "biosample.organism"] == "Homo sapiens"
    assert found["*", "study.publisher"] == "An archive"


@pytest.mark.parametrize(
    ("number_format", "value", "text"),
    [
        ("0000", 42, "0042"),
        ("0000", 0.5, "0.5"),
        ('[>100]0" big";0" small"', 5, "5 small"),
        ('[>100]0" big";0" small"', 500, "500 big"),
        ('[<0]0" mV below";0" mV"', -70, "-70 mV below"),
        ("[h]:mm", timedelta(days=1, hours=12, minutes=5), "36:05:00"),
        ("mm:ss", timedelta(seconds=75), "00:01:15"),
        ('_-* #,##0.00\\ "µM"_-', 12.5, "12.5 µM"),
    ],
)
def test_a_cell_gives_what_its_format_shows(tmp_path: Path, number_format: str, value: object, text: str):
    workbook = openpyxl.Workbook()
    workbook.active.append(["image", "Amount"])
    workbook.active.append(["a.tif", value])
    workbook.active["B2"].number_format = number_format
    workbook.save(tmp_path / "t")
    assert values(tmp_path / "t") == {("a.tif", "Amount"): text}


def test_invisible_signs_at_the_ends_of_cells_are_left_out(tmp_path: Path):
    rows: Rows = [["\ufeffimage\u200b", "Organism\u00a0"], ["a.tif\u200b ", "Homo\u00a0sapiens"]]
    expected = {("a.tif", "biosample.organism"): "Homo sapiens"}
    assert values(book(tmp_path / "t", Data=rows)) == expected
    (tmp_path / "c").write_text("\n".join(",".join(map(str, row)) for row in rows), encoding="utf-8")
    assert values(tmp_path / "c") == expected


def test_a_format_left_in_the_last_row_of_the_sheet_does_no_harm(tmp_path: Path):
    workbook = openpyxl.Workbook()
    workbook.active.append(["image", "Organism"])
    workbook.active.append(["a.tif", "human"])
    workbook.active.cell(1_048_576, 1).number_format = "0.00"
    workbook.save(tmp_path / "t")
    assert values(tmp_path / "t") == {("a.tif", "biosample.organism"): "Homo sapiens"}


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"}, "OpenDocument"),
        ({"xl/workbook.xml": '<workbook xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"/>'}, "Strict Open XML"),
    ],
)
def test_other_spreadsheets_in_a_zip_are_named(tmp_path: Path, members: dict[str, str], message: str):
    with zipfile.ZipFile(tmp_path / "t", "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    with pytest.raises(UserError, match=f"{message}.*Save it as"):
        read_key_values(tmp_path / "t", "t")


def test_a_workbook_with_a_password_is_named(tmp_path: Path):
    (tmp_path / "t").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(UserError, match="or one with a password"):
        read_key_values(tmp_path / "t", "t")


LINES = "Doe, Jane\nRoe, Richard\n"


def test_each_line_of_a_cell_is_an_entry_of_its_own(tmp_path: Path):
    rows: Rows = [["image", "Authors", "Study: Keywords"], ["*", LINES, "nuclei;\ntest"]]
    found = validate([read_key_values(book(tmp_path / "t", Data=rows), "t", known=is_field)], [], ()).values
    assert [one.value for one in found] == ["Doe, Jane", "Roe, Richard", "nuclei", "test"]


@pytest.mark.parametrize("written", ["D:\\data\\Cells_A.tif", "/data/cells_a.tif", "CELLS_A.TIF", "cells_a.tif "])
def test_a_row_of_no_image_is_refused_with_the_image_that_is_meant(tmp_path: Path, written: str):
    path = book(tmp_path / "t", Data=[["image", "Organism"], [written, "human"]])
    images = [ImageFacts("cells_a.tif"), ImageFacts("cells_b.tif")]
    found = validate([read_key_values(path, "t", known=is_field)], images, ()).findings
    rows = [(one.found, one.suggestion) for one in found if one.expected == "a row about one of the images given"]
    assert rows == ([] if written.strip() == "cells_a.tif" else [(written, "cells_a.tif")])


FORM: Rows = [
    ["Our study"],
    ["Field", "Value", "Unit", "Required", "Comment"],
    ["Study: Publisher", "Nowhere Archive", None, "yes", "who publishes it"],
    ["Organism*", "human", None, "yes", None],
    ["Pixel size X", 0.65, "µm", "no", None],
    ["Temperature", "37 °C", "°C", "no", "of the stage"],
    ["Cell line (optional)", None, None, "no", None],
]


def test_a_form_gives_its_values_with_their_units(tmp_path: Path):
    """The header of a form is no field, and its further columns are no objects."""
    assert values(book(tmp_path / "t", Data=FORM)) == {
        ("*", "study.publisher"): "Nowhere Archive",
        ("*", "biosample.organism"): "Homo sapiens",
        ("*", "image.pixel_size_x"): "0.65 µm",
        ("*", "acquisition.temperature"): "37 °C",
    }


def test_places_in_a_form_are_those_of_the_sheet(tmp_path: Path):
    table = read_key_values(book(tmp_path / "t", Data=[*FORM, ["License", "mine"]]), "t", known=is_field)
    (error,) = [one for one in validate([table], [], ()).findings if one.level == "error"]
    assert (error.line, error.column) == (8, "B (License)")
    assert "form with names in column A and values in column B below row 2; others are not read" in table.form


def test_a_form_whose_header_is_the_name_of_a_field(tmp_path: Path):
    """`Name` is a label of Study component: Name."""
    rows: Rows = [["Name", "Value"], ["Organism", "human"], ["Organism", "mouse"]]
    found = validate([read_key_values(book(tmp_path / "t", Data=rows), "t", known=is_field)], [], ()).values
    assert [(one.object_name, one.field, one.value) for one in found] == [
        ("*", "biosample.organism", "Homo sapiens"),
        ("*", "biosample.organism", "Mus musculus"),
    ]


def test_a_form_with_modules_to_the_left(tmp_path: Path):
    rows: Rows = [
        ["Module", "Attribute", "Value"],
        ["Study", "Publisher", "Nowhere Archive"],
        ["Biosample", "Organism", "human"],
        [None, "Cell line", "HeLa"],
    ]
    assert values(book(tmp_path / "t", Data=rows)) == {
        ("*", "study.publisher"): "Nowhere Archive",
        ("*", "biosample.organism"): "Homo sapiens",
        ("*", "biosample.cell_line"): "HeLa cell",
    }


def test_a_table_of_values_of_images_is_no_form(tmp_path: Path):
    rows: Rows = [["image", "Name", "Value"], ["a.tif", "Organism", "human"], ["a.tif", "Cell line", "HeLa"]]
    table = read_key_values(book(tmp_path / "t", Data=rows), "t", known=is_field)
    assert "form with names" not in table.form
