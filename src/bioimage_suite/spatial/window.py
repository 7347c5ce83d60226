"""Windows in which objects could have been: a box in 2D or 3D, or the region of a label map; with edge corrections."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.spatial.pair_sums import EdgeCorrection

NOTHING = np.zeros((1, 1))
CORRECTIONS = ("translation", "isotropic", "none")
# Longest side, px, of a mask whose overlaps are counted pixel by pixel; a larger mask is coarsened to this size.
LARGEST_SIDE = 2048


class Window(Protocol):
    """The space in which objects could have been."""

    @property
    def size(self) -> float:
        """Return the area or volume."""
        ...

    @property
    def shortest_side(self) -> float:
        """Return the shortest side of the box around the window."""
        ...

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper corner of the box around the window."""
        ...

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Return whether each point lies in the window, (n,) bool."""
        ...

    def random_points(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return (n, d) points, uniformly distributed in the window."""
        ...

    def correction(self, kind: str) -> EdgeCorrection:
        """Return an edge correction of this window: one of CORRECTIONS."""
        ...


@dataclass(frozen=True)
class Box:
    """An axis-parallel box.

    Attributes:
        lower: (d,) least coordinates.
        upper: (d,) greatest coordinates.
    """

    lower: np.ndarray
    upper: np.ndarray

    @property
    def size(self) -> float:
        """Return the area or volume."""
        return float((self.upper - self.lower).prod())

    @property
    def shortest_side(self) -> float:
        """Return the shortest side."""
        return float((self.upper - self.lower).min())

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper corner."""
        return self.lower, self.upper

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Return whether each point lies in the box, (n,) bool."""
        array: np.ndarray = np.all((points >= self.lower) & (points <= self.upper), axis=1)
        return array

    def random_points(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return (n, d) points, uniformly distributed in the box."""
        return rng.uniform(self.lower, self.upper, (n, len(self.lower)))

    def correction(self, kind: str) -> EdgeCorrection:
        """Return an edge correction.

        Raises:
            UserError: The isotropic correction is requested for a box in 3D.
        """
        sides = self.upper - self.lower
        if kind == "translation":
            scale = [0.0] * (3 - len(sides)) + (1 / sides).tolist()
            return EdgeCorrection("box", (*scale, 0.0, 0.0), NOTHING)
        if kind == "isotropic" and len(sides) == 2:
            corners = (*self.lower.tolist(), *self.upper.tolist())
            return EdgeCorrection("rectangle", (*corners, 1e-12 * self.shortest_side), NOTHING)
        return _none(kind)


@dataclass(frozen=True)
class Region:
    """The pixels of a mask.

    Attributes:
        mask: (Y, X) bool.
        pixel: (2,) extent of a pixel along y, x. The centre of the first pixel is the origin.
    """

    mask: np.ndarray
    pixel: np.ndarray

    @cached_property
    def size(self) -> float:
        """Return the area."""
        return float(self.mask.sum() * self.pixel.prod())

    @property
    def shortest_side(self) -> float:
        """Return the shortest side of the box around the region."""
        lower, upper = self.bounds
        return float((upper - lower).min())

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the corners of the box around the region."""
        y, x = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        return (np.array([y[0], x[0]]) - 0.5) * self.pixel, (np.array([y[-1], x[-1]]) + 0.5) * self.pixel

    @property
    def _step(self) -> int:
        """Return the side, px, of the squares to which overlaps are reduced; 1 for a mask up to LARGEST_SIDE."""
        return int(-(-max(self.mask.shape) // LARGEST_SIDE))

    @cached_property
    def _covariance(self) -> np.ndarray:
        """Return the table of overlaps: see `_set_covariance`."""
        return _set_covariance(_coarse(self.mask, self._step))

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Return whether each point lies on a pixel of the region, (n,) bool."""
        at = np.floor(points / self.pixel + 0.5).astype(np.int64)
        inside = ((at >= 0) & (at < self.mask.shape)).all(axis=1)
        at[~inside] = 0
        array: np.ndarray = inside & self.mask[at[:, 0], at[:, 1]]
        return array

    def random_points(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return (n, 2) points, uniformly distributed in the region (by rejection from its box)."""
        lower, upper = self.bounds
        part, found, count = self.size / float((upper - lower).prod()), [np.zeros((0, 2))], 0
        while count < n:
            points = rng.uniform(lower, upper, (int((n - count) / part * 1.1) + 10, 2))
            found.append(points[self.contains(points)])
            count += len(found[-1])
        return np.concatenate(found)[:n]

    def correction(self, kind: str) -> EdgeCorrection:
        """Return an edge correction.

        A mask with a side above LARGEST_SIDE is first reduced to squares of pixels, which count by their covered share:
        the table of overlaps of a whole slide would need 13 GB.

        Raises:
            UserError: The isotropic correction is requested.
        """
        if kind == "translation":
            sides = (float(-(-side // self._step)) for side in self.mask.shape)
            return EdgeCorrection("region", (*(self.pixel * self._step).tolist(), *sides, 0.0), self._covariance)
        return _none(kind)


def _none(kind: str) -> EdgeCorrection:
    """Return the correction `none`.

    Raises:
        UserError: Another is requested.
    """
    if kind != "none":
        raise UserError(
            f"Edge correction {kind}: the window is no rectangle. Choose translation, which works for any window."
        )
    return EdgeCorrection("none", (0.0,) * 5, NOTHING)


def _coarse(mask: np.ndarray, step: int) -> np.ndarray:
    """Return the covered share of each square of `step` pixels, (Y, X) float32, row by row."""
    rows, columns = (-(-side // step) for side in mask.shape)
    shares = np.zeros((rows, columns), np.float32)
    for row in range(rows):
        line = mask[row * step : (row + 1) * step].sum(axis=0, dtype=np.float32)
        shares[row] = np.add.reduceat(line, np.arange(0, len(line), step)) / step**2
    return shares


def _set_covariance(mask: np.ndarray) -> np.ndarray:
    """Return how many pixels a mask shares with itself moved by (dy, dx); negative indices are negative shifts."""
    from scipy import fft

    shape = [fft.next_fast_len(2 * n, real=True) for n in mask.shape]
    spectrum = fft.rfft2(mask, shape)
    array: np.ndarray = np.ascontiguousarray(fft.irfft2(np.abs(spectrum) ** 2, shape), np.float64)
    return array
