"""What the tools ask for, what is installed here, and what the requirements files pin are the same."""

import importlib.metadata
import json
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from sandbox.galaxy.dependencies import requirement_names
from sandbox.setup.freeze import normalized, pins

ROOT = Path(__file__).resolve().parents[3]
# conda-forge name -> PyPI name, where they differ
PYPI_NAMES = {"matplotlib-base": "matplotlib", "py-opencv": "opencv-python-headless", "pytables": "tables"}
# What a virtual environment brings itself, and the library, which is installed from the checkout
OWN = {"pip", "setuptools", "wheel", "bioimage-suite"}


def conda_requirements() -> list[tuple[str, str]]:
    """Name and version of every package in the macros that all tools share."""
    root = ET.parse(ROOT / "tools/macros/suite.xml").getroot()
    return [((entry.text or "").strip(), entry.get("version", "")) for entry in root.iter("requirement")]


def pinned(name: str) -> dict[str, str]:
    return pins((ROOT / "requirements" / f"{name}.txt").read_text())


@pytest.mark.parametrize(("name", "version"), conda_requirements())
def test_a_tool_gets_the_version_it_asks_for(name: str, version: str):
    if name == "python":
        assert version == "3.11"
        return
    found = pinned("tools")[normalized(PYPI_NAMES.get(name, name))]
    # PyPI's opencv-python-headless counts its own builds in a fourth number.
    assert found == version or found.startswith(f"{version}.")


def test_only_the_shared_macros_name_a_package():
    for file in (ROOT / "tools").rglob("*.xml"):
        if file.resolve() != ROOT / "tools/macros/suite.xml":
            assert not list(ET.parse(file).getroot().iter("requirement")), file


def test_the_sandbox_reads_the_same_requirements():
    assert requirement_names(ROOT / "tools") == {name for name, _ in conda_requirements()}


def test_the_environment_of_the_tools_is_what_is_pinned():
    installed = {normalized(dist.metadata["Name"]): dist.version for dist in importlib.metadata.distributions()}
    assert {name: version for name, version in installed.items() if name not in OWN} == pinned("tools")


@pytest.mark.parametrize("name", ["galaxy", "clients"])
def test_another_environment_is_what_is_pinned(name: str):
    listed = subprocess.run(
        [str(ROOT / ".venv" / name / "bin/python"), "-m", "pip", "list", "--format", "json"],
        capture_output=True,
        check=True,
    )
    installed = {normalized(entry["name"]): entry["version"] for entry in json.loads(listed.stdout)}
    assert {name: version for name, version in installed.items() if name not in OWN} == pinned(name)


@pytest.mark.parametrize("name", ["tools", "galaxy", "clients"])
def test_pinned_packages_agree_with_each_other(name: str):
    # pip installs them with --no-deps, so nobody else would notice.
    checked = subprocess.run(
        [str(ROOT / ".venv" / name / "bin/python"), "-m", "pip", "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("file", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda file: file.stem)
def test_a_requirements_file_pins_everything_and_names_no_address(file: Path):
    for line in file.read_text().splitlines():
        text = line.partition("#")[0].strip()
        assert not text or "==" in text, line
        assert "://" not in line
        assert not text.startswith("-")
