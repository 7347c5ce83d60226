"""Import of a crate's annotations onto the copies: existing ones are kept, tags are shared with the group."""

import copy
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from bioimage_suite.omero.annotations.annotations import annotation_link, save_tag
from bioimage_suite.omero.annotations.tags import TAG_SET_NAMESPACE, find_usable_tags
from bioimage_suite.omero.files.original_files import TABLE_MIMETYPE, upload_file
from bioimage_suite.omero.paging import batches, paged_rows
from bioimage_suite.omero.rois.labels import SOURCE_KEY, labels_namespace
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.transfer.contents import TRANSFER_NAMESPACE, annotation_links, load_annotations
from bioimage_suite.omero.transfer.crate import TransferCrate
from bioimage_suite.omero.transfer.document import annotation_content, annotation_element, read_annotation, refs_of
from bioimage_suite.omero.transfer.images import Copies, Key
from bioimage_suite.omero.transfer.marks import save_with_run
from bioimage_suite.omero.transfer.tables import translate_table
from bioimage_suite.omero.undo import MadeObjects, save_links

ANNOTATED = ("Project", "Dataset", "Screen", "Plate", "PlateAcquisition", "Well", "Image")


@dataclass
class Annotations:
    """The annotations of a crate, by id on the source server, and the links to make.

    Attributes:
        elements: The crate's elements by id; ids of images in them are those of the copies.
        ids: Ids of the copies in OMERO, as far as they exist.
        links: Missing links: (class, id of the copy, id of the annotation on the source).
        counted: For each entry of `links` the key of its object.
        files: Ids of the uploaded files, by id of their annotation on the source.
    """

    elements: dict[int, Element]
    run_id: int
    ids: dict[int, int] = field(default_factory=dict)
    links: list[tuple[str, int, int]] = field(default_factory=list)
    counted: list[Key] = field(default_factory=list)
    files: dict[int, int] = field(default_factory=dict)


def plan_annotations(session: Session, head: Element, copies: Copies, run_id: int) -> Annotations:
    """Compare the annotations of the crate with those on the copies.

    Annotations are equal if kind, namespace, description and value are equal. An annotation that an object has twice on
    the source will be on the copy twice.
    """
    notes = Annotations({}, run_id)
    for element in head.iterfind("StructuredAnnotations/*"):
        notes.elements[_number(element.get("ID"))] = _translated(element, copies)
    contents = {number: _content(element) for number, element in notes.elements.items()}
    wanted = list(_wanted(head, copies))
    there: dict[tuple[str, int], list[int]] = {}
    for kind in ANNOTATED:
        ids = {copy_id for key, copy_id, _ in wanted if key[0] == kind}
        there |= {(kind, number): links for number, links in annotation_links(session, kind, ids).items()}
    present = _contents_of(session, {number for links in there.values() for number in links})
    taken: set[int] = set()
    for key, copy_id, source in wanted:
        if source in notes.ids:
            continue
        for number in there.get((key[0], copy_id), ()):
            if number not in taken and present.get(number) == contents[source]:
                notes.ids[source] = number
                taken.add(number)
                break
    for key, copy_id, source in wanted:
        if notes.ids.get(source) not in there.get((key[0], copy_id), ()):
            notes.links.append((key[0], copy_id, source))
            notes.counted.append(key)
    return notes


def annotate(session: Session, crate: TransferCrate, notes: Annotations, made: MadeObjects) -> dict[Key, int]:
    """Make and link missing annotations except OMERO.tables; return how many annotations each object lacked."""
    links = [one for one in notes.links if not _is_table(notes.elements[one[2]])]
    ensure_annotations(session, crate, notes, [source for _, _, source in links], made)
    _link(session, [(kind, copy_id, notes.ids[source]) for kind, copy_id, source in links], made)
    counts: dict[Key, int] = {}
    for key in notes.counted:
        counts[key] = counts.get(key, 0) + 1
    return counts


def attach_tables(
    session: Session, crate: TransferCrate, notes: Annotations, copies: Copies, made: MadeObjects
) -> None:
    """Make and attach missing OMERO.tables. They come last, because their rows refer to images, wells and ROIs."""
    links = [one for one in notes.links if _is_table(notes.elements[one[2]])]
    for source in dict.fromkeys(one[2] for one in links):
        known = source in notes.ids
        ensure_annotations(session, crate, notes, [source], made)
        if not known:
            translate_table(session, notes.files[source], copies)
    _link(session, [(kind, copy_id, notes.ids[source]) for kind, copy_id, source in links], made)


def ensure_annotations(
    session: Session, crate: TransferCrate, notes: Annotations, sources: Sequence[int], made: MadeObjects
) -> None:
    """Make the annotations that have no copy yet; reuse tags of the group and complete tag sets."""
    wanted = [source for source in dict.fromkeys(sources) if source not in notes.ids]
    sets = [number for number, one in notes.elements.items() if _is_set_of(one, wanted) and number not in notes.ids]
    fresh = _known_tags(session, notes, [*wanted, *(one for one in sets if one not in wanted)])
    for source in [one for one in fresh if notes.elements[one].tag == "TagAnnotation"]:
        # Tags are found again by their names: they need no run.
        notes.ids[source] = save_tag(session, read_annotation(notes.elements[source]), made)
    fresh = [one for one in fresh if one not in notes.ids]
    for batch in batches(fresh):
        things = [_new_annotation(session, crate, notes, source, made) for source in batch]
        notes.ids |= dict(zip(batch, save_with_run(notes.run_id, things, made), strict=True))
    _complete_sets(session, notes, wanted, made)


