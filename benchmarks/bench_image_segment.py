"""Compare segment_objects with the same steps in scikit-image: time and peak memory of whole processes, label maps.

`python -m benchmarks.bench_image_segment` prints the figures; `make bench` collects `records()`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import ROOT, Record, figure, part_of, run_process
from scripts.suite_files import tool_script

TOOL = tool_script("segment_objects")
COMPARED = "the same steps in scikit-image 0.26"


def make_image(path: Path, size: int) -> None:
    """Write nuclei on a noisy background: 140 ellipses in a million pixels, some of which touch; from a fixed seed."""
    import cv2
    import numpy as np
    import tifffile

    rng = np.random.default_rng(5)
    plane: np.ndarray = np.zeros((size, size), np.float32)
    for _ in range(size * size * 140 // 1_000_000):
        centre = rng.integers(0, size, 2)
        axes, angle, brightness = rng.integers(12, 26, 2), float(rng.uniform(0, 180)), float(rng.uniform(500, 1500))
        cv2.ellipse(plane, centre.tolist(), axes.tolist(), angle, 0, 360, (brightness,), -1)
    plane = cv2.GaussianBlur(plane, (0, 0), 2) + 200
    for rows in range(0, size, 512):
        plane[rows : rows + 512] = rng.poisson(plane[rows : rows + 512])
    tifffile.imwrite(path, plane.astype(np.uint16), ome=True, tile=(512, 512), compression="zlib", predictor=True)


def with_scikit_image(image: Path, output: Path) -> None:
    """Run the default steps of segment_objects, in the order of its help."""
    import numpy as np
    import tifffile
    from scipy.ndimage import binary_fill_holes, distance_transform_edt
    from skimage.feature import peak_local_max
    from skimage.filters import gaussian, threshold_otsu
    from skimage.morphology import remove_small_objects
    from skimage.segmentation import watershed

    plane = tifffile.imread(image)
    grey = np.rint(gaussian(plane, 1.0, preserve_range=True)).astype(plane.dtype)
    mask = binary_fill_holes(grey > threshold_otsu(grey))
    height = gaussian(distance_transform_edt(mask), 1.0)
    peaks = peak_local_max(height, min_distance=7, exclude_border=False, labels=mask.astype(np.uint8))
    markers = np.zeros(plane.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = remove_small_objects(watershed(-np.rint(height * 1024) / 1024, markers, mask=mask), max_size=19)
    tifffile.imwrite(output, labels, ome=True, tile=(512, 512), compression="zlib",
                     compressionargs={"level": 1}, predictor=True)  # fmt: skip


def untiled(image: Path, output: Path) -> None:
    """Run the tool with the whole plane as its only band."""
    import cv2
    import numpy as np

    sys.path.insert(0, str(TOOL.parent))
    import segment_objects

    from bioimage_suite.images.model import bands
    from bioimage_suite.segmentation import foreground_mask

    def histogram(
        read: bands.RowReader, height: int, _width: int, _between: tuple[float, float] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        # OpenCV counts in float32, which is exact up to 2^24 only: too few for a whole plane.
        return np.bincount(read(0, height).ravel(), minlength=1 << 16), np.arange(1 << 16)

    cv2.setNumThreads(2)
    bands.BAND_PIXELS = foreground_mask.CACHED_BYTES = 1 << 60
    foreground_mask.histogram = histogram  # type: ignore[assignment]
    segment_objects.main(["--image", str(image), "--output", str(output)])


def compare_untiled(size: int) -> dict[str, float]:
    """Run the tool by bands and on the whole plane, once each."""
    with tempfile.TemporaryDirectory() as folder:
        image, tiled, whole = (Path(folder) / name for name in ("image.ome.tiff", "tiled.ome.tiff", "whole.ome.tiff"))
        run_process(part_of(__file__, "make", image, size))
        ours = run_process([sys.executable, str(TOOL), "--image", str(image), "--output", str(tiled)])
        other = run_process(part_of(__file__, "untiled", image, whole))
        command = part_of(__file__, "same", tiled, whole)
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        return {
            "same": float(answer.stdout), "time_ratio": ours.seconds / other.seconds, "wall": ours.seconds,
            "memory": ours.peak_mib, "other_wall": other.seconds, "other_memory": other.peak_mib,
        }  # fmt: skip


def same_objects(found: Path, expected: Path) -> float:
    """Return the share of the expected objects that were found with exactly the same pixels."""
    import numpy as np
    import tifffile

    a, b = tifffile.imread(found).ravel(), tifffile.imread(expected).ravel()
    areas_a, areas_b = np.bincount(a), np.bincount(b)
    pairs, shared = np.unique((b.astype(np.int64) << 32) | a, return_counts=True)
    ib, ia = pairs >> 32, pairs & 0xFFFFFFFF
    same = (ib > 0) & (ia > 0) & (shared == areas_a[ia]) & (shared == areas_b[ib])
    return float(same.sum() / (areas_b[1:] > 0).sum())


def compare(size: int, repeats: int) -> dict[str, float]:
    """Run both in turns on an image of size x size pixels, and return the medians of `repeats` pairs."""
    with tempfile.TemporaryDirectory() as folder:
        image, ours, theirs = (Path(folder) / name for name in ("image.ome.tiff", "ours.ome.tiff", "theirs.ome.tiff"))
        # In a process of its own: a child's peak memory begins with what its parent holds.
        run_process(part_of(__file__, "make", image, size))
        pairs = []
        for _ in range(repeats):
            tool = run_process([sys.executable, str(TOOL), "--image", str(image), "--output", str(ours)])
            other = run_process(part_of(__file__, "scikit-image", image, theirs))
            speedup, memory = other.seconds / tool.seconds, tool.peak_mib / other.peak_mib
            pairs.append((speedup, memory, tool.seconds, tool.peak_mib, other.seconds, other.peak_mib))
        names = ("speedup", "memory_ratio", "wall", "memory", "other_wall", "other_memory")
        # Also in a process of its own, for the memory of the next comparison.
        command = part_of(__file__, "same", ours, theirs)
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        same = float(answer.stdout)
        medians = [statistics.median(values) for values in zip(*pairs, strict=True)]
        return dict(zip(names, medians, strict=True)) | {"same": same}


def records() -> list[Record]:
    """Measure, and return the figures."""
    found = []
    for size, repeats, speedup in ((8192, 3, ">= 6"), (1024, 5, ">= 1")):
        figures = compare(size, repeats)
        prefix = f"segment_objects {size}x{size}"
        goals = {
            "speedup": ("x", speedup), "memory_ratio": ("x", "<= 0.4" if size > 4096 else ""),
            "same": ("share", ">= 0.995"), "wall": ("s", ""), "memory": ("MiB", ""), "other_wall": ("s", ""),
            "other_memory": ("MiB", ""),
        }  # fmt: skip
        found += [figure(f"{prefix}: {name}", figures[name], *goal, COMPARED) for name, goal in goals.items()]
    figures = compare_untiled(16384)
    tiled = {
        "same": ("share", ">= 1"), "time_ratio": ("x", "<= 1.2"), "memory": ("MiB", "<= 1000"), "wall": ("s", ""),
        "other_wall": ("s", ""), "other_memory": ("MiB", ""),
    }  # fmt: skip
    prefix, compared = "segment_objects 16384x16384 by bands", "the same with the whole plane in memory"
    return found + [figure(f"{prefix}: {name}", figures[name], *goal, compared) for name, goal in tiled.items()]


if __name__ == "__main__":
    if sys.argv[1:2] == ["scikit-image"]:
        with_scikit_image(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:2] == ["untiled"]:
        untiled(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:2] == ["same"]:
        print(same_objects(Path(sys.argv[2]), Path(sys.argv[3])))
    elif sys.argv[1:2] == ["make"]:
        make_image(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(records(), indent=1))
