import uuid
from pathlib import Path

import numpy as np
import omero
import omero_arrange_plates
import pytest
from omero.rtypes import rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero import plates as omero_plates
from bioimage_suite.omero.session import Session
from bioimage_suite.tables.plate_layout import parse_well
from tests.galaxy.seed_omero import link
from tests.omero.concurrency.writers import attach
from tests.omero.tool_support import Lab, fail_at, named, read_rows, typed

PLANE = np.zeros((2, 2), np.uint8)
NEW_SCREEN = {"by": "name", "screen": "s", "create": True}
WELLS = (
    "select p.name, w.row, w.column, s.image.id from Plate p join p.wells w join w.wellSamples s "
    "order by p.name, w.row, w.column, s.id"
)


@pytest.fixture
def to_plate(lab: Lab, tmp_path: Path):
    def run(text: str, **config) -> list[dict[str, str]]:
        path = tmp_path / f"{uuid.uuid4().hex}.tsv"
        path.write_text(text.replace(" ", "\t"))
        values = {"layout": named("layout", path), "target": typed("dataset", "d"), "plate": "p"}
        values |= {"screen": NEW_SCREEN, "dry_run": False}
        return read_rows(lab.run(omero_arrange_plates, tmp_path, {"output": "out.tsv"}, **(values | config))["output"])

    return run


@pytest.fixture
def images(lab: Lab) -> list[int]:
    dataset = lab.container("Dataset", "d")
    return [lab.image(name, PLANE, dataset) for name in "abcd"]


def counts(lab: Lab) -> list[int]:
    return [lab.rows(f"select count(o) from {model} o")[0][0] for model in ("Plate", "Well", "WellSample", "Screen")]


def test_wells_beyond_z_and_several_fields_stand_where_the_table_says(lab: Lab, to_plate, images):
    a, b, c, d = images
    rows = to_plate("image well field\nb B02 2\na B2 1\nc AA24 1\nd h12 1\n")
    assert lab.rows(WELLS) == [["p", 1, 1, a], ["p", 1, 1, b], ["p", 7, 11, d], ["p", 26, 23, c]]
    assert [(row["image_id"], row["well"], row["field"], row["status"]) for row in rows] == [
        (str(a), "B2", "1", "made"),
        (str(b), "B2", "2", "made"),
        (str(d), "H12", "1", "made"),
        (str(c), "AA24", "1", "made"),
    ]
    assert lab.rows("select l.parent.name, l.child.name, l.parent.id from ScreenPlateLink l") == [
        ["s", "p", int(rows[0]["screen_id"])]
    ]
    assert {int(row["well_id"]) for row in rows} == {row[0] for row in lab.rows("select w.id from Well w")}


def test_several_plates_by_ids_share_a_new_screen(lab: Lab, to_plate, images):
    a, b, c, _ = images
    rows = to_plate(f"image_id well plate\n{a} A1 x\n{b} A1 y\n{c} A1 y\n", plate="")
    assert lab.rows(WELLS) == [["x", 0, 0, a], ["y", 0, 0, b], ["y", 0, 0, c]]
    assert counts(lab) == [2, 2, 3, 1]
    assert [row["field"] for row in rows] == ["1", "1", "2"]


@pytest.mark.usefixtures("images")
def test_a_rerun_finds_its_plate_and_another_content_is_refused(lab: Lab, to_plate):
    [first] = to_plate("image well\na A1\n")
    [again] = to_plate("image well\na A1\n")
    assert (again["plate_id"], again["well_id"], again["status"]) == (first["plate_id"], first["well_id"], "unchanged")
    before = counts(lab)
    with pytest.raises(
        UserError, match=rf"plate 'p': you have one of this name with other content \(id {first['plate_id']}"
    ):
        to_plate("image well\nb A1\n")
    with pytest.raises(UserError, match="it stands in well A1 of plate 'p'"):
        to_plate("image well\na A1\n", plate="other")
    assert counts(lab) == before


