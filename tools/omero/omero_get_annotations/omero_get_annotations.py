"""Fetch the annotations of many OMERO objects as one tidy table or one per object, and their attached files."""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bioimage_suite.core.image_names import image_identifier, safe_name
from bioimage_suite.core.made_files import all_or_nothing
from bioimage_suite.core.tool import run_tool
from bioimage_suite.omero.annotations.annotations import (
    AttachedFile,
    Linked,
    find_tag_sets,
    linked_files,
    linked_pairs,
    linked_ratings,
    linked_texts,
    linked_values,
)
from bioimage_suite.omero.files.original_files import download_file
from bioimage_suite.omero.object_report import AT_WORK, Row, do_each, object_report
from bioimage_suite.omero.objects import named_objects, read_target
from bioimage_suite.omero.session import Session, open_session
from bioimage_suite.omero.tables.reading import TABLE_MIMETYPE, AttachedTable, export_table
from bioimage_suite.tables.object_table import write_table

COLUMNS = ("object_type", "object_id", "object_name", "annotation_type", "annotation_id", "namespace", "key", "value")
ALL_TYPES = ("key_value", "tag", "comment", "rating", "value", "attachment", "table")
VALUES = {
    "boolean": "BooleanAnnotation",
    "long": "LongAnnotation",
    "double": "DoubleAnnotation",
    "timestamp": "TimestampAnnotation",
    "term": "TermAnnotation",
    "xml": "XmlAnnotation",
}
"""The annotation types that "value" covers, with OMERO's classes; ratings (also LongAnnotations) are not included."""
FILE_COLUMNS = ("object_id", "object_type", "object_name", "file_id", "file_name", "file", "size_bytes", "status")
WIDE_COLUMNS = ("row_count", "status", "tags")
LONGEST_STEM = 80
# Galaxy's name of a file format by suffix; all other files are "data".
FORMS = {form: form for form in ("csv", "gif", "html", "json", "pdf", "png", "txt", "xlsx", "xml", "zip")}
FORMS |= {"jpeg": "jpg", "jpg": "jpg", "log": "txt", "tif": "tiff", "tiff": "tiff", "tsv": "tabular"}


def annotation_rows(
    session: Session, kind: str, names: Mapping[int, str], types: Sequence[str], namespace: str = ""
) -> Iterator[tuple[Any, ...]]:
    """Yield one row per key-value pair, tag, comment, rating, value or file, by object, type and annotation.

    A few queries per 1,000 objects, never one per object. The key of a tag is its tag set; a tag in several sets has
    one row per set.

    Args:
        session: An open session.
        kind: Kind of the objects.
        names: Their names by id.
        types: Some of `ALL_TYPES`; "value" stands for all types of `VALUES`.
        namespace: Only annotations of this namespace; empty means all.
    """
    found: dict[int, list[tuple[Any, ...]]] = {}
    ids = list(names)
    wanted = {*types, *(VALUES if "value" in types else ())}

    def add(annotation_type: str, one: Any, key: str, value: Any) -> None:
        if annotation_type in wanted and (not namespace or one.namespace == namespace):
            row = (annotation_type, one.annotation_id, one.namespace, key, value)
            found.setdefault(one.object_id, []).append(row)

    if "key_value" in types:
        for one in linked_pairs(session, kind, ids):
            for key, value in one.value:
                add("key_value", one, key, value)
    if "tag" in types:
        tags = linked_texts(session, kind, ids, "TagAnnotation")
        sets = find_tag_sets(session, [one.annotation_id for one in tags])
        for one in tags:
            for tag_set in sets.get(one.annotation_id, [""]):
                add("tag", one, tag_set, one.value)
    if "comment" in types:
        for one in linked_texts(session, kind, ids, "CommentAnnotation"):
            add("comment", one, "", one.value)
    if "rating" in types:
        for one in linked_ratings(session, kind, ids):
            add("rating", one, "", one.value)
    if "value" in types:
        for annotation_type, annotation in VALUES.items():
            for one in linked_values(session, kind, ids, annotation):
                add(annotation_type, one, "", _value_text(annotation_type, one.value))
    if {"attachment", "table"} & set(types):
        for one in linked_files(session, kind, ids):
            what = "table" if one.value.mimetype == TABLE_MIMETYPE else "attachment"
            add(what, one, f"file {one.value.file_id}", one.value.name)
    for object_id in ids:
        for row in found.get(object_id, ()):
            yield (kind, object_id, names[object_id], *row)


