"""Public programs for the tests of this folder, in `.venv/peers`; without it they are skipped, and say so."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PYTHON = Path(__file__).resolve().parents[2] / ".venv" / "peers" / "bin" / "python"
Peer = Callable[..., Any]


@pytest.fixture(scope="session")
def peer() -> Peer:
    """Run Python there: `peer(code, *arguments)` returns what the code leaves in `answer`, by way of JSON."""
    if not PYTHON.exists():
        pytest.skip("no .venv/peers: python3 -m sandbox.setup peers")

    def run(code: str, *arguments: object) -> Any:
        whole = f"import json, sys\n{code}\njson.dump(answer, open(sys.argv[-1], 'w'))"
        answer = Path(str(arguments[0])).parent / "answer.json"
        command = [str(PYTHON), "-W", "ignore", "-c", whole, *map(str, arguments), str(answer)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(answer.read_text())

    return run
