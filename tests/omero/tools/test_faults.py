"""What can break while something is written to OMERO: afterwards nothing is half-made, and a rerun completes."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import omero_import_images
import omero_transfer
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero import reconnect as omero_reconnect
from bioimage_suite.omero import undo
from bioimage_suite.omero.files import imports as omero_imports
from bioimage_suite.omero.images import imports as image_import
from bioimage_suite.omero.transfer import annotations as omero_transfer_annotations
from bioimage_suite.omero.transfer import images as omero_transfer_images
from bioimage_suite.omero.transfer import pack as omero_transfer_pack
from bioimage_suite.omero.transfer import rois as omero_transfer_rois
from bioimage_suite.omero.transfer import unpack as omero_transfer_unpack
from scripts.suite_files import tool_script
from tests.omero.tool_support import CuttingProxy, Lab, all_counts, count, fail_at, make_lab, named, read_rows, typed
from tests.omero.tools.own_server import end_sessions, settle
from tests.omero.tools.transfer_content import attach, described, draw, every_annotation, every_shape, make_plate

IMPORT_STAGES = [
    (image_import, "make_place", 1),
    (omero_imports, "_announced", 2),
    (omero_imports, "_upload", 2),
    (omero_imports, "wait_for", 2),
    (image_import, "_annotate", 1),
    (image_import, "apply_changes", 1),
]
UNPACK_STAGES = [
    (omero_transfer_images, "save_mark", 1),
    (omero_imports, "_upload", 2),
    (omero_imports, "wait_for", 2),
    (omero_transfer_images, "_complete", 2),
    (omero_transfer_unpack, "_make_containers", 1),
    (omero_transfer_unpack, "_new_plate", 1),
    (omero_transfer_unpack, "_link", 1),
    (omero_transfer_annotations, "_new_annotation", 4),
    (omero_transfer_annotations, "_link", 1),
    (omero_transfer_rois, "_roi", 3),
]
PACK_STAGES = [
    (omero_transfer_pack, "find_contents", 1),
    (omero_transfer_pack, "download_file", 1),
    (omero_transfer_pack, "export_images", 1),
    (omero_transfer_pack, "roi_element", 2),
]


def stage_names(stages: list) -> dict[str, Any]:
    return {"argnames": "stage", "argvalues": stages, "ids": [name for _, name, _ in stages]}


@pytest.fixture(scope="module")
def packed(tmp_path_factory, omero_server) -> tuple[Path, Any]:
    """A screen with a plate, images, annotations, an attachment and ROIs: its crate, and what is in it."""
    folder = tmp_path_factory.mktemp("packed")
    with pytest.MonkeyPatch.context() as patch, make_lab(omero_server, patch) as source:
        fill(source)
        lines = {"crate": "crate.zip", "output": "out.tsv"}
        do = {"mode": "pack", "target": typed("screen", "s")}
        return source.run(omero_transfer, folder, lines, do=do)["crate"], described(source)


@pytest.fixture
def crate(packed) -> Path:
    return packed[0]


def fill(lab: Lab) -> None:
    images = [lab.image(f"i{number}", np.full((9, 8), number, np.uint8)) for number in range(3)]
    make_plate(lab, "p", {(0, 0): images[:2], (1, 1): images[2:]}, lab.container("Screen", "s"))
    for one in every_annotation():
        lab.annotate(images[0], one)
    attach(lab, images[1], "a.txt", b"text")
    for shape in every_shape()[:4]:
        draw(lab, images[2], [shape])


def start_import(lab: Lab, folder: Path, **config: Any) -> list[dict[str, str]]:
    files = []
    for number in range(3):
        path = folder / f"{number}.tif"
        if not path.exists():
            tifffile.imwrite(path, np.full((20, 30), number, np.uint16))
        files.append(named(f"f{number}", path) | {"ext": "tiff"})
    (folder / "words.csv").write_text("image,dose,TAG\nf0,1,x\nf2,3,x\n")
    values = {
        **{"files": files, "existing": "skip", "zip_holds": "images"},
        "place": {"by": "name", "dataset": "d", "project": "p", "create": True},
        "table": named("words.csv", folder / "words.csv"),
    }
    lab.sign_in()
    return read_rows(lab.run(omero_import_images, folder, {"output": "out.tsv"}, **values, **config)["output"])


def assert_imported_once(lab: Lab) -> None:
    expected = {"Image": 3, "Fileset": 3, "Dataset": 1, "Project": 1, "MapAnnotation": 2}
    assert {model: count(lab, model) for model in expected} == expected
    assert count(lab, "TagAnnotation") == 1
    assert lab.rows("select count(l) from DatasetImageLink l") == [[3]]
    assert lab.rows("select count(l) from ProjectDatasetLink l") == [[1]]


def start_unpack(lab: Lab, folder: Path, crate: Path, **config: Any) -> None:
    do = {"mode": "unpack", "crate": {"element_identifier": "crate", "source_path": str(crate)}}
    lab.sign_in()
    lab.run(omero_transfer, folder, {"output": "i.tsv", "containers": "c.tsv"}, do=do, **config)


@pytest.mark.parametrize(**stage_names(IMPORT_STAGES))
def test_an_import_whose_connection_breaks_is_completed_by_a_rerun(lab: Lab, tmp_path, monkeypatch, stage):
    monkeypatch.chdir(tmp_path)
    way = CuttingProxy(lab.host, lab.port)
    with monkeypatch.context() as patch:
        fail_at(patch, *stage, way.cut)
        with pytest.raises(UserError, match="the connection broke"):
            start_import(lab, tmp_path, omero_host=way.address)
    statuses = [row["status"].partition(":")[0] for row in read_rows(tmp_path / "out.tsv")]
    assert set(statuses) <= {"failed", undo.LEFT, "not done"}  # There is no way to the server any more.
    settle(lab)
    start_import(lab, tmp_path)
    assert_imported_once(lab)
    assert not list(tmp_path.glob("bioimage-suite-*"))


@pytest.mark.parametrize(**stage_names(UNPACK_STAGES))
def test_an_unpacking_whose_connection_breaks_is_completed_by_a_rerun(lab: Lab, tmp_path, monkeypatch, packed, stage):
    monkeypatch.chdir(tmp_path)
    crate, whole = packed
    way = CuttingProxy(lab.host, lab.port)
    with monkeypatch.context() as patch:
        fail_at(patch, *stage, way.cut)
        with pytest.raises(UserError, match="the connection broke"):
            start_unpack(lab, tmp_path, crate, omero_host=way.address)
    settle(lab)
    start_unpack(lab, tmp_path, crate)
    assert described(lab) == whole
    assert all_counts(lab)["Image"] == 3
    linked = " ".join(
        f"and not exists (select l.id from {kind}AnnotationLink l where l.child.id = m.id)"
        for kind in ("Image", "Plate", "Roi", "Screen", "Well")
    )
    assert lab.rows(f"select count(m) from MapAnnotation m where m.ns like 'github%' {linked}") == [[0]]
    assert not list(tmp_path.glob("bioimage-suite-*"))


@pytest.mark.parametrize(**stage_names(UNPACK_STAGES))
def test_an_unpacking_that_fails_leaves_nothing_behind(lab: Lab, tmp_path, monkeypatch, crate, stage):
    monkeypatch.chdir(tmp_path)
    before = all_counts(lab)

    def refuse() -> None:
        raise UserError("refused")

    fail_at(monkeypatch, *stage, refuse)
    with pytest.raises(UserError, match="refused"):
        start_unpack(lab, tmp_path, crate)
    assert all_counts(lab) == before
    assert {row["status"] for row in read_rows(tmp_path / "i.tsv")} <= {"failed: refused", "taken back", "not done"}


@pytest.mark.parametrize(**stage_names(PACK_STAGES))
def test_a_packing_whose_connection_breaks_leaves_no_crate(lab: Lab, tmp_path, monkeypatch, stage):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(omero_reconnect, "WAITS", (0.01,))  # Pixels are asked for again; this connection is gone.
    fill(lab)
    way = CuttingProxy(lab.host, lab.port)
    outputs, do = {"crate": "crate.zip", "output": "out.tsv"}, {"mode": "pack", "target": typed("screen", "s")}
    with monkeypatch.context() as patch:
        fail_at(patch, *stage, way.cut)
        with pytest.raises(UserError, match="the connection broke"):
            lab.run(omero_transfer, tmp_path, outputs, do=do, omero_host=way.address)
    assert not list(tmp_path.glob("crate*"))
    assert lab.run(omero_transfer, tmp_path, outputs, do=do)["crate"].exists()


@pytest.mark.parametrize("what", ["import", "unpack"])
def test_a_session_that_expires_and_a_server_that_restarts_at_work(own_server, tmp_path, monkeypatch, crate, what):
    monkeypatch.chdir(tmp_path)
    start = start_import if what == "import" else lambda lab, folder: start_unpack(lab, folder, crate)
    for accident in (lambda: end_sessions(lab), own_server.restart):
        with make_lab(own_server.server, monkeypatch) as lab:
            with monkeypatch.context() as patch:
                fail_at(patch, omero_imports, "_upload", 2, accident)
                with pytest.raises(UserError, match=r"the session ended|the connection broke"):
                    start(lab, tmp_path)
            with make_lab(own_server.server, monkeypatch, lab) as again:
                start(again, tmp_path)
                if what == "import":
                    assert_imported_once(again)
                else:
                    assert count(again, "Image") == 3
                    assert count(again, "Roi") == 4
                    assert count(again, "Plate") == 1


def test_a_server_whose_disk_is_full_takes_nothing_and_a_rerun_completes(own_server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with make_lab(own_server.server, monkeypatch) as lab:
        tifffile.imwrite(tmp_path / "2.tif", np.random.default_rng(0).integers(0, 99, (4000, 2000), np.uint16))
        before = all_counts(lab)
        own_server.limit_files(8 << 20)  # The third file has 16 MB.
        try:
            with pytest.raises(UserError, match="file 'f2'"):
                start_import(lab, tmp_path)
        finally:
            own_server.limit_files(resource.RLIM_INFINITY)
        assert all_counts(lab) == before
        start_import(lab, tmp_path)  # room again
        assert_imported_once(lab)


@pytest.mark.parametrize("what", ["import", "pack", "unpack"])
def test_a_full_disk_of_the_client_is_said_and_nothing_is_left(lab: Lab, tmp_path, what):
    """A tool in a process that may write no file beyond 64 kB, which the system reports as it does a full disk."""
    import json
    import zipfile

    dataset = lab.container("Dataset", "large")
    lab.image("noise", np.random.default_rng(0).integers(0, 65535, (300, 300), np.uint16), dataset)
    outputs, do = {"crate": "crate.zip", "output": "out.tsv"}, {"mode": "pack", "target": typed("dataset", "large")}
    tool, arguments = "omero_transfer", ["--crate", "full.zip"]
    config: dict[str, Any] = {"omero_host": lab.address, "do": do}
    if what == "unpack":
        packed = lab.run(omero_transfer, tmp_path, outputs, do=do)["crate"]
        config["do"] = {"mode": "unpack", "crate": {"element_identifier": "c", "source_path": str(packed)}}
        arguments = ["--containers", "containers.tsv"]
    if what == "import":
        tool, arguments = "omero_import_images", []
        tifffile.imwrite(tmp_path / "a.tif", np.random.default_rng(0).integers(0, 65535, (300, 300), np.uint16))
        with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
            archive.write(tmp_path / "a.tif", "a.tif")
        config |= {"files": [named("pack.zip", tmp_path / "pack.zip")], "zip_holds": "images", "existing": "skip"}
        config["place"] = {"by": "name", "dataset": "new", "project": "", "create": True}
    before, work = all_counts(lab), tmp_path / "work"
    work.mkdir()
    (work / "config.json").write_text(json.dumps(config))
    done = subprocess.run(
        [sys.executable, str(tool_script(tool)), "--config", "config.json", "--output", "out.tsv", *arguments],
        cwd=work, env=os.environ | {"OMERO_USER": lab.user, "OMERO_PASSWORD": lab.password}, capture_output=True,
        text=True, check=False, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("ERROR: disk full: "), done.stderr
    assert all_counts(lab) == before
    assert {path.name for path in work.iterdir()} <= {"config.json", "out.tsv", "containers.tsv"}


@pytest.mark.parametrize("what", ["import", "unpack"])
def test_a_cancelled_job_takes_back_what_it_made(lab: Lab, tmp_path, monkeypatch, crate, what):
    monkeypatch.chdir(tmp_path)
    before = all_counts(lab)
    fail_at(monkeypatch, omero_imports, "_upload", 2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit, match="143"):
        start_import(lab, tmp_path) if what == "import" else start_unpack(lab, tmp_path, crate)
    assert all_counts(lab) == before


@pytest.mark.parametrize(
    ("name", "said", "message"),
    [
        (
            "InternalException",
            "Internal exception",
            r"it failed \(HDF5ExtError: Problems creating the table\)\. Ask its administrator",
        ),
        (
            "InternalException",
            "ValueError: x",
            r"it failed \(ValueError: x\)\. Ask its administrator what its log says",
        ),
        (
            "ResourceError",
            "No space left on device",
            r"it failed \(No space left .*\)\. Its disk is full: ask its admin",
        ),
        ("DatabaseBusyException", "", r"it is busy \(DatabaseBusyException\)\. Run the tool again later"),
        ("LockTimeout", "Cannot acquire lock", r"it is busy \(Cannot acquire lock\)"),
        ("OptimisticLockException", "version 3", r"somebody else changed an object while .* \(version 3\)"),
        ("SecurityViolation", "Group is rwr---", r"permission denied \(Group is rwr---\)"),
    ],
)
def test_what_the_server_says_is_told_and_nothing_else_is_blamed(lab: Lab, name: str, said: str, message: str):
    import omero

    from bioimage_suite.omero.session import open_session

    trace = "Traceback (most recent call last):\n  ...\nHDF5ExtError: Problems creating the table\n"
    error = getattr(omero, name)(trace, f"ome.conditions.{name}", said)
    with pytest.raises(UserError, match=message), open_session(lab.address):
        raise error
