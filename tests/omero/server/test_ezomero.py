"""ezomero's functions, as its users call them."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("omero.gateway")  # before ezomero, so that a missing omero-py is what is told
ezomero = pytest.importorskip("ezomero")


@pytest.fixture
def dataset(gateway):
    project = ezomero.post_project(gateway, "project", "about")
    return ezomero.post_dataset(gateway, "dataset", project_id=project, description="about")


@pytest.fixture
def image(gateway, dataset):
    pixels = np.arange(2 * 3 * 4 * 5 * 2, dtype=np.uint16).reshape(5, 4, 3, 2, 2)  # x, y, z, c, t
    return ezomero.post_image(gateway, pixels, "image", dataset_id=dataset)


def test_image_and_its_pixels(gateway, dataset, image):
    found, pixels = ezomero.get_image(gateway, image, xyzct=True)
    assert found.getName() == "image"
    assert np.array_equal(pixels, np.arange(240, dtype=np.uint16).reshape(5, 4, 3, 2, 2))
    _, part = ezomero.get_image(gateway, image, start_coords=(1, 1, 0, 0, 0), axis_lengths=(2, 2, 1, 1, 1), xyzct=True)
    assert part.shape == (2, 2, 1, 1, 1)
    assert ezomero.get_image_ids(gateway, dataset=dataset) == [image]
    assert ezomero.get_image_ids(gateway) == []


def test_hierarchy_ids(gateway, dataset, image):
    (project,) = ezomero.get_project_ids(gateway)
    assert ezomero.get_dataset_ids(gateway, project=project) == [dataset]
    assert ezomero.get_image_ids(gateway, project=project) == [image]
    screen = ezomero.post_screen(gateway, "screen")
    assert ezomero.get_plate_ids(gateway, screen=screen) == []
    ezomero.put_description(gateway, "Dataset", dataset, "new words")
    assert gateway.getObject("Dataset", dataset).getDescription() == "new words"


def test_key_value_pairs(gateway, image):
    pairs = {"b": "2", "a": "1"}
    made = ezomero.post_map_annotation(gateway, "Image", image, pairs, ns="test")
    assert ezomero.get_map_annotation(gateway, made) == pairs
    assert ezomero.get_map_annotation_ids(gateway, "Image", image, ns="test") == [made]
    assert ezomero.get_map_annotation_ids(gateway, "Image", image, ns="other") == []
    ezomero.put_map_annotation(gateway, made, {"c": "3"}, ns="test")
    assert ezomero.get_map_annotation(gateway, made) == {"c": "3"}
    assert ezomero.filter_by_kv(gateway, [image], "c", "3") == [image]
    assert ezomero.filter_by_kv(gateway, [image], "c", "4") == []
    assert ezomero.get_image_ids(gateway, annotation=made) == [image]


def test_files_and_comments(gateway, image, tmp_path):
    (tmp_path / "notes.txt").write_text("some notes")
    made = ezomero.post_file_annotation(gateway, str(tmp_path / "notes.txt"), "test", "Image", image)
    assert ezomero.get_file_annotation_ids(gateway, "Image", image) == [made]
    (tmp_path / "out").mkdir()
    again = ezomero.get_file_annotation(gateway, made, str(tmp_path / "out"))
    assert Path(again).read_text() == "some notes"
    comment = ezomero.post_comment_annotation(gateway, "Image", image, "a comment", ns="test")
    assert comment in ezomero.get_comment_annotation_ids(gateway, "Image", image)
    assert ezomero.get_comment_annotation(gateway, comment) == "a comment"


def test_rois(gateway, image):
    shapes = [
        ezomero.rois.Rectangle(x=0.5, y=1, width=2, height=3, z=0, c=0, t=0, label="r"),
        ezomero.rois.Polygon(points=[(0, 0), (3.5, 0), (3, 3)], label="p"),
        ezomero.rois.Ellipse(x=2, y=2, x_rad=1, y_rad=2),
        ezomero.rois.Point(x=1, y=1, label="pt"),
        ezomero.rois.Line(x1=0, y1=0, x2=2, y2=2),
        ezomero.rois.Label(x=1, y=2, label="words", fontSize=10),
    ]
    roi = ezomero.post_roi(gateway, image, shapes, name="roi")
    assert ezomero.get_roi_ids(gateway, image) == [roi]
    found = [ezomero.get_shape(gateway, s) for s in ezomero.get_shape_ids(gateway, roi)]
    assert [type(s) for s in found] == [type(s) for s in shapes]
    assert found[1].points == [(0.0, 0.0), (3.5, 0.0), (3.0, 3.0)]
    assert (found[0].x, found[0].width, found[0].label) == (0.5, 2.0, "r")


def test_table(gateway, image):
    rows = [["name", "number", "value"], ["one", 1, 1.5], ["two", 2, 2.5]]
    made = ezomero.post_table(gateway, rows, object_type="Image", object_id=image, title="numbers")
    assert made in ezomero.get_file_annotation_ids(gateway, "Image", image)
    again = ezomero.get_table(gateway, made)
    listed = again.values.tolist() if hasattr(again, "values") else again
    assert ["two", 2, 2.5] in [list(row) for row in listed]


def test_users_and_groups(gateway):
    name = gateway.getUser().getName()
    assert ezomero.get_user_id(gateway, name) == gateway.getUserId()
    group = gateway.getGroupFromContext()
    assert ezomero.get_group_id(gateway, group.getName()) == group.getId()
    assert ezomero.set_group(gateway, group.getId()) is True


def test_links_and_tags(gateway, image):
    other = ezomero.post_dataset(gateway, "other")
    ezomero.link_datasets_to_project(gateway, [other], ezomero.get_project_ids(gateway)[0])
    ezomero.link_images_to_dataset(gateway, [image], other)
    assert ezomero.get_image_ids(gateway, dataset=other) == [image]
    assert ezomero.get_tag_ids(gateway, "Image", image) == []
    assert ezomero.filter_by_filename(gateway, [image], "nothing") == []
