"""track_objects against trackpy: time to link and the F1 of the links, on random walks with drift and missing objects.

`python -m benchmarks.bench_image_track` prints the figures; `make bench` collects `records()`. Only the linking of
positions in memory is compared; the large case is the whole tool, from a table to its outputs.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measuring import ROOT, Cost, Record, figure, run_process

TOOLS = ROOT / "tools" / "image"
COMPARED = "trackpy 0.7, memory 1, adaptive search"
REACH = 15.0


def walks(frames: int, objects: int, side: float, seed: int = 0) -> np.ndarray:
    """Random walks with drift; objects appear, leave, and are missed in 3 % of their frames.

    Returns:
        (n, 4) frame, y, x, identity.
    """
    rng = np.random.default_rng(seed)
    position, drift = rng.uniform(0, side, (objects, 2)), rng.normal(0, 1.2, (objects, 2))
    identity, following = np.arange(objects), objects
    rows = []
    for frame in range(frames):
        inside = ((position >= 0) & (position < side)).all(axis=1)
        position, drift, identity = position[inside], drift[inside], identity[inside]
        born = rng.poisson(2)
        position = np.vstack([position, rng.uniform(0, side, (born, 2))])
        drift = np.vstack([drift, rng.normal(0, 1.2, (born, 2))])
        identity = np.r_[identity, np.arange(following, following + born)]
        following += born
        seen = rng.random(len(identity)) > 0.03
        measured = position + rng.normal(0, 0.4, position.shape)
        rows.append(np.column_stack([np.full(seen.sum(), frame), measured[seen], identity[seen]]))
        position = position + drift + rng.normal(0, 2.0, position.shape)
    return np.vstack(rows)


def links(frame: np.ndarray, identity: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of successive objects of one identity, at most one frame between them."""
    order = np.lexsort((frame, identity))
    f, k = frame[order], identity[order]
    near = (k[1:] == k[:-1]) & (f[1:] - f[:-1] <= 2)
    return set(zip(order[:-1][near].tolist(), order[1:][near].tolist(), strict=True))


def f1(found: set[tuple[int, int]], true: set[tuple[int, int]]) -> float:
    """F1 of links."""
    return 2 * len(found & true) / (len(found) + len(true))


def compare(frames: int, objects: int, side: float, seeds: int) -> tuple[float, float, float]:
    """Link the same movies with both, one after the other.

    Args:
        frames: Frames of a movie.
        objects: Objects in its first frame.
        side: Side of the square they move in.
        seeds: Number of movies that count.

    Returns:
        Median of trackpy's time over ours, mean F1 of ours, mean F1 of trackpy's.
    """
    import pandas as pd
    import trackpy

    sys.path.insert(0, str(TOOLS))
    from track_linking import LinkOptions, Objects, link_objects

    trackpy.quiet()
    ratios, ours, theirs = [], [], []
    for seed in range(seeds + 1):
        movie = walks(frames, objects, side, seed)
        frame, position = movie[:, 0].astype(int), movie[:, 1:3].copy()
        true = links(frame, movie[:, 3])
        start = time.perf_counter()
        tracks = link_objects(Objects(frame, position), LinkOptions(REACH, 1))
        middle = time.perf_counter()
        table = pd.DataFrame(movie[:, :3], columns=["frame", "y", "x"])
        particles = trackpy.link(table, REACH, memory=1, adaptive_stop=3, adaptive_step=0.9).sort_index().particle
        end = time.perf_counter()
        if seed:  # the first pays for imports and compilation
            ratios.append((end - middle) / (middle - start))
            ours.append(f1(links(frame, tracks.track), true))
            theirs.append(f1(links(frame, particles.to_numpy()), true))
    return statistics.median(ratios), statistics.mean(ours), statistics.mean(theirs)


def large() -> tuple[Cost, int]:
    """The whole tool on about 100,000 objects in 100 frames.

    Returns:
        What it took, number of objects.
    """
    movie = walks(100, 1000, 930)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "objects.tsv"
        lines = (f"{int(t)}\t{y:.3f}\t{x:.3f}\n" for t, y, x, _ in movie)
        table.write_text("frame\ty_px\tx_px\n" + "".join(lines))
        command = [sys.executable, str(TOOLS / "track_objects.py"), "--table", str(table), "--max-distance", str(REACH)]
        command += ["--objects-out", f"{folder}/o", "--tracks-out", f"{folder}/t", "--images-out", f"{folder}/i"]
        return run_process([*command, "--figure", f"{folder}/f"]), len(movie)


def records() -> list[Record]:
    """Measure."""
    small, large_movie = compare(50, 300, 512, 5), compare(100, 1000, 930, 2)
    cost, objects = large()
    place = f"the whole tool, {objects} objects in 100 frames"
    rows: list[tuple[str, float, str, str, str]] = [
        ("speed of linking, 300 objects, 50 frames", small[0], "x", ">= 5", COMPARED),
        ("speed of linking, 1000 objects, 100 frames", large_movie[0], "x", ">= 5", COMPARED),
        ("link F1 minus trackpy's, 300 objects, 50 frames", small[1] - small[2], "", ">= -0.002", COMPARED),
        (
            "link F1 minus trackpy's, 1000 objects, 100 frames",
            large_movie[1] - large_movie[2],
            "",
            ">= -0.002",
            COMPARED,
        ),
        ("link F1, 1000 objects, 100 frames", large_movie[1], "", "", COMPARED),
        ("time, 100,000 objects", cost.seconds, "s", "<= 60", place),
        ("peak memory, 100,000 objects", cost.peak_mib, "MiB", "", place),
    ]
    return [figure(f"track_objects: {row[0]}", *row[1:]) for row in rows]


if __name__ == "__main__":
    for record in records():
        print(record)
