"""A connection that breaks at each stage of annotating: nothing is half made, a rerun completes without a double."""

from pathlib import Path

import numpy as np
import omero_annotate
import omero_get_annotations
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations import annotate as annotation_of_objects
from bioimage_suite.omero.annotations import annotations as omero_annotations
from bioimage_suite.omero.annotations import changes as annotation_changes
from bioimage_suite.omero.session import Session
from tests.omero.tool_support import CuttingProxy, Lab, fail_at, named, read_rows, typed

TABLE = (
    "image,dose,COMMENT,RATING,TAG,ATTACHMENT\na.tif,{0},fine {0},{0},good[quality],note.txt\n"
    "b.tif,{0},,{0},good[quality],note.txt\n"
)
STAGES = [
    (annotation_changes, "plan_changes"),
    (annotation_changes, "upload_file"),
    (annotation_changes, "save_annotations"),
    (annotation_changes, "_find_or_make_tags"),
    (annotation_changes, "link_annotations"),
    (omero_annotations, "annotation_link"),
    (Session, "delete"),
]


@pytest.fixture
def annotate(lab: Lab, tmp_path: Path):
    def run(number: int, note: bytes, **config) -> list[dict[str, str]]:
        (tmp_path / "table.csv").write_text(TABLE.format(number))
        (tmp_path / "note.txt").write_bytes(note)
        values = {"within": typed("dataset", "d"), "kind": "image", "mode": "merge"}
        values |= {"table": named("t.csv", tmp_path / "table.csv")}
        values |= {"attachments": [named("note.txt", tmp_path / "note.txt")]}
        outputs = {"output": "out.tsv", "changes": "changes.tsv"}
        return read_rows(lab.run(omero_annotate, tmp_path, outputs, **(values | config))["output"])

    return run


def what_is_there(lab: Lab, folder: Path) -> list[tuple[str, ...]]:
    outputs = {"output": "tidy.tsv", "wide": "wide.tsv", "folder": "fetched"}
    types = ["key_value", "tag", "comment", "rating", "attachment"]
    paths = lab.run(omero_get_annotations, folder, outputs, target=typed("dataset", "d"), of="images", types=types)
    columns = ("object_name", "annotation_type", "value")
    return sorted(tuple(row[name] for name in columns) for row in read_rows(paths["output"]))


@pytest.mark.parametrize(("owner", "name"), STAGES, ids=[name for _, name in STAGES])
def test_a_broken_connection_is_mended_by_a_rerun(
    lab: Lab, annotate, tmp_path, monkeypatch, proxy: CuttingProxy, owner, name
):
    dataset = lab.container("Dataset", "d")
    for image in ("a.tif", "b.tif"):
        lab.image(image, np.zeros((2, 2), np.uint8), dataset)
    annotate(1, b"first")
    with monkeypatch.context() as patch:
        fail_at(patch, owner, name, 1, proxy.cut)
        if name == "plan_changes":  # which its caller took by its name when it was imported
            fail_at(patch, annotation_of_objects, name, 1, proxy.cut)
        with pytest.raises(UserError, match="the connection broke"):
            annotate(2, b"second", omero_host=proxy.address)
    statuses = {row["status"][:6] for row in read_rows(tmp_path / "out.tsv")}
    assert statuses == {"not do" if name == "plan_changes" else "failed"}
    annotate(2, b"second")
    expected = [
        *(("a.tif", "comment", f"fine {number}") for number in (1, 2)),
        *((image, kind, value) for image in ("a.tif", "b.tif") for kind, value in (
            ("attachment", "note.txt"), ("key_value", "2"), ("rating", "2"), ("tag", "good"),
        )),
    ]  # fmt: skip
    assert what_is_there(lab, tmp_path) == sorted(expected)
    assert {row["status"] for row in annotate(2, b"second")} == {"unchanged"}
    # Nothing floats about: every annotation is linked, every file attached.
    for model in ("MapAnnotation", "LongAnnotation", "CommentAnnotation", "FileAnnotation"):
        free = f"select count(a) from {model} a where a.id not in (select l.child.id from ImageAnnotationLink l)"
        assert lab.rows(free) == [[0]], model
    assert lab.rows("select count(f) from OriginalFile f where f.size = 6") == [[1]]
