"""Outlines of all segmented objects of a label map, traced at once along the edges of their pixels.

An edge is a side of an object's pixel where another label, the background or the border of the plane begins. Edges are
followed with the object on the right-hand side: outer rings run clockwise on the screen, holes counterclockwise.
A part is what hangs together by sides of pixels: where an object touches itself at a corner only, it has two parts, and
where two pixels of a hole do, these are two holes (4-connected both). So no ring meets itself, and the polygons are
valid by OGC's Simple Features (06-103r4, 6.1.11), which allow a hole, or another polygon, to touch a ring at a point.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from bioimage_suite.core.scratch import release
from bioimage_suite.images.model.label_parts import parts_of

if TYPE_CHECKING:
    import numpy as np

Ring = list[tuple[float, float]]

RINGS_AT_ONCE = 32  # whose labels are looked up: of a plane on disk, the system may map 2 MB around each pixel.
BAND_PIXELS = 2**17  # Rows are compared with their neighbours one band at a time: memory holds a few bands.
RIGHT, STRAIGHT, LEFT = range(3)  # Turns.
UPPER, RIGHT_SIDE, LOWER, LEFT_SIDE = range(4)  # Sides of a pixel, clockwise.


@dataclass(frozen=True)
class LabelOutline:
    """All parts of a segmented object, each as its outer ring, then its holes; a ring's last point joins the first."""

    label: int
    parts: tuple[list[Ring], ...]

    @property
    def box(self) -> tuple[slice, slice]:
        """Return the rows and columns of the object's bounding box."""
        x, y = zip(*(point for outer, *_ in self.parts for point in outer), strict=True)
        return slice(int(min(y)), int(max(y))), slice(int(min(x)), int(max(x)))


