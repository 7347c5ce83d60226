"""Regions of interest in OMERO: saved in batches, marked as made by this suite, and found by that mark."""

import gc
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from bioimage_suite.core.stopping import holding
from bioimage_suite.omero.annotations.annotations import pair_values
from bioimage_suite.omero.named_files import is_same_element
from bioimage_suite.omero.rois.shapes import NUMBERS, TRANSFORM, RoiShape, points_text
from bioimage_suite.omero.session import SUITE_NAMESPACE, Session
from bioimage_suite.omero.undo import MadeObjects

BATCH = 1000  # ROIs per call: a few megabytes, far below Ice's limit for a message.
COLLECTOR_THRESHOLDS = (200_000, 10, 10)  # Python's defaults are 700, 10, 10.
FILE_KEY = "file"  # Of the mark: the identifier of the file that ROIs are made from.
YELLOW, CLEAR_YELLOW = -65281, -65472  # RGBA as signed 32 bit: 0xFFFF00FF, 0xFFFF0040.
_PATTERN = ("theZ", "theT", "theC", "strokeColor", "fillColor")


def roi_namespace(name: str) -> str:
    """Return the namespace of the annotation that marks the ROIs of a set, such as "nuclei".

    The mark is one MapAnnotation per image and run, linked to each of the ROIs: it survives edits in any OMERO client,
    and one query finds all ROIs of a set. Clients may overwrite every field of the ROI itself.
    """
    return f"{SUITE_NAMESPACE}/rois/{name}"


def find_own_rois(session: Session, elements: Mapping[int, str], name: str) -> dict[int, dict[str, list[int]]]:
    """Find the ROIs of a set that this user made with this suite from the same elements.

    Args:
        session: An open session.
        elements: By id of the image, the identifier of the file that the ROIs are made from.
        name: Name of the set.

    Returns:
        For each image with such ROIs: ids by class ("Roi" and "MapAnnotation").
    """
    rows = session.rows(
        "select i.id, r.id, a.id from Roi r join r.image i join r.annotationLinks l join l.child a "
        "where i.id in (:ids) and a.ns = :ns and r.details.owner.id = :me order by r.id",
        ids=list(elements),
        ns=roi_namespace(name),
        me=session.user_id,
    )
    files = pair_values(session, {row[2] for row in rows}, FILE_KEY)
    found: dict[int, dict[str, list[int]]] = {}
    for image_id, roi_id, annotation_id in rows:
        if not is_same_element(files.get(annotation_id), elements[image_id]):
            continue
        own = found.setdefault(image_id, {"Roi": [], "MapAnnotation": []})
        own["Roi"].append(roi_id)
        if annotation_id not in own["MapAnnotation"]:
            own["MapAnnotation"].append(annotation_id)
    return found


@dataclass(frozen=True)
class ImageRois:
    """What becomes ROIs of an image.

    Attributes:
        image_id: The image.
        labelled: Label and shapes of each segmented object.
        pairs: Key-value pairs for the mark: the origin of the ROIs.
    """

    image_id: int
    labelled: Iterable[tuple[int, Sequence[RoiShape]]]
    pairs: Mapping[str, str]


def save_rois(
    session: Session, images: Iterable[ImageRois], *, name: str, made: MadeObjects
) -> Generator[tuple[int, int, int], None, None]:
    """Save one ROI per segmented object, those of an image marked by one annotation.

    Args:
        session: An open session.
        images: The images and their objects, taken one batch at a time, while the server saves the batch before.
        name: Name of the set; also the name of each ROI whose shapes have no `roi_name`.
        made: Collects the ids of what is saved.

    Yields:
        Number of the image (from 0), label, and id of the ROI, of each ROI in the order of the images and labels.
    """
    # A batch has tens of thousands of objects, none of which is garbage before the batch is sent.
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    waiting = _Waiting(session, made)
    try:
        for number, image in enumerate(images):
            yield from _save_image(session, number, image, name, waiting)
        yield from waiting.swap(_Batch(0))
    except BaseException:
        with suppress(Exception):  # The call in flight may succeed: its ids are needed to undo it.
            list(waiting.swap(_Batch(0)))
        raise


def _save_image(
    session: Session, number: int, image: ImageRois, name: str, waiting: "_Waiting"
) -> Iterator[tuple[int, int, int]]:
    """Send the ROIs of an image; yield what came of those sent before."""
    from omero.model import ImageI, MapAnnotationI, NamedValue
    from omero.rtypes import rlong, rstring

    labelled, target = iter(image.labelled), ImageI(image.image_id, False)
    first = next(labelled, None)
    if first is None:
        return
    mark, saved_mark = MapAnnotationI(), MapAnnotationI(0, False)
    mark.ns = rstring(roi_namespace(name))
    mark.mapValue = [NamedValue(key, value) for key, value in image.pairs.items()]
    # Built while the server still saves those of the image before; the number of their mark is known when it is saved.
    labels, rois = _built(labelled, target, saved_mark, name)
    # The mark is saved with the first ROI in one transaction: a broken connection leaves no mark without a ROI.
    with holding():
        [roi_id] = waiting.made.save("Roi", [_roi(target, mark, name, first[1])])
        [[mark_id]] = session.rows("select l.child.id from RoiAnnotationLink l where l.parent.id = :roi", roi=roi_id)
        waiting.made.add("MapAnnotation", [mark_id])
    saved_mark.setId(rlong(mark_id))
    yield from waiting.swap(_Batch(number, (first[0],), (roi_id,)))
    while rois:
        yield from waiting.swap(_Batch(number, labels), rois)
        labels, rois = _built(labelled, target, saved_mark, name)


