"""Fetch the annotations of many OMERO objects: as one tidy table or one an object, and the attached files too."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from image_names import image_identifier, safe_name
from object_report import AT_WORK, Row, object_report
from object_table import write_table
from omero_annotations import AttachedFile, Linked, linked_files, linked_pairs, linked_ratings, linked_texts
from omero_export_table import TABLE_MIMETYPE, AttachedTable, export_table
from omero_objects import CLASSES, find_ids, find_nonempty_images, read_target
from omero_session import Session, open_session
from original_files import download_file
from tool_errors import run_tool

COLUMNS = ("object_type", "object_id", "object_name", "annotation_type", "annotation_id", "namespace", "key", "value")
ALL_TYPES = ("key_value", "tag", "comment", "rating", "attachment", "table")
FILE_COLUMNS = ("object_id", "object_type", "object_name", "file_id", "file_name", "file", "size_bytes", "status")
LONGEST_STEM = 80
# Galaxy's name of a file's form, by the ending of its name; of all others it is "data".
FORMS = {form: form for form in ("csv", "gif", "html", "json", "pdf", "png", "txt", "xlsx", "xml", "zip")}
FORMS |= {"jpeg": "jpg", "jpg": "jpg", "log": "txt", "tif": "tiff", "tiff": "tiff", "tsv": "tabular"}


def annotation_rows(
    session: Session, kind: str, ids: Sequence[int], types: Sequence[str], namespace: str = ""
) -> Iterator[tuple[Any, ...]]:
    """One row a key-value pair, tag, comment, rating or file of objects, ordered by object, type and annotation.

    A handful of queries for each 1,000 objects, never one an object.

    Args:
        session: An open session.
        kind: Kind of the objects.
        ids: Their ids.
        types: Some of `ALL_TYPES`.
        namespace: Only annotations of this namespace; empty is all.
    """
    found: dict[int, list[tuple[Any, ...]]] = {}

    def add(annotation_type: str, one: Any, key: str, value: Any) -> None:
        if annotation_type in types and (not namespace or one.namespace == namespace):
            row = (annotation_type, one.annotation_id, one.namespace, key, value)
            found.setdefault(one.object_id, []).append(row)

    if "key_value" in types:
        for one in linked_pairs(session, kind, ids):
            for key, value in one.value:
                add("key_value", one, key, value)
    for name, annotation in (("tag", "TagAnnotation"), ("comment", "CommentAnnotation")):
        if name in types:
            for one in linked_texts(session, kind, ids, annotation):
                add(name, one, "", one.value)
    if "rating" in types:
        for one in linked_ratings(session, kind, ids):
            add("rating", one, "", one.value)
    if {"attachment", "table"} & set(types):
        for one in linked_files(session, kind, ids):
            what = "table" if one.value.mimetype == TABLE_MIMETYPE else "attachment"
            add(what, one, f"file {one.value.file_id}", one.value.name)
    names = _names(session, kind, ids)
    for object_id in ids:
        for row in found.get(object_id, ()):
            yield (kind, object_id, names[object_id], *row)


def wide_rows(rows: Sequence[tuple[Any, ...]]) -> tuple[list[str], list[list[str]]]:
    """One row an object: its id and name, a column a key, and tags; several values are joined by "; "."""
    kind = rows[0][0] if rows else "image"
    keys = list(dict.fromkeys(row[6] for row in rows if row[3] == "key_value"))
    table: dict[tuple[int, str], dict[str, list[str]]] = {}
    for _, object_id, name, annotation_type, _, _, key, value in rows:
        if annotation_type in ("key_value", "tag"):
            cells = table.setdefault((object_id, name), {})
            cells.setdefault(key if annotation_type == "key_value" else "\ttags", []).append(str(value))
    fixed = [f"{kind}_id", f"{kind}_name", "tags"]
    header = [*fixed, *(f"key {key}" if key in fixed else key for key in keys)]
    body = [
        [str(object_id), name, *("; ".join(cells.get(key, ())) for key in ("\ttags", *keys))]
        for (object_id, name), cells in table.items()
    ]
    return header, body


def write_one_each(rows: Sequence[tuple[Any, ...]], folder: Path) -> None:
    """Write the rows of each object to a tidy table of its own, `Image_<id>_<name>.tabular`."""
    folder.mkdir(parents=True, exist_ok=True)
    by_object: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_object.setdefault(object_identifier(*row[:3]), []).append(row)
    for identifier, own in by_object.items():
        write_table(folder / f"{identifier}.tabular", COLUMNS, own)


def download_files(
    session: Session, kind: str, ids: Sequence[int], folder: Path, report: list[Row], *, namespace: str = ""
) -> None:
    """Write each file that is attached to objects, byte for byte; an OMERO.table becomes a tabular file.

    Files are named `Image_<id>_<name>__<file name>`, so that they still lead to their object; if anything fails, none
    is left.

    Args:
        session: An open session.
        kind: Kind of the objects.
        ids: Their ids.
        folder: Where to write: `files` and `tables` in it.
        report: Gets one row a file, see `object_report`.
        namespace: Only annotations of this namespace; empty is all.

    Raises:
        UserError: OMERO cannot deliver a file, or it is damaged.
    """
    names = _names(session, kind, ids)
    found = [one for one in linked_files(session, kind, ids) if namespace in ("", one.namespace)]
    places = _places(kind, names, found)
    for one in found:
        known = {"object_type": kind, "object_id": one.object_id, f"{kind}_id": one.object_id}
        known |= {"object_name": names[one.object_id], "file_id": one.value.file_id, "file_name": one.value.name}
        report.append(known | {"file": places[one].stem})
    made: list[Path] = []
    try:
        for one, row in zip(found, report, strict=True):
            row["status"] = AT_WORK
            made.append(folder / places[one])
            made[-1].parent.mkdir(parents=True, exist_ok=True)
            _download(session, kind, names, one, made[-1])
            row["size_bytes"] = made[-1].stat().st_size
            row["status"] = "downloaded"
            print(f"{row['file']}: {row['size_bytes']:,} bytes", flush=True)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def object_identifier(kind: str, number: int, name: str) -> str:
    """What files of an object are named: `Image_<id>_<name>`, `Dataset_<id>_<name>`.

    >>> object_identifier("image", 7, "a b"), object_identifier("well", 8, "")
    ('Image_7_a_b', 'Well_8')
    """
    return image_identifier(number, name).replace("Image", kind.capitalize(), 1)


def main() -> None:
    """Parse the command line, fetch, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, target, of, types, namespace")
    parser.add_argument("--output", type=Path, required=True, help="tidy table to write")
    parser.add_argument("--wide", type=Path, required=True, help="table with one row an object to write")
    parser.add_argument("--folder", type=Path, required=True, help="folder for files and for one table an object")
    parser.add_argument("--downloads", type=Path, help="table of the downloaded files to write")
    args = parser.parse_args()
    config: Mapping[str, Any] = json.loads(args.config.read_text())
    with open_session(config["omero_host"], config.get("omero_group") or "") as session:
        target = read_target(config["target"])
        if config["of"] == "images":
            kind, ids = "image", [image.image_id for image in find_nonempty_images(session, target)]
        else:
            kind, ids = target.kind, list(find_ids(session, target))
        namespace = (config.get("namespace") or "").strip()
        rows = list(annotation_rows(session, kind, ids, config["types"] or ALL_TYPES, namespace))
        if config.get("download"):
            columns = (f"{kind}_id", *FILE_COLUMNS[1:])
            with object_report(args.downloads, columns) as report:
                download_files(session, kind, ids, args.folder, report, namespace=namespace)
    if config.get("one_each"):
        write_one_each(rows, args.folder / "each")
    write_table(args.output, COLUMNS, rows)
    write_table(args.wide, *wide_rows(rows))
    print(f"{len(rows)} annotations of {len(ids)} objects")


def _places(kind: str, names: Mapping[int, str], found: Sequence[Linked]) -> dict[Linked, Path]:
    """Where each file goes below the folder, its name ending in Galaxy's name of its form.

    Where an object has two files of one name, the file's id follows.
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


def _names(session: Session, kind: str, ids: Sequence[int]) -> dict[int, str]:
    if kind == "well":
        return dict.fromkeys(ids, "")
    names: dict[int, str] = {}
    for start in range(0, len(ids), 1000):
        hql = f"select o.id, o.name from {CLASSES[kind]} o where o.id in (:ids)"  # noqa: S608 (a class of our list)
        names.update(session.rows(hql, ids=list(ids[start : start + 1000])))
    return names


if __name__ == "__main__":
    run_tool(main)
