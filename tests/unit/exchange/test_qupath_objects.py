"""Objects go to QuPath and come back: outlines, labels, classes and measurements."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.exchange.foreign_tables import read_foreign
from bioimage_suite.exchange.qupath import features, write_geojson
from bioimage_suite.exchange.qupath_objects import label_plane, objects_of, objects_table, read_objects
from bioimage_suite.exchange.typed_columns import typed
from bioimage_suite.images.model.image_file import ImageFile
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.tables.measurement_table import MeasurementTable, number_of

COLUMNS = ("image", "label", "area_um2", "mean_DAPI", "std_a b/c", "class")
ROWS = (
    ("im", "3", "0.1", "7", "", "Tumor: Positive"),
    ("im", "70000", "0.30000000000000004", "-2", "5", "Stroma"),
    ("im", "9", "1", "", "", ""),
)


@pytest.fixture
def labels(tmp_path: Path) -> ImageFile:
    """A ring with an island, an object of two parts, one at the border, touching objects."""
    plane = np.zeros((30, 40), np.int32)
    plane[2:12, 3:15], plane[5:9, 6:12], plane[6:8, 8:10] = 3, 0, 3
    plane[15, 20], plane[16:18, 21:23], plane[12:15, 3:15] = 70000, 70000, 9
    plane[29, 39] = 9
    tifffile.imwrite(tmp_path / "l.tif", plane)
    return open_image(tmp_path / "l.tif", "im")


def written(folder: Path, labels: ImageFile) -> Path:
    path = folder / "im.geojson"
    write_geojson(path, features(labels, "im", typed(MeasurementTable("im", COLUMNS, ROWS))))
    return path


def by_qupath(path: Path, changed: Any = None) -> None:
    """Write a file again as QuPath does: what it does not know is gone, numbers that are none are NaN."""
    document = json.loads(path.read_text())
    kept = ("objectType", "name", "classification", "measurements", "metadata")
    for one in document["features"]:
        one["properties"] = {key: value for key, value in one["properties"].items() if key in kept}
        one["properties"].get("measurements", {}).setdefault("std_a b/c", math.nan)
    path.write_text(json.dumps(changed(document) if changed else document))


@pytest.mark.parametrize("through", ["alone", "QuPath", "QuPath without metadata"])
def test_objects_come_back_as_they_were(tmp_path: Path, labels: ImageFile, through: str):
    path = written(tmp_path, labels)
    if through != "alone":
        by_qupath(path)
    if through == "QuPath without metadata":
        document = json.loads(path.read_text())
        for one in document["features"]:
            one["properties"].pop("metadata")
        path.write_text(json.dumps(document))
    objects = read_objects(path, "im.geojson")
    np.testing.assert_array_equal(label_plane(objects_of(objects, labels), labels), labels.read_plane())
    table = objects_table(objects, "im.geojson")
    for name in COLUMNS[2:]:
        found = dict(zip(table.texts("label"), table.texts(name), strict=True))
        number = str if name == "class" else number_of
        expected = {row[1]: number(row[COLUMNS.index(name)]) for row in ROWS}
        np.testing.assert_equal({label: number(text) for label, text in found.items()}, expected)


def test_what_was_added_in_qupath_gets_labels_of_its_own(tmp_path: Path, labels: ImageFile):
    def added(document: dict[str, Any]) -> dict[str, Any]:
        ring = [[20.2, 2.4], [27.6, 2.4], [27.6, 8.5], [20.2, 8.5], [20.2, 2.4]]
        measured = {"Nucleus: DAPI mean": 4, "Nucleus: Area µm^2": math.nan}
        new = {
            "type": "Feature",
            "id": "0a4f7a51-3d6a-4b0e-8f0e-1a2b3c4d5e6f",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"objectType": "annotation", "name": "5", "measurements": measured},
        }
        return {**document, "features": [new, *document["features"]]}

    path = written(tmp_path, labels)
    by_qupath(path, added)
    objects = read_objects(path, "im.geojson")
    assert [one.label for one in objects] == [1, 3, 9, 70000]
    assert objects[0].measurements["nucleus_mean_DAPI"] == 4
    assert math.isnan(objects[0].measurements["nucleus_area_um2"])
    plane = label_plane(objects_of(objects, labels), labels)
    expected = labels.read_plane().copy()
    expected[2:8, 20:28] = 1
    np.testing.assert_array_equal(plane, expected)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"names": ["Tumor", "Positive"], "color": [1, 2, 3]}, "Tumor: Positive"),
        ({"name": "Positive", "colorRGB": -1, "parentClass": {"name": "Tumor", "colorRGB": -1}}, "Tumor: Positive"),
        ({"name": "Stroma", "colorRGB": -1}, "Stroma"),
        ("Stroma", "Stroma"),
        (None, ""),
    ],
)
def test_classes_of_all_versions(tmp_path: Path, given: object, name: str):
    properties = {"classification": given}
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [3, 4]}, "properties": properties}
    path = tmp_path / "p.geojson"
    path.write_text(json.dumps([feature]))
    [(_, table)] = read_foreign([(path, "p")])
    assert table.texts("class") == [name]
    assert (table.texts("centroid_x_px"), table.texts("area_px")) == (["2.5"], ["0.0"])


def test_two_measurements_that_would_have_one_name(tmp_path: Path):
    measured = {"DAPI: Mean": 1, "DAPI mean": 2}
    feature = {"geometry": {"type": "Point", "coordinates": [1, 1]}, "properties": {"measurements": measured}}
    (tmp_path / "p").write_text(json.dumps(feature))
    with pytest.raises(UserError, match=r"feature 1: .*two of its values would be called 'mean_DAPI'"):
        read_objects(tmp_path / "p", "p")


def test_a_measurement_does_not_take_the_place_of_what_tells_objects_apart(tmp_path: Path):
    feature = {"geometry": {"type": "Point", "coordinates": [1, 1]}, "properties": {"measurements": {"label": 9}}}
    (tmp_path / "p").write_text(json.dumps(feature))
    with pytest.raises(UserError, match=r"feature 1: .*two of its values would be called 'label'"):
        read_objects(tmp_path / "p", "p")


@pytest.mark.parametrize("given", ["tumor", "", None, -3, 0, 2.7, True, "٣"])
def test_what_other_programs_call_label_is_no_number_of_an_object(tmp_path: Path, given: object):
    point = {"type": "Point", "coordinates": [1, 1]}
    features = [{"geometry": point, "properties": {"label": label}} for label in (given, 4)]
    (tmp_path / "p").write_text(json.dumps(features))
    assert [one.label for one in read_objects(tmp_path / "p", "p")] == [5, 4]


def test_a_label_that_no_label_map_has(tmp_path: Path):
    feature = {"geometry": {"type": "Point", "coordinates": [1, 1]}, "properties": {"label": 2**31}}
    (tmp_path / "p").write_text(json.dumps(feature))
    with pytest.raises(UserError, match=r"feature 1: .*the label 2147483648 is more than 2147483647"):
        read_objects(tmp_path / "p", "p")


def test_lines_of_different_lengths_are_one_object(tmp_path: Path):
    lines = {"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]], [[5, 6], [7, 8], [9, 10]]]}
    (tmp_path / "p").write_text(json.dumps({"geometry": lines, "properties": {}}))
    assert [one.place for one in read_objects(tmp_path / "p", "p")] == [(0.0, 4.5, 5.5)]


def test_a_small_object_far_from_the_origin_is_where_it_is(tmp_path: Path):
    ring = [[x + 300_000.3, y + 200_000.7] for x, y in ((0, 0), (0.5, 0), (0.5, 0.5), (0, 0.5))]
    (tmp_path / "p").write_text(json.dumps({"geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {}}))
    [one] = read_objects(tmp_path / "p", "p")
    assert one.place == pytest.approx((0.25, 300_000.05, 200_000.45), rel=1e-9)


def test_the_first_object_takes_a_pixel_and_nothing_lies_outside(tmp_path: Path, labels: ImageFile):
    squares = [[[x, y], [x + 9, y], [x + 9, y + 9], [x, y + 9]] for x, y in ((-4, -4), (0, 0), (100, 100), (36, 26))]
    shapes = [{"type": "Polygon", "coordinates": [square]} for square in squares]
    (tmp_path / "s").write_text(json.dumps([{"geometry": shape, "properties": {"image": "im"}} for shape in shapes]))
    plane = label_plane(read_objects(tmp_path / "s", "s"), labels)
    assert {label: int((plane == label).sum()) for label in range(1, 5)} == {1: 25, 2: 81 - 25, 3: 0, 4: 16}
