"""Rows of the tables of spatial patterns: objects, curves, and a summary of each pair of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.spatial.statistics import deviation_test

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bioimage_suite.spatial.result import Result


def object_columns(columns: Sequence[str], results: Sequence[Result], unit: str) -> list[str]:
    """Return the header of the table of objects: the given columns, and those of the classes of all images."""
    names = sorted({name for result in results for name in result.names})
    return [*columns, *(f"nearest_{name}_{unit}" for name in names), "neighbours", "cluster"]


def object_rows(results: Sequence[Result], header: list[str], unit: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of all images under one header; cells of a class that an image lacks are empty."""
    for result in results:
        own = object_columns(result.scene.columns, [result], unit)
        places = [own.index(name) if name in own else None for name in header]
        for row in _rows_of_objects(result):
            yield tuple(None if place is None else row[place] for place in places)


def _rows_of_objects(result: Result) -> Iterator[tuple[Any, ...]]:
    """Yield the given columns and the results of each object of one image."""
    place = np.cumsum(result.inside) - 1
    for row, inside, at in zip(result.scene.rows, result.inside.tolist(), place.tolist(), strict=True):
        found: tuple[Any, ...] = (None,) * (len(result.names) + 2)
        if inside:
            nearest = result.pattern.nearest[at].tolist()
            found = (*nearest, int(result.neighbours[at]), int(result.cluster[at]) or None)
        yield (*row, *found)


def curve_columns(unit: str, dimensions: int) -> list[str]:
    """Return the header of the table of curves."""
    return ["image", "from_class", "to_class", f"r_{unit}", f"K_{unit}{dimensions}", f"L_{unit}", f"L_low_{unit}",
            f"L_high_{unit}", "g", "g_low", "g_high"]  # fmt: skip


def curve_rows(result: Result) -> Iterator[tuple[Any, ...]]:
    """Yield rows of the table of curves: one for each image, pair of classes and radius."""
    curves, pattern = result.pattern.curves, result.pattern
    for a, source in enumerate(result.names):
        for b, target in enumerate(result.names):
            envelopes = []
            for simulated in (pattern.simulated_l, pattern.simulated_g):
                one = simulated[:, a, b]
                envelopes += [one.min(axis=0), one.max(axis=0)] if len(one) else [[None] * len(curves.r)] * 2
            yield from (
                (result.scene.image, source, target, *map(_plain, values))
                for values in zip(curves.r, curves.k[a, b], curves.l[a, b], *envelopes[:2], curves.g[a, b],
                                  *envelopes[2:], strict=True)
            )  # fmt: skip


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)


def summary_columns(unit: str, dimensions: int) -> list[str]:
    """Return the names of the summary's columns."""
    size = f"window_{unit}{dimensions}"
    return ["image", "from_class", "to_class", "from_objects", "to_objects", size, f"density_per_{unit}{dimensions}",
            f"mean_nearest_{unit}", f"expected_nearest_{unit}", "nearest_ratio", "nearest_p", "L_p",
            f"largest_deviation_r_{unit}", f"largest_deviation_L_{unit}", "clusters", "clustered_fraction",
            "mean_cluster_objects", "objects_outside_window"]  # fmt: skip


def summary_rows(result: Result) -> Iterator[tuple[Any, ...]]:
    """Yield rows of the summary: one for each pair of classes."""
    pattern, curves = result.pattern, result.pattern.curves
    counts = np.bincount(result.points.of_class, minlength=len(result.names))
    for a, source in enumerate(result.names):
        for b, target in enumerate(result.names):
            observed, simulated = float(pattern.mean_nearest[a, b]), pattern.simulated_nearest[:, a, b]
            expected = float(simulated.mean()) if len(simulated) else float("nan")
            deviation = curves.l[a, b] - (pattern.simulated_l[:, a, b].mean(axis=0) if len(simulated) else curves.r)
            known = np.isfinite(deviation).any()
            at = int(np.nanargmax(np.abs(deviation))) if known else 0
            clusters = np.unique(result.cluster[result.points.of_class == a], return_counts=True)
            sizes = clusters[1][clusters[0] > 0]
            of_one = (len(sizes), float(sizes.sum() / counts[a]) if counts[a] else None,
                      float(sizes.mean()) if len(sizes) else None) if a == b else (None,) * 3  # fmt: skip
            yield (
                result.scene.image, source, target, int(counts[a]), int(counts[b]), result.window.size,
                counts[b] / result.window.size, observed, expected, observed / expected,
                deviation_test(pattern.mean_nearest[a, b], simulated),
                deviation_test(curves.l[a, b], pattern.simulated_l[:, a, b]),
                float(curves.r[at]) if known else None, float(deviation[at]) if known else None, *of_one,
                int((~result.inside).sum()),
            )  # fmt: skip
