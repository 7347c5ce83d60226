"""JSON-LD of crates and archives as plain JSON values, which may be single where lists are meant."""

import re
from collections.abc import Mapping
from typing import Any

Entity = dict[str, Any]
DESCRIPTOR = "ro-crate-metadata.json"
DESCRIPTOR_NAMES = re.compile(r"(^|[-_.])ro-crate-metadata\.json(ld)?$")
"""Names that published crates give the descriptor, such as `S-BIAD1-ro-crate-metadata.json`."""

INVALID_IN_ID = re.compile(r"[\s<>\"{}|\\^`]")
"""Characters that no address may hold (RFC 3986)."""


def as_list(value: Any) -> list[Any]:
    """Return any JSON value as a list: a single value becomes a list of one, null an empty list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_text(value: Any) -> str:
    """Return any JSON value as text: the id of a reference, the first item of a list, empty text for other types."""
    if isinstance(value, list):
        return as_text(value[0]) if value else ""
    if isinstance(value, dict):
        return as_text(value.get("@id") or value.get("id"))
    return str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def objects_in(value: Any) -> list[Entity]:
    """Return the objects of a value, single or list."""
    return [part for part in as_list(value) if isinstance(part, dict)]


def ids(value: Any) -> list[str]:
    """Return the ids that a property refers to."""
    return [part["@id"] for part in objects_in(value) if isinstance(part.get("@id"), str)]


def types(entity: Mapping[str, Any]) -> list[str]:
    """Return an entity's types."""
    return [kind for kind in as_list(entity.get("@type")) if isinstance(kind, str)]


def by_id(graph: Any) -> dict[str, Entity]:
    """Return the entities of a `@graph` by their ids; what is no entity is left out."""
    return {entity["@id"]: entity for entity in objects_in(graph) if isinstance(entity.get("@id"), str)}


def root_id(entities: Mapping[str, Entity]) -> str:
    """Return the id of the root dataset of a crate, or empty text when no descriptor names one.

    Args:
        entities: The crate's entities by id.
    """
    heads = [entity for name, entity in entities.items() if DESCRIPTOR_NAMES.search(name.rpartition("/")[2])]
    named = [root for head in heads for root in ids(head.get("about"))]
    return next((root for root in named if root in entities), named[0] if named else "")
