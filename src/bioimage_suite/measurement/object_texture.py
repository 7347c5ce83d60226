"""Texture of objects: Haralick's features of their grey-level co-occurrence matrices.

Haralick, Shanmugam and Dinstein 1973, doi:10.1109/TSMC.1973.4309314. Grey values are cut into equal levels between a
lowest and a highest one. A matrix counts the pairs of levels of two pixels of one object that lie `distance` apart
along a direction (4 in a plane, 13 in a volume), counted both ways, divided by their number. Features are computed for
each direction and averaged over those that have pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch import release
from bioimage_suite.images.model.bands import bands
from bioimage_suite.images.model.planes import planes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.images.model.image_file import ImageFile

# Number of objects whose matrices are in memory together.
GROUP = 64


@dataclass(frozen=True)
class TextureOptions:
    """How texture is measured.

    Attributes:
        distance: Steps between the two pixels of a pair, along each axis that the direction follows.
        levels: Number of grey levels.
        low: Grey value at which the first level begins; None for the smallest of the channel in the image.
        high: Grey value at which the last level ends; None for the largest of the channel in the image.
    """

    distance: int = 1
    levels: int = 32
    low: float | None = None
    high: float | None = None

    def check(self) -> None:
        """Reject values out of range.

        Raises:
            UserError: An option is out of range; the message names it and its limits.
        """
        if not 1 <= self.distance <= 100:
            raise UserError(f"Texture distance {self.distance}: must lie between 1 and 100 pixels.")
        if not 2 <= self.levels <= 256:
            raise UserError(f"Texture levels {self.levels}: must lie between 2 and 256.")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise UserError(f"Texture range {self.low:g} to {self.high:g}: the first must be less than the second.")


def directions(volume: bool) -> list[tuple[int, int, int]]:
    """Return the steps (z, y, x) of 4 directions in a plane or 13 in a volume; each stands for its opposite too."""
    one_step = (-1, 0, 1)
    steps = [(z, y, x) for z, y, x in product(one_step, one_step, one_step) if (z, y, x) > (0, 0, 0)]
    return steps if volume else [step for step in steps if step[0] == 0]


def levels_of(values: np.ndarray, low: float, high: float, levels: int) -> np.ndarray:
    """Cut grey values into `levels` equal levels (uint8) from low to high; values beyond go to the outermost ones."""
    if not low < high:
        return np.zeros(values.shape, np.uint8)
    steps = np.floor((values.astype(np.float64) - low) * (levels / (high - low)))
    return np.clip(steps, 0, levels - 1).astype(np.uint8)


def textures(
    labels: np.ndarray,
    grey: np.ndarray,
    objects: list[tuple[int, tuple[slice, slice, slice]]],
    options: TextureOptions,
) -> dict[str, np.ndarray]:
    """Measure the texture of each object.

    Args:
        labels: (Z, Y, X) label map.
        grey: (Z, Y, X) uint8 levels (`levels_of`).
        objects: Label and box of each object.
        options: Distance and levels.

    Returns:
        (n,) float64 by feature; NaN for an object without a pair.
    """
    steps = directions(labels.shape[0] > 1)
    parts = []
    for first in range(0, len(objects), GROUP):
        group = objects[first : first + GROUP]
        counts = np.zeros((len(group), len(steps), options.levels, options.levels))
        for number, (label, box) in enumerate(group):
            inside, levels = labels[box] == label, grey[box]
            for way, step in enumerate(steps):
                counts[number, way] = _pairs(inside, levels, step, options)
            release(labels)
            release(grey)
        parts.append(_averaged(counts))
    names = haralick_features(np.ones((1, 1, 1))).keys()
    return {name: np.concatenate([part[name] for part in parts] or [np.zeros(0)]) for name in names}


def _pairs(inside: np.ndarray, levels: np.ndarray, step: tuple[int, int, int], options: TextureOptions) -> np.ndarray:
    """Count the pairs of levels along one direction, both ways: (levels, levels)."""
    one, other = [], []
    for size, along in zip(inside.shape, step, strict=True):
        shift = min(abs(along) * options.distance, size)
        ahead, behind = slice(shift, size), slice(0, size - shift)
        one.append(behind if along >= 0 else ahead)
        other.append(ahead if along >= 0 else behind)
    first, second = tuple(one), tuple(other)
    both = inside[first] & inside[second]
    code = levels[first][both].astype(np.int64) * options.levels + levels[second][both]
    counts = np.bincount(code, minlength=options.levels**2).reshape(options.levels, options.levels)
    return counts + counts.T


def _averaged(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the features of (n, directions, L, L) counts, averaged over the directions that have pairs."""
    total = counts.sum(axis=(2, 3))
    used = total > 0
    features = haralick_features(counts[used] / total[used][:, None, None])
    out = {}
    for name, values in features.items():
        table = np.zeros(used.shape)
        table[used] = values
        number = used.sum(axis=1)
        out[name] = np.divide(table.sum(axis=1), number, out=np.full(len(number), np.nan), where=number > 0)
    return out


