"""Comparison of a label map with the true one: matched, split and merged objects, and the ratios of their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.ratios import ratio
from bioimage_suite.images.model.bands import bands
from bioimage_suite.images.model.label_runs import runs_of
from bioimage_suite.images.model.planes import sizes
from bioimage_suite.images.writers.label_maps import check_label_map

if TYPE_CHECKING:
    from bioimage_suite.images.model.image_file import ImageFile

# IoU thresholds of the 2018 Data Science Bowl; its score is the mean over them.
BOWL_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))


@dataclass(frozen=True)
class ObjectOverlaps:
    """Overlaps of the objects of two label planes or volumes.

    Attributes:
        true_area: (n,) int64 pixels of each true object.
        found_area: (m,) int64 pixels of each found object.
        true: (k,) index of the true object of each overlapping pair.
        found: (k,) index of the found object of each pair.
        shared: (k,) int64 pixels that the two share.
    """

    true_area: np.ndarray
    found_area: np.ndarray
    true: np.ndarray
    found: np.ndarray
    shared: np.ndarray

    @property
    def iou(self) -> np.ndarray:
        """Return the intersection over union of each pair, (k,) float64."""
        array: np.ndarray = self.shared / (self.true_area[self.true] + self.found_area[self.found] - self.shared)
        return array


def overlaps_on(true: ImageFile, found: ImageFile, t: int, planes: list[int]) -> ObjectOverlaps:
    """Return the overlaps on one plane, or in the volume of several, read band by band."""
    labels, lengths = [], []
    for z in planes:
        readers = [one.plane_reader(t, 0, z) for one in (true, found)]
        for first, last in bands(true.size_y, true.size_x):
            a, b = (read(first, last).astype(np.int64) for read in readers)
            if min(a.min(), b.min()) < 0:
                raise UserError(f"Label map {true.name} or {found.name}: holds a negative label. Labels begin at 1.")
            runs = runs_of(a << 32 | b, first)
            labels.append(runs.label)
            lengths.append(runs.length)
    pair, index = np.unique(np.concatenate(labels), return_inverse=True)
    shared = np.bincount(index, np.concatenate(lengths), len(pair)).astype(np.int64)
    a, b = pair >> 32, pair & 0xFFFFFFFF
    areas, indices = [], []
    for label in (a, b):
        names, at = np.unique(label[label > 0], return_inverse=True)
        areas.append(np.bincount(at, shared[label > 0], len(names)).astype(np.int64))
        indices.append(names)
    both = (a > 0) & (b > 0)
    where = [np.searchsorted(names, label[both]) for names, label in zip(indices, (a, b), strict=True)]
    return ObjectOverlaps(areas[0], areas[1], where[0], where[1], shared[both])


def matches(overlaps: ObjectOverlaps, threshold: float) -> int:
    """Return the largest number of pairs with at least this IoU in which each object occurs once."""
    good = overlaps.iou >= threshold
    if threshold > 0.5:
        return int(good.sum())  # an IoU above 0.5 is possible with one partner only
    if not good.any():
        return 0
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    shape = (len(overlaps.true_area), len(overlaps.found_area))
    graph = csr_array((np.ones(int(good.sum()), np.int8), (overlaps.true[good], overlaps.found[good])), shape=shape)
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def splits_and_merges(overlaps: ObjectOverlaps) -> tuple[int, int]:
    """Count split and merged objects.

    Returns:
        Number of true objects that hold more than half of each of two or more found ones, and of found objects that
        hold more than half of each of two or more true ones.
    """
    inside_true = 2 * overlaps.shared > overlaps.found_area[overlaps.found]
    inside_found = 2 * overlaps.shared > overlaps.true_area[overlaps.true]
    split = np.bincount(overlaps.true[inside_true], minlength=1)
    merged = np.bincount(overlaps.found[inside_found], minlength=1)
    return int((split > 1).sum()), int((merged > 1).sum())


def evaluate(
    true: ImageFile, found: ImageFile, thresholds: tuple[float, ...], volume: bool = False
) -> dict[str, float | int]:
    """Compare all planes or volumes; sum the counts over them before taking ratios.

    Args:
        true: The true label map.
        found: The label map to judge, of the same size.
        thresholds: IoU thresholds, each above 0 and at most 1.
        volume: Whether the z-planes of a time point are one volume, in which an object has one label.

    Returns:
        Values by column name. A ratio with the denominator 0 is NaN.

    Raises:
        UserError: The sizes differ, or a file is not a label map.
    """
    for one in (true, found):
        check_label_map(one)
    if sizes(true) != sizes(found):
        raise UserError(
            f"Label map {found.name} is T, Z, Y, X = {sizes(found)}, the true one {true.name} is {sizes(true)}. "
            "Give two label maps of the same image."
        )
    wanted = sorted({*thresholds, *BOWL_THRESHOLDS})
    counts = dict.fromkeys(("true", "found", "true_px", "found_px", "shared_px", "split", "merged"), 0)
    matched = dict.fromkeys(wanted, 0)
    every = list(range(true.size_z))
    for t in range(true.size_t):
        for planes in [every] if volume else [[z] for z in every]:
            overlaps = overlaps_on(true, found, t, planes)
            split, merged = splits_and_merges(overlaps)
            here = (len(overlaps.true_area), len(overlaps.found_area), int(overlaps.true_area.sum()),
                    int(overlaps.found_area.sum()), int(overlaps.shared.sum()), split, merged)  # fmt: skip
            counts = {name: counts[name] + more for name, more in zip(counts, here, strict=True)}
            matched = {level: matched[level] + matches(overlaps, level) for level in wanted}
    return _figures(counts, matched, thresholds)


def _figures(
    counts: dict[str, int], matched: dict[float, int], thresholds: tuple[float, ...]
) -> dict[str, float | int]:
    """Return the counts and their ratios by column name; the tool's help defines each."""
    n_true, n_found = counts["true"], counts["found"]
    figures: dict[str, float | int] = {
        "true_objects": n_true, "found_objects": n_found,
        "dice": ratio(2 * counts["shared_px"], counts["true_px"] + counts["found_px"]),
        "split_objects": counts["split"], "merged_objects": counts["merged"],
    }  # fmt: skip
    for level in thresholds:
        hits = matched[level]
        figures |= {
            f"matched_{level:g}": hits,
            f"precision_{level:g}": ratio(hits, n_found),
            f"recall_{level:g}": ratio(hits, n_true),
            f"f1_{level:g}": ratio(2 * hits, n_true + n_found),
            f"average_precision_{level:g}": ratio(hits, n_true + n_found - hits),
        }
    scores = [ratio(matched[level], n_true + n_found - matched[level]) for level in BOWL_THRESHOLDS]
    return figures | {"mean_average_precision": sum(scores) / len(scores)}


def parsed_thresholds(text: str) -> tuple[float, ...]:
    """Read IoU thresholds separated by commas or blanks.

    Raises:
        UserError: A threshold is not a number above 0 and at most 1, or there is none.
    """
    try:
        levels = tuple(dict.fromkeys(float(word) for word in text.replace(",", " ").split()))
    except ValueError:
        levels = ()
    if not levels or not all(0 < level <= 1 for level in levels):
        raise UserError(f"IoU thresholds {text!r}: give numbers above 0 and at most 1, as in 0.5, 0.7.")
    return levels
