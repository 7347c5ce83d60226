"""Workbooks of MIHCSME, the Minimum Information for High Content Screening Microscopy Experiments.

Three sheets list group, key and value for the whole screen; the sheet `AssayConditions` has a row for each well. Rows
that begin with `#` are comments. Namespaces are those of the uploader to OMERO: `MIHCSME/StudyInformation/Biosample`.

Source: template and reader of https://github.com/Leiden-Cell-Observatory (mihcsme-py 0.1.4).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.delimited import TextRow
from bioimage_suite.tables.sheets import Finding, Sheet

_LISTS = ("InvestigationInformation", "StudyInformation", "AssayInformation")
_CONDITIONS = "AssayConditions"
MIHCSME_SHEETS = (*_LISTS, _CONDITIONS)
"""Titles of the sheets that are read; one may be empty."""
# The tidy dialect (see `key_value_dialects`) with the value in column C, where these sheets have it.
_TIDY = ("object_name", "key", "value", "namespace", "object_type", "object_id")
_OWNER, _FIRST, _LAST = "DataOwner", "First Name", "Last Name"


def mihcsme_sheets(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Return the sheets of a MIHCSME workbook as tables with a header: lists of pairs, then the table of wells.

    Returns:
        The tables, whose lines and columns are those of the sheets; none when the workbook is no MIHCSME.

    Raises:
        UserError: The table of wells has no header with `Plate` and `Well`, or nothing is filled in.
    """
    found = {sheet.title: sheet for sheet in sheets}
    if _CONDITIONS not in found or not any(title in found for title in _LISTS):
        return []
    lists = [_pairs(found[title]) for title in _LISTS if title in found]
    wells = _wells(found[_CONDITIONS])
    filled = [sheet for sheet in (*lists, wells) if len(sheet.rows) > 1]
    if not filled:
        raise UserError(f"file {wells.file}: a MIHCSME workbook without a value. Fill in its sheets.")
    return filled


def _said(sheet: Sheet) -> list[TextRow]:
    return [row for row in sheet.rows if not row.cells[0].startswith("#")]


def _pairs(sheet: Sheet) -> Sheet:
    """Return a sheet of group, key and value as a list of pairs about all images."""
    rows = [TextRow(row.line, (*row.cells, "", "")[:3]) for row in _said(sheet)]
    rows = [row for row in rows if row.cells[1] and row.cells[0] and row.cells[2].casefold() != "value"]
    pairs = [
        TextRow(row.line, ("*", row.cells[1], row.cells[2], f"MIHCSME/{sheet.title}/{row.cells[0]}", "image", ""))
        for row in rows
    ]
    return replace(sheet, rows=(TextRow(1, _TIDY), *_with_author(rows, pairs)))


def _with_author(rows: Sequence[TextRow], pairs: Sequence[TextRow]) -> Iterable[TextRow]:
    """Yield the pairs; before the owner's last name the whole name, as `Doe, Jane`."""
    owner = {row.cells[1]: row.cells[2] for row in rows if row.cells[0] == _OWNER}
    for row, pair in zip(rows, pairs, strict=True):
        if row.cells[:2] == (_OWNER, _LAST) and row.cells[2]:
            name = ", ".join(filter(None, (owner[_LAST], owner.get(_FIRST, ""))))
            yield TextRow(row.line, (*pair.cells[:1], "Authors", name, *pair.cells[3:]))
        yield pair


def _wells(sheet: Sheet) -> Sheet:
    rows = _said(sheet)
    if rows and not {"plate", "well"} <= {cell.casefold() for cell in rows[0].cells}:
        raise UserError(
            f"file {sheet.file}, sheet {sheet.title}, line {rows[0].line}: not the header of a MIHCSME table, which "
            "has the columns Plate and Well. Put it first; only lines that begin with # may stand above it."
        )
    return replace(sheet, rows=tuple(rows), findings=(*sheet.findings, *_twice(sheet.file, rows)))


def _twice(file: str, rows: Sequence[TextRow]) -> Iterable[Finding]:
    """Yield an error for each well that has a second row."""
    folded = [cell.casefold() for cell in rows[0].cells] if rows else []
    first: dict[tuple[str, ...], int] = {}
    for row in rows[1:]:
        well = tuple("".join(row.cells[folded.index(name) :][:1]) for name in ("plate", "well"))
        if any(well) and well in first:
            found = f"{'/'.join(well)}, also on line {first[well]}"
            yield Finding("error", file, row.line, "", found, "one row for each well")
        first.setdefault(well, row.line)
