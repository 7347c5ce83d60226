"""Compare measure_objects with skimage.measure.regionprops_table: wall time and peak memory of whole processes, values.

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

from benchmarks.measuring import Record, figure, part_of, run_process
from scripts.suite_files import tool_script

TOOL = tool_script("measure_objects")
COMPARED = "regionprops_table of scikit-image 0.26, same columns"
COMPARED_3D = "regionprops_table, marching_cubes and mesh_surface_area of scikit-image 0.26, same features"
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
    """Write a label map with an ellipse in each square of 84 pixels, and an image of four noisy channels."""
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


def make_volumes(labels: Path, image: Path, size: int) -> None:
    """Write 40 planes with an ellipsoid in each box of 20 planes and 40 x 40 pixels, and an image of one channel."""
    import numpy as np
    import tifffile

    rng = np.random.default_rng(5)
    stack: np.ndarray = np.zeros((40, size, size), np.int32)
    box = np.indices((20, 40, 40)) - np.array([10, 20, 20])[:, None, None, None]
    corners = [(z, y, x) for z in (0, 20) for y in range(0, size - 39, 40) for x in range(0, size - 39, 40)]
    for number, (z, y, x) in enumerate(corners, 1):
        axes = rng.uniform((5, 9, 9), (9, 18, 18))
        inside = (np.square(box / axes[:, None, None, None])).sum(axis=0) <= 1
        stack[z : z + 20, y : y + 40, x : x + 40][inside] = number
    tifffile.imwrite(labels, stack, ome=True, tile=(512, 512), compression="zlib", metadata={"axes": "ZYX"})
    grey = rng.poisson(300, stack.shape).astype(np.uint16) + (stack > 0) * np.uint16(900)
    tifffile.imwrite(image, grey, ome=True, photometric="minisblack", metadata={"axes": "ZYX"})


def volumes_with_scikit_image(labels: Path, image: Path, output: Path) -> None:
    """Measure the same features of volumes with regionprops_table, and the surface with marching_cubes."""
    import numpy as np
    import tifffile
    from skimage.measure import marching_cubes, mesh_surface_area, regionprops_table

    def surface(region: np.ndarray) -> float:
        return float(mesh_surface_area(*marching_cubes(np.pad(region, 1).astype(float), 0.5)[:2]))

    names = ["label", "area", "bbox", "centroid", "equivalent_diameter_area", "axis_major_length",
             "axis_minor_length", "solidity"]  # fmt: skip
    intensities = [f"intensity_{statistic}" for statistic in ("mean", "min", "max", "std")]
    table = regionprops_table(
        tifffile.imread(labels), tifffile.imread(image), properties=[*names, *intensities], extra_properties=[surface]
    )
    with output.open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t")
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))


def with_scikit_image(labels: Path, image: Path, output: Path) -> None:
    """Measure the same columns with regionprops_table."""
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


def volume_difference(ours: Path, theirs: Path) -> tuple[int, float]:
    """Compare the two tables of volumes without the surface area, which scikit-image computes in float32."""
    whole = {"label": "label", "volume_voxels": "area", "bbox_min_z_px": "bbox-0", "bbox_max_x_px": "bbox-5",
             "min_channel_0": "intensity_min", "max_channel_0": "intensity_max"}  # fmt: skip
    decimal = {
        "centroid_z_px": "centroid-0", "centroid_x_px": "centroid-2", "major_axis_px": "axis_major_length",
        "equivalent_diameter_px": "equivalent_diameter_area", "minor_axis_px": "axis_minor_length",
        "mean_channel_0": "intensity_mean", "std_channel_0": "intensity_std",
    }  # fmt: skip
    return table_difference(ours, theirs, whole, decimal)


def largest_difference(ours: Path, theirs: Path) -> tuple[int, float]:
    """Compare the two tables of planes with `table_difference`."""
    whole = dict(WHOLE) | {"label": "label"}
    decimal = dict(DECIMAL)
    for c in range(CHANNELS):
        whole |= {f"{statistic}_channel_{c}": f"intensity_{statistic}-{c}" for statistic in ("min", "max")}
        decimal |= {f"{statistic}_channel_{c}": f"intensity_{statistic}-{c}" for statistic in ("mean", "std")}
    return table_difference(ours, theirs, whole, decimal)


def table_difference(ours: Path, theirs: Path, whole: dict[str, str], decimal: dict[str, str]) -> tuple[int, float]:
    """Compare two tables by pairs of columns.

    Returns:
        Number of whole numbers that differ, and the largest relative difference of the others (absolute below 1).
    """
    tables = []
    for path in (ours, theirs):
        with path.open(newline="") as stream:
            tables.append(list(csv.DictReader(stream, delimiter="\t")))
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


def compare(size: int, repeats: int, volume: bool = False) -> dict[str, float]:
    """Run both in turns, and return the medians of `repeats` pairs."""
    make, other_side, options = ("make-3d", "scikit-image-3d", ["--volume"]) if volume else ("make", "scikit-image", [])
    with tempfile.TemporaryDirectory() as folder:
        labels, image = Path(folder) / "labels.ome.tiff", Path(folder) / "image.ome.tiff"
        ours, theirs = Path(folder) / "ours.tsv", Path(folder) / "theirs.tsv"
        # In a process of its own: a child's peak memory begins with what its parent holds.
        run_process(part_of(__file__, make, labels, image, size))
        pairs = []
        for _ in range(repeats):
            files = ["--labels", str(labels), "--image", str(image), "--output", str(ours)]
            tool = run_process([sys.executable, str(TOOL), *files, *options])
            other = run_process(part_of(__file__, other_side, labels, image, theirs))
            speedup, memory = other.seconds / tool.seconds, tool.peak_mib / other.peak_mib
            pairs.append((speedup, memory, tool.seconds, tool.peak_mib, other.seconds, other.peak_mib))
        names = ("speedup", "memory_ratio", "wall", "memory", "other_wall", "other_memory")
        medians = [statistics.median(values) for values in zip(*pairs, strict=True)]
        differ, largest = volume_difference(ours, theirs) if volume else largest_difference(ours, theirs)
        return dict(zip(names, medians, strict=True)) | {"whole_differ": differ, "largest_difference": largest}


def records() -> list[Record]:
    """Measure, and return the figures."""
    found = []
    cases = (
        (f"9025 objects x {CHANNELS} channels", 8000, 3, ">= 8", False),
        (f"484 objects x {CHANNELS} channels", 1900, 5, ">= 1", False),
        # There is no goal for volumes: the ratio is reported only.
        ("800 objects in 3D", 800, 1, "", True),
    )
    for case, size, repeats, speedup, volume in cases:
        figures = compare(size, repeats, volume)
        goals = {
            "speedup": ("x", speedup), "memory_ratio": ("x", ""), "whole_differ": ("values", "<= 0"),
            "largest_difference": ("", "<= 1e-8"), "wall": ("s", ""), "memory": ("MiB", ""),
            "other_wall": ("s", ""), "other_memory": ("MiB", ""),
        }  # fmt: skip
        compared = COMPARED_3D if volume else COMPARED
        found += [
            figure(f"measure_objects {case}: {name}", figures[name], *goal, compared) for name, goal in goals.items()
        ]
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["scikit-image"]:
        with_scikit_image(*map(Path, sys.argv[2:5]))
    elif sys.argv[1:2] == ["scikit-image-3d"]:
        volumes_with_scikit_image(*map(Path, sys.argv[2:5]))
    elif sys.argv[1:2] in (["make"], ["make-3d"]):
        make = make_images if sys.argv[1] == "make" else make_volumes
        make(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    else:
        print(json.dumps(records(), indent=1))
