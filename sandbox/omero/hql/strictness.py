"""What Hibernate or PostgreSQL refuse in a query, though SQLite would take it: a client must not learn to rely on it.

Hibernate sets a parameter by the type of what it is compared with (AbstractQueryImpl.determineType, StringQuery.java):
another rtype is a ClassCastException, also an rint for an id. PostgreSQL has no comparison of text with numbers, wants
each selected value in the group by clause or in an aggregate, and, with distinct, each value of order by in the select.
OMERO tells all this as ApiUsageException or InternalException (ServiceHandler.java); here it is always the first.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.hql import tree as h

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.omero.hql.values import Origin, Value

JAVA = {
    "RInt": "java.lang.Integer",
    "RLong": "java.lang.Long",
    "RFloat": "java.lang.Float",
    "RDouble": "java.lang.Double",
    "RString": "java.lang.String",
    "RBool": "java.lang.Boolean",
    "RTime": "java.sql.Timestamp",
}
"""The Java class of each rtype with a plain value."""
POSTGRESQL = {
    "RInt": "integer",
    "RLong": "bigint",
    "RFloat": "real",
    "RDouble": "double precision",
    "RString": "character varying",
    "RBool": "boolean",
}
MOST_PARAMETERS = 65_535
"""What PostgreSQL's protocol counts in two bytes; older drivers take half of it."""
NUMBERS = frozenset({"RInt", "RLong", "RFloat", "RDouble"})
AGGREGATES = frozenset({"count", "sum", "min", "max", "avg"})


def require_comparable(left: Value, right: Value, right_node: h.Node, operator: str) -> None:
    """Refuse a comparison of text, numbers and truth values with each other; a quoted constant may be a number.

    Raises:
        omero.ApiUsageException: PostgreSQL has no such comparison, or the constant is none of the type.
    """
    kinds = (_kind(left), _kind(right))
    if None in kinds or kinds[0] == kinds[1]:
        return
    if isinstance(right_node, h.Literal) and isinstance(right_node.value, str):
        if kinds[0] == "number" and not _is_number(right_node.value):
            kind = POSTGRESQL[left.type]
            raise errors.api_usage(f'ERROR: invalid input syntax for type {kind}: "{right_node.value}"')
        return
    types = f"{POSTGRESQL[left.type]} {operator} {POSTGRESQL[right.type]}"
    raise errors.api_usage(f"ERROR: operator does not exist: {types}")


def _kind(value: Value) -> str | None:
    if value.type in NUMBERS:
        return "number"
    return value.type if value.type in ("RString", "RBool") else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def require_numbers(value: Value, function: str) -> None:
    """Refuse sums and means of text and truth values."""
    if value.type in ("RString", "RBool"):
        raise errors.api_usage(f"ERROR: function {function}({POSTGRESQL[value.type]}) does not exist")


def require_given(name: str, expected: str, value: Any) -> None:
    """Refuse a parameter of another type than what it is compared with, and characters that PostgreSQL cannot hold.

    Args:
        name: The parameter.
        expected: The rtype it is compared with; empty where Hibernate takes the parameter's own.
        value: An rtype of the client, or a collection of them.
    """
    plain = value if isinstance(value, list | tuple | set) else getattr(value, "val", None)
    if isinstance(plain, list | tuple | set):
        if not plain:  # ome/omero-web issue 248
            raise errors.api_usage(f"unexpected end of subtree [in () where the parameter {name} is]")
        if len(plain) > MOST_PARAMETERS:
            raise errors.api_usage(f"Tried to send an out-of-range integer as a 2-byte value: {len(plain)}")
        for one in plain:
            require_given(name, expected, one)
        return
    if isinstance(plain, str) and "\0" in plain:
        raise errors.api_usage(f'ERROR: invalid byte sequence for encoding "UTF8": 0x00 (parameter {name})')
    given = type(value).__name__.removesuffix("I")
    if expected in JAVA and given in JAVA and given != expected:
        raise errors.api_usage(
            f"java.lang.ClassCastException: {JAVA[given]} cannot be cast to {JAVA[expected]} (parameter {name})"
        )


