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
ARCHIVES = ROOT / "test-data" / "fair_archives"
MACROS = {
    node.get("name"): node
    for name in ("metadata_macros", "archive_macros")
    for node in ET.parse(TOOLS / f"{name}.xml").getroot().iter("xml")
}
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
    "describe_linked_data": ["--config", "config.json", "--images", "images.json", "--json-ld", "j", "--turtle", "t"],
    "search_archives": ["--config", "config.json", "--crates", "crates.json", "--studies", "s", "--notes", "n"],
    "attribute_results": [
        "--results",
        "results.json",
        "--origin",
        str(ARCHIVES / "origin.tabular"),
        "--output",
        "o",
        "--report",
        "r",
    ],
    "vitessce_view": [
        "--config",
        "config.json",
        "--name",
        "name.txt",
        "--table",
        str(ARCHIVES / "nuclei_measured.tabular"),
        "--view",
        "v",
        "--page",
        "p",
    ],
}
# Of files that more than one run reads: what the wrapper writes for its script.
LISTS = {
    "images": [DATA / "cells_a.ome.tiff", DATA / "cells_b.ome.tiff"],
    "filled": [DATA / "template_rembi.csv"],
    "crates": [ARCHIVES / "crates" / "S-TEST5-ro-crate-metadata.json"],
    "results": [ARCHIVES / "measured_cells.tabular"],
}
CONFIG = {"organism": "human", "method": "confocal microscopy", "licence": "CC BY 4.0"}


def required_files(tool: str) -> set[str]:
    """Paths that the wrapper includes, those of its macros too."""
    wanted: set[str] = set()
    root = ET.parse(TOOLS / f"{tool}.xml").getroot()
    used = {use.get("macro") for use in root.iter("expand")} & set(MACROS)
    for node in [*root.iter(), *(part for name in used for part in MACROS[name].iter())]:
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
    for title, paths in LISTS.items():
        files = [{"path": str(path), "name": path.name} for path in paths]
        (tmp_path / f"{title}.json").write_text(json.dumps(files))
    (tmp_path / "config.json").write_text(json.dumps(CONFIG if tool == "search_archives" else {}))
    (tmp_path / "name.txt").write_text("nuclei")
    command = [sys.executable, str(tmp_path / "tool" / f"{tool}.py"), *RUNS[tool]]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
