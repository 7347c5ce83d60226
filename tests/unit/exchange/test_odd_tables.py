"""Tables of other programs that are odd, damaged or hostile: the right cells, or an error; never others in silence."""

import json

import anndata
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from bioimage_suite.core.errors import UserError
from bioimage_suite.exchange import foreign_tables
from bioimage_suite.exchange.foreign_tables import read_foreign

IMAGES = "ImageNumber,FileName_DNA\n1,a.tif\n2,b.tif\n"


def read(path):
    return read_foreign([(path, "t")])[0][1]


def observed(folder, values, names=("f", "g"), **columns):
    obs = pd.DataFrame({"image": ["a", "b"], "label": [1, 2], **columns}, index=["1", "2"])
    anndata.AnnData(X=values, obs=obs, var=pd.DataFrame(index=list(names))).write_h5ad(folder / "t.h5ad")
    return folder / "t.h5ad"


def test_cells_of_anndata_that_are_missing_are_empty(tmp_path):
    columns = {
        "n": pd.array([1, None], "Int64"),
        "b": pd.array([None, True], "boolean"),
        "c": pd.Categorical(["x", None]),
    }
    table = read(observed(tmp_path, np.ones((2, 2)), **columns))
    assert [table.texts(name) for name in "nbc"] == [["1", ""], ["", "True"], ["x", ""]]


def test_whole_numbers_of_anndata_keep_all_digits(tmp_path):
    table = read(observed(tmp_path, np.array([[2**53 + 1, 1], [3, 4]])))
    assert table.texts("f") == ["9007199254740993", "3"]


@pytest.mark.parametrize(("names", "columns"), [(("f", "f"), {}), (("label", "g"), {}), (("f", "g"), {"f": [7, 8]})])
def test_a_column_of_anndata_does_not_take_the_place_of_another(names, columns, tmp_path):
    with pytest.raises(UserError, match=r"table t: two of its columns would be called '(f|label)'"):
        read(observed(tmp_path, np.ones((2, 2)), names, **columns))


def test_chunks_of_more_cells_than_a_table_may_have_are_not_unpacked(tmp_path, monkeypatch):
    path = observed(tmp_path, np.ones((2, 2)))
    with h5py.File(path, "a") as file:
        attributes = dict(file["X"].attrs)
        del file["X"]
        file.create_dataset("X", (2, 2), dtype="f4", chunks=(100, 100), maxshape=(None, None)).attrs.update(attributes)
    monkeypatch.setattr(foreign_tables, "MAX_CELLS", 1000)
    with pytest.raises(UserError, match="table t: 10,000 cells, at most 1,000 are read"):
        read(path)


def parquet_of(folder, **columns):
    parquet.write_table(pa.table({"image": ["a", "a", "b"], "label": [1, 2, 3], **columns}), folder / "t.parquet")
    return folder / "t.parquet"


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        (pa.array([1, None, 2**63 - 1]), ["1", "", "9223372036854775807"]),
        (pa.array(["u", "v", None]), ["u", "v", ""]),
        (pa.array(["u", "v", None], pa.large_string()), ["u", "v", ""]),
        (pa.array(["u", "v", None]).dictionary_encode(), ["u", "v", ""]),
        (pa.array([5, None, 5]).dictionary_encode(), ["5", "", "5"]),
        (pa.array([True, None, False]), ["True", "", "False"]),
        (pa.array([0.1, float("nan"), None]), ["0.1", "", ""]),
        (pa.nulls(3), ["", "", ""]),
    ],
)
def test_cells_of_parquet_are_those_that_were_written(column, cells, tmp_path):
    assert read(parquet_of(tmp_path, x=column)).texts("x") == cells


def test_columns_of_parquet_without_texts_or_numbers_are_left_out_and_named(tmp_path, capsys):
    path = parquet_of(tmp_path, where=[b"\1", b"\2", None], parts=[[1], [2], []], both=[{"a": 1}] * 3)
    assert read(path).columns == ("image", "label")
    assert "its columns where, parts, both hold no texts or numbers and are left out" in capsys.readouterr().out


def test_a_long_text_that_each_row_repeats_is_not_written_out(tmp_path, monkeypatch):
    monkeypatch.setattr(foreign_tables, "MAX_TEXT", 2000)
    with pytest.raises(UserError, match=r"table t: 3,0.. characters as a text, at most 2,000 are read"):
        read(parquet_of(tmp_path, x=["x" * 1000] * 3))


def test_two_columns_of_cellprofiler_do_not_get_the_same_name(tmp_path):
    (tmp_path / "images").write_text(IMAGES)
    (tmp_path / "objects").write_text("ImageNumber,ObjectNumber,AreaShape_Area,area_px\n1,1,5,6\n")
    with pytest.raises(UserError, match="table objects: two of its columns would be called 'area_px'"):
        read_foreign([(tmp_path / name, name) for name in ("images", "objects")])


SQUARE, INNER = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], [[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]]]


@pytest.mark.parametrize(
    ("rings", "message"),
    [
        ([INNER, SQUARE], "a polygon with holes that are larger than it"),
        ([[[0, 0], [1e300, 0], [0, 1e300], [0, 0]]], "a coordinate is not a number, or beyond 1,000,000,000"),
    ],
)
def test_an_area_is_never_negative_or_infinite(rings, message, tmp_path):
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": rings}, "properties": {}}
    (tmp_path / "t").write_text(json.dumps(feature))
    with pytest.raises(UserError, match=f"file t, feature 1: .*{message}"):
        read(tmp_path / "t")
