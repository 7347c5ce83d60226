"""Measure the time of analyze_spatial_pattern: K, L, g and nearest neighbours with up to 99 random patterns.

`python -m benchmarks.bench_image_spatial` prints the figures; `make bench` collects `records()`. It is compared with
pointpats, whose K has neither edge correction nor classes: the same uncorrected K of the same points, random pattern by
random pattern. With edge correction it is compared with the definition as R's spatstat documents it (Kest and Lcross,
correction "translate"), written out here for all pairs at once.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.measuring import Record, figure, part_of, run_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from bioimage_suite.spatial.statistics import Points

SIDE, POINTS, PATTERNS = 2048.0, 4000, 4
POINTPATS, DEFINITION = "pointpats 2.5.5", "the definition of R's spatstat, in NumPy"


def points_in(count: int, classes: int = 1, seed: int = 0) -> Points:
    """Return random points in the square."""
    from bioimage_suite.spatial.statistics import Points

    rng = np.random.default_rng(seed)
    return Points(rng.uniform(0, SIDE, (count, 2)), rng.integers(0, classes, count), classes)


def own_k(points: Points, correction: str, patterns: int) -> np.ndarray:
    """Return (classes, classes, 50) K of the points, after that of random patterns."""
    from bioimage_suite.spatial.statistics import PatternOptions, analyze
    from bioimage_suite.spatial.window import Box

    window = Box(np.zeros(2), np.full(2, SIDE))
    return analyze(points, window, PatternOptions(simulations=patterns, correction=correction)).curves.k


def by_definition(points: Points) -> np.ndarray:
    """Return (classes, classes, 50) K with the translation correction, from all pairs."""
    y, x = points.position.T
    dy, dx = np.abs(y[:, None] - y), np.abs(x[:, None] - x)
    weight = SIDE**2 / ((SIDE - dy) * (SIDE - dx))
    distance = np.sqrt(dy**2 + dx**2)
    np.fill_diagonal(distance, np.inf)
    radii = np.arange(1, 51) * SIDE / 4 / 50
    k = np.zeros((points.classes, points.classes, 50))
    for a, b in np.ndindex(k.shape[:2]):
        rows, columns = points.of_class == a, points.of_class == b
        pairs = rows.sum() * (columns.sum() - (a == b))
        near, weighed = distance[rows][:, columns], weight[rows][:, columns]
        sums = np.histogram(near, np.r_[0, radii], weights=weighed)[0]
        k[a, b] = SIDE**2 / pairs * np.cumsum(sums)
    return k


def by_pointpats(points: Points) -> np.ndarray:
    """Return (50,) K without correction, per unit of the area of the window."""
    from pointpats.distance_statistics import k

    found: np.ndarray = k(points.position, support=np.linspace(0, SIDE / 4, 51))[1][1:]
    return found


def timed(work: Callable[[], np.ndarray], times: int = 1) -> tuple[float, np.ndarray]:
    """Return the processor time of one of `times` runs, s, and the last result."""
    start = time.process_time()
    for _ in range(times):
        found = work()
    return (time.process_time() - start) / times, found


def records() -> list[Record]:
    """Measure, and return the figures."""
    found, points = [], points_in(POINTS, 2)
    one = points_in(POINTS)
    for name, correction, who, pattern, other in (
        ("uncorrected K", "none", POINTPATS, one, partial(by_pointpats, one)),
        ("translation-corrected K of two classes", "translation", DEFINITION, points, partial(by_definition, points)),
    ):
        own_k(pattern, correction, 0)  # compiled once in a process; the figure of a whole process below holds it
        mine, k = timed(partial(own_k, pattern, correction, PATTERNS))
        theirs, reference = timed(other, PATTERNS + 1)
        shape = k / k[..., -1:] if who == POINTPATS else k  # pointpats takes the area of the points' hull
        reference = reference / reference[-1] if who == POINTPATS else reference
        title = f"analyze_spatial_pattern, {POINTS} objects, {name}"
        found.append(figure(f"{title}: speed of a pattern", (PATTERNS + 1) * theirs / mine, "x", ">= 20", who))
        difference = float(np.abs(shape / reference - 1).max())
        found.append(figure(f"{title}: largest relative difference", difference, "", "<= 1e-9", who))
    for objects, most in ((500, ""), (POINTS, ""), (100_000, "<= 60")):
        cost = run_process(part_of(__file__, "whole", objects))
        title = f"analyze_spatial_pattern: {objects} objects, 99 random patterns"
        found.append(figure(f"{title}: time", cost.seconds, "s", most))
        found.append(figure(f"{title}: processor time", cost.processor_seconds, "s"))
        found.append(figure(f"{title}: memory", cost.peak_mib, "MiB", "<= 2048"))
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["whole"]:
        own_k(points_in(int(sys.argv[2])), "translation", 99)
    else:
        print(json.dumps(records(), indent=1))
