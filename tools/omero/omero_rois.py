"""Regions of interest in OMERO: made in batches, marked as ours, found again by the mark."""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from omero_roi_shapes import NUMBERS, RoiShape, points_text
from omero_session import NAMESPACE, Session
from omero_undo import MadeObjects

BATCH = 1000  # ROIs a call: a few megabytes, far below Ice's limit for a message.
COLLECTOR_THRESHOLDS = (200_000, 10, 10)  # Python's own are 700, 10, 10
YELLOW, CLEAR_YELLOW = -65281, -65472  # RGBA as signed 32 bit: 0xFFFF00FF, 0xFFFF0040.
_PATTERN = ("theZ", "theT", "theC", "strokeColor", "fillColor")
_TRANSFORM = ("a00", "a10", "a01", "a11", "a02", "a12")


def roi_namespace(name: str) -> str:
    """The namespace of the annotation that marks the ROIs of a set, such as "nuclei".

    The mark is one MapAnnotation an image and a run, linked to each of its ROIs: it survives in any OMERO client, and
    one query finds all ROIs of a set. A ROI's own fields have no place that clients leave alone.
    """
    return f"{NAMESPACE}/rois/{name}"


def find_own_rois(session: Session, image_ids: Sequence[int], name: str) -> dict[int, dict[str, list[int]]]:
    """Find the ROIs of a set that this user made with this suite.

    Returns:
        For each image that has any: ids by class ("Roi" and "MapAnnotation").
    """
    rows = session.rows(
        "select i.id, r.id, a.id from Roi r join r.image i join r.annotationLinks l join l.child a "
        "where i.id in (:ids) and a.ns = :ns and r.details.owner.id = :me order by r.id",
        ids=image_ids,
        ns=roi_namespace(name),
        me=session.user_id,
    )
    found: dict[int, dict[str, list[int]]] = {}
    for image_id, roi_id, annotation_id in rows:
        own = found.setdefault(image_id, {"Roi": [], "MapAnnotation": []})
        own["Roi"].append(roi_id)
        if annotation_id not in own["MapAnnotation"]:
            own["MapAnnotation"].append(annotation_id)
    return found


def save_rois(
    session: Session,
    image_id: int,
    objects: Iterable[tuple[int, Sequence[RoiShape]]],
    *,
    name: str,
    pairs: Mapping[str, str],
    made: MadeObjects,
) -> Iterator[tuple[int, int]]:
    """Save one ROI an object, marked by one annotation, and yield (label, id of the ROI) of each.

    Args:
        session: An open session.
        image_id: The image.
        objects: Label and shapes of each; taken a batch at a time, while the server saves the one before.
        name: The set's name; becomes the name of each ROI whose shapes have no name of their own.
        pairs: Key-value pairs for the mark: where the ROIs come from.
        made: Learns the ids of what was saved.
    """
    from omero.model import ImageI, MapAnnotationI, NamedValue
    from omero.rtypes import rstring

    # A batch is tens of thousands of objects, none of them garbage before it is sent.
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    objects, image = iter(objects), ImageI(image_id, False)
    first = next(objects, None)
    if first is None:
        return
    mark = MapAnnotationI()
    mark.ns = rstring(roi_namespace(name))
    mark.mapValue = [NamedValue(key, value) for key, value in pairs.items()]
    # The mark comes with the first ROI in one transaction: if the connection breaks, no mark is left without any.
    [roi_id] = session.update.saveAndReturnIds([_roi(image, mark, name, first[1])])
    made.add("Roi", [roi_id])
    [[mark_id]] = session.rows("select l.child.id from RoiAnnotationLink l where l.parent.id = :roi", roi=roi_id)
    made.add("MapAnnotation", [mark_id])
    yield first[0], roi_id
    batch = list(islice(objects, BATCH))
    waiting = _Waiting(session, made)
    try:
        while batch:
            annotation = MapAnnotationI(mark_id, False)
            rois = [_roi(image, annotation, name, shapes) for _, shapes in batch]
            yield from waiting.swap([label for label, _ in batch], rois)
            batch = list(islice(objects, BATCH))
        yield from waiting.swap([], [])
    except BaseException:
        with suppress(Exception):  # What is still under way may come through: it has to be known to be taken back.
            list(waiting.swap([], []))
        raise


class _Waiting:
    """One call under way: while the server saves a batch of ROIs, the next is put together."""

    def __init__(self, session: Session, made: MadeObjects) -> None:
        self._update, self._made = session.update, made
        self._labels: Sequence[int] = ()
        self._call: Any = None

    def swap(self, labels: Sequence[int], rois: Sequence[Any]) -> Iterator[tuple[int, int]]:
        """Send a batch, if there is one, and give (label, id of the ROI) of the one before, once it is saved."""
        sent = self._update.begin_saveAndReturnIds(rois) if rois else None
        for roi in rois:
            vars(roi).clear()  # Sent; it refers to its shapes, and they to it, which only the collector would find.
        done, self._labels, self._call = (self._labels, self._call), labels, sent
        if done[1] is not None:
            ids = self._update.end_saveAndReturnIds(done[1])
            self._made.add("Roi", ids)
            yield from zip(done[0], ids, strict=True)


def _roi(image: Any, mark: Any, name: str, shapes: Sequence[RoiShape]) -> Any:
    roi, link = _copy(_empty("Roi")), _copy(_empty("RoiAnnotationLink"))
    roi.image, roi.name = image, _text(shapes[0].roi_name or name)
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
    shape = _copy(_shape_pattern(found.kind, (found.z, found.t, found.c, stroke, fill), found.stroke_width))
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
        for name, number in zip(_TRANSFORM, found.transform, strict=True):
            setattr(shape.transform, name, rdouble(number))
    return shape


# omero-py fills each new object with dozens of defaults, one by one: that takes longer than sending it. So what many
# ROIs say alike is made once and copied.


def _copy(pattern: Any) -> Any:
    """An object of omero.model with the same values, and lists and details of its own."""
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
def _shape_pattern(kind: str, numbers: tuple[int | None, ...], stroke_width: float | None) -> Any:
    """A shape with all that is alike for most objects of an image; `numbers` are those of `_PATTERN`."""
    import omero.model
    from omero.rtypes import rint

    shape = getattr(omero.model, f"{kind.capitalize()}I")()
    for name, number in zip(_PATTERN, numbers, strict=True):
        if number is not None:
            setattr(shape, name, rint(number))
    if stroke_width is not None:
        shape.strokeWidth = omero.model.LengthI(stroke_width, omero.model.enums.UnitsLength.PIXEL)
    return shape


@lru_cache
def _text(value: str) -> Any:
    from omero.rtypes import rstring

    return rstring(value)
