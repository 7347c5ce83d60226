"""A server that a test may stop and start again, and what its accidents need."""

import resource
import time
from contextlib import ExitStack
from pathlib import Path

import omero

from sandbox.omero.launch import running_server
from tests.omero.tool_support import Lab, all_counts


class OwnServer:
    """A server that can be stopped and started again on the same port and data."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._running = folder, ExitStack()
        self.server = self._running.enter_context(running_server(folder))

    def restart(self) -> None:
        self.stop()
        self.server = self._running.enter_context(running_server(self._folder, port=self.server.port))

    def stop(self) -> None:
        self._running.close()

    def limit_files(self, size: int) -> None:
        """Let the server write no file beyond a size: what a full disk does to it. -1 lifts the limit."""
        resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def end_sessions(lab: Lab) -> None:
    """As if the sessions of the tools had expired."""
    for row in lab.rows("select s.uuid from Session s where s.closed is null and s.userAgent like 'bioimage%'"):
        killer = omero.client(host=lab.host, port=lab.port)
        killer.joinSession(row[0])
        killer.killSession()
        killer.closeSession()


def settle(lab: Lab) -> None:
    """The server may still be reading files of a client that has gone."""
    before = None
    while before != (before := all_counts(lab)):
        time.sleep(0.5)
