"""A tool's packages are linked for Galaxy, and one that is missing is named."""

import sys
from pathlib import Path

import pytest

from sandbox.galaxy.dependencies import link_requirements, requirement_names
from sandbox.process import SandboxError

TOOL = """<tool id="t"><requirements>{}</requirements></tool>"""
ENVIRONMENT = Path(sys.prefix)


def write_tool(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    entries = "".join(f'<requirement type="package" version="1">{name}</requirement>' for name in names)
    (folder / "t.xml").write_text(TOOL.format(entries))
    return folder


def test_names_come_from_tools_and_macros(tmp_path: Path):
    write_tool(tmp_path / "a", "numpy")
    (tmp_path / "macros.xml").write_text(
        '<macros><xml name="x"><requirement type="package" version="1"> py-opencv </requirement></xml></macros>'
    )
    assert requirement_names(tmp_path) == {"numpy", "py-opencv"}


def test_each_name_links_to_the_environment(tmp_path: Path):
    tools = write_tool(tmp_path / "tools", "python", "numpy", "py-opencv", "scikit-image")
    for _ in range(2):  # a second start makes them again
        link_requirements(tools, tmp_path / "deps", ENVIRONMENT)
    for name in ("python", "numpy", "py-opencv", "scikit-image"):
        assert (tmp_path / "deps" / name / "default").readlink() == ENVIRONMENT


def test_every_package_that_is_missing_is_named(tmp_path: Path):
    tools = write_tool(tmp_path / "tools", "numpy", "no-such-package", "nor-this")
    with pytest.raises(SandboxError, match="no-such-package, nor-this"):
        link_requirements(tools, tmp_path / "deps", ENVIRONMENT)
    assert not (tmp_path / "deps").exists()


def test_a_broken_xml_file_is_named(tmp_path: Path):
    (tmp_path / "broken.xml").write_text("<tool")
    with pytest.raises(SandboxError, match=r"broken\.xml"):
        requirement_names(tmp_path)
