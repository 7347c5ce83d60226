"""Two and eight copies of each writing tool at once end as one after another would: nothing lost, nothing doubled."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.omero.concurrency.copies import run_at_once, run_one
from tests.omero.concurrency.writers import WRITERS, everything
from tests.omero.tool_support import make_lab

EIGHT = "OMERO_TEST_EVERY_SIGNAL" in os.environ
"""Whether eight copies of every tool run at once too, which takes minutes."""


@pytest.mark.slow
@pytest.mark.parametrize("same", [True, False], ids=["same input", "one element a job"])
@pytest.mark.parametrize("copies", [2, 8] if EIGHT else [2])
@pytest.mark.parametrize("tool", WRITERS)
def test_copies_end_as_one(omero_server: Any, tmp_path: Path, monkeypatch, tool, copies, same):
    writer, numbers = WRITERS[tool], [0] * copies if same else list(range(copies))
    with make_lab(omero_server, monkeypatch) as one:
        found = writer.prepare(one, tmp_path)
        for number in dict.fromkeys(numbers):
            run_one(one, tmp_path, writer.job(tmp_path, found, number))
        expected = everything(one)
    with make_lab(omero_server, monkeypatch) as many:
        found = writer.prepare(many, tmp_path)
        done = run_at_once(many, tmp_path, [writer.job(tmp_path, found, number) for number in numbers])
        assert [(one.code, one.error) for one in done] == [(0, "")] * copies
        assert everything(many) == expected
        assert run_one(many, tmp_path, writer.job(tmp_path, found, 0)).code == 0
        assert everything(many) == expected