@pytest.mark.usefixtures("images")
def test_a_screen_by_id_by_name_or_none(lab: Lab, to_plate):
    screen = lab.container("Screen", "mine")
    [row] = to_plate("image well\na A1\n", plate="p1", screen={"by": "id", "screen_id": str(screen)})
    assert (row["screen_id"], row["screen_name"]) == (str(screen), "mine")
    [row] = to_plate("image well\nb A1\n", plate="p2", screen={"by": "name", "screen": "mine", "create": False})
    assert row["screen_id"] == str(screen)
    [row] = to_plate("image well\nc A1\n", plate="p3", screen={"by": "none"})
    assert (row["screen_id"], row["screen_name"]) == ("", "")
    assert counts(lab)[3] == 1


@pytest.mark.usefixtures("images")
def test_a_layout_is_checked_in_full_before_anything_is_made(lab: Lab, to_plate):
    lab.image("a", PLANE)  # of this name, but in no dataset
    twin = lab.container("Dataset", "twin")
    for _ in range(2):
        lab.image("t", PLANE, twin)
    before = counts(lab)
    cases = [
        ("image well\na A1\nb A0\n", {}, "line 3: well 'A0': not a well"),
        ("image well\na ABC1\n", {}, "line 2: well 'ABC1': not a well"),
        ("image well\na A1\nnone A2\n", {}, "must hold one image 'none'; found ids: none"),
        ("image well\nt A1\n", {"target": typed("dataset", "twin")}, r"found ids: \d+, \d+"),
        ("image well\na A1\na A2\n", {}, "line 3: image 'a' stands in line 2 already"),
        ("image well field\na A1 1\nb A1 1\n", {}, "line 3: the well and field of line 2"),
        ("image well field\na A1 x\n", {}, "line 2: field 'x' is none"),
        ("image well\na A1\n", {"plate": " "}, "line 2: no plate"),
        ("image place\na A1\n", {}, "it needs the columns well, and image_id or image"),
        ("image well\n", {}, "no row below the header"),
        ("image well\na A1\n", {"screen": {"by": "name", "screen": "x", "create": False}}, "screen 'x': there is none"),
        ("image well\na A1\n", {"screen": {"by": "id", "screen_id": "x"}}, "screen 'x': not an id"),
        ("image well\na A1\n", {"screen": {"by": "name", "screen": " ", "create": True}}, "screen: no name given"),
    ]
    for text, config, message in cases:
        with pytest.raises(UserError, match=message):
            to_plate(text, **config)
    [row] = to_plate("image well\na A1\n", dry_run=True)
    assert (row["status"], row["plate_id"]) == ("would make", "")
    assert counts(lab) == before


@pytest.mark.usefixtures("images")
def test_a_failure_leaves_no_plate_and_says_which_images_were_at_work(lab: Lab, to_plate, monkeypatch, tmp_path: Path):
    to_plate("image well plate\nc C1 z\n")
    before = counts(lab)

    def refuse() -> None:
        raise UserError("refused")

    fail_at(monkeypatch, omero_plates, "_plate", 2, refuse)
    with pytest.raises(UserError, match="refused"):
        to_plate("image well plate\na A1 x\nb A1 y\nc C1 z\n")
    assert counts(lab) == before
    rows = read_rows(tmp_path / "out.tsv")
    assert [(row["plate_name"], row["status"]) for row in rows] == [
        ("x", "failed: refused"), ("y", "failed: refused"), ("z", "not done"),
    ]  # fmt: skip


@pytest.mark.usefixtures("images")
def test_queries_do_not_grow_with_the_images(to_plate, monkeypatch):
    to_plate("image well\nd A1\n", plate="first")
    calls: list[str] = []
    original = Session.rows
    monkeypatch.setattr(Session, "rows", lambda self, hql, **rest: calls.append(hql) or original(self, hql, **rest))
    to_plate("image well\na A1\n", plate="one", screen=NEW_SCREEN | {"create": False})
    one = len(calls)
    to_plate("image well\nb A1\nc A2\n", plate="two", screen=NEW_SCREEN | {"create": False})
    assert len(calls) == 2 * one


@pytest.mark.parametrize("text", ["", "A", "1", "A100", "1A", "A-1", "Ä1", "A1.5"])
def test_what_is_no_well(text):
    with pytest.raises(UserError, match="not a well"):
        parse_well(text)


DELETE = {"dataset": "delete", "sure": True}


