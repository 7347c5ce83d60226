from pathlib import Path

import numpy as np
import omero
import omero_annotate
import omero_get_annotations
import pytest
from omero.rtypes import rbool, rdouble, rlong, rstring, rtime

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations import rows as annotation_rows
from bioimage_suite.omero.annotations.annotations import MARK, RATING_NAMESPACE
from bioimage_suite.omero.annotations.rows import VALUES
from bioimage_suite.omero.session import Session
from bioimage_suite.tables.key_value_dialects import CLIENT_NAMESPACE
from tests.omero.tool_support import Lab, fail_at, named, read_rows, typed

PLANE = np.zeros((2, 2), np.uint8)
TYPES = ["key_value", "tag", "comment", "rating", "attachment", "table"]
HEADER = "image,dose,medium,TAG,COMMENT,RATING\n"


@pytest.fixture
def annotate(lab: Lab, tmp_path: Path):
    def run(text: str, **config) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        values = {"within": typed("dataset", "d"), "kind": "image", "mode": "add", "namespace": "", "dry_run": False}
        outputs = {"output": "out.tsv", "changes": "changes.tsv"}
        paths = lab.run(omero_annotate, tmp_path, outputs, table=named("table.csv", path), **(values | config))
        return read_rows(paths["output"]), read_rows(paths["changes"])

    return run


@pytest.fixture
def get(lab: Lab, tmp_path: Path):
    def run(target: dict, of: str = "images", types: list[str] = TYPES, **config):
        outputs = {"output": "tidy.tsv", "wide": "wide.tsv", "folder": "fetched", "downloads": "downloads.tsv"}
        values = {"target": target, "of": of, "types": types} | config
        paths = lab.run(omero_get_annotations, tmp_path, outputs, **values)
        return read_rows(paths["output"]), read_rows(paths["wide"])

    return run


@pytest.fixture
def images(lab: Lab) -> list[int]:
    dataset = lab.container("Dataset", "d")
    return [lab.image(f"cell_{number}.tif", PLANE, dataset) for number in (1, 2)]


def attach(lab: Lab, image: int, name: str, data: bytes) -> int:
    """Attach a file by hand; returns the id of the annotation."""
    file, annotation = omero.model.OriginalFileI(), omero.model.FileAnnotationI()
    file.name, file.path, file.size = rstring(name), rstring(""), rlong(len(data))
    number = lab.save(file)
    store = lab.session.createRawFileStore()
    store.setFileId(number)
    store.write(data, 0, len(data))
    store.save()
    store.close()
    annotation.file = omero.model.OriginalFileI(number, False)
    return lab.annotate(image, annotation)


def values(rows: list[dict[str, str]], image: int, kind: str = "key_value") -> list[tuple[str, str]]:
    return [(r["key"], r["value"]) for r in rows if (r["object_id"], r["annotation_type"]) == (str(image), kind)]


def test_all_rows_and_kinds_of_a_table_arrive_and_a_rerun_changes_nothing(annotate, get, images):
    text = HEADER + 'cell_1.tif,1,"DMEM, 10 %",good[quality],"says ""hi""",4\ncell_2.tif,2,µ,plain,,\n'
    report, changes = annotate(text)
    assert [(row["image_id"], row["status"]) for row in report] == [(str(image), "changed") for image in images]
    assert len(changes) == 4 + 2
    rows, wide = get(typed("dataset", "d"))
    assert values(rows, images[0]) == [("dose", "1"), ("medium", "DMEM, 10 %")]
    assert values(rows, images[1]) == [("dose", "2"), ("medium", "µ")]
    assert values(rows, images[0], "tag") == [("quality", "good")]  # with its tag set
    assert values(rows, images[0], "comment") == [("", 'says "hi"')]
    assert values(rows, images[0], "rating") == [("", "4")]
    assert [(row["image_name"], row["tags"], row["dose"]) for row in wide] == [
        ("cell_1.tif", "good", "1"), ("cell_2.tif", "plain", "2"),
    ]  # fmt: skip
    for mode in ("add", "merge", "replace"):
        report, changes = annotate(text, mode=mode)
        assert changes == []
        assert {row["status"] for row in report} == {"unchanged"}
    assert get(typed("dataset", "d"))[0] == rows


@pytest.mark.usefixtures("images")
def test_a_dry_run_lists_the_changes_and_makes_none(annotate, get):
    report, changes = annotate(HEADER + "cell_1.tif,1,x,good,,\n", dry_run=True)
    assert (report[0]["status"], report[0]["change_count"]) == ("would change", "2")
    assert [(row["action"], row["annotation_type"], row["after"]) for row in changes] == [
        ("add", "key_value", "dose=1; medium=x"), ("add", "tag", "good"),
    ]  # fmt: skip
    assert get(typed("dataset", "d"))[0] == []


