"""overlay_objects: pairs by name, outlines where objects end, a report that nothing can break out of."""

import html.parser
import json
from pathlib import Path

import numpy as np
import overlay_objects
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.figures import object_pictures, overlay_lines
from bioimage_suite.figures.image_pairs import paired
from bioimage_suite.figures.object_pictures import Found, View
from bioimage_suite.images.image_file import open_image
from bioimage_suite.segmentation import foreground_mask
from bioimage_suite.tables.measurement_table import read_measurement_table

DATA = Path(__file__).parents[3] / "test-data"
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
    sources = [attributes["src"] for tag, attributes in found.tags if tag == "img"]
    assert len(sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)
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


def test_sheet_shows_image_and_outlines(tmp_path):
    from PIL import Image

    overlay(tmp_path, {"a": NUCLEI}, {"a": TRUTH}, "--edge=512")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))[16 : 16 + 512, 16 : 16 + 512].astype(int)
    coloured = (sheet.max(axis=2) - sheet.min(axis=2)) > 50
    truth = tifffile.imread(TRUTH)
    assert not (coloured & (truth == 0)).any()
    assert coloured[truth > 0].any()


def test_outline_is_the_rim_of_each_object():
    labels = np.zeros((9, 12), np.int32)
    labels[2:7, 2:6], labels[2:7, 6:10] = 1, 2
    drawn = object_pictures.with_outlines(np.zeros((9, 12, 3), np.uint8), labels).any(axis=2)
    expected = labels > 0
    expected[3:6, 3:5] = expected[3:6, 7:9] = False
    np.testing.assert_array_equal(drawn, expected)


def test_stretch_ignores_hot_pixels_and_survives_anything():
    plane = np.tile(np.arange(100, dtype=np.float32), (100, 1))
    plane[0, 0] = 1e9
    grey = object_pictures.stretched(plane)
    assert grey[:, 99].min() == 255
    assert grey[1:, 0].max() == 0
    assert object_pictures.stretched(np.full((5, 5), 7)).max() == 0
    assert object_pictures.stretched(np.array([[np.nan, 1.0]])).max() == 255
    sparse = np.zeros((100, 100), np.uint16)
    sparse[5, 5] = 9
    assert object_pictures.stretched(sparse).max() == 255


@pytest.mark.parametrize(("channel", "image"), [("0", NUCLEI), ("colour", DATA / "ihc.png")])
def test_a_plane_too_large_for_memory_gives_the_same_picture(channel, image, monkeypatch):
    whole = object_pictures.draw_objects(open_image(image), Found(), View(channel, 64))
    monkeypatch.setattr(object_pictures, "MOST_PIXELS", 128 * 128)
    monkeypatch.setattr(object_pictures, "BAND_PIXELS", 4096)
    banded = object_pictures.draw_objects(open_image(image), Found(), View(channel, 64))
    assert banded.grey.shape == whole.grey.shape
    # Hot pixels are averaged before black and white are chosen.
    assert np.abs(banded.grey.astype(int) - whole.grey).mean() < (2 if channel == "colour" else 12)


