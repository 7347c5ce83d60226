"""What a saved list leaves out: links and elements of ordered lists that the client's loaded list does not have.

OMERO deletes them with the save (omero-model, templates/object.vm: CascadeType.DELETE_ORPHAN for links and ordered
collections), so a client that saves an object whose list is loaded but empty takes everything out of it
(openmicroscopy, pull request 4930). A list that is not loaded stays as it is.
"""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access import permissions
from sandbox.omero.model.entities import MODEL_ENTITIES, ORDERED, Entity, Property
from sandbox.omero.model.schema import column_name, table_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction


@functools.cache
def owned_lists(entity: Entity) -> tuple[Property, ...]:
    """Return the collections whose elements go when a saved list leaves them out; no memberships of groups."""
    found = [(prop, MODEL_ENTITIES[prop.type]) for prop in entity.properties.values() if prop.kind == "collection"]
    return tuple(
        prop
        for prop, element in found
        if not element.is_global and (element.is_link or (element.root, prop.inverse) in ORDERED)
    )


def delete_orphans(
    tx: Transaction, context: Context, saved: Iterable[tuple[Entity, int, Any]], kept: dict[str, set[int]]
) -> None:
    """Delete what the loaded lists of saved objects leave out.

    Args:
        tx: The transaction that saves.
        context: Who saves.
        saved: Entity, id and object of each saved object that was there before.
        kept: By root of the entity, the ids of the objects of the save and of all elements of its lists.

    Raises:
        omero.SecurityViolation: The caller may not delete an element.
    """
    parents: dict[Property, set[int]] = defaultdict(set)
    for entity, row_id, thing in saved:
        for prop in owned_lists(entity):
            if getattr(thing, f"_{prop.name}Loaded"):
                parents[prop].add(row_id)
    for prop, ids in parents.items():
        element = MODEL_ENTITIES[prop.type]
        gone = _left_out(tx, element, column_name(element, element.properties[prop.inverse]), ids, kept)
        for row_id, owner, group in gone:
            if not permissions.rights(context, owner, group).delete:
                raise errors.security(f"Deleting {element.name}:{row_id} is not allowed to user {context.user_id}")
        if gone:
            tx.delete(element.name, [row_id for row_id, _, _ in gone])


def _left_out(
    tx: Transaction, element: Entity, reference: str, parents: set[int], kept: dict[str, set[int]]
) -> list[tuple[int, int, int]]:
    """Return id, owner and group of the elements that are stored below the parents and not kept."""
    sql = (
        f'SELECT id, owner_id, group_id FROM "{table_of(element).name}" WHERE "{reference}" IN '
        "(SELECT value FROM json_each(:parents))"
    )
    rows = tx.rows(sql, {"parents": json.dumps(sorted(parents))})
    return [row for row in rows if row[0] not in kept.get(element.root, set())]
