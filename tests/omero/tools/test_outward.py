"""All tools that only read: over every transport, in a chosen group, by key; and what breaks on the way.

Afterwards nothing is half-made, the object table says what became of each object, and a rerun completes.
"""

import json
import os
import resource
import subprocess
import sys
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import omero
import omero_export_images
import omero_export_labels
import omero_export_rois
import omero_export_table
import omero_find
import omero_get_annotations
import omero_import_labels
import pytest
import tifffile
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero import reconnect as omero_reconnect
from bioimage_suite.omero.session import Session
from scripts.suite_files import tool_script, tool_xml_files
from tests.galaxy.seed_omero import attach_note, attach_table, draw
from tests.omero.tool_support import CuttingProxy, Lab, fail_at, make_lab, named, read_rows, typed
from tests.omero.tools.own_server import OwnServer

TYPES = ["key_value", "tag", "comment", "rating", "attachment", "table"]
ALL = {"rows": "image", "columns": ["hierarchy", "sizes", "channels", "tags", "rois"], "keys": "*"}
READERS: dict[str, tuple[Any, str, dict[str, str], dict[str, Any]]] = {
    "find": (omero_find, "output", {"output": "out.tsv"}, {"listing": ALL}),
    "images": (omero_export_images, "metadata", {"folder": "files", "metadata": "out.tsv"}, {}),
    "zarr": (
        *(omero_export_images, "metadata", {"folder": "files", "metadata": "out.tsv"}),
        {"format": {"kind": "ome_zarr", "version": "0.5", "plates": True}},
    ),
    "originals": (
        *(omero_export_images, "metadata", {"folder": "files", "metadata": "out.tsv"}),
        {"format": {"kind": "original"}, "target": typed("dataset", "labels")},
    ),
    "annotations": (
        *(omero_get_annotations, "wide"),
        {"output": "tidy.tsv", "wide": "out.tsv", "folder": "files", "downloads": "files.tsv"},
        {"of": "images", "types": TYPES, "download": True, "one_each": True},
    ),
    "rois": (
        *(omero_export_rois, "output", {"folder": "files", "shapes": "shapes.tsv", "output": "out.tsv"}),
        {"roi_name": "", "form": {"form": "label_map", "overlap": "first"}},
    ),
    "labels": (
        *(omero_export_labels, "output", {"folder": "files", "output": "out.tsv"}),
        {"labels_name": "n", "missing": "skip"},
    ),
    "tables": (omero_export_table, "output", {"folder": "files", "output": "out.tsv"}, {"of": "images"}),
}
"""By name: the tool, which output is its object table, its outputs, its configuration."""


def fill(lab: Lab, folder: Path) -> None:
    """Two images with all that the tools read, and a label map of each."""
    dataset = lab.container("Dataset", "d")
    lab.container("Dataset", "labels")
    pixels = np.random.default_rng(1).integers(0, 60000, (40, 50)).astype(np.uint16)
    images = [lab.image(f"im {n}", {(z, 0, 0): np.roll(pixels, n + z, 0) for z in (0, 1)}, dataset) for n in (0, 1)]
    label_maps = []
    for image in images:
        words, tag = omero.model.MapAnnotationI(), omero.model.TagAnnotationI()
        words.mapValue, tag.textValue = [omero.model.NamedValue("dose", str(image))], rstring("good")
        lab.annotate(image, words)
        lab.annotate(image, tag)
        draw(lab.session, image)
        attach_table(lab.session, image)
        attach_note(lab.session, image)
        tifffile.imwrite(folder / f"{image}.tif", pixels)
        label_maps.append(named(f"Image_{image}_im", folder / f"{image}.tif"))
    place = {"by": "name", "dataset": "labels", "project": "", "create": False}
    match = {"source": "identifier"}
    lab.run(omero_import_labels, folder, {"output": "l.tsv"}, label_maps=label_maps, match=match, place=place,
            labels_name="n")  # fmt: skip