def haralick_features(p: np.ndarray) -> dict[str, np.ndarray]:
    """Return the 13 features of symmetric matrices whose entries sum to 1.

    With i, j the levels from 0 (so sums also start at 0), m and v their mean and variance, and log to base 2:
    f1 energy (angular second moment) sum p^2; f2 contrast sum (i-j)^2 p; f3 correlation sum (i-m)(j-m) p / v, 1 where
    v is 0; f4 variance v; f5 homogeneity (inverse difference moment) sum p / (1 + (i-j)^2); f6 to f8 mean, variance
    and entropy of i+j; f9 entropy of p; f10 and f11 variance and entropy of |i-j|; f12 (HXY - HXY1) / HX, 0 where HX
    is 0; f13 sqrt(1 - exp(-2 (HXY2 - HXY))). f7 is the variance about the mean f6; the paper prints f8 there.

    Args:
        p: (n, L, L) co-occurrence matrices.

    Returns:
        (n,) float64 values by name.
    """
    size = p.shape[-1]
    i, j = np.indices((size, size))
    flat = p.reshape(len(p), -1)
    margin = p.sum(axis=2)
    level = np.arange(size)
    mean = margin @ level
    variance = margin @ level**2 - mean**2
    together = flat @ ((i * j).ravel()) - mean**2
    flat_margin = variance <= 1e-12
    sums, differences = np.zeros((len(p), 2 * size - 1)), np.zeros((len(p), size))
    for offset in range(size):
        upper = p.diagonal(offset, 1, 2).sum(axis=1)
        differences[:, offset] = upper if offset == 0 else 2 * upper
    for offset in range(-size + 1, size):
        sums[:, offset + size - 1] = p[:, ::-1].diagonal(offset, 1, 2).sum(axis=1)
    sum_level = np.arange(2 * size - 1)
    sum_mean = sums @ sum_level
    entropy, margin_entropy = _entropy(flat), _entropy(margin)
    # p is symmetric: HXY1 and HXY2 of the paper are both twice the entropy of the margin.
    return {
        "energy": (flat**2).sum(axis=1),
        "contrast": flat @ ((i - j) ** 2).ravel(),
        "correlation": np.where(flat_margin, 1, together / np.where(flat_margin, 1, variance)),
        "variance": variance,
        "homogeneity": flat @ (1 / (1 + (i - j) ** 2)).ravel(),
        "sum_average": sum_mean,
        "sum_variance": sums @ sum_level**2 - sum_mean**2,
        "sum_entropy": _entropy(sums),
        "entropy": entropy,
        "difference_variance": differences @ level**2 - (differences @ level) ** 2,
        "difference_entropy": _entropy(differences),
        "information_1": (entropy - 2 * margin_entropy) / np.where(margin_entropy > 0, margin_entropy, 1),
        "information_2": np.sqrt(np.maximum(0, 1 - np.exp(-2 * (2 * margin_entropy - entropy)))),
    }


def _entropy(p: np.ndarray) -> np.ndarray:
    """Return the entropy of each row in bits."""
    array: np.ndarray = -(p * np.log2(p, out=np.zeros(p.shape), where=p > 0)).sum(axis=1)
    return array


def channel_range(image: ImageFile, channel: int, options: TextureOptions) -> tuple[float, float]:
    """Return the grey values at which the first level of texture begins and the last one ends.

    Those of the options; else the smallest and the largest of the channel in the whole image.
    """
    low, high = options.low, options.high
    if low is None or high is None:
        readers = (image.plane_reader(t, channel, z) for t, z in planes_of(image))
        smallest, largest = range_of(read(*rows) for read in readers for rows in bands(image.size_y, image.size_x))
        low, high = smallest if low is None else low, largest if high is None else high
    return low, high


def range_of(parts: Iterator[np.ndarray]) -> tuple[float, float]:
    """Return the smallest and largest grey value of all parts of an image."""
    ends = [(float(part.min()), float(part.max())) for part in parts]
    return min(low for low, _ in ends), max(high for _, high in ends)
