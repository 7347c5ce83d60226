"""Start, recognise, wait for and stop processes that outlive the command that started them."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.supervise import GRACE_SECONDS

ROOT = Path(__file__).resolve().parents[1]
# A supervisor needs its own time to end what it watches before it is ended itself.
STOP_SECONDS = GRACE_SECONDS + 10.0


class SandboxError(Exception):
    """The reason why the sandbox cannot run, with the remedy."""


@dataclass(frozen=True)
class Process:
    """One process of this machine, told apart from a later one with the same number."""

    pid: int
    started: str
    """Boot id and start time in clock ticks: no other process ever has the same pair with this pid."""


def identify(pid: int) -> Process | None:
    """Return the live process with this number, or None. A zombie does not count as live."""
    try:
        # The command name, in parentheses, may itself hold spaces and parentheses: proc(5), /proc/pid/stat.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, start_ticks = fields[0], fields[19]
    if state in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return Process(pid, f"{boot}:{start_ticks}")


def is_running(process: Process) -> bool:
    """Return whether exactly this process is alive."""
    return identify(process.pid) == process


def start(
    command: list[str], *, cwd: Path, log: Path, environment: dict[str, str] | None = None, detached: bool
) -> Process:
    """Start a command under `sandbox.supervise`, so that everything it starts ends with the supervisor.

    Args:
        command: Program and arguments.
        cwd: Folder it runs in.
        log: File that gets its output, appended.
        environment: Its environment; None for this process's own.
        detached: Whether the command stays when this process ends; otherwise it ends too, however this process ends.

    Returns:
        The supervisor.
    """
    supervisor = [sys.executable, "-m", "sandbox.supervise", *([] if detached else ["--with-parent"]), "--"]
    environment = {**(os.environ if environment is None else environment)}
    # The supervisor is found in this checkout; the command itself does not get to see that path.
    wrapped = ["env", "-u", "PYTHONPATH", *command]
    with log.open("ab") as output:
        started = subprocess.Popen(
            [*supervisor, *wrapped],
            cwd=cwd,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = identify(started.pid)
    if process is None:
        raise SandboxError(f"{command[0]} ended at once. Its log: {log}")
    return process


def stop(processes: Iterable[Process]) -> None:
    """Stop the processes and no others, first by SIGTERM, later by SIGKILL; return when they are gone."""
    waiting = [process for process in processes if is_running(process)]
    for process in waiting:
        _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while waiting := [process for process in waiting if is_running(process)]:
        if time.monotonic() > deadline:
            for process in waiting:
                _signal(process, signal.SIGKILL)
        time.sleep(0.05)


def _signal(process: Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)


def free_port(preferred: int | None = None) -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on: the preferred one if it is free."""
    for port in (preferred or 0, 0):
        with socket.socket() as probe:
            # Connections of the last server linger for a minute; a server that listens refuses all the same.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SandboxError("no free TCP port on 127.0.0.1")


def wait_until(ready: Callable[[], bool], process: Process, *, what: str, log: Path, seconds: float) -> None:
    """Wait for a server to answer, with a line of progress every ten seconds.

    Args:
        ready: Return whether the server answers.
        process: The server's process; the wait ends with it.
        what: Its name, for messages.
        log: Its log, for messages.
        seconds: When to give up.

    Raises:
        SandboxError: The process ended, or the time is over; the message has the end of the log.
    """
    begin = time.monotonic()
    said = 0
    while not ready():
        waited = time.monotonic() - begin
        if not is_running(process):
            raise SandboxError(f"{what} ended before it was ready.\n{_tail(log)}")
        if waited > seconds:
            raise SandboxError(f"{what} was not ready after {seconds:.0f} s.\n{_tail(log)}")
        if waited // 10 > said:
            said = int(waited // 10)
            print(f"{what}: starting, {waited:.0f} s", flush=True)
        time.sleep(0.2)


def _tail(log: Path, lines: int = 25) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join([f"The end of {log}:", *text.splitlines()[-lines:]])
