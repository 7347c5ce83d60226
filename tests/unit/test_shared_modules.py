"""A module that several groups of tools share stands once, in tools/common; a group sees it through a relative link.

Packaging for the Tool Shed resolves the links (tests/galaxy/test_shed_repositories.py). `required_files` names the
modules of a group by a pattern: Galaxy does not follow links for a literal name.
"""

import re
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
SHARED = {file.name for file in (TOOLS / "common").glob("*.py")}
SEEN = sorted(file for file in TOOLS.glob("*/*.py") if file.name in SHARED and file.parent.name != "common")


@pytest.mark.parametrize("link", SEEN, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_shared_module_is_a_relative_link_into_common(link: Path):
    assert link.is_symlink()
    assert link.readlink() == Path("..") / "common" / link.name


def test_every_group_reports_errors_the_same_way():
    assert {file.parent.name for file in SEEN if file.name == "tool_errors.py"} == {"fair", "image", "omero"}


TOOL_FILES = sorted(file for file in TOOLS.glob("*/*.xml") if "<tool " in file.read_text())
ALL_MODULES = '<include path="*.py" type="glob" />'


@pytest.mark.parametrize("tool", TOOL_FILES, ids=lambda file: file.stem)
def test_a_job_elsewhere_gets_every_module_of_the_group(tool: Path):
    macros = "".join(file.read_text() for file in tool.parent.glob("*macros.xml"))
    expanded = set(re.findall(r'<expand macro="(\w+)"', tool.read_text()))
    blocks = [tool.read_text()] + [
        block for name, block in re.findall(r'<xml name="(\w+)".*?>(.*?)</xml>', macros, re.DOTALL) if name in expanded
    ]
    assert any(ALL_MODULES in block for block in blocks)
