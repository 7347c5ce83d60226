"""Workflows know every parameter of the tools they use: Galaxy would not start them otherwise."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_step_lacks_a_parameter_of_its_tool():
    command = [str(ROOT / ".venv/galaxy/bin/python"), "-m", "tests.galaxy.workflow_states"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nMend: {' '.join(command)} --fill"
