"""Compute what a solution's number is compared with: `FUNCTION [of `COLUMN`] in `OUTPUT` [where `COLUMN` is `VALUE`]`.

Functions: `elements` of a list; `rows`, `sum`, `mean`, `median`, `max`, `min`, `distinct` (different values) of the
rows of all tables of an output; `value`, the number of the only row. An output is written `Title: output`.
"""

import re
import statistics
from collections.abc import Callable
from dataclasses import dataclass

GRAMMAR = re.compile(
    r"^(?P<function>[a-z]+)(?: of `(?P<column>[^`]+)`)? in `(?P<output>[^`]+)`"
    r"(?: where `(?P<where>[^`]+)` is `(?P<value>[^`]+)`)?$"
)
OF_NUMBERS: dict[str, Callable[[list[float]], float]] = {
    "sum": sum, "mean": statistics.fmean, "median": statistics.median, "max": max, "min": min,
}  # fmt: skip
FUNCTIONS = ("elements", "rows", "distinct", "value", *OF_NUMBERS)


@dataclass(frozen=True)
class Table:
    """A table that was read: it may have columns and no row."""

    columns: tuple[str, ...] = ()
    rows: tuple[dict[str, str], ...] = ()


class CheckError(Exception):
    """A check that cannot be computed."""


@dataclass(frozen=True)
class Check:
    """A parsed check."""

    function: str
    column: str
    output: str
    where: str
    value: str


def parse_check(text: str) -> Check:
    """Parse the text of a check.

    Raises:
        CheckError: It does not follow the grammar.
    """
    found = GRAMMAR.match(text)
    if not found or found["function"] not in FUNCTIONS:
        raise CheckError(f"check {text!r}: is not FUNCTION of `COLUMN` in `OUTPUT`; FUNCTION is one of {FUNCTIONS}")
    if (found["column"] is None) != (found["function"] in ("elements", "rows")):
        raise CheckError(f"check {text!r}: {found['function']} {'takes no' if found['column'] else 'needs a'} column")
    return Check(**{name: value or "" for name, value in found.groupdict().items()})


def read_table(text: str) -> Table:
    """Read a tabular text with a header."""
    header, *rows = [line.split("\t") for line in text.splitlines() if line.strip()]
    return Table(tuple(header), tuple(dict(zip(header, row, strict=True)) for row in rows))


def compute(check: Check, tables: list[Table]) -> float:
    """Return the number.

    Args:
        check: What to compute.
        tables: Each dataset of the output; for `elements` their content does not matter.

    Raises:
        CheckError: A column is missing, no row is left, or a cell is no number.
    """
    if check.function == "elements":
        return len(tables)
    for name in filter(None, (check.column, check.where)):
        if any(name not in table.columns for table in tables):
            raise CheckError(f"{check.output}: has no column {name!r}; it has: {', '.join(tables[0].columns)}")
    rows = [row for table in tables for row in table.rows]
    if check.where:
        rows = [row for row in rows if row[check.where] == check.value]
    if check.function == "rows":
        return len(rows)
    cells = [row[check.column] for row in rows]
    if check.function == "distinct":
        return len(set(cells))
    try:
        numbers = [float(cell) for cell in cells if cell != ""]
    except ValueError as error:
        raise CheckError(f"{check.output}: column {check.column!r}: {error}") from None
    if not numbers or (check.function == "value" and len(numbers) != 1):
        raise CheckError(f"{check.output}: {len(numbers)} rows with a number in {check.column!r}")
    return numbers[0] if check.function == "value" else OF_NUMBERS[check.function](numbers)


def agrees(written: str, computed: float) -> bool:
    """Return whether a number, rounded to the decimals that the text has, is what the text says."""
    plain = written.replace(",", "")
    decimals = len(plain.partition(".")[2])
    return f"{round(computed, decimals):.{decimals}f}" == f"{float(plain):.{decimals}f}"
