"""overlay_objects: pairs by name, outlines where objects end, a report that nothing can break out of."""

import html.parser
import json
import re
from pathlib import Path

import numpy as np
import overlay_objects
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.figures import object_pictures, overlay_lines
from bioimage_suite.figures.image_pairs import paired

DATA = Path(__file__).parents[4] / "test-data"
NUCLEI, TRUTH = DATA / "nuclei.ome.tiff", DATA / "nuclei_truth.ome.tiff"


def overlay(tmp_path: Path, images: dict[str, Path], labels: dict[str, Path], *more: str) -> str:
    pairs = {
        "images": [[name, str(path)] for name, path in images.items()],
        "labels": [[name, str(path)] for name, path in labels.items()],
    }
    (tmp_path / "pairs.json").write_text(json.dumps(pairs))
    overlay_objects.main([
        "--pairs", str(tmp_path / "pairs.json"), "--output-png", str(tmp_path / "sheet.png"),
        "--output-html", str(tmp_path / "report.html"), *more,
    ])  # fmt: skip
    return (tmp_path / "report.html").read_text(encoding="utf-8")


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def test_names_cannot_become_markup(tmp_path):
    name = '"><script>alert(1)</script><img src=x onerror="alert(2)">'
    page = overlay(tmp_path, {name: NUCLEI}, {name: TRUTH}, f"--title={name}")
    found = Tags()
    found.feed(page)
    assert {tag for tag, _ in found.tags}.isdisjoint({"script", "link", "iframe", "a", "form"})
    sources = [attributes["srcset"] for tag, attributes in found.tags if tag == "source"]
    assert len(sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    files = [attributes["src"] for tag, attributes in found.tags if tag == "img"]
    assert all(re.fullmatch(r"picture_[0-9a-f]{16}\.png", file) for file in files)
    assert not any(key.startswith("on") for _, attributes in found.tags for key in attributes)
    assert name in found.text


def test_lists_are_paired_by_name_not_by_order(tmp_path):
    zero, labels = DATA / "synthetic_zero.ome.tiff", DATA / "synthetic_labels.ome.tiff"
    page = overlay(tmp_path, {"a": zero, "b": zero}, {"b": labels, "a": zero})
    assert '<td>a</td><td>DAPI</td><td align="right" nowrap>0</td>' in page
    assert '<td>b</td><td>DAPI</td><td align="right" nowrap>3</td>' in page
    assert "3 objects in 2 images" in page


def test_images_beyond_the_limit_are_counted_not_shown(tmp_path):
    page = overlay(tmp_path, {"a": NUCLEI, "b": NUCLEI}, {"a": TRUTH, "b": TRUTH}, "--shown=1", "--edge=64")
    assert "250 objects in 2 images" in page
    assert page.count("<figure") == 1
    assert "1 further images" in page


def test_two_cores_give_the_same_pages(tmp_path, monkeypatch):
    made = []
    for cores in ("1", "2"):
        monkeypatch.setenv("GALAXY_SLOTS", cores)
        overlay(tmp_path, dict.fromkeys("abc", NUCLEI), dict.fromkeys("cab", TRUTH), "--shown=2", "--edge=64")
        made.append([(tmp_path / name).read_bytes() for name in ("sheet.png", "report.html")])
    assert made[0] == made[1]


def test_images_that_are_not_shown_are_checked_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("GALAXY_SLOTS", "2")
    images, labels = {"a": NUCLEI, "b": NUCLEI}, {"a": TRUTH, "b": DATA / "synthetic_labels.ome.tiff"}
    with pytest.raises(UserError, match="b"):
        overlay(tmp_path, images, labels, "--shown=1")
    assert not (tmp_path / "sheet.png").exists()


def test_sheet_shows_image_and_outlines(tmp_path):
    from PIL import Image

    overlay(tmp_path, {"a": NUCLEI}, {"a": TRUTH}, "--edge=512")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))[16 : 16 + 512, 16 : 16 + 512].astype(int)
    coloured = (sheet.max(axis=2) - sheet.min(axis=2)) > 50
    truth = tifffile.imread(TRUTH)
    assert not (coloured & (truth == 0)).any()
    assert coloured[truth > 0].any()


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        ({"a": NUCLEI, "b": NUCLEI}, {"a": TRUTH, "c": TRUTH}, "'b': there is one image but no label map"),
        ({"a": NUCLEI}, {"a": TRUTH, "c": TRUTH}, "'c': there is one label map but no image"),
        ({}, {}, "no image to draw"),
        ({"a": NUCLEI}, {"a": DATA / "synthetic_labels.ome.tiff"}, "Give the label map that was made"),
        ({"a": DATA / "truncated.tiff"}, {"a": TRUTH}, "cut short"),
    ],
)
def test_bad_input_is_refused(tmp_path, images, labels, message):
    with pytest.raises(UserError, match=message):
        overlay(tmp_path, images, labels)
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.json"]


