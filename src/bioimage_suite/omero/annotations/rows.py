"""Annotations of many objects as rows of a tidy table, and as one row per object."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.image_names import object_identifier
from bioimage_suite.omero.annotations.annotations import (
    ALL,
    Chosen,
    Linked,
    find_tag_sets,
    linked_files,
    linked_pairs,
    linked_ratings,
    linked_texts,
    linked_values,
)
from bioimage_suite.omero.files.original_files import TABLE_MIMETYPE
from bioimage_suite.tables.object_table import key_column, write_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.omero.session import Session
    from bioimage_suite.tables.report import Report

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


WIDE_COLUMNS = ("row_count", "status", "tags")


def annotation_rows(
    session: Session, kind: str, names: Mapping[int, str], types: Sequence[str], chosen: Chosen = ALL
) -> Iterator[tuple[Any, ...]]:
    """Yield one row per key-value pair, tag, comment, rating, value or file, by object, type and annotation.

    A few queries per 1,000 objects, never one per object. The key of a tag is its tag set; a tag in several sets has
    one row per set.

    Args:
        session: An open session.
        kind: Kind of the objects.
        names: Their names by id.
        types: Some of `ALL_TYPES`; "value" stands for all types of `VALUES`.
        chosen: Which annotations to take.
    """
    found: dict[int, list[tuple[Any, ...]]] = {}
    ids = list(names)
    wanted = {*types, *(VALUES if "value" in types else ())}
    for annotation_type, one, key, value in _values(session, kind, ids, types):
        if annotation_type in wanted and one in chosen:
            row = (annotation_type, one.annotation_id, one.namespace, key, value)
            found.setdefault(one.object_id, []).append(row)
    for object_id in ids:
        for row in found.get(object_id, ()):
            yield (kind, object_id, names[object_id], *row)


def _values(
    session: Session, kind: str, ids: Sequence[int], types: Sequence[str]
) -> Iterator[tuple[str, Linked, str, Any]]:
    """Yield (type, annotation, key, value) of all annotations of some types; attachments and tables come together."""
    if "key_value" in types:
        for one in linked_pairs(session, kind, ids):
            for key, value in one.value:
                yield "key_value", one, key, value
    if "tag" in types:
        tags = linked_texts(session, kind, ids, "TagAnnotation")
        sets = find_tag_sets(session, [one.annotation_id for one in tags])
        for one in tags:
            for tag_set in sets.get(one.annotation_id, [""]):
                yield "tag", one, tag_set, one.value
    if "comment" in types:
        for one in linked_texts(session, kind, ids, "CommentAnnotation"):
            yield "comment", one, "", one.value
    if "rating" in types:
        for one in linked_ratings(session, kind, ids):
            yield "rating", one, "", one.value
    if "value" in types:
        for annotation_type, annotation in VALUES.items():
            for one in linked_values(session, kind, ids, annotation):
                yield annotation_type, one, "", _value_text(annotation_type, one.value)
    if {"attachment", "table"} & set(types):
        for one in linked_files(session, kind, ids):
            what = "table" if one.value.mimetype == TABLE_MIMETYPE else "attachment"
            yield what, one, f"file {one.value.file_id}", one.value.name


def wide_columns(kind: str, rows: Iterable[tuple[Any, ...]] = ()) -> list[str]:
    """Return the columns of the table with one row per object: fixed columns, then the keys of `annotation_rows`."""
    keys = dict.fromkeys(row[6] for row in rows if row[3] == "key_value")
    return [f"{kind}_id", f"{kind}_name", *WIDE_COLUMNS, *dict.fromkeys(_key_column(kind, key) for key in keys)]


def fill_report(report: Report, kind: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Fill each object's row: number of annotation rows, tags, and one cell per key; several values are joined by "; ".

    Args:
        report: One row per object.
        kind: Kind of the objects.
        rows: From `annotation_rows`.
    """
    own: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        own.setdefault(row[1], []).append(row)
    for line in report.rows:
        found = own.get(line.cells[f"{kind}_id"], [])
        cells = {"tags": list(dict.fromkeys(str(row[7]) for row in found if row[3] == "tag"))}
        for row in found:
            if row[3] == "key_value":
                cells.setdefault(_key_column(kind, row[6]), []).append(str(row[7]))
        line.done("fetched", row_count=len(found), **{column: "; ".join(values) for column, values in cells.items()})


def write_one_each(rows: Sequence[tuple[Any, ...]], folder: Path, outputs: Outputs, *, exact: bool) -> None:
    """Write the rows of each object to a tidy table `Image_<id>_<name>.tabular`; `exact` as for `write_table`."""
    by_object: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_object.setdefault(object_identifier(*row[:3]), []).append(row)
    for identifier, own in by_object.items():
        write_table(outputs.file(folder / f"{identifier}.tabular"), COLUMNS, own, exact=exact)


def _key_column(kind: str, key: str) -> str:
    return key_column(key, (f"{kind}_id", f"{kind}_name", *WIDE_COLUMNS))


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
