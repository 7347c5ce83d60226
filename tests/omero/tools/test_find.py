from pathlib import Path

import numpy as np
import omero
import omero_find
import pytest
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero import objects as omero_objects
from bioimage_suite.omero.images import find_columns
from bioimage_suite.omero.images.search import search
from bioimage_suite.omero.session import Session, open_session
from bioimage_suite.tables.object_table import write_table
from tests.omero.tool_support import Lab, from_table, read_rows, typed

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
        assert len(calls) == 3  # the dataset by its name, one page, the names of all datasets
        monkeypatch.setattr(omero_objects, "PAGE", 3)
        calls.clear()
        found = omero_objects.find_images(session, omero_objects.Target("dataset", ids=(dataset,)))
        assert len(calls) == 1 + 3 + 1  # 3 + 3 + 1 images
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
def test_what_cannot_be_found_is_named(find, target, message):
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


def everything(scope: str) -> dict[str, str]:
    return {"source": "all", "scope": scope}


def sets(*groups: list[dict]) -> list[dict]:
    """The form's sets of conditions; `negate` stands beside what is negated."""
    return [
        {"conditions": [{"negate": one.pop("negate", False), "what": one} for one in map(dict, group)]}
        for group in groups
    ]


def test_without_a_container_own_data_the_group_or_the_whole_server(lab: Lab, find):
    colleague, stranger = lab.colleague(), lab.stranger()
    mine, theirs, far = lab.image("mine", PLANE), colleague.image("theirs", PLANE), stranger.image("far", PLANE)
    lab.join(stranger.group)

    def ids(scope: str, **config) -> set[int]:
        return {int(row["image_id"]) for row in find(everything(scope), **config)}

    assert ids("mine") == {mine}
    assert ids("group") == {mine, theirs}
    assert ids("server") == {mine, theirs, far}
    assert ids("group", omero_group=stranger.group) == {far}
    columns = {"rows": "image", "columns": ["owner"]}
    rows = find(everything("server"), listing=columns)
    assert {(row["image_name"], row["owner"], row["group_name"]) for row in rows} == {
        ("mine", lab.user, lab.group),
        ("theirs", colleague.user, lab.group),
        ("far", stranger.user, stranger.group),
    }


def test_own_data_without_any_image_is_an_error(find):
    with pytest.raises(UserError, match="your own data: holds no image"):
        find(everything("mine"))


@pytest.fixture
def six(lab: Lab) -> Lab:
    """Six images that differ in what one can filter by."""
    dataset = lab.container("Dataset", "d")
    for number in range(6):
        lab.image(f"im {number}.tif", np.zeros((4 + number, 5), np.uint16 if number == 5 else np.uint8), dataset)
    images = [row[0] for row in lab.rows("select i.id from Image i where i.name like 'im %' order by i.id")][-6:]
    for number, value in enumerate(("0.5", " 10 ", "9", "unknown", "1e1")):
        lab.annotate(images[number], pairs(("dose", value), ("note", f"batch-{number}")))
    lab.annotate(images[1], pairs(("dose", "0.1")))
    for number in (0, 2):
        lab.annotate(images[number], tag("good"))
    update = lab.session.getUpdateService()
    for number in (0, 3):
        roi = omero.model.RoiI()
        roi.image = omero.model.ImageI(images[number], False)
        update.saveObject(roi)
    update.saveObject(omero.model.RoiI())  # of no image: OMERO allows it
    file = omero.model.OriginalFileI()
    file.name, file.path, file.mimetype = rstring("t.h5"), rstring("/"), rstring("OMERO.tables")
    annotation = omero.model.FileAnnotationI()
    annotation.file = file
    lab.annotate(images[4], annotation)
    plain = omero.model.OriginalFileI()
    plain.name, plain.path, plain.mimetype = rstring("t.txt"), rstring("/"), rstring("text/plain")
    annotation = omero.model.FileAnnotationI()
    annotation.file = plain
    lab.annotate(images[5], annotation)
    query = lab.session.getQueryService()
    days = {0: 1577836800000, 1: 1577923200000}  # 2020-01-01 and 2020-01-02, midnight UTC
    for number in range(6):
        image = query.get("Image", images[number])
        image.acquisitionDate = omero.rtypes.rtime(days[number]) if number in days else None
        update.saveObject(image)
    return lab


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"kind": "name", "form": "glob", "pattern": "im [0-2]*"}, "012"),
        ({"kind": "name", "form": "regex", "pattern": r"[45]\.tif$"}, "45"),
        ({"kind": "name", "form": "regex", "pattern": "IM"}, ""),
        ({"kind": "tag", "tag": "good"}, "02"),
        ({"kind": "tag", "tag": "good", "negate": True}, "1345"),
        ({"kind": "key", "key": "dose", "compare": ">", "value": "9"}, "14"),
        ({"kind": "key", "key": "dose", "compare": ">=", "value": "9"}, "124"),
        ({"kind": "key", "key": "dose", "compare": "<", "value": "0.5"}, "1"),
        ({"kind": "key", "key": "dose", "compare": "=", "value": "10"}, "14"),
        ({"kind": "key", "key": "dose", "compare": ">", "value": "9", "negate": True}, "0235"),
        ({"kind": "key", "key": "dose", "compare": "text", "value": "10"}, ""),
        ({"kind": "key", "key": "dose", "compare": "text", "value": "unknown"}, "3"),
        ({"kind": "key", "key": "dose", "compare": "present", "value": ""}, "01234"),
        ({"kind": "key", "key": "dose", "compare": "present", "value": "", "negate": True}, "5"),
        ({"kind": "key", "key": "note", "compare": "glob", "value": "batch-[12]"}, "12"),
        ({"kind": "key", "key": "note", "compare": "regex", "value": "[34]$"}, "34"),
        ({"kind": "date", "date": "acquired", "since": "2020-01-01", "before": "2020-01-02"}, "0"),
        ({"kind": "date", "date": "acquired", "since": "2020-01-01T12:00", "before": ""}, "1"),
        ({"kind": "date", "date": "acquired", "since": "2020-01-02", "before": "", "negate": True}, "02345"),
        ({"kind": "date", "date": "imported", "since": "", "before": "2020-01-02"}, ""),
        ({"kind": "date", "date": "imported", "since": "2020-01-02", "before": ""}, "012345"),
        ({"kind": "roi"}, "03"),
        ({"kind": "roi", "negate": True}, "1245"),
        ({"kind": "table"}, "4"),
        ({"kind": "table", "negate": True}, "01235"),
        ({"kind": "size", "axis": "y", "compare": ">=", "size": 8}, "45"),
        ({"kind": "size", "axis": "y", "compare": "!=", "size": 8}, "01235"),
        ({"kind": "size", "axis": "c", "compare": "=", "size": 1}, "012345"),
        ({"kind": "pixel_type", "pixel_type": "uint16"}, "5"),
        ({"kind": "owner", "owner": "nobody of this name"}, ""),
    ],
)
@pytest.mark.usefixtures("six")
def test_each_condition(find, condition, expected):
    rows = find(typed("dataset", "d"), sets=sets([condition]))
    assert "".join(row["image_name"][3] for row in rows) == expected


