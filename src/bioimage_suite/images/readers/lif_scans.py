"""Images of a LIF that were not scanned in x and y: xz, xt, lambda. Their axes become those of Bio-Formats.

Source: LIFReader of Bio-Formats 7.3.1: where y is missing, z or time makes the rows of a plane; wavelengths of a lambda
scan are time points, or z-planes where z makes the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAMBDA = "λ"
Place = tuple[int, int, int, int]  # t, c, z, sample of a pixel


@dataclass(frozen=True)
class LifScan:
    """An image of such a file.

    Attributes:
        sizes: Length by axis T, C, Z, Y, X, S.
        axes: Letters as the format has them; `L` stands for wavelengths.
        rows: Axis of the file that makes the rows: `Y`, `Z` or `T`, empty where there is one row.
        fetch: Function from a place, rows and columns to a (Y, X) array.
    """

    sizes: dict[str, int]
    axes: str
    rows: str
    fetch: Callable[[Place, slice, slice], np.ndarray]


def open_scan(path: Path, number: int) -> LifScan | None:
    """Open an image of a file; None if it was scanned in x and y and without wavelengths, or has tiles.

    Args:
        path: The file.
        number: Index of the image.
    """
    from liffile import LifFile

    image = LifFile(path).images[number]
    sizes: dict[str, int] = dict(image.sizes)
    if not sizes.keys() <= {*"TCZYXS", LAMBDA} or "X" not in sizes or ("Y" in sizes and LAMBDA not in sizes):
        return None
    rows = next((axis for axis in "YZT" if axis in sizes), "")
    along = "Z" if rows == "Z" else "T"  # what wavelengths become
    inside = {letter: [letter] for letter in "TCZ" if letter in sizes and letter != rows}
    if LAMBDA in sizes:
        inside[along] = [axis for axis in sizes if axis in {*inside.get(along, ()), LAMBDA}]
    lengths = dict.fromkeys("TCZYXS", 1) | {axis: sizes[axis] for axis in "XS" if axis in sizes}
    lengths |= {letter: int(np.prod([sizes[axis] for axis in axes])) for letter, axes in inside.items()}
    lengths["Y"] = sizes.get(rows, 1)
    letters = "".join("L" if axis == LAMBDA else axis for axis in sizes)
    return LifScan(lengths, letters, rows, _reader(image, inside, rows))


def _reader(image: Any, inside: dict[str, list[str]], rows: str) -> Callable[[Place, slice, slice], np.ndarray]:
    sizes: dict[str, int] = dict(image.sizes)
    frame_axes = list(image.frames.frame_dims)

    def fetch(place: Place, ys: slice, xs: slice) -> np.ndarray:
        at: dict[str, int | slice] = {"X": xs, "S": place[3]}
        for letter, number in zip("TCZ", place, strict=False):
            axes = inside.get(letter, [])
            split = np.unravel_index(number, [sizes[axis] for axis in axes]) if axes else ()
            at |= {axis: int(one) for axis, one in zip(axes, split, strict=True)}
        if rows and rows not in frame_axes:  # channels lie within a line
            return np.concatenate([cut({**at, rows: row}) for row in range(ys.start, ys.stop)])
        return cut({**at, rows: ys} if rows else at)

    def cut(at: dict[str, int | slice]) -> np.ndarray:
        """Return a part of one frame, or of one line of it."""
        frame = image.frame(**{axis: one for axis, one in at.items() if axis in sizes and axis not in frame_axes})
        region: np.ndarray = frame[tuple(at[axis] for axis in frame_axes)]
        left = [axis for axis in frame_axes if isinstance(at[axis], slice)]
        region = region.transpose([left.index(axis) for axis in (rows, "X") if axis in left])
        return region if region.ndim == 2 else region[np.newaxis]

    return fetch
