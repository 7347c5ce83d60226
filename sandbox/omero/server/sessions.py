"""Sessions: who is logged in, until when, and which services are open.

Sessions live in memory, with a row in the database as a record; a restart ends them all.
A session ends when it is closed, when it idles longer than `time_to_idle` or lives longer than `time_to_live`
(0 means no limit), or when its last client leaves without having detached (the `omero` command detaches).
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sandbox.omero import errors
from sandbox.omero.database.transactions import now

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sandbox.omero.database.transactions import Database

log = logging.getLogger("sandbox.omero")
TIME_TO_IDLE = 600_000  # ms; omero.sessions.timeout
TIME_TO_LIVE = 0  # ms; omero.sessions.maximum


class OpenService(Protocol):
    """A stateful service as its session knows it."""

    name: str
    interface: str
    client: str

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Return the lock that serialises the service's operations."""

    def released(self) -> None:
        """Give back files and memory."""


@dataclass
class Session:
    """One session; `group_id` changes with setSecurityContext."""

    uuid: str
    row_id: int
    user_id: int
    group_id: int
    sudoer_id: int | None = None
    time_to_idle: int = TIME_TO_IDLE
    time_to_live: int = TIME_TO_LIVE
    event_type: str = "User"
    agent: str = ""
    address: str = ""
    started: int = field(default_factory=now)
    last_used: float = field(default_factory=time.monotonic)
    born: float = field(default_factory=time.monotonic)
    clients: set[str] = field(default_factory=set)
    without_password: set[str] = field(default_factory=set)
    """Clients that joined by the session's key: they may not change passwords (AdminImpl: role HasPassword)."""
    detached: bool = False
    """Whether it outlives its last client, unless that client says something else."""
    endings: dict[str, bool] = field(default_factory=dict)
    """By client, whether the session is to end with it if it is the last (ServiceFactoryI.destroy)."""
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    services: dict[str, OpenService] = field(default_factory=dict)
    servants: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, service: OpenService, servant: Any) -> None:
        """Register a stateful service and the Ice servant that answers for it."""
        self.services[name] = service
        self.servants[name] = servant

    def remove(self, name: str) -> None:
        """Forget a stateful service."""
        self.servants.pop(name, None)
        self.services.pop(name, None)

    def release(self, client: str | None = None) -> None:
        """Close the services of one client, or of all."""
        for name, service in list(self.services.items()):
            if client is None or service.client == client:
                self.remove(name)
                try:
                    with service.lock:
                        service.released()
                except Exception:  # the other services and the session have to end nevertheless
                    log.exception("%s could not be closed properly", name)

    def remaining(self) -> float:
        """Return the seconds until the session times out; infinity when it never does."""
        moment = time.monotonic()
        idle = self.last_used + self.time_to_idle / 1e3 - moment if self.time_to_idle else float("inf")
        live = self.born + self.time_to_live / 1e3 - moment if self.time_to_live else float("inf")
        return min(idle, live)


class Sessions:
    """All open sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()
        with database.write() as tx:
            # The sessions of an earlier run have ended with it.
            for row in tx.find("Session", closed=None, entity_class="Session"):  # no shares
                tx.update("Session", row["id"], closed=now())

    def create(self, user_id: int, group_id: int, node_id: int, **options: Any) -> Session:
        """Open a session; `options` are further fields of Session."""
        session = Session(str(uuid.uuid4()), 0, user_id, group_id, **options)
        with self._database.write() as tx:
            session.row_id = tx.create(
                "Session",
                uuid=session.uuid,
                owner=user_id,
                sudoer=session.sudoer_id,
                node=node_id,
                timeToIdle=session.time_to_idle,
                timeToLive=session.time_to_live,
                started=session.started,
                defaultEventType=session.event_type,
                userAgent=session.agent or None,
                userIP=session.address or None,
            )
        with self._lock:
            self._open[session.uuid] = session
        return session

    def find(self, session_uuid: str) -> Session | None:
        """Return the open session with this key, or None; close one that has timed out."""
        session = self._open.get(session_uuid)
        if session is not None and session.remaining() <= 0:
            self.close(session_uuid)
            return None
        return session

    def use(self, session_uuid: str) -> Session | None:
        """Find a session as `find` does, and count it as used now."""
        session = self.find(session_uuid)
        if session is not None:
            session.last_used = time.monotonic()
        return session

    def get(self, session_uuid: str) -> Session:
        """Find a session as `find` does; raise omero.RemovedSessionException where there is none."""
        session = self.find(session_uuid)
        if session is None:
            raise errors.removed_session(f"No session with uuid: {session_uuid}")
        return session

    def all(self) -> list[Session]:
        """Return every open session."""
        with self._lock:
            return list(self._open.values())

    def of_user(self, user_id: int) -> list[Session]:
        """Return the open sessions of a user."""
        with self._lock:
            return [s for s in self._open.values() if s.user_id == user_id]

    def leave(self, session: Session, client: str) -> None:
        """Let a client leave: close its services, and the session when no client is left that wants it."""
        if client not in session.clients:  # it has left before its connection ended
            return
        session.release(client)
        session.clients.discard(client)
        session.without_password.discard(client)
        if session.endings.pop(client, not session.detached) and not session.clients:
            self.close(session.uuid)

    def close(self, session_uuid: str) -> bool:
        """End a session; return False when there was none."""
        with self._lock:
            session = self._open.pop(session_uuid, None)
        if session is None:
            return False
        session.release()
        with self._database.write() as tx:
            tx.update("Session", session.row_id, closed=now())
        return True

    def sweep(self) -> None:
        """Close the sessions that have timed out."""
        with self._lock:
            expired = [s.uuid for s in self._open.values() if s.remaining() <= 0]
        for session_uuid in expired:
            self.close(session_uuid)

    def close_all(self) -> None:
        """Close every session, at the server's end."""
        with self._lock:
            remaining = list(self._open)
        for session_uuid in remaining:
            self.close(session_uuid)
