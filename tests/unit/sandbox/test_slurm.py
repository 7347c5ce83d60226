"""The sandbox's Slurm: what Galaxy and its jobs rely on. Skipped where Debian's packages could not be fetched."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import process
from sandbox.cluster import slurm
from sandbox.setup.slurm import is_installed

pytestmark = pytest.mark.skipif(not is_installed(), reason="no Slurm in .venv/slurm: python3 -m sandbox.setup slurm")
# Takes 600 MB and does not let go of them.
GREEDY = "python3 -c 'import time; x = bytearray(b\"1\") * 600_000_000; time.sleep(60)'"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slurm.Slurm]:
    started = slurm.start(tmp_path_factory.mktemp("s"))
    yield started
    process.stop(started.processes)


@pytest.fixture(scope="module")
def folder(running: slurm.Slurm) -> Path:
    return Path(running.commands).parent


def ask(folder: Path, command: str, *arguments: str, seconds: float = 30) -> str:
    called = [str(folder / "bin" / command), *arguments]
    return subprocess.run(called, cwd=folder, capture_output=True, text=True, check=True, timeout=seconds).stdout


def submit(folder: Path, script: str, *options: str) -> str:
    return ask(folder, "sbatch", "--parsable", "--output=%j.out", *options, f"--wrap={script}").strip()


def wait(what: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def state(folder: Path, job: str) -> str:
    return ask(folder, "scontrol", "show", "job", job).partition("JobState=")[2].split()[0]


def test_a_job_runs_with_the_submitters_environment_and_none_of_slurms_libraries(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)  # OpenCV sets it when it is imported
    job = submit(folder, "echo $HOME; echo ${LD_LIBRARY_PATH:-none}")
    wait(lambda: state(folder, job) == "COMPLETED")
    assert (folder / f"{job}.out").read_text().split() == [os.environ["HOME"], "none"]


def test_it_listens_on_this_machine_only(folder: Path):
    ports = {line.partition("=")[2] for line in (folder / "slurm.conf").read_text().splitlines() if "dPort=" in line}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = [row[1] for row in rows if row[3] == "0A"]  # LISTEN
    listening = {address.split(":")[0] for address in addresses if str(int(address.split(":")[1], 16)) in ports}
    assert listening == {"0100007F"}


def test_a_job_that_takes_more_memory_than_it_asked_for_is_killed(folder: Path):
    job = submit(folder, GREEDY, "--mem=100")
    wait(lambda: state(folder, job) not in {"PENDING", "RUNNING", "COMPLETING"})
    assert "exceeded memory limit" in (folder / f"{job}.out").read_text()
    assert state(folder, job) in {"CANCELLED", "OUT_OF_MEMORY", "FAILED"}


def test_jobs_survive_the_daemon_of_their_node(folder: Path):
    job = submit(folder, "sleep 5; echo whole")
    wait(lambda: state(folder, job) == "RUNNING")
    first = int((folder / "slurmd.pid").read_text())
    os.kill(first, signal.SIGKILL)
    wait(lambda: state(folder, job) == "COMPLETED")
    assert (folder / f"{job}.out").read_text() == "whole\n"
    wait(lambda: int((folder / "slurmd.pid").read_text()) != first and slurm.takes_jobs(folder))


def test_a_question_that_slurm_refuses_is_not_asked_again(folder: Path):
    with pytest.raises(subprocess.CalledProcessError) as refused:
        ask(folder, "squeue", "--jobs=999")
    assert "Invalid job id" in refused.value.stderr


def test_a_folder_too_deep_for_a_socket_is_refused(tmp_path: Path):
    with pytest.raises(process.SandboxError, match="longer than a socket's path"):
        slurm.start(tmp_path / ("deep" * 25))


# The last one: it leaves no controller.
def test_commands_wait_for_a_controller_that_is_away(folder: Path, running: slurm.Slurm):
    """Galaxy's CLI runner takes a squeue that fails for the end of every job."""
    process.stop(running.processes[1:2])
    with pytest.raises(subprocess.TimeoutExpired):
        ask(folder, "squeue", "--all", seconds=2)
    queued = subprocess.Popen([str(folder / "bin" / "sbatch"), "--output=late.out", "--wrap=echo late"], cwd=folder)
    time.sleep(2)
    assert queued.poll() is None
    again = slurm.start_daemon(folder, "controller")
    try:
        assert queued.wait(timeout=30) == 0
        wait(lambda: (folder / "late.out").exists() and (folder / "late.out").read_text() == "late\n")
    finally:
        process.stop([again])
