"""Objects of a label map as outlines and masks, and back, without losing a pixel.

Coordinates are OMERO's (and ImageJ's and QuPath's): pixel (column, row) covers the square from (column, row) to
(column + 1, row + 1), so its centre is at +0.5. An outline runs along the edges of the pixels, never through them.
Fill rule: a pixel belongs to a polygon if its centre is inside by the even-odd rule. As no outline of a label map
touches a pixel's centre, every program that asks for centres fills it alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Ring = list[tuple[float, float]]

SPARSE_LABELS = 1_000_000  # Above this, labels are numbered anew: find_objects makes a list as long as the largest.


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
    for label, x, y, mask in _objects(labels):
        polygon = outline(mask, x, y) if kind != "mask" else None
        if polygon is not None:
            yield LabelledShape(label, polygon)
        elif kind == "polygon":
            for part in rings(mask, x, y):
                yield LabelledShape(label, Polygon(tuple(join_rings(part))))
        else:
            yield LabelledShape(label, pack_mask(mask, x, y))


def outline(mask: "np.ndarray", x: int = 0, y: int = 0) -> Polygon | None:
    """The outline of a boolean image along the edges of its pixels; None if it has holes or several parts.

    Args:
        mask: (rows, columns), True inside.
        x: Column of the image's left edge in the plane.
        y: Row of its upper edge.
    """
    contours, _ = _edge_contours(mask)
    if len(contours) != 1:
        return None
    return Polygon(tuple(_corners(contours[0], x, y)))


def rings(mask: "np.ndarray", x: int = 0, y: int = 0) -> list[list[Ring]]:
    """The outlines of all parts of a boolean image along the edges of its pixels; arguments as in `outline`.

    Returns:
        For each part its outer ring, then one ring for each of its holes; a ring is a list of (x, y).
    """
    contours, parents = _edge_contours(mask)
    parts = {number: [_corners(contours[number], x, y)] for number, parent in enumerate(parents) if parent < 0}
    for number, parent in enumerate(parents):
        if parent >= 0:
            parts[parent].append(_corners(contours[number], x, y))
    return list(parts.values())


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
    """Pack a boolean image into OMERO's form of a mask; x and y as in `outline`."""
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


def _objects(labels: "np.ndarray") -> Iterator[tuple[int, int, int, "np.ndarray"]]:
    """Yield (label, x, y, mask of the bounding box) of each object."""
    import numpy as np
    from scipy import ndimage

    values = None
    if labels.max(initial=0) > SPARSE_LABELS:
        values, dense = np.unique(labels, return_inverse=True)
        if values[0] != 0:  # Without background, number from 1.
            values, dense = np.concatenate(([0], values)), dense + 1
        labels = dense.reshape(labels.shape)
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is not None:
            label = number if values is None else int(values[number])
            yield label, box[1].start, box[0].start, labels[box] == number


def _edge_contours(mask: "np.ndarray") -> tuple[list[list[list[int]]], list[int]]:
    """Contours at twice the resolution, as (x, y) where they turn, and for each the number of the contour around it.

    An outer contour has -1 there.
    """
    import cv2
    import numpy as np

    # Pixel centres come to odd places, the edges and corners between pixels to even ones. Dilated by one, the border of
    # an object is exactly the edge of its pixels.
    fine = np.zeros((2 * mask.shape[0] + 1, 2 * mask.shape[1] + 1), np.uint8)
    fine[1::2, 1::2] = mask
    fine = cv2.dilate(fine, np.ones((3, 3), np.uint8))
    contours, tree = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parents = [] if tree is None else tree[0][:, 3].tolist()
    return [contour[:, 0, :].tolist() for contour in contours], parents


def _corners(points: list[list[int]], x: int, y: int) -> Ring:
    """The corners of a fine contour, in the plane's coordinates.

    They are the points with two even coordinates; an inner corner, which the contour cuts diagonally, is put back.
    """
    # Not by numpy: for the few dozen points of an object its calls take several times longer.
    found: Ring = []
    here_x, here_y = points[-1]
    for next_x, next_y in points:
        if here_x != next_x and here_y != next_y:
            at_x, at_y = (here_x, next_y) if here_x % 2 == next_y % 2 == 0 else (next_x, here_y)
            found.append((at_x / 2 + x, at_y / 2 + y))
        if next_x % 2 == next_y % 2 == 0:
            found.append((next_x / 2 + x, next_y / 2 + y))
        here_x, here_y = next_x, next_y
    return found
