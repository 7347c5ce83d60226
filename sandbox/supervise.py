"""Run one command so that nothing it starts outlives it: `python -m sandbox.supervise -- COMMAND ...`.

Galaxy starts each job in a session of its own, and a job starts further processes, so process groups do not hold them
together. Linux does: as "subreaper" this process inherits every orphan below it, so that at the end all of them are its
descendants and can be ended. Only the standard library is used, and any Python 3.11 runs it.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

# <linux/prctl.h>
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 20.0
USAGE = "usage: python -m sandbox.supervise [--with-parent] -- COMMAND ..."


def supervise(command: list[str], *, with_parent: bool) -> int:
    """Run a command, pass signals on to it, and end everything below it when it has ended.

    The command gets SIGINT, SIGTERM or SIGHUP as they come; a second one, or no end within 20 s, kills it.

    Args:
        command: Program and arguments.
        with_parent: Whether to end, as on SIGTERM, when the process that started this one ends.

    Returns:
        The command's exit code; 128 + N if signal N ended it, as in a shell.
    """
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    if with_parent:
        parent = os.getppid()
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if parent == 1 or os.getppid() != parent:
            return 128 + signal.SIGTERM
    received: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, remember)
    # A group of its own: a terminal's Ctrl-C reaches this process only, which passes it on once.
    child = subprocess.Popen(command, process_group=0, preexec_fn=_die_with_supervisor)  # noqa: PLW1509 - no threads here
    try:
        _wait(child, received)
    finally:
        end_descendants()
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _wait(child: subprocess.Popen[bytes], received: list[int]) -> None:
    """Wait for the child; pass the first signal on, kill it at the second or when its time is over."""
    deadline = None
    while child.poll() is None:
        if received and deadline is None:
            os.killpg(child.pid, received[0])  # as a terminal does; the group is the child's own
            deadline = time.monotonic() + GRACE_SECONDS
        if deadline is not None and (len(received) > 1 or time.monotonic() > deadline):
            child.kill()
        _reap_orphans(child.pid)
        time.sleep(0.1)


def _reap_orphans(keep: int) -> None:
    """Collect the exit codes of inherited orphans, as nobody else will; leave `keep` to its Popen."""
    for pid in children_of(os.getpid()):
        if pid != keep:
            _reap(pid)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def end_descendants() -> None:
    """End every process below this one: SIGTERM, two seconds, then SIGKILL until none is left."""
    gentle_until = time.monotonic() + 2.0
    told: set[int] = set()
    while below := descendants_of(os.getpid()):
        for pid in below:
            if time.monotonic() > gentle_until:
                _signal(pid, signal.SIGKILL)
            elif pid not in told:
                _signal(pid, signal.SIGTERM)
                told.add(pid)
        _reap_orphans(keep=0)
        time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    """Return the process ids of a process's direct children (`/proc/PID/task/*/children`, Linux)."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(word) for word in (task / "children").read_text().split()]
    return found


def descendants_of(pid: int) -> list[int]:
    """Return the process ids below a process, parents before children."""
    found = children_of(pid)
    for child in found:
        found += children_of(child)
    return found


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}): {os.strerror(code)}")


def _die_with_supervisor() -> None:
    """Run in the child before its program: if the supervisor is killed outright, so is the child."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main(argv: list[str]) -> int:
    """Parse the command line by hand (everything after `--` belongs to the command) and supervise it."""
    with_parent = argv[:1] == ["--with-parent"]
    rest = argv[1:] if with_parent else argv
    if rest[:1] != ["--"] or not rest[1:]:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        return supervise(rest[1:], with_parent=with_parent)
    except FileNotFoundError as error:
        print(f"ERROR: {error.filename}: no such program. Run: make setup", file=sys.stderr)
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