def label_outlines(labels: "np.ndarray") -> Iterator[LabelOutline]:
    """Trace each segmented object of a plane and yield outlines ordered by label; rings have points only at corners.

    Points are (x, y) in whole pixels, from the upper left corner of the plane.

    Args:
        labels: Integers, (rows, columns); 0 is background.
    """
    import numpy as np

    edges = _edges(parts_of(labels))
    walk = _walk(_following(edges, labels.shape[1]), edges.turns)
    outer = _outer_rings(edges, walk)
    x, y = _corners(edges, walk.order, labels.shape[1])
    ends = walk.ends
    rows, columns = np.divmod(edges.keys[walk.order[ends[:-1]]] // 4, labels.shape[1])
    found = np.empty(len(rows), labels.dtype)
    for start in range(0, len(rows), RINGS_AT_ONCE):
        some = slice(start, start + RINGS_AT_ONCE)
        found[some] = labels[rows[some], columns[some]]
        release(labels)
    by_label = np.argsort(found, kind="stable").tolist()
    for label, numbers in groupby(by_label, key=found.tolist().__getitem__):
        parts: dict[int, list[Ring]] = {}
        for number in numbers:
            corners = slice(ends[number], ends[number + 1])
            ring = list(zip(x[corners].tolist(), y[corners].tolist(), strict=True))
            parts.setdefault(outer[number], []).append(ring)
        yield LabelOutline(label, tuple(parts.values()))


def mask_parts(mask: "np.ndarray", x: int = 0, y: int = 0) -> list[list[Ring]]:
    """Return the outlines of all parts of a boolean image: for each part its outer ring, then one ring per hole.

    Args:
        mask: (rows, columns), True inside.
        x: Column of the image's left edge in the plane, in pixels.
        y: Row of its upper edge, in pixels.
    """
    import numpy as np

    parts = [part for one in label_outlines(mask.astype(np.uint8)) for part in one.parts]
    return [[[(at_x + x, at_y + y) for at_x, at_y in ring] for ring in part] for part in parts]


@dataclass(frozen=True)
class PixelEdges:
    """All edges of a plane, ordered by `keys`: 4 * pixel + side, pixels counted row by row.

    `sides` holds for each edge the side of its pixel, `turns` the turn at its end. At 30 bytes per edge this takes a
    quarter of a gigabyte for 100,000 cells.
    """

    keys: "np.ndarray"
    sides: "np.ndarray"
    turns: "np.ndarray"


@dataclass(frozen=True)
class Walk:
    """The path around all rings; edges are given by their index in `PixelEdges`.

    Attributes:
        order: The edges that begin at a corner, ring by ring.
        ends: Start of each ring in `order`, then the end of the last ring.
        ring_of: For each edge the number of its ring.
    """

    order: "np.ndarray"
    ends: list[int]
    ring_of: "np.ndarray"


def _edges(labels: "np.ndarray") -> PixelEdges:
    import numpy as np

    height, width = labels.shape
    band = max(1, BAND_PIXELS // max(1, width))
    keys, every_side, turns = [np.empty(0, np.int64)], [np.empty(0, np.uint8)], [np.empty(0, np.uint8)]
    for top in range(0, height, band):
        release(labels)
        rows = labels[max(top - 1, 0) : top + band + 1]
        block = np.pad(rows, ((int(top == 0), int(top + band >= height)), (1, 1)))
        inner = block[1:-1, 1:-1]
        neighbours = (block[:-2, 1:-1], block[1:-1, 2:], block[2:, 1:-1], block[1:-1, :-2])  # by side
        every = np.zeros(inner.shape, np.uint8)  # bit n for the side n
        for side, other in enumerate(neighbours):
            every |= (inner != other).view(np.uint8) << np.uint8(side)
        every *= inner != 0
        some = np.flatnonzero(every)
        which, sides = np.nonzero(np.unpackbits(every.ravel()[some, np.newaxis], axis=1, count=4, bitorder="little"))
        pixels = some[which]
        stride, flat = width + 2, block.ravel()
        at = pixels + 2 * (pixels // width) + stride + 1  # the same pixel in the block, which has a rim
        own, ahead = flat[at], np.array([1, stride, -1, -stride])[sides]
        diagonal = flat[at + ahead + np.array([-stride, 1, stride, -1])[sides]] == own
        turn = np.where(diagonal, LEFT, np.where(flat[at + ahead] == own, STRAIGHT, RIGHT))
        keys.append(4 * (pixels + top * width) + sides)
        every_side.append(sides.astype(np.uint8))
        turns.append(turn.astype(np.uint8))
    return PixelEdges(np.concatenate(keys), np.concatenate(every_side), np.concatenate(turns))


def _following(edges: PixelEdges, width: int) -> "np.ndarray":
    """Return for each edge the index of the next one; `width` is the plane's width in pixels."""
    import numpy as np

    # From an edge's pixel to that of the next edge, by turn and side.
    steps = np.array([[0, 0, 0, 0], [1, width, -1, -width], [1 - width, width + 1, width - 1, -width - 1]])
    after = np.empty(len(edges.keys), np.int32)
    for start in range(0, len(after), BAND_PIXELS):
        some = slice(start, start + BAND_PIXELS)
        sides, turns = edges.sides[some].astype(np.int64), edges.turns[some]
        pixels = edges.keys[some] // 4 + steps[turns, sides]
        after[some] = np.searchsorted(edges.keys, 4 * pixels + (sides + 1 - turns) % 4)
    return after


def _walk(after: "np.ndarray", turns: "np.ndarray") -> Walk:
    import numpy as np

    corner = np.zeros(len(after), np.uint8)
    corner[after[turns != STRAIGHT]] = 1
    # Views give Python's own integers one at a time; lists of them would take ten times the memory.
    next_edge, is_corner, ring_of = after.data, corner.data, array("i", [-1]) * len(after)
    order, ends = array("i"), [0]
    for start in np.flatnonzero(corner).data:
        if ring_of[start] >= 0:
            continue
        here, ring = start, len(ends) - 1
        while ring_of[here] < 0:
            ring_of[here] = ring
            if is_corner[here]:
                order.append(here)
            here = next_edge[here]
        ends.append(len(order))
    return Walk(np.frombuffer(order, np.int32), ends, np.frombuffer(ring_of, np.int32))


def _outer_rings(edges: PixelEdges, walk: Walk) -> list[int]:
    """Return for each ring the number of the outer ring of its part; for an outer ring that is its own number.

    The first corner of an outer ring begins an upper side of a pixel, that of a hole a lower side, of a pixel above it.
    """
    import numpy as np

    firsts = walk.order[walk.ends[:-1]]
    outer = np.arange(len(firsts))
    # From the upper left pixel of a hole, go left through the object: the edge where it ends belongs to the same part,
    # to its outer ring or to another hole, which lies higher or further left and so has a lower number.
    is_hole = edges.sides[firsts] != UPPER
    right_edges = np.flatnonzero((edges.sides == RIGHT_SIDE) & is_hole[walk.ring_of])
    holes, which = np.unique(walk.ring_of[right_edges], return_index=True)
    left_edges = np.flatnonzero(edges.sides == LEFT_SIDE)
    own_left = edges.keys[right_edges[which]] + LEFT_SIDE - RIGHT_SIDE
    met = left_edges[np.searchsorted(edges.keys[left_edges], own_left, side="right") - 1]
    for hole, ring in zip(holes.tolist(), walk.ring_of[met].tolist(), strict=True):
        outer[hole] = outer[ring]
    return outer.tolist()


def _corners(edges: PixelEdges, order: "np.ndarray", width: int) -> tuple["np.ndarray", "np.ndarray"]:
    """Return x and y of the point where each edge of `order` begins; `width` is the plane's width in pixels."""
    import numpy as np

    x, y = np.empty(len(order), np.int32), np.empty(len(order), np.int32)
    for start in range(0, len(order), BAND_PIXELS):
        some = slice(start, start + BAND_PIXELS)
        sides = edges.sides[order[some]]
        y[some], x[some] = np.divmod(edges.keys[order[some]] // 4, width)
        x[some] += (sides == RIGHT_SIDE) | (sides == LOWER)
        y[some] += sides >= LOWER
    return x, y
