"""Whatever a supervised command started ends with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.process import identify, is_running, start, stop
from sandbox.supervise import children_of

ROOT = Path(__file__).resolve().parents[3]
SUPERVISE = [sys.executable, "-m", "sandbox.supervise", "--"]
# Starts a process in a session of its own, as Galaxy starts a job, writes its number, and goes on.
LEAVES_ORPHAN = 'setsid sleep 600 & echo $! > "$0"; '


def wait_for_number(file: Path) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if file.exists() and file.read_text().strip():
            return int(file.read_text())
        time.sleep(0.02)
    pytest.fail(f"{file} was not written")


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while identify(pid) is not None:
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


def wait_until_it_is(program: str, parent: int) -> None:
    """Wait until the only child of `parent` runs `program`: a shell loses a signal that comes just before its exec."""
    deadline = time.monotonic() + 30
    while [Path(f"/proc/{pid}/comm").read_text().strip() for pid in children_of(parent)] != [program]:
        assert time.monotonic() < deadline, f"{program} did not start"
        time.sleep(0.02)


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_the_commands(code: int):
    assert subprocess.run([*SUPERVISE, "sh", "-c", f"exit {code}"], cwd=ROOT, check=False).returncode == code


def test_a_program_that_is_not_there_is_named():
    ended = subprocess.run([*SUPERVISE, "no-such-program"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 127
    assert "no-such-program" in ended.stderr


def test_an_orphan_ends_with_the_command(tmp_path: Path):
    file = tmp_path / "pid"
    subprocess.run([*SUPERVISE, "sh", "-c", LEAVES_ORPHAN, str(file)], cwd=ROOT, check=True)
    assert identify(wait_for_number(file)) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_below(tmp_path: Path, number: int):
    file = tmp_path / "pid"
    command = [*SUPERVISE, "sh", "-c", LEAVES_ORPHAN + "exec sleep 600", str(file)]
    with subprocess.Popen(command, cwd=ROOT) as supervisor:
        orphan = wait_for_number(file)
        wait_until_it_is("sleep", supervisor.pid)
        supervisor.send_signal(number)
        assert supervisor.wait(30) == 128 + number
    wait_until_gone(orphan)


def test_a_supervised_command_ends_with_the_one_that_started_it(tmp_path: Path):
    file = tmp_path / "pid"
    # `sh` starts a supervisor that watches it and is then killed outright: nothing of its own could clean up.
    inner = [sys.executable, "-m", "sandbox.supervise", "--with-parent", "--", "sh", "-c", LEAVES_ORPHAN + "sleep 600"]
    with subprocess.Popen(["sh", "-c", '"$@"; true', "sh", *inner, str(file)], cwd=ROOT) as parent:
        orphan = wait_for_number(file)
        parent.kill()
    wait_until_gone(orphan)


def test_stop_ends_the_process_it_was_given_and_no_later_one_of_the_same_number(tmp_path: Path):
    started = start(["sleep", "600"], cwd=tmp_path, log=tmp_path / "log", detached=False)
    reused = type(started)(started.pid, "another boot:1")
    stop([reused])
    assert is_running(started)
    stop([started])
    assert not is_running(started)


def test_a_zombie_does_not_run():
    with subprocess.Popen(["true"]) as child:
        deadline = time.monotonic() + 30
        while Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert identify(child.pid) is None


def test_identify_knows_this_process():
    here = identify(os.getpid())
    assert here is not None
    assert is_running(here)
