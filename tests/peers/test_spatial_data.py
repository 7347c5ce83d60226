"""What is written as SpatialData, AnnData and Parquet is read back by spatialdata, squidpy, anndata and pandas."""

import json
from pathlib import Path

import export_spatialdata
import numpy as np
import pytest
import tifffile

SPACE = """
import zipfile, spatialdata, squidpy
from spatialdata.transformations import get_transformation
folder = sys.argv[1] + ".zarr"
zipfile.ZipFile(sys.argv[1]).extractall(folder)
data = spatialdata.read_zarr(folder)
table = data.tables["table"]
squidpy.gr.spatial_neighbors(table, coord_type="generic", n_neighs=2, library_key="region")
matched, joined = spatialdata.join_spatialelement_table(data, ["b_labels"], None, "table", how="left")
image = data.images["b"]
levels = image["scale0"].image if hasattr(image, "keys") and "scale0" in image else image
answer = {
    "elements": sorted(f"{kind}/{name}" for kind, name, _ in data.gen_elements()),
    "pixels": levels.values.tolist(),
    "channels": [str(name) for name in levels.coords["c"].values],
    "labels": data.labels["b_labels"].values.tolist(),
    "scale": get_transformation(data.shapes["b_shapes"]).to_affine_matrix(("x", "y"), ("x", "y")).tolist(),
    "image_scale": get_transformation(image).to_affine_matrix(("x", "y"), ("x", "y")).tolist(),
    "areas": {str(k): float(v) for k, v in data.shapes["b_shapes"].area.items()},
    "valid": bool(data.shapes["b_shapes"].is_valid.all()),
    "values": {name: [float(v) for v in table[:, name].X[:, 0]] for name in table.var_names},
    "names": table.var["name"].tolist(), "instances": table.obs["label"].tolist(), "joined": joined.n_obs,
    "neighbours": int(table.obsp["spatial_connectivities"].nnz),
}
"""
TABLES = """
import anndata, pandas
data = anndata.read_h5ad(sys.argv[1])
frame = pandas.read_parquet(sys.argv[2])
answer = {
    "index": data.obs_names.tolist(), "class": data.obs["class"].tolist(), "spatial": data.obsm["spatial"].tolist(),
    "types": {name: str(kind) for name, kind in frame.dtypes.items()}, "rows": frame.fillna(-1).values.tolist(),
}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two images with label maps and tables through the tool; the second has other labels and a hole."""
    folder = tmp_path_factory.mktemp("made")
    inputs: dict[str, list] = {"images": [], "labels": [], "tables": []}
    for number, name in enumerate("ab"):
        pixels = np.random.default_rng(number).integers(0, 60000, (2, 40, 50)).astype(np.uint16)
        labels = np.zeros((40, 50), np.int32)
        labels[2:9, 2:9], labels[20:30, 20:40], labels[35:38, 3:6] = 4 + number, 70000, 9
        labels[4:6, 4:6] = 0
        metadata = {
            "axes": "CYX",
            "Channel": {"Name": ["DAPI", "GFP & co"]},
            "PhysicalSizeX": 0.5,
            "PhysicalSizeY": 0.25,
        }
        tifffile.imwrite(folder / f"{name}.ome.tiff", pixels, metadata=metadata, photometric="minisblack")
        tifffile.imwrite(folder / f"{name}.labels.tiff", labels)
        rows = [
            f"{label}\t{n / 3}\t{n or ''}\t{'xyz'[n]}\t{n}\t{2 * n}" for n, label in enumerate((4 + number, 9, 70000))
        ]
        header = "label\tarea_um2\tmean_a b/c\tclass\tcentroid_x_um\tcentroid_y_um"
        (folder / f"{name}.tsv").write_text("\n".join([header, *rows]) + "\n")
        inputs["images"].append([f"{name}.ome.tiff", str(folder / f"{name}.ome.tiff")])
        inputs["labels"].append([name, str(folder / f"{name}.labels.tiff")])
        inputs["tables"].append([f"{name}.tabular", str(folder / f"{name}.tsv")])
    (folder / "in.json").write_text(json.dumps(inputs))
    outputs = [f"--{kind}={folder / kind}" for kind in ("spatialdata", "h5ad", "parquet")]
    export_spatialdata.main([f"--inputs={folder / 'in.json'}", *outputs])
    return folder


def test_spatialdata_and_squidpy_read_it(made: Path, peer):
    found = peer(SPACE, made / "spatialdata")
    kinds = ("images/{}", "labels/{}_labels", "shapes/{}_shapes")
    assert found["elements"] == sorted([*(kind.format(name) for kind in kinds for name in "ab"), "tables/table"])
    np.testing.assert_array_equal(found["pixels"], tifffile.imread(made / "b.ome.tiff"))
    np.testing.assert_array_equal(found["labels"], tifffile.imread(made / "b.labels.tiff"))
    assert found["channels"] == ["DAPI", "GFP & co"]
    assert found["scale"] == found["image_scale"] == [[0.5, 0, 0], [0, 0.25, 0], [0, 0, 1]]
    assert (found["areas"], found["valid"]) == ({"5": 45.0, "9": 9.0, "70000": 200.0}, True)
    assert found["names"] == ["area_um2", "mean_a b/c", "centroid_x_um", "centroid_y_um"]
    assert found["values"]["area_um2"] == [0, 1 / 3, 2 / 3] * 2
    np.testing.assert_array_equal(found["values"]["mean_a_b_c"], [np.nan, 1, 2] * 2)
    assert found["instances"] == [4, 9, 70000, 5, 9, 70000]
    assert (found["joined"], found["neighbours"]) == (3, 12)


def test_anndata_and_pandas_read_the_tables(made: Path, peer):
    found = peer(TABLES, made / "h5ad", made / "parquet")
    assert found["index"][:2] == ["a_labels_4", "a_labels_9"]
    assert found["class"] == ["x", "y", "z"] * 2
    assert found["spatial"] == [[0, 0], [1, 2], [2, 4]] * 2
    assert found["types"] == {
        **{"image": "object", "label": "int64", "area_um2": "float64", "mean_a b/c": "float64", "class": "object"},
        **{"centroid_x_um": "int64", "centroid_y_um": "int64"},
    }
    assert found["rows"][1] == ["a.ome.tiff", 9, 1 / 3, 1, "y", 1, 2]
