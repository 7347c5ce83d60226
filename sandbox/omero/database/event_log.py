"""EventLog: which objects an event inserted, changed or deleted; `omero fs importtime` and ITimeline read it.

A transaction notes what it does and writes its notes just before the commit, so the log has exactly what happened.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.omero.model.entities import MODEL_ENTITIES

if TYPE_CHECKING:
    from collections.abc import Iterable

UNLOGGED = frozenset({"Event", "EventLog", "Session", "Node", "DBPatch", "ShareMember"})
"""Entities that the server writes for itself."""
INSERT = (
    'INSERT INTO "EventLog" (entity_class, "entityId", "entityType", action, event) VALUES (\'EventLog\', ?, ?, ?, ?)'
)
"""Takes id, class (`java_name`), action and event."""


@dataclass(frozen=True)
class Entry:
    """One action on one object; if `event` is None it belongs to the transaction's event."""

    action: str
    entity: str
    row_id: int
    event: int | None = None


def entries(action: str, entity: str, ids: Iterable[int], event: int | None = None) -> list[Entry]:
    """Return the entries for objects of one class; none for a class that is not logged."""
    found = MODEL_ENTITIES[entity]
    if found.root in UNLOGGED or found.is_enumeration:
        return []
    return [Entry(action, entity, row_id, event) for row_id in ids]


@functools.cache
def java_name(entity: str) -> str:
    """Return the name of the Java class, `ome.model.core.Image` for `Image`, from the constants of omero-py's class."""
    import omero.model

    concrete = getattr(omero.model, f"{entity}I", None)
    constants = [v for k, v in vars(concrete).items() if k.isupper() and isinstance(v, str)] if concrete else []
    return next((c.rpartition("_")[0] for c in constants if c.startswith("ome.model.")), f"ome.model.{entity}")