def test_a_dataset_goes_when_all_its_images_stand_on_the_plate(lab: Lab, to_plate, images):
    text = "image well\na A1\nb A2\nc A3\nd A4\n"
    to_plate(text, afterwards=DELETE, dry_run=True)
    assert lab.rows("select d.name from Dataset d") == [["d"]]
    to_plate(text, afterwards=DELETE)
    assert lab.rows("select count(d) from Dataset d") == [[0]]
    assert [row[3] for row in lab.rows(WELLS)] == images
    before = counts(lab)
    assert {row["status"] for row in to_plate(text, afterwards=DELETE)} == {"unchanged"}
    with pytest.raises(UserError, match="dataset 'd': there is none"):
        to_plate(text, afterwards=DELETE, plate="another")
    with pytest.raises(UserError, match="dataset 'd': there is none"):
        to_plate(text)
    assert counts(lab) == before


@pytest.mark.parametrize(
    ("text", "afterwards", "target", "message"),
    [
        ("image well\na A1\nb A2\nc A3\nd A4\n", {"dataset": "delete"}, ("dataset", "d"), "you have not confirmed it"),
        ("image well\na A1\nb A2\n", DELETE, ("dataset", "d"), "2 of its images have no place in the layout"),
        ("image well\na A1\nb A2\n", DELETE, ("image", "a, b"), "only datasets can be deleted afterwards"),
    ],
)
@pytest.mark.usefixtures("images")
def test_a_dataset_that_must_stay_is_said_before_anything_is_made(
    lab: Lab, to_plate, text, afterwards, target, message
):
    with pytest.raises(UserError, match=message):
        to_plate(text, afterwards=afterwards, target=typed(*target))
    assert counts(lab) == [0, 0, 0, 0]
    assert lab.rows("select d.name from Dataset d") == [["d"]]


@pytest.mark.usefixtures("images")
def test_a_dataset_that_gets_an_image_meanwhile_stays_and_no_plate_is_made(
    lab: Lab, to_plate, monkeypatch, tmp_path: Path
):
    text = "image well\na A1\nb A2\nc A3\nd A4\n"
    [[dataset]] = lab.rows("select d.id from Dataset d")
    late: list[int] = []

    def put_in() -> None:
        image = omero.model.ImageI()
        image.name = rstring("late")  # as while it is imported: without pixels
        late.append(lab.save(image))
        child = omero.model.ImageI(late[0], False)
        link(lab.session, "DatasetImageLinkI", omero.model.DatasetI(dataset, False), child)

    fail_at(monkeypatch, omero_plates, "_save", 1, put_in)
    with pytest.raises(UserError, match="1 of its images have no place in the layout, such as"):
        to_plate(text, afterwards=DELETE)
    assert counts(lab) == [0, 0, 0, 0]
    assert [row["status"] for row in read_rows(tmp_path / "out.tsv")] == 4 * ["taken back"]
    assert lab.rows("select l.parent.name, l.child.name from DatasetImageLink l where l.child.name = 'late'") == [
        ["d", "late"]
    ]


def test_with_a_dataset_go_its_own_files_but_not_its_tags_nor_what_is_elsewhere_too(
    lab: Lab, to_plate, images, tmp_path: Path
):
    [[dataset]] = lab.rows("select d.id from Dataset d")
    for name in ("only", "both"):
        (tmp_path / name).write_text(name)
        attach(lab, images[0], tmp_path / name)
    tag = omero.model.TagAnnotationI()
    tag.textValue = rstring("x")
    files = [row[0] for row in lab.rows("select a.id from FileAnnotation a order by a.id")]
    for annotation in (*(omero.model.FileAnnotationI(one, False) for one in files), tag):
        link(lab.session, "DatasetAnnotationLinkI", omero.model.DatasetI(dataset, False), annotation)
    lab.session.getUpdateService().deleteObject(
        omero.model.ImageAnnotationLinkI(lab.rows("select min(l.id) from ImageAnnotationLink l")[0][0], False)
    )
    to_plate("image well\na A1\nb A2\nc A3\nd A4\n", afterwards=DELETE)
    assert lab.rows("select a.file.name, l.parent.id from ImageAnnotationLink l, FileAnnotation a "
                    "where l.child.id = a.id") == [["both", images[0]]]  # fmt: skip
    assert lab.rows("select f.name from OriginalFile f where f.name in ('only', 'both')") == [["both"]]
    assert lab.rows("select t.textValue from TagAnnotation t") == [["x"]]