def test_merge_and_replace_touch_only_what_this_user_made_with_this_tool(lab: Lab, annotate, get, images):
    by_hand = omero.model.MapAnnotationI()
    by_hand.ns = rstring(CLIENT_NAMESPACE)
    by_hand.mapValue = [omero.model.NamedValue("dose", "by hand"), omero.model.NamedValue("dose", "twice")]
    lab.annotate(images[0], by_hand)
    lab.colleague().sign_in()
    annotate("image,dose\ncell_1.tif,colleague\n")
    lab.sign_in()
    annotate("image,dose,stage\ncell_1.tif,1,mitosis\n")
    foreign = [("dose", "by hand"), ("dose", "twice"), ("dose", "colleague")]
    _, changes = annotate("image,dose\ncell_1.tif,2\n", mode="merge")
    assert [(row["action"], row["before"], row["after"]) for row in changes] == [
        ("merge", "dose=1; stage=mitosis", "stage=mitosis; dose=2")
    ]
    assert values(get(typed("dataset", "d"))[0], images[0]) == [*foreign, ("stage", "mitosis"), ("dose", "2")]
    annotate("image,new\ncell_1.tif,3\n", mode="replace")
    assert values(get(typed("dataset", "d"))[0], images[0]) == [*foreign, ("new", "3")]
    annotate("image,dose\ncell_1.tif,by hand\n", namespace="other")
    assert values(get(typed("dataset", "d"), namespace="other")[0], images[0]) == [("dose", "by hand")]
    marks = "select count(m) from MapAnnotation m where m.description = '{}' and m.details.owner.omeName = '{}'"
    assert lab.rows(marks.format(MARK, lab.user)) == [[2]]


@pytest.mark.usefixtures("images")
def test_tags_are_found_again_and_sets_made_once(lab: Lab, annotate):
    annotate("image,TAG\ncell_1.tif,good[quality]\ncell_2.tif,good[quality]\n")
    annotate("image,TAG,TAG\ncell_1.tif,bad[quality],good\n")
    tags = lab.rows("select t.textValue, t.ns from TagAnnotation t order by t.textValue")
    assert [text for text, _ in tags] == ["bad", "good", "quality"]
    links = lab.rows("select l.parent.id, l.child.id from AnnotationAnnotationLink l")
    assert len(links) == 2
    assert len({parent for parent, _ in links}) == 1


def test_a_tag_may_be_in_several_sets(lab: Lab, annotate, get, images):
    for _ in range(2):
        annotate("image,TAG,TAG\ncell_1.tif,good[quality],good[review]\n")
        rows = get(typed("dataset", "d"))[0]
        assert sorted(values(rows, images[0], "tag")) == [("quality", "good"), ("review", "good")]
        assert lab.rows("select count(t) from TagAnnotation t where t.textValue = 'good'") == [[1]]
        assert lab.rows("select count(l) from ImageAnnotationLink l") == [[1]]


def test_a_tag_given_by_name_and_by_id_is_linked_once(lab: Lab, annotate, images):
    annotate("image,TAG\ncell_1.tif,good\n")
    [[number]] = lab.rows("select t.id from TagAnnotation t")
    annotate(f"image,TAG,TAG\ncell_2.tif,good,[{number}]\n")
    links = lab.rows("select l.parent.id, l.child.id from ImageAnnotationLink l")
    assert sorted(links) == [[image, number] for image in sorted(images)]


def test_a_rating_replaces_ones_own_rating(lab: Lab, annotate, get, images):
    theirs = omero.model.LongAnnotationI()
    theirs.ns, theirs.longValue = rstring(RATING_NAMESPACE), rlong(1)
    lab.colleague().annotate(images[0], theirs)
    for rating in (3, 5):
        annotate(f"image,RATING\ncell_1.tif,{rating}\n")
    assert sorted(values(get(typed("dataset", "d"))[0], images[0], "rating")) == [("", "1"), ("", "5")]
    with pytest.raises(UserError, match="line 2: rating '7' is not 1 to 5"):
        annotate("image,RATING\ncell_1.tif,7\n")


def test_what_was_fetched_can_be_written_elsewhere(annotate, get, images, tmp_path: Path):
    annotate("image,dose,dose\ncell_1.tif,1,2\n", namespace="lab.example.org/x")
    get(typed("dataset", "d"))
    tidy = (tmp_path / "tidy.tsv").read_text().replace(f"\t{images[0]}\t", f"\t{images[1]}\t")
    annotate(tidy, within={"source": "group"})
    rows = get(typed("dataset", "d"), namespace="lab.example.org/x")[0]
    assert values(rows, images[1]) == values(rows, images[0]) == [("dose", "1"), ("dose", "2")]


