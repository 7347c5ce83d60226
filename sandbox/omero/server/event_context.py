"""The omero.sys.EventContext of a call: who calls, in which group, with which rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.omero.access.context import Context
    from sandbox.omero.server.sessions import Session


def event_context(session: Session, context: Context) -> Any:
    """Return the omero.sys.EventContext of a call."""
    import omero

    directory = context.directory
    group = directory.groups[context.group_id]
    found = omero.sys.EventContext()
    found.shareId = -1
    found.sessionId, found.sessionUuid = session.row_id, session.uuid
    found.userId, found.userName = context.user_id, directory.users[context.user_id]
    found.sudoerId = found.sudoerName = None
    if session.sudoer_id is not None:
        found.sudoerId = omero.rtypes.rlong(session.sudoer_id)
        found.sudoerName = omero.rtypes.rstring(directory.users[session.sudoer_id])
    found.groupId, found.groupName = group.id, group.name
    found.isAdmin = context.is_admin
    found.adminPrivileges = sorted(context.privileges)
    found.eventId, found.eventType = -1, session.event_type
    found.memberOfGroups = list(directory.memberships.get(context.user_id, {}))
    found.leaderOfGroups = sorted(context.leader_of)
    found.groupPermissions = omero.model.PermissionsI(group.permissions)
    return found
