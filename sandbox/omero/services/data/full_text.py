"""Search objects for words, by the full-text index."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access import permissions
from sandbox.omero.database import full_text_index, full_text_tables
from sandbox.omero.model.schema import table_of
from sandbox.omero.repository.stored_files import UnsafePathError, original_file_path
from sandbox.omero.services.data.search_text import fts_query

if TYPE_CHECKING:
    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction
    from sandbox.omero.model.entities import Entity
    from sandbox.omero.server.state import Server


def update_index(server: Server) -> None:
    """Bring the index up to date, if something has changed."""
    with server.database.read() as tx:
        if full_text_index.is_current(tx):
            return
    with server.database.write() as tx:
        full_text_index.bring_up_to_date(tx, lambda file_id: _text_of_file(server, tx, file_id))


def _text_of_file(server: Server, tx: Transaction, file_id: int) -> str:
    """Return name and, of a text, the content of an OriginalFile, up to a limit."""
    row = tx.get("OriginalFile", file_id)
    if row is None:
        return ""
    name = row["name"] or ""
    if not (row["mimetype"] or "").startswith(full_text_index.TEXT_MIMETYPES):
        return name
    try:
        with original_file_path(server.files, row).open("rb") as file:
            content = file.read(full_text_index.LARGEST_ATTACHMENT)
    except (OSError, UnsafePathError):
        return name
    return f"{name} {content.decode('utf-8', 'replace')}"


def search_ids(tx: Transaction, context: Context, entity: Entity, text: str) -> list[int]:
    """Return the ids of the visible objects that a search text finds, the best match first.

    Raises:
        omero.ApiUsageException: The text is no search text.
    """
    if entity.root not in full_text_tables.ROOTS:
        return []
    query = fts_query(text or "", lambda: [row[0] for row in tx.rows("SELECT term FROM full_text_word", {})])
    if query is None:
        return []
    number = full_text_tables.ROOTS.index(entity.root)
    scope, parameters = permissions.read_scope(context)
    classes = ", ".join(f"'{name}'" for name in entity.subclasses)
    visible = "1" if entity.is_global else scope.format(alias="t")
    table, step = table_of(entity).name, full_text_tables.STEP
    sql = (
        f'SELECT t.id FROM full_text AS f JOIN "{table}" AS t ON t.id = f.rowid / {step}'
        f" WHERE full_text MATCH :query AND f.rowid % {step} = {number}"
        f" AND t.entity_class IN ({classes}) AND {visible} ORDER BY f.rank, t.id"
    )
    given: dict[str, Any] = {**parameters, "query": query}
    try:
        return [row[0] for row in tx.rows(sql, given)]
    except sqlite3.OperationalError as error:
        raise errors.api_usage(f"{text} caused a parse exception: {error}") from error
