"""Measure the time of analyze_spatial_pattern: K, L, g and nearest neighbours with up to 99 random patterns.

`python -m benchmarks.bench_image_spatial` prints the figures; `make bench` collects `records()`. There is nothing to
compare with: no public Python library has an edge-corrected cross-K with envelopes (RipleysKEstimator of astropy has
one class, no envelopes, and needs memory of O(n²)).
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.measuring import Record, figure


def records() -> list[Record]:
    """Measure, and return the figures."""
    from bioimage_suite.spatial.statistics import PatternOptions, Points, analyze
    from bioimage_suite.spatial.window import Box

    window = Box(np.zeros(2), np.array([2048.0, 2048.0]))
    rng = np.random.default_rng(0)
    found = []
    for objects, simulations in ((500, 99), (3000, 99), (20_000, 9)):
        points = Points(window.random_points(objects, rng), rng.integers(0, 2, objects), 2)
        start = time.perf_counter()
        analyze(points, window, PatternOptions(simulations=simulations))
        seconds = time.perf_counter() - start
        name = f"analyze_spatial_pattern: {objects} objects, {simulations} random patterns"
        found.append(figure(name, seconds, "s"))
    return found


if __name__ == "__main__":
    for record in records():
        print(record)
