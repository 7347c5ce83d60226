"""Lists are cut into parts of a given number of elements."""

import json
from pathlib import Path

import cut_list
import pytest

from bioimage_suite.core.errors import UserError


def cut(tmp_path: Path, names: list[str], size: int) -> list[str]:
    (tmp_path / "names").write_text(json.dumps(names), encoding="utf-8")
    cut_list.main(["--names", str(tmp_path / "names"), "--size", str(size), "--output", str(tmp_path / "table")])
    return (tmp_path / "table").read_text(encoding="utf-8").splitlines()


def test_parts_follow_the_order_of_the_list_and_the_last_has_the_rest(tmp_path: Path):
    assert cut(tmp_path, ["µ b", "a", "$c"], 2) == ["µ b\tgroup:part:1", "a\tgroup:part:1", "$c\tgroup:part:2"]


def test_numbers_of_parts_sort_as_texts(tmp_path: Path):
    lines = cut(tmp_path, [str(number) for number in range(1000)], 100)
    assert [lines[0], lines[-1]] == ["0\tgroup:part:01", "999\tgroup:part:10"]


def test_a_table_is_cut_into_tables_with_the_same_header(tmp_path: Path):
    header = "image_id\timage_name\n"
    rows = [f"{number}\t'=a {number} µ\n" for number in range(5)]
    (tmp_path / "table").write_text(header + "".join(rows), encoding="utf-8")
    cut_list.main(["--table", str(tmp_path / "table"), "--size", "2", "--folder", str(tmp_path / "parts")])
    made = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "parts").iterdir()}
    assert made == {
        "1": header + "".join(rows[:2]), "2": header + "".join(rows[2:4]), "3": header + rows[4],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "size", "message"),
    [
        ("image_id\n", 2, "Object table table: it has no rows"),
        ("image_id\n1\n", 0, "Images a job 0: it must be at least 1"),
        ("", 2, "object table: empty"),
    ],
)
def test_a_table_that_cannot_be_cut_is_named(tmp_path: Path, text: str, size: int, message: str):
    (tmp_path / "table").write_text(text)
    with pytest.raises(UserError, match=message):
        cut_list.main(["--table", str(tmp_path / "table"), "--size", str(size), "--folder", str(tmp_path / "parts")])
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


@pytest.mark.parametrize(
    ("names", "size", "message"),
    [(["a"], 0, "Images a job 0: it must be at least 1"), ([], 5, "List: it is empty")],
)
def test_a_list_that_cannot_be_cut_is_named(tmp_path: Path, names: list[str], size: int, message: str):
    with pytest.raises(UserError, match=message):
        cut(tmp_path, names, size)
    assert [path.name for path in tmp_path.iterdir()] == ["names"]