@pytest.fixture
def filled(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(omero_reconnect, "WAITS", (0.01,))  # An export asks again, and these connections stay gone.
    fill(lab, tmp_path)
    return lab


def read(lab: Lab, reader: str, folder: Path, **changed: Any) -> dict[str, str]:
    """Run a tool in a new folder; returns its tables as texts, and the names of the files it made."""
    module, _, outputs, config = READERS[reader]
    work = folder / uuid.uuid4().hex
    work.mkdir()
    lab.run(module, work, outputs, **{"target": typed("dataset", "d"), **config, **changed})
    return contents(work)


def contents(work: Path) -> dict[str, str]:
    files = sorted(path for path in work.rglob("*") if path.is_file() and path.suffix != ".json")
    # Of images the names do: their tables hold checksums, and a file names the address that it came from.
    return {str(path.relative_to(work)): path.read_text() if path.suffix == ".tsv" else "" for path in files}


def assert_nothing_half_made(folder: Path, reader: str, reasons: bool = True) -> None:
    """In the newest run there is no file but tables, and none of these says that something was done."""
    # Each run begins with the file of its form.
    work = max(folder.glob("*/*.json"), key=lambda path: path.stat().st_mtime_ns).parent
    files = {path.name for path in work.rglob("*") if path.is_file()} - {f"{path.name}" for path in work.glob("*.json")}
    _, table, outputs, _ = READERS[reader]
    assert files <= {outputs[table], "files.tsv"}, files
    for name in files if reasons else ():
        statuses = {row["status"].partition(":")[0] for row in read_rows(work / name)}
        assert statuses <= {"failed", "taken back", "not done"}, (name, statuses)


def test_these_are_all_tools_that_only_read():
    writing = {"annotate", "arrange_plates", "import_images", "import_labels", "import_rois", "import_table"}
    every = {file.stem for file in tool_xml_files() if file.parent.parent.name == "omero"}
    assert {module.__name__ for module, *_ in READERS.values()} == every - {
        f"omero_{name}" for name in (*writing, "transfer")
    }


@pytest.mark.parametrize(
    ("protocol", "by_key", "by_id"), [("tcp", False, True), ("ws", True, False), ("wss", True, True)]
)
def test_every_transport_group_and_account_gives_the_same(
    lab: Lab, omero_server, tmp_path, monkeypatch, protocol, by_key, by_id
):
    """A user whose default group is another one."""
    owner = lab.stranger()
    owner.sign_in()
    fill(owner, tmp_path)
    expected = {reader: read(owner, reader, tmp_path) for reader in READERS}
    lab.join(owner.group)
    lab.sign_in()
    [[group_id]] = owner.rows(f"select g.id from ExperimenterGroup g where g.name = '{owner.group}'")
    if by_key:
        for name in ("OMERO_USER", "OMERO_PASSWORD"):
            monkeypatch.delenv(name)
        client = omero.client(host=lab.host, port=lab.port)
        lab.clients.append(client)
        client.createSession(lab.user, lab.password)
        monkeypatch.setenv("OMERO_SESSION_KEY", client.getSessionId())
    port = omero_server.tcp_port if protocol == "tcp" else getattr(omero_server, f"{protocol}_port")
    chosen = {"omero_host": f"{protocol}://{lab.host}:{port}", "omero_group": str(group_id) if by_id else owner.group}
    for reader, found in expected.items():
        assert read(lab, reader, tmp_path, **chosen) == found, reader
        with pytest.raises(UserError, match="there is none of this name that you can read in group"):
            read(lab, reader, tmp_path, **{**chosen, "omero_group": ""})


class RationedProxy(CuttingProxy):
    """Lets so many bytes of the server through, then cuts every connection for good."""

    def __init__(self, host: str, port: int, ration: float = float("inf")) -> None:
        self.passed, self._ration = 0, ration
        super().__init__(host, port)

    def passing(self, data: bytes, from_client: bool) -> None:
        if not from_client:
            self.passed += len(data)
            if self.passed > self._ration:
                self.cut()


@pytest.mark.parametrize("reader", READERS)
def test_a_connection_cut_at_any_stage_leaves_nothing_and_a_rerun_completes(filled: Lab, tmp_path, reader):
    whole = RationedProxy(filled.host, filled.port)
    expected = read(filled, reader, tmp_path, omero_host=whole.address)
    whole.cut()
    broken = 0
    for share in (0.05, 0.4, 0.6, 0.75, 0.9):
        way = RationedProxy(filled.host, filled.port, share * whole.passed)
        try:
            found, said = read(filled, reader, tmp_path, omero_host=way.address), ""
        except UserError as error:
            found, said = {}, str(error)
        finally:
            way.cut()
        if not said:  # Near the end only the farewell may be missing.
            assert found == expected
            continue
        assert said.startswith("OMERO server "), said
        broken += 1
        assert_nothing_half_made(tmp_path, reader)
    assert broken >= 3
    assert read(filled, reader, tmp_path) == expected


def end_sessions(lab: Lab) -> None:
    """As a session's time being over: those of the tools are gone."""
    for row in lab.rows("select s.uuid from Session s where s.closed is null and s.userAgent like 'bioimage%'"):
        with suppress(Exception):
            killer = omero.client(host=lab.host, port=lab.port)
            killer.joinSession(row[0])
            killer.killSession()
            killer.closeSession()


@pytest.mark.parametrize("reader", READERS)
def test_a_session_that_expires_is_said_and_a_rerun_completes(filled: Lab, tmp_path, monkeypatch, reader):
    expected = read(filled, reader, tmp_path)
    with monkeypatch.context() as patch:
        fail_at(patch, Session, "rows", 2, lambda: end_sessions(filled))
        with pytest.raises(UserError, match=r"the session ended|the connection broke"):
            read(filled, reader, tmp_path)
    assert_nothing_half_made(tmp_path, reader)
    assert read(filled, reader, tmp_path) == expected


def test_a_server_that_restarts_is_said_and_a_rerun_completes(tmp_path, tmp_path_factory, monkeypatch):
    own = OwnServer(tmp_path_factory.mktemp("own"))
    try:
        with make_lab(own.server, monkeypatch) as first:
            fill(first, tmp_path)
            expected = {reader: read(first, reader, tmp_path) for reader in READERS}
        for reader in ("annotations", "tables"):
            with make_lab(own.server, monkeypatch, first) as again:
                with monkeypatch.context() as patch:
                    fail_at(patch, Session, "rows", 2, own.restart)
                    with pytest.raises(UserError, match=r"the session ended|the connection broke"):
                        read(again, reader, tmp_path)
                assert_nothing_half_made(tmp_path, reader)
                assert read(again, reader, tmp_path) == expected[reader]
    finally:
        own.stop()


@pytest.mark.parametrize("reader", READERS)
def test_a_full_disk_is_said_and_leaves_nothing(filled: Lab, tmp_path, reader):
    """A process that may write no file beyond 100 bytes, which the system reports as it does a full disk."""
    module, _, outputs, config = READERS[reader]
    config = {"target": typed("dataset", "d"), "omero_host": filled.address, **config}
    work = tmp_path / "full"
    work.mkdir()
    (work / "config.json").write_text(json.dumps(config))
    arguments = [part for name, value in outputs.items() for part in (f"--{name}", value)]
    account = {"OMERO_USER": filled.user, "OMERO_PASSWORD": filled.password, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(tool_script(module.__name__)), "--config", "config.json", *arguments],
        cwd=work, env=os.environ | account, capture_output=True, text=True, check=False, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("ERROR: disk"), done.stderr
    left = [path for path in work.rglob("*") if path.is_file() and path.name != "config.json"]
    assert {path.parent for path in left} <= {work}
    assert [path.name for path in left if path.stat().st_size] == []
    assert read(filled, reader, tmp_path)["out.tsv"]


def test_every_object_that_fails_is_named(filled: Lab, tmp_path):
    """Not only the first: two tables that a query does not fit, two label maps that overlap."""
    refused: list[tuple[str, dict[str, Any], str]] = [
        ("tables", {"query": "no_such >"}, r"refused to read it.* 1 more failed: the column status says why"),
        ("rois", {"form": {"form": "label_map", "overlap": "error"}}, r"shares \d+ pixels.* 1 more failed"),
        ("originals", {"target": typed("dataset", "d")}, r"not imported from files.* 1 more failed"),
    ]
    for reader, changed, message in refused:
        with pytest.raises(UserError, match=message):
            read(filled, reader, tmp_path, **changed)
        assert_nothing_half_made(tmp_path, reader)
        work = max((path for path in tmp_path.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime_ns)
        statuses = [row["status"] for row in read_rows(work / "out.tsv")]
        assert len(set(statuses)) == len(statuses) == 2, statuses
        assert all(status.startswith("failed: ") for status in statuses), statuses
