"""What an OMERO tool writes to files is the same, byte for byte, as long as OMERO and its inputs are."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.omero.concurrency import writers
from tests.omero.concurrency.copies import Job, call_of, run_one
from tests.omero.tool_support import Lab, typed

PLACE = typed("dataset", "d")
TYPES = ["key_value", "tag", "comment", "rating", "file"]
ROIS = {"target": PLACE, "roi_name": ""}
READERS = [
    Job("omero_find", {"target": PLACE}, {"output": "out.tsv", "offered": "offered.tsv"}),
    Job("omero_get_annotations", {"target": PLACE, "of": "images", "types": TYPES},
        {"output": "tidy.tsv", "wide": "wide.tsv", "folder": "fetched", "downloads": "downloads.tsv"}),
    Job("omero_export_images", {"target": PLACE}, {"folder": "images", "metadata": "meta.tsv"}),
    *(Job("omero_export_rois", {**ROIS, "form": {"form": form, "overlap": "first"}},
          {"folder": "files", "shapes": "shapes.tsv", "output": "out.tsv"}) for form in ("label_map", "ome_xml")),
    Job("omero_export_labels", {"target": PLACE, "labels_name": "n", "missing": "skip"},
        {"folder": "labels", "output": "labels.tsv"}),
    Job("omero_export_table", {"target": PLACE, "of": "objects"}, {"folder": "tables", "output": "out.tsv"}),
    Job("omero_transfer", {"do": {"mode": "pack", "target": PLACE}}, {"crate": "crate.zip", "output": "packed.tsv"}),
]  # fmt: skip
"""The tools that read, by what they read of the dataset that `filled` makes."""


def digests(lab: Lab, folder: Path, job: Job, **extra: str) -> dict[str, str]:
    """Run a job as another process would run it, and return the SHA-256 of each of its files."""
    folder.mkdir(parents=True)
    script, words, work, environment = call_of(lab, folder, job, extra)
    command = [sys.executable, str(script), *words]
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    files = [path for path in sorted(work.rglob("*")) if path.is_file() and path.name != "config.json"]
    return {str(path.relative_to(work)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def twice(lab: Lab, folder: Path, job: Job, name: str) -> tuple[dict[str, str], dict[str, str]]:
    first = digests(lab, folder / f"{name} first", job, PYTHONHASHSEED="1", TZ="UTC")
    return first, digests(lab, folder / f"{name} second", job, PYTHONHASHSEED="2", TZ="Asia/Tokyo")


def written(folder: Path, images: list[int]) -> list[Job]:
    """Jobs that fill the images: words, ROIs, a label map, a table."""
    return [
        writers.annotate(folder, images, 0),
        writers.rois(folder, images, 0, 20),
        writers.labels(folder, images, 0),
        writers.table(folder, images, 0),
    ]


@pytest.mark.slow
def test_every_file_of_an_omero_tool_is_the_same_in_another_process_folder_hour_and_order_of_sets(
    lab: Lab, tmp_path: Path
):
    images: list[Any] = writers.images(lab, tmp_path, 3)
    differ = {}
    for number, job in enumerate(written(tmp_path, images)):
        assert run_one(lab, tmp_path, job).code == 0
        first, second = twice(lab, tmp_path, job, f"write {number}")  # what is there already, or made anew
        changed = {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}
        if changed and job.tool not in {"omero_import_rois", "omero_import_table"}:  # new ids of new objects
            differ[job.tool] = changed
    for number, job in enumerate(READERS):
        first, second = twice(lab, tmp_path, job, f"read {number}")
        assert first, job.tool
        changed = {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}
        if changed:
            differ[f"{job.tool} {number}"] = changed
    assert not differ
