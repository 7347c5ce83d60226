"""A disk that has room for the report, but not for the table beside it: nothing is left here or in OMERO."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from bioimage_suite.tables.report import ROOM_BYTES
from scripts.suite_files import tool_script
from tests.omero.tool_support import Lab, all_counts, named, typed

ROWS = 4000


def annotating(_: int, folder: Path) -> dict[str, Any]:
    rows = "".join(f"i,{'long ' * 20}{number}\n" for number in range(1000))
    (folder / "words.csv").write_text(f"image,key\n{rows}")
    words: dict[str, Any] = {
        "table": named("words.csv", folder / "words.csv"),
        "attachments": [],
        "kind": "image",
        "mode": "add",
    }
    return words | {"within": typed("dataset", "d")}


def drawing(image: int, folder: Path) -> dict[str, Any]:
    labels = np.zeros((64, 64), np.int32)
    labels.flat[:ROWS] = np.arange(1, ROWS + 1)
    tifffile.imwrite(folder / "labels.tif", labels)
    files = [named(f"Image_{image}_i", folder / "labels.tif")]
    return {"label_maps": files, "match": {"source": "identifier"}, "roi_name": "n", "shape": "auto"}


def measuring(_: int, folder: Path) -> dict[str, Any]:
    rows = "".join(f"i\t{label}\t{label / 7}\n" for label in range(1, ROWS + 1))
    (folder / "measured.tsv").write_text(f"image\tlabel\tarea_px\n{rows}")
    files = [named("i", folder / "measured.tsv")]
    return {"tables": files, "match": typed("dataset", "d"), "table_name": "t", "attach": "dataset", "rois": None}


@pytest.mark.parametrize(
    ("tool", "table", "config"),
    [
        ("omero_annotate", "changes", annotating), ("omero_import_rois", "rois", drawing),
        ("omero_import_table", "merged", measuring),
    ],
)  # fmt: skip
def test_a_table_without_room_leaves_nothing(lab: Lab, tmp_path: Path, tool, table, config):
    """A process that may write no file beyond the report's room, which the system reports as it does a full disk."""
    image = lab.image("i", np.zeros((64, 64), np.uint8), lab.container("Dataset", "d"))
    before, work = all_counts(lab), tmp_path / "work"
    work.mkdir()
    (tmp_path / "config.json").write_text(json.dumps({"omero_host": lab.address, **config(image, tmp_path)}))
    done = subprocess.run(
        [sys.executable, str(tool_script(tool)), "--config", str(tmp_path / "config.json"), "--output", "out.tsv",
         f"--{table}", "table.tsv"],
        cwd=work, env=os.environ | {"OMERO_USER": lab.user, "OMERO_PASSWORD": lab.password}, capture_output=True,
        text=True, check=False, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, resource.RLIM_INFINITY)),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        "ERROR: disk: full while writing table.tsv. Make room and run again.\n",
    )
    assert all_counts(lab) == before
    assert [path.name for path in work.iterdir()] == ["out.tsv"]
    assert {row.split("\t")[-1].partition(":")[0] for row in (work / "out.tsv").read_text().splitlines()[1:]} <= {
        "taken back", "failed", "not done",
    }  # fmt: skip
