"""Reader of tables that people filled in: CSV, TSV or XLSX, in any encoding.

Each problem is reported with its place (`Finding`). Nothing is executed: formulas are refused, never computed. Tables
that programs wrote are read by `tables/delimited.py`.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.untrusted_files import open_zip
from bioimage_suite.tables.column_letters import letters_of
from bioimage_suite.tables.delimited import TextRow, delimited_rows
from bioimage_suite.tables.formulas import plain_text

MAX_TEXT_BYTES = 200 * 1024 * 1024
MAX_XLSX_UNPACKED = 300 * 1024 * 1024
MAX_ROWS = 500_000
MAX_COLUMNS = 2000

DELIMITERS = {"\t": "tab", ",": "comma", ";": "semicolon"}
# UTF-8 bytes that were opened as Windows-1252 and saved look like this: 'µ' becomes 'Âµ', 'ü' becomes 'Ã¼'.
_MOJIBAKE = re.compile(r"Ã[\x80-¿]|Â[\x80-¿]|â€")


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
    """

    file: str
    form: str
    rows: tuple[TextRow, ...]
    findings: tuple[Finding, ...]
    date_cells: frozenset[tuple[int, int]] = frozenset()


def read_table(path: Path, name: str) -> Sheet:
    """Read a CSV, TSV or XLSX file.

    Args:
        path: The file. Its form is recognised by its content, since Galaxy names every dataset `.dat`.
        name: What the user calls the file.

    Returns:
        The table; cells have no leading or trailing blanks.

    Raises:
        UserError: The file is empty, too large, an old `.xls`, not a table, or a zip bomb.
    """
    if path.stat().st_size == 0:
        raise UserError(f"file {name}: is empty. Give a filled table.")
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(b"PK"):
        return _read_xlsx(path, name)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise UserError(f"file {name}: an old Excel file (.xls). Save it as .xlsx or CSV.")
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise UserError(f"file {name}: larger than {MAX_TEXT_BYTES:,} bytes. Split the table.")
    return read_text_table(path.read_bytes(), name)


def read_text_table(data: bytes, name: str) -> Sheet:
    """Read a delimited text table from bytes: see `read_table`."""
    text, encoding, findings = decode(data, name)
    delimiter = guess_delimiter(text)
    rows: list[TextRow] = []
    for found in delimited_rows(io.StringIO(text, newline=""), f"file {name}", delimiter):
        row = TextRow(found.line, tuple(cell.strip() for cell in found.cells))
        if any(row.cells):
            _check_size(len(rows) + 1, len(row.cells), name)
            rows.append(_without_formulas(row, name, findings))
    return Sheet(name, f"{encoding}, {DELIMITERS[delimiter]}", tuple(rows), tuple(_with_columns(findings, rows)))


def _with_columns(findings: Iterable[Finding], rows: Iterable[TextRow]) -> Iterator[Finding]:
    """Add columns to findings about the encoding, which know only their line: the first cell beyond ASCII."""
    lines = {row.line: row.cells for row in rows}
    for one in findings:
        cells = lines.get(one.line, ()) if one.level == "warning" and not one.column else ()
        column = next((number for number, cell in enumerate(cells) if not cell.isascii()), None)
        yield one if column is None else replace(one, column=letters_of(column))


def decode(data: bytes, name: str) -> tuple[str, str, list[Finding]]:
    """Decode bytes: by byte order mark, else UTF-8, else line by line as UTF-8 or Windows-1252.

    Returns:
        The text, the name of the encoding, and the findings.

    Raises:
        UserError: The bytes are UTF-32 or hold zero bytes.
    """
    findings: list[Finding] = []
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        raise UserError(f"file {name}: is UTF-32, which no spreadsheet writes. Save it as UTF-8.")
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            findings.append(
                Finding("note", name, 1, "", f"byte order mark ({encoding})", "UTF-8 without a mark; it is left out")
            )
            body = data[len(mark) :]
            try:
                return body.decode(encoding), f"{encoding} with BOM", findings
            except UnicodeDecodeError:
                if encoding != "utf-8":
                    raise UserError(f"file {name}: marked {encoding} but it is not. Save it as UTF-8.") from None
                data = body
    if b"\0" in data:
        raise UserError(f"file {name}: holds zero bytes, so it is not a text table. Save it as CSV (UTF-8) or XLSX.")
    try:
        text, encoding = data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = _decode_lines(data, name, findings)
    for number, line in enumerate(text.splitlines(), 1):
        broken = _MOJIBAKE.search(line)
        if broken:
            findings.append(
                Finding(
                    "warning", name, number, "", broken.group(), "text saved in a wrong encoding", _repair(line)[:80]
                )
            )
    return text, encoding, findings


