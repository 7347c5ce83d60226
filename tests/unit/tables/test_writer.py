"""Tables with other people's texts: no formula, one line a row unless asked otherwise."""

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.tables.delimited import tsv_rows
from bioimage_suite.tables.formulas import plain_text
from bioimage_suite.tables.writer import tsv_text, write_tsv

if TYPE_CHECKING:
    from pathlib import Path

CELLS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0'")), min_size=2, max_size=2)


@given(st.lists(CELLS, max_size=4))
def test_what_keeps_its_line_breaks_reads_back(tmp_path_factory, rows: list[list[str]]) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "written.tsv"
    write_tsv(path, ["a", "b"], rows, keep_line_breaks=True)
    assert [[plain_text(cell) for cell in row.cells] for row in tsv_rows(path, "t", quoted=True)] == [["a", "b"], *rows]


def test_a_row_is_one_line_and_no_formula() -> None:
    assert tsv_text([["=1+1", "a\nb\tc", -5]]) == "'=1+1\ta b c\t-5\n"
