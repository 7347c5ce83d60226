"""Measure the peak memory of each image tool by the size of its image: what `deploy/tpv/bioimage_suite.yml` asks for.

Each tool runs as in Galaxy, as a whole process, with one core, on nuclei of 1 and of 16 megapixels (140 nuclei in a
megapixel, uint16). What a megapixel costs is the difference of both, divided by 15. Tools that read by tile or by band
take less than this says of larger images. A movie, a volume, and an image with many more objects are left out.
`python -m benchmarks.bench_image_memory` prints the figures; `make bench` collects `records()`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import OWN_GOAL, ROOT, Cost, Record, figure, run_process
from scripts.suite_files import tool_script

SMALL, LARGE = 1024, 4096
MEGAPIXELS = (LARGE**2 - SMALL**2) / 2**20


def make_inputs(folder: Path, size: int) -> None:
    """Write an image, its label map, its measurement table and a movie of two frames into a folder."""
    segmentation = [sys.executable, "-m", "benchmarks.bench_image_segment", "make", str(folder / "image.ome.tiff")]
    run_process([*segmentation, str(size)])
    run_process(command("segment_objects", folder))
    (folder / "labels.ome.tiff").hardlink_to(folder / "segment_objects.0")
    run_process(command("measure_objects", folder))
    (folder / "table.tabular").hardlink_to(folder / "measure_objects.0")
    pairs = {"images": [["a", str(folder / "image.ome.tiff")]], "labels": [["a", str(folder / "labels.ome.tiff")]]}
    (folder / "pairs.json").write_text(json.dumps(pairs), encoding="utf-8")


def arguments(tool: str, folder: Path) -> list[str]:
    """Return the arguments of a tool on the inputs of a folder."""
    image, labels, table = (str(folder / name) for name in ("image.ome.tiff", "labels.ome.tiff", "table.tabular"))
    out = [str(folder / f"{tool}.{number}") for number in range(3)]
    model = ["--model", str(ROOT / "test-data/tiny_model.zip"), "--skip-test", "--meaning", "foreground"]
    return {
        "image_info": ["--image", image, "--output", out[0]],
        "convert_image": ["--image", image, "--format", "ome-zarr-0.5", "--output", out[0]],
        "segment_objects": ["--image", image, "--output", out[0]],
        "segment_with_model": ["--image", image, *model, "--labels", out[0]],
        "measure_objects": ["--labels", labels, "--image", image, "--output", out[0]],
        "filter_objects": ["--labels", labels, "--table", table, "--keep", "area_px > 5", "--output-labels", out[0],
                           "--output-table", out[1]],
        "track_objects": ["--labels", labels, "--frames-along", "z", "--max-distance", "9", "--objects-out", out[0],
                          "--tracks-out", out[1]],
        "analyze_spatial_pattern": ["--labels", labels, "--neighbour-distance", "20", "--simulations", "19",
                                    "--objects-out", out[0], "--summary-out", out[1], "--curves-out", out[2]],
        "evaluate_segmentation": ["--true", labels, "--found", labels, "--output", out[0]],
        "overlay_objects": ["--pairs", str(folder / "pairs.json"), "--output-png", out[0], "--output-html", out[1]],
    }[tool]  # fmt: skip


TOOLS = (
    *("image_info", "convert_image", "segment_objects", "segment_with_model", "measure_objects", "filter_objects"),
    *("analyze_spatial_pattern", "evaluate_segmentation", "overlay_objects"),
)


def command(tool: str, folder: Path) -> list[str]:
    """Return the command of a tool on the inputs of a folder."""
    return [sys.executable, str(tool_script(tool)), *arguments(tool, folder)]


def measure(size: int) -> dict[str, Cost]:
    """Return the cost of each tool on an image of size x size pixels."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_inputs(folder, size)
        return {tool: run_process(command(tool, folder)) for tool in TOOLS}


def records() -> list[Record]:
    """Measure, and return the figures."""
    os.environ["GALAXY_SLOTS"] = "1"
    small, large = measure(SMALL), measure(LARGE)
    found = []
    for tool in TOOLS:
        each = max(0.0, (large[tool].peak_mib - small[tool].peak_mib) / MEGAPIXELS)
        seconds = max(0.0, (large[tool].processor_seconds - small[tool].processor_seconds) / MEGAPIXELS)
        found += [
            figure(f"{tool}: memory of a job with 1 megapixel", small[tool].peak_mib, "MiB", "<= 1024", OWN_GOAL),
            figure(f"{tool}: memory of each further megapixel", each, "MiB"),
            figure(f"{tool}: processor time of each further megapixel", seconds, "s"),
        ]
    return found


if __name__ == "__main__":
    for record in records():
        print(f"{record['name']:60} {record['value']:10.4g} {record['unit']}")
