"""Annotations of many OMERO objects at once: read in few queries, saved in batches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations.tags import TAG_SET_NAMESPACE, find_usable_tags
from bioimage_suite.omero.files.original_files import SHA1
from bioimage_suite.omero.objects import CLASSES, split_terms
from bioimage_suite.omero.paging import batches, paged_rows
from bioimage_suite.omero.session import SUITE_NAMESPACE, Session
from bioimage_suite.omero.undo import MadeObjects, save_links

# omero-blitz Constants.ice
RATING_NAMESPACE = "openmicroscopy.org/omero/insight/rating"
MARK = f"{SUITE_NAMESPACE}/annotate"
"""The description of key-value pairs made by omero_annotate, whose namespace is the user's choice."""
ANNOTATION_VALUES = {
    "BooleanAnnotation": "boolValue",
    "CommentAnnotation": "textValue",
    "DoubleAnnotation": "doubleValue",
    "LongAnnotation": "longValue",
    "TagAnnotation": "textValue",
    "TermAnnotation": "termValue",
    "TimestampAnnotation": "timeValue",
    "XmlAnnotation": "textValue",
}
"""The field with the value, by class; the other classes are MapAnnotation, FileAnnotation and ListAnnotation."""

_LINKED = """
select l.id, l.parent.id, a.id, a.ns, a.description, a.details.owner.id{fields}
from {model}AnnotationLink l, {annotation}
where l.child.id = a.id and l.parent.id in (:ids)
order by l.parent.id, a.id
"""


@dataclass(frozen=True)
class AttachedFile:
    """A file in OMERO: `size` in bytes; `sha1` is None if OMERO has no checksum or one of another kind."""

    file_id: int
    name: str
    mimetype: str
    size: int
    sha1: str | None


@dataclass(frozen=True)
class Linked:
    """An annotation on an object, linked by one user or several. `value`: pairs, text, number or `AttachedFile`."""

    link_ids: tuple[int, ...]
    object_id: int
    annotation_id: int
    namespace: str
    description: str
    owner_id: int
    value: Any


@dataclass(frozen=True)
class Chosen:
    """Which annotations to take: those of a namespace ("" is all) and of some ids (none given is all)."""

    namespace: str = ""
    ids: frozenset[int] = frozenset()

    def __contains__(self, one: Linked) -> bool:
        """Tell whether to take an annotation."""
        return self.namespace in ("", one.namespace) and (not self.ids or one.annotation_id in self.ids)


ALL = Chosen()


def read_chosen(namespace: str, ids: str) -> Chosen:
    """Read a tool's choice of annotations: a namespace, and ids separated by commas or line breaks.

    Raises:
        UserError: An id is not a number.
    """
    terms = split_terms(ids)
    for term in terms:
        if not term.isdecimal():
            raise UserError(f"annotation {term!r}: not an id. Write whole numbers, separated by commas.")
    return Chosen(namespace.strip(), frozenset(map(int, terms)))


def linked_pairs(session: Session, kind: str, ids: Sequence[int]) -> list[Linked]:
    """Return all key-value annotations of objects; pairs keep OMERO's order and repeated keys."""
    links = _links(session, kind, ids, "MapAnnotation a", "")
    values: dict[int, tuple[tuple[str, str], ...]] = {}
    wanted = sorted({row[2] for row in links})
    for chunk in batches(wanted):
        for one in session.objects("select m from MapAnnotation m where m.id in (:ids)", ids=chunk):
            values[one.id.val] = tuple((pair.name, pair.value or "") for pair in one.getMapValue() or ())
    return [_linked([*row, values.get(row[2], ())]) for row in links]


def pair_values(session: Session, annotation_ids: Iterable[int], key: str) -> dict[int, str]:
    """Return the value of a key by annotation, for those key-value annotations that have it."""
    hql = "select m.id, v.value from MapAnnotation m join m.mapValue v where v.name = :key and m.id in (:ids)"
    return dict(map(tuple, paged_rows(session, hql, set(annotation_ids), key=key)))


def linked_texts(session: Session, kind: str, ids: Sequence[int], annotation: str) -> list[Linked]:
    """Return all tags or comments of objects; `annotation` is "TagAnnotation" or "CommentAnnotation"."""
    return [_linked([*row[:6], row[6] or ""]) for row in _value_rows(session, kind, ids, annotation)]


