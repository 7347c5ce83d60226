"""Measure what is lost and doubled: `python -m tests.omero.concurrency.measure [at-once|signals|SIGNAL] [tool ...]`.

SIGNAL is one of `HOW`, such as "SIGTERM 1"; `signals` is all of them. Prints one line a run: what is there more (+) or
less (-) than after the same jobs one after another.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.omero.launch import running_server
from tests.omero.concurrency.copies import DEAD_SECONDS, run_at_once, run_one, stop_in_write
from tests.omero.concurrency.writers import WRITERS, everything
from tests.omero.tool_support import make_lab

HOW = ("SIGTERM", "SIGTERM 1", "SIGKILL")
OLD_SECONDS = 4 * DEAD_SECONDS + 1  # After which a dead job's leases go, whoever comes; see `leases.OLD_SECONDS`.


def difference(found: dict[str, int], expected: dict[str, int]) -> str:
    names = sorted({*found, *expected})
    more = {name: found.get(name, 0) - expected.get(name, 0) for name in names}
    return ", ".join(f"{name} {number:+d}" for name, number in more.items() if number) or "as one after another"


def at_once(server: Any, patch: pytest.MonkeyPatch, name: str, copies: int, same: bool) -> None:
    writer = WRITERS[name]
    numbers = [0] * copies if same else list(range(copies))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with make_lab(server, patch) as one:
            found = writer.prepare(one, folder)
            for number in dict.fromkeys(numbers):
                done = run_one(one, folder, writer.job(folder, found, number))
                assert done.code == 0, done.error
            expected = everything(one)
        with make_lab(server, patch) as many:
            found = writer.prepare(many, folder)
            done_all = run_at_once(many, folder, [writer.job(folder, found, number) for number in numbers])
            after = everything(many)
            again = run_one(many, folder, writer.job(folder, found, 0))
            later = everything(many)
    green = sum(done.code == 0 for done in done_all)
    traces = sum("Traceback" in done.error for done in done_all)
    what = "same input" if same else "one element a job"
    print(f"{name:9} {copies} copies, {what}: {green} green, {traces} tracebacks; {difference(after, expected)}; "
          f"rerun {'green' if again.code == 0 else 'red'}: {difference(later, expected)}", flush=True)  # fmt: skip
    for done in done_all:
        if done.code:
            print("      ", done.error.strip().splitlines()[-1][:230], flush=True)


def signals(server: Any, patch: pytest.MonkeyPatch, name: str, how: str) -> None:
    """A signal in each call that writes, one run a call."""
    writer = WRITERS[name]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with make_lab(server, patch) as clean:
            found = writer.prepare(clean, folder)
            before = everything(clean)
            assert run_one(clean, folder, writer.job(folder, found, 0)).code == 0
            expected = everything(clean)
        runs = left = late = wrong = traces = green = 0
        slowest = 0.0
        for number in range(1, 100):
            with make_lab(server, patch) as lab:
                found = writer.prepare(lab, folder)
                stopped, came = stop_in_write(lab, folder, writer.job(folder, found, 0), number, how)
                if not came:
                    break
                runs += 1
                traces += "Traceback" in stopped.error
                green += stopped.code == 0
                after = everything(lab)
                left += after not in (before, expected)
                began = time.monotonic()
                again = run_one(lab, folder, writer.job(folder, found, 0))
                slowest = max(slowest, time.monotonic() - began)
                later = everything(lab)
                if again.code == 0 and later != expected:
                    # Leases that it did not ask for itself go with the first job after this time.
                    time.sleep(OLD_SECONDS)
                    again = run_one(lab, folder, writer.job(folder, found, 0))
                    late += 1
                    later = everything(lab)
                if again.code or later != expected or (stopped.code and after not in (before, expected)):
                    wrong += bool(again.code or later != expected)
                    print(f"       call {number}: exit {stopped.code}, {difference(after, before)} | {again.code}: "
                          f"{difference(later, expected)} {again.error.strip()[-200:]}", flush=True)  # fmt: skip
    print(f"{name:9} {how}: {runs} calls that write, {left} left something, {green} finished, {wrong} not mended "
          f"by a rerun (slowest {slowest:.0f} s; {late} by one {OLD_SECONDS} s later), {traces} tracebacks",
          flush=True)  # fmt: skip


def main() -> None:
    what, *names = sys.argv[1:] or ["at-once"]
    with tempfile.TemporaryDirectory() as place, running_server(place) as server, pytest.MonkeyPatch.context() as patch:
        for name in names or WRITERS:
            if what != "at-once":
                for how in HOW if what == "signals" else (what,):
                    signals(server, patch, name, how)
                continue
            for copies in (2, 8):
                for same in (True, False):
                    at_once(server, patch, name, copies, same)


if __name__ == "__main__":
    main()
