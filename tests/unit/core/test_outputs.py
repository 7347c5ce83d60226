"""Outputs appear when all of a run are complete, or not at all."""

import errno
from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.outputs import Outputs, complete_folder


def test_all_appear_together(tmp_path: Path):
    with Outputs() as outputs:
        outputs.file(tmp_path / "new" / "a").write_text("a")
        (outputs.folder(tmp_path / "b") / "c").write_text("c")
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.part", "b.part", "c", "new"]
    assert (tmp_path / "new" / "a").read_text() == "a"
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["c"]


def test_a_failure_leaves_what_was_there(tmp_path: Path):
    (tmp_path / "a").write_text("old")

    def fail() -> None:
        with Outputs() as outputs:
            outputs.file(tmp_path / "a").write_text("new")
            outputs.folder(tmp_path / "b")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_what_a_killed_run_left_does_not_matter(tmp_path: Path):
    (tmp_path / "b.part").mkdir()
    (tmp_path / "b.part" / "old").touch()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "before").touch()
    with complete_folder(tmp_path / "b") as part:
        (part / "new").touch()
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["new"]


def test_a_full_disk_is_said(tmp_path: Path):
    with pytest.raises(UserError, match=r"disk: full while writing a\. Make room"), complete_folder(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_an_output_named_twice_is_refused(tmp_path: Path):
    def name_twice() -> None:
        with Outputs() as outputs:
            outputs.file(tmp_path / "a")
            outputs.file(tmp_path / "a")

    with pytest.raises(UserError, match="Output a: named twice"):
        name_twice()


def test_a_folder_made_for_an_output_goes_with_it_when_the_run_fails(tmp_path: Path):
    (tmp_path / "old").mkdir()
    outputs = Outputs()
    outputs.file(tmp_path / "new" / "inner" / "a").write_text("a")
    outputs.file(tmp_path / "old" / "a").write_text("a")
    outputs.make(tmp_path / "empty" / "inner")
    outputs.make(tmp_path / "old")
    outputs.__exit__(ValueError, ValueError(), None)
    assert [path.name for path in tmp_path.rglob("*")] == ["old"]
