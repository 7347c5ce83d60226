"""Public programs for the tests of this folder, in `.venv/peers` and `.venv/isa`; without them they are skipped."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VENVS = Path(__file__).resolve().parents[2] / ".venv"
Peer = Callable[..., Any]


@pytest.fixture(scope="session")
def peer() -> Peer:
    """Run Python in `.venv/peers`: `peer(code, *arguments)` returns what the code leaves in `answer`, through JSON."""
    return _python_of("peers")


@pytest.fixture(scope="session")
def isatools() -> Peer:
    """Run Python in `.venv/isa`, as `peer` does."""
    return _python_of("isa")


def _python_of(name: str) -> Peer:
    python = VENVS / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no .venv/{name}: python3 -m sandbox.setup {name}")

    def run(code: str, *arguments: object) -> Any:
        whole = f"import json, sys\n{code}\njson.dump(answer, open(sys.argv[-1], 'w'))"
        answer = Path(str(arguments[0])).parent / "answer.json"
        command = [str(python), "-W", "ignore", "-c", whole, *map(str, arguments), str(answer)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(answer.read_text())

    return run
