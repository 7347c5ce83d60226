"""Released workflows: long ids and versions of every tool, and folders that need no other folder."""

import json
import re
from pathlib import Path

import pytest

from scripts.release_workflows import main, versions, with_long_ids
from scripts.workflow_import import missing_tools, tool_ids

# Tools that come with Galaxy, such as __FLATTEN__, are in no Tool Shed: they have no long ids.
GALAXYS_OWN = "__"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist") / "workflows"
    assert main(["--output", str(folder), "--shed", "shed.example.org", "--owner", "lab"]) == 0
    return folder


def test_every_tool_has_its_long_id_and_version(released: Path):
    known = versions()
    files = sorted(released.glob("*/*.ga"))
    assert len(files) >= 9
    for file in files:
        content = json.loads(file.read_text())
        ids = {one for one in tool_ids(content) if not one.startswith(GALAXYS_OWN)}
        assert ids
        for one in ids:
            found = re.fullmatch(r"shed\.example\.org/repos/lab/(\w+)/(\w+)/(\d[^/]*\+galaxy\d+)", one)
            assert found, one
            assert found[1] == found[2]
            assert known[found[1]] == found[3]
        for step in content["steps"].values():
            if step["tool_id"] and not step["tool_id"].startswith(GALAXYS_OWN):
                assert step["tool_version"] == step["tool_id"].rsplit("/", 1)[-1]
                assert step["content_id"] == step["tool_id"]
                assert step["tool_shed_repository"]["name"] == step["tool_id"].split("/")[-2]


def test_every_file_that_a_test_names_lies_in_its_folder(released: Path):
    for tests in released.glob("*/*-tests.yml"):
        text = tests.read_text()
        assert "../" not in text
        for name in re.findall(r"path: (test-data/[^\s,}]+)", text):
            assert (tests.parent / name).stat().st_size > 0
    assert {path.name for path in (released / "signal-intensity").iterdir()} == {
        ".dockstore.yml", "CHANGELOG.md", "README.md", "signal-intensity-tests.yml", "signal-intensity.ga",
        "signal-intensity.png", "test-data",
    }  # fmt: skip


def test_a_galaxy_with_the_long_ids_lacks_no_tool_of_the_short_ones_either():
    long = {f"shed.example.org/repos/lab/{tool}/{tool}/{version}" for tool, version in versions().items()}
    assert missing_tools(set(versions()), long) == []
    assert missing_tools(long, set(versions())) == sorted(long)


def test_subworkflows_and_revisions_are_taken_along():
    inner = {"steps": {"0": {"tool_id": "omero_find", "content_id": "omero_find", "tool_version": "0"}}}
    outer = {"steps": {"0": {"tool_id": None, "subworkflow": inner}, "1": {"tool_id": "cat1"}}}
    new = with_long_ids(outer, "s", "o", {"omero_find": "1+galaxy0"}, {"omero_find": "abc"})
    step = new["steps"]["0"]["subworkflow"]["steps"]["0"]
    assert step["tool_id"] == "s/repos/o/omero_find/omero_find/1+galaxy0"
    assert step["tool_shed_repository"]["changeset_revision"] == "abc"
    assert new["steps"]["1"]["tool_id"] == "cat1"
    assert inner["steps"]["0"]["tool_id"] == "omero_find"


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, capsys):
    assert main(["--output", str(tmp_path)]) == 1
    assert "is there already" in capsys.readouterr().err
