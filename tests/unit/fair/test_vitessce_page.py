"""The page for Vitessce: its configuration, the pixels that it carries, and what it must not do."""

import base64
import html
import json
import re
import zlib
from pathlib import Path
from typing import Any

import convert_image
import numpy as np
import pytest
import tifffile
import zarr

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.vitessce.config import (
    DataAddresses,
    ImageMeasurements,
    build_config,
    choose_axes,
    measurements_csv,
    measurements_of,
    points_csv,
)
from bioimage_suite.fair.vitessce.image import load_picture, zarr_files
from bioimage_suite.fair.vitessce.page import INLINE, VIEWER_ADDRESS, VIEWER_SHA256, build_page, check_viewer
from bioimage_suite.fair.vitessce.view import Inputs, make_view
from bioimage_suite.images.model import bands
from bioimage_suite.images.ome_zarr.archive import pack
from bioimage_suite.tables.measurement_table import read_measurement_table

DATA = Path(__file__).resolve().parents[3] / "test-data"
TABLE = "image\tlabel\tarea_px\tclass\tmean_DAPI\na\t1\t10\tx\t0.5\na\t3\t30\ty\t\na\t7\t20\tx\t0.25\n"


def inputs(**changes: Any) -> Inputs:
    files = {
        "image": DATA / "nuclei.ome.tiff",
        "labels": DATA / "nuclei_truth.ome.tiff",
        "table": DATA / "fair_archives" / "nuclei_measured.tabular",
    }
    return Inputs("nuclei", **(files | changes))


def incoming(page: str) -> dict[str, Any]:
    found = re.search(r'data-incoming="([^"]*)"', page)
    assert found
    return json.loads(html.unescape(found[1]))["visualization_config"]["dataset_content"]


def carried(page: str) -> dict[str, bytes]:
    found = re.search(r'<script type="application/json" id="files">(.*?)</script>', page, re.DOTALL)
    assert found
    return {path: base64.b64decode(data) for path, data in json.loads(found[1]).items()}


def unpack(page: str, folder: Path) -> Path:
    for path, data in carried(page).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def test_the_page_carries_the_very_pixels(tmp_path: Path) -> None:
    _, page = make_view({}, inputs())
    folder = unpack(page, tmp_path)
    image = zarr.open_group(folder / "image.zarr", mode="r")
    labels = zarr.open_group(folder / "labels.zarr", mode="r")
    np.testing.assert_array_equal(np.asarray(image["0"])[0, 0, 0], tifffile.imread(DATA / "nuclei.ome.tiff"))
    np.testing.assert_array_equal(np.asarray(labels["0"])[0, 0, 0], tifffile.imread(DATA / "nuclei_truth.ome.tiff"))
    described: Any = dict(image.attrs)
    assert [axis["name"] for axis in described["multiscales"][0]["axes"]] == list("tczyx")


def test_views_share_what_is_chosen() -> None:
    view, page = make_view({"image_address": "https://example.org/image.zarr"}, inputs())
    shown = incoming(page)
    kinds = [file["fileType"] for file in shown["datasets"][0]["files"]]
    assert kinds == ["image.ome-zarr", "obsSegmentations.ome-zarr", "obsEmbedding.csv", "obsFeatureMatrix.csv"]
    scatter = next(part for part in shown["layout"] if part["component"] == "scatterplot")["coordinationScopes"]
    channel = shown["coordinationSpace"]["metaCoordinationScopesBy"]["A"]["segmentationChannel"]
    for kind in ("obsSetSelection", "obsHighlight", "featureSelection", "obsColorEncoding", "obsType"):
        assert channel[kind]["labels"] == scatter[kind]
    assert view["datasets"][0]["files"][0]["url"] == "https://example.org/image.zarr"
    assert INLINE not in json.dumps(view)
    # What Galaxy's sniffer for vitessce.json looks for.
    assert {"version", "datasets", "layout", "coordinationSpace"} <= view.keys()


