"""Regions of interest from QuPath's GeoJSON: classes of all versions, numbers that are none."""

import json
import math
from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.named_files import NamedFile
from bioimage_suite.omero.rois.documents import from_geojson
from bioimage_suite.omero.rois.sources import DrawnShapes, open_source

SQUARE = [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]]


def feature(coordinates: object = SQUARE, kind: str = "Polygon", **properties: object) -> dict[str, object]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"name": "Tumor"}, "Tumor"),
        ({"names": ["Tumor", "Positive"]}, "Tumor: Positive"),
        ("Stroma", "Stroma"),
        (None, None),
    ],
)
def test_the_class_is_the_text(given: object, text: str | None):
    [shape] = from_geojson([feature(classification=given)], "q")
    assert (shape.kind, shape.text) == ("polygon", text)


def test_measurements_that_are_no_number_do_not_matter(tmp_path: Path):
    path = tmp_path / "q.geojson"
    path.write_text(json.dumps([feature(name="a", measurements={"Nucleus: Area": math.nan})]))
    [found] = open_source(NamedFile("q.geojson", path))
    assert isinstance(found, DrawnShapes)
    assert [shape.text for shape in found.shapes] == ["a"]


@pytest.mark.parametrize(
    "one",
    [
        feature([[[0, 0], [4, math.nan], [4, 4], [0, 0]]]),
        feature([math.inf, 1], "Point"),
        feature([[0, 0], [math.nan, 1]], "LineString"),
        feature(shape="mask", coordinates=[[[0, 0], [math.nan, 0], [4, 4], [0, 0]]]),
    ],
)
def test_coordinates_that_are_no_number_are_refused(one: dict[str, object]):
    with pytest.raises(UserError, match="feature 1: a coordinate is not a number"):
        from_geojson([one], "q")
