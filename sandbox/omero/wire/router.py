"""The Glacier2 router through which clients log in.

Here router, session and services are one process and one object adapter, so the router only opens sessions; clients
reach everything else through the same endpoints.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import Glacier2
import Ice

from sandbox.omero.server.login import log_in

if TYPE_CHECKING:
    from sandbox.omero.server.sessions import Session
    from sandbox.omero.server.state import Server

log = logging.getLogger("sandbox.omero")
IDLE_SECONDS = 600


class Departure(Ice.ConnectionCallback):  # type: ignore[misc,unused-ignore]
    """Callback that lets a client leave its session when its connection ends without notice."""

    def __init__(self, server: Server, session: Session, client: str, clients: set[str]) -> None:
        self._leave = lambda: server.sessions.leave(session, client)
        self._clients, self._client = clients, client
        self._server = server

    def heartbeat(self, connection: Any) -> None:
        """Do nothing at a sign of life: Ice itself keeps the connection."""

    def closed(self, _connection: Any) -> None:
        """Let the client leave, on a worker: that may wait for the database, which an Ice thread must not."""
        self._clients.discard(self._client)
        self._server.workers.submit(self._leave)


class Router(Glacier2.Router):  # type: ignore[misc,unused-ignore]
    """The router servant."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._clients: set[str] = set()  # those that have logged in and not left

    def getClientProxy(self, current: Any = None) -> None:
        """Return nothing: clients use the router's own endpoints."""

    def getServerProxy(self, current: Any = None) -> Any:
        """Return the proxy through which callbacks of the server come."""
        return current.adapter.createProxy(current.id)

    def addProxies(self, _proxies: Any, _current: Any = None) -> list[Any]:
        """Return no proxy: nothing is routed, nothing evicted."""
        return []

    def getCategoryForClient(self, current: Any = None) -> str:
        """Return the category of the client's callback objects."""
        return f"client-{current.ctx.get('omero.client.uuid', '')}"

    def createSession_async(self, callback: Any, user: str, password: str, current: Any = None) -> None:
        """Log in with a name and password, or join a session by its key as both."""
        try:
            callback.ice_response(self._create_session(user, password, current))
        except Glacier2.PermissionDeniedException as error:
            self._refuse(callback, error, self._server.failed_logins.delay(user))
        except Ice.Exception as error:
            callback.ice_exception(error)
        except Exception as error:
            log.exception("createSession failed")
            callback.ice_exception(Glacier2.CannotCreateSessionException(str(error)))

    def _refuse(self, callback: Any, error: Ice.Exception, seconds: float) -> None:
        """Say no, later to who tries again and again. Meanwhile no thread of the server waits."""
        if not seconds:
            callback.ice_exception(error)
            return

        def answer() -> None:
            with suppress(Exception):  # the client may be gone
                callback.ice_exception(error)

        timer = threading.Timer(seconds, answer)
        timer.daemon = True
        timer.start()

    def _create_session(self, user: str, password: str, current: Any) -> Any:
        client = current.ctx.get("omero.client.uuid", "")
        session = self._server.sessions.use(user)
        if session is None:
            session = log_in(self._server, user, password, current.ctx)
        elif client not in session.clients:
            session.without_password.add(client)
        session.clients.add(client)
        self._clients.add(client)
        current.con.setCallback(Departure(self._server, session, client, self._clients))
        identity = Ice.Identity(name=session.uuid, category=f"session-{client}")
        return Glacier2.SessionPrx.uncheckedCast(current.adapter.createProxy(identity))

    def createSessionFromSecureConnection_async(self, callback: Any, _current: Any = None) -> None:
        """Refuse: certificates do not log anybody in."""
        callback.ice_exception(Glacier2.PermissionDeniedException("not supported by the sandbox"))

    def refreshSession_async(self, callback: Any, current: Any = None) -> None:
        """Count the client's session as used."""
        self._server.sessions.use(current.ctx.get("omero.session.uuid", ""))
        callback.ice_response()

    def destroySession(self, current: Any = None) -> None:
        """Let the client leave its session, which ISession.closeSession may have ended before.

        Raises:
            Glacier2.SessionNotExistException: The client has not logged in, or has left.
        """
        client = current.ctx.get("omero.client.uuid", "")
        session = self._server.sessions.find(current.ctx.get("omero.session.uuid", ""))
        if session is None and client not in self._clients:
            raise Glacier2.SessionNotExistException()
        self._clients.discard(client)
        if session is not None:
            self._server.sessions.leave(session, client)

    def getSessionTimeout(self, _current: Any = None) -> int:
        """Return the seconds after which an idle client is dropped."""
        return IDLE_SECONDS

    def getACMTimeout(self, _current: Any = None) -> int:
        """Return the seconds between the heartbeats that the client should send."""
        return 60
