"""Sessions that end, a server that restarts or has no room, a job that is cancelled: for tools that write to images."""

import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import omero_annotate
import omero_arrange_plates
import omero_import_labels
import omero_import_rois
import omero_import_table
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero import plates as omero_plates
from bioimage_suite.omero import undo
from bioimage_suite.omero.annotations import changes as annotation_changes
from bioimage_suite.omero.files import imports as omero_imports
from bioimage_suite.omero.rois import rois as omero_rois
from bioimage_suite.omero.tables import imports as table_imports
from tests.omero.tool_support import Lab, all_counts, count, fail_at, make_lab, named, read_rows, typed
from tests.omero.tools.own_server import OwnServer, end_sessions, settle

FULL = 8 << 20  # Bytes that the server's disk takes for a file; the files here have more.
LINKS = ("DatasetImageLink", "ImageAnnotationLink", "RoiAnnotationLink", "WellSample", "Shape", "ScreenPlateLink")


@dataclass(frozen=True)
class Writer:
    """A tool that writes: how to start it on the images a and b of dataset d, and a call when it has done half."""

    start: Callable[[Lab, Path], list[dict[str, str]]]
    half: tuple[Any, str, int]


def start_annotate(lab: Lab, folder: Path) -> list[dict[str, str]]:
    (folder / "t.csv").write_text("image,dose,TAG,COMMENT,ATTACHMENT\na,1,x,one,f\nb,2,y,two,f\n")
    if not (folder / "f").exists():
        (folder / "f").write_bytes(b"x" * (2 * FULL))
    config = {"table": named("t.csv", folder / "t.csv"), "attachments": [named("f", folder / "f")]}
    config |= {"within": typed("dataset", "d"), "kind": "image", "mode": "merge"}
    return run(lab, folder, omero_annotate, {"changes": "changes.tsv"}, config)


def start_rois(lab: Lab, folder: Path) -> list[dict[str, str]]:
    labels = np.zeros((30, 40), np.uint16)
    labels[3:9, 4:30], labels[20:25, 2:9] = 1, 2
    config = {"label_maps": label_maps(folder, labels), "match": typed("dataset", "d")}
    return run(lab, folder, omero_import_rois, {"rois": "rois.tsv"}, config | {"roi_name": "n", "shape": "auto"})


def start_labels(lab: Lab, folder: Path) -> list[dict[str, str]]:
    labels = np.random.default_rng(0).integers(0, 2**31, (30, 40), np.int32)
    config = {"label_maps": label_maps(folder, labels), "match": typed("dataset", "d"), "labels_name": "n"}
    return run(lab, folder, omero_import_labels, {}, config | {"place": {"by": "source"}})


def start_table(lab: Lab, folder: Path) -> list[dict[str, str]]:
    for name in "ab":
        if not (folder / f"{name}.tsv").exists():
            write_random_table(folder / f"{name}.tsv", 3 * FULL)
    config = {"tables": [named(name, folder / f"{name}.tsv") for name in "ab"], "match": typed("dataset", "d")}
    config |= {"table_name": "t", "attach": "image"}
    return run(lab, folder, omero_import_table, {"merged": "merged.tsv"}, config)


def start_plate(lab: Lab, folder: Path) -> list[dict[str, str]]:
    (folder / "layout.tsv").write_text("image\twell\tplate\na\tA1\tp\nb\tAB2\tq\n")
    config = {"layout": named("layout", folder / "layout.tsv"), "target": typed("dataset", "d"), "plate": ""}
    return run(lab, folder, omero_arrange_plates, {}, config | {"screen": {"by": "name", "screen": "s", "create": 1}})


WRITERS = {
    "annotate": Writer(start_annotate, (annotation_changes, "link_annotations", 1)),
    "rois": Writer(start_rois, (omero_rois, "_roi", 4)),
    "labels": Writer(start_labels, (omero_imports, "_upload", 2)),
    "table": Writer(start_table, (table_imports, "attach_table", 2)),
    "plate": Writer(start_plate, (omero_plates, "_plate", 2)),
}


