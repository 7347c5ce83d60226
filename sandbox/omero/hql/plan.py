"""The plan of a query: SQL with :named parameters, the meaning of each column, and what to fetch with the objects.

Plans are kept, as they depend only on the query's text and on the kind of read permission.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import sqlite

from sandbox.omero import errors
from sandbox.omero.hql import tree as h
from sandbox.omero.hql.parse import parse
from sandbox.omero.hql.select import Select, Translation

if TYPE_CHECKING:
    from sandbox.omero.hql.values import Value


@dataclass(frozen=True)
class Column:
    """One selected value: its type as in Value, and the positions of its columns in a row."""

    name: str
    type: str
    entity: str
    positions: tuple[int, ...]


@dataclass(frozen=True)
class FetchStep:
    """A fetched path from the selected object.

    `positions` has the columns of (parent id, element id) if the query limits a fetched collection, else it is empty.
    """

    path: tuple[str, ...]
    positions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A query that is ready to run."""

    sql: str
    constants: dict[str, Any]
    scalars: frozenset[str]
    lists: frozenset[str]
    expected: dict[str, str]
    """The rtype of what a parameter is compared with, by its name."""
    columns: tuple[Column, ...]
    is_map: bool
    fetches: tuple[FetchStep, ...]
    multiplies: bool
    """Whether rows of one object may repeat, so that a page can be cut only after repeated rows are removed."""


@functools.lru_cache(maxsize=2000)
def plan(text: str, scope: str) -> Plan:
    """Return the plan of a query.

    Args:
        text: The HQL.
        scope: The condition from permissions.read_scope: SQL with `{alias}`.

    Raises:
        omero.QueryException: Something in the query is not understood; the message names it.
    """
    try:
        return _plan(parse(text), scope)
    except RecursionError:
        raise errors.query(f"the query is nested too deeply: {text[:200]}") from None


def _plan(query: h.Query, scope: str) -> Plan:
    translation = Translation(scope)
    select = Select(translation, *_without_idle_fetches(query))
    columns: list[Any] = []
    described = [_column(value, name, columns) for value, name in select.selected()]
    fetches = _fetches(select, columns) if len(described) == 1 else ()
    statement = select.statement(columns)
    compiled = statement.compile(
        dialect=sqlite.dialect(paramstyle="named"), compile_kwargs={"render_postcompile": True}
    )
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Plan(
        str(compiled),
        constants,
        frozenset(translation.scalars),
        frozenset(translation.lists),
        translation.expected,
        tuple(described),
        query.new == "map",
        fetches,
        any(o.collection or o.tree for o in select.origins.values()),
    )


def _column(value: Value, name: str, columns: list[Any]) -> Column:
    start = len(columns)
    columns.extend([value.sql, *value.more])
    entity = value.entity.name if value.entity is not None else ""
    return Column(name, value.type, entity, tuple(range(start, len(columns))))


def _fetches(select: Select, columns: list[Any]) -> tuple[FetchStep, ...]:
    """Return the fetched paths below the selected alias, as far as the query fetches from it without a gap."""
    root = select.selected_origin()
    if root is None:
        return ()
    steps = [FetchStep(path) for path in select.idle_fetches(root)]
    for origin in select.origins.values():
        path = origin.path
        above = origin.parent
        while above is not None and above is not root:
            path = above.path + path
            above = above.parent
        if not origin.fetched or above is None:
            continue
        positions: tuple[int, ...] = ()
        if origin.collection and origin.parent is not None and len(origin.path) == 1:
            positions = (len(columns), len(columns) + 1)
            columns.extend([origin.parent.table.c.id, origin.table.c.id])
        steps.append(FetchStep(path, positions))
    return tuple(steps)


def _walk(node: Any) -> Any:
    """Yield every path in a syntax tree."""
    if isinstance(node, h.Path):
        yield node
    elif dataclasses.is_dataclass(node):
        for item in dataclasses.fields(node):
            yield from _walk(getattr(node, item.name))
    elif isinstance(node, tuple):
        for item in node:
            yield from _walk(item)


def _without_idle_fetches(query: h.Query) -> tuple[h.Query, tuple[h.Join, ...]]:
    """Split off the fetch joins that nothing else in the query needs: they are loaded afterwards, not joined."""
    used = {
        p.parts[0]
        for part in (query.items, query.where, query.group_by, query.having, query.order_by)
        for p in _walk(part)
    }
    joins = [s for s in query.sources if isinstance(s, h.Join)]
    idle: list[h.Join] = []
    for join in reversed(joins):
        if join.fetch and join.kind == "left" and join.condition is None and join.alias not in used:
            idle.append(join)
        else:
            used |= {join.path.parts[0]} | {p.parts[0] for p in _walk(join.condition)}
    kept = tuple(s for s in query.sources if s not in idle)
    return dataclasses.replace(query, sources=kept), tuple(reversed(idle))
