"""SpatialData, AnnData, Parquet and GeoJSON say what the tables say; what does not fit is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.exchange.annotated_data import to_anndata, write_h5ad, write_parquet
from bioimage_suite.exchange.foreign_tables import read_foreign
from bioimage_suite.exchange.qupath import features, write_geojson
from bioimage_suite.exchange.spatial_data import Field, write_spatial_data
from bioimage_suite.exchange.typed_columns import Typed, typed
from bioimage_suite.images.ome_zarr.archive import pack
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.tables.measurement_table import MeasurementTable

COLUMNS = ("image", "label", "area_um2", "mean_a b/c", "class", "empty")
ROWS = (("im", "3", "0.1", "1", "x", ""), ("im", "7", "0.30000000000000004", "", "", ""))


def made(folder: Path, labels: np.ndarray, name: str = "im") -> Field:
    tifffile.imwrite(folder / f"{name}.tif", labels.astype(np.uint8))
    tifffile.imwrite(folder / f"{name}.l.tif", labels)
    return Field(open_image(folder / f"{name}.tif", name), open_image(folder / f"{name}.l.tif", name), table())


def table(rows: tuple = ROWS) -> Typed:
    return typed(MeasurementTable("im", COLUMNS, rows))


@pytest.fixture
def labels() -> np.ndarray:
    plane = np.zeros((20, 30), np.int32)
    plane[2:8, 3:9] = 3
    plane[4:6, 5:7] = 0
    plane[10:14, 10:20] = 7
    plane[15, 25] = 7
    return plane


@pytest.mark.parametrize("form", ["spatialdata", "h5ad", "parquet"])
def test_a_table_comes_back_as_it_was(tmp_path: Path, labels: np.ndarray, form: str):
    path = tmp_path / form
    if form == "spatialdata":
        (tmp_path / "zarr").mkdir()
        write_spatial_data(tmp_path / "zarr", [made(tmp_path, labels)])
        pack(tmp_path / "zarr", path)
    elif form == "h5ad":
        write_h5ad(path, to_anndata([("im_labels", "im", table())]))
    else:
        write_parquet(path, [("im_labels", "im", table())])
    [(program, found)] = read_foreign([(path, form)])
    assert program.lower() == {"h5ad": "anndata"}.get(form, form)
    said = {name: found.texts(name) for name in ("image", "label", "area_um2", "class")}
    assert said == {
        **{"image": ["im", "im"], "label": ["3", "7"]},
        **{"area_um2": ["0.1", "0.30000000000000004"], "class": ["x", ""]},
    }
    value, missing = found.texts("mean_a b/c")
    assert (float(value), missing) == (1, "")


def test_objects_for_qupath_have_classes_measurements_and_exact_outlines(tmp_path: Path, labels: np.ndarray):
    from shapely.geometry import shape

    field = made(tmp_path, labels)
    path = tmp_path / "o.geojson"
    assert write_geojson(path, features(field.labels, "im", field.table)) == 2
    found = json.loads(path.read_text())["features"]
    assert [shape(one["geometry"]).area for one in found] == [32, 41]
    assert found[0]["properties"]["measurements"] == {"area_um2": 0.1, "mean_a b/c": 1.0}
    assert found[0]["properties"]["classification"]["name"] == "x"
    assert found[1]["properties"]["measurements"] == {"area_um2": 0.30000000000000004}
    assert [one["id"] for one in found] == [one["id"] for one in features(field.labels, "im", field.table)]
    [(program, back)] = read_foreign([(path, "o")])
    assert (program, back.texts("label"), back.texts("class")) == ("QuPath", ["3", "7"], ["x", ""])
    ys, xs = np.nonzero(labels == 7)
    assert float(back.texts("centroid_x_px")[1]) == pytest.approx(xs.mean())
    assert float(back.texts("centroid_y_px")[1]) == pytest.approx(ys.mean())
    assert back.texts("image") == ["im", "im"]


def test_a_label_that_the_map_has_not(tmp_path: Path, labels: np.ndarray):
    field = replace(made(tmp_path, labels), table=table((*ROWS, ("im", "8", "1", "1", "", ""))))
    (tmp_path / "zarr").mkdir()
    with pytest.raises(UserError, match="label map im: it has no label 8"):
        write_spatial_data(tmp_path / "zarr", [field])
    with pytest.raises(UserError, match="label map im: it has no label 8"):
        list(features(field.labels, "im", field.table))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((("im", "x", "1", "1", "", ""),), "no column label of whole numbers"),
        ((ROWS[0], ROWS[0]), "label 3 has several rows"),
    ],
)
def test_tables_without_one_row_an_object(rows: tuple, message: str):
    with pytest.raises(UserError, match=message):
        to_anndata([("im_labels", "im", table(rows))])


def test_a_movie_and_names_twice_are_refused(tmp_path: Path, labels: np.ndarray):
    field = made(tmp_path, labels)
    (tmp_path / "zarr").mkdir()
    movie = replace(field.image, size_t=3)
    with pytest.raises(UserError, match="a movie of 3 time points"):
        write_spatial_data(tmp_path / "zarr", [Field(movie)])
    with pytest.raises(UserError, match="two have this name"):
        write_spatial_data(tmp_path / "zarr", [field, field])
    with pytest.raises(UserError, match="its name is longer than a folder's can be"):
        write_spatial_data(tmp_path / "zarr", [Field(replace(field.image, name="a" * 250))])
    with pytest.raises(UserError, match="no column has numbers"):
        to_anndata([("r", "im", typed(MeasurementTable("im", ("label", "class"), (("1", "x"),))))])


def test_ids_keep_all_digits():
    ids = ["9007199254740993", "123456789012345678901", "5"]
    rows = tuple(("im", one, "9007199254740992") for one in ids)
    found = typed(MeasurementTable("im", ("image", "object_id", "sum"), rows)).columns
    assert found["object_id"] == ids
    np.testing.assert_array_equal(found["sum"], [2.0**53] * 3)
    digits = ("9" * 5000,)
    assert typed(MeasurementTable("im", ("area_px",), (digits,))).columns["area_px"] == list(digits)


def test_centroids_are_numbers_or_are_not_there():
    columns = ("image", "label", "centroid_x_um", "centroid_y_um", "area_px")
    rows = [("im", "1", "1.5", "2", "3"), ("im", "2", "", "4", "5")]
    found = typed(MeasurementTable("im", columns, tuple(rows))).positions("im")
    assert found is not None
    np.testing.assert_array_equal(found, [[1.5, 2], [np.nan, 4]])
    empty = tuple((*row[:2], "", *row[3:]) for row in rows)
    assert typed(MeasurementTable("im", columns, empty)).positions("im") is None
    with pytest.raises(UserError, match="im: column 'centroid_x_um': '1,5' is no number"):
        typed(MeasurementTable("im", columns, (("im", "1", "1,5", "2", "3"),))).positions("im")
