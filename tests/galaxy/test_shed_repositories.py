"""Every Tool Shed repository, as planemo would upload it, is whole: unpacked elsewhere, its tool runs from there."""

import json
import os
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.galaxy.shed_repositories import Repository, unpack_repositories

ROOT = Path(__file__).resolve().parents[2]
GALAXY_PYTHON = ROOT / ".venv/galaxy/bin/python"
TOOLS_PYTHON = ROOT / ".venv/tools/bin/python"
GROUPS = ("omero", "image", "plate", "fair", "data_managers")

# Run by Galaxy's own Python: its parser expands the macros as a server does.
PARSE = """
import json, sys
from xml.etree import ElementTree
from galaxy.tool_util.loader import load_tool
print(json.dumps({path: ElementTree.tostring(load_tool(path).getroot(), encoding="unicode") for path in sys.argv[1:]}))
"""


@dataclass(frozen=True)
class Tool:
    """A repository with a tool, and the tool's XML with all macros expanded."""

    repository: Repository
    tree: ET.Element

    @property
    def name(self) -> str:
        return self.repository.name

    @property
    def folder(self) -> Path:
        """The folder with the script: the repository mirrors `tools/`."""
        return tool_folder(self.repository)


def tool_folder(repository: Repository) -> Path:
    (xml,) = repository.folder.glob(f"*/{repository.name}/{repository.name}.xml")
    return xml.parent


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Repository]:
    """All repositories by name."""
    target = tmp_path_factory.mktemp("shed")
    return unpack_repositories(target, target / "unpacked")


@pytest.fixture(scope="module")
def tools(repositories: dict[str, Repository]) -> list[Tool]:
    """All repositories with a tool."""
    those = [one for name, one in sorted(repositories.items()) if not name.startswith("suite_")]
    files = [str(tool_folder(one) / f"{one.name}.xml") for one in those]
    parsed = subprocess.run([str(GALAXY_PYTHON), "-c", PARSE, *files], check=True, capture_output=True, text=True)
    trees = json.loads(parsed.stdout.splitlines()[-1])
    return [Tool(one, ET.fromstring(trees[file])) for one, file in zip(those, files, strict=True)]


def tool_ids(name: str) -> set[str]:
    roots = (ET.parse(file).getroot() for file in (ROOT / "tools" / name).glob("*/*.xml"))
    return {root.get("id", "") for root in roots if root.tag == "tool"}


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def names_in(suite: Repository) -> set[str | None]:
    root = ET.parse(suite.folder / "repository_dependencies.xml").getroot()
    return {entry.get("name") for entry in root.iter("repository")}


def test_there_is_one_for_each_tool_and_a_suite_for_each_group(repositories):
    ids = {group: tool_ids(group) for group in GROUPS}
    suites = {"suite_bioimage", *(f"suite_bioimage_{group}" for group in GROUPS)}
    assert set(repositories) == set.union(*ids.values()) | suites
    for group in GROUPS:
        assert names_in(repositories[f"suite_bioimage_{group}"]) == ids[group]
    assert names_in(repositories["suite_bioimage"]) == suites - {"suite_bioimage"}


def test_no_link_is_left(repositories):
    for repository in repositories.values():
        assert all(member.isfile() or member.isdir() for member in repository.members), repository.name


def test_every_macro_is_resolved(tools):
    for tool in tools:
        assert tool.tree.get("id") == tool.name
        assert not list(tool.tree.iter("expand")), tool.name
        assert "@" not in tool.tree.get("version", "@") + tool.tree.get("profile", "@"), tool.name


def test_every_file_that_a_test_names_is_there(tools):
    for tool in tools:
        params = tool.tree.find("inputs").iter("param")
        data = {param.get("name") for param in params if param.get("type") in ("data", "data_collection")}
        tests = tool.tree.find("tests")
        named = {entry.get("file") for entry in tests.iter("output")}
        given = (entry for entry in tests.iter("param") if entry.get("name", "").split("|")[-1] in data)
        named |= {entry.get("value") for param in given for entry in (param, *param.iter("element"))}
        for file in {part for value in named if value for part in value.split(",")}:
            assert (tool.folder / "test-data" / file).exists(), f"{tool.name}: {file}"


def test_every_script_starts_from_there(tools, tmp_path: Path):
    for tool in tools:
        command = [str(TOOLS_PYTHON), str(tool.folder / f"{tool.name}.py"), "--help"]
        ended = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
        assert ended.returncode == 0, f"{tool.name}: {ended.stderr}"


def test_a_segmentation_runs_from_there(repositories, tmp_path: Path):
    folder = tool_folder(repositories["segment_objects"])
    result = tmp_path / "labels.ome.tiff"
    command = [str(TOOLS_PYTHON), str(folder / "segment_objects.py"), "--output", str(result)]
    command += ["--image", str(folder / "test-data" / "nuclei.ome.tiff")]
    subprocess.run(command, cwd=tmp_path, env=environment(), check=True)
    assert result.stat().st_size > 0


def test_a_repository_carries_all_that_its_script_imports_and_nothing_else(tools):
    """Every module of the library that is there can be imported from there, and from nowhere else."""
    for tool in tools:
        modules = [
            ".".join(file.relative_to(tool.folder).with_suffix("").parts).removesuffix(".__init__")
            for file in sorted((tool.folder / "bioimage_suite").rglob("*.py"))
        ]
        code = "import importlib, sys\nfor name in sys.argv[1:]: print(importlib.import_module(name).__file__)"
        command = [str(TOOLS_PYTHON), "-c", code, *modules]
        ended = subprocess.run(command, cwd=tool.folder, env=environment(), capture_output=True, text=True, check=False)
        assert ended.returncode == 0, f"{tool.name}: {ended.stderr}"
        assert all(Path(line).is_relative_to(tool.folder) for line in ended.stdout.splitlines()), tool.name


def test_no_repository_is_large(repositories):
    for repository in repositories.values():
        assert sum(member.size for member in repository.members) < 2_000_000, repository.name
