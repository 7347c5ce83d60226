"""Different tools at once on the same images, and one that is taken back beside another: no work of either is lost."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.omero.concurrency.copies import SlowProxy, begin, ended, go, run_at_once, run_one, wait_ready
from tests.omero.concurrency.writers import WRITERS, everything, images
from tests.omero.tool_support import make_lab

TIMES = int(os.environ.get("OMERO_TEST_COPIES", "0"))
"""How often every pair of tools meets; without it a few meet once."""
ON_IMAGES = ("annotate", "rois", "labels", "table", "plate", "tables")
"""Writers that work on the same images and whose results do not depend on who comes first."""
PAIRS = [(one, other) for number, one in enumerate(ON_IMAGES) for other in ON_IMAGES[number + 1 :]]
ALL = [(*ON_IMAGES[:4], *ON_IMAGES[:4])]
STOPPED_AT = 3  # The call that writes in which a job is stopped: its leases are the first two.


def jobs_of(folder: Path, found: Any, names: tuple[str, ...]) -> list[Any]:
    """A job of each writer on the first image, or on the next one where the writer has had that."""
    return [WRITERS[name].job(folder, found, names[:place].count(name)) for place, name in enumerate(names)]


@pytest.mark.slow
@pytest.mark.parametrize("names", [*PAIRS, *ALL] if TIMES else ALL, ids="-".join)
def test_different_tools_at_once_end_as_one_after_another(omero_server: Any, tmp_path: Path, monkeypatch, names):
    with make_lab(omero_server, monkeypatch) as one:
        for job in jobs_of(tmp_path, images(one, tmp_path), names):
            assert run_one(one, tmp_path, job).code == 0
        expected = everything(one)
    for time in range(TIMES or 1):
        with make_lab(omero_server, monkeypatch) as many:
            jobs = jobs_of(tmp_path, images(many, tmp_path), names)
            done = run_at_once(many, tmp_path, jobs)
            assert [(one.code, one.error) for one in done] == [(0, "")] * len(names), time
            assert everything(many) == expected, time
            for job in dict(zip(names, jobs, strict=True)).values():
                assert run_one(many, tmp_path, job).code == 0, time
            assert everything(many) == expected, time


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stopped", "other"),
    [*PAIRS, *((b, a) for a, b in PAIRS), *((a, a) for a in ON_IMAGES)] if TIMES else [("annotate", "rois")],
)
def test_a_job_that_is_taken_back_takes_nothing_of_another_with_it(
    omero_server: Any, tmp_path: Path, monkeypatch, stopped, other
):
    with ExitStack() as stack:
        lab = stack.enter_context(make_lab(omero_server, monkeypatch))
        clean = stack.enter_context(make_lab(omero_server, monkeypatch))
        lasting, both = jobs_of(tmp_path, images(clean, tmp_path), (other, stopped))
        assert run_one(clean, tmp_path, lasting).code == 0
        alone = everything(clean)
        assert run_one(clean, tmp_path, both).code == 0
        together = everything(clean)
        lab.sign_in()
        lasting, cancelled = jobs_of(tmp_path, images(lab, tmp_path), (other, stopped))
        way = SlowProxy(lab.host, lab.port, 0.1)
        stack.callback(way.cut)
        two = [
            begin(lab, tmp_path, cancelled, {"SIGNAL_IN_WRITE": f"{STOPPED_AT} SIGTERM"}, omero_host=way.address),
            begin(lab, tmp_path, lasting),
        ]
        for one in two:
            wait_ready(one)
        for one in two:
            go(one)
        left, kept = [ended(one) for one in two]
        assert (left.code, kept.code) == (143, 0), (left.error, kept.error)
        assert everything(lab) == alone
        assert run_one(lab, tmp_path, cancelled).code == 0
        assert everything(lab) == together
