"""Measure memory and time of segment_objects and measure_objects on images larger than memory would hold whole.

A plane of 47,000 x 47,000 pixels (2.2 billion) and a volume of 500 planes of 1024 x 1024. The goal of each is a GB
(950 MiB) of peak resident memory (VmHWM, with pages of mapped files). On a plane of 12,000 x 12,000 pixels, as much as
scikit-image can take, segment_objects runs beside the same steps on the whole plane; the objects must be the same.

`python -m benchmarks.bench_image_large` prints the figures; `make bench` collects `records()`. It takes a quarter of an
hour, and 15 GB of temporary files.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bench_image_segment import make_image
from benchmarks.measuring import OWN_GOAL, ROOT, Cost, Record, figure, part_of, run_process
from scripts.suite_files import tool_script

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

SIZE, BESIDE = 47_000, 12_000
PLANES, SIDE = 500, 1024
TILE, REPEATED = 512, 4096
GOAL = "<= 950"


def make_plane(path: Path, size: int) -> None:
    """Write a plane of touching nuclei that repeats one of REPEATED x REPEATED pixels, whose tiles are encoded once."""
    import numpy as np
    import tifffile

    small = path.with_name("repeated.ome.tiff")
    make_image(small, REPEATED)
    pixels = tifffile.imread(small)
    corners = range(0, REPEATED, TILE)
    encoded = {(y, x): _encoded(pixels[y : y + TILE, x : x + TILE]) for y in corners for x in corners}
    places = ((y % REPEATED, x % REPEATED) for y in range(0, size, TILE) for x in range(0, size, TILE))
    tifffile.imwrite(path, (encoded[place] for place in places), shape=(size, size), dtype=np.uint16, ome=True,
                     tile=(TILE, TILE), compression="zlib", predictor=True, bigtiff=True)  # fmt: skip


def _encoded(tile: np.ndarray) -> bytes:
    """Return a tile as TIFF's predictor and zlib store it."""
    import numpy as np

    return zlib.compress(np.diff(tile, axis=1, prepend=tile.dtype.type(0)).astype("<u2").tobytes(), 1)


def make_volume(path: Path) -> None:
    """Write a volume of ellipsoids, one in each box of 20 x 40 x 40 voxels, that repeats its first 40 planes."""
    import numpy as np
    import tifffile

    rng = np.random.default_rng(5)
    inside = np.zeros((40, SIDE, SIDE), bool)
    box = np.indices((20, 40, 40)) - np.array([10, 20, 20])[:, None, None, None]
    for z, y, x in ((z, y, x) for z in (0, 20) for y in range(0, SIDE - 39, 40) for x in range(0, SIDE - 39, 40)):
        axes = rng.uniform((5, 9, 9), (9.5, 19, 19))[:, None, None, None]
        inside[z : z + 20, y : y + 40, x : x + 40] = np.square(box / axes).sum(axis=0) <= 1
    grey = rng.poisson(np.where(inside, 1200, 300)).astype(np.uint16)
    planes: Iterator[np.ndarray] = (grey[z % 40] for z in range(PLANES))
    tifffile.imwrite(path, planes, shape=(PLANES, SIDE, SIDE), dtype=np.uint16, ome=True, photometric="minisblack",
                     metadata={"axes": "ZYX"})  # fmt: skip


def run_tool(tool: str, image: Path, *words: str | Path) -> Cost:
    """Run a tool on an image."""
    return run_process([sys.executable, str(tool_script(tool)), "--image", str(image), *map(str, words)])


def beside_scikit_image() -> list[Record]:
    """Segment a plane by bands and as a whole with scikit-image, in one run."""
    with tempfile.TemporaryDirectory() as folder:
        image, ours, theirs = (Path(folder) / f"{name}.ome.tiff" for name in ("image", "ours", "theirs"))
        run_process(part_of(__file__, "plane", image, BESIDE))
        steps = ["--method", "otsu", "--seed-distance", "7", "--seed-smoothing", "1", "--min-area", "20"]
        segment = run_tool("segment_objects", image, "--output", ours, *steps)
        other = run_process(part_of("bench_image_segment", "scikit-image", image, theirs))
        command = part_of("bench_image_segment", "same", ours, theirs)
        same = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    name, compared = f"segment_objects {BESIDE}x{BESIDE}", "the whole plane at once in scikit-image 0.26"
    return [
        figure(f"{name}: time_ratio", segment.seconds / other.seconds, "x", "<= 1.2", compared),
        figure(f"{name}: memory_ratio", segment.peak_mib / other.peak_mib, "x", "<= 0.25", compared),
        figure(f"{name}: same", float(same.stdout), "share", ">= 0.995", compared),
    ]


def records() -> list[Record]:
    """Measure, and return the figures."""
    found = beside_scikit_image()
    for what, make, options in (
        (f"{SIZE}x{SIZE}", ["plane", SIZE], []),
        (f"{PLANES} planes of {SIDE}x{SIDE} in 3D", ["volume"], ["--volume"]),
    ):
        with tempfile.TemporaryDirectory() as folder:
            image, labels, table = (Path(folder) / name for name in ("image.ome.tiff", "labels.ome.tiff", "table.tsv"))
            run_process(part_of(__file__, make[0], image, *make[1:]))
            costs = (
                run_tool("segment_objects", image, "--output", labels, *options),
                run_tool("measure_objects", image, "--labels", labels, "--output", table, *options),
            )
        for tool, cost in zip(("segment_objects", "measure_objects"), costs, strict=True):
            found.append(figure(f"{tool} {what}: memory", cost.peak_mib, "MiB", GOAL, OWN_GOAL))
            found.append(figure(f"{tool} {what}: wall", cost.seconds, "s"))
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["plane"]:
        make_plane(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["volume"]:
        make_volume(Path(sys.argv[2]))
    else:
        print(json.dumps(records(), indent=1))
