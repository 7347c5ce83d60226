"""The next smaller level of an image pyramid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def halved(plane: np.ndarray, is_labels: bool) -> np.ndarray:
    """Halve both edges of a (Y, X) or (Y, X, samples) array, rounded up: the mean of 2 x 2, integers rounded half up.

    Labels, and types whose mean cannot be computed exactly (64-bit integers, bool), take the upper left pixel of the
    four. At an odd edge the last row or column counts twice.
    """
    import numpy as np

    if is_labels or plane.dtype.kind not in "iuf" or (plane.dtype.kind != "f" and plane.dtype.itemsize > 4):
        return plane[::2, ::2]
    if plane.shape[0] % 2 or plane.shape[1] % 2:
        plane = np.pad(plane, [(0, plane.shape[0] % 2), (0, plane.shape[1] % 2), (0, 0)][: plane.ndim], mode="edge")
    if plane.dtype.kind == "f":
        # Halve before adding: the sum of four large numbers could exceed the range of the type.
        rows = plane[0::2] * plane.dtype.type(0.5) + plane[1::2] * plane.dtype.type(0.5)
        mean: np.ndarray = rows[:, 0::2] * plane.dtype.type(0.5) + rows[:, 1::2] * plane.dtype.type(0.5)
        return mean
    wide = np.dtype(f"i{min(8, max(4, 2 * plane.dtype.itemsize))}")
    rows = np.add(plane[0::2], plane[1::2], dtype=wide)
    total = rows[:, 0::2] + rows[:, 1::2]
    total += 2
    total >>= 2
    rounded: np.ndarray = total.astype(plane.dtype)
    return rounded
