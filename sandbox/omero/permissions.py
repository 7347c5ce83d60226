"""OMERO's permissions: who may see, annotate, link, edit and delete what.

A group's permissions are six characters, `rwr---` and so on: read and write (`w`), annotate (`a`) or neither (`-`)
for the owner, the group's members and the world. Four kinds of group are in use: private `rw----`, read-only
`rwr---`, read-annotate `rwra--` and read-write `rwrw--`. See https://omero.readthedocs.io (Permissions overview).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.context import USER_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.omero.context import Context
    from sandbox.omero.database import Transaction

GROUP_READ, GROUP_WRITE, GROUP_ANNOTATE = 4 << 4, 2 << 4, 1 << 4
PRIVATE = "rw----"
PATTERN = re.compile(r"[rR\-_][aAwW\-_]" * 3)


def permission_bits(text: str) -> int:
    """The `perm1` of omero.model.Permissions: 4 read, 2 write, 1 annotate, shifted by 8, 4, 0; unused bits are set."""
    if not PATTERN.fullmatch(text):
        raise errors.api_usage(f"permissions {text!r}: not of the form rwr---")
    bits = -1
    for position, shift in enumerate((8, 4, 0)):
        read, write = text[2 * position].lower(), text[2 * position + 1].lower()
        granted = (4 if read == "r" else 0) | {"w": 3, "a": 1}.get(write, 0)
        bits &= ~((7 & ~granted) << shift)
    return bits


def permission_text(bits: int) -> str:
    """The six characters for `perm1`."""
    text = ""
    for shift in (8, 4, 0):
        three = bits >> shift & 7
        text += ("r" if three & 4 else "-") + ("w" if three & 2 else "a" if three & 1 else "-")
    return text


@dataclass(frozen=True)
class Group:
    """A group as permissions need it."""

    id: int
    name: str
    permissions: int

    @property
    def is_readable(self) -> bool:
        """Whether members see each other's objects."""
        return bool(self.permissions & GROUP_READ)


@dataclass(frozen=True)
class Directory:
    """Groups, users and memberships at one moment.

    Attributes:
        groups: Groups by id.
        users: Login names by experimenter id.
        memberships: By experimenter id, the groups in order (the default group first) and whether they lead them.
    """

    groups: Mapping[int, Group]
    users: Mapping[int, str]
    memberships: Mapping[int, Mapping[int, bool]]

    def member_of(self, user_id: int) -> frozenset[int]:
        """Ids of the user's groups."""
        return frozenset(self.memberships.get(user_id, {}))

    def leader_of(self, user_id: int) -> frozenset[int]:
        """Ids of the groups that the user leads."""
        return frozenset(group for group, leads in self.memberships.get(user_id, {}).items() if leads)

    def default_group(self, user_id: int) -> int | None:
        """The group a new session of the user starts in: the first that is not the group of all users."""
        groups = list(self.memberships.get(user_id, {}))
        return next((g for g in groups if g != USER_GROUP), groups[0] if groups else None)


def load_directory(tx: Transaction) -> Directory:
    """Read groups, users and memberships."""
    memberships: dict[int, dict[int, bool]] = {}
    maps = tx.rows('SELECT child, parent, owner FROM "GroupExperimenterMap" ORDER BY child, child_index, id', {})
    for child, parent, owner in maps:
        memberships.setdefault(child, {})[parent] = bool(owner)
    groups = tx.rows('SELECT id, name, permissions FROM "ExperimenterGroup"', {})
    users = tx.rows('SELECT id, "omeName" FROM "Experimenter"', {})
    return Directory({g[0]: Group(*g) for g in groups}, dict(users), memberships)


@dataclass(frozen=True)
class Rights:
    """What the caller may do with one object; the order of omero.constants.permissions."""

    link: bool
    edit: bool
    delete: bool
    annotate: bool
    chgrp: bool
    chown: bool

    def restrictions(self) -> list[bool]:
        """As in omero.model.Permissions: what is *not* allowed."""
        return [not self.link, not self.edit, not self.delete, not self.annotate, not self.chgrp, not self.chown]


def rights(context: Context, owner_id: int, group_id: int) -> Rights:
    """What the caller may do with an object of this owner in this group."""
    group = context.directory.groups.get(group_id)
    bits = group.permissions if group is not None else 0
    owns = owner_id == context.user_id
    leads = group_id in context.leader_of
    writes_any = context.may("WriteOwned")
    deletes_any = context.may("DeleteOwned")
    member = group_id in context.member_of
    shared = member and bool(bits & GROUP_WRITE)
    # In a private group a leader sees and may delete, but does not work in other people's name.
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
    """The SQL condition for `{alias}` that says which rows the caller sees, and its parameters.

    As OMERO's security filter: in one group the group's rows (only one's own where it is private), across groups the
    rows of all groups that one may look into; what lies in the group of all users is common.
    The unary plus keeps SQLite from choosing an index for a condition that selects nearly everything.
    """
    import json

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
