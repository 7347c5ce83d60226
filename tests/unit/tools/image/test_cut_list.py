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


@pytest.mark.parametrize(
    ("names", "size", "message"),
    [(["a"], 0, "Images a job 0: it must be at least 1"), ([], 5, "List: it is empty")],
)
def test_a_list_that_cannot_be_cut_is_named(tmp_path: Path, names: list[str], size: int, message: str):
    with pytest.raises(UserError, match=message):
        cut(tmp_path, names, size)
    assert [path.name for path in tmp_path.iterdir()] == ["names"]
