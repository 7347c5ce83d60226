"""Tables that people filled in, as text, and remarks on them, each with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.column_letters import letters_of
from bioimage_suite.tables.delimited import TextRow

MAX_ROWS = 500_000
MAX_COLUMNS = 2000
# Zero-width signs and a byte order mark, which people copy from web pages; at the ends of a cell nobody sees them.
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"


@dataclass(frozen=True)
class Finding:
    """One problem or remark about a file.

    `level` is `error`, `warning` or `note`; `line` counts from 1; 0 stands for the whole file.
    """

    level: str
    file: str
    line: int
    column: str
    found: str
    expected: str
    suggestion: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table that a person filled in, as text.

    Attributes:
        file: What the user calls the file.
        form: `xlsx`, or the encoding and delimiter, as `utf-8, comma`.
        rows: Rows that have at least one filled cell.
        findings: Problems, each with its place.
        date_cells: (line, column index from 0) of the XLSX cells that Excel stores as dates.
        links: Targets of links by (line, column index).
        title: Name of the sheet; empty for a text table.
        hidden: Whether the sheet is hidden.
    """

    file: str
    form: str
    rows: tuple[TextRow, ...]
    findings: tuple[Finding, ...]
    date_cells: frozenset[tuple[int, int]] = frozenset()
    links: Mapping[tuple[int, int], str] = field(default_factory=dict)
    title: str = ""
    hidden: bool = False


def stripped(text: str) -> str:
    """Return the text of a cell without blanks and invisible signs at its ends."""
    return text.strip().strip(_INVISIBLE).strip()


def check_size(rows: int, columns: int, name: str) -> None:
    """Check that a table stays within MAX_ROWS and MAX_COLUMNS.

    Raises:
        UserError: It does not.
    """
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        raise UserError(f"file {name}: more than {MAX_ROWS:,} rows or {MAX_COLUMNS:,} columns. Split the table.")


def formula_finding(name: str, line: int, index: int, formula: str, stored: str | None = None) -> Finding:
    """Return the remark on a formula: a note when the value that was stored with it is taken, else an error.

    The value may be the empty text, as of `=IF(A1>0,A1,"")`; None stands for none.
    """
    column = letters_of(index)
    if stored is not None:
        return Finding("note", name, line, column, formula, "a value; the stored one is taken", stored)
    return Finding("error", name, line, column, formula, "a value; formulas are not computed", "type the value itself")


def without_lost_values(sheet: Sheet) -> Sheet:
    """Return a sheet whose cells all have their values, for a reader that shows no findings.

    Raises:
        UserError: A cell is a formula without a stored value, which would pass for an empty cell.
    """
    lost = next((one for one in sheet.findings if one.level == "error"), None)
    if lost:
        raise UserError(
            f"file {sheet.file}, line {lost.line}, column {lost.column}: the formula {lost.found} has no stored value, "
            "and formulas are not computed. Type the value itself, or save the file with a spreadsheet program."
        )
    return sheet
