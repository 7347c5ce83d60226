"""Reader of tables that people filled in: CSV, TSV or XLSX, in any encoding.

Each problem is reported with its place (`Finding`). Nothing is executed: formulas are never computed. Tables that
programs wrote are read by `tables/delimited.py`.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.column_letters import letters_of
from bioimage_suite.tables.delimited import TextRow, delimited_rows
from bioimage_suite.tables.formulas import plain_text
from bioimage_suite.tables.sheets import Finding, Sheet, check_size, formula_finding, stripped, without_lost_values

MAX_TEXT_BYTES = 200 * 1024 * 1024

DELIMITERS = {"\t": "tab", ",": "comma", ";": "semicolon"}
# UTF-8 bytes that were opened as Windows-1252 and saved look like this: 'µ' becomes 'Âµ', 'ü' becomes 'Ã¼'.
_MOJIBAKE = re.compile(r"Ã[\x80-¿]|Â[\x80-¿]|â€")


def read_table(path: Path, name: str) -> Sheet:
    """Read a CSV, TSV or XLSX file; of a workbook the sheet `metadata`, else the first visible sheet.

    Numbers of a workbook are bare, without what their formats show.

    Args:
        path: The file. Its form is recognised by its content, since Galaxy names every dataset `.dat`.
        name: What the user calls the file.

    Returns:
        The table; cells have no leading or trailing blanks.

    Raises:
        UserError: The file is empty, too large, an old `.xls`, not a table, or a zip bomb; or a cell is a formula
            without a stored value.
    """
    return without_lost_values(_read(path, name, as_shown=False, only_first=True)[0])


def read_sheets(path: Path, name: str) -> list[Sheet]:
    """Read a CSV, TSV or XLSX file; of a workbook all sheets, with their texts as a reader sees them.

    Args and errors are those of `read_table`, but formulas without a stored value are findings.
    """
    return _read(path, name, as_shown=True, only_first=False)


def _read(path: Path, name: str, *, as_shown: bool, only_first: bool) -> list[Sheet]:
    if path.stat().st_size == 0:
        raise UserError(f"file {name}: is empty. Give a filled table.")
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(b"PK"):
        from bioimage_suite.tables.spreadsheet import read_workbook

        return read_workbook(path, name, as_shown=as_shown, only_first=only_first)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise UserError(f"file {name}: an old Excel file (.xls), or one with a password. Save it as .xlsx or CSV.")
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise UserError(f"file {name}: larger than {MAX_TEXT_BYTES:,} bytes. Split the table.")
    return [read_text_table(path.read_bytes(), name)]


def read_text_table(data: bytes, name: str) -> Sheet:
    """Read a delimited text table from bytes: see `read_table`."""
    text, encoding, findings = decode(data, name)
    delimiter = guess_delimiter(text)
    rows: list[TextRow] = []
    for found in delimited_rows(io.StringIO(text, newline=""), f"file {name}", delimiter):
        row = TextRow(found.line, tuple(map(stripped, found.cells)))
        if any(row.cells):
            check_size(len(rows) + 1, len(row.cells), name)
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


def _without_formulas(row: TextRow, name: str, findings: list[Finding]) -> TextRow:
    cells = list(row.cells)
    for index, cell in enumerate(cells):
        if cell.startswith("="):
            findings.append(formula_finding(name, row.line, index, cell))
            cells[index] = ""
        else:
            cells[index] = plain_text(cell)
    return TextRow(row.line, tuple(cells))
