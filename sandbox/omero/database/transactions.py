"""The database file: one writer at a time, readers beside it, transactions that happen whole or not at all.

SQLite runs in WAL mode, with `synchronous=FULL` because a confirmed write must survive kill -9 and power loss; that
costs one fsync a transaction (a few ms). Writers queue on a lock here, not on SQLite's busy timeout.

Services use it like this::

    with server.database.write(context) as tx:
        file_id = tx.create("OriginalFile", name="a.csv", path="/", mimetype="text/csv")
        tx.update("OriginalFile", file_id, size=12)
    with server.database.read() as tx:
        row = tx.get("OriginalFile", file_id)     # mapping of columns, or None
        rows = tx.find("Channel", pixels=7)       # list of such mappings, in order

A row has `id`, `entity_class`, the details (`owner_id`, `group_id`, `creation_id`, `update_id`) and one key a property.
A reference holds an id; a quantity has two keys (`physicalSizeX=0.1, physicalSizeX_unit="MICROMETER"`); a list of named
values is given to create and update as `mapValue=[("name", "value"), ...]` and read with `tx.named_values`.
"""

from __future__ import annotations

import contextlib
import functools
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event

from sandbox.omero.database import event_log, full_text_tables
from sandbox.omero.model.entities import MODEL_ENTITIES, ORDERED
from sandbox.omero.model.schema import METADATA, column_name, table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sandbox.omero.access.context import Context

QUERY_SECONDS = 60
"""A statement that runs longer than this is interrupted: a nonsensical query must not keep a thread busy for good."""


