"""A watchdog over the connection to OMERO: a server that answers nothing ends in an error, not in a wait for ever.

A thread asks the server over the tool's own connection whether it is there (`ServiceFactory.keepAlive`, which also
keeps the session). A server at work answers that at once, however long a delete or an import takes: only silence
counts. When the answer is late, a second connection, opened by the watchdog for itself, tells a server that is gone
from one that is silent and from a line that is stuck.

Ice's calls cannot be interrupted by a signal, so a silent server also keeps SIGTERM away. What ends every call at
once is the forced close of the connection: the call fails, and the signal's handler runs.
"""

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bioimage_suite.core import stopping

SILENT_SECONDS = 120
"""Seconds without an answer after which a tool gives up, unless its user says otherwise."""
DEAD_SECONDS = 10.0
"""Seconds without an answer after which a server that takes no connection either counts as dead."""
STOP_SECONDS = 4.0
"""Seconds that a call may go on after SIGTERM if the server is silent, or if the call only reads."""
ASK_SECONDS = 5.0  # Between two questions while all is well.
DOUBT_SECONDS = 2.0  # After so long without an answer the second connection is tried.
PING_MS = 3000  # That the second connection waits for an answer.
STEP = 0.25
END_SECONDS = 5.0  # That the end of the watch may take.
ASLEEP_SECONDS = 10.0  # A step that took longer: this process was stopped, or the machine slept.


@dataclass(frozen=True)
class Reach:
    """How a watchdog reaches a server: host and port, and the proxy of its router."""

    host: str
    port: int
    router: str


class Watchdog:
    """Watches over one client from its login to its end.

    Attributes:
        limit: Seconds without an answer after which the connection is ended.
        is_cut: Whether the watchdog ended the connection.
    """

    def __init__(self, client: Any, reach: Reach, limit: float) -> None:
        """Start the watch; the login that follows counts as a question to the server.

        Args:
            client: An `omero.client` that has not logged in yet.
            reach: Its server.
            limit: Seconds without an answer after which the connection is ended.
        """
        self.limit = limit
        self.is_cut = False
        self._reason = ""
        self._next: Watchdog | None = None
        self._client, self._reach = client, reach
        self._communicator = client.ic
        self._factory: Any = None
        self._asked: float | None = time.monotonic()
        self._heard = time.monotonic()
        self._second = _SecondConnection(client, reach)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="watchdog")
        self._thread.start()

    def logged_in(self) -> None:
        """Learn that the client has a session now: from here on the watchdog asks by itself."""
        self.heard()
        self._factory = self._client.getSession()

    def heard(self) -> None:
        """Learn that an answer has come, so that the server is there: large answers keep small ones waiting."""
        self._asked, self._heard = None, time.monotonic()

    def follow(self, other: "Watchdog") -> None:
        """Learn of the watchdog of the connection that takes the place of this one."""
        self._next = other

    @property
    def reason(self) -> str:
        """Return why this connection, or one that took its place, was ended, for the user; "" if none was."""
        return self._reason or (self._next.reason if self._next else "")

    def end(self) -> None:
        """End the watch: a process that ends while a thread is within Ice would be aborted."""
        self._ended.set()
        self._thread.join(END_SECONDS)

    def _watch(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(STEP):
            now = time.monotonic()
            if now - last > ASLEEP_SECONDS and self._asked is not None:
                self._asked = now
            last = now
            with suppress(Exception):  # The client may be closed at any moment.
                self._ask(now)
            if reason := self._judge(now):
                self._cut(reason)
                break
        self._second.close()

    def _ask(self, now: float) -> None:
        pause = STEP if stopping.signalled() is not None else ASK_SECONDS
        if self._factory is None or self._asked is not None or now - self._heard < pause:
            return
        self._asked = now
        self._factory.begin_keepAlive(None, _response=lambda _: self.heard(), _ex=self._failed)

    def _failed(self, error: BaseException) -> None:
        import Ice

        # An error that the server sends is an answer too.
        if not isinstance(error, Ice.LocalException) or isinstance(error, Ice.RequestFailedException):
            self.heard()

    def _judge(self, now: float) -> str:
        """Return why the connection has to end, or ""."""
        silent = 0.0 if self._asked is None else now - self._asked
        signal = stopping.signalled()
        if signal is not None and now - signal > STOP_SECONDS and (silent > STOP_SECONDS or stopping.is_kept_away()):
            return "no answer when the job was cancelled"
        if silent > DOUBT_SECONDS:
            with suppress(Exception):  # A server that is gone.
                self._second.ask()
        if silent > self.limit:
            return f"no answer for {self.limit:.0f} s{', though it answers others' if self._second.answers else ''}"
        if silent > DEAD_SECONDS and self._second.is_refused:
            return f"it is gone: no answer for {silent:.0f} s, and it takes no connection"
        return ""

    def _cut(self, reason: str) -> None:
        self._reason, self.is_cut = reason, True
        with suppress(Exception):
            factory = self._factory or self._communicator.getDefaultRouter()
            connection = factory.ice_getCachedConnection()
            if connection is not None:
                connection.close(True)
        with suppress(Exception):  # Otherwise the next call would make a new connection, and wait for it.
            self._communicator.destroy()


class _SecondConnection:
    """The watchdog's own connection to a server: whether the server takes connections and answers there."""

    def __init__(self, client: Any, reach: Reach) -> None:
        self.answers = self.is_refused = False
        self._properties = client.ic.getProperties().clone()
        self._reach = reach
        self._communicator: Any = None
        self._busy = self._knocked = False

    def ask(self) -> None:
        """Try the server, unless a try is under way; what comes of it is in `answers` and `is_refused`."""
        if not self._busy:
            self._busy = True
            threading.Thread(target=self._knock, daemon=True, name="watchdog").start()
        if self._knocked and not self.is_refused:
            self._knocked = False
            self._ping()

    def _knock(self) -> None:
        try:
            with socket.create_connection((self._reach.host, self._reach.port), timeout=DEAD_SECONDS / 3):
                self.is_refused = False
        except OSError:
            self.is_refused, self.answers = True, False
        self._knocked = True
        time.sleep(1)
        self._busy = False

    def _ping(self) -> None:
        """Ask the router whether it is there, without waiting for the answer."""
        import Ice

        if self._communicator is None:
            setup = Ice.InitializationData()
            setup.properties = self._properties
            setup.properties.setProperty("Ice.Default.Router", "")
            self._communicator = Ice.initialize(setup)
        router = self._communicator.stringToProxy(self._reach.router).ice_invocationTimeout(PING_MS)
        router.begin_ice_ping(_response=lambda: self._answered(True), _ex=lambda _: self._answered(False))

    def _answered(self, answers: bool) -> None:
        self.answers = answers

    def close(self) -> None:
        """Close the connection."""
        if self._communicator is not None:
            with suppress(Exception):
                self._communicator.destroy()
