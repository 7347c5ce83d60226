from pathlib import Path

import numpy as np
import omero
import omero_find
import omero_objects
import pytest
from object_table import write_table
from omero.rtypes import rstring
from omero_session import Session, open_session
from tool_errors import UserError

from tests.sandbox.omero_tool_fixtures import Lab, from_table, lab, read_rows, typed

__all__ = ("lab",)
PLANE = np.zeros((3, 4), np.uint8)


@pytest.fixture
def find(lab: Lab, tmp_path: Path):
    def run(target: dict, **config) -> list[dict[str, str]]:
        return read_rows(lab.run(omero_find, tmp_path, {"output": "out.tsv"}, target=target, **config)["output"])

    return run


def pairs(*values: tuple[str, str]) -> omero.model.MapAnnotationI:
    made = omero.model.MapAnnotationI()
    made.mapValue = [omero.model.NamedValue(key, value) for key, value in values]
    return made


def tag(text: str) -> omero.model.TagAnnotationI:
    made = omero.model.TagAnnotationI()
    made.textValue = rstring(text)
    return made


def test_datasets_projects_and_images_by_name_and_id(lab: Lab, find):
    dataset = lab.container("Dataset", "nuclei, day 1")
    images = [lab.image(f"im {number}", PLANE, dataset) for number in range(3)]
    project = omero.model.ProjectI()
    project.name = rstring("study")
    project.linkDataset(omero.model.DatasetI(dataset, False))
    project_id = lab.save(project)
    ids = [str(number) for number in images]
    for target in (
        typed("dataset", '"nuclei, day 1"'),
        typed("dataset", dataset, by="id"),
        typed("project", "study"),
        typed("project", project_id, by="id"),
        typed("image", "im 0, im 1\nim 2"),
        typed("image", f"{images[2]},{images[0]}\n{images[1]}", by="id"),
    ):
        assert [row["image_id"] for row in find(target)] == ids, target
    row = find(typed("image", images[1], by="id"))[0]
    assert (row["image_name"], row["dataset_id"], row["dataset_name"]) == ("im 1", str(dataset), "nuclei, day 1")
    assert (row["project_id"], row["project_name"]) == (str(project_id), "study")
    sizes = [row[f"size_{axis}"] for axis in "xyzct"]
    assert (sizes, row["pixel_type"]) == (["4", "3", "1", "1", "1"], "uint8")


def test_an_image_of_two_datasets_is_listed_once_in_the_one_that_was_asked_for(lab: Lab, find):
    first, second = lab.container("Dataset", "a"), lab.container("Dataset", "b")
    image = lab.image("shared", PLANE, first)
    parent, child = omero.model.DatasetI(second, False), omero.model.ImageI(image, False)
    made = omero.model.DatasetImageLinkI()
    made.parent, made.child = parent, child
    lab.save(made)
    assert [row["dataset_name"] for row in find(typed("dataset", "b"))] == ["b"]
    assert [row["dataset_name"] for row in find(typed("dataset", "b, a"))] == ["a"]


def test_wells_have_labels_and_stand_in_their_order(lab: Lab, find):
    plate = omero.model.PlateI()
    plate.name = rstring("plate 1")
    for row, column in ((26, 0), (1, 11), (1, 1)):
        sample, well = omero.model.WellSampleI(), omero.model.WellI()
        sample.image = omero.model.ImageI(lab.image(f"{row}-{column}", PLANE), False)
        well.row, well.column = omero.rtypes.rint(row), omero.rtypes.rint(column)
        well.addWellSample(sample)
        plate.addWell(well)
    screen = omero.model.ScreenI()
    screen.name = rstring("screen 1")
    screen.linkPlate(plate)
    lab.save(screen)
    for target in (typed("screen", "screen 1"), typed("plate", "plate 1")):
        rows = find(target)
        assert [row["well"] for row in rows] == ["B2", "B12", "AA1"]
        assert {(row["screen_name"], row["plate_name"], row["dataset_id"]) for row in rows} == {
            ("screen 1", "plate 1", "")
        }


