"""Export OMERO.tables of many objects as tabular files."""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from image_names import image_identifier, safe_name
from made_files import all_or_nothing
from object_report import Row, do_each, object_report
from object_table import write_table
from omero_annotations import linked_files
from omero_objects import CLASSES, Target, find_ids, find_nonempty_images, read_target
from omero_session import Session, open_session
from tool_errors import UserError, run_tool

TABLE_MIMETYPE = "OMERO.tables"
BATCH = 10_000  # Rows per call: 4 MB for 50 columns.
COLUMNS = ("table_name", "file_id", "table", "row_count", "status")
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


def named_objects(session: Session, target: Target, of: str) -> tuple[str, dict[int, str]]:
    """Return kind and names by id of a target's objects, or of their images if `of` is "images"; wells have no name."""
    if of == "images":
        return "image", {image.image_id: image.image_name for image in find_nonempty_images(session, target)}
    ids = find_ids(session, target)
    if target.kind == "well":
        return target.kind, dict.fromkeys(ids, "")
    names: dict[int, str] = {}
    for start in range(0, len(ids), 1000):
        hql = f"select o.id, o.name from {CLASSES[target.kind]} o where o.id in (:ids)"  # noqa: S608 (a class of our list)
        names.update(session.rows(hql, ids=list(ids[start : start + 1000])))
    return target.kind, {number: names[number] for number in ids}


def find_tables(session: Session, kind: str, objects: dict[int, str], pattern: str) -> list[AttachedTable]:
    """Find the tables of objects, ordered by object and file.

    A table of an image is named after the image, `Image_<id>_<name>`, others `<Kind>_<id>_<name>`; if an object has
    several tables, the table's name and file id follow.

    Args:
        session: An open session.
        kind: Kind of the objects.
        objects: Their names by id.
        pattern: Glob for the table's name, with or without its suffix .h5; empty means all.

    Raises:
        UserError: No table matches.
    """
    found: dict[int, list[tuple[int, str]]] = {}
    for one in linked_files(session, kind, list(objects)):
        file_id, name = one.value.file_id, one.value.name
        wanted = not pattern or fnmatchcase(name, pattern) or fnmatchcase(name.removesuffix(".h5"), pattern)
        if (
            one.value.mimetype == TABLE_MIMETYPE
            and wanted
            and (file_id, name) not in found.setdefault(one.object_id, [])
        ):
            found[one.object_id].append((file_id, name))
    tables = []
    for object_id, object_name in objects.items():
        files = found.get(object_id, [])
        base = image_identifier(object_id, object_name)
        if kind != "image":
            base = base.replace("Image", kind.capitalize(), 1)
        for file_id, name in files:
            end = "" if len(files) == 1 else f"_{safe_name(name.removesuffix('.h5'))}_{file_id}"
            tables.append(AttachedTable(kind, object_id, object_name, file_id, name, base + end))
    if not tables:
        what = f"of a name like {pattern!r} " if pattern else ""
        raise UserError(f"{kind}s {', '.join(map(str, list(objects)[:10]))}: no OMERO.table {what}is attached to them.")
    return tables


def export_table(session: Session, table: AttachedTable, query: str, path: Path) -> int:
    """Write one table, reading 10,000 rows at a time; return the number of rows written.

    Columns of ids become `image_id`, `roi_id`, `well_id`, `plate_id`, `dataset_id`, and `Image Name` beside the image
    id becomes `image`, so that the file is a measurement table again. NaN becomes an empty cell, other real numbers
    the shortest text that gives the same number.

    Raises:
        UserError: The server cannot open the table, or the query is not valid.
    """
    import omero
    from omero.model import OriginalFileI

    opened = session.client.getSession().sharedResources().openTable(OriginalFileI(table.file_id, False))
    if opened is None:
        raise UserError(f"table {table.name!r} of {table.kind} {table.object_id}: OMERO cannot open it.")
    try:
        headers = opened.getHeaders()
        return write_table(path, _column_names(headers), _rows(opened, headers, query))
    except (omero.ApiUsageException, omero.ValidationException, omero.InternalException) as error:
        raise UserError(
            f"table {table.name!r} of {table.kind} {table.object_id}: OMERO refused to read it "
            f"({error.message}). Check the query {query!r}: it uses the table's column names."
        ) from error
    finally:
        with suppress(Exception):
            opened.close()


def export_tables(
    session: Session, tables: Sequence[AttachedTable], query: str, folder: Path, report: list[Row], *, made: list[Path]
) -> None:
    """Write each table to `folder`.

    Args:
        session: An open session.
        tables: The tables.
        query: Condition on the rows to export; empty means all rows.
        folder: Folder to write to.
        report: Receives one row per table, see `object_report`.
        made: Collects the paths of the files, so that the caller can remove them if anything fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        known = {f"{table.kind}_id": table.object_id, f"{table.kind}_name": table.object_name}
        report.append(known | {"table_name": table.name, "file_id": table.file_id, "table": table.identifier})

    def fetch(table: AttachedTable, row: Row) -> None:
        made.append(folder / f"{table.identifier}.tabular")
        row["row_count"] = export_table(session, table, query, made[-1])
        row["status"] = "exported"
        print(f"{table.identifier}: {row['row_count']} rows", flush=True)

    do_each(report, tables, fetch)


def main() -> None:
    """Parse the command line, export the tables, write the object table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, target, of, table_name, query")
    parser.add_argument("--folder", type=Path, required=True, help="folder for the tables")
    parser.add_argument("--output", type=Path, required=True, help="object table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    columns: list[str] = []
    with (
        all_or_nothing() as made,
        object_report(args.output, columns) as report,
        open_session(config["omero_host"], config.get("omero_group") or "") as session,
    ):
        kind, objects = named_objects(session, read_target(config["target"]), config["of"])
        tables = find_tables(session, kind, objects, (config.get("table_name") or "").strip())
        columns += [f"{kind}_id", f"{kind}_name", *COLUMNS]
        export_tables(session, tables, (config.get("query") or "").strip(), args.folder, report, made=made)


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
        return "" if math.isnan(value) else repr(value)
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return value


if __name__ == "__main__":
    run_tool(main)
