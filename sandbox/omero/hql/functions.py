"""The functions of HQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sandbox.omero.hql import tree as h
from sandbox.omero.hql.strictness import require_numbers
from sandbox.omero.hql.values import Translator, Value, unknown
from sandbox.omero.model.entities import subclass_property

TEXT = {"lower": sa.func.lower, "upper": sa.func.upper, "trim": sa.func.trim}
NUMBERS = {"abs": sa.func.abs, "round": sa.func.round}
DATES = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S"}


def call(select: Translator, node: h.Call) -> Value:
    """Return the value of a function call."""
    if node.name in ("count", "sum", "min", "max", "avg"):
        return _aggregate(select, node)
    if node.name in ("size", "elements"):
        return _collection(select, node)
    if node.name in ("index", "minindex", "maxindex"):
        return _index(select, node)
    if node.name == "type" and len(node.arguments) == 1 and isinstance(node.arguments[0], h.Path):
        path = node.arguments[0]
        return select.path(path if path.parts[-1] == "class" else h.Path((*path.parts, "class")))
    arguments = [select.value(a) for a in node.arguments]
    if not arguments:
        if node.name in ("current_timestamp", "now", "current_date"):
            return Value(sa.func.unixepoch("now") * 1000, "RTime")
        raise unknown(f"{node.name}() is not supported by the sandbox")
    first, *rest = arguments
    if node.name in TEXT and not rest:
        return Value(TEXT[node.name](first.sql), "RString")
    if node.name in NUMBERS:
        return Value(NUMBERS[node.name](*[a.sql for a in arguments]), first.type)
    if node.name in DATES and not rest:
        text = sa.func.strftime(DATES[node.name], first.sql.op("/")(1000), "unixepoch")
        return Value(sa.cast(text, sa.Integer), "RInt")
    if node.name == "extract epoch":
        return Value(first.sql.op("/")(1000.0), "RDouble")
    if node.name.startswith("extract "):
        return call(select, h.Call(node.name.removeprefix("extract "), node.arguments))
    return _other(node.name, first, rest)


def _other(name: str, first: Value, rest: list[Value]) -> Value:
    everything = [first.sql, *[r.sql for r in rest]]
    if name == "concat":
        joined: Any = first.sql
        for value in rest:
            joined = joined.concat(value.sql)
        return Value(joined, "RString")
    if name == "coalesce" and rest:
        kind = next((v.type for v in (first, *rest) if v.type != "parameter"), "RString")
        return Value(sa.func.coalesce(*everything), kind)
    if name == "nullif" and len(rest) == 1:
        return Value(sa.func.nullif(*everything), first.type)
    if name == "length":
        return Value(sa.func.length(first.sql), "RInt")
    if name == "str":
        return Value(sa.cast(first.sql, sa.Text), "RString")
    if name in ("substring", "substr") and rest:
        return Value(sa.func.substr(*everything), "RString")
    if name in ("locate", "instr") and len(rest) == 1:
        pair = everything if name == "instr" else everything[::-1]
        return Value(sa.func.instr(*pair), "RInt")
    if name == "mod" and len(rest) == 1:
        return Value(first.sql.op("%")(rest[0].sql), first.type)
    if name == "id" and first.type == "object":
        return Value(first.sql, "RLong")
    raise unknown(f"the function {name} with {len(everything)} arguments is not supported by the sandbox")


def _aggregate(select: Translator, node: h.Call) -> Value:
    function = getattr(sa.func, node.name)
    if node.name == "count":
        if not node.arguments:
            return Value(sa.func.count(), "RLong")
        value = select.value(node.arguments[0])
        if value.type == "collection":
            return Value(select.size(value).sql, "RLong")
        return Value(function(value.sql.distinct() if node.distinct else value.sql), "RLong")
    if len(node.arguments) != 1:
        raise unknown(f"{node.name} takes one argument")
    value = select.value(node.arguments[0])
    if value.type == "collection":
        raise unknown(f"{node.name} of a collection is not supported by the sandbox")
    kind = value.type
    if node.name in ("avg", "sum"):
        require_numbers(value, node.name)
    if node.name == "avg":
        kind = "RDouble"
    elif node.name == "sum":
        kind = {"RInt": "RLong", "RFloat": "RDouble"}.get(kind, kind)
    return Value(function(value.sql.distinct() if node.distinct else value.sql), kind)


def _collection(select: Translator, node: h.Call) -> Value:
    if len(node.arguments) != 1:
        raise unknown(f"{node.name} takes one collection")
    value = select.collection(node.arguments[0])
    return select.size(value) if node.name == "size" else value


def _index(select: Translator, node: h.Call) -> Value:
    """Return the position of a joined list's element; the smallest or largest for minIndex and maxIndex."""
    path = node.arguments[0] if len(node.arguments) == 1 else None
    origin = select.origins.get(str(path)) if isinstance(path, h.Path) else None
    if origin is None or origin.parent is None or not origin.collection or origin.parent.entity is None:
        raise unknown(f"{node.name} needs the alias of a joined list")
    inverse = subclass_property(origin.parent.entity, origin.path[-1])
    column = f"{inverse.inverse}_index" if inverse is not None else ""
    if column not in origin.table.c:
        raise unknown(f"{node.name}: {origin.path[-1]} is not a list")
    position = origin.table.c[column]
    if node.name == "index":
        return Value(position, "RInt")
    return Value(sa.func.min(position) if node.name == "minindex" else sa.func.max(position), "RInt")
