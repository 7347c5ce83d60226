import resource
from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.report import ROOM_BYTES, Report, Row, at_work


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.tsv"


def test_missing_cells_are_empty_and_other_cells_are_left_out(path: Path):
    with Report(path, ("a", "b", "status")) as report:
        report.add(a=1, c=2).done("made")
        report.add(a=2).fill(b="x")
    assert lines(path) == ["a\tb\tstatus", "1\t\tmade", "2\tx\t"]


@pytest.mark.parametrize("name", ["self", "status", "row", "a b"])
def test_a_cell_may_have_any_name(path: Path, name: str):
    with Report(path, ("self", "row", "a b", "status")) as report:
        report.add(**{name: "x"})
    assert "x" in lines(path)[1].split("\t")


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("broken"), "broken"), (KeyError(), "KeyError"), (SystemExit(143), "stopped"), (UserError("u"), "u")],
)
def test_a_run_that_fails_says_how_far_it_came(path: Path, error: BaseException, reason: str):
    def fail() -> None:
        with Report(path, ("n", "status")) as report:
            report.add(n=1).done("made")
            report.add(n=2).begin()
            report.add(n=3)
            report.add(n=4).failed("its own reason")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert lines(path)[1:] == ["1\ttaken back", f"2\tfailed: {reason}", "3\tnot done", "4\tfailed: its own reason"]


def test_columns_may_be_set_until_the_end_and_without_any_there_is_no_table(tmp_path: Path):
    with Report(tmp_path / "a.tsv") as report:
        report.add(n=1)
        report.columns = ["n"]
    assert lines(tmp_path / "a.tsv") == ["n", "1"]
    with pytest.raises(ValueError, match="early"), Report(tmp_path / "b.tsv"):
        raise ValueError("early")
    assert not (tmp_path / "b.tsv").exists()


def test_room_is_held_until_the_table_is_written(path: Path):
    room = path.with_name("report.tsv.room")
    with Report(path, ("n",), keeps_room=True) as report:
        assert room.stat().st_size == ROOM_BYTES
        report.add(n=1)
    assert (lines(path), list(path.parent.iterdir())) == (["n", "1"], [path])


def test_without_room_nothing_begins(path: Path):
    # A file may not grow beyond a size, which the system reports as it does a full disk.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES - 1, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"), Report(path, ("n",), keeps_room=True):
            pytest.fail("it has begun")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(path.parent.iterdir()) == []


def test_the_room_grows_with_the_rows(path: Path):
    room, names = path.with_name("report.tsv.room"), [f"{number:07}ü" * 20 for number in range(2000)]
    with Report(path, ("n", "status"), keeps_room=True) as report:
        for name in names:
            report.add(n=name).done("kept with a sentence on what became of it " * 2)
        held = room.stat().st_size
    assert path.stat().st_size < held < 3 * path.stat().st_size


def test_a_row_for_which_there_is_no_room_is_not_begun(path: Path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * ROOM_BYTES, before[1]))

    def fill() -> None:
        with Report(path, ("n", "status"), keeps_room=True) as report:
            for number in range(10_000):
                report.add(n=number).done("made")

    try:
        with pytest.raises(OSError, match="File too large"):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    rows = lines(path)[1:]
    assert len(rows) < 1000
    assert {row.split("\t")[1] for row in rows} == {"taken back"}


def test_each_object_is_tried_and_every_failure_named(path: Path):
    def do(thing: int, row: Row) -> None:
        if thing % 2:
            raise UserError(f"{thing}: odd.")
        if thing:
            row.done("even")

    def do_all() -> None:
        with Report(path, ("n", "status")) as report:
            for number in range(4):
                report.add(n=number)
            report.for_each(range(4), do)

    with pytest.raises(UserError, match=r"^1: odd\. 1 more failed: the column status says why\.$"):
        do_all()
    assert lines(path)[1:] == ["0\tnot done", "1\tfailed: 1: odd.", "2\ttaken back", "3\tfailed: 3: odd."]


def test_one_failure_is_raised_as_it_is(path: Path):
    def refuse(_thing: int, _row: Row) -> None:
        raise UserError("no.")

    def do_all() -> None:
        with Report(path, ("status",)) as report:
            report.add()
            report.for_each([1], refuse)

    with pytest.raises(UserError, match=r"^no\.$"):
        do_all()


def test_rows_at_work_are_as_before_afterwards_unless_the_block_sets_their_status(path: Path):
    with Report(path, ("status",)) as report:
        rows = [report.add(), report.add(), report.add()]
        rows[1].done("seen")
        with at_work(rows):
            assert [row.status for row in rows] == ["at work"] * 3
            rows[2].done("made")
    assert [row.status for row in rows] == [None, "seen", "made"]


def test_a_block_that_fails_fails_at_its_rows(path: Path):
    def fail() -> None:
        with Report(path, ("n", "status")) as report:
            first, _ = report.add(n=1), report.add(n=2)
            with at_work([first]):
                raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    assert lines(path)[1:] == ["1\tfailed: x", "2\tnot done"]


def test_rows_give_way_to_rows_of_other_objects(path: Path):
    with Report(path, ("file", "image")) as report:
        report.add(file="a")
        report.add(file="b")
        for row in report.take_rows():
            for image in (1, 2):
                report.add(**row.cells, image=image)
    assert lines(path)[1:] == ["a\t1", "a\t2", "b\t1", "b\t2"]