def _built(
    labelled: Iterator[tuple[int, Sequence[RoiShape]]], image: Any, mark: Any, name: str
) -> tuple[tuple[int, ...], list[Any]]:
    """Return the labels and the ROIs of the next batch of an image."""
    batch = list(islice(labelled, BATCH))
    return tuple(label for label, _ in batch), [_roi(image, mark, name, shapes) for _, shapes in batch]


@dataclass(frozen=True)
class _Batch:
    """ROIs of an image that were sent: their labels, and their ids or the call that will tell them."""

    number: int
    labels: Sequence[int] = ()
    ids: Sequence[int] = ()
    call: Any = None


class _Waiting:
    """One call in flight: while the server saves a batch of ROIs, the next is built, also that of the next image."""

    def __init__(self, session: Session, made: MadeObjects) -> None:
        self._update, self.made = session.update, made
        self._batches: list[_Batch] = []

    def swap(self, batch: _Batch, rois: Sequence[Any] = ()) -> Iterator[tuple[int, int, int]]:
        """Send a batch; then wait for those before, and yield number of the image, label and id of each of their ROIs.

        A batch without a call does not wait for one: it is told with the next that does, in its order.
        """
        with holding():
            done = self._change(batch, rois)
        for roi in rois:
            vars(roi).clear()  # Sent: break the cycle of ROI and shapes, which only the garbage collector would free.
        for one in done:
            for label, roi_id in zip(one.labels, one.ids, strict=True):
                yield one.number, label, roi_id

    def _change(self, batch: _Batch, rois: Sequence[Any]) -> list[_Batch]:
        """Send a batch, and return those before with their ids."""
        if batch.ids:
            self._batches.append(batch)
            return []
        if rois:
            self.made.stay_alone()
        call = self._update.begin_saveAndReturnIds(rois) if rois else None
        sent, self._batches = self._batches, [replace(batch, call=call)] if rois else []
        return [self._ended(one) for one in sent]

    def _ended(self, batch: _Batch) -> _Batch:
        if batch.call is None:
            return batch
        ids = self._update.end_saveAndReturnIds(batch.call)
        self.made.add("Roi", ids)
        return replace(batch, ids=ids)


def _roi(image: Any, mark: Any, name: str, shapes: Sequence[RoiShape]) -> Any:
    roi, link = _copy(_empty("Roi")), _copy(_empty("RoiAnnotationLink"))
    roi.image, roi.name = image, _text(shapes[0].roi_name or name)
    if description := next((one.description for one in shapes if one.description), None):
        roi.description = _text(description)
    link.link(roi, mark)
    roi.addRoiAnnotationLinkToBoth(link, True)
    for shape in shapes:
        roi.addShape(_shape(shape))
    return roi


def _shape(found: RoiShape) -> Any:
    from omero.rtypes import rdouble, rstring

    stroke, fill = found.stroke, found.fill
    if stroke is None and fill is None:
        stroke, fill = (None, CLEAR_YELLOW) if found.kind == "mask" else (YELLOW, None)
    shape = _copy(
        _shape_pattern(found.kind, (found.z, found.t, found.c, stroke, fill), found.stroke_width, found.text_size)
    )
    for name, number in zip(NUMBERS[found.kind], found.numbers, strict=True):
        setattr(shape, name, rdouble(number))
    if found.kind in ("polygon", "polyline"):
        shape.points = rstring(points_text(found.points))
    elif found.kind == "mask":
        shape.bytes = found.bits
    if found.text is not None:
        shape.textValue = rstring(found.text)
    if found.transform is not None:
        shape.transform = _copy(_empty("AffineTransform"))
        for name, number in zip(TRANSFORM, found.transform, strict=True):
            setattr(shape.transform, name, rdouble(number))
    return shape


# omero-py sets dozens of defaults on each new object, one by one, which takes longer than sending it. So the parts that
# many ROIs share are built once and copied.


def _copy(pattern: Any) -> Any:
    """Copy an object of omero.model: share its values, copy its lists and details."""
    made = object.__new__(type(pattern))
    vars(made).update({name: value[:] if type(value) is list else value for name, value in vars(pattern).items()})
    if pattern._details is not None:
        made._details = object.__new__(type(pattern._details))
        vars(made._details).update(vars(pattern._details))
    return made


@cache
def _empty(name: str) -> Any:
    import omero.model

    return getattr(omero.model, f"{name}I")()


@lru_cache
def _shape_pattern(
    kind: str, numbers: tuple[int | None, ...], stroke_width: float | None, text_size: float | None
) -> Any:
    """Build a shape with the fields that most shapes of an image share; `numbers` are the values of `_PATTERN`."""
    import omero.model
    from omero.rtypes import rint

    shape = getattr(omero.model, f"{kind.capitalize()}I")()
    for name, number in zip(_PATTERN, numbers, strict=True):
        if number is not None:
            setattr(shape, name, rint(number))
    if stroke_width is not None:
        shape.strokeWidth = omero.model.LengthI(stroke_width, omero.model.enums.UnitsLength.PIXEL)
    if text_size is not None:
        shape.fontSize = omero.model.LengthI(text_size, omero.model.enums.UnitsLength.POINT)
    return shape


@lru_cache
def _text(value: str) -> Any:
    from omero.rtypes import rstring

    return rstring(value)
