"""Compare track_objects with trackpy: time, and F1 of the links, on random walks with drift and missing objects.

`python -m benchmarks.bench_image_track` prints the figures; `make bench` collects `records()`. Whole processes from a
table to a table are compared: the tool, and a script with trackpy and pandas. The time of linking alone, of positions
in memory and after trackpy has compiled its functions, is reported too.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measuring import ROOT, Cost, Record, figure, part_of, run_process
from scripts.suite_files import tool_script

COMPARED = "trackpy 0.7, memory 1, adaptive search"
REACH = 15.0


def walks(frames: int, objects: int, side: float, seed: int = 0) -> np.ndarray:
    """Return random walks with drift: objects appear, leave, and are missing in 3 % of their frames.

    Returns:
        Array (n, 4): frame, y, x, identity; positions in pixels.
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
    """Return pairs of successive objects of one identity with at most one frame between them."""
    order = np.lexsort((frame, identity))
    f, k = frame[order], identity[order]
    near = (k[1:] == k[:-1]) & (f[1:] - f[:-1] <= 2)
    return set(zip(order[:-1][near].tolist(), order[1:][near].tolist(), strict=True))


def f1(found: set[tuple[int, int]], true: set[tuple[int, int]]) -> float:
    """Return the F1 score of links."""
    return 2 * len(found & true) / (len(found) + len(true))


def compare(frames: int, objects: int, side: float, seeds: int) -> tuple[float, float, float]:
    """Link the same movies in memory with both.

    Args:
        frames: Frames of a movie.
        objects: Objects in its first frame.
        side: Side of the square they move in.
        seeds: Number of movies; one more comes first, for imports and compilation.

    Returns:
        Median of trackpy's time over ours, mean F1 of ours, mean F1 of trackpy's.
    """
    import pandas as pd
    import trackpy

    from bioimage_suite.tracking.linking import LinkOptions, Objects, link_objects

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


def whole_processes(frames: int, objects: int, side: float, repeats: int) -> tuple[list[Cost], list[Cost], int]:
    """Run the tool and a script with trackpy in turns: each reads the same table, links, and writes a table.

    The tool also measures the tracks.

    Returns:
        Costs of the runs of the tool, costs of the runs of the script, number of objects.
    """
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "objects.tsv"
        count = int(subprocess.check_output(part_of(__file__, "table", table, frames, objects, side), cwd=ROOT))
        command = [
            sys.executable,
            str(tool_script("track_objects")),
            "--table",
            str(table),
            "--max-distance",
            str(REACH),
        ]
        command += ["--objects-out", f"{folder}/o", "--tracks-out", f"{folder}/t"]
        for _ in range(repeats):
            ours.append(run_process(command))
            theirs.append(run_process(part_of(__file__, "trackpy", table, f"{folder}/p")))
    return ours, theirs, count


def write_table(path: Path, frames: int, objects: int, side: float) -> int:
    """Write the objects of a movie as a table, and return their number."""
    movie = walks(frames, objects, side)
    lines = (f"{int(t)}\t{y:.3f}\t{x:.3f}\n" for t, y, x, _ in movie)
    path.write_text("frame\ty_px\tx_px\n" + "".join(lines))
    return len(movie)


def link_by_trackpy(table: Path, output: Path) -> None:
    """Read a table, link its objects with trackpy, write a table."""
    import pandas as pd
    import trackpy

    trackpy.quiet()
    objects = pd.read_csv(table, sep="\t").rename(columns={"y_px": "y", "x_px": "x"})
    linked = trackpy.link(objects, REACH, memory=1, adaptive_stop=3, adaptive_step=0.9)
    linked.to_csv(output, sep="\t", index=False)


def records() -> list[Record]:
    """Measure, and return the figures."""
    rows: list[tuple[str, float, str, str, str]] = []
    for frames, objects, side, seeds in ((50, 300, 512, 5), (100, 1000, 930, 2)):
        size = f"{objects} objects, {frames} frames"
        ours, theirs, _ = whole_processes(frames, objects, side, 3)
        ratio = statistics.median(b.seconds / a.seconds for a, b in zip(ours, theirs, strict=True))
        linking, f1_ours, f1_theirs = compare(frames, objects, side, seeds)
        rows += [
            (f"speed of the whole process, {size}", ratio, "x", ">= 5", f"script with {COMPARED}"),
            (f"time of the whole process, {size}", statistics.median(one.seconds for one in ours), "s", "", ""),
            (f"time of trackpy's whole process, {size}", statistics.median(one.seconds for one in theirs), "s", "", ""),
            (f"speed of linking alone, in memory, compiled before, {size}", linking, "x", "", COMPARED),
            (f"link F1, {size}", f1_ours, "", "", ""),
            (f"link F1 minus trackpy's, {size}", f1_ours - f1_theirs, "", ">= -0.002", COMPARED),
        ]
    ours, _, objects = whole_processes(100, 1040, 950, 1)
    place = f"the whole tool, {objects} objects in 100 frames"
    rows += [
        ("time, 100,000 objects", ours[0].seconds, "s", "<= 60", place),
        ("peak memory, 100,000 objects", ours[0].peak_mib, "MiB", "", place),
    ]
    return [figure(f"track_objects: {row[0]}", *row[1:]) for row in rows]


def main(words: list[str]) -> None:
    """Print the figures, or run one of the processes that `whole_processes` starts."""
    if not words:
        for record in records():
            print(record)
    elif words[0] == "table":
        print(write_table(Path(words[1]), int(words[2]), int(words[3]), float(words[4])))
    else:
        link_by_trackpy(Path(words[1]), Path(words[2]))


if __name__ == "__main__":
    main(sys.argv[1:])
