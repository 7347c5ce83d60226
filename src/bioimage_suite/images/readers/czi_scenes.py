"""Scenes of a CZI and their pixels: mosaics of tiles, as slide scanners write them, are stitched region by region.

BioIO lists the scenes that the metadata name; here they are those that hold pixels, whatever their numbers. Pixels are
read by pylibCZIrw, Zeiss' own library, which BioIO brings: it composes a region from the tiles in it. Axes beside time,
channel and z become what Bio-Formats 7.3.1 (ZeissCZIReader) makes of them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np

FOLDED = {"H": "T", "I": "C", "R": "Z"}
"""Phases count as time points, illuminations as channels, rotations as z-planes; they change slower than these."""
VIEWS = "VB"
"""Views and acquisition blocks are images of their own."""
Place = tuple[int, int, int, int]  # t, c, z, sample of a pixel
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

    def reader(self, number: int | None, view: dict[str, int]) -> Callable[[Place, slice, slice], np.ndarray]:
        """Return a function from a place, rows and columns to a (Y, X) array; pixels outside all tiles are 0."""
        x, y, _, _ = self.boxes[number]

        def read(place: Place, rows: slice, columns: slice) -> np.ndarray:
            at = dict(zip("TCZ", place, strict=False)) | view
            for one, into in FOLDED.items():
                at[one], at[into] = divmod(at[into], self.lengths.get(into, 1))
            plane = {axis: self.firsts[axis] + at.get(axis, 0) for axis in self.lengths}
            region = (x + columns.start, y + rows.start, columns.stop - columns.start, rows.stop - rows.start)
            pixels: np.ndarray = self.document.read(roi=region, plane=plane)[..., place[3]]
            return pixels

        return read


def open_scenes(path: Path) -> CziScenes:
    """Open a CZI file and find its scenes."""
    from pylibCZIrw.czi import CziReader

    document = CziReader(str(path))
    whole = document.total_bounding_box
    lengths = {axis: last - first for axis, (first, last) in whole.items() if axis not in "XY"}
    samples = 3 if document.get_channel_pixel_type(0).startswith("Bgr") else 1
    firsts = {axis: first for axis, (first, _) in whole.items()}
    return CziScenes(document, lengths, samples, _boxes(document, path), firsts)


def _boxes(document: Any, path: Path) -> dict[int | None, Box]:
    try:
        found = document.scenes_bounding_rectangle
    except ValueError:
        return _boxes_of_odd_numbers(path)  # it counts from 0 to the highest number
    if not found:
        whole = document.total_bounding_rectangle
        return {None: (whole.x, whole.y, whole.w, whole.h)}
    return {number: (box.x, box.y, box.w, box.h) for number, box in found.items()}


def _boxes_of_odd_numbers(path: Path) -> dict[int | None, Box]:
    """Find the scenes of a file in which numbers are missing."""
    from aicspylibczi import CziFile

    file = CziFile(path)
    found: dict[int | None, Box] = {}
    for number in [number for block in file.get_dims_shape() if "S" in block for number in range(*block["S"])]:
        try:
            box = file.get_scene_bounding_box(number)
        except RuntimeError:  # there is no such scene
            continue
        found[number] = (box.x, box.y, box.w, box.h)
    return found
