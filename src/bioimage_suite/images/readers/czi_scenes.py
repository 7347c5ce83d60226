"""Scenes of a CZI and their pixels: mosaics of tiles, as slide scanners write them, are stitched region by region.

The scenes are those that hold pixels, whatever their numbers, and as large as their pixels of full resolution. Pixels
are read by pylibCZIrw, Zeiss' own library: it composes a region from the tiles of a scene. Axes beside time, channel
and z become what Bio-Formats 7.3.1 (ZeissCZIReader) makes of them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

FOLDED = {"H": "T", "I": "C", "R": "Z"}
"""Phases count as time points, illuminations as channels, rotations as z-planes; they change slower than these."""
VIEWS = "VB"
"""Views and acquisition blocks are images of their own."""
PIXEL_TYPES = {"Gray8": "u1", "Gray16": "u2", "Gray32Float": "f4", "Bgr24": "u1", "Bgr48": "u2", "Bgr96Float": "f4"}
Box = tuple[int, int, int, int]  # x, y, width, height in pixels


@dataclass(frozen=True)
class CziScenes:
    """An open file.

    Attributes:
        document: Of pylibCZIrw.
        lengths: Length by axis, beside X and Y.
        samples: Samples of a pixel: 3 of a colour.
        boxes: Where the pixels of each scene are, by its number; of a file without scenes by None.
        firsts: First number of each axis.
    """

    document: Any
    lengths: dict[str, int]
    samples: int
    boxes: dict[int | None, Box]
    firsts: dict[str, int]

    def size(self, axis: str) -> int:
        """Return the length of `T`, `C` or `Z` with what is folded into it."""
        folded = next(one for one, into in FOLDED.items() if into == axis)
        return self.lengths.get(axis, 1) * self.lengths.get(folded, 1)

    def images(self) -> list[tuple[int | None, dict[str, int]]]:
        """Return the scene of each image, and its view and block where there are several."""
        several = {axis: range(self.lengths[axis]) for axis in VIEWS if self.lengths.get(axis, 1) > 1}
        views = [dict(zip(several, one, strict=True)) for one in itertools.product(*several.values())]
        return [(number, view) for number in self.boxes for view in views]

    @cached_property
    def dtype(self) -> np.dtype:
        """Return the type that holds the pixels of every channel: 8 and 16 bits may stand side by side.

        Raises:
            ValueError: Their type is none that Zeiss' library reads.
        """
        given = {str(one) for one in self.document.pixel_types.values()}
        if given - PIXEL_TYPES.keys():
            raise ValueError(f"its pixels are {', '.join(sorted(given))}")
        return np.result_type(*(PIXEL_TYPES[one] for one in given))


class ScenePixels:
    """The pixels of a scene as (T, C, Z, Y, X), those of a colour picture with S behind; outside all tiles they are 0.

    Attributes:
        shape: Length of each axis.
    """

    def __init__(self, file: CziScenes, number: int | None, view: dict[str, int]) -> None:
        """Take a scene, and a view and block where there are several."""
        self._file, self._number, self._view = file, number, view
        x, y, width, height = file.boxes[number]
        self._corner = (x, y)
        colour = (file.samples,) if file.samples > 1 else ()
        self.shape = (*(file.size(axis) for axis in "TCZ"), height, width, *colour)

    def __getitem__(self, key: tuple[int | slice, ...]) -> Any:
        """Return a region of a plane; rows and columns are slices with start and stop."""
        *place, rows, columns, sample = key if len(key) == len("TCZYXS") else (*key, 0)
        assert isinstance(rows, slice)
        assert isinstance(columns, slice)
        lengths, (x, y) = self._file.lengths, self._corner
        numbers = (one for one in place if isinstance(one, int))
        at = {**dict(zip("TCZ", numbers, strict=True)), **self._view}
        for one, into in FOLDED.items():
            at[one], at[into] = divmod(at[into], lengths.get(into, 1))
        plane = {axis: self._file.firsts[axis] + at.get(axis, 0) for axis in lengths}
        region = (x + columns.start, y + rows.start, columns.stop - columns.start, rows.stop - rows.start)
        pixels: np.ndarray = self._file.document.read(roi=region, plane=plane, scene=self._number)
        return pixels[..., ::-1][..., sample]  # they are stored as blue, green, red


def open_scenes(path: Path) -> CziScenes:
    """Open a CZI file and find its scenes."""
    from pylibCZIrw.czi import CziReader

    document = CziReader(str(path))
    whole = document.total_bounding_box_no_pyramid
    lengths = {axis: last - first for axis, (first, last) in whole.items() if axis not in "XY"}
    samples = 3 if any(one.startswith("Bgr") for one in document.pixel_types.values()) else 1
    firsts = {axis: first for axis, (first, _) in whole.items()}
    return CziScenes(document, lengths, samples, _boxes(document), firsts)


def _boxes(document: Any) -> dict[int | None, Box]:
    # The public `scenes_bounding_rectangle_no_pyramid` counts from 0 to the highest number and refuses missing ones.
    found = {number: boxes.boundingBoxLayer0 for number, boxes in document._stats.sceneBoundingBoxes.items()}
    if not found:
        whole = document.total_bounding_rectangle_no_pyramid
        return {None: (whole.x, whole.y, whole.w, whole.h)}
    return {number: (box.x, box.y, box.w, box.h) for number, box in sorted(found.items())}
