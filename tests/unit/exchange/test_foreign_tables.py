"""Tables of other programs become measurement tables."""

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.exchange.annotated_data import to_anndata, write_h5ad
from bioimage_suite.exchange.foreign_tables import read_foreign
from bioimage_suite.exchange.typed_columns import typed
from bioimage_suite.tables.measurement_table import MeasurementTable

OBJECTS = (
    "ImageNumber,ObjectNumber,AreaShape_Area,AreaShape_Center_X,Intensity_MeanIntensity_DNA\n"
    "1,1,50,3.5,0.25\n2,1,7,1,\n"
)
IMAGES = "ImageNumber,FileName_DNA,Count_Nuclei\n1,a.tif,1\n2,b.tif,1\n"


def read(folder: Path, **files: str | bytes) -> MeasurementTable:
    listed = []
    for name, content in files.items():
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        listed.append((path, name))
    [(_, table)] = read_foreign(listed)
    return table


def test_cellprofiler_gets_the_names_of_its_images(tmp_path: Path):
    table = read(tmp_path, objects=OBJECTS, images=IMAGES)
    assert table.columns == ("image", "label", "area_px", "centroid_x_px", "Intensity_MeanIntensity_DNA")
    assert table.rows == (("a.tif", "1", "50", "3.5", "0.25"), ("b.tif", "1", "7", "1", ""))


def test_cellprofiler_without_names_of_images(tmp_path: Path):
    with pytest.raises(UserError, match="table objects: it has no names of images"):
        read(tmp_path, objects=OBJECTS)


def test_a_number_with_a_decimal_comma_does_not_shift_the_cells_behind_it(tmp_path: Path):
    objects = OBJECTS.replace("50,3.5,0.25", "50,3,5,0.25")
    with pytest.raises(UserError, match=r"table objects, line 2: 6 cells, but the header names 5\..*decimal comma"):
        read(tmp_path, objects=objects, images=IMAGES)


def test_two_runs_of_cellprofiler_do_not_take_names_of_each_other(tmp_path: Path):
    for name, content in {"im1": IMAGES, "o1": OBJECTS, "im2": IMAGES.replace("a.tif", "c.tif"), "o2": OBJECTS}.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=r"table im2: ImageNumber 1 is c\.tif, but also a\.tif"):
        read_foreign([(tmp_path / name, name) for name in ("im1", "o1", "im2", "o2")])


@pytest.mark.parametrize("own", ["label", "image", "area_px"])
def test_a_column_that_has_the_name_already_is_not_lost(tmp_path: Path, own: str):
    objects = OBJECTS.replace("Intensity_MeanIntensity_DNA", own)
    with pytest.raises(UserError, match=f"table objects: two of its columns would be called '{own}'"):
        read(tmp_path, objects=objects, images=IMAGES)


def annotated(folder: Path, values: np.ndarray, obs: dict, var: dict, index: list[str]) -> MeasurementTable:
    import anndata
    import pandas as pd

    rows = [f"c{number}" for number in range(len(values))]
    data = anndata.AnnData(values, obs=pd.DataFrame(obs, index=rows), var=pd.DataFrame(var, index=index))
    data.write_h5ad(folder / "a.h5ad")
    return read(folder, a=(folder / "a.h5ad").read_bytes())


def test_what_an_anndata_misses_is_empty(tmp_path: Path):
    import pandas as pd

    obs = {
        "image": pd.Categorical(["x", None]),
        "label": pd.array([1, None], dtype="Int64"),
        "good": pd.array([None, True], dtype="boolean"),
    }
    table = annotated(tmp_path, np.array([[0.5], [np.nan]]), obs, {}, ["f"])
    assert table.columns == ("image", "label", "good", "f")
    assert table.rows == (("x", "1", "", "0.5"), ("", "", "True", ""))


def test_whole_numbers_of_an_anndata_keep_all_digits(tmp_path: Path):
    table = annotated(tmp_path, np.array([[2**53 + 1]]), {"label": [1]}, {}, ["f"])
    assert table.texts("f") == ["9007199254740993"]


def test_features_of_an_anndata_with_one_name(tmp_path: Path):
    values = np.array([[1.0, 2.0]])
    assert annotated(tmp_path, values, {"label": [1]}, {"name": ["f", "f"]}, ["g", "h"]).rows == (
        ("a", "1", "1.0", "2.0"),
    )
    with pytest.raises(UserError, match="table a: two of its columns would be called 'g'"):
        annotated(tmp_path, values, {"label": [1]}, {}, ["g", "g"])
    with pytest.raises(UserError, match="table a: two of its columns would be called 'label'"):
        annotated(tmp_path, values, {"label": [1]}, {}, ["g", "label"])


def test_qupath_tables(tmp_path: Path):
    text = (
        "Image\tObject ID\tClassification\tParent\tCentroid X µm\tNucleus: Area µm^2\tNucleus: DAPI mean\n"
        "a.tif\tu-1\tTumor\tRoot\t10.5\t31\t7\nb.tif\tu-2\t\tRoot\t1\t2\t3\na.tif\tu-3\tTumor\tRoot\t4\t5\t6\n"
    )
    table = read(tmp_path, qupath=text)
    assert table.columns == (
        *("image", "label", "object_id", "class", "parent"),
        *("centroid_x_um", "nucleus_area_um2", "nucleus_mean_DAPI"),
    )
    assert [row[:4] for row in table.rows] == [
        ("a.tif", "1", "u-1", "Tumor"),
        ("b.tif", "1", "u-2", ""),
        ("a.tif", "2", "u-3", "Tumor"),
    ]


