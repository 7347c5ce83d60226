import doctest
import importlib
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.named_files import NamedFile, read_files
from bioimage_suite.omero.objects import Target, read_target, split_terms, well_label
from bioimage_suite.omero.session import DEFAULT_PORTS, parse_address
from bioimage_suite.omero.tables.feature_table import convert, read_measurements, survey_tables
from bioimage_suite.tables.object_table import read_object_ids, read_table, write_table

CELLS = st.text(st.characters(blacklist_characters="\t\r\n\x00", blacklist_categories=["Cs"]), max_size=12)


@pytest.mark.parametrize("module", ["omero.images.filters", "omero.objects", "omero.session"])
def test_examples_in_docstrings_hold(module):
    result = doctest.testmod(importlib.import_module(f"bioimage_suite.{module}"))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("omero.example.org", "ssl://omero.example.org:4064"),
        (" omero:14064 ", "ssl://omero:14064"),
        ("tcp://10.0.0.7", "tcp://10.0.0.7:4063"),
        ("SSL://omero", "ssl://omero:4064"),
        ("ws://omero/ws", "ws://omero:80/ws"),
        ("wss://omero:8443/a/b-c", "wss://omero:8443/a/b-c"),
        ("wss://omero/", "wss://omero:443"),
    ],
)
def test_addresses(text, expected):
    assert str(parse_address(text)) == expected


def test_an_address_becomes_the_router_that_ice_understands():
    assert parse_address("wss://omero/x").router == "OMERO.Glacier2/router:wss -p 443 -h omero -r /x"
    assert parse_address("omero").router == "OMERO.Glacier2/router:ssl -p 4064 -h omero"


@pytest.mark.parametrize(
    "text", ["", "a b", "http://omero", "omero:0", "omero:70000", "ssl://omero/path", "-h x;rm", "://x"]
)
def test_other_texts_are_no_address(text):
    with pytest.raises(UserError, match=r"^OMERO server '.*': .*Write host, host:port"):
        parse_address(text)


@given(
    st.sampled_from(sorted(DEFAULT_PORTS)),
    st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True),
    st.integers(1, 65535),
)
def test_every_address_comes_back_as_it_was(protocol, host, port):
    assert str(parse_address(f"{protocol}://{host}:{port}")) == f"{protocol}://{host}:{port}"


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_tables_come_back_as_they_were(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "t.tsv"
    rows = [[f"x{first}".replace('"', ""), second.replace('"', "")] for first, second in rows]
    assert write_table(path, ["a", "b"], rows) == len(rows)
    table = read_table(path)
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


def test_the_finest_id_column_counts(tmp_path: Path):
    path = tmp_path / "t.tsv"
    path.write_text("project_id\tdataset_id\n1\t5\n1\t6\n")
    target = read_target({"source": "table", "table": {"source_path": str(path)}})
    assert target == Target("dataset", ids=(5, 6))


def test_typed_terms():
    assert split_terms(' a ,b\n\n"c, d" ,\na') == ("a", "b", "c, d")
    assert well_label(701, 23) == "ZZ24"


def test_files_of_a_list_and_a_single_one():
    one = {"element_identifier": "a", "source_path": "/x"}
    assert read_files(one) == read_files([one]) == [NamedFile("a", Path("/x"))]
    with pytest.raises(UserError, match="it holds no file"):
        read_files(None)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", "+3"], "long"),
        (["9223372036854775807"], "long"),
        (["9223372036854775808"], "string"),
        (["9007199254740993", "1.5"], "string"),
        (["9007199254740993", ""], "string"),
        (["1", ""], "double"),
        (["1", "2.5", "1e-9", ".5", "5."], "double"),
        (["nan", "-Infinity", "3"], "double"),
        (["", ""], "double"),
        (["True", "false"], "bool"),
        (["True", ""], "string"),
        (["1", "True"], "string"),
        (["007"], "string"),
        (["1_000"], "string"),
        (["1,5"], "string"),
        (["0x10"], "string"),
    ],
)
def test_types_of_columns(tmp_path: Path, values, kind):
    path = tmp_path / "t.tsv"
    path.write_text("x\ty\n" + "".join(f"{value}\t-\n" for value in values))
    file = NamedFile("Image_1_a", path)
    features = survey_tables([file]).features
    assert features[0].kind == kind
    for (_, texts), value in zip(read_measurements([file], features), values, strict=True):
        found = convert(kind, texts[0])
        if kind == "string":
            assert found == value
        elif kind == "long":
            assert found == int(value)
        elif kind == "double":
            assert found == float(value or "nan") or math.isnan(found)


def test_a_column_that_one_table_lacks_is_blank_there(tmp_path: Path):
    texts = {"a": "label\tx\n1\t2\n", "b": "label\ty\n1\t5\n", "c": "label\tz\n"}
    files = []
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        files.append(NamedFile(f"Image_1_{name}", tmp_path / name))
    survey = survey_tables(files)
    assert {feature.name: feature.kind for feature in survey.features} == {
        "label": "long", "x": "double", "y": "double", "z": "double"
    }  # fmt: skip
    assert survey.images == ("Image_1_a", "Image_1_b", "Image_1_c")
    assert list(read_measurements(files, survey.features))[1] == ("Image_1_b", ["1", "", "5", ""])
