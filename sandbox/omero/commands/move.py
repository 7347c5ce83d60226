"""Chgrp2, Chown2 and Chmod2: other groups, other owners, other permissions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access import permissions
from sandbox.omero.access.directory import GROUP_READ, permission_bits
from sandbox.omero.commands.graph import (
    PARTS,
    ChildOptions,
    Closure,
    Walker,
    check_filesets,
    referrers,
    targets_of,
)
from sandbox.omero.database.event_log import java_name
from sandbox.omero.model.entities import MODEL_ENTITIES

if TYPE_CHECKING:
    from sandbox.omero.commands.run import Run
    from sandbox.omero.database.transactions import Transaction


FOLLOWING = frozenset(
    {"RenderingDef", "QuantumDef", "ChannelBinding", "CodomainMapContext", "Thumbnail", "Roi", "Shape", "StatsInfo"}
)
"""What other users have on an image: it moves with the image whoever owns it, and is deleted where the new group is
private (omero-blitz, blitz-chgrp-rules.xml: `Pixels[I].settings`, `Pixels[I].thumbnails`, `Image[I].rois`)."""


def run_chgrp(run: Run, tx: Transaction, request: Any) -> Any:
    """Move objects and what belongs to them to another group; cut links to what stays."""
    import omero.cmd

    context = run.context
    if request.groupId not in context.directory.groups:
        raise errors.api_usage(f"No such group: {request.groupId}")
    closure = Walker(tx, context, ChildOptions.of(request)).walk(targets_of(request))
    run.advance()
    check_filesets(tx, closure)
    for (root, row_id), (owner, group) in closure.owners.items():
        follows = root in FOLLOWING and (root, row_id) not in closure.targets
        if owner == -1 or MODEL_ENTITIES[root].is_link or follows:
            continue
        if not permissions.rights(context, owner, group).chgrp:
            raise errors.security(f"User {context.user_id} may not move {root}[{row_id}]")
        if request.groupId not in context.directory.member_of(owner) and not context.may("Chgrp"):
            raise errors.security(f"User {owner} is not a member of group {request.groupId}")
    run.advance()
    savepoint = tx.connection.begin_nested()
    cut = _cut_links(tx, closure)
    if not context.directory.groups[request.groupId].is_readable:
        cut |= _delete_of_others(tx, closure)
    if request.dryRun:
        savepoint.rollback()
    else:
        _set_column(tx, closure, "group_id", request.groupId, "CHGRP")
        savepoint.commit()
        run.advance()
    return omero.cmd.Chgrp2Response(includedObjects=closure.by_class(), deletedObjects=cut)


def run_chown(run: Run, tx: Transaction, request: Any) -> Any:
    """Give objects and what belongs to them to another user."""
    import omero.cmd

    context = run.context
    if request.userId not in context.directory.users:
        raise errors.api_usage(f"No such user: {request.userId}")
    targets = targets_of(request)
    for user in request.targetUsers or []:
        targets += _everything_of(tx, user)
    closure = Walker(tx, context, ChildOptions.of(request)).walk(targets)
    givers = {closure.owners[target][0] for target in closure.targets}
    run.advance()
    for (root, row_id), (owner, group) in closure.owners.items():
        if owner == -1:
            continue
        if owner not in givers:  # a third user keeps a comment, or an image in the dataset
            closure.found[root].discard(row_id)
            continue
        if not permissions.rights(context, owner, group).chown:
            raise errors.security(f"User {context.user_id} may not give {root}[{row_id}] away")
        if group not in context.directory.member_of(request.userId) and not context.may("Chown"):
            raise errors.security(f"User {request.userId} is not a member of group {group}")
    run.advance()
    if not request.dryRun:
        _set_column(tx, closure, "owner_id", request.userId, "CHOWN")
        run.advance()
    return omero.cmd.Chown2Response(includedObjects=closure.by_class(), deletedObjects={})


def _everything_of(tx: Transaction, user: int) -> list[tuple[str, int]]:
    found = []
    for root in ("Project", "Dataset", "Image", "Screen", "Plate", "Folder", "Annotation"):
        found += [(root, row["id"]) for row in tx.find(root, owner_id=user)]
    return found


def run_chmod(run: Run, tx: Transaction, request: Any) -> Any:
    """Change the permissions of groups; cut links that a private group may not have."""
    import omero.cmd

    bits = permission_bits(request.permissions)
    groups = (request.targetObjects or {}).get("ExperimenterGroup") or []
    cut: dict[str, list[int]] = {}
    for group in groups:
        if group not in run.context.directory.groups:
            raise errors.api_usage(f"No such group: {group}")
        if not run.context.may("ModifyGroup") and group not in run.context.leader_of:
            raise errors.security(f"User {run.context.user_id} does not lead group {group}")
        if not request.dryRun:
            for name, ids in set_permissions(tx, group, bits).items():
                cut.setdefault(java_name(name), []).extend(ids)
    run.after.append(run.server.forget_caches)
    included = {java_name("ExperimenterGroup"): list(groups)}
    return omero.cmd.Chmod2Response(includedObjects=included, deletedObjects=cut)


def set_permissions(tx: Transaction, group: int, bits: int) -> dict[str, list[int]]:
    """Change a group's permissions.

    Returns:
        By class, the links that were cut: in a group that becomes private, those between objects of different users,
        as each link would show one user an object of the other.
    """
    tx.update("ExperimenterGroup", group, permissions=bits)
    if bits & GROUP_READ:
        return {}
    cut: dict[str, list[int]] = {}
    for entity in MODEL_ENTITIES.values():
        if not entity.is_link or entity.is_global:
            continue
        ends = [MODEL_ENTITIES[entity.properties[end].type] for end in ("parent", "child")]
        if any(end.is_global for end in ends):
            continue
        sql = (
            f'SELECT l.id FROM "{entity.root}" AS l JOIN "{ends[0].root}" AS p ON p.id = l.parent'
            f' JOIN "{ends[1].root}" AS c ON c.id = l.child'
            " WHERE l.group_id = :group AND (p.owner_id <> c.owner_id OR l.owner_id <> p.owner_id)"
        )
        found = [row[0] for row in tx.rows(sql, {"group": group})]
        if found:
            tx.delete(entity.name, found)
            cut[entity.name] = found
    return cut


def _cut_links(tx: Transaction, closure: Closure) -> dict[str, list[int]]:
    """Delete links with one end outside, and set references across to null; return the deleted links."""
    deleted: dict[str, list[int]] = {}
    for root in [r for r in closure.found if MODEL_ENTITIES[r].is_link]:
        ends = [MODEL_ENTITIES[MODEL_ENTITIES[root].properties[end].type].root for end in ("parent", "child")]
        sql = f'SELECT id, parent, child FROM "{root}" WHERE id IN (SELECT value FROM json_each(:ids))'
        for row_id, parent, child in tx.rows(sql, {"ids": json.dumps(sorted(closure.found[root]))}):
            if not (closure.has(ends[0], parent) and closure.has(ends[1], child)):
                deleted.setdefault(java_name(closure.classes[root, row_id]), []).append(row_id)
                closure.found[root].discard(row_id)
                tx.delete(root, [row_id])
    for target, ids in closure.found.items():
        for reference in referrers(target):
            if reference.is_part and (reference.root, reference.column) not in PARTS:
                continue
            inside = json.dumps(sorted(closure.found.get(reference.root, set())))
            tx.rows(
                f'UPDATE "{reference.root}" SET "{reference.column}" = NULL'
                f' WHERE "{reference.column}" IN (SELECT value FROM json_each(:ids))'
                " AND id NOT IN (SELECT value FROM json_each(:inside))",
                {"ids": json.dumps(sorted(ids)), "inside": inside},
            )
    return deleted


def _delete_of_others(tx: Transaction, closure: Closure) -> dict[str, list[int]]:
    """Delete what other users than the owners of the targets have on the images; return what was deleted."""
    owners = {closure.owners[target][0] for target in closure.targets}
    deleted: dict[str, list[int]] = {}
    for (root, row_id), (owner, _) in closure.owners.items():
        if root in FOLLOWING and owner not in owners and row_id in closure.found.get(root, ()):
            deleted.setdefault(java_name(closure.classes[root, row_id]), []).append(row_id)
            closure.found[root].discard(row_id)
            tx.delete(root, [row_id])
    return deleted


def _set_column(tx: Transaction, closure: Closure, column: str, value: int, action: str) -> None:
    for root, ids in closure.found.items():
        if not MODEL_ENTITIES[root].is_global:
            tx.rows(
                f'UPDATE "{root}" SET {column} = :value WHERE id IN (SELECT value FROM json_each(:ids))',
                {"value": value, "ids": json.dumps(sorted(ids))},
            )
            for row_id in sorted(ids):
                tx.log(action, closure.classes[root, row_id], [row_id])