def _is_table(element: Element) -> bool:
    said = element.find("BinaryFile")
    return said is not None and said.get("MIMEType") == TABLE_MIMETYPE


def _content(element: Element) -> str:
    """Return the content that makes annotations equal; for an OMERO.table only its name, as ids differ by server."""
    if _is_table(element):
        element = copy.deepcopy(element)
        for said in element.iter("BinaryFile"):
            said.attrib.pop("Size", None)
        for said in element.iter("External"):
            said.attrib.pop("SHA1", None)
    return annotation_content(element)


def _translated(element: Element, copies: Copies) -> Element:
    """Replace the source image id in the key-value pairs of a label image by the id of the copy."""
    if not (element.get("Namespace") or "").startswith(labels_namespace("")):
        return element
    element = copy.deepcopy(element)
    for pair in element.iterfind("Value/M"):
        if pair.get("K") == SOURCE_KEY and (pair.text or "").isdecimal():
            pair.text = str(copies.ids.get(("Image", int(pair.text or 0)), pair.text))
    return element


def _wanted(head: Element, copies: Copies) -> Iterator[tuple[Key, int, int]]:
    """Yield (key, id of the copy, id of the annotation on the source) of every link."""
    for element in head.iter():
        kind, _, number = (element.get("ID") or "").partition(":")
        if kind == element.tag and kind in ANNOTATED and (key := (kind, int(number))) in copies.ids:
            for reference in refs_of(element, "AnnotationRef"):
                yield key, copies.ids[key], _number(reference)


def _contents_of(session: Session, ids: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for number, one in load_annotations(session, ids).items():
        element = annotation_element(one)
        file = getattr(one, "file", None)
        if file is not None:
            _add_file(element, file)
        found[number] = _content(element)
    return found


def _add_file(element: Element, file: Any) -> None:
    from xml.etree.ElementTree import SubElement

    said = {"FileName": file.name.val, "Size": str(file.size.val if file.size is not None else 0)}
    if file.mimetype is not None and file.mimetype.val:
        said["MIMEType"] = file.mimetype.val
    SubElement(SubElement(element, "BinaryFile", said), "External", SHA1=file.hash.val if file.hash is not None else "")


def _known_tags(session: Session, notes: Annotations, sources: Sequence[int]) -> list[int]:
    """Reuse the group's tags, the oldest usable one of each name and namespace; return the annotations to make."""
    tags = {source: notes.elements[source] for source in sources if notes.elements[source].tag == "TagAnnotation"}
    texts = sorted({one.findtext("Value") or "" for one in tags.values()})
    known = find_usable_tags(session, texts)
    fresh: dict[tuple[str, str], int] = {}
    for source, one in tags.items():
        name = (one.findtext("Value") or "", one.get("Namespace") or "")
        if name in known:
            notes.ids[source] = known[name]
        else:
            fresh.setdefault(name, source)
    return [source for source in sources if source not in notes.ids]


def _is_set_of(element: Element, sources: Sequence[int]) -> bool:
    members = {_number(one) for one in refs_of(element, "AnnotationRef")}
    return element.get("Namespace") == TAG_SET_NAMESPACE and not members.isdisjoint(sources)


def _new_annotation(session: Session, crate: TransferCrate, notes: Annotations, source: int, made: MadeObjects) -> Any:
    """Return a new annotation; its file, if it has one, is uploaded."""
    from omero.model import OriginalFileI

    element = notes.elements[source]
    annotation = read_annotation(element)
    said = element.find("BinaryFile")
    if said is not None:
        file = crate.manifest.attachments[source]
        name, kind = said.get("FileName") or posixpath.basename(file.path), said.get("MIMEType") or ""
        with crate.fetched([file]) as [path]:
            file_id = upload_file(
                session, path, name=name, mimetype=kind, sha1=file.sha1, mark=TRANSFER_NAMESPACE, made=made
            )
        notes.files[source] = file_id
        annotation.file = OriginalFileI(file_id, False)
    return annotation


def _complete_sets(session: Session, notes: Annotations, sources: Sequence[int], made: MadeObjects) -> None:
    from omero.model import AnnotationAnnotationLinkI, TagAnnotationI

    wanted = [
        (notes.ids[number], notes.ids[member])
        for number, one in notes.elements.items()
        if _is_set_of(one, sources)
        for member in map(_number, refs_of(one, "AnnotationRef"))
        if member in notes.ids
    ]
    hql = "select l.parent.id, l.child.id from AnnotationAnnotationLink l where l.parent.id in (:ids)"
    there = {tuple(row) for row in paged_rows(session, hql, {one for one, _ in wanted})}
    links = []
    for holder, member in dict.fromkeys(wanted):
        if (holder, member) not in there:
            link = AnnotationAnnotationLinkI()
            link.parent, link.child = TagAnnotationI(holder, False), TagAnnotationI(member, False)
            links.append(link)
    save_links(session, "AnnotationAnnotationLink", links, made)


def _link(session: Session, wanted: Sequence[tuple[str, int, int]], made: MadeObjects) -> None:
    from omero.model import MapAnnotationI

    for kind in dict.fromkeys(one[0] for one in wanted):
        links = [
            annotation_link(kind, copy_id, MapAnnotationI(annotation_id, False))
            for _, copy_id, annotation_id in (one for one in wanted if one[0] == kind)
        ]
        for page in batches(links):
            save_links(session, f"{kind}AnnotationLink", page, made)


def _number(text: str | None) -> int:
    return int((text or "").rpartition(":")[2])
