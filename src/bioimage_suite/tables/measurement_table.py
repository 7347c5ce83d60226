"""Measurement tables: one row for each object; the header names each feature with its unit."""

from __future__ import annotations

import math
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bioimage_suite.tables.delimited import TextRow

# Characters that `_plain_rows` accepts everywhere.
_USUAL = bytes({*range(ord("*"), ord("=")), *range(ord(">"), 0x7F), ord("\t"), ord("\n")})
# Quotes, control characters, formulas, blanks at the end of a cell, rows without a filled cell.
_UNUSUAL = re.compile(rb"""["'\x00-\x08\x0b-\x1f\x7f]|(?:^|\t)[= ]| (?:\t|$)|^\t*\n""", re.MULTILINE)
# Characters that end a line or a cell for Galaxy or for Python.
_BLANKS = dict.fromkeys([*range(9, 14), 28, 29, 30, 0x85, 0x2028, 0x2029], " ")


IMAGE_COLUMNS = ("image", "image_name")
"""Usual names of the column of the image."""


def position_columns(axis: str, unit: str) -> tuple[str, ...]:
    """Return the usual names of a position's column along `x`, `y` or `z` in `um` or `px`, best first."""
    return (f"centroid_{axis}_{unit}", f"{axis}_{unit}", f"centroid_{axis}", axis, axis.upper())


POSITION_DIGITS = 10
"""Significant digits of a measured position in a table. A position is a mean over pixels: at a million pixels from the
origin the last digit is a ten-thousandth of a pixel, far below what an image tells of an object. Others would be noise
of the arithmetic (127.49999999999999). Positions that were not measured here keep all digits."""
_POWERS = np.array([float(10**exponent) for exponent in range(16)])


def as_positions(values: np.ndarray) -> np.ndarray:
    """Return measured positions as tables hold them: rounded to POSITION_DIGITS significant digits.

    Args:
        values: Positions, an array of any shape.

    >>> as_positions(np.array([127.49999999999999, 1234.5678901234567])).tolist()
    [127.5, 1234.56789]
    """
    size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
    decimals = np.clip(POSITION_DIGITS - 1 - np.floor(np.log10(size)), 0, len(_POWERS) - 1).astype(np.int64)
    power = _POWERS[decimals]  # exact, so that a quotient is the number next to the decimal one, which `repr` writes
    rounded: np.ndarray = np.rint(values * power) / power
    return rounded


# Beyond this not every whole number has a floating point number of its own.
LARGEST_WHOLE = 2.0**53
# What tells the objects of a table apart.
OBJECT_KEY = ("image", "t", "frame", "z", "label")


def number_of(text: str) -> float:
    """Return the number that a cell holds, NaN where it is empty or says so.

    Raises:
        ValueError: It is no number, or infinite. Python also reads `1_000` and digits of other scripts as numbers; no
            program that writes tables means that.
    """
    if not text.strip():
        return math.nan
    number = float(text)
    if math.isinf(number) or "_" in text or not text.isascii():
        raise ValueError(text)
    return number


def _as_number(text: str) -> float | str:
    """Return the number that a cell holds, so that 1, 01 and 1.0 are the same; its text if it holds none."""
    try:
        return text if math.isnan(number := number_of(text)) else number
    except ValueError:
        return text


