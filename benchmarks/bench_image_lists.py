"""Measure tools over a list of 200 images (512 x 512) in one job on 2 cores, beside one core and beside 200 starts.

The images are shifted copies of the test image of nuclei, so that their results differ. The job over the list is one
process of the tool with `--list`, as Galaxy starts it. "One core" is the same with one core for the job; "200 starts"
runs the tool once for each image, one after the other. Galaxy's own time for a job, and the waiting for a scheduler,
would come on top of each start and are left out. All three must give the same files, byte by byte.
`python -m benchmarks.bench_image_lists` prints the figures; `make bench` collects `records()`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.measuring import OWN_GOAL, ROOT, Record, figure
from scripts.suite_files import tool_script

IMAGES = 200
Sides = dict[str, list[Path]]
"""Files of the images by the argument that takes one."""


def write_images(folder: Path) -> list[Path]:
    """Write the test image, shifted by a number of rows and columns of its own each time."""
    source = tifffile.imread(ROOT / "test-data" / "nuclei.ome.tiff")
    paths = [folder / f"{number}.ome.tiff" for number in range(IMAGES)]
    for number, path in enumerate(paths):
        tifffile.imwrite(path, np.roll(source, (number * 7, number * 11), (-2, -1)), metadata={"axes": "YX"})
    return paths


def run(tool: str, folder: Path, cores: int, *arguments: str) -> float:
    """Run a tool in a folder and return its time in seconds."""
    env = {**os.environ, "GALAXY_SLOTS": str(cores), "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, str(tool_script(tool)), *arguments]
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def in_one_job(tool: str, sides: Sides, folder: Path, cores: int) -> tuple[float, list[Path]]:
    """Run a tool over the list in one job; return its time and its outputs in order."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    inputs = [
        {"flag": flag, "called": flag, "elements": [[[str(number)], str(path)] for number, path in enumerate(paths)]}
        for flag, paths in sides.items()
    ]
    listing = {
        "inputs": inputs, "names": ["--image-name"], "report": "report.tsv", "fail": "any",
        "outputs": [{"flag": "--output", "collection": "outputs", "ext": "data"}],
    }  # fmt: skip
    (folder / "listing").write_text(json.dumps(listing), encoding="utf-8")
    seconds = run(tool, folder, cores, "--list", "listing")
    return seconds, [folder / "elements" / "outputs" / str(number) for number in range(IMAGES)]


def one_by_one(tool: str, sides: Sides, folder: Path) -> tuple[float, list[Path]]:
    """Start a tool for each image, one after the other; return the time of all and the outputs in order."""
    folder.mkdir()
    seconds, made = 0.0, []
    for number in range(IMAGES):
        made.append(folder / str(number))
        given = [word for flag, paths in sides.items() for word in (flag, str(paths[number]))]
        seconds += run(tool, folder, 1, *given, "--image-name", str(number), "--output", str(made[-1]))
    return seconds, made


def compare(tool: str, sides: Sides, folder: Path) -> tuple[list[Record], list[Path]]:
    """Run a tool in the three ways; return figures and the outputs.

    Raises:
        RuntimeError: Two ways gave different files.
    """
    one, two = [], []
    for turn in range(2):
        two.append(in_one_job(tool, sides, folder / f"{tool}_two_{turn}", cores=2))
        one.append(in_one_job(tool, sides, folder / f"{tool}_one_{turn}", cores=1))
    starts, expected = one_by_one(tool, sides, folder / f"{tool}_starts")
    for found in (two[0][1], one[0][1]):
        if [path.read_bytes() for path in found] != [path.read_bytes() for path in expected]:
            raise RuntimeError(f"{tool}: the job over the list gave other files than a job for each image")
    best_one, best_two = min(seconds for seconds, _ in one), min(seconds for seconds, _ in two)
    what = f"{tool}, {IMAGES} images in one job on 2 cores"
    return [
        figure(f"{what}: time", best_two, "s"),
        figure(f"{what}, beside one core", best_one / best_two, "x", ">= 1.8", OWN_GOAL),
        figure(f"{what}, beside {IMAGES} starts", starts / best_two, "x", ">= 5", OWN_GOAL),
    ], expected


def records() -> list[Record]:
    """Measure, and return the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = write_images(folder)
        found, labels = compare("segment_objects", {"--image": images}, folder)
        measured, _ = compare("measure_objects", {"--labels": labels, "--image": images}, folder)
        return found + measured


if __name__ == "__main__":
    print(json.dumps(records(), indent=1))
