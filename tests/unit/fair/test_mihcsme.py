"""A workbook of MIHCSME is read as it is: the whole screen, then each well."""

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.metadata.checks import Validated, validate
from bioimage_suite.fair.metadata.fields import is_field
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.table import by_object
from bioimage_suite.tables.key_value_dialects import read_key_values

GROUPS = ["Group", "Key", "Value"]
BOOK: dict[str, list[list[Any]]] = {
    "InvestigationInformation": [
        ["# Investigation Information - Metadata about the overall investigation"],
        GROUPS,
        ["DataOwner", "First Name", "Jane"],
        ["DataOwner", "Last Name", "Doe"],
        ["DataOwner", "ORCID investigator", "https://orcid.org/0000-0002-1825-0097"],
        ["InvestigationInfo", "Investigation Title", "Toxicity"],
    ],
    "StudyInformation": [
        ["# Study Information"],
        GROUPS,
        ["Study", "Study Title", "Nuclei of liver cells under two drugs"],
        ["Study", "Study Key Words", None],
        ["Biosample", "Biosample Organism", "Human"],
    ],
    "AssayInformation": [GROUPS, ["Assay", "Assay Technology Type", "confocal microscopy"]],
    "AssayConditions": [
        ["# Assay Conditions - Per-well metadata"],
        ["Plate", "Well", "Treatment", "Concentration"],
        ["P1", "A01", "DMSO", 0.1],
        ["P1", "A2", "nocodazole", 5],
        ["P2", "A1", "taxol", None],
    ],
    "_Terms": [["Key", "Value"], ["a", "b"]],
}


def read(path: Path, sheets: dict[str, list[list[Any]]]) -> Validated:
    workbook = openpyxl.Workbook()
    del workbook["Sheet"]
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return validate([read_key_values(path, "t", known=is_field)], [], ())


def test_the_screen_holds_for_all_images_and_a_well_for_its_own(tmp_path: Path):
    result = read(tmp_path / "t", BOOK)
    assert result.errors == 0
    objects = by_object(result.values)
    place = {"Plate": "P1", "Well": "A1"}
    found = objects.of_image(ImageFacts("a.tif", key_values=tuple(place.items())))
    assert {key: [value.value for value in values] for key, values in found.items()} == {
        "study.authors": ["Doe, Jane"],
        "?First Name": ["Jane"],
        "?Last Name": ["Doe"],
        "study.author_orcids": ["https://orcid.org/0000-0002-1825-0097"],
        "?Investigation Title": ["Toxicity"],
        "study.title": ["Nuclei of liver cells under two drugs"],
        "biosample.organism": ["Homo sapiens"],
        "acquisition.imaging_method": ["confocal microscopy"],
        "biosample.extrinsic_variables": ["DMSO"],
        "?Concentration": ["0.1"],
    }
    other = objects.of_image(ImageFacts("b.tif", key_values=(("Plate", "P2"), ("Well", "A1"))))
    assert [value.value for value in other["biosample.extrinsic_variables"]] == ["taxol"]


def test_each_value_keeps_its_place_and_the_namespace_of_the_uploader(tmp_path: Path):
    values = {value.field or value.key: value for value in read(tmp_path / "t", BOOK).values}
    organism, well = values["biosample.organism"], values["Concentration"]
    assert (organism.source, organism.line, organism.column) == ("t, sheet StudyInformation", 5, "C")
    assert organism.namespace == "MIHCSME/StudyInformation/Biosample"
    assert (well.object_type, well.object_name, well.line, well.column) == ("well", "P1/A2", 4, "D")


def test_a_well_with_two_rows_is_said(tmp_path: Path):
    conditions = [*BOOK["AssayConditions"], ["P1", "A2", "taxol", 5]]
    errors = [
        one for one in read(tmp_path / "t", {**BOOK, "AssayConditions": conditions}).findings if one.level == "error"
    ]
    assert (errors[0].file, errors[0].line, errors[0].found) == ("t, sheet AssayConditions", 6, "P1/A2, also on line 4")


def test_sheets_that_are_no_part_of_the_layout_are_said(tmp_path: Path):
    result = read(tmp_path / "t", {**BOOK, "AssayInformation": [GROUPS]})
    assert [one.found for one in result.findings if one.found.startswith("sheet")] == ["sheet _Terms"]


def test_a_wrong_value_is_said_with_its_sheet(tmp_path: Path):
    sheets = {**BOOK, "AssayInformation": [GROUPS, ["Assay", "Assay Technology Type", "confocal microscopie"]]}
    (error,) = [one for one in read(tmp_path / "t", sheets).findings if one.level == "error"]
    assert (error.file, error.line, error.column) == ("t, sheet AssayInformation", 2, "C (Assay Technology Type)")


def test_wells_without_a_header_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match=r"file t, sheet AssayConditions, line 1: not the header .* Plate and Well"):
        read(tmp_path / "t", {**BOOK, "AssayConditions": [["P1", "A1", "DMSO"]]})


def test_an_empty_template_says_that_nothing_is_filled_in(tmp_path: Path):
    empty = {title: rows[:1] if title.startswith("Assay") else rows[:2] for title, rows in BOOK.items()}
    with pytest.raises(UserError, match="file t: a MIHCSME workbook without a value"):
        read(tmp_path / "t", empty)
