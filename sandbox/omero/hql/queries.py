"""Run HQL queries: parameters in, rows or objects out."""

from __future__ import annotations

import functools
import json
import logging
import sqlite3
import sys
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access import permissions
from sandbox.omero.access.directory import permission_text
from sandbox.omero.database.event_log import java_name
from sandbox.omero.database.transactions import QUERY_SECONDS
from sandbox.omero.hql.plan import Column, Plan, plan
from sandbox.omero.hql.strictness import require_given
from sandbox.omero.model.entities import MODEL_ENTITIES
from sandbox.omero.objects.hydrate import Fetch, Loader
from sandbox.omero.objects.rtypes import scalar_wrappers

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction

log = logging.getLogger("sandbox.omero")
NO_LIMIT = -1  # as SQLite takes it
MOST_ROWS = 2_000_000
"""More hardly fit into a message; the product of two large tables would take all memory."""


def plain_value(value: Any) -> Any:
    """Return the Python value of an rtype; of an object, its id."""
    import omero

    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, omero.model.IObject):
        if value.id is None:
            raise errors.api_usage(f"{type(value).__name__} without an id as a parameter")
        return value.id.val
    if isinstance(value, list | tuple | set):
        return [plain_value(v) for v in value]
    if hasattr(value, "val"):
        return plain_value(value.val)
    if hasattr(value, "getValue"):
        return plain_value(value.getValue())
    raise errors.query(f"a parameter cannot be a {type(value).__name__}")


def bindings(found: Plan, parameters: Any) -> dict[str, Any]:
    """Return the SQL parameters for a client's omero.sys.Parameters."""
    given = dict(parameters.map or {}) if parameters is not None else {}
    bound: dict[str, Any] = {}
    for name in found.scalars | found.lists:
        if name not in given:
            raise errors.query(f"Not all named parameters have been set: [{name}]")
        require_given(name, found.expected.get(name, ""), given[name])
        value = plain_value(given[name])
        if name in found.scalars:
            if isinstance(value, list):
                raise errors.query(f"the parameter {name} is a list; use it with in (:{name})")
            bound[f"given_{name}"] = int(value) if isinstance(value, bool) else value
        if name in found.lists:
            values = value if isinstance(value, list) else [value]
            bound[f"list_{name}"] = json.dumps([int(v) if isinstance(v, bool) else v for v in values])
    return bound


def page_of(parameters: Any) -> tuple[int, int]:
    """Return limit and offset of the parameters' filter."""
    wanted = parameters.theFilter if parameters is not None else None
    if wanted is None:
        return NO_LIMIT, 0
    limit = wanted.limit.val if wanted.limit is not None else NO_LIMIT
    offset = wanted.offset.val if wanted.offset is not None else 0
    return max(limit, NO_LIMIT), max(offset, 0)


def rows(
    tx: Transaction, context: Context, text: str, parameters: Any, objects: bool
) -> tuple[Plan, list[tuple[Any, ...]]]:
    """Run a query; return its plan and rows.

    Args:
        tx: A transaction.
        context: Who asks.
        text: HQL.
        parameters: The client's omero.sys.Parameters, or None.
        objects: Whether distinct objects are wanted (then paging counts objects), or rows as they are.
    """
    scope, scope_parameters = permissions.read_scope(context)
    log.debug("hql %s", text)
    found = plan(text, scope)
    limit, offset = page_of(parameters)
    sql, bound = found.sql, found.constants | bindings(found, parameters)
    if "scope_" in sql:
        bound |= scope_parameters
    bound |= {"page_limit": limit, "page_offset": offset}
    paged = (limit, offset) != (NO_LIMIT, 0)
    try:
        if paged and objects and found.multiplies:
            answer = _rows_of_page(tx, found, sql, bound)
        else:
            answer = tx.rows(f"{sql} LIMIT :page_limit OFFSET :page_offset" if paged else sql, bound, MOST_ROWS + 1)
    except sqlite3.OperationalError as error:
        late = "interrupted" in str(error)
        what = f"the query took longer than {QUERY_SECONDS} s" if late else str(error)
        raise errors.query(f"{what}: {text[:2000]}") from error
    except (sqlite3.Error, OverflowError, UnicodeError) as error:
        raise errors.query(f"{error}: {text[:2000]}") from error
    if len(answer) > MOST_ROWS:
        raise errors.query(f"the query has more than {MOST_ROWS} rows; ask for them page by page: {text[:2000]}")
    return found, answer


