"""Regions of interest in OMERO: made in batches, marked as ours, found again by the mark."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from label_shapes import LabelledShape, Polygon
from omero_session import NAMESPACE, Session
from omero_undo import MadeObjects

BATCH = 1000  # ROIs a call: a few megabytes, far below Ice's limit for a message.
YELLOW, CLEAR_YELLOW = -65281, -65472  # RGBA as signed 32 bit: 0xFFFF00FF, 0xFFFF0040.


@dataclass(frozen=True)
class PlacedShape:
    """A shape with its plane; None for z or t means that it holds for all of them."""

    shape: LabelledShape
    z: int | None
    t: int | None


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
    objects: Mapping[int, Sequence[PlacedShape]],
    *,
    name: str,
    pairs: Mapping[str, str],
    made: MadeObjects,
) -> Iterator[tuple[int, int]]:
    """Save one ROI an object, marked by one annotation, and yield (label, id of the ROI) of each.

    Args:
        session: An open session.
        image_id: The image.
        objects: The shapes of each label.
        name: The set's name; becomes the name of each ROI.
        pairs: Key-value pairs for the mark: where the ROIs come from.
        made: Learns the ids of what was saved.
    """
    from omero.model import ImageI, MapAnnotationI, NamedValue
    from omero.rtypes import rstring

    if not objects:
        return
    mark = MapAnnotationI()
    mark.ns = rstring(roi_namespace(name))
    mark.mapValue = [NamedValue(key, value) for key, value in pairs.items()]
    mark_id = session.update.saveAndReturnIds([mark])[0]
    made.add("MapAnnotation", [mark_id])
    labels = list(objects)
    for start in range(0, len(labels), BATCH):
        batch = labels[start : start + BATCH]
        image, annotation = ImageI(image_id, False), MapAnnotationI(mark_id, False)
        ids = session.update.saveAndReturnIds([_roi(image, annotation, name, objects[label]) for label in batch])
        made.add("Roi", ids)
        yield from zip(batch, ids, strict=True)


def _roi(image: Any, mark: Any, name: str, shapes: Sequence[PlacedShape]) -> Any:
    from omero.model import RoiI
    from omero.rtypes import rstring

    roi = RoiI()
    roi.image = image
    roi.name = rstring(name)
    roi.linkAnnotation(mark)
    for shape in shapes:
        roi.addShape(_shape(shape))
    return roi


def _shape(placed: PlacedShape) -> Any:
    from omero.model import MaskI, PolygonI
    from omero.rtypes import rdouble, rint, rstring

    found = placed.shape.shape
    if isinstance(found, Polygon):
        shape = PolygonI()
        shape.points = rstring(" ".join(f"{x:g},{y:g}" for x, y in found.points))
        shape.strokeColor = rint(YELLOW)
    else:
        shape = MaskI()
        shape.x, shape.y = rdouble(found.x), rdouble(found.y)
        shape.width, shape.height = rdouble(found.width), rdouble(found.height)
        shape.bytes = found.bits
        shape.fillColor = rint(CLEAR_YELLOW)
    shape.textValue = rstring(str(placed.shape.label))
    if placed.z is not None:
        shape.theZ = rint(placed.z)
    if placed.t is not None:
        shape.theT = rint(placed.t)
    return shape
