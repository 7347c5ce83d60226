"""Files that are attached by a table, fetched again byte for byte, exchanged, and taken back when a run fails."""

from pathlib import Path

import numpy as np
import omero
import omero_annotate
import omero_get_annotations
import pytest
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.files import original_files
from bioimage_suite.omero.session import Session
from tests.omero.tool_support import Lab, fail_at, named, read_rows, typed

DATA = bytes(range(256)) * 5000  # more than one block where a test makes blocks small


@pytest.fixture
def images(lab: Lab) -> list[int]:
    dataset = lab.container("Dataset", "d")
    return [lab.image(f"cell_{number}.tif", np.zeros((2, 2), np.uint8), dataset) for number in (1, 2)]


@pytest.fixture
def annotate(lab: Lab, tmp_path: Path):
    def run(text: str, files: dict[str, bytes], **config) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        (tmp_path / "table.csv").write_text(text)
        given = []
        for number, (name, data) in enumerate(files.items()):
            path = tmp_path / f"dataset_{number}.dat"
            path.write_bytes(data)
            given.append(named(name, path))
        values = {
            "within": typed("dataset", "d"),
            "kind": "image",
            "mode": "add",
            "attachments": given or [named("", None) | {"source_path": None}],
        }
        table = named("table.csv", tmp_path / "table.csv")
        outputs = {"output": "out.tsv", "changes": "changes.tsv"}
        paths = lab.run(omero_annotate, tmp_path, outputs, table=table, **(values | config))
        return read_rows(paths["output"]), read_rows(paths["changes"])

    return run


@pytest.fixture
def fetch(lab: Lab, tmp_path: Path):
    """Download what is attached; returns the files by name, and the report."""

    def run(**config) -> tuple[dict[str, bytes], list[dict[str, str]]]:
        outputs = {"output": "tidy.tsv", "wide": "wide.tsv", "folder": "fetched", "downloads": "downloads.tsv"}
        values = {"target": typed("dataset", "d"), "of": "images", "types": ["attachment"], "download": True}
        for old in (tmp_path / "fetched").rglob("*"):
            old.is_file() and old.unlink()
        paths = lab.run(omero_get_annotations, tmp_path, outputs, **(values | config))
        files = {path.name: path.read_bytes() for path in sorted(paths["folder"].rglob("*")) if path.is_file()}
        return files, read_rows(paths["downloads"])

    return run


def test_files_arrive_byte_for_byte_and_a_rerun_changes_nothing(lab: Lab, annotate, fetch, images, monkeypatch):
    monkeypatch.setattr(original_files, "BLOCK", 100_000)
    text = "image,dose,ATTACHMENT,ATTACHMENT\ncell_1.tif,1,a b.dat,empty.txt\ncell_2.tif,2,a b.dat,\n"
    given = {"a b.dat": DATA, "empty.txt": b""}
    report, changes = annotate(text, given)
    assert [(row["change_count"], row["status"]) for row in report] == [("3", "changed"), ("2", "changed")]
    assert [row["after"] for row in changes if row["annotation_type"] == "attachment"] == [
        "a b.dat", "empty.txt", "a b.dat",
    ]  # fmt: skip
    files, table = fetch()
    assert files == {
        f"Image_{images[0]}_cell_1.tif__a_b.dat.data": DATA,
        f"Image_{images[0]}_cell_1.tif__empty.txt": b"",
        f"Image_{images[1]}_cell_2.tif__a_b.dat.data": DATA,
    }
    assert [(row["image_id"], row["file"], row["size_bytes"], row["status"]) for row in table] == [
        (str(images[0]), f"Image_{images[0]}_cell_1.tif__a_b.dat", str(len(DATA)), "downloaded"),
        (str(images[0]), f"Image_{images[0]}_cell_1.tif__empty", "0", "downloaded"),
        (str(images[1]), f"Image_{images[1]}_cell_2.tif__a_b.dat", str(len(DATA)), "downloaded"),
    ]
    assert lab.rows("select count(f) from OriginalFile f where f.name = 'a b.dat'") == [[1]]  # uploaded once
    for mode in ("add", "merge", "replace"):
        report, changes = annotate(text, given, mode=mode)
        assert ([row["status"] for row in report], changes) == (["unchanged"] * 2, [])


def test_modes_exchange_only_what_this_user_attached_with_this_tool(lab: Lab, annotate, fetch, images):
    by_hand = omero.model.FileAnnotationI()
    by_hand.file = omero.model.OriginalFileI()
    by_hand.file.name, by_hand.file.path = rstring("a.txt"), rstring("")
    lab.annotate(images[0], by_hand)
    one = "image,ATTACHMENT\ncell_1.tif,a.txt\n"
    annotate(one + "cell_1.tif,b.txt\ncell_2.tif,a.txt\n", {"a.txt": b"old", "b.txt": b"b"})
    _, changes = annotate(one, {"a.txt": b"new"}, mode="merge")
    assert [(row["action"], row["before"], row["after"]) for row in changes] == [("merge", "a.txt", "a.txt")]
    files, _ = fetch()
    first = sorted(data for name, data in files.items() if name.startswith(f"Image_{images[0]}_"))
    assert first == [b"", b"b", b"new"]
    assert [data for name, data in files.items() if name.startswith(f"Image_{images[1]}_")] == [b"old"]
    _, changes = annotate(one, {"a.txt": b"new"}, mode="replace")
    assert [(row["action"], row["before"], row["after"]) for row in changes] == [("remove", "b.txt", "")]
    _, changes = annotate(one, {"a.txt": b"more"}, mode="add")
    assert [row["action"] for row in changes] == ["add"]
    names = sorted(one for [one] in lab.rows("select f.name from FileAnnotation a join a.file f"))
    assert names == ["a.txt"] * 4