def _rows_of_page(tx: Transaction, found: Plan, sql: str, bound: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return all rows of the objects of a page, object by object.

    The rows of one object may repeat and need not be neighbours, so LIMIT cannot count objects; and the rows of all
    objects may be many more than those of the page.
    """
    limit, offset = bound["page_limit"], bound["page_offset"]
    ids = tx.first_values(sql, bound, offset + limit if limit >= 0 else sys.maxsize)[offset:] if limit else []
    if not any(step.positions for step in found.fetches):
        return [(i,) for i in ids]
    width = 1 + max(max(step.positions, default=0) for step in found.fetches)
    names = ", ".join(f"c{number}" for number in range(width))
    chosen = (
        f"WITH answer({names}) AS ({sql}) SELECT * FROM answer WHERE c0 IN (SELECT value FROM json_each(:page_ids))"
    )
    place = {row_id: number for number, row_id in enumerate(ids)}
    return sorted(tx.rows(chosen, bound | {"page_ids": json.dumps(ids)}), key=lambda row: place[row[0]])


def objects(tx: Transaction, context: Context, text: str, parameters: Any) -> list[Any]:
    """Return the objects that a query selects, each once, with what it fetches."""
    found, answer = rows(tx, context, text, parameters, objects=True)
    column = found.columns[0]
    if len(found.columns) != 1 or column.type != "object":
        raise errors.api_usage(f"the query does not select objects; use projection: {text[:2000]}")
    ids = list(dict.fromkeys(row[0] for row in answer if row[0] is not None))
    loader = Loader(tx, context)
    entity = MODEL_ENTITIES[column.entity]
    loader.load(entity, ids, _fetch(found, answer))
    loader.connect()
    return [loader.objects[entity.root, i] for i in ids if (entity.root, i) in loader.objects]


def _fetch(found: Plan, answer: list[tuple[Any, ...]]) -> Fetch:
    root = Fetch()
    for step in found.fetches:
        node = root.at(step.path)
        if step.positions:
            parent, child = step.positions
            node.pairs = {(row[parent], row[child]) for row in answer}
    return root


def projection(tx: Transaction, context: Context, text: str, parameters: Any) -> list[list[Any]]:
    """Return the rows that a query selects, as rtypes."""
    from omero.rtypes import rmap

    found, answer = rows(tx, context, text, parameters, objects=False)
    loader = Loader(tx, context)
    for column in found.columns:
        if column.type == "object":
            ids = [row[column.positions[0]] for row in answer if row[column.positions[0]] is not None]
            loader.load(MODEL_ENTITIES[column.entity], ids, Fetch())
    loader.connect()
    converters = [_converter(column, loader) for column in found.columns]
    table = [[convert(row) for convert in converters] for row in answer]
    if not found.is_map:
        return table
    names = [column.name for column in found.columns]
    return [[rmap(dict(zip(names, row, strict=True)))] for row in table]


@functools.cache
def _wrappers() -> dict[str, Callable[[Any], Any]]:
    """Return the functions that make an rtype of a selected value, by the column's type (`hql.values.Value`)."""
    from omero import rtypes

    return scalar_wrappers() | {
        # OMERO answers with the name of the Java class; BlitzGateway.countAnnotations compares it.
        "class": lambda name: rtypes.rstring(java_name(name)),
        "strings": lambda text: rtypes.rlist([rtypes.rstring(t) for t in json.loads(text)]),
        "parameter": rtypes.wrap,
    }


def _converter(column: Column, loader: Loader) -> Callable[[tuple[Any, ...]], Any]:
    """Return the function that makes the rtype of one selected value from a row."""
    first = column.positions[0]
    if column.type == "object":
        root = MODEL_ENTITIES[column.entity].root
        return lambda row: _object(loader, root, row[first])
    if column.type == "unit":
        return lambda row: _unit(row[first], row[column.positions[1]], row[column.positions[2]])
    if column.type == "permissions":
        return lambda row: _permissions(loader, row[first], row[column.positions[1]])
    if column.type == "group_permissions":
        return lambda row: _group_permissions(row[first])
    wrap = _wrappers().get(column.type)
    if wrap is None:
        raise errors.query(f"{column.name}: a value of the kind {column.type} cannot be selected")
    return lambda row: None if row[first] is None else wrap(row[first])


def _object(loader: Loader, root: str, row_id: int | None) -> Any:
    from omero.rtypes import robject

    found = loader.objects.get((root, row_id)) if row_id is not None else None
    if found is None and row_id is not None and MODEL_ENTITIES[root].is_enumeration:
        return robject(loader.object_or_proxy(MODEL_ENTITIES[root], row_id))
    return robject(found) if found is not None else None


def _unit(value: float | None, unit: str | None, kind: str) -> Any:
    import omero.model
    from omero.rtypes import rdouble, rmap, rstring

    if value is None or unit is None:
        return None
    symbols = getattr(omero.model, kind + "I").SYMBOLS
    return rmap({"value": rdouble(value), "unit": rstring(unit), "symbol": rstring(symbols.get(unit, unit))})


def _group_permissions(bits: int | None) -> Any:
    from omero.rtypes import rmap, rstring

    return None if bits is None else rmap({"perm": rstring(permission_text(bits))})


def _permissions(loader: Loader, owner: int | None, group: int | None) -> Any:
    from omero.rtypes import rbool, rmap, rstring

    if owner is None or group is None:
        return None
    found = loader.permissions_of(owner, group)
    return rmap(
        {
            "perm": rstring(str(found)),
            "canAnnotate": rbool(found.canAnnotate()),
            "canDelete": rbool(found.canDelete()),
            "canEdit": rbool(found.canEdit()),
            "canLink": rbool(found.canLink()),
            "canChgrp": rbool(found.canChgrp()),
            "canChown": rbool(found.canChown()),
        }
    )
