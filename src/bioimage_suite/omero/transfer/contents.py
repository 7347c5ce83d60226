"""The contents of a transfer: everything below the chosen objects, with annotations and ROIs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations.tags import TAG_SET_NAMESPACE
from bioimage_suite.omero.objects import CLASSES, Target, find_ids
from bioimage_suite.omero.paging import batches, paged_rows
from bioimage_suite.omero.session import SUITE_NAMESPACE, Session

TRANSFER_NAMESPACE = f"{SUITE_NAMESPACE}/transfer"
"""Start of the namespaces of marks on copies. Marks are not transferred: a copy of a copy gets a mark of its own."""
Links = dict[int, list[int]]


@dataclass
class Contents:
    """OMERO objects by class, ordered by id, with their relations.

    Attributes:
        roots: The chosen objects, such as "Project:1".
        objects: Loaded objects by class; a Plate has its wells, samples and acquisitions.
        children: Ids of datasets by project, images by dataset, plates by screen, ROIs by image.
        annotated: Ids of annotations by class and id of the annotated object; tag sets annotate their tags.
        annotations: Loaded annotations by id.
        people: (login name, first name, last name) of the owners by id.
    """

    roots: tuple[str, ...]
    objects: dict[str, list[Any]] = field(default_factory=dict)
    children: dict[str, Links] = field(default_factory=dict)
    annotated: dict[str, Links] = field(default_factory=dict)
    annotations: dict[int, Any] = field(default_factory=dict)
    people: dict[int, tuple[str, str, str]] = field(default_factory=dict)

    def ids(self, kind: str) -> list[int]:
        """Return the ids of the objects of a class."""
        return [one.id.val for one in self.objects.get(kind, ())]

    def refs(self, kind: str, number: int) -> list[int]:
        """Return the ids of the annotations on an object."""
        return self.annotated.get(kind, {}).get(number, [])


def find_contents(session: Session, target: Target) -> Contents:
    """Find everything below a target, with its annotations and ROIs.

    Raises:
        UserError: See `omero.objects.find_ids`; or a well was chosen, or there is no image.
    """
    chosen, ids = CLASSES[target.kind], list(find_ids(session, target))
    if chosen == "Well":
        raise UserError("wells cannot be transferred without their plate. Choose the plate.")
    found = Contents(tuple(f"{chosen}:{number}" for number in ids))

    def below(parent: str, link: str, child: str) -> list[int]:
        found.children[parent] = _children(session, link, found.ids(parent))
        here = {number for one in found.children[parent].values() for number in one}
        return sorted(here | (set(ids) if child == chosen else set()))

    found.objects["Project"] = load_objects(session, "Project", ids if chosen == "Project" else [])
    found.objects["Dataset"] = load_objects(session, "Dataset", below("Project", "ProjectDatasetLink", "Dataset"))
    found.objects["Screen"] = load_objects(session, "Screen", ids if chosen == "Screen" else [])
    found.objects["Plate"] = [_load_plate(session, one) for one in below("Screen", "ScreenPlateLink", "Plate")]
    images = set(below("Dataset", "DatasetImageLink", "Image"))
    images |= {sample.image.id.val for plate in found.objects["Plate"] for _, sample in plate_samples(plate)}
    if not images:
        raise UserError(f"{target.kind} {', '.join(map(str, target.names or ids))}: holds no image. Choose another.")
    found.objects["Image"] = load_objects(session, "Image", sorted(images))
    rois = paged_rows(session, "select r.image.id, r.id from Roi r where r.image.id in (:ids) order by r.id", images)
    found.children["Image"] = grouped(rois)
    _find_annotations(session, found)
    owners = {one.details.owner.id.val for kind in found.objects.values() for one in kind}
    people = "select e.id, e.omeName, e.firstName, e.lastName from Experimenter e where e.id in (:ids)"
    found.people = {row[0]: tuple(row[1:]) for row in paged_rows(session, people, owners)}
    return found


def load_objects(session: Session, kind: str, ids: Sequence[int]) -> list[Any]:
    """Load objects of a class, ordered by id."""
    found: list[Any] = []
    ordered = sorted(ids)
    for page in batches(ordered):
        # HQL has no parameters for classes; these come from our own list.
        hql = f"select o from {kind} o where o.id in (:ids) order by o.id"  # noqa: S608
        found += session.objects(hql, ids=page)
    return found


def grouped(rows: Sequence[Sequence[int]]) -> Links:
    """Group the second column by the first, without repeats."""
    found: dict[int, dict[int, None]] = {}
    for parent, child in rows:
        found.setdefault(parent, {})[child] = None
    return {parent: list(children) for parent, children in found.items()}


def annotation_links(session: Session, kind: str, ids: Sequence[int] | set[int]) -> Links:
    """Return the ids of annotations by object of a class, without the marks of transfers, in the order of the links."""
    hql = (
        f"select l.parent.id, a.id from {kind}AnnotationLink l, Annotation a "  # noqa: S608
        f"where l.child.id = a.id and l.parent.id in (:ids) "
        f"and (a.ns is null or a.ns not like '{TRANSFER_NAMESPACE}%') order by l.id"
    )
    return grouped(paged_rows(session, hql, ids))


def shape_annotation_links(session: Session, roi_ids: Sequence[int]) -> Links:
    """Return the ids of annotations by shape of the ROIs."""
    hql = "select l.parent.id, l.child.id from ShapeAnnotationLink l where l.parent.roi.id in (:ids) order by l.id"
    return grouped(paged_rows(session, hql, roi_ids))


def load_annotations(session: Session, ids: Sequence[int] | set[int]) -> dict[int, Any]:
    """Load annotations of all kinds, by id, with the files of FileAnnotations."""
    found = {one.id.val: one for one in load_objects(session, "Annotation", list(ids))}
    # A query over all kinds loads only the fields that all kinds have.
    for kind, fetch in (
        ("MapAnnotation", ""),
        ("FileAnnotation", " join fetch o.file f left outer join fetch f.hasher"),
    ):
        own = sorted(number for number, one in found.items() if type(one).__name__ == f"{kind}I")
        for page in batches(own):
            hql = f"select o from {kind} o{fetch} where o.id in (:ids)"  # noqa: S608
            found |= {one.id.val: one for one in session.objects(hql, ids=page)}
    return found


def plate_wells(plate: Any) -> list[Any]:
    """Return the wells of a plate, row by row."""
    return sorted((well for well in plate.copyWells() if well), key=lambda well: (well.row.val, well.column.val))


def plate_samples(plate: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the wells and fields of a plate, for fields that have an image."""
    for well in plate_wells(plate):
        for sample in well.copyWellSamples():  # In OMERO's order, which numbers the fields.
            if sample is not None and sample.image is not None:
                yield well, sample


