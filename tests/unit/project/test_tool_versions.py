"""Each tool has a version of its own; what changed since the last release has a new suffix."""

import json
from pathlib import Path

import pytest

from scripts import tool_versions
from scripts.suite_files import ROOT, tool_xml_files
from scripts.tool_versions import (
    RELEASED,
    bump,
    changed_tools,
    digest,
    tool_version,
    without_docstrings,
    without_documentation,
)

TOOLS = tool_xml_files()
XML = """<tool id="a" version="@TOOL_VERSION@+galaxy@VERSION_SUFFIX@"><macros>
<token name="@TOOL_VERSION@">0.1.0</token><token name="@VERSION_SUFFIX@">{suffix}</token></macros>
<command>{command}</command><help>{help}</help></tool>"""


def test_what_changed_has_a_new_suffix():
    due = [xml.stem for xml in changed_tools(json.loads(RELEASED.read_text(encoding="utf-8")))]
    assert not due, "run: python -m scripts.tool_versions --bump"


@pytest.mark.parametrize("xml", TOOLS, ids=lambda file: file.stem)
def test_the_version_is_of_the_tool_and_of_this_packaging_of_it(xml: Path):
    assert 'version="@TOOL_VERSION@+galaxy@VERSION_SUFFIX@"' in xml.read_text(encoding="utf-8")
    assert tool_version(xml).count("+galaxy") == 1


@pytest.mark.parametrize("file", sorted((ROOT / "workflows").glob("*/*.ga")), ids=lambda file: file.stem)
def test_a_workflow_asks_for_the_versions_that_are_here(file: Path):
    versions = {xml.stem: tool_version(xml) for xml in TOOLS}
    steps = json.loads(file.read_text(encoding="utf-8"))["steps"].values()
    asked = {(step["tool_id"], step["tool_version"]) for step in steps if step.get("tool_id") in versions}
    assert asked == {(name, versions[name]) for name, _ in asked}


def write_tool(folder: Path, *, suffix: int = 0, command: str = "run", text: str = "x = 1", said: str = "") -> Path:
    xml = folder / "a.xml"
    xml.write_text(XML.format(suffix=suffix, command=command, help=said), encoding="utf-8")
    xml.with_suffix(".py").write_text(f'"""{said}"""\n{text}\n', encoding="utf-8")
    return xml


@pytest.fixture
def a_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tool_versions, "ROOT", tmp_path)
    monkeypatch.setattr(tool_versions, "tool_xml_files", lambda: [tmp_path / "a.xml"])
    return write_tool(tmp_path)


def test_code_and_form_count_and_documentation_does_not(a_tool: Path):
    before, folder = digest(a_tool), a_tool.parent
    assert digest(write_tool(folder, suffix=1, said="more")) == before
    assert digest(write_tool(folder, text="x = 2")) != before
    assert digest(write_tool(folder, command="walk")) != before


def test_a_changed_tool_is_due_until_its_suffix_is_raised(a_tool: Path):
    released = {"a": {"version": tool_version(a_tool), "digest": digest(a_tool)}}
    assert changed_tools(released) == []
    write_tool(a_tool.parent, text="x = 2")
    assert changed_tools(released) == [a_tool]
    assert bump(a_tool) == "0.1.0+galaxy1"
    assert changed_tools(released) == []


@pytest.mark.usefixtures("a_tool")
def test_a_new_tool_is_not_due():
    assert changed_tools({}) == []


def test_docstrings_of_all_kinds_go():
    code = '"""m"""\n# c\nclass A:\n    """a"""\n    x: int = 1\n    """field"""\n    def f(self):\n        """f"""\n'
    assert without_docstrings(code) == "class A:\n    x: int = 1\n\n    def f(self):\n        pass"


def test_help_and_version_go_from_xml(a_tool: Path):
    left = without_documentation(write_tool(a_tool.parent, said="of use"))
    assert "run" in left
    assert "of use" not in left
    assert "0.1.0" not in left