def test_tags_comments_and_ratings_go_along_and_files_stay(lab: Lab, annotate, get, images, tmp_path: Path):
    annotate("image,TAG,TAG,COMMENT,RATING,dose\ncell_1.tif,good,bad[quality],fine,4,1\n")
    attach(lab, images[0], "note.txt", b"x")
    get(typed("dataset", "d"))
    tidy = (tmp_path / "tidy.tsv").read_text().replace(f"\t{images[0]}\t", f"\t{images[1]}\t")
    annotate(tidy, within={"source": "group"})
    rows = get(typed("dataset", "d"))[0]
    for kind in ("key_value", "tag", "comment", "rating"):
        assert values(rows, images[1], kind) == values(rows, images[0], kind) != []
    assert values(rows, images[1], "attachment") == []
    assert set(values(rows, images[1], "tag")) == {("", "good"), ("quality", "bad")}


def annotate_values(lab: Lab, image: int) -> None:
    """One annotation of each kind that holds a single value, and a rating, by hand."""
    found = {
        "Boolean": ("boolValue", rbool(False)),
        "Long": ("longValue", rlong(2**40)),
        "Double": ("doubleValue", rdouble(0.1)),
        "Timestamp": ("timeValue", rtime(1_700_000_000_123)),
        "Term": ("termValue", rstring("GO:0005634")),
        "Xml": ("textValue", rstring("<a>\t<b/>\n</a>")),
    }
    for name, (field, value) in found.items():
        annotation = getattr(omero.model, f"{name}AnnotationI")()
        annotation.ns = rstring(f"lab.example.org/{name}")
        setattr(annotation, field, value)
        lab.annotate(image, annotation)
    rating = omero.model.LongAnnotationI()
    rating.ns, rating.longValue = rstring(RATING_NAMESPACE), rlong(4)
    lab.annotate(image, rating)


def test_single_values_are_listed_by_their_kind(lab: Lab, get, images):
    annotate_values(lab, images[0])
    rows, _ = get(typed("dataset", "d"), types=["value"])
    assert [(row["annotation_type"], row["namespace"], row["value"]) for row in rows] == [
        ("boolean", "lab.example.org/Boolean", "false"),
        ("long", "lab.example.org/Long", "1099511627776"),
        ("double", "lab.example.org/Double", "0.1"),
        ("timestamp", "lab.example.org/Timestamp", "2023-11-14T22:13:20.123Z"),
        ("term", "lab.example.org/Term", "GO:0005634"),
        ("xml", "lab.example.org/Xml", "<a> <b/> </a>"),
    ]
    assert [row["annotation_type"] for row in get(typed("dataset", "d"), types=[])[0]].count("rating") == 1
    assert [row["value"] for row in get(typed("dataset", "d"), types=[], namespace="lab.example.org/Long")[0]] == [
        f"{2**40}"
    ]
    assert get(typed("dataset", "d"), types=["comment"])[0] == []


def test_single_values_are_said_to_stay_behind(lab: Lab, annotate, get, images, tmp_path: Path, capsys):
    annotate_values(lab, images[0])
    get(typed("dataset", "d"), types=[])
    tidy = (tmp_path / "tidy.tsv").read_text().replace(f"\t{images[0]}\t", f"\t{images[1]}\t")
    _, changes = annotate(tidy, within={"source": "group"})
    assert [row["annotation_type"] for row in changes] == ["rating"]
    said = capsys.readouterr().out
    assert "line 3: left out: boolean 'false'; expected key-value pairs, tags" in said
    assert said.count("left out: ") == len(VALUES)
    rows = get(typed("dataset", "d"), types=[])[0]
    assert [row["annotation_type"] for row in rows if row["object_id"] == str(images[1])] == ["rating"]


def test_an_object_without_annotations_has_its_row_too(annotate, get, images):
    """The table with one row an object is an object table: what is missing in it would be lost to the next step."""
    annotate("image,status,TAG\ncell_2.tif,healthy,good[quality]\ncell_2.tif,treated,\n")
    _, wide = get(typed("dataset", "d"))
    assert [(row["image_id"], row["row_count"], row["status"]) for row in wide] == [
        (str(images[0]), "0", "fetched"), (str(images[1]), "3", "fetched"),
    ]  # fmt: skip
    assert (wide[1]["key status"], wide[1]["tags"], wide[0]["tags"]) == ("healthy; treated", "good", "")


