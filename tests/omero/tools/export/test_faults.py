"""omero_export_images: connections that break, sessions that end, full disks, cancelled jobs."""

import errno
import os
import signal
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import omero
import omero_export_images
import pytest
import zarr
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero import reconnect as omero_reconnect
from bioimage_suite.omero.images import export as image_export
from bioimage_suite.omero.images import pixels as omero_pixels
from bioimage_suite.omero.session import Session
from sandbox.omero.launch import running_server
from tests.omero.tool_support import CuttingProxy, Lab, fail_at, make_lab, read_rows
from tests.omero.tools.export.pictures import by_id, five_d, noise, read, unpacked


@pytest.mark.parametrize("kind", ["ome_tiff", "ome_zarr"])
def test_a_connection_that_breaks_is_made_again_and_every_pixel_arrives(
    export, three, monkeypatch, tmp_path: Path, proxy: CuttingProxy, kind
):
    monkeypatch.setattr(image_export, "TILE", 32)
    for call in (1, 30, 60):
        fail_at(monkeypatch, omero_pixels._Stores, "_fetch", call, proxy.interrupt)
    files, rows = export(three, kind, omero_host=proxy.address)
    assert len(files) == 3
    assert {row["checked"] for row in rows} == {"equals OMERO's checksum"}
    for path in files:
        if kind == "ome_tiff":
            np.testing.assert_array_equal(read(path), noise((1, 2, 2, 70, 90)))
        else:
            found = unpacked(path, tmp_path)
            np.testing.assert_array_equal(zarr.open_array(found / "0" / "0", mode="r")[:], noise((1, 2, 2, 70, 90)))


def test_a_session_that_the_server_ended_is_replaced_by_a_new_login(lab: Lab, export, three, monkeypatch):
    def end() -> None:
        key = seen[0].client.getSessionId()
        killer = omero.client(lab.host, lab.port)
        try:
            killer.createSession(lab.user, lab.password)
            session = omero.model.SessionI()
            session.uuid = rstring(key)
            killer.getSession().getSessionService().closeSession(session)
            killer.getSession().getSessionService().closeSession(session)
        finally:
            killer.closeSession()

    seen: list[Session] = []
    original = image_export.fetch_tiles
    monkeypatch.setattr(image_export, "fetch_tiles", lambda *args: seen.append(args[0]) or original(*args))
    fail_at(monkeypatch, omero_pixels._Stores, "_fetch", 5, end)
    files, _ = export(three)
    assert len(files) == 3


def test_a_server_that_restarts_meanwhile_delivers_the_rest(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(omero_reconnect, "WAITS", (0.2,) * 300)
    monkeypatch.setattr(image_export, "TILE", 32)
    with ExitStack() as stack:
        server = stack.enter_context(running_server(tmp_path / "server"))

        def restart() -> None:
            stack.close()
            stack.enter_context(running_server(tmp_path / "server", port=server.port))

        with make_lab(server, monkeypatch) as lab:
            image = five_d(lab, noise((1, 2, 2, 70, 90)))
            fail_at(monkeypatch, omero_pixels._Stores, "_fetch", 9, restart)
            paths = lab.run(
                omero_export_images, tmp_path, {"folder": "images", "metadata": "meta.tsv"}, target=by_id(image)
            )
    [path] = paths["folder"].iterdir()
    np.testing.assert_array_equal(read(path), noise((1, 2, 2, 70, 90)))


@pytest.mark.parametrize("kind", ["ome_tiff", "ome_zarr"])
def test_a_cancelled_job_leaves_no_file(export, three, monkeypatch, tmp_path: Path, kind):
    fail_at(monkeypatch, image_export, "check_pixels", 2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit, match="143"):
        export(three, kind)
    assert not list((tmp_path / "images").glob("*"))
    assert [row["status"] for row in read_rows(tmp_path / "meta.tsv")] == ["taken back", "failed: stopped", "not done"]


STAGES = [
    (Session, "rows", 1),
    (Session, "rows", 2),
    (Session, "objects", 1),
    (omero_pixels._Stores, "_fetch", 1),
    (omero_pixels._Stores, "_fetch", 20),
    (image_export, "write_ome_tiff", 3),
    (image_export, "check_pixels", 2),
]


@pytest.mark.parametrize(("owner", "name", "number"), STAGES)
def test_a_connection_cut_for_good_at_any_stage_leaves_nothing_and_a_rerun_completes(
    lab: Lab, export, three, monkeypatch, tmp_path: Path, proxy: CuttingProxy, owner, name, number
):
    monkeypatch.setattr(image_export, "TILE", 32)
    monkeypatch.setattr(omero_pixels, "WINDOW", 2)
    fail_at(monkeypatch, owner, name, number, proxy.cut)
    with pytest.raises(UserError, match="the connection broke while the tool was at work"):
        export(three, omero_host=proxy.address)
    if (tmp_path / "meta.tsv").exists():  # It could say which images there are.
        statuses = [row["status"].partition(":")[0] for row in read_rows(tmp_path / "meta.tsv")]
        assert set(statuses) <= {"failed", "taken back", "not done"}
        assert len(statuses) == 3
    assert not list((tmp_path / "images").glob("*"))
    monkeypatch.undo()
    lab.sign_in()
    assert len(export(three)[0]) == 3


@pytest.mark.parametrize("kind", ["ome_tiff", "ome_zarr"])
def test_a_full_disk_is_named_and_leaves_nothing(export, three, monkeypatch, tmp_path: Path, kind):
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    fail_at(monkeypatch, image_export, {"ome_tiff": "write_ome_tiff", "ome_zarr": "write_zarr"}[kind], 2, full)
    with pytest.raises(UserError, match="disk: full while writing Image_"):
        export(three, kind)
    assert not list((tmp_path / "images").glob("*"))


def test_a_server_that_stays_away_ends_the_waiting(export, three, monkeypatch, proxy: CuttingProxy):
    waited = []
    monkeypatch.setattr(omero_reconnect, "WAITS", (0.01,) * 4)
    monkeypatch.setattr(omero_reconnect, "rejoin", lambda *_: waited.append(1) or 1 / 0)
    fail_at(monkeypatch, omero_pixels._Stores, "_fetch", 2, proxy.cut)
    with pytest.raises(UserError, match="the connection broke while the tool was at work"):
        export(three, omero_host=proxy.address)
    assert len(waited) >= 4


def test_one_login_few_stores_and_requests_far_below_ices_limit(export, three, monkeypatch):
    """Connecting twice, exhausting the server and planes above 256 MB were defects of other tools."""
    from bioimage_suite.omero import session as omero_session

    logins, stores, tiles = [], [], []
    connect, fetch, open_store = omero_session._connect, omero_pixels._Stores._fetch, omero_pixels._Stores._store
    monkeypatch.setattr(omero_session, "_connect", lambda *args: logins.append(1) or connect(*args))
    monkeypatch.setattr(
        omero_pixels._Stores, "_fetch", lambda self, tile, number: tiles.append(tile) or fetch(self, tile, number)
    )

    def opened(self, *args):
        found = open_store(self, *args)
        stores.append(found)
        return found

    monkeypatch.setattr(omero_pixels._Stores, "_store", opened)
    monkeypatch.setattr(image_export, "TILE", 32)
    export(three)
    assert len(logins) == 1
    assert len({id(store) for store in stores}) <= omero_pixels.THREADS
    assert max(tile.width * tile.height for tile in tiles) <= 32 * 32
    assert omero_pixels.TILE**2 * 16 < 256 << 20