def require_clauses(query: h.Query, origins: dict[str, Origin], path: Callable[[h.Path], Value]) -> None:
    """Refuse selected values outside of the group by clause, and with distinct, ordering by what is not selected."""
    names = {item.name: item.value for item in query.items if item.name}
    ordered = [_resolved(item.value, names) for item in query.order_by]
    if query.group_by or any(_has_aggregate(item.value) for item in query.items):
        grouped = {str(_resolved(node, names)) for node in query.group_by}
        for node in [*(item.value for item in query.items), *ordered]:
            for one in _free_paths(node, query.group_by):
                _require_grouped(one, grouped, path)
    elif query.distinct:
        selected = [item.value for item in query.items] or [h.Path((next(iter(origins)),))]
        for node in ordered:
            _require_selected(node, selected, origins, path)


def _resolved(node: h.Node, names: dict[str, h.Node]) -> h.Node:
    return names.get(str(node), node) if isinstance(node, h.Path) and len(node.parts) == 1 else node


def _has_aggregate(node: h.Node) -> bool:
    return any(one.name in AGGREGATES for one in _walk(node) if isinstance(one, h.Call))


def _walk(node: Any) -> Iterator[Any]:
    """Yield every node of a syntax tree but those of subqueries."""
    if isinstance(node, tuple):
        for item in node:
            yield from _walk(item)
    elif dataclasses.is_dataclass(node) and not isinstance(node, h.Subquery):
        yield node
        for item in dataclasses.fields(node):
            yield from _walk(getattr(node, item.name))


def _free_paths(node: Any, grouped: tuple[h.Node, ...]) -> Iterator[h.Path]:
    """Yield the paths of an expression that stand neither in an aggregate nor in a whole grouped expression."""
    if node in grouped or isinstance(node, h.Subquery):
        return
    if isinstance(node, h.Path):
        yield node
    elif isinstance(node, h.Call) and (node.name in AGGREGATES or node.name in ("size", "elements", "type")):
        return
    elif isinstance(node, tuple):
        for item in node:
            yield from _free_paths(item, grouped)
    elif dataclasses.is_dataclass(node):
        for field in dataclasses.fields(node):
            yield from _free_paths(getattr(node, field.name), grouped)


def _require_grouped(one: h.Path, grouped: set[str], path: Callable[[h.Path], Value]) -> None:
    """Refuse a path that is not grouped by; with the id of a row come the other columns of the row."""
    text, owner = str(one), str(h.Path(one.parts[:-1])) if len(one.parts) > 1 else str(one)
    if {text, owner, f"{owner}.id", f"{text}.id"} & grouped or path(one).type in ("class", "collection"):
        return
    raise errors.api_usage(
        f'ERROR: column "{text}" must appear in the GROUP BY clause or be used in an aggregate function'
    )


def _require_selected(
    node: h.Node, selected: list[h.Node], origins: dict[str, Origin], path: Callable[[h.Path], Value]
) -> None:
    """Refuse an expression that is not selected: neither as it is, nor as a column of an object that is."""
    if node in selected:
        return
    if isinstance(node, h.Path):
        wholes = {str(one) for one in selected if isinstance(one, h.Path) and path(one).type == "object"}
        wholes |= {name for name, origin in origins.items() if origin.fetched}
        owner = node.parts[:-1] if node.parts[-1] != "id" or len(node.parts) == 2 else node.parts[:-2]
        owner = owner[:-1] if owner and owner[-1] == "details" else owner
        if not owner or str(h.Path(owner)) in wholes or path(node).type in ("class", "unit"):
            return
        if path(node).type == "RDouble" and str(h.Path(node.parts[:-2])) in wholes:  # the value of a length
            return
    raise errors.api_usage("ERROR: for SELECT DISTINCT, ORDER BY expressions must appear in select list")
