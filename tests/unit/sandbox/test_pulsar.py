"""The sandbox's Pulsar: its jobs have the tools' packages and the library, and see nothing of what it must not see."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox import process
from sandbox.cluster import pulsar

pytestmark = pytest.mark.skipif(not pulsar.is_installed(), reason="no .venv/pulsar: python3 -m sandbox.setup pulsar")
PYTHON = {"requirements": [{"name": "python", "type": "package"}], "installed_tool_dependencies": []}


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hidden")
    (folder / "secret").write_text("of Galaxy")
    return folder


@pytest.fixture(scope="module")
def running(hidden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[pulsar.Pulsar]:
    started = pulsar.start(tmp_path_factory.mktemp("pulsar"), process.ROOT / "tools", [hidden, process.ROOT / "src"])
    yield started
    process.stop(started.processes)


def ask(server: pulsar.Pulsar, path: str, method: str = "GET", **query: str) -> Any:
    address = f"{server.url}{path}?{urllib.parse.urlencode({**query, 'private_token': server.token})}"
    with urllib.request.urlopen(urllib.request.Request(address, method=method), timeout=30) as answer:
        text = answer.read()
    return None if text in {b"", b"OK"} else json.loads(text)


def run(server: pulsar.Pulsar, job: str, command: str) -> Any:
    ask(server, "jobs", "POST", job_id=job)
    described = json.dumps(PYTHON)
    ask(server, f"jobs/{job}/submit", "POST", command_line=command, dependencies_description=described)
    deadline = time.monotonic() + 60
    while (status := ask(server, f"jobs/{job}/status"))["complete"] != "true":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return status


def test_a_job_has_the_library_and_the_packages(running: pulsar.Pulsar):
    code = "import bioimage_suite, numpy; print(bioimage_suite.__file__)"
    status = run(running, "1", f"python -c '{code}'")
    assert status["returncode"] == 0, status["job_stderr"]
    assert "/library/bioimage_suite/" in status["job_stdout"]


def test_a_job_does_not_see_what_is_hidden(running: pulsar.Pulsar, hidden: Path):
    if not running.hides:
        pytest.skip("this kernel lets nobody hide folders")
    status = run(running, "2", f"ls -A {hidden} {process.ROOT / 'src'}")
    assert str(hidden) in status["job_stdout"]
    assert "secret" not in status["job_stdout"]
    assert "bioimage_suite" not in status["job_stdout"]
    assert (hidden / "secret").exists()


def test_a_stranger_is_refused(running: pulsar.Pulsar):
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask(replace(running, token="wrong"), "jobs", "POST", job_id="3")