def test_labels_are_sampled_band_by_band(monkeypatch):
    truth = tifffile.imread(TRUTH)
    monkeypatch.setattr(foreground_mask, "BAND_PIXELS", 1)
    for width, height in ((64, 64), (100, 37), (900, 700)):
        sampled = object_pictures._sampled(open_image(TRUTH), 0, 0, (width, height))
        expected = truth[np.arange(height) * 512 // height][:, np.arange(width) * 512 // width]
        np.testing.assert_array_equal(sampled, expected)
    assert object_pictures._count(open_image(TRUTH)) == 125


def test_stack_counts_all_planes_and_says_which_is_shown(tmp_path):
    labels = np.zeros((2, 1, 3, 64, 80), np.uint16)
    for number, (t, z) in enumerate(np.ndindex(2, 3), 1):
        labels[t, 0, z, 10:20, 10:20] = number
    tifffile.imwrite(tmp_path / "l.ome.tiff", labels, ome=True, photometric="minisblack", metadata={"axes": "TCZYX"})
    picture = object_pictures.draw_objects(
        open_image(DATA / "synthetic_tczyx.ome.tiff"),
        Found(open_image(tmp_path / "l.ome.tiff")),
        View("DAPI", 160),
    )
    assert (picture.objects, picture.place) == (6, "z 1 of 3, t 0 of 2")
    assert picture.outlined.shape == (128, 160, 3)


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


def test_tracks_go_to_the_shown_time_and_daughters_begin_at_their_parent(tmp_path):
    (tmp_path / "tracks.tsv").write_text(TRACKS)
    paths = overlay_lines.track_paths(read_measurement_table(tmp_path / "tracks.tsv", "m"))
    assert paths.count == 3
    steps = {tuple(map(tuple, pair)) for pair in zip(paths.start.tolist(), paths.end.tolist(), strict=True)}
    assert steps == {((10, 10), (10, 10)), ((10, 10), (20, 10)), ((20, 10), (30, 5)), ((20, 10), (30, 15))}
    early, late = np.zeros((20, 40, 3), np.uint8), np.zeros((20, 40, 3), np.uint8)
    overlay_lines.draw_tracks(early, paths, 1, 1.0)
    overlay_lines.draw_tracks(late, paths, 2, 1.0)
    assert early[10, 15].any()
    assert not early[:, 24:].any()
    assert late[7:9, 24:27].any()
    assert late[15, 30].any()
    assert not early[10, 10].any() or not early[6:9, 10].any()  # no dot where the object no longer is


def test_a_movie_shows_its_last_time_point_with_tracks(tmp_path):
    (tmp_path / "tracks.tsv").write_text(TRACKS)
    movie = np.zeros((3, 64, 80), np.uint8)
    movie[2, 30:40, 30:40] = 200
    tifffile.imwrite(tmp_path / "m.ome.tiff", movie, ome=True, photometric="minisblack", metadata={"axes": "TYX"})
    page = listed_alone(tmp_path, "--time=last", images=tmp_path / "m.ome.tiff", tracks=tmp_path / "tracks.tsv")
    assert "3 tracks in 1 image." in page
    assert "3 tracks, channel_0, t 2 of 3" in page


def test_colour_images_keep_their_colours(tmp_path):
    image = open_image(DATA / "synthetic_rgb.png")
    picture = object_pictures.draw_objects(image, Found(), View("colour", max(image.size_y, image.size_x)))
    np.testing.assert_array_equal(picture.grey, image.read_colour(0, 0, slice(0, image.size_y), slice(0, image.size_x)))
    with pytest.raises(UserError, match="no colours"):
        object_pictures.draw_objects(open_image(NUCLEI), Found(), View("colour"))


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "not a JSON file"),
        ("3", "not GeoJSON"),
        ('{"features": [3]}', "not GeoJSON"),
        ('[{"geometry": null}]', "shape 1: it has no geometry"),
        ('[{"type": "Circle", "coordinates": []}]', "'Circle'"),
        ('[{"type": "Polygon", "coordinates": [[["a", 1]]]}]', "no pair of numbers"),
        ('[{"type": "Polygon", "coordinates": [3]}]', "no list"),
        ('[{"type": "MultiPolygon", "coordinates": [3]}]', "no list"),
        ('[{"type": "LineString", "coordinates": []}]', "without a corner"),
        ('[{"type": "Point", "coordinates": [1]}]', "no pair of numbers"),
    ],
)
def test_broken_rois_are_refused(tmp_path, text, message):
    (tmp_path / "r.geojson").write_text(text)
    with pytest.raises(UserError, match=message):
        overlay_lines.read_geojson(tmp_path / "r.geojson", "r")


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(UserError, match="nothing to draw"):
        listed_alone(tmp_path, images=NUCLEI)
