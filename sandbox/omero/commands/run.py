"""A running command: what its steps have to know and to report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.omero.access.context import Context
    from sandbox.omero.server.state import Server


class Cancelled(Exception):  # noqa: N818 (not an error: the client asked for it)
    """Ends a request that was cancelled; nothing of it has happened."""


@dataclass
class Run:
    """One running command.

    Attributes:
        server: The server.
        context: Who asked.
        after: What to do once the transaction is committed: files cannot be rolled back.
        advance: Call it after each of the request's steps (`steps_of`). Raises Cancelled if the request is cancelled.
    """

    server: Server
    context: Context
    after: list[Callable[[], None]] = field(default_factory=list)
    advance: Callable[[], None] = lambda: None

    def finish(self) -> None:
        """Do what has waited for the commit."""
        for action in self.after:
            action()
