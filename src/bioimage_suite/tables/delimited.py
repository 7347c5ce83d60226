"""Readers of delimited text that programs wrote, one row in memory.

`tsv_rows` reads tab-separated files, `delimited_rows` texts whose cells may be quoted, `shipped_rows` the tables that
this package ships.
"""

from __future__ import annotations

import csv
import gzip
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.repeats import repeated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# Python's csv refuses cells of more than 131,072 characters by default, but a description may be longer.
csv.field_size_limit(10_000_000)
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


@dataclass(frozen=True)
class TextRow:
    """One row: `line` is the line of the file (or the sheet's row) that it starts on."""

    line: int
    cells: tuple[str, ...]


def delimited_rows(lines: Iterable[str], what: str, delimiter: str = "\t") -> Iterator[TextRow]:
    """Yield the rows of a delimited text, each with the line that it starts on; empty lines are left out.

    Args:
        lines: Lines with their ends, such as a file opened with `newline=""`.
        what: What the user calls the table, for messages.
        delimiter: One character.

    Raises:
        UserError: The text cannot be split into cells.
    """
    # Else a quote that is not closed would swallow all rows below it without a word.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield TextRow(line, tuple(cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{what}, line {line}: not a readable table ({error}). Fix the quotes there.") from error


def rows_as_written(lines: Iterable[str]) -> Iterator[TextRow]:
    r"""Yield the rows of tab-separated lines; empty lines are left out.

    As in Galaxy, a line is a row and a tab is always the end of a cell. So a cell that begins with a quote, such as the
    name of an image, does not swallow the rows below it. Only a cell that is quoted as a whole loses its quotes, as
    spreadsheets and R write them.

    Args:
        lines: Lines with their ends, such as a file opened with `newline=""`.

    >>> [row.cells for row in rows_as_written(['"a\t1\n', '"b c"\t2\n'])]
    [('"a', '1'), ('b c', '2')]
    """
    for number, line in enumerate(lines, 1):
        if text := line.rstrip("\r\n"):
            yield TextRow(number, tuple(_unquoted(cell) for cell in text.split("\t")))


def _unquoted(cell: str) -> str:
    quoted = _QUOTED.fullmatch(cell) if cell.startswith('"') else None
    return quoted[1].replace('""', '"') if quoted else cell


def tsv_rows(path: Path, what: str, *, quoted: bool = False) -> Iterator[TextRow]:
    """Yield the rows of a tab-separated file in UTF-8, with or without byte order mark: see `rows_as_written`.

    Args:
        path: The file.
        what: What the user calls the table, for messages.
        quoted: Whether quotes may enclose tabs and line breaks, as in CSV; see `writer.write_tsv`.

    Raises:
        UserError: The file is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from delimited_rows(stream, what) if quoted else rows_as_written(stream)
    except UnicodeDecodeError as error:
        raise UserError(f"{what}: byte {error.start} is not UTF-8. Save the file in UTF-8.") from None


def column_names(header: Iterable[str], what: str) -> tuple[str, ...]:
    """Return the names of the columns that a header gives, without outer blanks and without a leading `#`.

    Raises:
        UserError: Two columns have the same name.
    """
    columns = [name.strip() for name in header]
    columns[:1] = [name.removeprefix("#").strip() for name in columns[:1]]
    twice = sorted(repeated(filter(None, columns)))
    if twice:
        raise UserError(f"{what}: column {twice[0]!r} occurs twice. Rename one.")
    return tuple(columns)


def shipped_rows(path: Path) -> list[dict[str, str]]:
    """Read a table that this package ships: tab-separated, UTF-8, with a header, without quotes; `.gz` is unpacked."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return list(csv.DictReader(text.split("\n"), delimiter="\t", quoting=csv.QUOTE_NONE))
