"""Objects of a label map as outlines and masks, and back, without losing a pixel.

Coordinates are OMERO's (and ImageJ's and QuPath's): pixel (column, row) covers the square from (column, row) to
(column + 1, row + 1), so its centre is at +0.5. An outline runs along the edges of the pixels, never through them.
Fill rule: a pixel belongs to a polygon if its centre is inside by the even-odd rule. As no outline of a label map
touches a pixel's centre, every program that asks for centres fills it alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from label_outlines import Ring, label_outlines

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Polygon:
    """An outline: `points` are (x, y), closed from the last to the first."""

    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Mask:
    """A rectangle of bits: `bits` are packed row after row, most significant first, as OMERO stores a mask."""

    x: int
    y: int
    width: int
    height: int
    bits: bytes


@dataclass(frozen=True)
class LabelledShape:
    """One object in one plane."""

    label: int
    shape: Polygon | Mask


def plane_shapes(labels: "np.ndarray", kind: str) -> Iterator[LabelledShape]:
    """Turn each object of a plane into shapes, in the order of the labels. No kind loses a pixel.

    Args:
        labels: Integers, (rows, columns); 0 is background.
        kind: "mask"; "polygon": one for each part, a hole joined to its outline by a cut without width; or "auto": a
            polygon for an object that is one part (touching corners count) without holes, else a mask.
    """
    for found in label_outlines(labels):
        if kind == "polygon" or (kind == "auto" and len(found.parts) == len(found.parts[0]) == 1):
            for part in found.parts:
                yield LabelledShape(found.label, Polygon(tuple(join_rings(part))))
        else:
            rows, columns = found.box
            mask = labels[rows, columns] == found.label
            yield LabelledShape(found.label, pack_mask(mask, columns.start, rows.start))


def join_rings(polygon: list[Ring]) -> Ring:
    """Make one ring of an outer ring and its holes: OMERO's polygons have no holes.

    Each hole is joined by a horizontal cut that is gone along twice, there and back: it has no area and crosses no
    row of pixel centres, so filling is exact. Holes turn against the outer ring, which makes them holes by the
    even-odd rule and by the winding rule.

    Args:
        polygon: The outer ring, then holes inside it.

    Raises:
        ValueError: A hole does not lie in the outer ring.
    """
    ring, *holes = polygon
    # From left to right: what lies between a hole and the outer ring is part of the ring already.
    for hole in sorted(holes, key=min):
        ring = _with_hole(ring, hole[::-1] if (_area(ring) > 0) == (_area(hole) > 0) else hole)
    return ring


def pack_mask(mask: "np.ndarray", x: int, y: int) -> Mask:
    """Pack a boolean image (rows, columns) into OMERO's form of a mask; (x, y) is its upper left corner."""
    import numpy as np

    return Mask(x, y, mask.shape[1], mask.shape[0], np.packbits(mask.astype(bool)).tobytes())


def unpack_mask(mask: Mask) -> "np.ndarray":
    """The boolean image (height, width) of a mask."""
    import numpy as np

    bits = np.unpackbits(np.frombuffer(mask.bits, np.uint8), count=mask.width * mask.height)
    return bits.reshape(mask.height, mask.width).astype(bool)


def fill_polygon(polygon: Polygon, height: int, width: int) -> "np.ndarray":
    """The pixels of a plane whose centres are inside a polygon by the even-odd rule, as booleans (height, width)."""
    import numpy as np

    start = np.asarray(polygon.points, float)
    end = np.roll(start, -1, axis=0)
    # Rows whose centre line crosses an edge; the half-open interval counts a shared vertex once.
    first = np.ceil(np.minimum(start[:, 1], end[:, 1]) - 0.5).clip(0, height).astype(int)
    last = np.ceil(np.maximum(start[:, 1], end[:, 1]) - 0.5).clip(0, height).astype(int)
    count = last - first
    edge = np.repeat(np.arange(len(start)), count)
    row = first[edge] + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    slope = (end[edge, 0] - start[edge, 0]) / (end[edge, 1] - start[edge, 1])
    crossing = start[edge, 0] + (row + 0.5 - start[edge, 1]) * slope
    # Each crossing turns inside to outside, or back, for all pixel centres on it or to its right.
    column = np.ceil(crossing - 0.5).clip(0, width).astype(int)
    turns = np.zeros((height, width + 1), np.int32)
    np.add.at(turns, (row, column), 1)
    return (np.cumsum(turns[:, :-1], axis=1) % 2).astype(bool)


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
    """Twice the signed area of a ring (shoelace formula)."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True))
