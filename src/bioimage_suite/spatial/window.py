"""Windows in which objects could have been: a box in 2D or 3D, or the region of a label map; with edge corrections.

Sources: Ohser J (1983) Math Operationsforsch Stat 14, 63-71 (translation correction); Ripley BD (1977) J R Stat Soc B
39, 172-212, doi:10.1111/j.2517-6161.1977.tb01615.x (isotropic correction, here with the angles of Baddeley's spatstat).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

# Largest weight of a pair: with a small overlap a pair would outweigh all others. The limit of spatstat.
LARGEST_WEIGHT = 100.0
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

    def translation_weights(self, shift: np.ndarray) -> np.ndarray:
        """Return the ratio of the window's size to the size of its overlap with itself moved by each (k, d) shift."""
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

    def translation_weights(self, shift: np.ndarray) -> np.ndarray:
        """Return the ratio of the box's size to the size of its overlap with itself moved by each (k, d) shift."""
        sides = self.upper - self.lower
        overlap = np.clip(1 - np.abs(shift) / sides, 0, None).prod(axis=1)
        array: np.ndarray = 1 / np.maximum(overlap, 1 / LARGEST_WEIGHT)
        return array

    def isotropic_weights(self, point: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Return the ratio of each circle's circumference to its part inside the rectangle.

        Args:
            point: (k, 2) centres, inside the rectangle.
            distance: (k,) radii, above 0.
        """
        # At a corner the distance to two edges is 0; atan2 splits the outer angle evenly only for distances above 0.
        tiny = 1e-12 * self.shortest_side
        low, high = np.maximum((point - self.lower).T, tiny), np.maximum((self.upper - point).T, tiny)
        outside = np.zeros(len(point))
        for edge, across in ((low[0], 1), (high[0], 1), (low[1], 0), (high[1], 0)):
            # Half the angle of the arc beyond this edge, cut where the next edge begins to count.
            beyond = np.arccos(np.clip(edge / distance, 0, 1))
            for corner in (low[across], high[across]):
                outside += np.minimum(beyond, np.arctan2(corner, edge))
        return 1 / np.maximum(1 - outside / (2 * np.pi), 1 / LARGEST_WEIGHT)


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

    def translation_weights(self, shift: np.ndarray) -> np.ndarray:
        """Return the ratio of the area to that of its overlap with itself moved by each (k, 2) shift.

        Shifts are rounded to pixels. A mask with a side above LARGEST_SIDE is first reduced to squares of pixels, which
        count by their covered share: the table of overlaps of a whole slide would need 13 GB.
        """
        step, covariance = self._step, self._covariance
        at = np.abs(np.rint(shift / (self.pixel * step)).astype(np.int64))
        # Shifts of equal signs share one half of the table, those of opposite signs the other.
        opposite = (shift[:, 0] < 0) != (shift[:, 1] < 0)
        rows, columns = (-(-side // step) for side in self.mask.shape)
        inside = (at[:, 0] < rows) & (at[:, 1] < columns)
        at[~inside] = 0
        x = np.where(opposite, -at[:, 1], at[:, 1])
        overlap = np.where(inside, covariance[at[:, 0], x], 0)
        whole = float(covariance[0, 0])
        array: np.ndarray = whole / np.maximum(overlap, whole / LARGEST_WEIGHT)
        return array


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
    array: np.ndarray = fft.irfft2(np.abs(spectrum) ** 2, shape)
    return array
