"""Marks that link copies in OMERO to their source objects, so that a rerun finds the copies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bioimage_suite.omero.paging import batches, paged_rows
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.transfer.contents import TRANSFER_NAMESPACE, grouped
from bioimage_suite.omero.undo import MadeObjects

ROI_NAMESPACE = f"{TRANSFER_NAMESPACE}/rois"
SOURCE_KEY, STATE_KEY = "copy of", "state"
COMPLETE, UNFINISHED = "complete", "unfinished"
MARKED = ("Project", "Dataset", "Screen", "Plate", "Image")


@dataclass(frozen=True)
class Mark:
    """A MapAnnotation on copies. `objects` are the ids of the annotated objects, by class."""

    annotation_id: int
    source: str
    state: str
    objects: dict[str, list[int]]


def new_mark(source: str, state: str, namespace: str = TRANSFER_NAMESPACE) -> Any:
    """Make a MapAnnotation that names the source of its objects; `source` is a globally unique name (LSID)."""
    from omero.model import MapAnnotationI, NamedValue
    from omero.rtypes import rstring

    mark = MapAnnotationI()
    mark.ns = rstring(namespace)
    mark.mapValue = [NamedValue(SOURCE_KEY, source), NamedValue(STATE_KEY, state)]
    return mark


def save_mark(session: Session, mark: Any, made: MadeObjects) -> int:
    """Save a mark; return its id."""
    [number] = session.update.saveAndReturnIds([mark])
    made.add("MapAnnotation", [number])
    return int(number)


def find_marks(
    session: Session, sources: Iterable[str], namespace: str = TRANSFER_NAMESPACE, kinds: Sequence[str] = MARKED
) -> dict[str, Mark]:
    """Find this user's marks of sources that are still linked to an object; the newest mark of each source counts.

    Args:
        session: An open session.
        sources: LSIDs of the source objects.
        namespace: Namespace of the marks.
        kinds: Classes of the objects that may have marks.
    """
    names = sorted(set(sources))
    wanted: dict[int, str] = {}
    for page in batches(names):
        rows = session.rows(
            "select m.id, v.value from MapAnnotation m join m.mapValue v where m.ns = :ns and v.name = :key "
            "and v.value in (:names) and m.details.owner.id = :me order by m.id",
            ns=namespace,
            key=SOURCE_KEY,
            names=page,
            me=session.user_id,
        )
        wanted |= dict(rows)
    hql = "select m.id, v.value from MapAnnotation m join m.mapValue v where v.name = 'state' and m.id in (:ids)"
    states = dict(paged_rows(session, hql, set(wanted)))
    objects: dict[int, dict[str, list[int]]] = {}
    for kind in kinds:
        hql = f"select l.child.id, l.parent.id from {kind}AnnotationLink l where l.child.id in (:ids) order by l.id"  # noqa: S608
        for number, ids in grouped(paged_rows(session, hql, set(wanted))).items():
            objects.setdefault(number, {})[kind] = ids
    found: dict[str, Mark] = {}
    for number, source in sorted(wanted.items()):
        if number in objects:
            found[source] = Mark(number, source, states.get(number, ""), objects[number])
    return found


def delete_free_marks(session: Session, sources: Iterable[str]) -> None:
    """Delete this user's marks of sources that are linked to no object, left by a run that stopped too early.

    Marks of containers are saved with them in one transaction; only those of imports and ROIs are saved before.
    """
    names = sorted(set(sources))
    free: list[int] = []
    for page in batches(names):
        rows = session.rows(
            "select m.id from MapAnnotation m join m.mapValue v where m.ns in (:spaces) and v.name = :key "
            "and v.value in (:names) and m.details.owner.id = :me "
            "and not exists (select l.id from ImageAnnotationLink l where l.child.id = m.id) "
            "and not exists (select l.id from PlateAnnotationLink l where l.child.id = m.id) "
            "and not exists (select l.id from RoiAnnotationLink l where l.child.id = m.id)",
            spaces=[TRANSFER_NAMESPACE, ROI_NAMESPACE],
            key=SOURCE_KEY,
            names=page,
            me=session.user_id,
        )
        free += [row[0] for row in rows]
    session.delete({"MapAnnotation": free})