def test_every_scope_that_a_view_names_exists() -> None:
    _, page = make_view({}, inputs())
    config = incoming(page)
    space = config["coordinationSpace"]
    for part in config["layout"]:
        for kind, scope in part["coordinationScopes"].items():
            for name in scope if isinstance(scope, list) else [scope]:
                assert name in space[kind]
    for kind, scopes in space["metaCoordinationScopesBy"]["A"].items():
        for inner, by in scopes.items():
            for outer, scope in by.items():
                assert outer in space[kind]
                for name in scope if isinstance(scope, list) else [scope]:
                    assert name in space[inner]


def test_same_input_same_page() -> None:
    assert make_view({}, inputs()) == make_view({}, inputs())


@pytest.mark.parametrize(
    ("changes", "components"),
    [
        ({"labels": None, "table": None}, ["spatialBeta", "layerControllerBeta"]),
        ({"image": None, "table": None}, ["spatialBeta", "layerControllerBeta"]),
        ({"image": None, "labels": None}, ["scatterplot", "featureList", "obsSets"]),
    ],
)
def test_any_of_the_inputs_is_enough(changes: dict[str, Any], components: list[str]) -> None:
    view, page = make_view({}, inputs(**changes))
    assert [part["component"] for part in incoming(page)["layout"]] == components
    # Without an address there is nothing for the configuration but the table, and it says so.
    assert [part["component"] for part in view["layout"]] == (["description"] if "table" in changes else components)


def test_nothing_to_show() -> None:
    with pytest.raises(UserError, match="nothing to show"):
        make_view({}, Inputs("nothing"))


def test_large_images_shrink_and_say_so(tmp_path: Path) -> None:
    _, page = make_view({"max_megabytes": 0.2}, inputs())
    assert "Each pixel shown stands for 2 x 2 pixels" in incoming(page)["description"]
    folder = unpack(page, tmp_path)
    original = tifffile.imread(DATA / "nuclei.ome.tiff")
    small = np.asarray(zarr.open_group(folder / "image.zarr", mode="r")["0"])[0, 0, 0]
    mean = original.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(small, mean, atol=0.5)
    labels = np.asarray(zarr.open_group(folder / "labels.zarr", mode="r")["0"])[0, 0, 0]
    np.testing.assert_array_equal(labels, tifffile.imread(DATA / "nuclei_truth.ome.tiff")[::2, ::2])


def test_odd_sizes_and_all_axes(tmp_path: Path) -> None:
    pixels = np.arange(2 * 3 * 2 * 37 * 45, dtype=np.uint16).reshape(2, 3, 2, 37, 45)
    path = tmp_path / "a.ome.tiff"
    metadata = {"axes": "TCZYX", "PhysicalSizeX": 500, "PhysicalSizeXUnit": "nm", "Channel": {"Name": ["a", "b", "c"]}}
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata=metadata)
    picture = load_picture(path, "a", 10**6)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.channels == ("a", "b", "c")
    assert picture.physical_um["x"] == 0.5
    assert load_picture(path, "a", 10**6, shrunk=2).pixels.shape == (2, 3, 2, 19, 23)
    files = zarr_files(picture)
    assert len(zlib.decompress(files["0/1/2/1/0/0"])) == 37 * 45 * 2
    # A chunk of zeros is not written: its absence means zeros.
    assert "0/0/0/0/0/0" in files


