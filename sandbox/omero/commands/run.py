"""A command on its way: what its steps have to know and to tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.omero.access.context import Context
    from sandbox.omero.server.state import Server


class Cancelled(Exception):  # noqa: N818 (not an error: the client asked for it)
    """Ends a request that shall not go on; nothing of it has happened."""


@dataclass
class Run:
    """One command on its way.

    Attributes:
        server: The server.
        context: Who asked.
        after: What to do once the transaction is committed: files cannot be rolled back.
        advance: Says that one of the request's steps (`steps_of`) is done. Raises Cancelled when it shall end here.
    """

    server: Server
    context: Context
    after: list[Callable[[], None]] = field(default_factory=list)
    advance: Callable[[], None] = lambda: None

    def finish(self) -> None:
        """Do what waited for the commit."""
        for action in self.after:
            action()
