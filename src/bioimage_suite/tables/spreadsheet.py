"""Reader of XLSX workbooks as people keep them: what a reader of a sheet sees, cell by cell.

Merged cells fill the cells that they cover; formulas give the value that the spreadsheet program stored with them;
units and percent that stand only in a cell's number format are kept; links are kept beside their text.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bioimage_suite.core.apart import ApartError, run_apart
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.untrusted_files import open_zip, read_member
from bioimage_suite.tables.column_letters import index_of
from bioimage_suite.tables.delimited import TextRow
from bioimage_suite.tables.formulas import plain_text
from bioimage_suite.tables.number_formats import shown_number, shown_text
from bioimage_suite.tables.sheets import Finding, Sheet, check_size, formula_finding, stripped

MAX_XLSX_UNPACKED = 300 * 1024 * 1024
# Twenty kilobytes can hold a row of twenty million cells. A workbook that people keep takes some 5 s a megabyte.
MAX_SECONDS, MAX_SECONDS_PER_MB = 30, 30
MAX_MEMORY = 800 << 20
# The last row that a sheet can have; people leave a format or a blank there.
_LAST_ROW = 1_048_576
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SHEET_START = re.compile(rb"<(?:\w+:)?worksheet\b[^>]*>")
_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")
_LINK_FORMULA = re.compile(r'=HYPERLINK\(\s*"([^"]+)"', re.IGNORECASE)

_Place = tuple[int, int]
"""Row of the sheet, counted from 1, and column, counted from 0."""


@dataclass
class _Cells:
    """What is found while a sheet is read."""

    rows: dict[int, list[str]] = field(default_factory=dict)
    dates: set[_Place] = field(default_factory=set)
    formulas: dict[_Place, str] = field(default_factory=dict)
    links: dict[_Place, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_workbook(path: Path, name: str, *, as_shown: bool, only_first: bool = False) -> list[Sheet]:
    """Read the sheets of a workbook.

    Args:
        path: The file.
        name: What the user calls the file.
        as_shown: Whether numbers get the units and percent of their formats; otherwise they stay bare numbers.
        only_first: Read the sheet `metadata`, else the first visible one, and no other.

    Raises:
        UserError: The file is no workbook, a zip bomb, or takes too much time or memory.
    """
    import openpyxl  # noqa: F401 (loaded once, not in each child)

    with open_zip(path, name, MAX_XLSX_UNPACKED) as archive:
        _refuse_other_forms(archive, name)
    seconds = MAX_SECONDS + MAX_SECONDS_PER_MB * (path.stat().st_size >> 20)
    try:
        return run_apart(_sheets, path, name, as_shown, only_first, seconds=seconds, memory=MAX_MEMORY)
    except ApartError as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> UserError:
    return UserError(f"file {name}: not a readable XLSX file ({error}). Save it again or give CSV.")


def _sheets(path: Path, name: str, as_shown: bool, only_first: bool) -> list[Sheet]:
    import openpyxl

    # Open the file here: openpyxl goes by the suffix of the path, and Galaxy names every file `.dat`.
    with path.open("rb") as stream, path.open("rb") as again:
        try:
            book = openpyxl.load_workbook(stream, read_only=True, data_only=False, keep_links=False)
            if not book.worksheets:
                raise UserError(f"file {name}: a workbook without a sheet. Save it again or give CSV.")
            chosen = _chosen(book.worksheets) if only_first else book.worksheets
            read = [(sheet, _read_cells(sheet, name, as_shown)) for sheet in chosen]
            if any(cells.formulas for _, cells in read):
                stored = openpyxl.load_workbook(again, read_only=True, data_only=True, keep_links=False)
                for sheet, cells in read:
                    _take_stored_values(stored[sheet.title], cells, name, as_shown)
            with zipfile.ZipFile(path) as archive:
                for sheet, cells in read:
                    _take_ranges(archive, sheet, cells, name)
            return [_sheet(sheet, cells, name) for sheet, cells in read]
        except (UserError, MemoryError):
            raise
        # openpyxl raises KeyError, BadZipFile, XML and type errors on broken files, some only when the rows are read;
        # a book without a sheet has no worksheets[0].
        except Exception as error:
            raise _unreadable(name, error) from error


def _refuse_other_forms(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse what is a spreadsheet in a zip too, but not in the form that the reader knows.

    Raises:
        UserError: The file is an OpenDocument spreadsheet, or a workbook in Excel's strict form.
    """
    members = set(archive.namelist())
    if "xl/workbook.xml" in members:
        if b"http://purl.oclc.org/ooxml/spreadsheetml/main" in read_member(archive, "xl/workbook.xml", name):
            raise UserError(f"file {name}: a Strict Open XML workbook. Save it as Excel workbook (.xlsx) or CSV.")
    elif "content.xml" in members:
        raise UserError(f"file {name}: an OpenDocument spreadsheet (.ods). Save it as .xlsx or CSV.")


def _chosen(sheets: list[Any]) -> list[Any]:
    named = [sheet for sheet in sheets if sheet.title.casefold() == "metadata"]
    visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
    return (named or visible or [sheets[0]])[:1]


def _rows(sheet: Any, name: str) -> Iterator[tuple[int, Any]]:
    # The size that the sheet declares may be wrong: too small loses cells, too large costs memory.
    sheet.reset_dimensions()
    for line, cells in enumerate(sheet.iter_rows(), 1):
        if line > _LAST_ROW:
            raise UserError(f"file {name}: more rows than a sheet can have. Save it again or give CSV.")
        yield line, cells


