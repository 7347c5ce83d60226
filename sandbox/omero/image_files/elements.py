"""Elements of OME-XML, by their names without the namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element


def tag_of(element: Element) -> str:
    """Return the name of an element; an empty text for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(parent: Element | None, *tags: str) -> Iterator[Element]:
    """Yield the child elements with one of these names."""
    return (child for child in (() if parent is None else parent) if tag_of(child) in tags)


def first_child(parent: Element | None, tag: str) -> Element | None:
    """Return the first child element with this name, or None."""
    return next(children(parent, tag), None)
