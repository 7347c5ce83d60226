"""Writer of tab-separated tables whose texts come from other people: no cell becomes a formula in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from bioimage_suite.core.texts import one_line
from bioimage_suite.tables.formulas import spreadsheet_safe


def write_tsv(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], *, keep_line_breaks: bool = False
) -> None:
    """Write a table with a header as UTF-8.

    Args:
        path: The file.
        header: Names of the columns.
        rows: Cells of any type, written as text.
        keep_line_breaks: Whether a cell may have tabs and line breaks, in quotes, which only a reader of CSV
            understands. Otherwise they become blanks: Galaxy splits at them.
    """
    with path.open("w", encoding="utf-8", newline="") as stream:
        _write(stream, [header], keep_line_breaks=True)
        _write(stream, rows, keep_line_breaks=keep_line_breaks)


def tsv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as the text of a table: see `write_tsv`."""
    stream = io.StringIO()
    _write(stream, rows)
    return stream.getvalue()


def _write(stream: TextIO, rows: Iterable[Sequence[Any]], *, keep_line_breaks: bool = False) -> None:
    writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
    clean = str if keep_line_breaks else one_line
    writer.writerows([spreadsheet_safe(clean(str(cell))) for cell in row] for row in rows)
