"""Who may see, annotate, link, edit and delete what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.omero.access.directory import GROUP_ANNOTATE, GROUP_READ, GROUP_WRITE, USER_GROUP

if TYPE_CHECKING:
    from sandbox.omero.access.context import Context


@dataclass(frozen=True)
class Rights:
    """The caller's rights on one object, in the order of omero.constants.permissions."""

    link: bool
    edit: bool
    delete: bool
    annotate: bool
    chgrp: bool
    chown: bool

    def restrictions(self) -> list[bool]:
        """Return what is *not* allowed, in the order of omero.model.Permissions."""
        return [not self.link, not self.edit, not self.delete, not self.annotate, not self.chgrp, not self.chown]


def rights(context: Context, owner_id: int, group_id: int) -> Rights:
    """Return what the caller may do with an object of this owner in this group."""
    group = context.directory.groups.get(group_id)
    bits = group.permissions if group is not None else 0
    owns = owner_id == context.user_id
    leads = group_id in context.leader_of
    writes_any = context.may("WriteOwned")
    deletes_any = context.may("DeleteOwned")
    member = group_id in context.member_of
    shared = member and bool(bits & GROUP_WRITE)
    # In a private group a leader may see, edit and delete other people's objects, but not annotate or link them.
    leads_openly = leads and bool(bits & GROUP_READ)
    edit = owns or leads or writes_any or shared
    return Rights(
        link=owns or leads_openly or shared or (writes_any and bool(bits & GROUP_READ)),
        edit=edit,
        delete=owns or leads or deletes_any or shared,
        annotate=owns
        or leads_openly
        or (member and bool(bits & (GROUP_ANNOTATE | GROUP_WRITE)))
        or (writes_any and bool(bits & GROUP_READ)),
        chgrp=owns or context.may("Chgrp"),
        chown=context.may("Chown") or leads,
    )


def read_scope(context: Context) -> tuple[str, dict[str, Any]]:
    """Return the SQL condition on `{alias}` for the rows that the caller sees, and its parameters.

    The condition is that of OMERO's security filter: within one group the group's rows (in a private group only the
    caller's own), across groups the rows of all groups that the caller may read. Everybody sees the rows of the group
    of all users. The unary plus keeps SQLite from using an index for a condition that selects nearly everything.
    """
    if context.all_groups:
        if context.is_admin:
            return "1", {}
        groups = context.directory.groups
        readable = [g for g in context.member_of if g in context.leader_of or groups[g].is_readable]
        sql = "(+{alias}.owner_id = :scope_user OR +{alias}.group_id IN (SELECT value FROM json_each(:scope_groups)))"
        return sql, {"scope_user": context.user_id, "scope_groups": json.dumps([USER_GROUP, *readable])}
    group = context.directory.groups.get(context.group_id)
    whole = context.is_admin or context.group_id in context.leader_of or (group and group.is_readable)
    parameters = {"scope_group": context.group_id, "scope_common": USER_GROUP}
    if whole:
        return "(+{alias}.group_id IN (:scope_group, :scope_common))", parameters
    sql = (
        "((+{alias}.group_id = :scope_group AND +{alias}.owner_id = :scope_user) OR +{alias}.group_id = :scope_common)"
    )
    return sql, parameters | {"scope_user": context.user_id}