class Transaction:
    """One read or write transaction. Made by Database; see the module's docstring."""

    def __init__(self, database: Database, connection: sa.Connection, context: Context | None = None) -> None:
        self.database = database
        self.connection = connection
        self.context = context
        self._event_id: int | None = None
        self._log: list[event_log.Entry] = []

    def execute(self, statement: Any, parameters: Any = None) -> sa.CursorResult[Any]:
        """Run a SQLAlchemy statement."""
        return self.connection.execute(statement, parameters)

    def rows(self, sql: str, parameters: Mapping[str, Any], most: int | None = None) -> list[tuple[Any, ...]]:
        """Run SQL with :named parameters; return all rows, or the first `most`. The short way, for the hot paths."""
        with self._cursor() as cursor:
            cursor.execute(sql, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall() if most is None else cursor.fetchmany(most)
            return found

    def first_values(self, sql: str, parameters: Mapping[str, Any], most: int) -> list[Any]:
        """Return the first `most` different values of the first column, without NULL; read no more rows than needed."""
        found: dict[Any, None] = {}
        with self._cursor() as cursor:
            for row in cursor.execute(sql, parameters):
                if row[0] is not None:
                    found[row[0]] = None
                if len(found) >= most:
                    break
        return list(found)

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[Any]:
        """Yield a cursor whose statements are interrupted when they run for too long."""
        cursor = self.connection.connection.cursor()
        deadline = time.monotonic() + QUERY_SECONDS
        driver = self.connection.connection.driver_connection
        driver.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)  # type: ignore[union-attr]
        try:
            yield cursor
        finally:
            cursor.close()
            driver.set_progress_handler(None, 0)  # type: ignore[union-attr]

    @property
    def event(self) -> int:
        """Return the id of this transaction's Event, which is made when it is first needed."""
        if self._event_id is None:
            assert self.context is not None, "a transaction that writes objects needs a context"
            self._event_id = self._insert(
                "Event",
                {
                    "time": now(),
                    "experimenter": self.context.user_id,
                    "experimenterGroup": self.context.group_id,
                    "session": self.context.session_row_id,
                    "type": self.enum("EventType", self.context.event_type),
                    "status": "",
                },
            )
        return self._event_id

    def event_at(self, time: int) -> int:
        """Make another Event, with its own time; return its id."""
        row = self.get("Event", self.event)
        assert row is not None
        return self._insert("Event", {**row, "id": None, "time": time})

    def log(self, action: str, entity: str, ids: Iterable[int], event: int | None = None) -> None:
        """Note an action on objects of a class, for the EventLog; see event_log."""
        self._log += event_log.entries(action, entity, ids, event)

    def write_log(self) -> None:
        """Write the noted actions; the last thing that a transaction does."""
        if self._log and self.context is not None:
            rows = [(e.row_id, event_log.java_name(e.entity), e.action, e.event or self.event) for e in self._log]
            with contextlib.closing(self.connection.connection.cursor()) as cursor:
                cursor.executemany(event_log.INSERT, rows)

    def create(self, entity: str, **values: Any) -> int:
        """Insert an object owned by the context's user and group; return its id."""
        return self._insert(entity, values)

    def _insert(self, entity: str, values: Mapping[str, Any]) -> int:
        found = MODEL_ENTITIES[entity]
        row, lists = self._split(entity, values)
        row.setdefault("entity_class", entity)
        if "version" in found.properties:
            row.setdefault("version", 0)
        if not found.is_global:
            assert self.context is not None, f"{entity} needs an owner"
            row.setdefault("owner_id", self.context.user_id)
            row.setdefault("group_id", self.context.group_id)
            row.setdefault("creation_id", self.event)
            row.setdefault("update_id", row["creation_id"])
        for (root, reference), _ in ORDERED.items():
            if root == found.root and row.get(reference) is not None and f"{reference}_index" not in row:
                row[f"{reference}_index"] = self._next_index(found.root, reference, row[reference])
        made = self.execute(table_of(found).insert().values(row)).inserted_primary_key
        assert made is not None
        row_id: int = made[0]
        for name, pairs in lists.items():
            self._write_named_values(entity, row_id, name, pairs)
        self.log("INSERT", entity, made)
        return row_id

    def insert_rows(self, root: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows of one table, values by column, without SQLAlchemy: for many rows it takes longer than SQLite.

        A column that no row fills is left out: a shape has a dozen of its table's forty, and each value takes time.
        """
        filled, values = [], []
        for column in METADATA.tables[root].columns:
            name = column.name
            found = [row.get(name) for row in rows]
            if found.count(None) < len(found):
                is_json = isinstance(column.type, sa.JSON)
                filled.append(f'"{name}"')
                values.append([None if value is None else json.dumps(value) for value in found] if is_json else found)
        places = ", ".join("?" * len(filled))
        with contextlib.closing(self.connection.connection.cursor()) as cursor:
            cursor.executemany(
                f'INSERT INTO "{root}" ({", ".join(filled)}) VALUES ({places})', list(zip(*values, strict=True))
            )

    def _next_index(self, root: str, reference: str, parent: int) -> int:
        table = METADATA.tables[root]
        last = sa.select(sa.func.max(table.c[f"{reference}_index"])).where(table.c[reference] == parent)
        highest = self.execute(last).scalar()
        return 0 if highest is None else highest + 1

    def _split(self, entity: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Sequence[Any]]]:
        """Return the values of the entity's own table by column, and lists of named values by property."""
        found = MODEL_ENTITIES[entity]
        row: dict[str, Any] = {}
        lists: dict[str, Sequence[Any]] = {}
        for key, value in values.items():
            prop = found.properties.get(key)
            if prop is not None and prop.kind == "named_values":
                lists[key] = value
            else:
                row[column_name(found, prop) if prop is not None else key] = value
        return row, lists

    def _write_named_values(self, entity: str, row_id: int, name: str, pairs: Iterable[Any] | None) -> None:
        table = METADATA.tables[f"{MODEL_ENTITIES[entity].root}_{name}"]
        self.execute(table.delete().where(table.c.id == row_id))
        rows = [
            {"id": row_id, "position": position, "name": pair[0], "value": pair[1]}
            for position, pair in enumerate(pairs or ())
            if pair is not None
        ]
        if rows:
            self.execute(table.insert(), rows)

    def named_values(self, entity: str, row_id: int, name: str) -> list[tuple[str, str]]:
        """Return a list of named values, in order."""
        table = METADATA.tables[f"{MODEL_ENTITIES[entity].root}_{name}"]
        found = sa.select(table.c.name, table.c.value).where(table.c.id == row_id).order_by(table.c.position)
        return [(row.name, row.value) for row in self.execute(found)]

    def get(self, entity: str, row_id: int) -> dict[str, Any] | None:
        """Return the row of an object, or None when there is none of that class."""
        found = self.find(entity, id=row_id)
        return found[0] if found else None

    def find(self, entity: str, **equal: Any) -> list[dict[str, Any]]:
        """Return the rows whose columns have these values, in the order of their ids or of the list that they are in.

        A list or tuple stands for any of its members.
        """
        found = MODEL_ENTITIES[entity]
        table = table_of(found)
        row, _ = self._split(entity, equal)
        statement = table.select()
        if found.base:
            statement = statement.where(table.c.entity_class.in_(found.subclasses))
        for name, value in row.items():
            if isinstance(value, list | tuple | set | frozenset):
                statement = statement.where(table.c[name].in_(id_list(value)))
            else:
                statement = statement.where(table.c[name] == value)
        order = [table.c[f"{name}_index"] for name in row if f"{name}_index" in table.c]
        return [dict(r._mapping) for r in self.execute(statement.order_by(*order, table.c.id))]

    def update(self, entity: str, row_id: int, **values: Any) -> None:
        """Change columns of one object; its version and update event change with it."""
        found = MODEL_ENTITIES[entity]
        table = table_of(found)
        row, lists = self._split(entity, values)
        if not found.is_global and self.context is not None:
            row.setdefault("update_id", self.event)
        if "version" in table.c and "version" not in row:
            row["version"] = sa.func.coalesce(table.c.version, 0) + 1
        self.execute(table.update().where(table.c.id == row_id).values(row))
        for name, pairs in lists.items():
            self._write_named_values(entity, row_id, name, pairs)
        self.log("UPDATE", entity, [row_id])

    def delete(self, entity: str, ids: Iterable[int]) -> None:
        """Delete rows; the transaction fails at its end if something still refers to them."""
        table, ids = table_of(entity), list(ids)
        self.execute(table.delete().where(table.c.id.in_(id_list(ids))))
        self.log("DELETE", entity, ids)

    def enum(self, entity: str, value: str) -> int | None:
        """Return the id of an enumeration's value, or None."""
        table = table_of(entity)
        return self.execute(sa.select(table.c.id).where(table.c.value == value)).scalar()

    def ensure_enum(self, entity: str, value: str) -> int:
        """Return the id of an enumeration's value; add the value where it is missing, as OMERO does at an import."""
        found = self.enum(entity, value)
        return found if found is not None else self.create(entity, value=value)


def id_list(values: Iterable[Any]) -> sa.Select[Any]:
    """Return a subselect over any number of values: SQLite limits a statement's variables, not a variable's length."""
    return sa.select(sa.text("value")).select_from(sa.func.json_each(json.dumps(list(values))))


def now() -> int:
    """Return the time in milliseconds since 1970, as OMERO's RTime counts it."""
    return int(time.time() * 1000)


class Database:
    """The SQLite file and its connections."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.caches: dict[Any, Any] = {}  # what is read often and seldom changes; see Server.forget_caches
        self._writing = threading.RLock()
        self._readers = _engine(path, pool_size=16, max_overflow=64)
        self._writer = _engine(path, pool_size=1, max_overflow=0)

    def create_tables(self) -> None:
        """Create the tables that are missing."""
        with self._writing, self._writer.begin() as connection:
            METADATA.create_all(connection)
            full_text_tables.create(connection)

    @contextlib.contextmanager
    def read(self, context: Context | None = None) -> Iterator[Transaction]:
        """Yield a transaction that sees one state of the database throughout."""
        with self._readers.connect() as connection, connection.begin():
            yield Transaction(self, connection, context)

    @contextlib.contextmanager
    def write(self, context: Context | None = None) -> Iterator[Transaction]:
        """Yield a transaction that is committed when the block ends, or undone when it raises."""
        with self._writing, self._writer.connect() as connection:
            connection.info["immediate"] = True
            with connection.begin():
                transaction = Transaction(self, connection, context)
                yield transaction
                transaction.write_log()

    def close(self) -> None:
        """Close all connections; the last one folds the write-ahead log into the file."""
        self._readers.dispose()
        self._writer.dispose()


def _engine(path: Path, pool_size: int, max_overflow: int) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}", pool_size=pool_size, max_overflow=max_overflow, connect_args={"timeout": 30}
    )

    @sa_event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is sent below: the driver's own comes too late for a snapshot
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "case_sensitive_like=ON",  # as in PostgreSQL
            "cache_size=-8000",  # KiB for each connection; the system's own cache holds the rest
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
        # SQLite's own lower() and upper() know ASCII only.
        for name, function in (("lower", str.lower), ("upper", str.upper)):
            connection.create_function(name, 1, functools.partial(_text, function), deterministic=True)

    @sa_event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info.get("immediate") else "BEGIN")

    return engine


def _text(function: Any, value: Any) -> Any:
    return None if value is None else function(str(value))
