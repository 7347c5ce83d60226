"""Reading OMERO.tables into tabular files."""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import image_identifier
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.tables.opening import open_table
from bioimage_suite.tables.object_table import write_table

BATCH = 10_000  # Rows per call: 4 MB for 50 columns.
NAME_COLUMNS = {"Image Name": "image", "Well Name": "well", "Plate Name": "plate", "Dataset Name": "dataset"}
"""Our names of the name columns that omero-metadata and omero_import_table put beside columns of ids."""


@dataclass(frozen=True)
class AttachedTable:
    """An OMERO.table and the object it is attached to; `identifier` is the name of the exported file."""

    kind: str
    object_id: int
    object_name: str
    file_id: int
    name: str
    identifier: str


def export_table(session: Session, table: AttachedTable, query: str, path: Path, *, exact: bool = False) -> int:
    """Write one table, reading 10,000 rows at a time; return the number of rows written.

    Columns of ids become `image_id`, `roi_id`, `well_id`, `plate_id`, `dataset_id`, and `Image Name` beside the image
    id becomes `image`, so that the file is a measurement table again. NaN becomes an empty cell, other real numbers
    the shortest text that gives the same number. `exact` as for `write_table`.

    Raises:
        UserError: The server cannot open the table, or the query is not valid.
    """
    import omero

    opened = open_table(session, table.file_id)
    if opened is None:
        raise UserError(f"table {table.name!r} of {table.kind} {table.object_id}: OMERO cannot open it.")
    try:
        headers = opened.getHeaders()
        return write_table(path, _column_names(headers), _rows(opened, headers, query), exact=exact)
    except (omero.ApiUsageException, omero.ValidationException, omero.InternalException) as error:
        raise UserError(
            f"table {table.name!r} of {table.kind} {table.object_id}: OMERO refused to read it "
            f"({error.message}). Check the query {query!r}: it uses the table's column names."
        ) from error
    finally:
        with suppress(Exception):
            opened.close()


def _kind(column: Any) -> str:
    return type(column).__name__.removesuffix("I").removesuffix("Column")


def _column_names(headers: Sequence[Any]) -> list[str]:
    """Return our column names: `<kind>_id` for ids, `NAME_COLUMNS` for names; a repeated name is made unique."""
    names: list[str] = []
    for column in headers:
        kind = _kind(column)
        is_id = kind in ("Image", "Roi", "Well", "Plate", "Dataset")
        name = f"{kind.lower()}_id" if is_id else column.name
        names.append(NAME_COLUMNS.get(column.name, name))
    for number, name in enumerate(names):
        if name in names[:number]:
            names[number] = headers[number].name if headers[number].name not in names else f"{name}_{number + 1}"
    return names


def _rows(table: Any, headers: Sequence[Any], query: str) -> Iterator[list[Any]]:
    total = table.getNumberOfRows()
    every = list(range(len(headers)))
    image = next((n for n, column in enumerate(headers) if _kind(column) == "Image"), None)
    names = next((n for n, column in enumerate(headers) if column.name == "Image Name"), None)
    for start in range(0, total, BATCH):
        stop = min(start + BATCH, total)
        if query:
            numbers = table.getWhereList(query, {}, start, stop, 1)
            if not numbers:
                continue
            data = table.slice(every, numbers)
        else:
            data = table.read(every, start, stop)
        columns = [column.values for column in data.columns]
        for row in zip(*columns, strict=True):
            cells = [_cell(value) for value in row]
            if image is not None and names is not None:
                cells[names] = image_identifier(row[image], row[names])
            yield cells


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return value
