"""MIHCSME workbooks say what the tables say, and are read back as they were."""

from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.plates.mihcsme_workbook import FIELDS, empty_wells, pairs_of, write_workbook
from bioimage_suite.plates.wells import Well, Wells, read_wells
from bioimage_suite.tables.key_value_dialects import read_key_values

PAIRS = {
    ("StudyInformation", "Study", "Study Title"): "=1+1",
    ("AssayInformation", "Own", "more"): "2026-03-01",
    ("StudyInformation", "Biosample", "Biosample Organism"): "Homo sapiens",
}
WELLS = Wells(
    {
        Well("P", 0, 0): {"dose": "0.10", "antibody": "Oct4"},
        Well("P", 31, 47): {"dose": "1e3", "antibody": ""},
    }
)


def test_wells_and_values_come_back(tmp_path: Path):
    path = tmp_path / "m.xlsx"
    write_workbook(path, WELLS, PAIRS)
    write_workbook(tmp_path / "twin", WELLS, PAIRS)
    assert (tmp_path / "twin").read_bytes() == path.read_bytes()
    again = read_wells([(path, "m.xlsx")])
    assert again.conditions == WELLS.conditions
    reading = read_key_values(path, "m.xlsx")
    assert not [one for one in reading.findings if one.level == "error"]
    assert pairs_of(reading.pairs) == PAIRS
    wells = {pair.target.name: pair.value for pair in reading.pairs if pair.key == "antibody"}
    assert wells == {"P/A1": "Oct4"}


def test_an_empty_template_has_every_key_and_well(tmp_path: Path):
    import openpyxl

    path = tmp_path / "m.xlsx"
    write_workbook(path, empty_wells(["a", "b"], 1536, ["control"]), {})
    book = openpyxl.load_workbook(path)
    for sheet, groups in FIELDS.items():
        keys = [(group, key) for group, names in groups.items() for key in names]
        assert [tuple(cell.value for cell in row[:2]) for row in book[sheet].iter_rows(min_row=3)] == keys
    assert book["AssayConditions"].max_row == 2 + 2 * 1536
    assert [cell.value for cell in book["AssayConditions"][2]] == ["Plate", "Well", "control"]


@pytest.mark.parametrize(
    ("plates", "count", "message"),
    [([], 96, "none is named"), (["a", "a"], 96, "'a' is named twice"), (["a"], 100, "wells 100: no usual plate")],
)
def test_plates_that_cannot_be_made(plates: list[str], count: int, message: str):
    with pytest.raises(UserError, match=message):
        empty_wells(plates, count, [])


def test_wells_without_a_plate_and_conditions_with_a_taken_name(tmp_path: Path):
    with pytest.raises(UserError, match="its wells have no plate"):
        write_workbook(tmp_path / "m", Wells({Well("", 0, 0): {"x": "1"}}), {})
    with pytest.raises(UserError, match="condition 'Plate'"):
        write_workbook(tmp_path / "m", Wells({Well("P", 0, 0): {"Plate": "1"}}), {})
