"""measure_objects against skimage.measure.regionprops_table: whole processes, wall time, peak memory, same numbers.

`python -m benchmarks.bench_image_measure` prints the figures; `make bench` collects `records()`.
"""

from __future__ import annotations

import csv
import json
import math
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import ROOT, Record, figure, part_of, run_process

TOOL = ROOT / "tools" / "image" / "measure_objects.py"
COMPARED = "regionprops_table of scikit-image 0.26, same columns"
CHANNELS = 4
# Our columns that are whole numbers, and the others, by the name that scikit-image gives them.
WHOLE = {"area_px": "area", "bbox_min_y_px": "bbox-0", "bbox_max_x_px": "bbox-3", "convex_area_px": "area_convex"}
DECIMAL = {
    "centroid_y_px": "centroid-0", "centroid_x_px": "centroid-1", "perimeter_px": "perimeter",
    "eccentricity": "eccentricity", "orientation_rad": "orientation", "solidity": "solidity",
    "major_axis_px": "axis_major_length", "minor_axis_px": "axis_minor_length",
    "equivalent_diameter_px": "equivalent_diameter_area",
}  # fmt: skip


def make_images(labels: Path, image: Path, size: int) -> None:
    """Write one ellipse in each square of 84 pixels, and four channels of noise around different levels."""
    import cv2
    import numpy as np
    import tifffile

    rng = np.random.default_rng(5)
    plane: np.ndarray = np.zeros((size, size), np.int32)
    centres = [(x, y) for y in range(42, size - 41, 84) for x in range(42, size - 41, 84)]
    for number, centre in enumerate(centres, 1):
        axes, angle = rng.integers(10, 36, 2), float(rng.uniform(0, 180))
        cv2.ellipse(plane, centre, axes.tolist(), angle, 0, 360, (number,), -1)
    tifffile.imwrite(labels, plane, ome=True, tile=(512, 512), compression="zlib", predictor=True)
    channels = (rng.poisson(300 * (c + 1), plane.shape).astype(np.uint16) + (plane > 0) * np.uint16(900)
                for c in range(CHANNELS))  # fmt: skip
    tifffile.imwrite(image, channels, shape=(CHANNELS, size, size), dtype=np.uint16, ome=True, rowsperstrip=64,
                     photometric="minisblack", metadata={"axes": "CYX"})  # fmt: skip


def with_scikit_image(labels: Path, image: Path, output: Path) -> None:
    """The same columns by regionprops_table."""
    import numpy as np
    import tifffile
    from skimage.measure import regionprops_table

    names = dict.fromkeys(name.split("-")[0] for name in (*WHOLE.values(), *DECIMAL.values()))
    intensities = [f"intensity_{statistic}" for statistic in ("mean", "min", "max", "std")]
    channels = np.moveaxis(tifffile.imread(image), 0, -1)
    table = regionprops_table(tifffile.imread(labels), channels, properties=["label", *names, *intensities])
    with output.open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t")
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))


def largest_difference(ours: Path, theirs: Path) -> tuple[int, float]:
    """Compare the two tables.

    Returns:
        Number of whole numbers that differ, and the largest relative difference of the others (absolute below 1).
    """
    tables = []
    for path in (ours, theirs):
        with path.open(newline="") as stream:
            tables.append(list(csv.DictReader(stream, delimiter="\t")))
    whole = dict(WHOLE) | {"label": "label"}
    decimal = dict(DECIMAL)
    for c in range(CHANNELS):
        whole |= {f"{statistic}_channel_{c}": f"intensity_{statistic}-{c}" for statistic in ("min", "max")}
        decimal |= {f"{statistic}_channel_{c}": f"intensity_{statistic}-{c}" for statistic in ("mean", "std")}
    differ, largest = abs(len(tables[0]) - len(tables[1])), 0.0
    for one, other in zip(*tables, strict=False):
        differ += sum(float(one[a]) != float(other[b]) for a, b in whole.items())
        for a, b in decimal.items():
            x, y = float(one[a]), float(other[b])
            difference = abs(x - y)
            if a == "orientation_rad":  # an axis has no direction: pi/2 is -pi/2
                difference = min(difference, math.pi - difference)
            largest = max(largest, difference / max(1.0, abs(y)))
    return differ, largest


def compare(size: int, repeats: int) -> dict[str, float]:
    """Run both back to back; medians of `repeats` pairs."""
    with tempfile.TemporaryDirectory() as folder:
        labels, image = Path(folder) / "labels.ome.tiff", Path(folder) / "image.ome.tiff"
        ours, theirs = Path(folder) / "ours.tsv", Path(folder) / "theirs.tsv"
        # In a process of its own: a child's peak memory begins with what its parent holds.
        run_process(part_of(__file__, "make", labels, image, size))
        pairs = []
        for _ in range(repeats):
            tool = run_process(
                [sys.executable, str(TOOL), "--labels", str(labels), "--image", str(image), "--output", str(ours)]
            )
            other = run_process(part_of(__file__, "scikit-image", labels, image, theirs))
            speedup, memory = other.seconds / tool.seconds, tool.peak_mib / other.peak_mib
            pairs.append((speedup, memory, tool.seconds, tool.peak_mib, other.seconds, other.peak_mib))
        names = ("speedup", "memory_ratio", "wall", "memory", "other_wall", "other_memory")
        medians = [statistics.median(values) for values in zip(*pairs, strict=True)]
        differ, largest = largest_difference(ours, theirs)
        return dict(zip(names, medians, strict=True)) | {"whole_differ": differ, "largest_difference": largest}


def records() -> list[Record]:
    """Figures for `benchmarks/results.json`."""
    found = []
    for size, objects, repeats, speedup in ((8000, 9025, 3, ">= 8"), (1900, 484, 5, ">= 1")):
        figures = compare(size, repeats)
        goals = {
            "speedup": ("x", speedup), "memory_ratio": ("x", ""), "whole_differ": ("values", "<= 0"),
            "largest_difference": ("", "<= 1e-8"), "wall": ("s", ""), "memory": ("MiB", ""),
            "other_wall": ("s", ""), "other_memory": ("MiB", ""),
        }  # fmt: skip
        found += [
            figure(f"measure_objects {objects} objects x {CHANNELS} channels: {name}", figures[name], *goal, COMPARED)
            for name, goal in goals.items()
        ]
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["scikit-image"]:
        with_scikit_image(*map(Path, sys.argv[2:5]))
    elif sys.argv[1:2] == ["make"]:
        make_images(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    else:
        print(json.dumps(records(), indent=1))
