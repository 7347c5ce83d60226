"""Delete2: objects and what belongs to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access import permissions
from sandbox.omero.commands.graph import ChildOptions, Closure, Walker, check_filesets, release, targets_of
from sandbox.omero.model.entities import MODEL_ENTITIES, Entity
from sandbox.omero.repository.leftovers import files_of, remove_files

if TYPE_CHECKING:
    from sandbox.omero.access.context import Context
    from sandbox.omero.commands.run import Run
    from sandbox.omero.database.transactions import Transaction


def run_delete(run: Run, tx: Transaction, request: Any) -> Any:
    """Delete the targets and everything that goes with them."""
    import omero.cmd

    walker = Walker(tx, run.context, ChildOptions.of(request), split_filesets_stay=True)
    closure = walker.walk(targets_of(request))
    run.advance()
    check_deletable(run.context, closure)
    check_filesets(tx, closure)
    run.advance()
    response = omero.cmd.Delete2Response(deletedObjects=closure.by_class())
    if request.dryRun:
        return response
    files = run.server.files
    paths = files_of(tx, files, closure.found)
    run.after.append(lambda: remove_files(files, paths))
    delete_rows(tx, closure)
    run.advance()
    return response


def check_deletable(context: Context, closure: Closure) -> None:
    """Check that the caller may delete the targets and other people's objects in them; links go with their ends.

    Raises:
        omero.SecurityViolation: The caller may not.
    """
    for (root, row_id), (owner, group) in closure.owners.items():
        entity = MODEL_ENTITIES[closure.classes[root, row_id]]
        if entity.is_global or (entity.is_link and (root, row_id) not in closure.targets):
            continue
        is_main = (root, row_id) in closure.targets or root in ("Image", "Dataset", "Plate", "Annotation")
        if is_main and not permissions.rights(context, owner, group).delete:
            raise errors.security(f"User {context.user_id} may not delete {entity.name}[{row_id}]")


def delete_rows(tx: Transaction, closure: Closure) -> None:
    """Delete the closure's rows, and set references to them to null."""
    release(tx, closure)
    for root, ids in closure.found.items():
        tx.rows(
            f'DELETE FROM "{root}" WHERE id IN (SELECT value FROM json_each(:ids))', {"ids": json.dumps(sorted(ids))}
        )
        for row_id in sorted(ids):
            tx.log("DELETE", closure.classes[root, row_id], [row_id])


def delete_single(tx: Transaction, context: Context, entity: Entity, row_id: int) -> None:
    """Delete one object alone, as IUpdate.deleteObject does."""
    row = tx.get(entity.name, row_id)
    if row is None:
        raise errors.validation(f"No such object: {entity.name}:{row_id}")
    if entity.is_global:
        if not context.is_admin:
            raise errors.security(f"Only administrators may delete {entity.name}")
    elif not permissions.rights(context, row["owner_id"], row["group_id"]).delete:
        raise errors.security(f"User {context.user_id} may not delete {entity.name}:{row_id}")
    tx.delete(entity.name, [row_id])
