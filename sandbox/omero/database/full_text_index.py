"""The words of objects, in SQLite's full-text index (FTS5): names, descriptions, annotations, text of attachments.

Triggers note which objects have changed (`full_text_changed`); the next search brings their words up to date. So a
search finds what was written before it, and writers do not wait for the index. Words are runs of letters and digits in
lower case, as OMERO's FullTextAnalyzer makes them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.omero.database.full_text_tables import ROOTS, STEP
from sandbox.omero.model.entities import MODEL_ENTITIES
from sandbox.omero.model.schema import table_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.omero.database.transactions import Transaction

PERSON = " || ' ' || ".join(f"coalesce(t.\"{name}\", '')" for name in ("omeName", "firstName", "lastName"))
ANNOTATION = " || ' ' || ".join(f"coalesce(t.\"{name}\", '')" for name in ("textValue", "termValue", "longValue", "ns"))
TEXT_OF = {"Annotation": (ANNOTATION, "t.description"), "Experimenter": (PERSON, "t.email")}
"""SQL of name and description of what has neither."""
BATCH = 20_000
LARGEST_ATTACHMENT = 1 << 20
"""Bytes of an attachment that are searched: its beginning."""
TEXT_MIMETYPES = ("text/", "application/json", "application/xml", "application/x-yaml")


def is_current(tx: Transaction) -> bool:
    """Return whether the index has every change."""
    return not tx.rows("SELECT 1 FROM full_text_changed LIMIT 1", {})


def bring_up_to_date(tx: Transaction, text_of_file: Callable[[int], str]) -> None:
    """Index what has changed.

    Args:
        tx: A writing transaction.
        text_of_file: Returns the text of an OriginalFile, by its id.
    """
    for number, root in enumerate(ROOTS):
        while ids := [
            row[0]
            for row in tx.rows(
                "SELECT id FROM full_text_changed WHERE root = :root LIMIT :most", {"root": root, "most": BATCH}
            )
        ]:
            _index(tx, number, root, ids, text_of_file)


def _index(tx: Transaction, number: int, root: str, ids: list[int], text_of_file: Callable[[int], str]) -> None:
    given = {"ids": json.dumps(ids), "root": root}
    among = "IN (SELECT value FROM json_each(:ids))"
    run = tx.connection.exec_driver_sql
    run(f"DELETE FROM full_text WHERE rowid IN (SELECT value * {STEP} + {number} FROM json_each(:ids))", given)
    name, description, more = _own_texts(root)
    run(
        f"INSERT INTO full_text (rowid, name, description, tag, annotation, pairs) SELECT t.id * {STEP} + {number},"
        f' {name}, {description}, {more} FROM "{root}" AS t WHERE t.id {among}',
        given,
    )
    for row_id, file_ids in _files_of(tx, root, given):
        text = " ".join(text_of_file(file_id) for file_id in file_ids)
        run("UPDATE full_text SET file = :text WHERE rowid = :row", {"text": text, "row": row_id * STEP + number})
    run(f"DELETE FROM full_text_changed WHERE root = :root AND id {among}", given)


def _own_texts(root: str) -> tuple[str, str, str]:
    """Return SQL of an object's name, its description, and the words of its annotations: tags, all, pairs."""
    columns = table_of(root).c
    plain = tuple(f"t.{name}" if name in columns else "NULL" for name in ("name", "description"))
    name, description = TEXT_OF.get(root, plain)
    pair = "(SELECT group_concat(m.name || ' ' || m.value, ' | ') FROM \"Annotation_mapValue\" AS m WHERE m.id = {id})"
    if root == "Annotation":
        return name, description, f"NULL, NULL, {pair.format(id='t.id')}"
    if f"{root}AnnotationLink" not in MODEL_ENTITIES:
        return name, description, "NULL, NULL, NULL"
    linked = f'FROM "{root}AnnotationLink" AS l JOIN "Annotation" AS a ON a.id = l.child WHERE l.parent = t.id'
    tags = f"(SELECT group_concat(a.\"textValue\", ' | ') {linked} AND a.entity_class = 'TagAnnotation')"
    words = (
        f"(SELECT group_concat(coalesce(a.\"textValue\", '') || ' ' || coalesce(a.description, ''), ' | ') {linked})"
    )
    pairs = f"(SELECT group_concat({pair.format(id='a.id')}, ' | ') {linked})"
    return name, description, f"{tags}, {words}, {pairs}"


def _files_of(tx: Transaction, root: str, given: dict[str, str]) -> list[tuple[int, list[int]]]:
    """Return the files attached to objects, by object."""
    if f"{root}AnnotationLink" not in MODEL_ENTITIES or root == "Annotation":
        return []
    found: dict[int, list[int]] = {}
    for parent, file_id in tx.rows(
        f'SELECT l.parent, a.file FROM "{root}AnnotationLink" AS l JOIN "Annotation" AS a ON a.id = l.child'
        " WHERE a.file IS NOT NULL AND l.parent IN (SELECT value FROM json_each(:ids))",
        given,
    ):
        found.setdefault(parent, []).append(file_id)
    return list(found.items())
