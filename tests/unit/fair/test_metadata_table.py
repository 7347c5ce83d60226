"""The normal table of metadata, and pages that show it."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.html import ReportPage, heat, paragraph, table
from bioimage_suite.fair.metadata.findings_report import findings_page, readable_list, write_findings
from bioimage_suite.fair.metadata.table import MetadataValue, read_metadata_table, write_metadata_table
from bioimage_suite.tables.sheets import Finding
from tests.unit.fair.metadata_samples import DATA

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)


@given(
    st.lists(
        st.builds(
            MetadataValue,
            *[TEXT.map(lambda text: text.lstrip("'"))] * 11,
            st.integers(0, 9),
            TEXT.map(lambda text: text.lstrip("'")),
        )
    )
)
def test_a_metadata_table_comes_back_as_written(tmp_path_factory: pytest.TempPathFactory, values: list[MetadataValue]):
    path = tmp_path_factory.mktemp("t") / "t.tsv"
    write_metadata_table(path, values)
    assert read_metadata_table(path, "t") == values
    with path.open(newline="", encoding="utf-8") as stream:
        assert not [cell for row in csv.reader(stream, delimiter="\t") for cell in row if cell.startswith(("=", "@"))]


def test_another_table_is_refused():
    with pytest.raises(UserError, match="Run validate_metadata on it first"):
        read_metadata_table(DATA / "image_table.tsv", "t")


@given(st.text())
def test_every_text_in_a_page_is_escaped(text: str):
    html = ReportPage(text, (paragraph(text), table([text], [[text, heat(0.5)]]))).html
    body = re.sub(r"<(/?(html|head|meta|title|body|h1|p|div|table|tbody|tr|th|td)\b[^<>]*|!DOCTYPE html)>", "", html)
    assert "<" not in body


def test_html_in_values_is_escaped_and_pages_hold_what_galaxy_shows():
    findings = [Finding("error", "<b>", 1, "B", "<script>alert(1)</script>", "x", '"onload=')]
    html = findings_page("t", ["<img src=x>"], findings).html
    assert "&lt;script&gt;" in html
    for forbidden in ("<script", "<style", "<svg", "<img", "<link"):
        assert forbidden not in html
    # In a narrow window a table scrolls by itself.
    assert html.count("<table") == html.count('<div style="overflow-x:auto">') == html.count("</div>") > 0


def test_findings_of_many_lines_share_a_row_but_not_in_the_table(tmp_path: Path):
    findings = [Finding("error", "t", line, "B", "=x\ty", "z") for line in range(1, 12)]
    html = findings_page("t", [], findings).html
    assert html.count("<tr>") == 2
    assert "1, 2, 3, 4, 5, 6, 7, 8 and 3 more" in html
    write_findings(tmp_path / "f", findings)
    lines = (tmp_path / "f").read_text().splitlines()
    assert lines[1] == "error\tt\t1\tB\t'=x y\tz\t"
    assert len(lines) == 12
    assert readable_list(findings).count("\n") == 0
