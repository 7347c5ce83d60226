"""Requests about sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.objects import hydrate
from sandbox.omero.server.event_context import event_context

if TYPE_CHECKING:
    from sandbox.omero.commands.run import Run
    from sandbox.omero.database.transactions import Transaction


def run_current_sessions(run: Run, tx: Transaction, _request: Any) -> Any:
    """Return who is logged in. Administrators see the keys of all sessions, others only their own."""
    import omero.cmd
    from omero.rtypes import rstring

    response = omero.cmd.CurrentSessionsResponse([], [], [])
    for session in run.server.sessions.all():
        mine = session.user_id == run.context.user_id
        context = event_context(session, run.server.context(session, {}))
        (row,) = hydrate.load(tx, run.context, "Session", [session.row_id], ["owner"])
        if not (mine or run.context.is_admin):
            context.sessionUuid = ""
            row.uuid = rstring("")
        response.sessions.append(row)
        response.contexts.append(context)
        response.data.append({})
    return response


def run_update_timeout(run: Run, tx: Transaction, request: Any) -> Any:
    """Change how long a session of the caller lives; only administrators may make it longer."""
    import omero.cmd

    session = run.server.sessions.get(request.session)
    if session.user_id != run.context.user_id and not run.context.is_admin:
        raise errors.security(f"User {run.context.user_id} may not change a session of user {session.user_id}")
    for name, given in (("time_to_live", request.timeToLive), ("time_to_idle", request.timeToIdle)):
        if given is None:
            continue
        now_set = getattr(session, name)
        longer = now_set and (given.val == 0 or given.val > now_set)
        if given.val < 0 or (longer and not run.context.is_admin):
            return omero.cmd.ERR(request.ice_id(), "non-admin-increase", {"message": f"{name} {given.val} > {now_set}"})
        setattr(session, name, given.val)
    tx.update("Session", session.row_id, timeToLive=session.time_to_live, timeToIdle=session.time_to_idle)
    return omero.cmd.OK()