def find_tag_sets(session: Session, tag_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the names of the tag sets of each tag, by tag id; tags without a tag set are left out."""
    hql = (
        "select l.child.id, p.textValue from AnnotationAnnotationLink l, TagAnnotation p "
        "where l.parent.id = p.id and p.ns = :ns and l.child.id in (:ids) order by l.child.id, p.id"
    )
    found: dict[int, list[str]] = {}
    wanted = sorted(set(tag_ids))
    for page in batches(wanted):
        for tag_id, name in session.rows(hql, ns=TAG_SET_NAMESPACE, ids=page):
            found.setdefault(tag_id, []).append(name or "")
    return found


def linked_ratings(session: Session, kind: str, ids: Sequence[int]) -> list[Linked]:
    """Return all ratings (1 to 5) of objects."""
    rows = _value_rows(session, kind, ids, "LongAnnotation")
    return [one for one in map(_linked, rows) if one.namespace == RATING_NAMESPACE]


def linked_values(session: Session, kind: str, ids: Sequence[int], annotation: str) -> list[Linked]:
    """Return all annotations of one class of `ANNOTATION_VALUES` except ratings; times in milliseconds since 1970."""
    rows = _value_rows(session, kind, ids, annotation)
    return [one for one in map(_linked, rows) if one.namespace != RATING_NAMESPACE]


def linked_files(session: Session, kind: str, ids: Sequence[int]) -> list[Linked]:
    """Return all files attached to objects, including OMERO.tables; `value` is an `AttachedFile`."""
    fields = ", f.id, f.name, f.mimetype, f.size, f.hash, h.value"
    rows = _links(session, kind, ids, "FileAnnotation a join a.file f left outer join f.hasher h", fields)
    return [_linked([*row[:6], _attached_file(row[6:])]) for row in rows]


def save_annotations(kind: str, wanted: Sequence[tuple[int, Any]], made: MadeObjects) -> None:
    """Save new annotations together with their links to objects, in batches.

    Args:
        kind: Kind of the objects, such as "image".
        wanted: (object id, unsaved annotation).
        made: Collects the ids of the saved objects.
    """
    link = f"{CLASSES[kind]}AnnotationLink"
    for batch in batches(wanted):
        # The undo finds the annotations by their links: one call made both.
        made.save(link, [annotation_link(CLASSES[kind], number, annotation) for number, annotation in batch])


def save_tag(session: Session, tag: Any, made: MadeObjects) -> int:
    """Save a tag or tag set and return its id, or that of the same one that another user made at the same moment."""
    [number] = made.save("TagAnnotation", [tag])
    text, namespace = tag.textValue.val, tag.ns.val if tag.ns is not None else ""
    first = find_usable_tags(session, [text]).get((text, namespace), number)
    if first != number and session.delete_unused("TagAnnotation", number):
        made.ids["TagAnnotation"].remove(number)
        return first
    return number


def link_annotations(session: Session, kind: str, wanted: Iterable[tuple[int, type, int]], made: MadeObjects) -> None:
    """Link existing annotations, given as (object id, class of omero.model, annotation id), to objects."""
    links = [
        annotation_link(CLASSES[kind], object_id, annotation(number, False)) for object_id, annotation, number in wanted
    ]
    save_links(session, f"{CLASSES[kind]}AnnotationLink", links, made)


def annotation_link(model: str, object_id: int, annotation: Any) -> Any:
    """Return an unsaved link between an object of class `model`, such as "Image", and an annotation."""
    import omero.model

    link = getattr(omero.model, f"{model}AnnotationLinkI")()
    link.parent = getattr(omero.model, f"{model}I")(object_id, False)
    link.child = annotation
    return link


def _links(session: Session, kind: str, ids: Sequence[int], annotation: str, fields: str) -> list[list[Any]]:
    """Return a row for each annotation on an object, whoever linked it there; the first cell has the ids of its links.

    `annotation` is the HQL class with alias `a`, with joins if needed.
    """
    hql = _LINKED.format(model=CLASSES[kind], annotation=annotation, fields=fields)
    rows: dict[tuple[int, int], list[Any]] = {}
    for page in batches(ids):
        for link_id, *row in session.rows(hql, ids=page):
            first = rows.setdefault((row[0], row[1]), [(), *row])
            first[0] = (*first[0], link_id)
    return list(rows.values())


def _value_rows(session: Session, kind: str, ids: Sequence[int], annotation: str) -> list[list[Any]]:
    return _links(session, kind, ids, f"{annotation} a", f", a.{ANNOTATION_VALUES[annotation]}")


def _attached_file(row: Sequence[Any]) -> AttachedFile:
    file_id, name, mimetype, size, checksum, hasher = row
    return AttachedFile(file_id, name, mimetype or "", size or 0, checksum if hasher == SHA1 else None)


def _linked(row: Sequence[Any]) -> Linked:
    link_ids, object_id, annotation_id, namespace, description, owner_id, value = row
    return Linked(link_ids, object_id, annotation_id, namespace or "", description or "", owner_id, value)
