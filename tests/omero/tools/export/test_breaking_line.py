"""A line that breaks again and again: an export goes on as long as something comes."""

import numpy as np
import omero_export_images
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero import reconnect
from bioimage_suite.omero.images import fileset_files, pixels
from bioimage_suite.omero.session import open_session
from tests.omero.tool_support import CuttingProxy, Lab, break_lines, typed


class BreakingProxy(CuttingProxy):
    """Cuts every connection after so many bytes from the server; new ones come through."""

    def __init__(self, host: str, port: int, size: int) -> None:
        self.size, self.passed, self.cuts, self.most = size, 0, 0, 0
        super().__init__(host, port)

    def passing(self, data: bytes, from_client: bool) -> None:
        if from_client:
            return
        self.passed += len(data)
        if self.passed > self.size:
            self.passed, self.cuts = 0, self.cuts + 1
            broken, self._sockets = self._sockets, []
            self.most = max(self.most, len(broken) // 2)  # Each connection has two.
            break_lines(broken)


def export(lab: Lab, folder, address: str, image: int):
    config = {"target": typed("image", image, "id"), "format": {"kind": "ome_tiff"}}
    outputs = {"folder": "images", "metadata": "metadata.tsv"}
    return lab.run(omero_export_images, folder, outputs, omero_host=address, **config)


@pytest.mark.slow
@pytest.mark.parametrize("size", [400_000, 100_000])
def test_an_export_goes_on_over_a_line_that_breaks_often(lab: Lab, tmp_path, monkeypatch, size):
    monkeypatch.setattr(reconnect, "RENEWALS", 12)
    noise = np.random.default_rng(0).integers(0, 65535, (5, 700, 600), np.uint16)
    image = lab.image("noise", {(z, 0, 0): plane for z, plane in enumerate(noise)})
    way = BreakingProxy(lab.host, lab.port, size)
    try:
        folder = export(lab, tmp_path, way.address, image)["folder"]
    finally:
        way.cut()
    [path] = folder.iterdir()
    assert np.array_equal(tifffile.imread(path), noise)
    assert way.cuts > 12
    # The session's own, the new one, and those that their watchdogs try the server with: none of earlier attempts.
    assert way.most <= 8


def test_a_store_that_lost_its_pixels_with_its_connection_is_opened_again(lab: Lab, tmp_path, monkeypatch):
    """Ice repeats a call by itself on a new connection, where the server may just be emptying the store."""
    monkeypatch.setattr(pixels, "THREADS", 1)
    emptied, original = [], pixels._Stores._fetch

    def fetch(stores, tile, connection):
        if not emptied and hasattr(stores._mine, "store"):
            emptied.append(stores._mine.store)
            stores._mine.store = stores._connection.session.client.getSession().createRawPixelsStore()
        return original(stores, tile, connection)

    monkeypatch.setattr(pixels._Stores, "_fetch", fetch)
    noise = np.random.default_rng(0).integers(0, 65535, (3, 70, 60), np.uint16)
    image = lab.image("noise", {(z, 0, 0): plane for z, plane in enumerate(noise)})
    [path] = export(lab, tmp_path, lab.address, image)["folder"].iterdir()
    assert np.array_equal(tifffile.imread(path), noise)
    assert emptied


def test_a_store_that_lost_its_file_with_its_connection_is_opened_again(lab: Lab, tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(np.random.default_rng(0).bytes(300_000))
    number = lab.client.upload(str(path)).id.val
    emptied, original = [], fileset_files._read

    def read(store, file, position, most):
        if position and not emptied:
            emptied.append(store)
            store = lab.session.createRawFileStore()
        return original(store, file, position, most)

    monkeypatch.setattr(fileset_files, "_read", read)
    with open_session(lab.address) as session:
        connection = reconnect.Connection(session)
        connection.block = 100_000
        file = fileset_files.OriginalFile(number, "a.bin", 300_000, None, None)
        assert b"".join(fileset_files._blocks(connection, file)) == path.read_bytes()
        connection.close()
    assert emptied


@pytest.mark.slow
def test_an_export_over_a_line_that_lets_nothing_through_gives_up(lab: Lab, tmp_path, monkeypatch):
    monkeypatch.setattr(reconnect, "RENEWALS", 3)
    image = lab.image("noise", np.random.default_rng(0).integers(0, 65535, (700, 600), np.uint16))
    way = BreakingProxy(lab.host, lab.port, 45_000)
    try:
        with pytest.raises(UserError, match=r"broke|ended"):
            export(lab, tmp_path, way.address, image)
    finally:
        way.cut()
    assert not list(tmp_path.glob("images/*"))
