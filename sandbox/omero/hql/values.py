"""Values in SQL, and the aliases that they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sandbox.omero import errors

if TYPE_CHECKING:
    from sandbox.omero.hql import tree
    from sandbox.omero.model.entities import Entity


@dataclass(frozen=True)
class Value:
    """One value in SQL.

    Attributes:
        sql: The expression; for an object its id.
        type: An rtype (`RString`), or `object`, `unit`, `permissions`, `class`, `collection`.
        entity: The entity of an object.
        more: Further columns that the value needs: a unit's name, an owner's group.
    """

    sql: Any
    type: str
    entity: Entity | None = None
    more: tuple[Any, ...] = ()


@dataclass(eq=False)
class Origin:
    """One alias: a table in the from clause. `entity` is None for a list of named values."""

    alias: str
    entity: Entity | None
    table: Any
    tree: int
    parent: Origin | None = None
    path: tuple[str, ...] = ()
    fetched: bool = False
    collection: bool = False
    implicit: dict[tuple[str, ...], Origin] = field(default_factory=dict)


class Translator(Protocol):
    """The part of a select that translates the arguments of a function."""

    origins: dict[str, Origin]

    def value(self, node: tree.Node) -> Value:
        """Translate an expression."""

    def path(self, node: tree.Path) -> Value:
        """Translate a path."""

    def collection(self, node: tree.Node) -> Value:
        """Translate a path that ends in a collection."""

    def size(self, value: Value) -> Value:
        """Translate the number of a collection's elements."""


def unknown(what: str) -> Exception:
    """Return the exception for a part of a query that cannot be understood."""
    return errors.query(what)
