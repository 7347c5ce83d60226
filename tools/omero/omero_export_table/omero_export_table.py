"""Export OMERO.tables of many objects as tabular files."""

import argparse
import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import image_identifier, safe_name
from bioimage_suite.core.made_files import all_or_nothing
from bioimage_suite.core.tool import run_tool
from bioimage_suite.omero.annotations.annotations import linked_files
from bioimage_suite.omero.object_report import Row, do_each, object_report
from bioimage_suite.omero.objects import named_objects, read_target
from bioimage_suite.omero.session import Session, open_session
from bioimage_suite.omero.tables.reading import TABLE_MIMETYPE, AttachedTable, export_table

COLUMNS = ("table_name", "file_id", "table", "row_count", "status")


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


if __name__ == "__main__":
    run_tool(main)
