"""Fetch the annotations of many OMERO objects as one tidy table."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from object_table import write_table
from omero_annotations import linked_files, linked_pairs, linked_ratings, linked_texts
from omero_objects import CLASSES, find_ids, find_nonempty_images, read_target
from omero_session import Session, open_session
from tool_errors import run_tool

COLUMNS = ("object_type", "object_id", "object_name", "annotation_type", "annotation_id", "namespace", "key", "value")
ALL_TYPES = ("key_value", "tag", "comment", "rating", "attachment", "table")
TABLE_MIMETYPE = "OMERO.tables"


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
            file_id, name, mimetype, _ = one.value
            add("table" if mimetype == TABLE_MIMETYPE else "attachment", one, f"file {file_id}", name)
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


def main() -> None:
    """Parse the command line, fetch, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, target, of, types, namespace")
    parser.add_argument("--output", type=Path, required=True, help="tidy table to write")
    parser.add_argument("--wide", type=Path, required=True, help="table with one row an object to write")
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
    write_table(args.output, COLUMNS, rows)
    write_table(args.wide, *wide_rows(rows))
    print(f"{len(rows)} annotations of {len(ids)} objects")


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
