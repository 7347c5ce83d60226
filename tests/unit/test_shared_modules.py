"""Modules that two groups of tools share are the same everywhere.

They are copies, not symbolic links: Galaxy takes only files that stay within the tool's folder for `required_files`.
"""

from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
SHARED = {file.name for file in (TOOLS / "common").glob("*.py")}
COPIES = sorted(file for file in TOOLS.glob("*/*.py") if file.name in SHARED and file.parent.name != "common")


@pytest.mark.parametrize("copy", COPIES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_copy_is_what_stands_in_common(copy: Path):
    assert copy.read_bytes() == (TOOLS / "common" / copy.name).read_bytes()


def test_there_are_copies():
    assert "tool_errors.py" in {file.name for file in COPIES}
