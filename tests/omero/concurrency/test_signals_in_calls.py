"""A job that is cancelled or killed while a call that writes is under way: nothing is left, or a rerun mends it."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.omero.concurrency.copies import run_one, stop_in_write
from tests.omero.concurrency.writers import WRITERS, everything
from tests.omero.tool_support import make_lab

MOST_CALLS = 100


EVERY = "OMERO_TEST_EVERY_SIGNAL" in os.environ
"""Whether every writing tool is stopped in each of its calls by each signal, which takes most of an hour."""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["SIGTERM", "SIGTERM 1", "SIGKILL"] if EVERY else ["SIGTERM"])
@pytest.mark.parametrize("tool", WRITERS if EVERY else ["rois"])
def test_a_signal_in_each_call_that_writes(omero_server: Any, tmp_path: Path, monkeypatch, tool, how):
    writer = WRITERS[tool]
    with make_lab(omero_server, monkeypatch) as clean:
        found = writer.prepare(clean, tmp_path)
        before = everything(clean)
        run_one(clean, tmp_path, writer.job(tmp_path, found, 0))
        expected = everything(clean)
    for number in range(1, MOST_CALLS):
        with make_lab(omero_server, monkeypatch) as lab:
            found = writer.prepare(lab, tmp_path)
            stopped, came = stop_in_write(lab, tmp_path, writer.job(tmp_path, found, 0), number, how)
            if not came:
                assert number > 1
                return
            if how == "SIGTERM":
                assert stopped.code in (0, 143), stopped.error
                assert everything(lab) == (before if stopped.code else expected), number
            assert run_one(lab, tmp_path, writer.job(tmp_path, found, 0)).code == 0
            assert everything(lab) == expected, number
