"""Each tool as Galaxy starts it: its own process, the account in the environment, and no trace of it anywhere else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from scripts.suite_files import tool_script
from tests.galaxy.seed_omero import attach_table
from tests.omero.tool_support import Lab, named, typed

FOLDER = Path(__file__).parents[3] / "tools" / "omero"


def start(
    tool: str, folder: Path, config: dict, outputs: list[str], environment: dict[str, str]
) -> tuple[int, str, str]:
    """Run a tool; returns its exit code, all it printed, and all command lines seen while it ran."""
    (folder / "config.json").write_text(json.dumps(config))
    arguments = [part for name in outputs for part in (f"--{name}", str(folder / name))]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("OMERO_")}
    process = subprocess.Popen(
        [sys.executable, str(tool_script(tool)), "--config", "config.json", *arguments],
        cwd=folder, env=clean | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    command_lines = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
    printed, _ = process.communicate(timeout=120)
    return process.returncode, printed, command_lines


RUNS = [
    ("omero_find", ["output"]),
    ("omero_export_images", ["folder", "metadata"]),
    ("omero_import_rois", ["output", "rois"]),
    ("omero_import_table", ["output", "merged"]),
    ("omero_export_rois", ["folder", "shapes", "output"]),
    ("omero_annotate", ["output", "changes"]),
    ("omero_get_annotations", ["output", "wide", "folder", "downloads"]),
    ("omero_import_images", ["output"]),
    ("omero_import_labels", ["output"]),
    ("omero_export_labels", ["folder", "output"]),
    ("omero_export_table", ["folder", "output"]),
    ("omero_arrange_plates", ["output"]),
    ("omero_transfer", ["crate", "output"]),
    ("omero_transfer", ["output", "containers"]),
]


def test_every_tool_is_looked_at():
    assert {file.stem for file in FOLDER.glob("*/omero_*.xml")} == {tool for tool, _ in RUNS}


def configuration(lab: Lab, folder: Path, image: int, outputs: list[str]) -> dict[str, Any]:
    """Write a file for every input that a tool may take; returns all parameters of all tools."""
    tifffile.imwrite(folder / "labels.tif", np.ones((4, 5), np.uint8))
    (folder / "table.tsv").write_text("label\n1\n")
    (folder / "layout.tsv").write_text("image\twell\na\tA1\n")
    (folder / "pairs.csv").write_text("image,dose\na,1\n")
    config = {
        "omero_host": lab.address,
        "omero_group": "",
        "target": typed("dataset", "d"),
        "match": {"source": "identifier"},
        "label_maps": [named(f"Image_{image}_a", folder / "labels.tif")],
        "tables": [named(f"Image_{image}_a", folder / "table.tsv")],
        "within": typed("dataset", "d"),
        "table": named("pairs.csv", folder / "pairs.csv"),
        "files": [named("a", folder / "labels.tif") | {"ext": "tiff"}],
        "place": {"by": "name", "dataset": "d", "project": "", "create": False},
        "layout": named("layout", folder / "layout.tsv"),
        **{"plate": "p", "screen": {"by": "none"}, "labels_name": "n"},
        **{"zip_holds": "images", "existing": "skip"},
        "form": {"form": "label_map", "overlap": "first"},
        **{"roi_name": "n", "shape": "auto", "table_name": "t", "attach": "image"},
        **{"kind": "image", "mode": "add", "of": "images", "types": ["key_value"], "download": True},
        **{"missing": "refuse", "query": ""},
    }
    crate = named("crate", FOLDER / "omero_transfer" / "test-data" / "transfer_crate.zip")
    pack = {"mode": "pack", "target": config["target"]}
    config["do"] = pack if "crate" in outputs else {"mode": "unpack", "crate": crate}
    return config


@pytest.mark.parametrize("by_key", [False, True])
@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize(("tool", "outputs"), RUNS)
def test_no_secret_is_printed_written_or_on_a_command_line(lab: Lab, tmp_path: Path, tool, outputs, by_key, wrong):
    dataset = lab.container("Dataset", "d")
    image = lab.image("a", np.ones((4, 5), np.uint8), dataset)
    config = configuration(lab, tmp_path, image, outputs)
    if tool == "omero_find":
        config["table"] = {"rows": "image", "columns": []}
    if tool in ("omero_export_table", "omero_get_annotations"):
        attach_table(lab.session, image)
        config["table_name"] = "planemo-table"
    if tool == "omero_export_labels":
        (tmp_path / "before").mkdir()
        account = {"OMERO_USER": lab.user, "OMERO_PASSWORD": lab.password}
        assert start("omero_import_labels", tmp_path / "before", config, ["output"], account)[0] == 0
    secret = lab.client.getSessionId() if by_key else lab.password
    if wrong:
        secret = f"wrong-{secret}"
    environment = {"OMERO_SESSION_KEY": secret} if by_key else {"OMERO_USER": lab.user, "OMERO_PASSWORD": secret}
    code, printed, command_lines = start(tool, tmp_path, config, outputs, environment)
    assert code == int(wrong), printed
    assert ("ERROR: OMERO server" in printed) == wrong
    assert "Traceback" not in printed
    assert secret not in printed
    assert secret not in command_lines
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()
    assert wrong or all((tmp_path / name).exists() for name in outputs)
