"""Processes that work on tasks end with the process that started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bioimage_suite.core.apart import run_apart
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.workers import in_processes, results_in_order

WAITS = """
import os, time
from bioimage_suite.core.workers import in_processes

def work(words):
    print(os.getpid(), file=open(words[0], "w"), flush=True)
    time.sleep(2)

list(in_processes(work, {number: [f"{number}"] for number in range(3)}, 2))
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_no_process_outlives_a_job_that_is_cancelled(tmp_path: Path):
    job = subprocess.Popen([sys.executable, "-c", WAITS], cwd=tmp_path)
    end = time.monotonic() + 30
    while time.monotonic() < end and not all((tmp_path / name).exists() for name in "01"):
        time.sleep(0.05)
    time.sleep(0.2)
    job.terminate()
    job.wait()
    workers = [int((tmp_path / name).read_text()) for name in "01"]
    while time.monotonic() < end and any(map(is_alive, workers)):
        time.sleep(0.05)
    assert not any(map(is_alive, workers))
    assert not (tmp_path / "2").exists()


def test_a_process_that_dies_while_it_waits_is_seen():
    outcomes = []
    for number, outcome in in_processes(lambda _: print(os.getpid()), {number: [] for number in range(3)}, 1):
        outcomes.append((number, outcome.killed))
        if number == 0:
            os.kill(int(outcome.said), signal.SIGKILL)
            time.sleep(0.2)
    assert outcomes == [(0, False), (1, True), (2, False)]


def test_processes_are_used_again():
    tasks = {number: [] for number in range(6)}
    pids = {outcome.said for _, outcome in in_processes(lambda _: print(os.getpid()), tasks, 2)}
    assert len(pids) <= 2


def square(number: int) -> tuple[int, int]:
    time.sleep(0.3 if number == 0 else 0)  # The first is the last to be done.
    return number * number, os.getpid()


@pytest.mark.parametrize("cores", ["1", "2"])
def test_results_come_in_the_order_of_the_tasks(monkeypatch: pytest.MonkeyPatch, cores: str):
    monkeypatch.setenv("GALAXY_SLOTS", cores)
    found = list(results_in_order(square, range(5), "abcde"))
    assert [result for result, _ in found] == [0, 1, 4, 9, 16]
    assert ({os.getpid()} == {pid for _, pid in found}) == (cores == "1")


def fail(number: int) -> int:
    if number == 2:
        raise UserError("Image c: is broken. Give another.")
    if number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize(
    ("tasks", "message"), [(range(4), "Image c: is broken"), ([0, 4], "^b: .*Give the job more memory")]
)
def test_a_task_that_fails_ends_all(monkeypatch: pytest.MonkeyPatch, tasks: list[int], message: str):
    monkeypatch.setenv("GALAXY_SLOTS", "2")
    with pytest.raises(UserError, match=message):
        list(results_in_order(fail, tasks, "abcd"))


def test_a_task_may_have_a_part_done_apart(monkeypatch):
    monkeypatch.setenv("GALAXY_SLOTS", "2")
    assert list(results_in_order(_in_a_child, [3, 4, 5], ["a", "b", "c"])) == [6, 8, 10]


def _in_a_child(number: int) -> int:
    return run_apart(lambda: 2 * number)