def plate_runs(plate: Any) -> list[Any]:
    """Return the acquisitions of a plate, ordered by id."""
    return sorted((one for one in plate.copyPlateAcquisitions() if one), key=lambda one: one.id.val)


def _children(session: Session, link: str, ids: Sequence[int]) -> Links:
    hql = f"select l.parent.id, l.child.id from {link} l where l.parent.id in (:ids) order by l.child.id"  # noqa: S608
    return grouped(paged_rows(session, hql, ids))


def _load_plate(session: Session, number: int) -> Any:
    hql = (
        "select distinct p from Plate p left outer join fetch p.wells w left outer join fetch w.wellSamples s "
        "left outer join fetch s.image where p.id = :id"
    )
    [plate] = session.objects(hql, id=number)
    hql = "select distinct p from Plate p left outer join fetch p.plateAcquisitions where p.id = :id"
    [runs] = session.objects(hql, id=number)
    plate.reloadPlateAcquisitions(runs)
    return plate


def _find_annotations(session: Session, found: Contents) -> None:
    plates = found.objects["Plate"]
    wells = [well.id.val for plate in plates for well in plate_wells(plate)]
    runs = [run.id.val for plate in plates for run in plate_runs(plate)]
    rois = [number for one in found.children["Image"].values() for number in one]
    places = {kind: found.ids(kind) for kind in ("Project", "Dataset", "Screen", "Plate", "Image")}
    for kind, ids in {**places, "Well": wells, "PlateAcquisition": runs, "Roi": rois}.items():
        found.annotated[kind] = annotation_links(session, kind, ids)
    found.annotated["Shape"] = shape_annotation_links(session, rois)
    wanted = {number for links in found.annotated.values() for one in links.values() for number in one}
    hql = (
        "select l.parent.id, l.child.id from AnnotationAnnotationLink l, TagAnnotation s "  # noqa: S608
        f"where l.parent.id = s.id and s.ns = '{TAG_SET_NAMESPACE}' and l.child.id in (:ids) order by l.id"
    )
    found.annotated["Annotation"] = grouped(paged_rows(session, hql, wanted))
    found.annotations = load_annotations(session, wanted | set(found.annotated["Annotation"]))
