"""Workbooks (XLSX) whose bytes depend on their content only, not on the time at which they are written."""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

from bioimage_suite.tables.formulas import spreadsheet_safe

# The first date that a zip knows.
_DATE = (1980, 1, 1, 0, 0, 0)
_TIMES = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(?=<)")


def write_text_rows(sheet: Any, rows: Iterable[Sequence[str]]) -> None:
    """Write rows of texts from the first row of a sheet on; none of them becomes a formula, empty ones no cell."""
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            if value:
                cell = sheet.cell(number, column)
                cell.value = spreadsheet_safe(value)
                cell.data_type = "s"


def workbook_bytes(book: Any) -> bytes:
    """Return an openpyxl workbook as the bytes of an XLSX file, the same for the same content."""
    written, same = io.BytesIO(), io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(same, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                data = _TIMES.sub(rb"\g<1>1980-01-01T00:00:00Z", data)
            target.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    return same.getvalue()