def test_names_that_occur_twice_are_refused():
    listed = {"images": [["a", "x"], ["a", "y"]], "labels": [["a", "x"], ["a", "y"]]}
    with pytest.raises(UserError, match="more than once"):
        paired(listed)


def listed_alone(tmp_path: Path, *more: str, **files: Path) -> str:
    """Draw on one image; the page."""
    (tmp_path / "pairs.json").write_text(json.dumps({kind: [[kind, str(path)]] for kind, path in files.items()}))
    overlay_objects.main([
        "--pairs", str(tmp_path / "pairs.json"), "--output-png", str(tmp_path / "sheet.png"),
        "--output-html", str(tmp_path / "report.html"), *more,
    ])  # fmt: skip
    return (tmp_path / "report.html").read_text(encoding="utf-8")


TRACKS = (
    "track\tframe\tcentroid_x_px\tcentroid_y_px\tparent_track\n"
    "1\t0\t10\t10\t\n1\t1\t20\t10\t\n2\t2\t30\t5\t1\n3\t2\t30\t15\t1\n\t0\t50\t50\t\n"
)


def test_a_movie_shows_its_last_time_point_with_tracks(tmp_path):
    (tmp_path / "tracks.tsv").write_text(TRACKS)
    movie = np.zeros((3, 64, 80), np.uint8)
    movie[2, 30:40, 30:40] = 200
    tifffile.imwrite(tmp_path / "m.ome.tiff", movie, ome=True, photometric="minisblack", metadata={"axes": "TYX"})
    page = listed_alone(tmp_path, "--time=last", images=tmp_path / "m.ome.tiff", tracks=tmp_path / "tracks.tsv")
    assert "3 tracks in 1 image." in page
    assert "3 tracks, channel_0, t 2 of 3" in page


def test_filled_objects_and_their_numbers(tmp_path):
    labels = np.zeros((64, 64), np.int32)
    labels[10:50, 10:50] = 7
    filled = object_pictures.with_colours(np.zeros((64, 64, 3), np.uint8), labels)
    np.testing.assert_array_equal(filled.any(axis=2), labels > 0)
    page = overlay(tmp_path, {"a": NUCLEI}, {"a": TRUTH}, "--style=filled", "--numbers")
    assert "125 objects" in page


POLYGON = [[[4, 4], [20, 4], [20, 12], [4, 12], [4, 4]]]


@pytest.mark.parametrize(
    ("geometry", "inside"),
    [
        ({"type": "Polygon", "coordinates": POLYGON}, (4, 10)),
        ({"type": "MultiPolygon", "coordinates": [POLYGON]}, (4, 10)),
        ({"type": "LineString", "coordinates": POLYGON[0]}, (4, 10)),
        ({"type": "MultiLineString", "coordinates": POLYGON}, (4, 10)),
        ({"type": "Point", "coordinates": [10.5, 4.5]}, (4, 10)),
        ({"type": "MultiPoint", "coordinates": [[10.5, 4.5], [30, 30]]}, (4, 10)),
    ],
)
def test_every_kind_of_roi_is_drawn_where_it_is(tmp_path, geometry, inside):
    feature = {"type": "Feature", "geometry": geometry, "properties": {"label": "3"}}
    (tmp_path / "r.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    rois = overlay_lines.read_geojson(tmp_path / "r.geojson", "r")
    assert [roi.text for roi in rois] == ["3"]
    picture = np.zeros((40, 40, 3), np.uint8)
    overlay_lines.draw_rois(picture, rois, 1.0, numbers=False)
    assert picture[inside].any()
    page = listed_alone(tmp_path, "--numbers", images=NUCLEI, rois=tmp_path / "r.geojson")
    assert "1 ROI in 1 image." in page


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(UserError, match="nothing to draw"):
        listed_alone(tmp_path, images=NUCLEI)
