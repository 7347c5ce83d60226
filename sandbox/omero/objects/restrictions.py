"""Objects whose original files the caller may not download; see access/binary_access.py."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.omero.access.permissions import rights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.omero.access.binary_access import BinaryAccess
    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction

RESTRICTABLE = ("Image", "OriginalFile", "Plate", "Well", "FileAnnotation")
"""The classes that OMERO tells restrictions of (omero-server, src/main/resources/ome/services/sec-primitives.xml)."""
IN_PLATE = 'SELECT DISTINCT image FROM "WellSample" WHERE image IN (SELECT value FROM json_each(:ids))'
FILE_OF_IMAGE = (
    'SELECT DISTINCT e."originalFile" FROM "FilesetEntry" e JOIN "Image" i ON i.fileset = e.fileset{join}'
    ' JOIN "OriginalFile" f ON f.id = e."originalFile"'
    " WHERE e.\"originalFile\" IN (SELECT value FROM json_each(:ids)) AND f.name NOT LIKE '%.txt'"
)
OF_PLATE = ' JOIN "WellSample" w ON w.image = i.id'


def restricted_ids(
    tx: Transaction, context: Context, entity: str, rows: Iterable[tuple[int, int, int]]
) -> frozenset[int]:
    """Return the ids of those objects of a class whose original files stay on the server.

    Args:
        tx: A transaction.
        context: The caller.
        entity: Name of the objects' class.
        rows: Id, owner and group of each object.
    """
    if entity not in RESTRICTABLE:
        return frozenset()
    found: set[int] = set()
    rest: dict[BinaryAccess, list[int]] = {}
    for row_id, owner, group_id in rows:
        group = context.directory.groups.get(group_id)
        if group is None:
            continue
        access = group.binary_access
        if not access.write or (not access.read and not rights(context, owner, group_id).edit):
            found.add(row_id)
        elif not (access.image and access.plate):
            rest.setdefault(access, []).append(row_id)
    for access, ids in rest.items():
        found |= _restricted_by_kind(tx, entity, access, ids)
    return frozenset(found)


def _restricted_by_kind(tx: Transaction, entity: str, access: BinaryAccess, ids: list[int]) -> set[int]:
    """Return the ids of the objects that are restricted as images or as parts of plates."""
    if entity == "FileAnnotation":
        return set()
    if entity in ("Plate", "Well") or (entity == "Image" and not access.image):
        return set(ids)
    sql = IN_PLATE if entity == "Image" else FILE_OF_IMAGE.format(join=OF_PLATE if access.image else "")
    return {row[0] for row in tx.rows(sql, {"ids": json.dumps(ids)})}


def is_restricted(tx: Transaction, context: Context, entity: str, row: dict[str, Any]) -> bool:
    """Tell whether the original files of one object stay on the server."""
    return bool(restricted_ids(tx, context, entity, [(row["id"], row["owner_id"], row["group_id"])]))
