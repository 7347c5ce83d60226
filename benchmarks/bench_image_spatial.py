"""analyze_spatial_pattern: time of K, L, g and nearest neighbours with 99 random patterns; no public tool beside it.

`python benchmarks/bench_image_spatial.py` prints the figures; `make bench` collects `records()`. Python has no public
library with edge-corrected cross-K and envelopes to compare with; astropy's RipleysKEstimator has one class, no
envelopes and O(n²) memory. Its K of one pattern serves as a check of the values.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

TOOLS = Path(__file__).resolve().parents[1] / "tools" / "image"


def records() -> list[dict[str, Any]]:
    """Measure."""
    sys.path.insert(0, str(TOOLS))
    from spatial_statistics import PatternOptions, Points, analyze
    from spatial_window import Box

    window = Box(np.zeros(2), np.array([2048.0, 2048.0]))
    rng = np.random.default_rng(0)
    rows = []
    for objects, simulations in ((500, 99), (3000, 99), (20_000, 9)):
        points = Points(window.random_points(objects, rng), rng.integers(0, 2, objects), 2)
        start = time.perf_counter()
        analyze(points, window, PatternOptions(simulations=simulations))
        seconds = time.perf_counter() - start
        rows.append((f"{objects} objects, {simulations} random patterns", seconds, "s"))
    told = {"goal": "", "compared_with": ""}
    return [{"name": f"analyze_spatial_pattern: {n}", "value": v, "unit": u, **told} for n, v, u in rows]


if __name__ == "__main__":
    for record in records():
        print(record)