def _read_cells(sheet: Any, name: str, as_shown: bool) -> _Cells:
    found = _Cells()
    for line, cells in _rows(sheet, name):
        texts: list[str] = []
        for index, cell in enumerate(cells):
            if cell.data_type == "f":
                found.formulas[line, index] = str(cell.value)
                texts.append("")
                continue
            if isinstance(cell.value, (date, datetime)):
                found.dates.add((line, index))
            texts.append(_text(cell, as_shown))
        _keep(found, line, texts, name)
    return found


def _keep(found: _Cells, line: int, texts: list[str], name: str) -> None:
    while texts and not texts[-1]:
        texts.pop()
    if texts:
        check_size(len(found.rows) + 1, len(texts), name)
        found.rows[line] = texts


def _text(cell: Any, as_shown: bool) -> str:
    value = cell.value
    if as_shown and value is not None:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value:  # noqa: PLR0124 (NaN)
            shown = shown_number(value, cell.number_format)
            if shown is not None:
                return shown
        elif isinstance(value, str) and "@" in cell.number_format and cell.number_format != "@":
            return shown_text(plain_text(stripped(value)), cell.number_format)
    return plain_text(cell_text(value))


def cell_text(value: Any) -> str:
    """Return the text of a cell's value: dates as ISO 8601, whole numbers without a point, `true` and `false`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return stripped(str(value))


def _take_stored_values(sheet: Any, found: _Cells, name: str, as_shown: bool) -> None:
    """Fill the cells of formulas with the values that were stored with them; nothing is computed."""
    if not found.formulas:
        return
    last = max(line for line, _ in found.formulas)
    for line, cells in _rows(sheet, name):
        for index, cell in enumerate(cells):
            formula = found.formulas.get((line, index))
            if formula is None:
                continue
            text = _text(cell, as_shown)
            # A text, even the empty one, is a result; without a type there is no value.
            stored = text if text or cell.data_type == "str" else None
            found.findings.append(formula_finding(name, line, index, formula, stored))
            texts = found.rows.get(line, [])
            texts += [""] * (index + 1 - len(texts))
            texts[index] = text
            _keep(found, line, texts, name)
            if isinstance(cell.value, (date, datetime)):
                found.dates.add((line, index))
            if link := _LINK_FORMULA.match(formula):
                found.links[line, index] = link[1]
        if line >= last:
            return


def _take_ranges(archive: zipfile.ZipFile, sheet: Any, found: _Cells, name: str) -> None:
    """Fill merged cells and take the targets of links, which a sheet's file names after its rows."""
    member = sheet._worksheet_path
    tail = _after_rows(read_member(archive, member, name, MAX_XLSX_UNPACKED))
    if tail is None:
        return
    for one in tail.iter(f"{_MAIN}mergeCell"):
        _fill(found, one.get("ref", ""), name)
    links = list(tail.iter(f"{_MAIN}hyperlink"))
    folder, file = posixpath.split(member)
    relations = posixpath.join(folder, "_rels", f"{file}.rels")
    if not links or relations not in archive.namelist():
        return
    document = _parse(read_member(archive, relations, name))
    targets = {one.get("Id", ""): one.get("Target", "") for one in document}
    for one in links:
        target = targets.get(one.get(_RELATION, ""), "")
        if target:
            found.links |= dict.fromkeys(_places(found, one.get("ref", "")), target)


def _after_rows(data: bytes) -> ElementTree.Element | None:
    """Return a sheet's element with what stands after its rows alone; None for a sheet without rows.

    The rows are most of the file, and openpyxl has read them already.
    """
    start, end = _SHEET_START.search(data), data.rfind(b"sheetData>")
    if not start or end < 0:
        return None
    return _parse(start[0] + data[end + len(b"sheetData>") :])


def _parse(data: bytes) -> ElementTree.Element:
    """Parse XML without a document type: only there can entities be defined that grow without end."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("it defines entities")
    return ElementTree.fromstring(data)  # noqa: S314 (refused above)


def _places(found: _Cells, reference: str) -> Iterator[_Place]:
    """Yield the places of a range such as `B2:C3`, as far as the sheet has rows and columns."""
    match = _RANGE.fullmatch(reference)
    if not match or not found.rows:
        return
    first, top = index_of(match[1]), int(match[2])
    last, bottom = index_of(match[3] or match[1]), int(match[4] or match[2])
    widest = max(map(len, found.rows.values()))
    for line in range(top, min(bottom, max(found.rows)) + 1):
        for index in range(first, min(last, max(widest - 1, first)) + 1):
            yield line, index


def _fill(found: _Cells, reference: str, name: str) -> None:
    """Give all cells of a merged range the text of its first cell."""
    places = list(_places(found, reference))
    if not places:
        return
    top, first = places[0]
    text = found.rows.get(top, [])[first : first + 1]
    if not text or not text[0]:
        return
    for line, index in places:
        texts = found.rows.get(line, [])
        texts += [""] * (index + 1 - len(texts))
        texts[index] = text[0]
        _keep(found, line, texts, name)
        if (top, first) in found.dates:
            found.dates.add((line, index))
        if (top, first) in found.links:
            found.links[line, index] = found.links[top, first]


def _sheet(sheet: Any, found: _Cells, name: str) -> Sheet:
    return Sheet(
        name,
        "xlsx",
        tuple(TextRow(line, tuple(texts)) for line, texts in sorted(found.rows.items())),
        tuple(found.findings),
        frozenset(found.dates),
        found.links,
        sheet.title,
        sheet.sheet_state != "visible",
    )
