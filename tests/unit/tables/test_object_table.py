"""Object tables: what is written reads back, what is none is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.object_table import read_exact_table, read_object_ids, write_table

CELLS = st.text(st.characters(blacklist_characters="\t\r\n\x00", blacklist_categories=["Cs"]), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_tables_come_back_as_they_were(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "t.tsv"
    rows = [[f"x{first}".replace('"', ""), second.replace('"', "")] for first, second in rows]
    assert write_table(path, ["a", "b"], rows) == len(rows)
    table = read_exact_table(path)
    assert table.columns == ("a", "b")
    assert [list(row) for row in table.rows] == rows


def test_a_byte_order_mark_and_a_hash_are_tolerated(tmp_path: Path):
    path = tmp_path / "t.tsv"
    path.write_bytes("\ufeff#image_id\timage_name\n7\tx\n\n7\tx\n9\ty\n".encode())
    assert read_object_ids(path) == ("image", (7, 9))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image\tlabel\na\t1\n", "no id column. It needs one of image_id, .*; found: image, label"),
        ("12\t13\n14\t15\n", r"no header, the first line holds values \(12, 13\)"),
        ("", "empty. It needs a header line"),
        ("image_id\n", "no row below the header"),
        ("image_id\tx\n1\t2\nseven\t3\n", "row 2: image_id is 'seven', which is not an id"),
        ("image_id\tx\n1\n", "line 2: 1 columns, but the header has 2"),
        ("image_id\timage_id\n1\t2\n", "column 'image_id' occurs twice"),
    ],
)
def test_what_is_no_object_table_is_refused(tmp_path: Path, text, message):
    path = tmp_path / "t.tsv"
    path.write_text(text)
    with pytest.raises(UserError, match=f"^object table.*{message}"):
        read_object_ids(path)


def test_a_table_in_another_encoding_is_refused(tmp_path: Path):
    path = tmp_path / "t.tsv"
    path.write_bytes("image_id\tname\n1\tgrün\n".encode("latin-1"))
    with pytest.raises(UserError, match="is not UTF-8"):
        read_object_ids(path)


def test_a_cell_that_begins_with_a_quote_swallows_no_row(tmp_path: Path):
    rows = [['"a', "1"], ['b"c', "2"], ['"', "3"], ["d", "4"]]
    write_table(tmp_path / "table", ["image_name", "image_id"], rows)
    assert [list(row) for row in read_exact_table(tmp_path / "table").rows] == rows


def test_no_text_of_a_table_is_a_formula_and_all_come_back(tmp_path: Path):
    rows = [("=1+1", "-A1"), ("'@x", "-5"), (-1.5, float("-inf"))]
    write_table(tmp_path / "safe.tsv", ("=name", "b"), rows)
    assert (tmp_path / "safe.tsv").read_text() == "'=name\tb\n'=1+1\t'-A1\n''@x\t-5\n-1.5\t-inf\n"
    found = read_exact_table(tmp_path / "safe.tsv")
    assert found.columns == ("=name", "b")
    assert found.rows == (("=1+1", "-A1"), ("'@x", "-5"), ("-1.5", "-inf"))
    write_table(tmp_path / "exact.tsv", ("=name",), [("=1+1",)], exact=True)
    assert (tmp_path / "exact.tsv").read_text() == "=name\n=1+1\n"
