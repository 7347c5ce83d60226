"""The forms of the tools, which texts and tours are compared with."""

import json
import subprocess
from typing import Any

import pytest

from scripts.suite_files import tool_xml_files
from tests.run import ROOT

GALAXY_PYTHON = ROOT / ".venv" / "galaxy" / "bin" / "python"


@pytest.fixture(scope="session")
def forms() -> dict[str, Any]:
    """Return the tools' forms by id."""
    if not GALAXY_PYTHON.exists():
        pytest.skip("Galaxy is not installed here")
    command = [str(GALAXY_PYTHON), "-m", "tests.training.tool_forms", *map(str, tool_xml_files())]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(said.stdout)
    return found
