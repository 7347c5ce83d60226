"""Each wrapper names every file that its tool needs: the tool runs from a folder that holds only these."""

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools" / "fair"
DATA = ROOT / "test-data" / "fair"
MACROS = {node.get("name"): node for node in ET.parse(TOOLS / "metadata_macros.xml").getroot().iter("xml")}
SCOPES = "study,biosample,acquisition,annotation"
REPORTS = ["--findings", "f", "--report", "r"]
RUNS = {
    "metadata_template": ["--images", "images.json", "--output", "o"],
    "validate_metadata": [
        "--metadata",
        "filled.json",
        "--images",
        "images.json",
        "--table",
        "t",
        "--scopes",
        SCOPES,
        *REPORTS,
    ],
    "metadata_report": [
        "--images",
        "images.json",
        "--metadata",
        str(DATA / "key_values_tidy.tsv"),
        "--image-completeness",
        "i",
        "--field-completeness",
        "c",
        "--report",
        "r",
    ],
    "build_crate": [
        "--product",
        "bia",
        "--metadata",
        str(DATA / "metadata.tsv"),
        "--images",
        "images.json",
        "--package",
        "p",
    ],
    "validate_crate": ["--crate", str(DATA / "gide_misspelt.jsonld"), "--on-errors", "fail", *REPORTS],
}


def required_files(tool: str) -> set[str]:
    """Paths that the wrapper includes, those of its macros too."""
    wanted: set[str] = set()
    listed = ET.parse(TOOLS / f"{tool}.xml").getroot().find("required_files")
    assert listed is not None
    for node in [*listed, *(part for use in listed.iter("expand") for part in MACROS[use.get("macro")])]:
        if node.tag == "include":
            pattern = node.get("path") or ""
            found = {path.relative_to(TOOLS).as_posix() for path in TOOLS.glob(pattern)}
            assert found, f"{tool}: {pattern} does not exist"
            wanted |= found
    return wanted


@pytest.mark.parametrize("tool", RUNS)
def test_a_tool_runs_from_the_files_that_its_wrapper_names(tool: str, tmp_path: Path):
    for name in required_files(tool):
        target = tmp_path / "tool" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(TOOLS / name, target)
    for title, names in {"images": ["cells_a.ome.tiff", "cells_b.ome.tiff"], "filled": ["template_rembi.csv"]}.items():
        files = [{"path": str(DATA / name), "name": name} for name in names]
        (tmp_path / f"{title}.json").write_text(json.dumps(files))
    command = [sys.executable, str(tmp_path / "tool" / f"{tool}.py"), *RUNS[tool]]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