def square(size: float, **properties: object) -> dict:
    ring = [[0, 0], [size, 0], [size, size], [0, size], [0, 0]]
    return {
        "type": "Feature",
        "id": "u",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties,
    }


@pytest.mark.parametrize("measured", [{"Nucleus: DAPI mean": 7.5}, [{"name": "Nucleus: DAPI mean", "value": 7.5}]])
def test_qupath_geojson_of_both_versions(tmp_path: Path, measured: object):
    feature = square(10, classification={"name": "Tumor"}, measurements=measured)
    table = read(tmp_path, cells=json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert dict(zip(table.columns, table.rows[0], strict=True)) == {
        **{"image": "cells", "label": "1", "object_id": "u", "class": "Tumor", "area_px": "100.0"},
        **{"centroid_x_px": "4.5", "centroid_y_px": "4.5", "nucleus_mean_DAPI": "7.5"},
    }


def test_a_hole_has_no_area(tmp_path: Path):
    feature = square(10)
    feature["geometry"]["coordinates"].append([[0, 0], [0, 5], [5, 5], [5, 0], [0, 0]])
    table = read(tmp_path, cells=json.dumps([feature]))
    assert table.texts("area_px") == ["75.0"]
    assert float(table.texts("centroid_x_px")[0]) == pytest.approx((100 * 5 - 25 * 2.5) / 75 - 0.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("a\tb\n1\t2\n", "of no program that is known; its columns are a, b"),
        (b"PAR1 and no more", "table x: damaged or cut short"),
        (b"\x89HDF\r\n\x1a\n and no more", "table x: "),
        ('[{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": []}}]', "feature 1"),
        ('[{"type": "Feature", "geometry": null}]', "feature 1"),
        ("Image\tCentroid X px\tcentroid X px\na\t1\t2\n", "two of its columns would be called 'centroid_x_px'"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, content: str | bytes, message: str):
    with pytest.raises(UserError, match=message):
        read(tmp_path, x=content)


def test_a_zip_without_a_table(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "z", "w") as archive:
        archive.writestr("zarr.json", "{}")
        archive.writestr("../tables/x/obs/zarr.json", "{}")
    with pytest.raises(UserError, match="file z"):
        read_foreign([(tmp_path / "z", "z")])
    assert not (tmp_path.parent / "tables").exists()


def test_small_files_that_declare_any_number_of_cells_are_refused(tmp_path: Path):
    import h5py
    import pyarrow as pa
    import zarr
    from pyarrow import parquet

    with parquet.ParquetWriter(tmp_path / "p", pa.schema([("image", pa.int8())])) as writer:
        for _ in range(51):
            writer.write_table(pa.table({"image": pa.array([1] * 1_000_000, pa.int8())}))
    with h5py.File(tmp_path / "h", "w") as file:
        file.create_dataset("obs/area_px", shape=(10, 6_000_000), chunks=(1, 1000), dtype="f8")
    zarr.create_array(tmp_path / "s.zarr/tables/table/obs/area_px", shape=(60_000_000,), chunks=(1000,), dtype="f8")
    zarr.open_group(tmp_path / "s.zarr/tables/table", mode="a").require_group("obs")
    with zipfile.ZipFile(tmp_path / "z", "w") as archive:
        for path in (tmp_path / "s.zarr").rglob("*.json"):
            archive.write(path, path.relative_to(tmp_path))
    for name, count in (("p", "51,000,000"), ("h", "60,000,000"), ("z", "60,000,000")):
        assert (tmp_path / name).stat().st_size < 200_000
        with pytest.raises(
            UserError, match=rf"^table {name}: {count} cells, at most 50,000,000 are read\. Split it\.$"
        ):
            read_foreign([(tmp_path / name, name)])


@pytest.mark.parametrize("way", ["link", "bytes", "virtual array"])
def test_an_anndata_reads_no_other_file(tmp_path: Path, way: str):
    table = MeasurementTable("a", ("image", "label", "area_px"), (("a", "1", "5"), ("a", "2", "6")))
    write_h5ad(tmp_path / "a.h5ad", to_anndata([("labels", "a", typed(table))]))
    (tmp_path / "secret.txt").write_text("a password of somebody else")
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.full((2, 1), 7777.0)
    with h5py.File(tmp_path / "a.h5ad", "a") as file:
        said = dict(file["X"].attrs)
        del file["X"]
        if way == "link":
            file["X"] = h5py.ExternalLink(tmp_path / "secret.h5", "x")
        elif way == "bytes":
            file.create_dataset("X", (2, 1), float, external=[(str(tmp_path / "secret.txt"), 0, 16)]).attrs.update(said)
        else:
            layout = h5py.VirtualLayout((2, 1), float)
            layout[:] = h5py.VirtualSource(tmp_path / "secret.h5", "x", (2, 1))
            file.create_virtual_dataset("X", layout).attrs.update(said)
    with pytest.raises(UserError, match=r"table a: .*'X'.* other files are not read\. Save it as one file"):
        read_foreign([(tmp_path / "a.h5ad", "a")])
