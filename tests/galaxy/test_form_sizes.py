"""A beginner sees six or seven fields of the forms with which one begins; the rest is folded into sections."""

import json
import subprocess
from typing import Any

import pytest

from scripts.suite_files import ROOT, tool_xml

PYTHON = ROOT / ".venv" / "galaxy" / "bin" / "python"


def seen(inputs: list[dict[str, Any]]) -> list[str]:
    """Labels of the fields that are open when a form opens."""
    found: list[str] = []
    for one in inputs:
        if one["type"] == "section":
            found += seen(one["inputs"]) if one["expanded"] else []
        elif one["type"] == "conditional":
            chosen = [case for case in one["cases"] if case["value"] == one["test_param"]["value"]]
            found += [one["test_param"]["label"], *(label for case in chosen for label in seen(case["inputs"]))]
        elif one["type"] != "repeat":
            found.append(one["label"])
    return found


@pytest.mark.parametrize(("tool", "most"), [("segment_objects", 6), ("measure_objects", 7)])
def test_a_form_opens_with_few_fields(tool: str, most: int) -> None:
    command = [str(PYTHON), "-m", "tests.training.tool_forms", str(tool_xml(tool))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(seen(json.loads(done.stdout)[tool]["inputs"])) <= most
