"""Relations between objects: neighbours in one label map, and children of another label map in their parents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.images.model.label_runs import runs_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def touching_pairs(bands: Iterator[np.ndarray]) -> np.ndarray:
    """Return the pairs of labels whose pixels share an edge (in a volume a face).

    Args:
        bands: (Z, rows, X) blocks of a label map that overlap by one row or plane, so that no contact is missed.

    Returns:
        (n, 2) int64, smaller label first, each pair once.
    """
    found = [np.zeros(0, np.int64)]
    for block in bands:
        for axis in range(3):
            ahead, behind = [slice(None)] * 3, [slice(None)] * 3
            ahead[axis], behind[axis] = slice(1, None), slice(0, -1)
            one, other = block[tuple(behind)], block[tuple(ahead)]
            contact = (one != other) & (one > 0) & (other > 0)
            a, b = one[contact].astype(np.int64), other[contact].astype(np.int64)
            found.append(np.unique(np.minimum(a, b) << 32 | np.maximum(a, b)))
    pairs = np.unique(np.concatenate(found))
    return np.stack([pairs >> 32, pairs & 0xFFFFFFFF], axis=1)


def neighbours(label: np.ndarray, points: np.ndarray, pairs: np.ndarray, within: float) -> dict[str, np.ndarray]:
    """Count the neighbours of each object and find the nearest one.

    Args:
        label: (n,) ascending labels.
        points: (n, 3) centroids z, y, x in pixels of the plane.
        pairs: (m, 2) labels that touch (`touching_pairs`).
        within: Largest distance of the centroids of neighbours, px.

    Returns:
        Arrays of n values by column name; the nearest neighbour of a single object is NaN.
    """
    from scipy.spatial import cKDTree

    touching = np.bincount(np.searchsorted(label, pairs.ravel()), minlength=len(label))
    nearest, distance, near = np.full(len(label), np.nan), np.full(len(label), np.nan), np.zeros(len(label), np.int64)
    if len(label) > 1:
        tree = cKDTree(points)
        away, which = tree.query(points, k=2)
        # Of two objects with the same centroid either may come first.
        second = np.where(which[:, 0] == np.arange(len(label)), 1, 0)
        row = np.arange(len(label))
        nearest, distance = label[which[row, second]], away[row, second]
        near = tree.query_ball_point(points, within, return_length=True) - 1
    return {
        "neighbours_touching": touching,
        "nearest_neighbour_label": nearest,
        "nearest_neighbour_px": distance,
        f"neighbours_within_{within:g}px": near,
    }


@dataclass(frozen=True)
class Children:
    """Objects of one label map with their parents in another; arrays of equal length.

    Attributes:
        label: Label of the child, ascending.
        parent: Label of the parent with most of the child's pixels (the smallest label of several); 0 for no parent.
        pixels: Number of the child's pixels.
        inside: Number of these pixels in the parent.
    """

    label: np.ndarray
    parent: np.ndarray
    pixels: np.ndarray
    inside: np.ndarray


def children_of(pairs: Iterator[tuple[np.ndarray, np.ndarray]]) -> Children:
    """Find the parent of each child in bands of two label maps.

    Args:
        pairs: (rows, X) bands of the parents' label map, each with the same band of the children's.
    """
    codes, lengths = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for parent, child in pairs:
        code = np.where(child > 0, child.astype(np.int64) << 32 | parent.astype(np.int64), 0)
        runs = runs_of(code, 0)
        pair, index = np.unique(runs.label, return_inverse=True)
        codes.append(pair)
        lengths.append(np.bincount(index, runs.length, len(pair)))
    pair, index = np.unique(np.concatenate(codes), return_inverse=True)
    shared = np.bincount(index, np.concatenate(lengths), len(pair)).astype(np.int64)
    child, parent = pair >> 32, pair & 0xFFFFFFFF
    label, at = np.unique(child, return_inverse=True)
    pixels = np.bincount(at, shared, len(label)).astype(np.int64)
    # Sort by child, then by descending pixels in a parent, then by label of the parent.
    order = np.lexsort((parent, np.where(parent > 0, -shared, 1), child))
    first = order[np.searchsorted(child[order], label)]
    inside = np.where(parent[first] > 0, shared[first], 0)
    return Children(label, parent[first], pixels, inside)


def by_parent(parent_label: np.ndarray, children: Children, name: str, unit: str) -> dict[str, np.ndarray]:
    """Return the number of children of each parent and the sum of their pixels (`area_px` or `volume_voxels`)."""
    has = children.parent > 0
    at = np.searchsorted(parent_label, children.parent[has])
    count = np.bincount(at, minlength=len(parent_label))
    pixels = np.bincount(at, children.pixels[has], len(parent_label)).astype(np.int64)
    return {f"{name}_count": count, f"{name}_{unit}": pixels}


@dataclass(frozen=True)
class GreyParts:
    """Grey values of the inner and the outer part of each object, such as nucleus and cytoplasm of a cell.

    Attributes:
        pixels: (2, n) number of pixels of the inner and the outer parts.
        means: (channels, 2, n) their mean grey values, NaN without pixels.
        ratio: (channels, n) the first by the second: above 1 where a signal lies inside; NaN where it divides by 0.
    """

    pixels: np.ndarray
    means: np.ndarray
    ratio: np.ndarray


def grey_parts(
    label: np.ndarray, bands: Iterator[tuple[np.ndarray, np.ndarray, Sequence[np.ndarray]]], channels: int
) -> GreyParts:
    """Measure the grey values of objects within and outside of others.

    Args:
        label: (n,) ascending labels of the objects.
        bands: (rows, X) bands of the objects' label map, each with the same band of a label map of what is inside and
            of each channel.
        channels: Number of channels.
    """
    count = len(label)
    pixels, sums = np.zeros(2 * count), np.zeros((channels, 2 * count))
    for whole, inner, greys in bands:
        own = whole > 0
        part = np.searchsorted(label, whole[own]) + count * (inner[own] == 0)
        pixels += np.bincount(part, minlength=2 * count)
        for at, grey in enumerate(greys):
            sums[at] += np.bincount(part, grey[own].astype(np.float64), 2 * count)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (sums / pixels).reshape(channels, 2, count)
        ratio = np.where(means[:, 1] != 0, means[:, 0] / means[:, 1], np.nan)
    return GreyParts(pixels.reshape(2, count).astype(np.int64), means, ratio)
