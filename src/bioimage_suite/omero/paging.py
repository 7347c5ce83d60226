"""Queries and calls for any number of objects, a page at a time: OMERO takes only so many ids in one message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bioimage_suite.omero.session import Session

IDS = 1000
"""Ids per query, or small objects per call."""
Thing = TypeVar("Thing")


def batches(things: Iterable[Thing], size: int = IDS) -> Iterator[list[Thing]]:
    """Yield lists of at most `size` things, in order.

    >>> list(batches([1, 2, 3], 2)), list(batches([]))
    ([[1, 2], [3]], [])
    """
    ordered = list(things)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def paged_rows(session: Session, hql: str, ids: Iterable[int], **parameters: Any) -> list[list[Any]]:
    """Run an HQL projection for any number of ids, in ascending order; the query takes them as `:ids`."""
    return [row for page in batches(sorted(ids)) for row in session.rows(hql, ids=page, **parameters)]
