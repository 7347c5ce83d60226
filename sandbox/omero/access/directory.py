"""Users, groups and memberships, and the permissions of groups as bits and as text.

A group's permissions are six characters, `rwr---` and so on: read and write (`w`), annotate (`a`) or neither (`-`)
for the owner, the group's members and the world. Four kinds of group are in use: private `rw----`, read-only
`rwr---`, read-annotate `rwra--` and read-write `rwrw--`. See https://omero.readthedocs.io (Permissions overview).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.omero import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.omero.access.binary_access import BinaryAccess

SYSTEM_GROUP = 0
USER_GROUP = 1
GUEST_GROUP = 2
ROOT_USER = 0
GUEST_USER = 1
GROUP_READ, GROUP_WRITE, GROUP_ANNOTATE = 4 << 4, 2 << 4, 1 << 4
PRIVATE = "rw----"
PATTERN = re.compile(r"[rR\-_][aAwW\-_]" * 3)


def permission_bits(text: str) -> int:
    """Return the `perm1` of omero.model.Permissions: 4 read, 2 write, 1 annotate, shifted by 8, 4, 0; unused bits set.

    Raises:
        omero.ApiUsageException: The text does not have the form rwr---.
    """
    if not PATTERN.fullmatch(text):
        raise errors.api_usage(f"permissions {text!r}: not of the form rwr---")
    bits = -1
    for position, shift in enumerate((8, 4, 0)):
        read, write = text[2 * position].lower(), text[2 * position + 1].lower()
        granted = (4 if read == "r" else 0) | {"w": 3, "a": 1}.get(write, 0)
        bits &= ~((7 & ~granted) << shift)
    return bits


def permission_text(bits: int) -> str:
    """Return the six characters for `perm1`."""
    text = ""
    for shift in (8, 4, 0):
        three = bits >> shift & 7
        text += ("r" if three & 4 else "-") + ("w" if three & 2 else "a" if three & 1 else "-")
    return text


@dataclass(frozen=True)
class Group:
    """A group with its permissions as bits."""

    id: int
    name: str
    permissions: int
    binary_access: BinaryAccess

    @property
    def is_readable(self) -> bool:
        """Return whether members see each other's objects."""
        return bool(self.permissions & GROUP_READ)


@dataclass(frozen=True)
class Directory:
    """Groups, users and memberships at one moment.

    Attributes:
        groups: Groups by id.
        users: Login names by experimenter id.
        memberships: By experimenter id, the groups in order (the default group first) and whether the user leads them.
    """

    groups: Mapping[int, Group]
    users: Mapping[int, str]
    memberships: Mapping[int, Mapping[int, bool]]

    def member_of(self, user_id: int) -> frozenset[int]:
        """Return the ids of the user's groups."""
        return frozenset(self.memberships.get(user_id, {}))

    def leader_of(self, user_id: int) -> frozenset[int]:
        """Return the ids of the groups that the user leads."""
        return frozenset(group for group, leads in self.memberships.get(user_id, {}).items() if leads)

    def default_group(self, user_id: int) -> int | None:
        """Return the group in which the user's sessions start: the first that is not the group of all users."""
        groups = list(self.memberships.get(user_id, {}))
        return next((g for g in groups if g != USER_GROUP), groups[0] if groups else None)