@pytest.mark.usefixtures("images")
def test_a_dry_run_attaches_nothing(lab: Lab, annotate, fetch):
    report, changes = annotate("image,ATTACHMENT\ncell_1.tif,a\n", {"a": b"x"}, dry_run=True)
    assert (report[0]["status"], len(changes)) == ("would change", 1)
    assert fetch()[0] == {}
    assert lab.rows("select count(f) from OriginalFile f") == [[0]]


@pytest.mark.parametrize(
    ("text", "files", "message"),
    [
        ("image,ATTACHMENT\ncell_1.tif,b\n", {"a": b""}, "line 2: no file 'b' was given. Given are: a."),
        ("image,ATTACHMENT\ncell_1.tif,b\n", {}, "line 2: no file 'b' was given. Given are: none."),
        ("image,dose\ncell_1.tif,b\n", {"a": b""}, "file 'a': no ATTACHMENT cell of table table.csv names it"),
    ],
)
@pytest.mark.usefixtures("images")
def test_files_and_cells_must_fit(lab: Lab, annotate, text, files, message):
    with pytest.raises(UserError, match=message):
        annotate(text, files)
    assert lab.rows("select count(f) from OriginalFile f") == [[0]]


@pytest.mark.usefixtures("images")
def test_a_failure_takes_back_files_and_says_so(lab: Lab, annotate, monkeypatch, tmp_path: Path):
    from bioimage_suite.omero.annotations import changes as annotation_changes

    def refuse() -> None:
        raise UserError("refused")

    fail_at(monkeypatch, annotation_changes, "link_annotations", 1, refuse)
    with pytest.raises(UserError, match="refused"):
        annotate("image,ATTACHMENT,TAG\ncell_1.tif,a,t\ncell_2.tif,,\n", {"a": b"x"})
    assert [row["status"] for row in read_rows(tmp_path / "out.tsv")] == ["failed: refused"]
    for kind in ("OriginalFile", "FileAnnotation", "TagAnnotation"):
        assert lab.rows(f"select count(o) from {kind} o") == [[0]]


@pytest.mark.usefixtures("images")
def test_a_file_that_is_damaged_leaves_none_and_is_named(annotate, fetch, monkeypatch, tmp_path: Path):
    annotate("image,ATTACHMENT\ncell_1.tif,a.txt\ncell_2.tif,b.txt\n", {"a.txt": b"a", "b.txt": b"b"})
    original, calls = original_files.hashlib.sha1, []

    def damaged(*args, **options):
        calls.append(args)
        return original(b"else" if len(calls) == 2 else b"", **options)

    monkeypatch.setattr(original_files.hashlib, "sha1", damaged)
    with pytest.raises(UserError, match=r"file \d+ 'b.txt' of image .* is damaged"):
        fetch()
    assert [path for path in (tmp_path / "fetched").rglob("*") if path.is_file()] == []
    statuses = [row["status"] for row in read_rows(tmp_path / "downloads.tsv")]
    assert statuses[0] == "taken back"
    assert statuses[1].startswith("failed: file ")


def test_one_table_an_object_and_several_files_of_one_name(annotate, fetch, images, tmp_path: Path):
    annotate("image,ATTACHMENT,dose\ncell_1.tif,a.txt,1\ncell_2.tif,,2\n", {"a.txt": b"1"})
    annotate("image,ATTACHMENT\ncell_1.tif,a.txt\n", {"a.txt": b"2"})
    files, table = fetch(one_each=True, types=["key_value", "attachment"])
    assert sorted(data for name, data in files.items() if "__a" in name) == [b"1", b"2"]
    assert len({row["file"] for row in table}) == 2
    each = {path.name: read_rows(path) for path in (tmp_path / "fetched" / "each").iterdir()}
    first, second = (f"Image_{image}_cell_{n}.tif.tabular" for n, image in enumerate(images, 1))
    assert [row["annotation_type"] for row in each[first]] == ["key_value", "attachment", "attachment"]
    assert [(row["key"], row["value"]) for row in each[second]] == [("dose", "2")]


@pytest.mark.usefixtures("images")
def test_the_number_of_queries_does_not_grow_with_the_files(annotate, monkeypatch):
    calls: list = []
    for name in ("rows", "objects"):
        original = getattr(Session, name)
        monkeypatch.setattr(Session, name, lambda *a, _o=original, **k: calls.append(a) or _o(*a, **k))
    annotate("image,ATTACHMENT\ncell_1.tif,a\n", {"a": b"x"}, dry_run=True)
    few = len(calls)
    calls.clear()
    annotate("image,ATTACHMENT\ncell_1.tif,a\ncell_2.tif,a\n", {"a": b"x"}, dry_run=True)
    assert len(calls) == few
