"""Shapes of regions of interest in OMERO, all kinds, read in few queries."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.session import Session

PAGE = 1000  # Images, or ROIs with their shapes, per query.

LARGEST_LABEL = 2**31 - 1  # OMERO and Galaxy's tools handle label maps of up to 32 bit, signed.
KINDS = ("polygon", "rectangle", "ellipse", "mask", "point", "line", "polyline", "label")
NUMBERS = {
    "rectangle": ("x", "y", "width", "height"),
    "mask": ("x", "y", "width", "height"),
    "ellipse": ("x", "y", "radiusX", "radiusY"),
    "point": ("x", "y"),
    "label": ("x", "y"),
    "line": ("x1", "y1", "x2", "y2"),
    "polygon": (),
    "polyline": (),
}
TRANSFORM = ("a00", "a10", "a01", "a11", "a02", "a12")
"""Fields of an affine transform in OMERO, in the order of `RoiShape.transform`; OME-XML has them in upper case."""


@dataclass(frozen=True)
class RoiShape:
    """One shape of a ROI, in OMERO's coordinates (the upper left pixel covers 0 to 1).

    A shape that is not in OMERO yet has `shape_id` 0, and its `roi_id` only groups the shapes of a ROI.

    Attributes:
        image_id: Id of the image.
        roi_id: Id of the ROI.
        roi_name: Name of the ROI.
        shape_id: Id of the shape.
        kind: One of `KINDS`.
        z: z-plane from 0; None means all.
        t: Time point from 0; None means all.
        c: Channel from 0; None means all.
        text: Text of the shape.
        numbers: x, y, width, height of a rectangle or mask; x, y, radiusX, radiusY of an ellipse; x, y of a point or
            label; x1, y1, x2, y2 of a line.
        points: Corners (x, y) of a polygon or polyline.
        bits: A mask's pixels, packed row by row, most significant bit first.
        transform: (a00, a10, a01, a11, a02, a12) of an affine transform: x' = a00 x + a01 y + a02 and
            y' = a10 x + a11 y + a12.
        stroke: Colour of the line: red, green, blue, alpha in a signed 32-bit integer.
        fill: Colour of the area.
        stroke_width: Width of the line in pixels.
        text_size: Size of the text in points.
        description: Description of the ROI.
    """

    image_id: int
    roi_id: int
    roi_name: str | None
    shape_id: int
    kind: str
    z: int | None = None
    t: int | None = None
    c: int | None = None
    text: str | None = None
    numbers: tuple[float, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    bits: bytes = b""
    transform: tuple[float, ...] | None = None
    stroke: int | None = None
    fill: int | None = None
    stroke_width: float | None = None
    text_size: float | None = None
    description: str | None = None


def load_shapes(session: Session, image_ids: Sequence[int], roi_name: str = "") -> dict[int, list[RoiShape]]:
    """Load all shapes of images, ordered by ROI and shape.

    One query per 1,000 images, and one per 1,000 of their ROIs.

    Args:
        session: An open session.
        image_ids: The images.
        roi_name: Only ROIs of this name; empty means all.

    Returns:
        The shapes by image id; images without shapes have an empty list.
    """
    hql = "select r.id from Roi r where r.image.id in (:ids)"
    chosen: dict[str, Any] = {}
    if roi_name:
        hql, chosen = f"{hql} and r.name = :name", {"name": roi_name}
    roi_ids: list[int] = []
    for page in batches(image_ids, PAGE):
        roi_ids += [row[0] for row in session.rows(hql, ids=page, **chosen)]
    roi_ids.sort()
    shapes: dict[int, list[RoiShape]] = {image_id: [] for image_id in image_ids}
    for page in batches(roi_ids, PAGE):
        rois = session.objects(
            "select distinct r from Roi r join fetch r.image left outer join fetch r.shapes s "
            "left outer join fetch s.transform where r.id in (:ids)",
            ids=page,
        )
        for roi in sorted(rois, key=lambda one: one.id.val):
            shapes[roi.image.id.val] += _shapes(roi)
    return shapes


def roi_labels(shapes: Sequence[RoiShape]) -> dict[int, int]:
    """Return the label of each ROI, by ROI id: the text of its shapes, if these are unique whole numbers for all ROIs.

    Labels are 1 to 2^31 - 1. Otherwise ROIs are numbered from 1 in the order of their ids.
    """
    texts: dict[int, set[str | None]] = {}
    for shape in shapes:
        texts.setdefault(shape.roi_id, set()).add(shape.text)
    labels = {
        roi_id: int(text)
        for roi_id, found in texts.items()
        if len(found) == 1 and (text := next(iter(found))) and text.isascii() and text.isdecimal()
    }
    good = len(labels) == len(texts) == len(set(labels.values()))
    good = good and all(0 < number <= LARGEST_LABEL for number in labels.values())
    return labels if good else {roi_id: number for number, roi_id in enumerate(sorted(texts), 1)}


def number_text(number: float) -> str:
    """Return the shortest text that gives exactly this number again.

    >>> number_text(3.0), number_text(0.1), number_text(1234567.5)
    ('3', '0.1', '1234567.5')
    """
    return repr(float(number)).removesuffix(".0")


def points_text(points: Sequence[tuple[float, float]]) -> str:
    """Format points (x, y) as OMERO writes them.

    >>> points_text([(1.0, 2.0), (3.5, 4.0)])
    '1,2 3.5,4'
    """
    # Like number_text, but for all numbers at once: an outline has many points.
    text = " ".join([f"{x},{y}" for x, y in points])
    return text.replace(".0,", ",").replace(".0 ", " ").removesuffix(".0")


def _shapes(roi: Any) -> Iterator[RoiShape]:
    from omero.rtypes import unwrap

    for shape in sorted((one for one in roi.copyShapes() if one is not None), key=lambda one: one.id.val):
        kind = type(shape).__name__.removesuffix("I").lower()
        yield RoiShape(
            image_id=roi.image.id.val,
            roi_id=roi.id.val,
            roi_name=unwrap(roi.name) or None,
            shape_id=shape.id.val,
            kind=kind,
            z=_place(shape.theZ),
            t=_place(shape.theT),
            c=_place(shape.theC),
            text=unwrap(shape.textValue) or None,
            numbers=tuple(float(unwrap(getattr(shape, name)) or 0) for name in NUMBERS.get(kind, ())),
            points=_points(unwrap(shape.points)) if kind in ("polygon", "polyline") else (),
            # Depending on its version, Ice returns bytes as signed numbers or as bytes.
            bits=bytes(byte & 255 for byte in shape.bytes or ()) if kind == "mask" else b"",
            transform=_transform(shape.transform),
            stroke=unwrap(shape.strokeColor),
            fill=unwrap(shape.fillColor),
            stroke_width=_length(shape.strokeWidth, "PIXEL"),
            text_size=_length(shape.fontSize, "POINT"),
            description=unwrap(roi.description) or None,
        )


def _place(value: Any) -> int | None:
    """Return a plane, time point or channel; None means all, which OMERO leaves empty and some clients write as -1."""
    return None if value is None or value.val < 0 else int(value.val)


def _length(length: Any, unit: str) -> float | None:
    """Return the width of a line or the size of a text; None if it has another unit, which is left to the viewer."""
    return float(length.getValue()) if length is not None and length.getUnit().name == unit else None


def shape_points(shape: RoiShape) -> list[tuple[float, float]]:
    """Return the points (x, y) that a shape is drawn through, before its transform; for an ellipse its centre."""
    numbers = shape.numbers
    if shape.kind in ("polygon", "polyline"):
        return list(shape.points)
    if shape.kind in ("rectangle", "mask"):
        x, y, width, height = numbers
        return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    if shape.kind == "line":
        return [(numbers[0], numbers[1]), (numbers[2], numbers[3])]
    return [(numbers[0], numbers[1])]


def transformed(shape: RoiShape, points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Apply the affine transform of a shape to points (x, y)."""
    if shape.transform is None:
        return list(points)
    a00, a10, a01, a11, a02, a12 = shape.transform
    return [(a00 * x + a01 * y + a02, a10 * x + a11 * y + a12) for x, y in points]


def _points(text: str | None) -> tuple[tuple[float, float], ...]:
    """Parse points from OMERO's text `x,y x,y ...`, or OMERO.insight's old form `points[x,y, x,y] points1[...`.

    >>> _points("1,2 3.5,4"), _points("points[1,2, 3.5,4] points1[9,9]")
    (((1.0, 2.0), (3.5, 4.0)), ((1.0, 2.0), (3.5, 4.0)))
    """
    text = (text or "").strip()
    if text.startswith("points["):
        text = text.removeprefix("points[").partition("]")[0]
    numbers = [float(number) for number in text.replace(",", " ").split()]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _transform(transform: Any) -> tuple[float, ...] | None:
    if transform is None:
        return None
    values = tuple(float(getattr(transform, name).val) for name in TRANSFORM)
    return None if values == (1, 0, 0, 1, 0, 0) else values