def test_conditions_are_joined_by_and_within_a_set_and_sets_by_or(six: Lab, find):
    good, roi = {"kind": "tag", "tag": "good"}, {"kind": "roi"}
    dose = {"kind": "key", "key": "dose", "compare": ">=", "value": "9"}
    table, owner = {"kind": "table"}, {"kind": "owner", "owner": six.user}

    def numbers(*groups: list[dict], **filters: str) -> str:
        rows = find(typed("dataset", "d"), sets=sets(*groups), filters=filters)
        return "".join(row["image_name"][3] for row in rows)

    assert numbers([good, roi]) == "0"
    assert numbers([good], [roi]) == "023"
    assert numbers([good, dose], [table, dose], [roi, {**good, "negate": True}]) == "234"
    assert numbers([owner, good], [owner, dose], name="im [12]*") == "12"
    assert numbers([good, good]) == "02"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"kind": "name", "form": "regex", "pattern": "("}, r"regular expression '\('.*Mend it"),
        ({"kind": "name", "form": "glob", "pattern": " "}, "condition name: pattern is empty"),
        ({"kind": "key", "key": "dose", "compare": ">", "value": "high"}, "'dose': 'high' is not a number"),
        ({"kind": "key", "key": "dose", "compare": ">", "value": "nan"}, "'nan' is not a number"),
        ({"kind": "date", "date": "acquired", "since": "1.5.2024", "before": ""}, "date '1.5.2024': not a date"),
        ({"kind": "date", "date": "acquired", "since": "", "before": None}, "date: neither a first day nor"),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused(find, condition, message):
    with pytest.raises(UserError, match=message):
        find(everything("mine"), sets=sets([condition]))


def test_a_set_without_conditions_is_refused(find):
    with pytest.raises(UserError, match="set of conditions: empty"):
        find(everything("mine"), sets=[{"conditions": []}])