@dataclass(frozen=True)
class MeasurementTable:
    """A table in memory, as text.

    Attributes:
        name: Name of the table in messages.
        columns: Distinct names in the header.
        rows: One tuple of cells for each object, as long as `columns`.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def texts(self, column: str) -> list[str]:
        """Return all cells of a column as text.

        Raises:
            UserError: There is no such column.
        """
        at = self._at(column)
        return [row[at] for row in self.rows]

    def _at(self, column: str) -> int:
        if column not in self.columns:
            raise UserError(
                f"Table {self.name}: it has no column {column!r}. Choose one of: {', '.join(self.columns)}."
            )
        return self.columns.index(column)

    def numbers(self, column: str) -> np.ndarray:
        """Return a column as (n,) float64.

        Raises:
            UserError: There is no such column, or a cell is not a finite number. The message names the row.
        """
        texts = self.texts(column)
        try:
            values = np.fromiter(map(float, texts), np.float64, len(texts))
        except ValueError:
            values = np.full(len(texts), math.nan)
        whole = "".join(texts)
        if np.isfinite(values).all() and whole.isascii() and "_" not in whole:
            return values
        # Convert the cells one by one to name the wrong row.
        return np.array([self.number(column, row) for row in range(len(texts))], np.float64)

    def number(self, column: str, row: int) -> float:
        """Return the cell of a column in a row, counted from 0.

        Raises:
            UserError: There is no such column, or the cell is not a finite number. The message names the row.
        """
        text = self.rows[row][self._at(column)]
        with suppress(ValueError):
            value = number_of(text)
            if math.isfinite(value):
                return value
        raise UserError(
            f"Table {self.name}, row {row + 1} below the header: {column} is {text!r}, not a finite number. "
            "Correct or remove the row."
        )

    def whole_numbers(self, column: str) -> np.ndarray:
        """Return a column as (n,) int64.

        Raises:
            UserError: As for `numbers`, or a number has a fraction or 16 digits and more.
        """
        values = self.numbers(column)
        wrong = np.flatnonzero((values != np.rint(values)) | (np.abs(values) >= LARGEST_WHOLE))
        if len(wrong):
            raise UserError(
                f"Table {self.name}, row {wrong[0] + 1} below the header: {column} is {values[wrong[0]]}, not a whole "
                "number. Choose another column."
            )
        return values.astype(np.int64)

    def objects_twice(self) -> list[str]:
        """Return in words each object that has more than one row, as `label 7, t 0`; none without a column `label`."""
        if "label" not in self.columns:
            return []
        named = [name for name in OBJECT_KEY if name in self.columns]
        cells = list(zip(*map(self.texts, named), strict=True))
        keys = [tuple(text if name == "image" else _as_number(text) for name, text in zip(named, row, strict=True))
                for row in cells]  # fmt: skip
        count, first = Counter(keys), dict(zip(reversed(keys), reversed(cells), strict=True))
        return [
            ", ".join(f"{name} {value}" for name, value in reversed(list(zip(named, first[key], strict=True))))
            for key, rows in count.items()
            if rows > 1
        ]

    def first_of(self, candidates: Iterable[str]) -> str | None:
        """Return the first of several usual names that is a column; None if none is."""
        return next((name for name in candidates if name in self.columns), None)


def table_of_rows(rows: Sequence[TextRow], name: str, what: str) -> MeasurementTable:
    """Return the rows of a text or a sheet, the header first, as a table; rows that end in empty cells may be short.

    Args:
        rows: At least the header.
        name: Name of the table.
        what: What messages call it.

    Raises:
        UserError: A row has more filled cells than there are columns, or a column occurs twice.
    """
    from bioimage_suite.tables.delimited import column_names

    columns = column_names(rows[0].cells, what)
    for row in rows[1:]:
        if any(row.cells[len(columns) :]):
            raise UserError(
                f"{what}, line {row.line}: {len(row.cells)} cells, but the header names {len(columns)}. "
                "Correct the row; a number in it may have a decimal comma."
            )
    cells = (row.cells[: len(columns)] + ("",) * (len(columns) - len(row.cells)) for row in rows[1:])
    return MeasurementTable(name, columns, tuple(cells))


def say_objects_twice(table: MeasurementTable) -> None:
    """Print a note if objects have more than one row, as where the rows of a table were put together twice."""
    twice = table.objects_twice()
    if twice:
        print(f"NOTE: {len(twice)} objects have more than one row, such as {twice[0]}; each row counts.", flush=True)


def read_measurement_table(path: Path, name: str) -> MeasurementTable:
    """Read a table from a tab-separated, CSV or XLSX file.

    Args:
        path: The file; its format is recognised by its content.
        name: Name of the table in messages.

    Raises:
        UserError: The file is missing or not a table, has no header or a repeated column name, or a row has more cells
            than there are columns.
    """
    # Here, as most tools only write tables: the readers take milliseconds of every start.
    from bioimage_suite.tables.reader import read_table

    if not path.is_file():
        raise UserError(f"Table {name}: there is no file {path}. Give the path of a table.")
    plain = _plain_rows(path)
    if plain:
        return MeasurementTable(name, plain[0], tuple(plain[1:]))
    rows = read_table(path, name).rows
    if not rows:
        raise UserError(f"Table {name}: it is empty. It needs a header line that names its columns.")
    return table_of_rows(rows, name, f"Table {name}")


def _plain_rows(path: Path) -> list[tuple[str, ...]] | None:
    """Return the rows of a table in the form that `write_rows` writes; None if it may have another form.

    The full reader (encodings, delimiters, quotes, formulas, repeated names) takes ten times as long, which is most of
    a tool's time at 100,000 rows.
    """
    from bioimage_suite.tables.reader import MAX_TEXT_BYTES
    from bioimage_suite.tables.sheets import MAX_ROWS

    data = path.read_bytes() if path.stat().st_size <= MAX_TEXT_BYTES else b""
    if not data.isascii() or not data.endswith(b"\n"):
        return None
    # Most tables have only usual characters and no row with an empty first cell; this check is ten times as fast as the
    # pattern.
    usual = not data.translate(None, _USUAL) and not any(part in b"\n" + data for part in (b"\n\n", b"\n\t"))
    if not usual and _UNUSUAL.search(data):
        return None
    rows = [tuple(line.split("\t")) for line in data.decode("ascii")[:-1].split("\n")]
    header, width = rows[0], len(rows[0])
    sound = width > 1 and all(header) and len(set(header)) == width and len(rows) <= MAX_ROWS
    return rows if sound and not header[0].startswith("#") and all(len(row) == width for row in rows) else None


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a tab-separated table with a header.

    Floats keep all digits, so that they read back as the same number; None and NaN become empty cells. Tabs and line
    breaks within a text become blanks, because Galaxy splits at them.
    """
    with path.open("w", encoding="utf-8", newline="") as stream:
        # A name may come from another program's table, or from a channel.
        stream.write("\t".join(map(format_cell, columns)) + "\n")
        for row in rows:
            # Most cells are printable texts: checking them here saves a function call.
            cells = [c if type(c) is str and c.isprintable() else format_cell(c) for c in row]
            stream.write("\t".join(cells) + "\n")


def format_cell(value: Any) -> str:
    """Return the text of one cell: see `write_rows`.

    >>> format_cell(0.1), format_cell(3.0), format_cell(None), format_cell("a" + chr(9) + "b")
    ('0.1', '3.0', '', 'a b')
    """
    if value is None:
        return ""
    if isinstance(value, float):  # also numpy's float64
        return "" if math.isnan(value) else repr(float(value))
    if isinstance(value, str):
        return value if value.isprintable() else value.translate(_BLANKS)
    return str(value)