def test_filters_must_all_hold(lab: Lab, find):
    dataset = lab.container("Dataset", "d")
    images = [lab.image(f"cell_{number}.tif", PLANE, dataset) for number in range(3)]
    lab.annotate(images[0], pairs(("stage", "mitosis"), ("dose", "1"), ("dose", "2")))
    lab.annotate(images[1], pairs(("stage", "mitosis")))
    lab.annotate(images[2], pairs(("mitosis", "stage")))
    for image in images[:2]:
        lab.annotate(image, tag("good"))
    lab.annotate(images[0], tag('it\'s "100%" <best>'))

    def names(**filters: str) -> list[str]:
        return [row["image_name"] for row in find(typed("dataset", "d"), filters=filters)]

    assert names(key_values="stage = mitosis") == ["cell_0.tif", "cell_1.tif"]
    assert names(key_values="stage=mitosis\ndose=2") == ["cell_0.tif"]
    assert names(tags="good", name="*_[12].tif") == ["cell_1.tif"]
    assert names(tags='good\nit\'s "100%" <best>') == ["cell_0.tif"]
    assert names(name="CELL*") == []
    assert names(tags="Good") == []


def test_an_object_table_leads_to_the_same_images(lab: Lab, find, tmp_path: Path):
    dataset = lab.container("Dataset", "d")
    images = [lab.image(str(number), PLANE, dataset) for number in range(2)]
    write_table(tmp_path / "in.tsv", ["dataset_id", "image_id"], [(dataset, images[1])])
    assert [row["image_id"] for row in find(from_table(tmp_path / "in.tsv"))] == [str(images[1])]
    write_table(tmp_path / "in.tsv", ["dataset_id", "note"], [(dataset, "x"), (dataset, "y")])
    assert [row["image_id"] for row in find(from_table(tmp_path / "in.tsv"))] == [str(number) for number in images]


def test_the_number_of_queries_does_not_grow_with_the_images(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    dataset = lab.container("Dataset", "d")
    images = [lab.image(str(number), PLANE, dataset) for number in range(7)]
    calls = []
    original = Session.rows
    monkeypatch.setattr(Session, "rows", lambda *a, **k: calls.append(a) or original(*a, **k))
    with open_session(lab.address) as session:
        omero_objects.find_images(session, omero_objects.Target("dataset", names=("d",)))
        assert len(calls) == 2  # the dataset's name, then one page
        monkeypatch.setattr(omero_objects, "PAGE", 3)
        calls.clear()
        found = omero_objects.find_images(session, omero_objects.Target("dataset", ids=(dataset,)))
        assert len(calls) == 1 + 3  # 3 + 3 + 1 images
    assert [image.image_id for image in found] == images


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (typed("dataset", "missing"), "dataset 'missing': there is none of this name that you can read in group"),
        (typed("dataset", "999999999", by="id"), "dataset 999999999: no such id, or you may not read it"),
        (typed("dataset", "twelve", by="id"), "dataset 'twelve': not an id"),
        (typed("dataset", " ,\n "), "dataset: no name given"),
        (typed("image", "12x, 4", by="id"), "image '12x': not an id"),
    ],
)
def test_what_cannot_be_found_is_named(lab: Lab, find, target, message):
    with pytest.raises(UserError, match=message):
        find(target)


def test_a_name_of_two_is_refused_with_their_ids(lab: Lab, find):
    twins = [lab.container("Dataset", "twin") for _ in range(2)]
    with pytest.raises(
        UserError, match=rf"dataset 'twin': 2 have this name \(ids {twins[0]}, {twins[1]}\). Give the id"
    ):
        find(typed("dataset", "twin"))


def test_an_empty_dataset_is_an_error_without_a_filter_and_none_with_one(lab: Lab, find):
    lab.container("Dataset", "empty")
    with pytest.raises(UserError, match="dataset empty: holds no image"):
        find(typed("dataset", "empty"))
    assert find(typed("dataset", "empty"), filters={"name": "*"}) == []


def test_an_object_of_another_group_is_named_with_its_group(lab: Lab, find):
    stranger = lab.stranger()
    dataset = stranger.container("Dataset", "secret")
    with pytest.raises(UserError, match="no such id, or you may not read it"):
        find(typed("dataset", dataset, by="id"))
    lab.join(stranger.group)
    with pytest.raises(UserError, match=f"it belongs to group '{stranger.group}', not to '{lab.group}'"):
        find(typed("dataset", dataset, by="id"))
    stranger.image("im", PLANE, dataset)
    assert len(find(typed("dataset", dataset, by="id"), omero_group=stranger.group)) == 1


@pytest.mark.parametrize("line", ["stage", "=x", "stage mitosis"])
def test_a_filter_of_another_form_is_refused(lab: Lab, find, line):
    lab.container("Dataset", "d")
    with pytest.raises(UserError, match="not of the form key=value"):
        find(typed("dataset", "d"), filters={"key_values": line})