def wide_columns(kind: str, rows: Iterable[tuple[Any, ...]] = ()) -> list[str]:
    """Return the columns of the table with one row per object: fixed columns, then the keys of `annotation_rows`."""
    keys = dict.fromkeys(row[6] for row in rows if row[3] == "key_value")
    return [f"{kind}_id", f"{kind}_name", *WIDE_COLUMNS, *dict.fromkeys(_key_column(kind, key) for key in keys)]


def fill_report(report: Iterable[Row], kind: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Fill each object's row: number of annotation rows, tags, and one cell per key; several values are joined by "; ".

    Args:
        report: One row per object, see `object_report`.
        kind: Kind of the objects.
        rows: From `annotation_rows`.
    """
    own: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        own.setdefault(row[1], []).append(row)
    for line in report:
        found = own.get(line[f"{kind}_id"], [])
        cells = {"tags": list(dict.fromkeys(str(row[7]) for row in found if row[3] == "tag"))}
        for row in found:
            if row[3] == "key_value":
                cells.setdefault(_key_column(kind, row[6]), []).append(str(row[7]))
        line |= {"row_count": len(found), "status": "fetched"}
        line |= {column: "; ".join(values) for column, values in cells.items()}


def write_one_each(rows: Sequence[tuple[Any, ...]], folder: Path, made: list[Path]) -> None:
    """Write the rows of each object to a tidy table `Image_<id>_<name>.tabular`, and add its path to `made`."""
    folder.mkdir(parents=True, exist_ok=True)
    by_object: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_object.setdefault(object_identifier(*row[:3]), []).append(row)
    for identifier, own in by_object.items():
        made.append(folder / f"{identifier}.tabular")
        write_table(made[-1], COLUMNS, own)


def download_files(
    session: Session,
    kind: str,
    names: Mapping[int, str],
    folder: Path,
    report: list[Row],
    *,
    made: list[Path],
    namespace: str = "",
) -> None:
    """Download each file that is attached to objects, byte for byte; an OMERO.table becomes a tabular file.

    Files are named `Image_<id>_<name>__<file name>`, so that the name identifies the object.

    Args:
        session: An open session.
        kind: Kind of the objects.
        names: Their names by id.
        folder: Folder to write to, in its subfolders `files` and `tables`.
        report: Receives one row per file, see `object_report`.
        made: Collects the paths of the files, so that the caller can remove them if anything fails.
        namespace: Only annotations of this namespace; empty means all.

    Raises:
        UserError: OMERO cannot deliver a file, or it is damaged.
    """
    found = [one for one in linked_files(session, kind, list(names)) if namespace in ("", one.namespace)]
    places = _places(kind, names, found)
    for one in found:
        known = {"object_type": kind, "object_id": one.object_id, f"{kind}_id": one.object_id}
        known |= {"object_name": names[one.object_id], "file_id": one.value.file_id, "file_name": one.value.name}
        report.append(known | {"file": places[one].stem})

    def fetch(one: Linked, row: Row) -> None:
        made.append(folder / places[one])
        made[-1].parent.mkdir(parents=True, exist_ok=True)
        _download(session, kind, names, one, made[-1])
        row |= {"size_bytes": made[-1].stat().st_size, "status": "downloaded"}
        print(f"{row['file']}: {row['size_bytes']:,} bytes", flush=True)

    do_each(report, found, fetch)


def object_identifier(kind: str, number: int, name: str) -> str:
    """Return the name for files of an object: `Image_<id>_<name>`, `Dataset_<id>_<name>`.

    >>> object_identifier("image", 7, "a b"), object_identifier("well", 8, "")
    ('Image_7_a_b', 'Well_8')
    """
    return image_identifier(number, name).replace("Image", kind.capitalize(), 1)


def main() -> None:
    """Parse the command line, fetch the annotations, write the tables and files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, target, of, types, namespace")
    parser.add_argument("--output", type=Path, required=True, help="tidy table to write")
    parser.add_argument("--wide", type=Path, required=True, help="table with one row per object to write")
    parser.add_argument("--folder", type=Path, required=True, help="folder for files and for one table per object")
    parser.add_argument("--downloads", type=Path, help="table of the downloaded files to write")
    args = parser.parse_args()
    config: Mapping[str, Any] = json.loads(args.config.read_text())
    columns: list[str] = []
    with (
        all_or_nothing() as made,
        object_report(args.wide, columns) as report,
        open_session(config["omero_host"], config.get("omero_group") or "") as session,
    ):
        kind, names = named_objects(session, read_target(config["target"]), config["of"])
        columns += wide_columns(kind)
        report += [{f"{kind}_id": number, f"{kind}_name": name, "status": AT_WORK} for number, name in names.items()]
        namespace = (config.get("namespace") or "").strip()
        rows = list(annotation_rows(session, kind, names, config["types"] or ALL_TYPES, namespace))
        fill_report(report, kind, rows)
        columns[:] = wide_columns(kind, rows)
        if config.get("download"):
            with object_report(args.downloads, (f"{kind}_id", *FILE_COLUMNS[1:])) as files:
                download_files(session, kind, names, args.folder, files, made=made, namespace=namespace)
        if config.get("one_each"):
            write_one_each(rows, args.folder / "each", made)
        write_table(args.output, COLUMNS, rows)
    print(f"{len(rows)} annotations of {len(names)} objects")


def _key_column(kind: str, key: str) -> str:
    return f"key {key}" if key in (f"{kind}_id", f"{kind}_name", *WIDE_COLUMNS) else key


def _value_text(annotation_type: str, value: Any) -> str:
    """Format a value for a table: true or false, a time in ISO 8601 in UTC.

    >>> _value_text("boolean", True), _value_text("timestamp", -500), _value_text("timestamp", 2**60)
    ('true', '1969-12-31T23:59:59.500Z', '1152921504606846976 ms')
    """
    if value is None:
        return ""
    if annotation_type == "timestamp":
        try:
            moment = datetime(1970, 1, 1) + timedelta(milliseconds=value)
        except OverflowError:  # Beyond the year 9999, which OMERO allows.
            return f"{value} ms"
        return f"{moment.isoformat(timespec='milliseconds')}Z"
    return str(bool(value)).lower() if annotation_type == "boolean" else str(value)


def _places(kind: str, names: Mapping[int, str], found: Sequence[Linked]) -> dict[Linked, Path]:
    """Return the path of each file below the folder; the suffix is Galaxy's name of its format.

    If an object has two files with the same name, the file id is added.
    """
    places: dict[Linked, Path] = {}
    taken: set[Path] = set()
    for one in found:
        name = Path(one.value.name)
        table = one.value.mimetype == TABLE_MIMETYPE
        form = "tabular" if table else FORMS.get(name.suffix.lower().lstrip("."), "data")
        stem = safe_name(name.stem)[:LONGEST_STEM] + (safe_name(name.suffix) if form == "data" else "")
        base = f"{object_identifier(kind, one.object_id, names[one.object_id])}__{stem or 'file'}"
        place = Path("tables" if table else "files", f"{base}.{form}")
        if place in taken:
            place = place.with_name(f"{base}_{one.value.file_id}.{form}")
        taken.add(place)
        places[one] = place
    return places


def _download(session: Session, kind: str, names: Mapping[int, str], one: Linked, path: Path) -> None:
    file: AttachedFile = one.value
    if file.mimetype == TABLE_MIMETYPE:
        table = AttachedTable(kind, one.object_id, names[one.object_id], file.file_id, file.name, path.stem)
        export_table(session, table, "", path)
        return
    shown = f"file {file.file_id} {file.name!r} of {kind} {one.object_id}"
    download_file(session, file.file_id, path, size=file.size, sha1=file.sha1, shown=shown)


if __name__ == "__main__":
    run_tool(main)
