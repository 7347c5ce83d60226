"""Galaxy's SQLite database as several threads and processes use it at once: imported before Galaxy opens it.

Runs in Galaxy's own environment. A Galaxy in production uses PostgreSQL, which has and does all of this.

- Readers do not wait for a writer (write-ahead log), and a commit does not wait for the disk: after a crash of the
  machine the last jobs are gone, and the database is sound (sqlite.org/wal.html).
- Connections are kept. Galaxy 26.1 opens a file database anew for each transaction (`NullPool` in
  galaxy.model.orm.engine_factory), and SQLite then reads the definitions of 300 tables before the first statement.
- `concat_ws`, which its job cache needs: a run that may take results of equal earlier jobs ends as failed ("no such
  function: concat_ws") where a step takes a list (galaxy.managers.jobs). SQLite has it from 3.44 on; Debian 12 has
  3.40.
"""

import logging
import sqlite3
from typing import Any

from galaxy.model.orm import engine_factory
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

KEPT = 5
# SQLAlchemy logs each use of a connection under the name of this module: 55 lines a second, as Galaxy logs everything.
logging.getLogger(__name__).setLevel(logging.WARNING)


class KeptConnections(QueuePool):  # type: ignore[misc,unused-ignore]
    """Connections that are kept open; never too few, as Galaxy's threads expect it of SQLite."""

    def __init__(self, creator: Any, **settings: Any) -> None:
        """Keep KEPT of as many connections as are asked for at once."""
        super().__init__(creator, pool_size=KEPT, max_overflow=-1, **settings)


def concat_ws(separator: str | None, *values: Any) -> str | None:
    """Join the values that are not NULL, as SQLite 3.44 and PostgreSQL do."""
    return None if separator is None else separator.join(str(value) for value in values if value is not None)


@event.listens_for(Engine, "connect")
def _prepare(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.create_function("concat_ws", -1, concat_ws, deterministic=True)


engine_factory.NullPool = KeptConnections
