"""HQL text to a syntax tree (`hql.tree`), by the grammar in `hql.lark`."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import lark

from sandbox.omero import errors
from sandbox.omero.hql.tree import (
    Between,
    Binary,
    Call,
    Case,
    Cast,
    Compare,
    Exists,
    In,
    IsState,
    Item,
    Join,
    Like,
    Literal,
    Logical,
    MemberOf,
    Minus,
    Node,
    Not,
    OrderItem,
    Parameter,
    Path,
    Query,
    Source,
    Subquery,
    Tuple,
)

MAX_LENGTH = 1_000_000  # characters; a longer text could only serve to keep the server busy


@dataclass(frozen=True)
class _Clause:
    """A clause that is not part of a query yet."""

    name: str
    value: Any


def _number(text: str) -> int | float:
    text = text.rstrip("lLfFdD") if not text.lower().startswith("0x") else text
    return float(text) if any(c in text for c in ".eE") else int(text)


class _Builder(lark.Transformer[lark.Token, Query]):
    """Builds the tree from lark's tree, the leaves first. Each method has the name of a rule of the grammar."""

    def start(self, children: list[Any]) -> Query:
        query: Query = children[0]
        return query

    def query(self, children: list[Any]) -> Query:
        clauses = {c.name: c.value for c in children if c is not None}
        items, distinct, new = clauses.get("select", ((), False, ""))
        return Query(
            items,
            distinct,
            new,
            clauses["from"],
            clauses.get("where"),
            clauses.get("group_by", ()),
            clauses.get("having"),
            clauses.get("order_by", ()),
        )

    def select(self, children: list[Any]) -> _Clause:
        _, distinct, body = children
        new, items = body if isinstance(body, tuple) else ("", body)
        return _Clause("select", (tuple(items), distinct is not None, new))

    def new_map(self, children: list[Any]) -> tuple[str, list[Any]]:
        return str(children[1]).lower(), children[2]

    def items(self, children: list[Any]) -> list[Any]:
        return children

    def item(self, children: list[Any]) -> Item:
        return Item(children[0], str(children[2] or ""))

    def from_clause(self, children: list[Any]) -> _Clause:
        return _Clause("from", tuple(children[1:]))

    def source(self, children: list[Any]) -> Source:
        return Source(children[0], str(children[2] or ""))

    def member_source(self, children: list[Any]) -> Join:
        return Join("inner", False, children[1], str(children[3]), None)

    def join_kind(self, children: list[Any]) -> str:
        return str(children[0]).lower()

    def join(self, children: list[Any]) -> Join:
        kind, _, fetch, path, _, alias, *condition = children
        return Join(kind or "inner", fetch is not None, path, str(alias or ""), condition[-1] if condition else None)

    def where(self, children: list[Any]) -> _Clause:
        return _Clause("where", children[1])

    def group_by(self, children: list[Any]) -> _Clause:
        return _Clause("group_by", tuple(children[2:]))

    def having(self, children: list[Any]) -> _Clause:
        return _Clause("having", children[1])

    def order_by(self, children: list[Any]) -> _Clause:
        return _Clause("order_by", tuple(children[2:]))

    def order_item(self, children: list[Any]) -> OrderItem:
        value, direction, _, place = children
        return OrderItem(value, str(direction or "").lower().startswith("desc"), str(place or "").lower())

    def any_of(self, children: list[Any]) -> Node:
        values = tuple(c for c in children if not isinstance(c, lark.Token))
        return values[0] if len(values) == 1 else Logical("or", values)

    def all_of(self, children: list[Any]) -> Node:
        values = tuple(c for c in children if not isinstance(c, lark.Token))
        return values[0] if len(values) == 1 else Logical("and", values)

    def negate(self, children: list[Any]) -> Not:
        return Not(children[1])

    def compare(self, children: list[Any]) -> Compare:
        operator = str(children[1])
        return Compare({"!=": "<>", "^=": "<>"}.get(operator, operator), children[0], children[2])

    def in_list(self, children: list[Any]) -> In:
        return In(children[0], children[3], children[1] is not None)

    def like(self, children: list[Any]) -> Like:
        return Like(children[0], children[3], children[5], children[1] is not None)

    def between(self, children: list[Any]) -> Between:
        return Between(children[0], children[3], children[5], children[1] is not None)

    def member_of(self, children: list[Any]) -> MemberOf:
        return MemberOf(children[0], children[4], children[1] is not None)

    def is_state(self, children: list[Any]) -> IsState:
        return IsState(children[0], str(children[3]).lower(), children[2] is not None)

    def exists(self, children: list[Any]) -> Exists:
        return Exists(children[1])

    def binary(self, children: list[Any]) -> Binary:
        return Binary(str(children[1]), children[0], children[2])

    def times(self, children: list[Any]) -> Binary:
        return Binary("*", children[0], children[1])

    def minus(self, children: list[Any]) -> Minus:
        return Minus(children[0])

    def cast(self, children: list[Any]) -> Cast:
        return Cast(children[1], str(children[3]).lower())

    def extract(self, children: list[Any]) -> Call:
        return Call(f"extract {str(children[1]).lower()}", (children[3],))

    def subquery(self, children: list[Any]) -> Subquery:
        return Subquery(children[0])

    def group(self, children: list[Any]) -> Node:
        return children[0] if len(children) == 1 else Tuple(tuple(children))

    def call(self, children: list[Any]) -> Call:
        name, arguments = children
        distinct, values = arguments or (False, ())
        return Call(str(name).lower(), tuple(values), distinct)

    def quantified(self, children: list[Any]) -> Call:
        return Call(str(children[0]).lower(), (children[1],))

    def arguments(self, children: list[Any]) -> tuple[bool, tuple[Any, ...]]:
        if children and isinstance(children[0], lark.Token):
            return False, ()  # count(*)
        return False, tuple(children)

    def distinct_argument(self, children: list[Any]) -> tuple[bool, tuple[Any, ...]]:
        return True, (children[1],)

    def query_argument(self, children: list[Any]) -> tuple[bool, tuple[Any, ...]]:
        return False, (Subquery(children[0]),)

    def case(self, children: list[Any]) -> Case:
        _, subject, *rest = children
        whens = tuple(c for c in rest if isinstance(c, tuple))
        otherwise = rest[-2] if isinstance(rest[-3], lark.Token) and rest[-3].type == "ELSE" else None
        return Case(subject, whens, otherwise)

    def when(self, children: list[Any]) -> tuple[Node, Node]:
        return children[1], children[3]

    def path(self, children: list[Any]) -> Path:
        return Path(tuple(str(c) for c in children))

    def parameter(self, children: list[Any]) -> Parameter:
        return Parameter(str(children[0]) if children and children[0] is not None else "")

    def number(self, children: list[Any]) -> Literal:
        return Literal(_number(str(children[0])))

    def string(self, children: list[Any]) -> Literal:
        text = str(children[0])
        return Literal(text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1])

    def true(self, _children: list[Any]) -> Literal:
        return Literal(True)

    def false(self, _children: list[Any]) -> Literal:
        return Literal(False)

    def null(self, _children: list[Any]) -> Literal:
        return Literal(None)


@functools.cache
def _parser() -> lark.Lark:
    grammar = (FilePath(__file__).parent / "hql.lark").read_text()
    return lark.Lark(grammar, parser="lalr", maybe_placeholders=True, transformer=_Builder())


@functools.lru_cache(maxsize=2000)
def parse(text: str) -> Query:
    """Return the syntax tree of a query.

    Raises:
        omero.QueryException: The text is not HQL; the message quotes the place of the error.
    """
    if not text or not text.strip():
        raise errors.query("the query is empty")
    if len(text) > MAX_LENGTH:
        raise errors.query(f"the query has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    try:
        return _parser().parse(text)  # type: ignore[return-value]
    except lark.exceptions.UnexpectedInput as error:
        position = error.pos_in_stream
        near = text[position : position + 40] if position is not None and position >= 0 else ""
        ended = isinstance(error, lark.exceptions.UnexpectedToken) and error.token.type == "$END"
        what = repr(near) if near and not ended else "end"
        raise errors.query(f"unexpected {what} in the query: {text[:2000]}") from None
    except (lark.exceptions.LarkError, RecursionError) as error:
        raise errors.query(f"the query cannot be read ({type(error).__name__}): {text[:2000]}") from None
