"""Every dialect of key-values gives the same pairs, with their places."""

import json
from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.key_value_dialects import (
    CLIENT_NAMESPACE,
    TAG_NAMESPACE,
    KeyValueFile,
    read_dialect,
    read_json_rows,
    read_key_values,
)
from bioimage_suite.tables.reader import read_text_table

DATA = Path(__file__).resolve().parents[3] / "test-data" / "fair"


def read(text: str, split: str = "") -> KeyValueFile:
    return read_dialect(read_text_table(text.encode(), "t.csv"), split)


def pairs(reading: KeyValueFile) -> list[tuple[str, str, str, str, str]]:
    return [(pair.target.kind, pair.target.id, pair.target.name, pair.key, pair.value) for pair in reading.pairs]


@pytest.mark.parametrize(
    ("file", "dialect", "first"),
    [
        ("template_rembi.csv", "template", ("image", "", "*")),
        ("key_values_old_scripts.csv", "omero-scripts-old", ("image", "", "cells_a.ome.tiff")),
        ("key_values_new_scripts.csv", "omero-scripts-new", ("image", "11", "cells_a.tif")),
        ("key_values_dresden.csv", "dresden", ("dataset", "", "nuclei")),
        ("key_values_omero_metadata.csv", "omero-metadata", ("image", "11", "")),
        ("key_values_tidy.tsv", "tidy", ("image", "11", "")),
    ],
)
def test_each_dialect_is_recognised(file: str, dialect: str, first: tuple[str, str, str]):
    reading = read_key_values(DATA / file, file)
    target = reading.targets[0][0]
    assert (reading.dialect, target.kind, target.id, target.name) == (dialect, *first)
    assert not reading.findings


def test_old_scripts_split_values_and_say_the_place():
    reading = read("filename;Drug;n\na.tif;A;1\n".replace(";", ",").replace("A,1", "A;B,1"))
    assert pairs(reading)[:2] == [("image", "", "a.tif", "Drug", "A"), ("image", "", "a.tif", "Drug", "B")]
    assert [(pair.line, pair.column) for pair in reading.pairs] == [(2, "B"), (2, "B"), (2, "C")]


def test_old_scripts_take_wells_and_an_unnamed_first_column():
    assert pairs(read("well,Drug\nA1,x\n")) == [("well", "", "A1", "Drug", "x")]
    assert pairs(read("my file,Drug\na.tif,x\n")) == [("image", "", "a.tif", "Drug", "x")]


def test_new_scripts_keep_namespaces_tags_repeated_keys_and_skip_parents():
    text = "namespace,,,lab,lab,\nOBJECT_ID,OBJECT_NAME,DATASET,Drug,Drug,TAG\n7,a.tif,d,x;y,z,t\n"
    reading = read(text)
    assert [(p.namespace, p.key, p.value) for p in reading.pairs] == [
        ("lab", "Drug", "x;y"), ("lab", "Drug", "z"), (TAG_NAMESPACE, "TAG", "t"),
    ]  # fmt: skip
    assert [pair.value for pair in read(text, split=";").pairs] == ["x", "y", "z", "t"]


def test_new_scripts_without_namespaces_use_the_one_that_people_can_edit():
    assert {pair.namespace for pair in read("OBJECT_NAME,Drug\na,x\n").pairs} == {CLIENT_NAMESPACE}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# header well,plate,s\nWell,Plate,Drug\nA1,P,x\n", ("well", "", "P/A1", "Drug", "x")),
        ("Image Name,Dataset Name,Drug\na.tif,D,x\n", ("image", "", "a.tif", "Drug", "x")),
        ("# header image,s\nimage,Drug\n12,x\n", ("image", "12", "", "Drug", "x")),
    ],
)
def test_omero_metadata_columns(text: str, expected: tuple[str, ...]):
    assert pairs(read(text)) == [expected]


@pytest.mark.parametrize("header", ["Dataset Name,Image Name", "dataset,image", "Dataset,Image ID"])
def test_a_table_of_images_that_begins_with_their_datasets_is_not_dresdens(header: str):
    reading = read(f"{header},Drug\nD,7,x\n")
    assert reading.dialect == "omero-metadata"
    [pair] = reading.pairs
    assert (pair.target.kind, pair.target.dataset, pair.target.id or pair.target.name) == ("image", "D", "7")


def test_tidy_keeps_order_and_duplicates():
    text = "object_type\tobject_id\tnamespace\tkey\tvalue\nImage\t1\tn\tk\tb\nImage\t1\tn\tk\ta\nImage\t1\tn\tk\tb\n"
    assert [pair.value for pair in read(text).pairs] == ["b", "a", "b"]


@pytest.mark.parametrize(("row", "column", "cells"), [("a,1,2,3", "D", "4 cells"), ("a,1", "C", "2 cells")])
def test_ragged_rows_are_said_with_line_and_column(row: str, column: str, cells: str):
    findings = read(f"image,k,l\nb,1,2\n{row}\n").findings
    assert [(f.level, f.line, f.column, f.found) for f in findings] == [("error", 3, column, cells)]


def test_quoted_line_breaks_do_not_shift_lines():
    assert [pair.line for pair in read('image,k\na,"one\ntwo"\nb,x\n').pairs] == [2, 4]


def test_a_column_without_a_name_is_said():
    assert [(f.level, f.column) for f in read("image,,k\na,x,y\n").findings] == [("error", "B")]


def test_200_columns():
    header = ",".join(["image", *(f"key {number}" for number in range(199))])
    assert len(read(f"{header}\na{',v' * 199}\n").pairs) == 199


def test_a_template_that_lost_its_image_column_is_said():
    findings = read("Study: Title,Biosample: Organism\nA title,Homo sapiens\n").findings
    assert [(f.level, f.line, f.expected) for f in findings] == [("error", 1, "a column 'image': which image a row is")]


def test_json_in_another_encoding_is_said(tmp_path: Path):
    (tmp_path / "t").write_bytes('[{"image": "a"}]'.encode("utf-16"))
    with pytest.raises(UserError, match=r"file t\.json: byte 0 is not UTF-8"):
        read_key_values(tmp_path / "t", "t.json")


def test_only_a_header():
    assert [f.found for f in read("image,k\n").findings] == ["no row under the header"]


def test_json_rows(tmp_path: Path):
    rows = [{"image": "a", "Organism": "Homo sapiens", "n": [1, 2.5], "ok": True, "no": None}]
    (tmp_path / "x").write_text(json.dumps(rows))
    reading = read_key_values(tmp_path / "x", "x.json")
    assert [(pair.key, pair.value) for pair in reading.pairs] == [
        ("Organism", "Homo sapiens"),
        ("n", "1"),
        ("n", "2.5"),
        ("ok", "true"),
    ]


@pytest.mark.parametrize("document", [3, {"x": 1}, ["a"], [{"image": "a", "k": {"deep": 1}}]])
def test_json_of_another_shape_is_said(document: object):
    assert "error" in {finding.level for finding in read_json_rows(document, "x").findings}