def test_columns_are_chosen(six: Lab, find):
    groups = ["hierarchy", "sizes", "positions", "channels", "dates", "owner", "rois", "tags"]
    rows = find(typed("dataset", "d"), listing={"rows": "image", "columns": groups, "keys": "dose, tags"})
    first, last = rows[0], rows[5]
    assert (first["tags"], first["rois"], first["dose"], first["key tags"]) == ("good", "1", "0.5", "")
    assert (rows[1]["dose"], last["dose"], last["rois"]) == (" 10 ; 0.1", "", "0")
    assert (first["acquisition_date"], last["acquisition_date"]) == ("2020-01-01T00:00:00Z", "")
    assert first["import_date"] > "2020"
    assert (first["owner"], first["channel_names"], first["physical_size_x_um"]) == (six.user, "DAPI", "0.25")
    assert (first["well_row"], first["dataset_name"], last["pixel_type"]) == ("", "d", "uint16")
    assert list(find(typed("dataset", "d"), listing={"rows": "image", "columns": None})[0]) == [
        "image_id",
        "image_name",
    ]
    every = find(typed("dataset", "d"), listing={"rows": "image", "columns": [], "keys": "*"})
    assert list(every[0]) == ["image_id", "image_name", "dose", "note"]


def test_wells_and_fields_with_their_positions(lab: Lab, find):
    plate = omero.model.PlateI()
    plate.name = rstring("plate")
    well = omero.model.WellI()
    well.row, well.column = omero.rtypes.rint(26), omero.rtypes.rint(4)
    for number in range(2):
        sample = omero.model.WellSampleI()
        sample.image = omero.model.ImageI(lab.image(f"field {number}", PLANE), False)
        sample.posX = omero.model.LengthI(1.5 * number, omero.model.enums.UnitsLength.MILLIMETER)
        well.addWellSample(sample)
    plate.addWell(well)
    lab.save(plate)
    rows = find(typed("plate", "plate"), listing={"rows": "image", "columns": ["hierarchy", "positions"]})
    found = [[row[name] for name in ("well", "well_row", "well_column", "field", "position_x")] for row in rows]
    assert found == [["AA5", "27", "5", "1", "0 mm"], ["AA5", "27", "5", "2", "1.5 mm"]]
    well_id = lab.rows("select w.id from Well w")[0][0]
    assert [row["image_name"] for row in find(typed("well", well_id, by="id"))] == ["field 0", "field 1"]
    with pytest.raises(UserError, match="wells have no name"):
        find(typed("well", "AA5"))
    [row] = find(typed("plate", "plate"), listing={"rows": "well"})
    assert (row["well"], row["plate_name"], row["images"]) == ("AA5", "plate", "2")
    [row] = find(typed("plate", "plate"), listing={"rows": "plate"})
    assert list(row) == ["plate_id", "plate_name", "screen_id", "screen_name", "images"]
    assert find(typed("plate", "plate"), listing={"rows": "dataset"}) == []


def test_every_page_is_one_query_whatever_is_asked(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    dataset = lab.container("Dataset", "d")
    for number in range(7):
        lab.annotate(lab.image(str(number), PLANE, dataset), pairs(("dose", str(number))))
    calls = []
    for name in ("rows", "objects"):
        original = getattr(Session, name)
        monkeypatch.setattr(Session, name, lambda *a, _o=original, **k: calls.append(a) or _o(*a, **k))
    dose = {"kind": "key", "key": "dose", "compare": ">", "value": "2"}
    with open_session(lab.address) as session:
        target = omero_objects.Target("all", scope="mine")
        found = search(session, target, {"sets": sets([dose], [{"kind": "roi"}])})
        assert [image.image_name for image in found] == ["3", "4", "5", "6"]
        assert len(calls) == 4  # a page of images for each set, names and a page of pairs for the first
        calls.clear()
        find_columns.image_table(session, found, ["hierarchy", "sizes", *find_columns.GROUPS], ["dose"])
        assert len(calls) <= 2 * (len(find_columns.GROUPS) + 1) + 1


def test_the_form_as_galaxy_sends_it_untouched(lab: Lab, find):
    """Empty texts arrive as null or ""; a default call that failed on them was a defect of the tools before."""
    lab.image("im", PLANE, lab.container("Dataset", "d"))
    listing = {"rows": "image", "columns": ["hierarchy", "sizes"], "keys": None}
    for nothing in (None, ""):
        filters = {"name": nothing, "tags": nothing, "key_values": nothing}
        [row] = find(typed("dataset", "d"), omero_group=nothing, filters=filters, sets=[], listing=listing)
        assert row["image_name"] == "im"


def test_the_order_does_not_depend_on_the_request(lab: Lab, find):
    first, second = lab.container("Dataset", "z"), lab.container("Dataset", "a")
    images = [lab.image(str(number), PLANE, dataset) for number, dataset in enumerate((second, first, second))]
    expected = [str(images[1]), str(images[0]), str(images[2])]  # by dataset id, then image id
    for target in (typed("dataset", "z, a"), typed("dataset", "a, z"), everything("mine")):
        assert [row["image_id"] for row in find(target)] == expected
    by_set = sets([{"kind": "size", "axis": "x", "compare": ">=", "size": 1}], [{"kind": "owner", "owner": lab.user}])
    assert [row["image_id"] for row in find(everything("mine"), sets=by_set)] == expected
