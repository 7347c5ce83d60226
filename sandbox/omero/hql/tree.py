"""The syntax tree of HQL: one small frozen dataclass a construct."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Path:
    """`obj.details.owner`."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class Literal:
    """A constant: text, number, truth value or None."""

    value: Any


@dataclass(frozen=True)
class Parameter:
    """`:name`."""

    name: str


@dataclass(frozen=True)
class Call:
    """`count(distinct x)`; `name` is in lower case."""

    name: str
    arguments: tuple[Node, ...]
    distinct: bool = False


@dataclass(frozen=True)
class Cast:
    """`cast(x as string)`."""

    value: Node
    type: str


@dataclass(frozen=True)
class Binary:
    """An arithmetic operation, or `||`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Minus:
    """A negated number."""

    value: Node


@dataclass(frozen=True)
class Compare:
    """`left operator right`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Logical:
    """`and` or `or` over two or more."""

    operator: str
    values: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """A negated condition."""

    value: Node


@dataclass(frozen=True)
class In:
    """`value in choices`."""

    value: Node
    choices: Node
    negated: bool


@dataclass(frozen=True)
class Like:
    """`value like pattern`."""

    value: Node
    pattern: Node
    escape: Node | None
    negated: bool


@dataclass(frozen=True)
class Between:
    """`value between low and high`."""

    value: Node
    low: Node
    high: Node
    negated: bool


@dataclass(frozen=True)
class MemberOf:
    """`value member of collection`."""

    value: Node
    collection: Path
    negated: bool


@dataclass(frozen=True)
class IsState:
    """`value is [not] null|empty|true|false`."""

    value: Node
    state: str
    negated: bool


@dataclass(frozen=True)
class Exists:
    """`exists (...)`."""

    value: Node


@dataclass(frozen=True)
class Case:
    """`case [subject] when ... then ... else ... end`."""

    subject: Node | None
    whens: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


@dataclass(frozen=True)
class Tuple:
    """`(a, b, c)`."""

    values: tuple[Node, ...]


@dataclass(frozen=True)
class Subquery:
    """`(select ...)`."""

    query: Query


Node = Any
"""Any of the classes above."""


@dataclass(frozen=True)
class Item:
    """One selected expression and its name."""

    value: Node
    name: str


@dataclass(frozen=True)
class Source:
    """`from path alias`."""

    path: Path
    alias: str


@dataclass(frozen=True)
class Join:
    """`left outer join fetch path alias with condition`."""

    kind: str
    fetch: bool
    path: Path
    alias: str
    condition: Node | None


@dataclass(frozen=True)
class OrderItem:
    """One expression to order by; `nulls` is `first`, `last` or empty."""

    value: Node
    descending: bool
    nulls: str


@dataclass(frozen=True)
class Query:
    """A whole query; `items` is empty when there is no select clause."""

    items: tuple[Item, ...]
    distinct: bool
    new: str
    sources: tuple[Source | Join, ...]
    where: Node | None
    group_by: tuple[Node, ...]
    having: Node | None
    order_by: tuple[OrderItem, ...]
