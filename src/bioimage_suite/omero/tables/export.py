"""Export of the OMERO.tables of many objects as tabular files."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import object_identifier, safe_name
from bioimage_suite.omero.annotations.annotations import (
    linked_files,
)
from bioimage_suite.omero.files.original_files import TABLE_MIMETYPE
from bioimage_suite.omero.tables.reading import AttachedTable, export_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.omero.session import Session
    from bioimage_suite.tables.report import Report, Row


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
        base = object_identifier(kind, object_id, object_name)
        for file_id, name in files:
            end = "" if len(files) == 1 else f"_{safe_name(name.removesuffix('.h5'))}_{file_id}"
            tables.append(AttachedTable(kind, object_id, object_name, file_id, name, base + end))
    if not tables:
        what = f"of a name like {pattern!r} " if pattern else ""
        raise UserError(f"{kind}s {', '.join(map(str, list(objects)[:10]))}: no OMERO.table {what}is attached to them.")
    return tables


def export_tables(
    session: Session,
    tables: Sequence[AttachedTable],
    query: str,
    folder: Path,
    *,
    report: Report,
    outputs: Outputs,
    exact: bool = False,
) -> None:
    """Write each table to `folder`.

    Args:
        session: An open session.
        tables: The tables.
        query: Condition on the rows to export; empty means all rows.
        folder: Folder to write to.
        report: Receives one row per table.
        outputs: The outputs of the run.
        exact: As for `write_table`.
    """
    for table in tables:
        known = {f"{table.kind}_id": table.object_id, f"{table.kind}_name": table.object_name}
        report.add(**known, table_name=table.name, file_id=table.file_id, table=table.identifier)

    def fetch(table: AttachedTable, row: Row) -> None:
        path = outputs.file(folder / f"{table.identifier}.tabular")
        count = export_table(session, table, query, path, exact=exact)
        row.done("exported", row_count=count)
        print(f"{table.identifier}: {count} rows", flush=True)

    report.for_each(tables, fetch)
