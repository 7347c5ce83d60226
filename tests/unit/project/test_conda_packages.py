"""The record of conda recipes names every package that tools ask for; none without a recipe is asked for."""

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def conda_requirements() -> list[tuple[str, str]]:
    root = ET.parse(ROOT / "tools/macros/suite.xml").getroot()
    return [((entry.text or "").strip(), entry.get("version", "")) for entry in root.iter("requirement")]


def record() -> dict[str, tuple[str, str]]:
    lines = (ROOT / "requirements" / "conda-packages.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")][1:]
    return {row[0]: (row[1], row[2]) for row in rows}


def test_no_tool_asks_for_a_package_without_a_recipe():
    asked, known = dict(conda_requirements()), record()
    assert {name: version for name, (version, recipe) in known.items() if recipe != "none"} == asked
    assert {name for name, (_, recipe) in known.items() if recipe == "none"} == {"bioio-czi", "bioio-dv", "bioio-lif"}


def test_packages_and_container_of_each_tool_are_listed():
    command = [str(ROOT / ".venv/galaxy/bin/python"), "-m", "scripts.conda_packages"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "convert_image" in done.stdout
    assert "  mulled-v2-" in done.stdout
    assert " numpy=2.3.5 " in done.stdout
    assert done.stdout.splitlines()[-1].endswith("environments, 0 cannot be made")