def write_random_table(path: Path, size: int) -> None:
    """A table that HDF5 cannot make smaller: `size` bytes of text."""
    text = np.random.default_rng(0).bytes(size // 2).hex()
    path.write_text("note\n" + "".join(f"{text[start : start + 2000]}\n" for start in range(0, size, 2000)))


def small_files(folder: Path) -> None:
    (folder / "f").write_bytes(b"text")
    for name in "ab":
        write_random_table(folder / f"{name}.tsv", 8000)


def label_maps(folder: Path, labels: np.ndarray) -> list[dict[str, str]]:
    for name in "ab":
        tifffile.imwrite(folder / f"{name}.tif", labels)
    return [named(name, folder / f"{name}.tif") for name in "ab"]


def run(lab: Lab, folder: Path, tool: Any, outputs: dict[str, str], config: dict[str, Any]) -> list[dict[str, str]]:
    lab.sign_in()
    return read_rows(lab.run(tool, folder, {"output": "out.tsv", **outputs}, **config)["output"])


def make_images(lab: Lab) -> None:
    dataset = lab.container("Dataset", "d")
    for name in "ab":
        lab.image(name, np.zeros((30, 40), np.uint8), dataset)


def everything(lab: Lab) -> dict[str, int]:
    return all_counts(lab) | {model: count(lab, model) for model in LINKS}


@pytest.mark.parametrize("tool", WRITERS)
def test_an_ended_session_and_a_restarted_server_are_mended_by_a_rerun(
    own_server: OwnServer, tmp_path: Path, monkeypatch, tool
):
    monkeypatch.chdir(tmp_path)
    writer = WRITERS[tool]
    small_files(tmp_path)
    with make_lab(own_server.server, monkeypatch) as clean:
        make_images(clean)
        writer.start(clean, tmp_path)
        expected = everything(clean)
    for accident in (lambda: end_sessions(hurt), own_server.restart):
        with make_lab(own_server.server, monkeypatch) as hurt:
            make_images(hurt)
            with monkeypatch.context() as patch:
                fail_at(patch, *writer.half, accident)
                with pytest.raises(UserError, match=r"the session ended|the connection broke"):
                    writer.start(hurt, tmp_path)
            statuses = {row["status"].partition(":")[0] for row in read_rows(tmp_path / "out.tsv")}
            assert "failed" in statuses
            assert statuses <= {"failed", "taken back", undo.LEFT, "not done"}
            with make_lab(own_server.server, monkeypatch, hurt) as again:
                settle(again)
                writer.start(again, tmp_path)
                assert everything(again) == expected
                writer.start(again, tmp_path)
                assert everything(again) == expected


@pytest.mark.parametrize("tool", WRITERS)
def test_a_cancelled_job_takes_back_what_it_made(lab: Lab, tmp_path: Path, monkeypatch, tool):
    monkeypatch.chdir(tmp_path)
    small_files(tmp_path)
    make_images(lab)
    before = everything(lab)
    with monkeypatch.context() as patch:
        fail_at(patch, *WRITERS[tool].half, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(SystemExit, match="143"):
            WRITERS[tool].start(lab, tmp_path)
    assert everything(lab) == before


@pytest.mark.parametrize("tool", ["annotate", "table"])
def test_a_server_without_room_keeps_nothing_and_a_rerun_completes(
    own_server: OwnServer, tmp_path: Path, monkeypatch, tool
):
    monkeypatch.chdir(tmp_path)
    with make_lab(own_server.server, monkeypatch) as lab:
        make_images(lab)
        before = everything(lab)
        own_server.limit_files(FULL)
        try:
            with pytest.raises(UserError, match="disk"):
                WRITERS[tool].start(lab, tmp_path)
        finally:
            own_server.limit_files(resource.RLIM_INFINITY)
        assert everything(lab) == before
        assert {row["status"] for row in WRITERS[tool].start(lab, tmp_path)} <= {"changed", "imported"}
