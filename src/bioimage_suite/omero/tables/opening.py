"""Opening of OMERO.tables, whose calls end at some time: the tables service may be stuck while its server lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bioimage_suite.omero.session import Session

CALL_SECONDS = 600.0
"""Longest call of a table. Each reads or writes some thousand rows, which takes seconds; no answer is a fault. The
tables service is a process of its own, so that the watchdog, which asks the server, does not notice it."""


def table_resources(session: Session) -> Any:
    """Return the service that makes and opens tables."""
    return limited(session.client.getSession().sharedResources())


def open_table(session: Session, file_id: int) -> Any:
    """Open the table in a file; None where the server cannot."""
    from omero.model import OriginalFileI

    table = table_resources(session).openTable(OriginalFileI(file_id, False))
    return None if table is None else limited(table)


def limited(proxy: Any) -> Any:
    """Return a proxy whose calls raise `Ice.InvocationTimeoutException` after CALL_SECONDS."""
    return proxy.ice_invocationTimeout(int(CALL_SECONDS * 1000))
