"""Import of a crate's ROIs onto the copies of their images; complete sets are kept."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.transfer.annotations import Annotations, ensure_annotations
from bioimage_suite.omero.transfer.crate import TransferCrate
from bioimage_suite.omero.transfer.document import read_roi, read_rois, refs_of
from bioimage_suite.omero.transfer.images import Copies
from bioimage_suite.omero.transfer.marks import ROI_NAMESPACE, find_marks, new_mark, save_mark
from bioimage_suite.omero.undo import MadeObjects

BATCH, BATCH_BYTES = 500, 32 << 20  # ROIs and bytes of their shapes per call: far below Ice's limit for a message.


def import_rois(
    session: Session,
    crate: TransferCrate,
    document: Path,
    *,
    images: Mapping[int, Element],
    copies: Copies,
    notes: Annotations,
    made: MadeObjects,
) -> tuple[dict[int, int], list[int]]:
    """Make the ROIs of every image whose set is not complete.

    Returns:
        The number of ROIs made, by image id on the source, and the ids of those that they replace.

    The ids of all ROIs are added to `copies`.

    The ROIs of an image share one mark with the checksum of their source. A set with another checksum or with missing
    ROIs, left by an interrupted run or made from an older state of the source, is replaced.
    """
    sets = crate.manifest.rois
    names = {crate.manifest.lsid(f"Image:{number}"): number for number in sets if number in images}
    marks = {names[source]: mark for source, mark in find_marks(session, names, ROI_NAMESPACE, ("Roi",)).items()}
    owner = {roi: number for number, one in images.items() for roi in refs_of(one, "ROIRef")}
    done: dict[int, int] = {}
    old: list[int] = []
    for number, group in groupby(read_rois(document), lambda one: owner.get(str(one.get("ID")))):
        if number is None or number not in sets:
            raise UserError("crate: metadata.ome.xml holds a ROI of no image. Pack the crate again.")
        mark, wanted = marks.get(number), sets[number]
        if mark and mark.state == wanted.sha1 and len(mark.objects["Roi"]) == wanted.count:
            # Both are in the order of their creation.
            copies.ids |= {("Roi", _number(one)): roi for one, roi in zip(group, mark.objects["Roi"], strict=True)}
            continue
        old += mark.objects["Roi"] if mark else []
        source = crate.manifest.lsid(f"Image:{number}")
        mark_id = save_mark(new_mark(source, wanted.sha1, ROI_NAMESPACE), made)
        for batch in _batches(group):
            ensure_annotations(session, crate, notes, [ref for one in batch for ref in _refs(one)], made)
            rois = [_roi(one, copies.ids["Image", number], mark_id, notes) for one in batch]
            ids = made.save("Roi", rois)
            copies.ids |= {("Roi", _number(one)): roi for one, roi in zip(batch, ids, strict=True)}
            done[number] = done.get(number, 0) + len(batch)
        print(f"image {number}: {done[number]} ROIs", flush=True)
    return done, old


def _batches(elements: Iterable[Element]) -> Iterator[list[Element]]:
    batch: list[Element] = []
    size = 0
    for element in elements:
        batch.append(element)
        size += sum(len(one.get("Points", "")) + len(one.findtext("BinData") or "") for one in element.iter())
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _refs(element: Element) -> list[int]:
    return [_number(one) for one in element.iter("AnnotationRef")]


def _number(element: Element) -> int:
    return int(str(element.get("ID")).partition(":")[2])


def _roi(element: Element, image_id: int, mark_id: int, notes: Annotations) -> Any:
    from omero.model import ImageI, MapAnnotationI

    roi = read_roi(element)
    roi.image = ImageI(image_id, False)
    roi.linkAnnotation(MapAnnotationI(mark_id, False))
    shapes = list(element.iterfind("Union/*"))
    for thing, drawn in zip((roi, *roi.copyShapes()), (element, *shapes), strict=True):
        for reference in drawn.iterfind("AnnotationRef"):
            thing.linkAnnotation(MapAnnotationI(notes.ids[_number(reference)], False))
    return roi
