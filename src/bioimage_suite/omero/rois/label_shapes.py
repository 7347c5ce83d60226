"""Conversion of segmented objects of label maps to outlines and masks, and back, without losing a pixel.

Coordinates are those of OMERO, ImageJ and QuPath: pixel (column, row) covers the square from (column, row) to
(column + 1, row + 1), so its centre is at +0.5. An outline runs along the edges of the pixels, never through them.
Fill rule: a pixel belongs to a polygon if its centre is inside by the even-odd rule. As no outline of a label map
touches a pixel centre, every program that tests pixel centres fills it in the same way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bioimage_suite.core.scratch import release
from bioimage_suite.images.model.filled_rings import fill_rings
from bioimage_suite.images.model.label_outlines import Ring, label_outlines

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Polygon:
    """An outline: `points` are (x, y) in pixels; the last point joins the first."""

    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Mask:
    """A rectangle of bits, packed row by row without padding, most significant bit first, as OMERO stores a mask."""

    x: int
    y: int
    width: int
    height: int
    bits: bytes


@dataclass(frozen=True)
class LabelledShape:
    """One segmented object in one plane."""

    label: int
    shape: Polygon | Mask


def plane_shapes(labels: "np.ndarray", kind: str) -> Iterator[LabelledShape]:
    """Convert each segmented object of a plane to shapes and yield them ordered by label. No kind loses a pixel.

    Args:
        labels: Integers, (rows, columns); 0 is background.
        kind: "mask"; "polygon": one polygon per part, each hole joined to the outline by a cut of zero width; or
            "auto": a polygon for an object of one part (4-connected) without holes, else a mask.
    """
    for found in label_outlines(labels):
        if kind == "polygon" or (kind == "auto" and len(found.parts) == len(found.parts[0]) == 1):
            for part in found.parts:
                yield LabelledShape(found.label, Polygon(tuple(join_rings(part))))
        else:
            rows, columns = found.box
            release(labels)
            mask = labels[rows, columns] == found.label
            yield LabelledShape(found.label, pack_mask(mask, columns.start, rows.start))


def join_rings(polygon: list[Ring]) -> Ring:
    """Join an outer ring and its holes into one ring, because OMERO's polygons have no holes.

    Each hole is joined by a horizontal cut that the ring follows twice, there and back: it has no area and crosses no
    row of pixel centres, so filling is exact. Holes run opposite to the outer ring, which makes them holes by both
    the even-odd rule and the winding rule.

    Args:
        polygon: The outer ring, then holes inside it.

    Raises:
        ValueError: A hole lies outside the outer ring.
    """
    ring, *holes = polygon
    # From left to right: holes between this one and the outer ring are part of the ring already.
    for hole in sorted(holes, key=min):
        ring = _with_hole(ring, hole[::-1] if (_area(ring) > 0) == (_area(hole) > 0) else hole)
    return ring


def pack_mask(mask: "np.ndarray", x: int, y: int) -> Mask:
    """Pack a boolean image (rows, columns) into an OMERO mask with its upper left corner at (x, y)."""
    import numpy as np

    return Mask(x, y, mask.shape[1], mask.shape[0], np.packbits(mask.astype(bool)).tobytes())


def unpack_mask(mask: Mask) -> "np.ndarray":
    """Unpack a mask to a boolean image (height, width)."""
    import numpy as np

    bits = np.unpackbits(np.frombuffer(mask.bits, np.uint8), count=mask.width * mask.height)
    return bits.reshape(mask.height, mask.width).astype(bool)


def fill_polygon(polygon: Polygon, height: int, width: int) -> "np.ndarray":
    """Return a boolean image (height, width) of the pixels whose centres are inside a polygon (even-odd rule)."""
    return fill_rings([polygon.points], height, width)


def _with_hole(ring: Ring, hole: Ring) -> Ring:
    start = hole.index(min(hole))
    x, y = hole[start]
    found: tuple[float, int] | None = None
    for number, ((x1, y1), (x2, y2)) in enumerate(zip(ring, ring[1:] + ring[:1], strict=True)):
        if y1 == y2 or not min(y1, y2) <= y <= max(y1, y2):
            continue
        at = x1 if y == y1 else x2 if y == y2 else x1 + (y - y1) * (x2 - x1) / (y2 - y1)
        if at <= x and (found is None or at > found[0]):
            found = (at, number)
    if found is None:
        raise ValueError(f"the hole at x {x:g}, y {y:g} does not lie in its outline")
    at, number = found
    return [*ring[: number + 1], (at, y), *hole[start:], *hole[: start + 1], (at, y), *ring[number + 1 :]]


def _area(ring: Ring) -> float:
    """Return twice the signed area of a ring (shoelace formula)."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True))