def _decode_lines(data: bytes, name: str, findings: list[Finding]) -> tuple[str, str]:
    lines = data.split(b"\n")
    decoded: list[str] = []
    wrong = 0
    non_ascii = 0
    for number, line in enumerate(lines, 1):
        non_ascii += not line.isascii()
        try:
            decoded.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            wrong += 1
            # Five bytes have no meaning in Windows-1252: they become the replacement character, which a reader sees.
            decoded.append(line.decode("cp1252", errors="replace"))
            findings.append(
                Finding(
                    "warning", name, number, "", decoded[-1].strip()[:80], "UTF-8; this line was read as Windows-1252"
                )
            )
    return "\n".join(decoded), "windows-1252" if wrong == non_ascii else "mixed utf-8 and windows-1252"


def _repair(line: str) -> str:
    try:
        return line.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return ""


def guess_delimiter(text: str) -> str:
    """Choose tab, comma or semicolon: the one that splits the first 25 records into the most even, widest rows."""
    head = "".join(text.splitlines(keepends=True)[:25])

    def evenness(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter) if any(row)]
        except csv.Error:
            return (0.0, 0)
        common = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        return (widths.count(common) / len(widths), common) if common > 1 else (0.0, 0)

    return max(DELIMITERS, key=evenness) if any(evenness(delimiter)[1] for delimiter in DELIMITERS) else ","


def _check_size(rows: int, columns: int, name: str) -> None:
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        raise UserError(f"file {name}: more than {MAX_ROWS:,} rows or {MAX_COLUMNS:,} columns. Split the table.")


def _without_formulas(row: TextRow, name: str, findings: list[Finding]) -> TextRow:
    cells = list(row.cells)
    for index, cell in enumerate(cells):
        if cell.startswith("="):
            findings.append(_formula(name, row.line, index, cell))
            cells[index] = ""
        else:
            cells[index] = plain_text(cell)
    return TextRow(row.line, tuple(cells))


def _formula(name: str, line: int, index: int, text: str) -> Finding:
    return Finding(
        "error", name, line, letters_of(index), text, "a value; formulas are not computed", "type the value itself"
    )


def _read_xlsx(path: Path, name: str) -> Sheet:
    import openpyxl

    open_zip(path, name, MAX_XLSX_UNPACKED).close()
    # Open the file here: openpyxl goes by the suffix of the path, and Galaxy names every file `.dat`.
    with path.open("rb") as stream:
        try:
            book = openpyxl.load_workbook(stream, read_only=True, data_only=False, keep_links=False)
            metadata = next((sheet for sheet in book.worksheets if sheet.title.casefold() == "metadata"), None)
            return _read_sheet(metadata or book.worksheets[0], name)
        except UserError:
            raise
        # openpyxl raises KeyError, BadZipFile, XML and type errors on broken files, some only when the rows are read;
        # a book without a sheet has no worksheets[0].
        except Exception as error:
            raise UserError(f"file {name}: not a readable XLSX file ({error}). Save it again or give CSV.") from error


def _read_sheet(sheet: Any, name: str) -> Sheet:
    rows: list[TextRow] = []
    findings: list[Finding] = []
    dates: set[tuple[int, int]] = set()
    # The size that the sheet declares may be wrong: too small loses cells, too large costs memory.
    sheet.reset_dimensions()
    for line, cells in enumerate(sheet.iter_rows(), 1):
        if line > MAX_ROWS * 2:
            raise UserError(f"file {name}: rows far below the table. Delete the rows after its end.")
        texts: list[str] = []
        for index, cell in enumerate(cells):
            if cell.data_type == "f":
                findings.append(_formula(name, line, index, str(cell.value)))
                texts.append("")
                continue
            if isinstance(cell.value, (date, datetime)):
                dates.add((line, index))
            texts.append(plain_text(_cell_text(cell.value)))
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            _check_size(len(rows) + 1, len(texts), name)
            rows.append(TextRow(line, tuple(texts)))
    return Sheet(name, "xlsx", tuple(rows), tuple(findings), frozenset(dates))


def _cell_text(value: Any) -> str:
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
    return str(value).strip()
