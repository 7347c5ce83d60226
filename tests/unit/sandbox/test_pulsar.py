"""The sandbox's Pulsar: its jobs have the tools' packages and the library, and see nothing of what it must not see."""

import hashlib
import json
import subprocess
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
from tests.galaxy.secret_watch import files_with

pytestmark = pytest.mark.skipif(not pulsar.is_installed(), reason="no .venv/pulsar: python3 -m sandbox.setup pulsar")
GALAXY_PYTHON = process.ROOT / ".venv" / "galaxy" / "bin" / "python"
SECRET = "a-secret-of-omero"
PYTHON = {"requirements": [{"name": "python", "type": "package"}], "installed_tool_dependencies": []}


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hidden")
    (folder / "secret").write_text("of Galaxy")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pulsar")


@pytest.fixture(scope="module")
def running(hidden: Path, folder: Path) -> Iterator[pulsar.Pulsar]:
    started = pulsar.start(folder, process.ROOT / "tools", [hidden, process.ROOT / "src"])
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
    return ended(server, job)


def ended(server: pulsar.Pulsar, job: str) -> Any:
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


def test_the_environment_of_a_job_is_in_no_address_and_in_no_file_that_stays(running: pulsar.Pulsar, folder: Path):
    job = {
        "destination": {"url": running.url, "private_token": running.token},
        "job": "4",
        "env": {"OMERO_PASSWORD": SECRET, "OTHER": 'two words and a "'},
        "command": 'printf %s "$OMERO_PASSWORD" | md5sum; echo "$OTHER"',
    }
    command = [str(GALAXY_PYTHON), "-m", "tests.galaxy.quiet_pulsar"]
    subprocess.run(command, cwd=process.ROOT, input=json.dumps(job), text=True, check=True, timeout=60)
    status = ended(running, "4")
    expected = hashlib.md5(SECRET.encode(), usedforsecurity=False).hexdigest()
    assert status["job_stdout"] == f'{expected}  -\ntwo words and a "\n'
    assert "/jobs/4/submit" in (folder / pulsar.REQUESTS).read_text()
    assert files_with(SECRET.encode(), [folder]) == set()


def test_the_environment_is_in_the_address_by_pulsars_own_client(running: pulsar.Pulsar, folder: Path):
    """Else the test above could not fail."""
    env = json.dumps([{"name": "OMERO_PASSWORD", "value": "seen-by-all"}])
    ask(running, "jobs", "POST", job_id="5")
    ask(running, "jobs/5/submit", "POST", command_line="true", env=env)
    ended(running, "5")
    assert "seen-by-all" in (folder / pulsar.REQUESTS).read_text()
