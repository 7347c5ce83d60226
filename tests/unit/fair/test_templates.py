"""Templates to fill in: rows, drop-downs, no formula."""

import csv
import datetime
import time
from pathlib import Path

import jsonschema
import openpyxl
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.metadata.checks import validate
from bioimage_suite.fair.metadata.fields import template_fields
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.image_list import read_image_table
from bioimage_suite.fair.metadata.templates import json_schema, make_template, write_csv, write_xlsx
from bioimage_suite.tables.key_value_dialects import read_key_values
from tests.unit.fair.metadata_samples import DATA, SCOPES, images


def test_a_template_has_a_row_for_all_and_one_for_each_image():
    template = make_template(images(), template_fields("rembi", SCOPES))
    assert [row[0] for row in template.rows] == ["*", "cells_a.ome.tiff", "cells_b.ome.tiff"]
    row = dict(zip(template.header, template.rows[1], strict=True))
    assert (row["Image data: Pixel size X"], row["Biosample: Organism"]) == ("0.65 µm", "")


def test_a_template_for_omero_has_no_row_for_all():
    template = make_template(
        read_image_table(DATA / "image_table.tsv", "t"), template_fields("rembi", ("biosample",)), omero=True
    )
    assert template.header[:2] == ("OBJECT_ID", "OBJECT_NAME")
    assert [row[:2] for row in template.rows] == [("11", "cells_a.tif"), ("12", "cells_b.tif")]
    assert "Homo sapiens" in template.rows[0]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_untouched_template_is_read_back_without_complaint(tmp_path: Path, form: str):
    facts = [*images(), ImageFacts("=evil().tif")]
    template = make_template(facts, template_fields("rembi", SCOPES))
    {"csv": write_csv, "xlsx": write_xlsx}[form](tmp_path / "t", template)
    reading = read_key_values(tmp_path / "t", "t")
    assert reading.dialect == "template"
    result = validate([reading], facts, ())
    assert not [finding for finding in result.findings if finding.level == "error"]
    assert [target.name for target, _ in reading.targets] == [
        "*",
        "cells_a.ome.tiff",
        "cells_b.ome.tiff",
        "=evil().tif",
    ]


def test_xlsx_has_drop_downs_text_cells_and_no_formula(tmp_path: Path):
    facts = [ImageFacts("=1+1.tif", key_values=(("Organism", "=HYPERLINK(1)"),))]
    write_xlsx(tmp_path / "t.xlsx", make_template(facts, template_fields("rembi", ("biosample",))))
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    sheet = book["metadata"]
    choices = {choice.formula1 for choice in sheet.data_validations.dataValidation}
    assert any(formula.startswith("terms!$A$2:$A$") for formula in choices)
    assert book["terms"]["A1"].value == "NCBI Taxonomy (subset)"
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type == "s" for cell in cells)
    assert not [cell.value for cell in cells if cell.value.startswith("=")]


def test_the_same_images_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    template = make_template(images(), template_fields("rembi", SCOPES))
    write_xlsx(tmp_path / "a", template)
    later = time.time() + 90_000
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr("openpyxl.writer.excel.datetime", LaterClock)
    write_xlsx(tmp_path / "b", template)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


class LaterClock:
    """A clock of openpyxl that is a day ahead."""

    timezone = datetime.timezone

    class datetime(datetime.datetime):
        """Datetimes of this clock."""

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return datetime.datetime(2040, 1, 1, tzinfo=tz)


def test_characters_that_xlsx_has_no_place_for_are_replaced(tmp_path: Path):
    names = ["bell\x07.tif", "half\ud800.tif", "line\nbreak.tif"]
    write_xlsx(tmp_path / "t", make_template([ImageFacts(name) for name in names], template_fields("rembi", SCOPES)))
    lost = "\N{REPLACEMENT CHARACTER}"
    found = [target.name for target, _ in read_key_values(tmp_path / "t", "t").targets]
    assert found == ["*", f"bell{lost}.tif", f"half{lost}.tif", "line\nbreak.tif"]


def test_csv_has_no_formula(tmp_path: Path):
    write_csv(
        tmp_path / "t", make_template([ImageFacts("=1+1"), ImageFacts("@x")], template_fields("rembi", ("biosample",)))
    )
    with (tmp_path / "t").open(newline="") as stream:
        assert not [cell for row in csv.reader(stream) for cell in row if cell.startswith(("=", "@"))]


def test_the_json_schema_is_one_and_its_own_rows_follow_it():
    schema = json_schema(make_template(images(), template_fields("mifa", ("study", "annotation"))))
    jsonschema.Draft4Validator.check_schema(schema)
    jsonschema.Draft4Validator(schema).validate(schema["default"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(schema).validate([{"image": "a", "Study: Release date": "tomorrow"}])


def test_no_image_no_template():
    with pytest.raises(UserError, match="at least one image"):
        make_template([], template_fields("rembi", ("study",)))
