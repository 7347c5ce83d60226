"""Log in, by password or on somebody's behalf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import Glacier2

from sandbox.omero.database.users import check_password
from sandbox.omero.server.sessions import TIME_TO_IDLE, TIME_TO_LIVE, Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.omero.server.state import Server


def log_in(server: Server, user: str, password: str, ctx: Mapping[str, str]) -> Session:
    """Open a session for a name and password.

    Raises:
        Glacier2.PermissionDeniedException: Unknown name, wrong password, or not a member of the group asked for.
    """
    user_id = server.user_id(user)
    with server.database.read() as tx:
        accepted = user_id is not None and check_password(tx, user_id, password)
    server.failed_logins.count(user, accepted=accepted)
    if not accepted or user_id is None:
        raise Glacier2.PermissionDeniedException("Password check failed")
    return open_session(
        server,
        user_id,
        ctx.get("omero.group", ""),
        agent=ctx.get("omero.agent", ""),
        address=ctx.get("omero.ip", ""),
        event_type=ctx.get("omero.event", "") or "User",
    )


def open_session(server: Server, user_id: int, group: str, **options: Any) -> Session:
    """Open a session of the user in the named group; in the default group for an empty name."""
    directory = server.directory
    group_id = directory.default_group(user_id)
    if group:
        named = {g.name: g.id for g in directory.groups.values()}
        group_id = named.get(group, int(group) if group.isdigit() else None)
        if group_id is None:
            raise Glacier2.PermissionDeniedException(f"No such group: {group}")
        if group_id not in directory.member_of(user_id) and not server.is_admin(user_id):
            raise Glacier2.PermissionDeniedException(f"User {user_id} is not a member of group {group}")
    if group_id is None:
        raise Glacier2.PermissionDeniedException(f"User {user_id} is not a member of any group")
    options.setdefault("time_to_idle", TIME_TO_IDLE)
    options.setdefault("time_to_live", TIME_TO_LIVE)
    return server.sessions.create(user_id, group_id, server.node_id, **options)