@pytest.mark.usefixtures("images")
def test_what_cannot_be_fetched_is_said_of_every_object(get, monkeypatch, tmp_path: Path):
    def refuse() -> None:
        raise UserError("refused")

    fail_at(monkeypatch, annotation_rows, "linked_texts", 1, refuse)
    with pytest.raises(UserError, match="refused"):
        get(typed("dataset", "d"))
    assert [row["status"] for row in read_rows(tmp_path / "wide.tsv")] == ["failed: refused"] * 2
    assert not (tmp_path / "tidy.tsv").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,dose\ncell_1.tif,1,2\n", "line 2"),
        ("image,dose\ncell_1.tif,=1+1\n", "line 2, column B"),
        ("image,dose\ncell_1.tif,grün\n".encode("latin-1"), "line 2"),
        ("image,dose\ncell_9.tif,1\n", "image 'cell_9.tif': the container must have one of this name; found ids: none"),
        ("image,dose\n", "no row under the header"),
        ("OBJECT_ID,dose\ntwelve,1\n", "image 'twelve': not an id"),
        ("OBJECT_ID,dose\n999999999,1\n", "image 999999999: no such id"),
    ],
)
@pytest.mark.usefixtures("images")
def test_bad_tables_are_refused_before_any_change(annotate, get, text, message):
    with pytest.raises(UserError, match=message):
        annotate(text)
    assert get(typed("dataset", "d"))[0] == []


@pytest.mark.usefixtures("images")
def test_a_failure_half_way_takes_back_what_was_made(annotate, get, monkeypatch):
    from bioimage_suite.omero.annotations import changes as annotation_changes

    annotate("image,dose\ncell_1.tif,1\n")
    before = get(typed("dataset", "d"))[0]

    def refuse() -> None:
        raise UserError("refused")

    with monkeypatch.context() as patch:
        fail_at(patch, annotation_changes, "_find_or_make_tags", 1, refuse)
        with pytest.raises(UserError, match="refused"):
            annotate("image,dose,TAG\ncell_1.tif,2,new\ncell_2.tif,2,new\n", mode="replace")
    assert get(typed("dataset", "d"))[0] == before


@pytest.mark.usefixtures("images")
def test_other_objects_and_their_own_annotations(annotate, get):
    annotate("OBJECT_NAME,dose\nd,7\n", within={"source": "group"}, kind="dataset")
    assert get(typed("dataset", "d"))[0] == []
    rows, wide = get(typed("dataset", "d"), of="objects")
    assert [(row["object_type"], row["key"], row["value"]) for row in rows] == [("dataset", "dose", "7")]
    assert wide[0]["dataset_name"] == "d"


def test_files_and_tables_are_told_apart(lab: Lab, get, images):
    for name, mimetype in (("report.pdf", "application/pdf"), ("m.h5", "OMERO.tables")):
        file, annotation = omero.model.OriginalFileI(), omero.model.FileAnnotationI()
        file.name, file.path, file.mimetype = rstring(name), rstring("/"), rstring(mimetype)
        annotation.file = file
        lab.annotate(images[0], annotation)
    rows = get(typed("dataset", "d"))[0]
    assert [(row["annotation_type"], row["value"]) for row in rows] == [("attachment", "report.pdf"), ("table", "m.h5")]
    assert [row["value"] for row in get(typed("dataset", "d"), types=["table"])[0]] == ["m.h5"]


@pytest.mark.usefixtures("images")
def test_the_number_of_queries_does_not_grow_with_the_objects(lab: Lab, annotate, get, monkeypatch):
    dataset = lab.rows("select d.id from Dataset d")[0][0]
    text = "image,dose\n" + "".join(f"cell_{number}.tif,{number}\n" for number in range(1, 3))
    calls: list = []
    for name in ("rows", "objects"):
        original = getattr(Session, name)
        monkeypatch.setattr(Session, name, lambda *a, _o=original, **k: calls.append(a) or _o(*a, **k))
    annotate(text)
    get(typed("dataset", "d"))
    few = len(calls)
    for number in range(3, 9):
        lab.image(f"cell_{number}.tif", PLANE, dataset)
    text = "image,dose\n" + "".join(f"cell_{number}.tif,{number}0\n" for number in range(1, 9))
    calls.clear()
    annotate(text)
    assert len(get(typed("dataset", "d"))[0]) == 8 + 2
    assert len(calls) <= few + 1  # one more to read the pairs that are there already


def test_annotations_are_chosen_by_their_ids(annotate, get, images, tmp_path: Path, lab: Lab):
    annotate("image,dose,TAG\ncell_1.tif,1,x\ncell_2.tif,2,x\n")
    kept, other = (attach(lab, images[0], name, name.encode()) for name in ("a.txt", "b.txt"))
    everything = get(typed("dataset", "d"))[0]
    [dose] = [row["annotation_id"] for row in everything if row["value"] == "2"]
    chosen = {"annotation_ids": f"{dose},\n{kept}", "download": True}
    rows, _ = get(typed("dataset", "d"), **chosen)
    assert {row["annotation_id"] for row in rows} == {dose, str(kept)} - {str(other)}
    [path] = (tmp_path / "fetched" / "files").iterdir()
    assert path.read_bytes() == b"a.txt"
    with pytest.raises(UserError, match=r"annotation 'x1': not an id\. Write whole numbers"):
        get(typed("dataset", "d"), annotation_ids="x1")
