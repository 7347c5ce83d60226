"""The facts that the permissions of one call depend on: who calls, in which group, with which rights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.omero.access.directory import Directory


@dataclass(frozen=True)
class Context:
    """The caller of one operation.

    Attributes:
        user_id: The experimenter for whom the call acts.
        group_id: The group of new objects; with `omero.group=-1` the session's group.
        all_groups: Whether the call works in all groups (`omero.group=-1`).
        is_admin: Whether the user is a member of the system group.
        privileges: The admin privileges of the session (names of AdminPrivilege).
        member_of: Ids of the user's groups.
        leader_of: Ids of the groups that the user leads.
        session_row_id: Id of the Session row, for events.
        directory: Users and groups as they were when the call began.
        event_type: Value of EventType for events.
    """

    user_id: int
    group_id: int
    all_groups: bool
    is_admin: bool
    privileges: frozenset[str]
    member_of: frozenset[int]
    leader_of: frozenset[int]
    session_row_id: int | None
    directory: Directory = field(repr=False)
    event_type: str = "User"

    def may(self, privilege: str) -> bool:
        """Return whether the caller is an administrator with this privilege."""
        return self.is_admin and privilege in self.privileges
