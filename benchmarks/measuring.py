"""Measure the cost of a whole process, and describe a measured figure.

A benchmark runs as a module (`python -m benchmarks.bench_x`), so that it can import this module from the command line,
from `benchmarks.run` and in its child processes.
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
OWN_GOAL = "the project's own goal"
"""What a figure is compared with where no public tool does the same."""


@dataclass(frozen=True)
class Cost:
    """Cost of a whole process: wall and processor time in seconds, peak resident memory in MiB."""

    seconds: float
    processor_seconds: float
    peak_mib: float


def part_of(file: str, *arguments: object) -> list[str]:
    """Return the command that runs the `__main__` part of a benchmark (its `__file__`) as a process of its own."""
    return [sys.executable, "-m", f"benchmarks.{Path(file).stem}", *map(str, arguments)]


def run_process(command: list[str]) -> Cost:
    """Run a command to its end, and return its cost. Paths in the command must be absolute; its output is discarded.

    A small process starts the command, because on Linux the peak memory of a child begins with what its parent held.

    Raises:
        RuntimeError: The exit code is not 0.
    """
    between = subprocess.run(
        [sys.executable, "-m", "benchmarks.measuring", *command], stdout=subprocess.PIPE, cwd=ROOT, check=True
    )
    code, *cost = json.loads(between.stdout)
    if code:
        raise RuntimeError(f"{' '.join(command[1:4])} ended with exit code {code}")
    return Cost(*cost)


def _measure(command: list[str]) -> tuple[int, float, float, float]:
    """Run a command; return its exit code and the values of `Cost`."""
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
    """Return the processor time of a running process so far, in seconds; it depends little on what else runs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status_mib(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def figure(name: str, value: float, unit: str, goal: str = "", compared_with: str = "") -> Record:
    """Return one measured figure.

    Args:
        name: What was measured, with its size; unique among all figures.
        value: Value in `unit`; it is rounded to four significant digits.
        unit: s, MiB, x (times), ...
        goal: `<= 500` or `>= 8`, in `unit`; empty for a figure without a goal.
        compared_with: Public alternative measured in the same run, or origin of the goal.
    """
    return {
        "name": name, "value": float(f"{value:.4g}"), "unit": unit, "goal": goal, "compared_with": compared_with,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1:])))
