"""A server that answers nothing any more, or is gone: the tool ends in time with one line, also if it is cancelled."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.omero.launch import running_server
from tests.omero.concurrency.copies import Ended, Job, begin, ended, go, run_one, wait_ready
from tests.omero.concurrency.writers import WRITERS, everything
from tests.omero.tool_support import CuttingProxy, Lab, make_lab, typed

EVERY = "OMERO_TEST_EVERY_SIGNAL" in os.environ
"""Whether every tool meets a silent server at many moments, which takes minutes."""
SILENCE = 6  # Seconds without an answer after which the tools here give up.
MOMENTS = (2, 14, 18, 22, 30, 45, 60) if EVERY else (26,)
"""Pieces of what a tool says until the silence: in the login, in queries, in calls that write."""


class SilentProxy(CuttingProxy):
    """Passes on so many pieces of what the client says; then nothing comes through any more, on any connection.

    With `refuse` it then takes no connections either, as a machine that has been switched off.
    """

    def __init__(self, host: str, port: int, pieces: int, refuse: bool = False) -> None:
        self.left, self.refuse = pieces, refuse
        self.silent, self._open = threading.Event(), threading.Event()
        super().__init__(host, port)

    def passing(self, data: bytes, from_client: bool) -> None:
        super().passing(data, from_client)
        self.left -= from_client
        if self.left <= 0:
            if self.refuse:
                self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
            self.silent.set()
            self._open.wait()

    def cut(self) -> None:
        super().cut()
        self._open.set()


@pytest.fixture
def lab(omero_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    with make_lab(omero_server, monkeypatch) as found:
        yield found


def export_job(lab: Lab, folder: Path) -> Job:
    planes = {(z, 0, 0): np.random.default_rng(z).integers(0, 999, (500, 500)).astype(np.uint16) for z in range(40)}
    target = typed("image", lab.image("large", planes), "id")
    config = {"target": target, "format": {"kind": "ome_tiff"}, "mismatch": "refuse"}
    return Job("omero_export_images", config, {"folder": "images", "metadata": "metadata.tsv"})


def job_of(lab: Lab, folder: Path, tool: str) -> Job:
    if tool == "export":
        return export_job(lab, folder)
    return WRITERS[tool].job(folder, WRITERS[tool].prepare(lab, folder), 0)


def meet_silence(lab: Lab, folder: Path, job: Job, pieces: int, stop: bool) -> tuple[Ended, float, bool]:
    """Run a job whose server falls silent; returns how it ended, seconds since the silence, and whether it came."""
    way = SilentProxy(lab.host, lab.port, pieces)
    try:
        copy = begin(lab, folder, job, omero_host=way.address, omero_silence=SILENCE)
        wait_ready(copy)
        go(copy)
        while copy.is_running() and not way.silent.wait(0.1):
            pass
        began = time.monotonic()
        if stop and way.silent.is_set():
            time.sleep(1)
            began = time.monotonic()
            copy.send(signal.SIGTERM)
        done = ended(copy)
        return done, time.monotonic() - began, way.silent.is_set()
    finally:
        way.cut()


@pytest.mark.slow
@pytest.mark.parametrize("pieces", MOMENTS)
@pytest.mark.parametrize("tool", ["export", *WRITERS] if EVERY else ["export", "rois"])
@pytest.mark.parametrize("stop", [False, True], ids=["waiting", "cancelled"])
def test_a_silent_server_ends_a_job_in_time_and_a_rerun_mends_it(
    omero_server: Any, lab: Lab, tmp_path: Path, monkeypatch, tool: str, pieces: int, stop: bool
):
    with make_lab(omero_server, monkeypatch) as clean:
        assert run_one(clean, tmp_path, job_of(clean, tmp_path, tool)).code == 0
        expected = everything(clean)
    job = job_of(lab, tmp_path, tool)
    done, seconds, came = meet_silence(lab, tmp_path, job, pieces, stop)
    assert run_one(lab, tmp_path, job).code == 0
    assert everything(lab) == expected
    if not came:
        assert done.code == 0, done.error
        return
    assert "Traceback" not in done.error
    if stop:
        assert (done.code, done.error) == (143, "")
        assert seconds < 12
    else:
        assert done.code == 1
        [line] = done.error.splitlines()
        assert line.startswith("ERROR: OMERO server")
        assert seconds < SILENCE + 25


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["export", *WRITERS] if EVERY else ["export", "rois"])
@pytest.mark.parametrize("how", ["killed", "switched off"])
def test_a_server_that_is_gone_ends_a_job_in_fifteen_seconds(tmp_path: Path, monkeypatch, tool: str, how: str):
    with running_server(tmp_path / "server") as server, make_lab(server, monkeypatch) as lab:
        job = job_of(lab, tmp_path, tool)
        way = SilentProxy(lab.host, lab.port, 22, refuse=how == "switched off")
        try:
            copy = begin(lab, tmp_path, job, omero_host=way.address)
            wait_ready(copy)
            go(copy)
            assert way.silent.wait(60)
            began = time.monotonic()
            if how == "killed":
                os.kill(server.pid, signal.SIGKILL)
                way.cut()
            done = ended(copy)
        finally:
            way.cut()
    assert time.monotonic() - began < 18
    assert done.code == 1
    [line] = done.error.splitlines()
    assert line.startswith("ERROR: OMERO server")
