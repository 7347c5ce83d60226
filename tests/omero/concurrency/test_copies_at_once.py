"""Two and eight copies of each writing tool at once end as one after another would: nothing lost, nothing doubled."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.omero.concurrency.copies import run_at_once, run_one
from tests.omero.concurrency.writers import WRITERS, Writer, everything
from tests.omero.tool_support import make_lab

TIMES = int(os.environ.get("OMERO_TEST_COPIES", "0"))
"""How often two and eight copies of every tool meet. With 20 that takes hours, so usually two copies meet once."""


@pytest.mark.slow
@pytest.mark.parametrize("same", [True, False], ids=["same input", "one element a job"])
@pytest.mark.parametrize("copies", [2, 8] if TIMES else [2])
@pytest.mark.parametrize("tool", WRITERS)
def test_copies_end_as_one(omero_server: Any, tmp_path: Path, monkeypatch, tool, copies, same):
    writer, numbers = WRITERS[tool], [0] * copies if same else list(range(copies))
    with make_lab(omero_server, monkeypatch) as one:
        found = writer.prepare(one, tmp_path)
        for number in dict.fromkeys(numbers):
            run_one(one, tmp_path, writer.job(tmp_path, found, number))
        expected = everything(one)
    for time in range(TIMES or 1):
        meet(omero_server, monkeypatch, tmp_path, writer=writer, numbers=numbers, expected=expected, time=time)


def meet(server: Any, patch: Any, folder: Path, *, writer: Writer, numbers: Sequence[int], expected: Any, time: int):
    """Run a job for each number at once, and one of them again: OMERO must hold what it is expected to hold."""
    with make_lab(server, patch) as many:
        found = writer.prepare(many, folder)
        done = run_at_once(many, folder, [writer.job(folder, found, number) for number in numbers])
        assert [(one.code, one.error) for one in done] == [(0, "")] * len(numbers), f"meeting {time}"
        assert everything(many) == expected, f"meeting {time}"
        assert run_one(many, folder, writer.job(folder, found, 0)).code == 0, f"meeting {time}"
        assert everything(many) == expected, f"meeting {time}"
