"""What more than one benchmark uses: measure a process from its start to its end, and write down a figure.

A benchmark runs as a module (`python -m benchmarks.bench_x`), so that this one is found from the command line, from
`benchmarks.run` and from its own child processes alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Record = dict[str, Any]


@dataclass(frozen=True)
class Cost:
    """What a whole process took: wall and processor time in seconds, peak resident memory in MiB."""

    seconds: float
    processor_seconds: float
    peak_mib: float


def part_of(file: str, *arguments: object) -> list[str]:
    """Return the command that runs the `__main__` part of a benchmark (its `__file__`) as a process of its own."""
    return [sys.executable, "-m", f"benchmarks.{Path(file).stem}", *map(str, arguments)]


def run_process(command: list[str]) -> Cost:
    """Run a command to its end, its standard output thrown away. Paths in it must be absolute.

    A small process stands between: Linux counts into a child's peak memory what its parent held when it started.

    Raises:
        RuntimeError: It ended with another exit code than 0.
    """
    between = subprocess.run(
        [sys.executable, "-m", "benchmarks.measuring", *command], stdout=subprocess.PIPE, cwd=ROOT, check=True
    )
    code, *cost = json.loads(between.stdout)
    if code:
        raise RuntimeError(f"{' '.join(command[1:4])} ended with exit code {code}")
    return Cost(*cost)


def _measure(command: list[str]) -> tuple[int, float, float, float]:
    """Run a command: its exit code, and what `Cost` says of it."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def resident_mib(pid: int) -> float:
    """Return the resident memory of a running process in MiB."""
    return _status_mib(pid, "VmRSS:")


def peak_mib(pid: int) -> float:
    """Return the largest resident memory that a running process ever had, in MiB."""
    return _status_mib(pid, "VmHWM:")


def processor_seconds(pid: int) -> float:
    """Return the processor time that a running process has taken so far, which depends little on what else runs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status_mib(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def figure(name: str, value: float, unit: str, goal: str = "", compared_with: str = "") -> Record:
    """Return one measured figure.

    Args:
        name: What was measured, with the size of it; no two figures have the same name.
        value: In `unit`, rounded here to four significant digits.
        unit: s, MiB, x (times), ...
        goal: `<= 500` or `>= 8`, in `unit`; empty for a figure that is only told.
        compared_with: The public alternative measured in the same run, or where the goal comes from.
    """
    return {
        "name": name, "value": float(f"{value:.4g}"), "unit": unit, "goal": goal, "compared_with": compared_with,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1:])))
