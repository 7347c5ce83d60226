"""Pieces of a mask that no path joins to certain pixels are flipped, band by band: holes, and specks without a core.

Pixels that share an edge are joined. A piece that lies within a band is decided at once; of a piece that reaches into
other bands one pixel is kept until all bands are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.scratch import release
from bioimage_suite.images.model.bands import bands

if TYPE_CHECKING:
    from collections.abc import Callable

ANCHOR = 0
"""Number of the anchors of all bands together; pieces that reach another band are numbered from 1."""
Anchors = list[Any]
"""Indices of pixels in a (rows, X) band: each a bool array, or a tuple of rows and columns."""


def fill_holes(mask: np.ndarray) -> None:
    """Make background that no path joins to the border of the plane foreground, in place.

    Equals scipy.ndimage.binary_fill_holes.

    Args:
        mask: (Y, X) uint8, 1 is foreground.
    """

    def border(first: int, last: int) -> Anchors:
        every = slice(None)
        ends = [(0, every)] * (first == 0) + [(-1, every)] * (last == len(mask))
        return [(every, 0), (every, -1), *ends]

    flip_isolated(mask, 0, border)


def flip_isolated(mask: np.ndarray, value: int, anchors: Callable[[int, int], Anchors]) -> None:
    """Flip the pieces of one value that hold no anchor, in place.

    Args:
        mask: (Y, X) uint8 of 0 and 1.
        value: Value of the pieces.
        anchors: Returns the anchors in rows first..last-1; those of another value have no effect.
    """
    pieces = _OpenPieces(mask, value)
    for first, last in bands(*mask.shape):
        pieces.add(first, last, anchors(first, last))
        release(mask)
    pieces.finish()


class _OpenPieces:
    """Pieces that reach beyond their band, with the joints between them."""

    def __init__(self, mask: np.ndarray, value: int) -> None:
        self._mask, self._value = mask, value
        self._above = np.full(mask.shape[1], -1)  # piece of each pixel of the row above, -1 for none
        self._pieces: list[tuple[slice, tuple[int, int]]] = []  # rows of its band; one pixel of it: x, y in the band
        self._joints: list[np.ndarray] = []  # numbers of two pieces, as one << 32 | other

    def add(self, first: int, last: int, anchors: Anchors) -> None:
        """Flip what lies isolated within rows first..last-1, the next band, and note what reaches beyond."""
        import cv2

        band = self._mask[first:last]
        count, parts = cv2.connectedComponents(np.equal(band, self._value).view(np.uint8), connectivity=4)
        anchored, beyond = np.zeros(count, bool), np.zeros(count, bool)
        for some in anchors:
            anchored[parts[some]] = True
        for row, is_end in ((0, first == 0), (-1, last == len(self._mask))):
            beyond[parts[row]] |= not is_end
        isolated = ~(anchored | beyond)
        isolated[0] = beyond[0] = False  # 0 is the other value
        if isolated.any():
            band ^= isolated[parts]
        number = np.full(count, -1)
        number[beyond] = np.arange(1, int(beyond.sum()) + 1) + len(self._pieces)
        self._note_pixels(parts, number, slice(first, last))
        held = number[anchored & beyond]
        self._join(np.full_like(held, ANCHOR), held)
        self._join(self._above, number[parts[0]])
        self._above = number[parts[-1]]

    def _note_pixels(self, parts: np.ndarray, number: np.ndarray, band: slice) -> None:
        """Keep one pixel, in the first or the last row, of each piece that has a number, in the order of numbers."""
        pixels: dict[int, tuple[slice, tuple[int, int]]] = {}
        for row in (0, len(parts) - 1):
            found, column = np.unique(number[parts[row]], return_index=True)
            pixels |= {one: (band, (at, row)) for one, at in zip(found.tolist(), column.tolist(), strict=True)}
        pixels.pop(-1, None)
        self._pieces += [pixels[one] for one in sorted(pixels)]

    def _join(self, one: np.ndarray, other: np.ndarray) -> None:
        both = (one >= 0) & (other >= 0)
        self._joints.append(np.unique(one[both] << 32 | other[both]))

    def finish(self) -> None:
        """Flip the isolated pieces that reach over several bands."""
        if not self._pieces:
            return
        import cv2
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        joints, count = np.concatenate(self._joints), len(self._pieces) + 1
        graph = coo_array((np.ones(len(joints), np.int8), (joints >> 32, joints & 0xFFFFFFFF)), shape=(count, count))
        _, owner = connected_components(graph, directed=False)
        for (band, pixel), of in zip(self._pieces, owner[1:], strict=True):
            if of != owner[ANCHOR]:
                cv2.floodFill(np.asarray(self._mask[band]), None, pixel, (1 - self._value,))
                release(self._mask)
