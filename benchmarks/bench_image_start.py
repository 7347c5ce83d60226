"""Measure the time of each image tool from its start to the first pixel that it reads.

The yardstick is `python -c "import numpy, tifffile"`, the least that Python needs. A tool runs as in Galaxy on the
suite's small test images, but its process ends after the first region of an image has been read. `image_info` reads no
pixels and runs to its end. `summarize_measurements` reads only tables and is left out. Both sides run in turns.
`python -m benchmarks.bench_image_start` prints the figures; `make bench` collects `records()`.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import ROOT, Record, figure, run_process
from scripts.suite_files import tool_script

REPEATS = 7
YARDSTICK = [sys.executable, "-c", "import numpy, tifffile"]
DATA = ROOT / "test-data"
# Runs the script that the first argument names, and ends the process at the first region read.
UNTIL_FIRST_PIXEL = """
import dataclasses, os, runpy, sys
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
from bioimage_suite.images.readers import opening as image_file
open_image = image_file.open_image
def ends(read):
    def read_and_end(*where):
        read(*where)
        os._exit(0)
    return read and read_and_end
def opened(*arguments):
    image = open_image(*arguments)
    return dataclasses.replace(
        image, read_region=ends(image.read_region), read_interleaved=ends(image.read_interleaved)
    )
image_file.open_image = opened
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def commands(folder: Path) -> dict[str, list[str]]:
    """Return the arguments of each tool by its name.

    Args:
        folder: Empty folder for inputs and outputs.
    """
    nuclei, labels = str(DATA / "nuclei.ome.tiff"), str(DATA / "nuclei_truth.ome.tiff")
    table, pairs = folder / "measured.tabular", folder / "pairs.json"
    table.write_text("image\tlabel\tarea_px\nnuclei_truth.ome.tiff\t1\t100\n", encoding="utf-8")
    pairs.write_text(json.dumps({"images": [["a", nuclei]], "labels": [["a", labels]]}), encoding="utf-8")
    out = [str(folder / f"out{number}") for number in range(4)]
    movie = str(DATA / "moving_cells.ome.tiff")
    return {
        "image_info": ["--image", nuclei, "--output", out[0]],
        "convert_image to OME-TIFF": ["--image", nuclei, "--format", "ome-tiff", "--output", out[0]],
        "convert_image to OME-Zarr": ["--image", nuclei, "--format", "ome-zarr-0.5", "--output", out[3]],
        "segment_objects": ["--image", nuclei, "--output", out[0]],
        "segment_with_model": ["--image", nuclei, "--model", str(DATA / "tiny_model.zip"), "--skip-test",
                               "--meaning", "foreground", "--labels", out[0]],
        "measure_objects": ["--labels", labels, "--image", nuclei, "--output", out[0]],
        "track_objects": ["--labels", movie, "--max-distance", "15", "--objects-out", out[0], "--tracks-out", out[1]],
        "analyze_spatial_pattern": ["--labels", labels, "--neighbour-distance", "20", "--objects-out", out[0],
                                    "--summary-out", out[1], "--curves-out", out[2]],
        "quantify_staining": ["--image", str(DATA / "ihc.png"), "--stains", "h_dab", "--table", out[0],
                              "--vectors-out", out[1]],
        "filter_objects": ["--labels", labels, "--table", str(table), "--keep", "area_px > 5",
                           "--output-labels", out[0], "--output-table", out[1]],
        "evaluate_segmentation": ["--true", labels, "--found", labels, "--output", out[0]],
        "evaluate_tracking": ["--reference", movie, "--result", movie, "--measures", out[0]],
        "overlay_objects": ["--pairs", str(pairs), "--output-png", out[0], "--output-html", out[1]],
    }  # fmt: skip


def ratio(command: list[str]) -> tuple[float, float]:
    """Return the time of a command in seconds, and divided by the time of the yardstick: medians of `REPEATS` turns."""
    pairs = [(run_process(command).seconds, run_process(YARDSTICK).seconds) for _ in range(REPEATS)]
    seconds = statistics.median(mine for mine, _ in pairs)
    return seconds, seconds / statistics.median(yardstick for _, yardstick in pairs)


def records() -> list[Record]:
    """Measure, and return the figures."""
    found: list[Record] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in commands(Path(folder)).items():
            script = str(tool_script(name.split()[0]))
            probe = [] if name == "image_info" else ["-c", UNTIL_FIRST_PIXEL]
            command = [sys.executable, *probe, script, *arguments]
            run_process(command)  # fills the caches: compiled modules, files on the disk
            seconds, times = ratio(command)
            compared = 'python -c "import numpy, tifffile"'
            found.append(figure(f"{name}: start to first pixel, by the yardstick", times, "x", "<= 2", compared))
            found.append(figure(f"{name}: start to first pixel", seconds, "s"))
    return found


if __name__ == "__main__":
    print(json.dumps(records(), indent=1))
