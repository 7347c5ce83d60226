"""Projects, datasets and screens that omero_annotate makes because a table names them."""

from pathlib import Path

import omero_annotate
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations import annotate as annotation_of_objects
from tests.omero.tool_support import Lab, all_counts, fail_at, named, read_rows

TABLE = "OBJECT_NAME,day,TAG\n{0},1,pilot\nnew ü,2,\n"


@pytest.fixture
def annotate(lab: Lab, tmp_path: Path):
    def run(text: str, kind: str, **config) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        (tmp_path / "table.csv").write_text(text)
        values = {"within": {"source": "group"}, "kind": kind, "mode": "add", "make": True}
        values |= {"table": named("t.csv", tmp_path / "table.csv")}
        outputs = {"output": "out.tsv", "changes": "changes.tsv"}
        paths = lab.run(omero_annotate, tmp_path, outputs, **(values | config))
        return read_rows(paths["output"]), read_rows(paths["changes"])

    return run


@pytest.mark.parametrize("kind", ["project", "dataset", "screen"])
def test_what_a_table_names_is_made_once_and_annotated(lab: Lab, annotate, kind: str):
    model = kind.capitalize()
    there = lab.container(model, "there")
    rows, changes = annotate(TABLE.format("there"), kind)
    assert [(row["object_name"], row["status"], row["change_count"]) for row in rows] == [
        ("there", "changed", "2"),
        ("new ü", "made", "1"),
    ]
    [[made]] = lab.rows(f"select o.id from {model} o where o.name = 'new ü'")
    assert [row[f"{kind}_id"] for row in rows] == [str(there), str(made)]
    assert {row["object_id"] for row in changes} == {str(there), str(made)}
    pairs = f"select v.value from {model}AnnotationLink l, MapAnnotation m join m.mapValue v where m.id = l.child.id "
    assert lab.rows(f"{pairs}and l.parent.id = {made}") == [["2"]]
    again, changes = annotate(TABLE.format("there"), kind)
    assert {row["status"] for row in again} == {"unchanged"}
    assert changes == []
    assert lab.rows(f"select count(o) from {model} o") == [[2]]


def test_a_check_says_what_would_be_made(lab: Lab, annotate):
    before = all_counts(lab)
    rows, changes = annotate("OBJECT_NAME,day,TAG\na,1,pilot\nb,2,\n", "dataset", dry_run=True)
    assert [(row["dataset_id"], row["change_count"], row["status"]) for row in rows] == [
        ("", "2", "would make"),
        ("", "1", "would make"),
    ]
    assert {row["object_id"] for row in changes} == {""}
    assert all_counts(lab) == before


def test_what_was_made_goes_with_a_run_that_fails(lab: Lab, annotate, tmp_path: Path, monkeypatch):
    before = all_counts(lab)

    def fail() -> None:
        raise UserError("stopped here.")

    fail_at(monkeypatch, annotation_of_objects, "apply_changes", 1, fail)
    with pytest.raises(UserError, match="stopped here"):
        annotate(TABLE.format("new"), "dataset")
    assert all_counts(lab) == before
    assert {row["status"] for row in read_rows(tmp_path / "out.tsv")} == {"failed: stopped here."}


def test_images_and_ids_are_never_made(lab: Lab, annotate):
    before = all_counts(lab)
    for text, kind, message in (
        ("OBJECT_NAME,x\na,1\n", "image", "image 'a': there is none of this name"),
        ("OBJECT_NAME,x\na,1\n", "plate", "plate 'a': there is none of this name"),
        ("OBJECT_ID,x\n999999,1\n", "dataset", "dataset 999999: no such id"),
    ):
        with pytest.raises(UserError, match=message):
            annotate(text, kind)
    with pytest.raises(UserError, match="dataset 'a': there is none of this name"):
        annotate("OBJECT_NAME,x\na,1\n", "dataset", make=False)
    twins = [lab.container("Dataset", "twin") for _ in range(2)]
    with pytest.raises(UserError, match=rf"dataset 'twin': 2 have this name \(ids {twins[0]}, {twins[1]}\)"):
        annotate("OBJECT_NAME,x\ntwin,1\n", "dataset")
    assert all_counts(lab)["Image"] == before["Image"]
