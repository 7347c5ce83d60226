"""Tools as processes: several begun at the same moment, or one that is stopped while a call is under way."""

import json
import multiprocessing
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.omero.concurrency import run_copy
from tests.omero.tool_support import CuttingProxy, Lab

ROOT = Path(__file__).parents[3]
DEAD_SECONDS = 12
# Each copy is a process of its own, forked from one that has loaded what takes a second of work.
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(
    ["omero.clients", "omero_api_RawFileStore_ice", "omero_SharedResources_ice", "pytest", "tifffile"]
)
LONGEST = 300  # Seconds that a copy may take.


@dataclass(frozen=True)
class Job:
    """One run of a tool: its name, its configuration, its outputs by argument."""

    tool: str
    config: Mapping[str, Any]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Copy:
    """A tool that runs: its process, its folder, and what tells that it is ready and that it may begin."""

    process: Any
    folder: Path
    ready: Any
    go: Any

    def is_running(self) -> bool:
        return self.process.exitcode is None

    def send(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def said(self, where: str) -> str:
        """What it has written to "stdout" or "stderr" so far."""
        path = self.folder / where
        return path.read_text() if path.exists() else ""


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit code, standard output and error."""

    code: int
    said: str
    error: str


def script_of(tool: str) -> Path:
    """The script of a tool, wherever it lies below tools/."""
    [found] = [path for path in (ROOT / "tools").rglob(f"{tool}.py") if not path.is_symlink()]
    return found


def call_of(
    lab: Lab, folder: Path, job: Job, extra: Mapping[str, str], **config: Any
) -> tuple[Path, list[str], Path, dict[str, str]]:
    """The script of a job, its words, a new folder to run it in, and its environment."""
    work = folder / f"job-{uuid.uuid4().hex[:8]}"
    work.mkdir()
    (work / "config.json").write_text(
        json.dumps({"omero_host": lab.address, "omero_group": "", **job.config, **config})
    )
    words = [part for name, value in job.outputs.items() for part in (f"--{name}", value)]
    environment = {name: value for name, value in os.environ.items() if name != "OMERO_SESSION_KEY"}
    environment |= {"OMERO_USER": lab.user, "OMERO_PASSWORD": lab.password, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    environment |= {"BIOIMAGE_SUITE_DEAD_SECONDS": str(DEAD_SECONDS), **extra}
    return script_of(job.tool), ["--config", "config.json", *words], work, environment


def begin(lab: Lab, folder: Path, job: Job, extra: Mapping[str, str] = MappingProxyType({}), **config: Any) -> Copy:
    """Start a tool in a folder of its own; it waits until `go` tells it to begin."""
    call = call_of(lab, folder, job, extra, **config)
    ready, go = FORKING.Event(), FORKING.Event()
    process = FORKING.Process(target=run_copy.run, args=(*call, ready, go))
    process.start()
    return Copy(process, call[2], ready, go)


def wait_ready(copy: Copy) -> None:
    assert copy.ready.wait(LONGEST), copy.said("stderr")


def go(copy: Copy) -> None:
    copy.go.set()


def ended(copy: Copy) -> Ended:
    copy.process.join(LONGEST)
    assert copy.process.exitcode is not None, f"it runs on: {copy.said('stdout')}"
    return Ended(copy.process.exitcode, copy.said("stdout"), copy.said("stderr"))


def run_at_once(
    lab: Lab, folder: Path, jobs: Sequence[Job], extra: Mapping[str, str] = MappingProxyType({})
) -> list[Ended]:
    """Run jobs at the same moment and wait for all."""
    copies = [begin(lab, folder, job, extra) for job in jobs]
    for one in copies:
        wait_ready(one)
    for one in copies:
        go(one)
    return [ended(one) for one in copies]


def run_one(lab: Lab, folder: Path, job: Job, extra: Mapping[str, str] = MappingProxyType({})) -> Ended:
    return run_at_once(lab, folder, [job], extra)[0]


class SlowProxy(CuttingProxy):
    """Keeps every answer of the server back for a while: most of a tool's time is then spent within calls."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(host, port)

    def passing(self, data: bytes, from_client: bool) -> None:
        super().passing(data, from_client)
        if not from_client:
            time.sleep(self.seconds)


def begin_paused(
    lab: Lab, folder: Path, job: Job, number: int, calls: str = "write", extra: Mapping[str, str] = MappingProxyType({})
) -> Copy:
    """Start a job and return when it has stopped itself before a call, or has ended.

    Args:
        lab: The user.
        folder: For the job's folder.
        job: The job.
        number: Counts the calls, from 1, of all threads.
        calls: "write", or "any" to count those that read, too.
        extra: More of the environment.
    """
    copy = begin(lab, folder, job, {"PAUSE_BEFORE": f"{number} {calls}", **extra})
    wait_ready(copy)
    go(copy)
    status = Path(f"/proc/{copy.process.pid}/stat")
    while copy.is_running() and status.read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.02)
    return copy


def stop_in_write(lab: Lab, folder: Path, job: Job, number: int, how: str) -> tuple[Ended, bool]:
    """Run a job over a slow line and send it a signal while its call that writes, of this number, is under way.

    Args:
        lab: The user.
        folder: For the job's folder.
        job: The job.
        number: Counts calls that write, from 1.
        how: "SIGTERM", "SIGKILL", or "SIGTERM 1" where SIGKILL follows after a second, as some job runners do it.

    Returns:
        How it ended, and whether it came to that call.
    """
    way = SlowProxy(lab.host, lab.port, 0.1)
    try:
        copy = begin(lab, folder, job, {"SIGNAL_IN_WRITE": f"{number} {how}"}, omero_host=way.address)
        wait_ready(copy)
        go(copy)
        done = ended(copy)
        return done, "signal\n" in done.said
    finally:
        way.cut()
