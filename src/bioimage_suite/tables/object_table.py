"""Object tables and other tabular files: one header line, columns separated by tabs."""

import os
from collections.abc import Container, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.texts import whole_number
from bioimage_suite.tables.delimited import column_names, tsv_rows
from bioimage_suite.tables.formulas import plain_text, spreadsheet_safe

ID_COLUMNS = ("image_id", "well_id", "dataset_id", "plate_id", "project_id", "screen_id")
"""Id columns from the finest object to the coarsest. In a table with several of them the finest counts."""


@dataclass(frozen=True)
class TextTable:
    """A table in memory: `rows` hold one text for each of `columns`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> tuple[str, ...]:
        """Return all values of one column, from top to bottom."""
        position = self.columns.index(name)
        return tuple(row[position] for row in self.rows)


def read_exact_table(path: str | Path, what: str = "table") -> TextTable:
    """Read a tab-separated file with a header; a byte order mark and a leading `#` are tolerated.

    Args:
        path: File in UTF-8.
        what: Name of the table in messages, such as "object table".

    Raises:
        UserError: The file is not UTF-8, has no header line or a repeated column name, or the length of a row differs
            from that of the header.
    """
    found = [row for row in tsv_rows(Path(path), what) if any(row.cells)]
    if not found:
        raise UserError(f"{what}: empty. It needs a header line that names its columns.")
    header, *rows = found
    columns = column_names(header.cells, what)
    if all(_is_number(name) for name in columns):
        raise UserError(
            f"{what}: no header, the first line holds values ({', '.join(columns[:5])}). "
            "Put a line with the names of the columns on top."
        )
    for row in rows:
        if len(row.cells) != len(columns):
            raise UserError(
                f"{what}, line {row.line}: {len(row.cells)} columns, but the header has {len(columns)}. "
                "Correct the row."
            )
    return TextTable(tuple(map(plain_text, columns)), tuple(tuple(map(plain_text, row.cells)) for row in rows))


def read_object_ids(path: str | Path) -> tuple[str, tuple[int, ...]]:
    """Read the ids of the OMERO objects that an object table names.

    Returns:
        The kind ("image", "dataset", ...) of its finest id column, and the ids, each once, in the order of the table.

    Raises:
        UserError: The table has no header, no id column or no row, or a cell is not an id.
    """
    what = "object table"
    table = read_exact_table(path, what)
    name = next((column for column in ID_COLUMNS if column in table.columns), None)
    if name is None:
        raise UserError(
            f"{what}: no id column. It needs one of {', '.join(ID_COLUMNS)}; found: {', '.join(table.columns)}."
        )
    if not table.rows:
        raise UserError(f"{what}: no row below the header. Check the step that made it.")
    for row, text in enumerate(table.column(name), 1):
        if whole_number(text.strip()) is None:
            raise UserError(f"{what}, row {row}: {name} is {text!r}, which is not an id. Write a whole number.")
    return name.removesuffix("_id"), tuple(dict.fromkeys(int(text) for text in table.column(name)))


def key_column(key: str, taken: Container[str]) -> str:
    """Return the column of a key-value pair: its key, with "key " before it if another column has that name.

    >>> key_column("dose", ["status"]), key_column("status", ["status"])
    ('dose', 'key status')
    """
    return f"key {key}" if key in taken else key


def write_table(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, exact: bool = False) -> int:
    """Write a tab-separated file with a header and return how many rows it has.

    None becomes an empty cell. Tabs and line breaks within a value become spaces: Galaxy splits at them. A table that
    cannot be finished (a full disk) is left empty: part of a table could pass for the whole.

    Args:
        path: The file.
        columns: Names of the columns.
        rows: Cells of any type.
        exact: Write texts that a spreadsheet would take for formulas as they are; otherwise an apostrophe stands before
            them, which `read_exact_table` removes.
    """
    count = 0
    text = _exact_cell if exact else _safe_cell
    try:
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            file.write("\t".join(map(text, columns)) + "\n")
            for row in rows:
                file.write("\t".join(map(text, row)) + "\n")
                count += 1
    except BaseException:
        with suppress(OSError):
            os.truncate(path, 0)
        raise
    return count


def _safe_cell(value: Any) -> str:
    return spreadsheet_safe(_exact_cell(value)) if isinstance(value, str) else _exact_cell(value)


def _exact_cell(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split("\t")).replace("\r", " ").replace("\n", " ")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