@pytest.mark.parametrize("step", [1, 2, 8])
def test_bands_of_rows_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.random.default_rng(4).integers(0, 60_000, (83, 45), dtype=np.uint16))
    whole = [load_picture(tmp_path / "a.tif", "a", 10**6, labels=labels, shrunk=step) for labels in (False, True)]
    monkeypatch.setattr(bands, "BAND_PIXELS", 45 * 9)
    cut = [load_picture(tmp_path / "a.tif", "a", 10**6, labels=labels, shrunk=step) for labels in (False, True)]
    for one, other in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_empty_chunks_are_left_out(tmp_path: Path) -> None:
    pixels = np.zeros((300, 300), np.uint8)
    pixels[:10, :10] = 5
    tifffile.imwrite(tmp_path / "a.tiff", pixels)
    files = zarr_files(load_picture(tmp_path / "a.tiff", "a", 10**6))
    assert [path for path in files if path.startswith("0/0/")] == ["0/0/0/0/0/0"]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_is_read_too(tmp_path: Path, version: str) -> None:
    pixels = np.random.default_rng(2).integers(0, 255, (2, 40, 50), dtype=np.uint8)
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2 if version == "0.4" else 3)
    group.create_array("0", data=pixels, chunks=(1, 20, 20))
    axes = [{"name": "c", "type": "channel"}, *({"name": n, "type": "space", "unit": "micrometer"} for n in "yx")]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 0.5, 0.5]}]}
    described: dict[str, Any] = {"multiscales": [{"axes": axes, "datasets": [level]}]}
    group.attrs.update(described if version == "0.4" else {"ome": described})
    pack(tmp_path / "a.zarr", tmp_path / "a.ozx", version)
    for place in ("a.zarr", "a.ozx"):
        picture = load_picture(tmp_path / place, "a", 10**6)
        np.testing.assert_array_equal(picture.pixels[0, :, 0], pixels)
        assert picture.physical_um == {"x": 0.5, "y": 0.5}


@pytest.fixture
def own_labels(tmp_path: Path) -> Path:
    """An OME-Zarr with two label maps inside, as convert_image writes it."""
    folder, other = tmp_path / "a.zarr", tmp_path / "cells.tiff"
    tifffile.imwrite(other, tifffile.imread(DATA / "nuclei_truth.ome.tiff").astype(np.uint16) * 2)
    words = ["--image", DATA / "nuclei.ome.tiff", "--output", folder, "--format", "ome-zarr-0.5"]
    words += ["--labels", DATA / "nuclei_truth.ome.tiff", "--label-name=nuclei", "--labels", other]
    convert_image.main([str(word) for word in (*words, "--label-name=cells")])
    return folder


def test_label_maps_inside_an_ome_zarr_are_shown(
    own_labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack(own_labels, tmp_path / "a.ozx", "0.5")
    capsys.readouterr()
    pages = [make_view({}, Inputs("a", place))[1] for place in (own_labels, tmp_path / "a.ozx")]
    assert "of its label maps the first, 'nuclei', is shown, not 'cells'" in capsys.readouterr().out
    labels = zarr.open_group(unpack(pages[0], tmp_path / "page") / "labels.zarr", mode="r")
    np.testing.assert_array_equal(np.asarray(labels["0"])[0, 0, 0], tifffile.imread(DATA / "nuclei_truth.ome.tiff"))
    assert carried(pages[0]) == carried(pages[1])
    # A label map that is given is taken instead.
    _, page = make_view({}, Inputs("a", own_labels, tmp_path / "cells.tiff"))
    labels = zarr.open_group(unpack(page, tmp_path / "given") / "labels.zarr", mode="r")
    np.testing.assert_array_equal(np.asarray(labels["0"])[0, 0, 0], tifffile.imread(tmp_path / "cells.tiff"))


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (["no"], "a, labels no: its Zarr metadata cannot be read"),
        (
            ["../.."],
            "a, labels ../..: its part 'labels/../../.zarray' leads (by a link or '..') to a place outside of it",
        ),
        ("nuclei", "the list of its label maps is no list of names"),
        ([1], "the list of its label maps is no list of names"),
    ],
)
def test_a_list_of_label_maps_that_is_wrong(own_labels: Path, listed: Any, said: str) -> None:
    zarr.open_group(own_labels / "labels", mode="a").attrs["ome"] = {"version": "0.5", "labels": listed}
    with pytest.raises(UserError, match=re.escape(said)):
        make_view({}, Inputs("a", own_labels))


