"""Objects by id for services: the row if the caller may see it, a check that the caller may change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access.permissions import read_scope, rights
from sandbox.omero.objects import hydrate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Database, Transaction


def readable_row(tx: Transaction, context: Context, entity: str, row_id: int) -> dict[str, Any]:
    """Return the row of an object that the caller sees.

    Raises:
        omero.ValidationException: There is no such object, or the caller may not see it.
    """
    row = tx.get(entity, row_id)
    if row is not None:
        condition, parameters = read_scope(context)
        sql = f'SELECT 1 FROM "{entity}" AS x WHERE x.id = :row_id AND {condition.format(alias="x")}'
        if tx.rows(sql, {**parameters, "row_id": row_id}):
            return row
    raise errors.validation(f"The requested object ({entity},{row_id}) is not available.")


def require_edit(context: Context, entity: str, row: dict[str, Any]) -> None:
    """Raise omero.SecurityViolation if the caller may not change the object."""
    if not rights(context, row["owner_id"], row["group_id"]).edit:
        raise errors.security(f"Cannot write to {entity} {row['id']}")


def require_link(tx: Transaction, context: Context, entity: str, row_id: int) -> None:
    """Check that the caller may put something new into a container: a Dataset, a Screen.

    Raises:
        omero.ValidationException: There is no such container, or the caller may not see it.
        omero.SecurityViolation: It is of another group than what is new, or of somebody who grants no links.
    """
    row = readable_row(tx, context, entity, row_id)
    allowed = rights(context, row["owner_id"], row["group_id"]).link
    if not allowed or row["group_id"] != context.group_id:
        raise errors.security(f"Cannot link to {entity} {row_id}")


def enum_value(given: Any) -> str | None:
    """Return the value of a client's enumeration object; None for one that is missing, unloaded or empty."""
    if given is None or not given.isLoaded() or given.value is None:
        return None
    value: str | None = given.value.val
    return value


def load_objects(
    database: Database, context: Context, entity: str, ids: Iterable[int], fetch: Iterable[str] = ()
) -> list[Any]:
    """Return Ice objects by their ids, with what lies on the paths in `fetch`."""
    with database.read(context) as tx:
        return hydrate.load(tx, context, entity, ids, fetch)
