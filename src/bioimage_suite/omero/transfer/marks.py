"""Marks that link copies in OMERO to their source objects, so that a rerun finds the copies."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any

from bioimage_suite.core.stopping import holding
from bioimage_suite.omero.paging import batches, paged_rows
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.transfer.contents import TRANSFER_NAMESPACE, grouped
from bioimage_suite.omero.undo import PRIVATE_ANNOTATIONS, MadeObjects

RUN_NAMESPACE = f"{TRANSFER_NAMESPACE}/run"
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


def save_mark(mark: Any, made: MadeObjects) -> int:
    """Save a mark; return its id."""
    return made.save("MapAnnotation", [mark])[0]


def new_run(made: MadeObjects) -> int:
    """Save the mark of this run, which new annotations hang on until they hang on their objects; return its id."""
    from omero.model import MapAnnotationI
    from omero.rtypes import rstring

    run = MapAnnotationI()
    run.ns = rstring(RUN_NAMESPACE)
    return save_mark(run, made)


def save_with_run(run_id: int, annotations: Sequence[Any], made: MadeObjects) -> list[int]:
    """Save annotations, each linked to the mark of the run in the same transaction; return their ids."""
    from omero.model import AnnotationAnnotationLinkI, MapAnnotationI

    links = []
    for one in annotations:
        link = AnnotationAnnotationLinkI()
        link.parent, link.child = MapAnnotationI(run_id, False), one
        links.append(link)
    if not links:
        return []
    with holding():
        made.stay_alone()
        ids = list(made.session.update.saveAndReturnIds(links))
        hql = "select l.id, l.child.id from AnnotationAnnotationLink l where l.id in (:ids)"
        children = dict(made.session.rows(hql, ids=ids))
        for one, number in zip(annotations, ids, strict=True):
            made.add(type(one).__name__.removesuffix("I"), [children[number]])
    return [children[number] for number in ids]


def find_dead_runs(session: Session) -> dict[str, list[int]]:
    """Find this user's marks of runs, and the annotations that hang on nothing else, as ids by class.

    Only for who has the lease of transfers: then all other runs are dead.
    """
    hql = "select m.id from MapAnnotation m where m.ns = :ns and m.details.owner.id = :me"
    runs = [row[0] for row in session.rows(hql, ns=RUN_NAMESPACE, me=session.user_id)]
    hql = "select l.child.id from AnnotationAnnotationLink l where l.parent.id in (:ids)"
    hanging = {row[0] for row in paged_rows(session, hql, runs)}
    for kind in (*MARKED, "PlateAcquisition", "Well", "Roi", "Shape", "Annotation"):
        hql = f"select l.child.id, l.parent.id from {kind}AnnotationLink l where l.child.id in (:ids)"  # noqa: S608
        hanging -= {child for child, parent in paged_rows(session, hql, hanging) if parent not in runs}
    found: dict[str, list[int]] = {"MapAnnotation": runs}
    for kind in PRIVATE_ANNOTATIONS:
        hql = f"select a.id from {kind} a where a.id in (:ids)"  # noqa: S608
        found.setdefault(kind, []).extend(row[0] for row in paged_rows(session, hql, hanging))
    return found


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


def find_surplus(session: Session, sources: Iterable[str], earlier: Set[int]) -> dict[str, list[int]]:
    """Find what this process imported before it had to begin anew, and another job imported too, as ids by class.

    Args:
        session: An open session.
        sources: LSIDs of the source filesets.
        earlier: Ids of the filesets that this process made then.
    """
    hql = (
        "select distinct v.value, i.fileset.id from ImageAnnotationLink l join l.parent i, MapAnnotation m "
        "join m.mapValue v where l.child.id = m.id and m.ns = :ns and v.name = :key and v.value in (:names) "
        "and m.details.owner.id = :me"
    )
    names = sorted(set(sources)) if earlier else []
    rows = [
        row
        for page in batches(names)
        for row in session.rows(hql, ns=TRANSFER_NAMESPACE, key=SOURCE_KEY, names=page, me=session.user_id)
    ]
    of_others = {source for source, number in rows if number not in earlier}
    return {"Fileset": [number for source, number in rows if number in earlier and source in of_others]}


def find_free_marks(session: Session, sources: Iterable[str]) -> dict[str, list[int]]:
    """Find this user's marks of sources that are linked to no object, left by a run that stopped too early.

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
    return {"MapAnnotation": free}
