"""Annotation of many objects: all of them, or none if anything fails."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations.changes import (
    ANNOTATE_LEASE,
    Change,
    ObjectKey,
    Wanted,
    apply_changes,
    plan_changes,
)
from bioimage_suite.omero.containers import make_container
from bioimage_suite.omero.objects import CLASSES
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.undo import writing
from bioimage_suite.tables.report import Report, Row, at_work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bioimage_suite.omero.session import Session
    from bioimage_suite.omero.undo import MadeObjects


def annotate(
    session: Session,
    wanted: Mapping[ObjectKey, Wanted],
    report: Report,
    *,
    mode: str,
    dry_run: bool,
    write: Callable[[Iterable[tuple[Any, ...]]], Any],
) -> list[Change]:
    """Give objects the annotations that they lack: all objects, or none if anything fails.

    Args:
        session: An open session.
        wanted: The wanted annotations by (kind, id, name) of the object; projects, datasets and screens whose id is
            below 0 are made.
        report: Receives one row per object.
        mode: See `annotations.changes.plan_changes`.
        dry_run: Only report what would be done.
        write: Writes the rows of all changes; called while everything can still be taken back.

    Returns:
        The changes.

    Raises:
        UserError: The server failed, or the user may not annotate an object. Nothing has changed then.
    """
    rows = {place: _add_row(report, *place) for place in wanted}
    _check_permissions(session, rows)
    if dry_run:
        changes = plan_changes(session, wanted, mode)
        for row in _changing(rows, changes):
            row.done("would change")
        for row in _missing(rows):
            row.done("would make")
        write(change.row() for change in changes)
        return changes
    with writing(session, [ANNOTATE_LEASE]) as made:
        fresh = _missing(rows)
        places = {place: _made_place(session, place, rows[place], made) for place in wanted}
        rows = {places[place]: row for place, row in rows.items()}
        changes = plan_changes(session, {places[place]: one for place, one in wanted.items()}, mode)
        changing = _changing(rows, changes)
        with at_work(changing):
            replaced = apply_changes(session, changes, made)
            write(change.row() for change in changes)
            made.finish(replaced)
    for row in changing:
        row.done("changed")
    for row in fresh:
        row.done("made")
    return changes


def _missing(rows: Mapping[ObjectKey, Row]) -> list[Row]:
    """Return the rows of objects that are not in OMERO yet."""
    return [row for (_, number, _), row in rows.items() if number < 0]


def _made_place(session: Session, place: ObjectKey, row: Row, made: MadeObjects) -> ObjectKey:
    """Make an object that is missing; return its place."""
    kind, number, name = place
    if number > 0:
        return place
    with row.at_work():
        number = make_container(session, kind, name, made)
    row.done("made", **{f"{kind}_id": number, "object_id": number})  # What comes now may still fail.
    return kind, number, name


def _changing(rows: Mapping[ObjectKey, Row], changes: Sequence[Change]) -> list[Row]:
    """Note in each row how many changes its object gets; return the rows of those that get any."""
    counts = Counter((change.kind, change.object_id) for change in changes)
    for (kind, number, _), row in rows.items():
        row.done("unchanged", change_count=counts[kind, number])
    return [row for row in rows.values() if row.cells["change_count"]]


def _add_row(report: Report, kind: str, number: int, name: str) -> Row:
    known_id = number if number > 0 else ""
    return report.add(**{"object_type": kind, f"{kind}_id": known_id, "object_id": known_id, "object_name": name})


def _check_permissions(session: Session, rows: Mapping[ObjectKey, Row]) -> None:
    refused: set[tuple[str, int]] = set()
    for kind in dict.fromkeys(kind for kind, _, _ in rows):
        ids = [number for other, number, _ in rows if other == kind]
        for page in batches(ids):
            hql = f"select o from {CLASSES[kind]} o where o.id in (:ids)"  # noqa: S608 (a class of our list)
            for one in session.objects(hql, ids=page):
                if not one.details.permissions.canAnnotate():
                    refused.add((kind, one.id.val))
    if not refused:
        return
    kind, number = min(refused)
    more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
    error = UserError(
        f"{kind} {number}{more}: you may not annotate them in group {session.group_name!r}. "
        "Ask their owner, or leave them out. Nothing was changed."
    )
    for place, row in rows.items():
        if place[:2] in refused:
            row.failed(error)
    raise error