def test_images_that_cannot_be_shown(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "float.tiff", np.full((64, 64), 0.5, np.float32))
    tifffile.imwrite(tmp_path / "many.tiff", np.zeros((500, 40, 40), np.uint8))
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(UserError, match=r"a pixel of plane t=0, z=0 is 0\.5, which is no label"):
        load_picture(tmp_path / "float.tiff", "float", 10**6, labels=True)
    with pytest.raises(UserError, match="500 planes are too many"):
        load_picture(tmp_path / "many.tiff", "many", 10_000)
    with pytest.raises(UserError, match="no OME-Zarr image"):
        load_picture(tmp_path / "empty.zarr", "empty", 10**6)
    (tmp_path / "cut.ozx").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(UserError, match="damaged or cut short"):
        load_picture(tmp_path / "cut.ozx", "cut", 10**6)
    with pytest.raises(UserError, match="not an image of a known format"):
        load_picture(DATA / "not_an_image.tiff", "x", 10**6)


def test_label_map_of_another_image(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "labels.tiff", np.ones((64, 64), np.uint16))
    with pytest.raises(UserError, match="512 x 512 and 64 x 64"):
        make_view({}, inputs(labels=tmp_path / "labels.tiff"))


def measured_in(folder: Path, text: str, image: str) -> ImageMeasurements:
    (folder / "t.tsv").write_text(text)
    return measurements_of(read_measurement_table(folder / "t.tsv", "t"), image)


def test_measurements(tmp_path: Path) -> None:
    measured = measured_in(tmp_path, TABLE, "a")
    assert measured.labels == (1, 3, 7)
    assert measured.features == ("area_px", "mean_DAPI")
    assert measurements_csv(measured) == "label,area_px,mean_DAPI\n1,10,0.5\n3,30,0\n7,20,0.25\n"
    assert choose_axes(measured, "", "") == ("area_px", "mean_DAPI")
    assert choose_axes(measured, "mean_DAPI", "") == ("mean_DAPI", "area_px")
    # Object 3 has no mean: it is no point.
    assert points_csv(measured, ("area_px", "mean_DAPI")) == "label,x,y\n1,0,100\n7,100,0\n"


def test_the_rows_of_one_image_are_taken(tmp_path: Path) -> None:
    text = "image\tlabel\tarea_px\na\t1\t10\nb\t1\t20\n"
    assert measured_in(tmp_path, text, "b").values == ((20.0,),)
    with pytest.raises(UserError, match=r"no row of image 'c'\. Its images are for instance: a, b"):
        measured_in(tmp_path, text, "c")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty. Give a filled table"),
        ("area_px\n1\n", "needs a header with a column label"),
        ("label\tlabel\n1\t1\n", "column 'label' occurs twice"),
        ("label\tarea\n1\t5\n1\t6\n", "label 1 stands twice"),
        ("label\tarea\n0\t5\n", "label '0' is not the number of an object"),
        ("label\tarea\n-1\t5\n", "label '-1' is not the number"),
        ("label\tclass\n1\tx\n", "no column of numbers"),
        ("label\tarea\n", "has no row"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        measured_in(tmp_path, text, "a")


def test_names_cannot_break_out_of_the_page() -> None:
    name = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    config = build_config(name, name, DataAddresses(table="data:,", points="data:,"), ("area", "mean"))
    page = build_page(config, {f"image.zarr/{name}": b"x"})
    assert "<script>alert" not in page
    assert "<img" not in page
    assert incoming(page)["name"] == name


def test_addresses_are_checked() -> None:
    for kind in ("image", "labels", "viewer"):
        with pytest.raises(UserError, match=f"address of the {kind}"):
            make_view({f"{kind}_address": "javascript:alert(1)"}, inputs())


def test_only_the_known_viewer_is_taken(tmp_path: Path) -> None:
    (tmp_path / "evil.js").write_text("alert(1)")
    with pytest.raises(UserError, match="is not static/index"):
        make_view({}, inputs(viewer=tmp_path / "evil.js"))
    with pytest.raises(UserError, match="sha256"):
        check_viewer(b"", "empty.js")


def test_without_viewer_the_page_asks_for_it_by_its_hash() -> None:
    _, page = make_view({}, inputs())
    digest = base64.b64encode(bytes.fromhex(VIEWER_SHA256)).decode()
    assert f'{{"address": "{VIEWER_ADDRESS}", "hash": "sha256-{digest}"}}' in page
