"""Objects of a label map as outlines and masks, and back, without losing a pixel.

Coordinates are OMERO's (and ImageJ's and QuPath's): pixel (column, row) covers the square from (column, row) to
(column + 1, row + 1), so its centre is at +0.5. An outline runs along the edges of the pixels, never through them.
Fill rule: a pixel belongs to a polygon if its centre is inside by the even-odd rule. As no outline of a label map
touches a pixel's centre, every program that asks for centres fills it alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tool_errors import UserError

if TYPE_CHECKING:
    import numpy as np

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
    """Turn each object of a plane into a shape, in the order of the labels.

    Args:
        labels: Integers, (rows, columns); 0 is background.
        kind: "polygon" or "mask", or "auto": a polygon for an object that is one part (touching corners count) without
            holes, else a mask.

    Raises:
        UserError: `kind` is "polygon" and an object has holes or several parts.
    """
    for label, x, y, mask in _objects(labels):
        polygon = outline(mask, x, y) if kind != "mask" else None
        if kind == "polygon" and polygon is None:
            raise UserError(f"object {label}: a polygon cannot have holes or several parts. Choose masks, or auto.")
        yield LabelledShape(label, polygon or pack_mask(mask, x, y))


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


def rings(mask: "np.ndarray", x: int = 0, y: int = 0) -> list[list[list[tuple[float, float]]]]:
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


def _edge_contours(mask: "np.ndarray") -> tuple[list["np.ndarray"], list[int]]:
    """Contours at twice the resolution, and for each the number of the contour around it; an outer one has -1."""
    import cv2
    import numpy as np

    # Pixel centres come to odd places, the edges and corners between pixels to even ones. Dilated by one, the border of
    # an object is exactly the edge of its pixels.
    fine = np.zeros((2 * mask.shape[0] + 1, 2 * mask.shape[1] + 1), np.uint8)
    fine[1::2, 1::2] = mask
    fine = cv2.dilate(fine, np.ones((3, 3), np.uint8))
    contours, tree = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    parents = [] if tree is None else tree[0][:, 3].tolist()
    return [contour[:, 0, :].astype(np.int64) for contour in contours], parents


def _corners(points: "np.ndarray", x: int, y: int) -> list[tuple[float, float]]:
    """The points of a fine contour where it turns, in the plane's coordinates."""
    import numpy as np

    points = _with_inner_corners(points)
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    corners = points[(before != after).any(axis=1)] // 2 + (x, y)
    return [(float(column), float(row)) for column, row in corners.tolist()]


def _with_inner_corners(points: "np.ndarray") -> "np.ndarray":
    """Where the contour cuts an inner corner diagonally, go through the corner: the point with two even coordinates."""
    import numpy as np

    following = np.roll(points, -1, axis=0)
    cut = (points != following).all(axis=1)
    corner = np.stack([points[:, 0], following[:, 1]], axis=1)
    odd = (corner % 2 != 0).any(axis=1)
    corner[odd] = np.stack([following[:, 0], points[:, 1]], axis=1)[odd]
    return np.insert(points, np.flatnonzero(cut) + 1, corner[cut], axis=0)
