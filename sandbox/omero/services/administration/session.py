"""ISession: open, find and close sessions."""

from __future__ import annotations

from typing import Any

from sandbox.omero import errors
from sandbox.omero.database.users import check_password
from sandbox.omero.objects import hydrate
from sandbox.omero.server.login import open_session
from sandbox.omero.server.servant import Service
from sandbox.omero.server.sessions import TIME_TO_IDLE, TIME_TO_LIVE, Session


class SessionService(Service):
    """The session service."""

    interface = "omero.api.ISession"

    def _object(self, session: Session, current: Any) -> Any:
        with self.server.database.read() as tx:
            loaded = hydrate.load(tx, self.context(current), "Session", [session.row_id], ["owner", "sudoer"])
        return loaded[0]

    def createSession(self, principal: Any, credentials: str, current: Any) -> Any:
        """Open a session for a name and password."""
        user = principal.name if principal is not None else ""
        user_id = self.server.user_id(user)
        with self.server.database.read() as tx:
            accepted = user_id is not None and check_password(tx, user_id, credentials or "")
        if user_id is None or not accepted:
            raise errors.security(f"Password check failed for {user!r}")
        made = open_session(self.server, user_id, principal.group or "", event_type=principal.eventType or "User")
        return self._object(made, current)

    def createUserSession(self, live: int, idle: int, group: str, current: Any) -> Any:
        """Open another session of the caller."""
        mine = self.session
        if mine.detached:  # from createSessionWithTimeouts, also in one's own name
            raise errors.security("A session that somebody else opened cannot open others")
        options = {"time_to_live": min(live or 0, 2**62), "time_to_idle": idle or mine.time_to_idle}
        made = open_session(self.server, mine.user_id, group or "", **options)
        return self._object(made, current)

    def createSessionWithTimeouts(self, principal: Any, live: int, idle: int, current: Any) -> Any:
        """Open a session in somebody else's name: for administrators with Sudo, and leaders of that group."""
        if principal is None:
            raise errors.api_usage("createSessionWithTimeouts needs a principal")
        user_id = self.server.user_id(principal.name)
        if user_id is None:
            raise errors.api_usage(f"No such user: {principal.name}")
        self._require_sudo(user_id, principal, current)
        made = open_session(
            self.server,
            user_id,
            principal.group or "",
            sudoer_id=self.session.user_id if user_id != self.session.user_id else None,
            time_to_live=live if live is not None else TIME_TO_LIVE,
            time_to_idle=idle or TIME_TO_IDLE,
            event_type=principal.eventType or "User",
            agent="sudo",
        )
        # No client is in the session yet; it must not end when the first one that joins leaves.
        made.detached = True
        return self._object(made, current)

    def _require_sudo(self, user_id: int, principal: Any, current: Any) -> None:
        context = self.context(current)
        if context.may("Sudo"):
            return
        leads = context.leader_of & self.server.directory.member_of(user_id)
        named = {g.id for g in self.server.directory.groups.values() if g.name == principal.group}
        if not leads or not named <= leads or self.server.is_admin(user_id):
            raise errors.security(f"User {context.user_id} may not open a session for {principal.name}")

    def createSessionWithTimeout(self, principal: Any, live: int, current: Any) -> Any:
        """Open a session as createSessionWithTimeouts does, with the usual idle time."""
        return self.createSessionWithTimeouts(principal, live, TIME_TO_IDLE, current)

    def getSession(self, session_uuid: str, current: Any) -> Any:
        """Return the session with this key."""
        return self._object(self._own(session_uuid, current), current)

    def _own(self, session_uuid: str, _current: Any) -> Session:
        """Return a session by its key: whoever knows the key may use the session."""
        return self.server.sessions.get(session_uuid)

    def getReferenceCount(self, session_uuid: str, current: Any) -> int:
        """Return the number of clients in the session."""
        return len(self._own(session_uuid, current).clients)

    def closeSession(self, target: Any, _current: Any) -> int:
        """End a session; return -2: nobody is left in it."""
        key = target.uuid.val if target is not None and target.isLoaded() and target.uuid is not None else None
        if key is None:
            raise errors.api_usage("closeSession needs a session with its uuid")
        self.server.sessions.get(key)
        self.server.sessions.close(key)
        return -2

    def getMyOpenSessions(self, current: Any) -> list[Any]:
        """Return the caller's open sessions."""
        return [self._object(s, current) for s in self.server.sessions.of_user(self.session.user_id)]

    def getMyOpenAgentSessions(self, agent: str, current: Any) -> list[Any]:
        """Return the caller's open sessions that a certain program has opened."""
        mine = self.server.sessions.of_user(self.session.user_id)
        return [self._object(s, current) for s in mine if s.agent == agent]

    def getMyOpenClientSessions(self, current: Any) -> list[Any]:
        """Return the caller's open sessions."""
        return self.getMyOpenSessions(current)

    def getInput(self, key: str, name: str, current: Any) -> Any:
        """Return a value that was left in the session."""
        return self._own(key, current).inputs.get(name)

    def setInput(self, key: str, name: str, value: Any, current: Any) -> None:
        """Leave a value in the session; None removes it."""
        _put(self._own(key, current).inputs, name, value)

    def getInputKeys(self, key: str, current: Any) -> list[str]:
        """Return the names of the values that were left in the session."""
        return list(self._own(key, current).inputs)

    def getInputs(self, key: str, current: Any) -> dict[str, Any]:
        """Return all values that were left in the session."""
        return dict(self._own(key, current).inputs)

    def getOutput(self, key: str, name: str, current: Any) -> Any:
        """Return a result that was left in the session."""
        return self._own(key, current).outputs.get(name)

    def setOutput(self, key: str, name: str, value: Any, current: Any) -> None:
        """Leave a result in the session; None removes it."""
        _put(self._own(key, current).outputs, name, value)

    def getOutputKeys(self, key: str, current: Any) -> list[str]:
        """Return the names of the results that were left in the session."""
        return list(self._own(key, current).outputs)

    def getOutputs(self, key: str, current: Any) -> dict[str, Any]:
        """Return all results that were left in the session."""
        return dict(self._own(key, current).outputs)


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value
