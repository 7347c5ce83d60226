"""Every form of key-value table that people have arrives in OMERO: each dialect, delimiter and encoding."""

import json
from pathlib import Path

import numpy as np
import omero
import omero_annotate
import openpyxl
import pytest
from omero.rtypes import rint, rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.key_value_dialects import CLIENT_NAMESPACE
from tests.galaxy.seed_omero import link
from tests.omero.tool_support import Lab, from_table, named, read_rows, typed

CLIENT = CLIENT_NAMESPACE


@pytest.fixture
def annotate(lab: Lab, tmp_path: Path):
    def run(data: bytes, **config) -> list[dict[str, str]]:
        (tmp_path / "table.csv").write_bytes(data)
        values = {"within": typed("dataset", "d"), "kind": "image", "mode": "add", "namespace": ""}
        outputs = {"output": "out.tsv", "changes": "changes.tsv"}
        table = named("table.csv", tmp_path / "table.csv")
        return read_rows(lab.run(omero_annotate, tmp_path, outputs, table=table, **(values | config))["output"])

    return run


@pytest.fixture
def images(lab: Lab) -> list[int]:
    dataset = lab.container("Dataset", "d")
    return [lab.image(f"cell_{number}.tif", np.zeros((2, 2), np.uint8), dataset) for number in (1, 2)]


def pairs(lab: Lab, kind: str = "Image") -> list[tuple]:
    """(id of the object, namespace, pairs) of all key-value annotations, ordered by object and annotation."""
    links = lab.session.getQueryService().findAllByQuery(
        f"select l from {kind}AnnotationLink l join fetch l.child where l.child.class = MapAnnotation "
        "order by l.parent.id, l.child.id",
        None,
    )
    return [
        (one.parent.id.val, one.child.ns.val, [(pair.name, pair.value) for pair in one.child.mapValue]) for one in links
    ]


DIALECTS = {
    "omero-scripts, old": "filename,dose,medium\ncell_1.tif,1,x;y\ncell_2.tif,2,z\n",
    "omero-scripts, new, by name": "OBJECT_NAME,dose,medium,medium\ncell_1.tif,1,x,y\ncell_2.tif,2,z,\n",
    "omero-scripts, new, by id": "OBJECT_ID,OBJECT_NAME,DATASET,dose,medium,medium\n{0},any,d,1,x,y\n{1},any,d,2,z,\n",
    "omero-metadata, header": "# header image,d,s,s\nimage,dose,medium,medium\n{0},1,x,y\n{1},2,z,\n",
    "omero-metadata, names": "Image Name,Dataset Name,dose,medium,medium\ncell_1.tif,d,1,x,y\ncell_2.tif,d,2,z,\n",
    "tidy": (
        "object_type,object_id,namespace,key,value\nimage,{0},,dose,1\nimage,{0},,medium,x\nimage,{0},,medium,y\n"
        "image,{1},,dose,2\nimage,{1},,medium,z\n"
    ),
}


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_all_forms_of_one_table_give_the_same_pairs(lab: Lab, annotate, images, dialect, delimiter, bom):
    text = DIALECTS[dialect].format(*images)
    if delimiter == ";" and "x;y" in text:  # a value that holds the delimiter is quoted
        text = text.replace("x;y", '"x;y"')
    report = annotate(bom + text.replace(",", delimiter).encode())
    assert [row["status"] for row in report] == ["changed"] * 2
    assert pairs(lab) == [
        (images[0], CLIENT, [("dose", "1"), ("medium", "x"), ("medium", "y")]),
        (images[1], CLIENT, [("dose", "2"), ("medium", "z")]),
    ]


@pytest.mark.usefixtures("images")
def test_the_template_of_dresden_describes_a_dataset(lab: Lab, annotate):
    annotate("dataset;Äquator;dose\nd;1,5 µm;2.5\n".encode(), within={"source": "group"})
    [(_, namespace, found)] = pairs(lab, "Dataset")
    assert (namespace, found) == (CLIENT, [("Äquator", "1,5 µm"), ("dose", "2.5")])


@pytest.mark.parametrize("within", [typed("project", "p"), {"source": "group"}], ids=["project", "group"])
@pytest.mark.parametrize("first", ["Dataset Name,Image Name", "Dataset,Image", "Dataset ID,Image Name"])
def test_images_of_one_name_are_told_apart_by_their_datasets(lab: Lab, annotate, first, within):
    """As omero-metadata does it for projects; a table that begins with the datasets is not Dresden's."""
    project = lab.container("Project", "p")
    datasets = [lab.container("Dataset", name) for name in ("d1", "d2")]
    for dataset in datasets:
        child = omero.model.DatasetI(dataset, False)
        link(lab.session, "ProjectDatasetLinkI", omero.model.ProjectI(project, False), child)
    found = [lab.image("same.tif", np.zeros((2, 2), np.uint8), dataset) for dataset in datasets]
    named = [f"{dataset}" for dataset in datasets] if "ID" in first else ["d1", "d2"]
    annotate(f"{first},dose\n{named[1]},same.tif,2\n{named[0]},same.tif,1\n".encode(), within=within)
    assert pairs(lab) == [(found[0], CLIENT, [("dose", "1")]), (found[1], CLIENT, [("dose", "2")])]
    with pytest.raises(UserError, match=r"image 'other.tif' of dataset '.+': the container must have one"):
        annotate(f"{first},dose\n{named[1]},other.tif,2\n".encode(), within=within)


def test_a_spreadsheet_json_and_a_template_are_read(lab: Lab, annotate, images, tmp_path: Path):
    rows = [["image", "dose", "medium"], ["cell_1.tif", 1, "µ-Slide, 2"], ["cell_2.tif", 2.5, None]]
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "book.xlsx")
    annotate((tmp_path / "book.xlsx").read_bytes())
    expected = [(images[0], CLIENT, [("dose", "1"), ("medium", "µ-Slide, 2")]), (images[1], CLIENT, [("dose", "2.5")])]
    assert pairs(lab) == expected
    objects = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert {row["status"] for row in annotate(json.dumps(objects).encode())} == {"unchanged"}
    annotate(b"image,Biosample: Organism\n*,Homo sapiens\n", namespace="rembi")
    assert [found for found in pairs(lab) if found[1] == "rembi"] == [
        (image, "rembi", [("Biosample: Organism", "Homo sapiens")]) for image in images
    ]


def test_a_tag_given_by_its_id_is_that_tag(lab: Lab, annotate, images):
    twins = [lab.annotate(images[0], omero.model.TagAnnotationI()) for _ in range(2)]
    for tag in twins:
        one = lab.session.getQueryService().get("TagAnnotation", tag)
        one.textValue = rstring("twin")
        lab.save(one)
    text = f"OBJECT_NAME,TAG\ncell_2.tif,[{twins[1]}]\n"
    for status in ("changed", "unchanged"):
        assert [row["status"] for row in annotate(text.encode())] == [status]
    hql = "select l.child.id from ImageAnnotationLink l where l.parent.id = "
    assert lab.rows(f"{hql}{images[1]}") == [[twins[1]]]
    with pytest.raises(UserError, match=r"tag 999999999: no tag has this id"):
        annotate(b"OBJECT_NAME,TAG\ncell_1.tif,[999999999]\n", dry_run=True)
    assert lab.rows("select count(t) from TagAnnotation t") == [[2]]


def test_runs_of_plates_and_rois_are_annotated(lab: Lab, annotate, images):
    plate, run, roi = omero.model.PlateI(), omero.model.PlateAcquisitionI(), omero.model.RoiI()
    plate.name, run.name = rstring("p"), rstring("run 1")
    plate.addPlateAcquisition(run)
    lab.save(plate)
    roi.image = omero.model.ImageI(images[0], False)
    number = lab.save(roi)
    annotate(b"OBJECT_NAME,dose\nrun 1,1\n", kind="run", within={"source": "group"})
    annotate(f"# header roi,d\nRoi,area\n{number},2.5\n".encode(), within={"source": "group"})
    assert [found[1:] for found in pairs(lab, "PlateAcquisition")] == [(CLIENT, [("dose", "1")])]
    assert pairs(lab, "Roi") == [(number, CLIENT, [("area", "2.5")])]


def test_the_namespaces_and_tags_of_new_omero_scripts(lab: Lab, annotate, images):
    text = (
        "namespace,lab.example.org/a,,\nOBJECT_NAME,dose,medium,TAG\n"
        'cell_1.tif,1,x,"good[quality],bad[17][quality], plain"\ncell_2.tif,2,,plain[8]\n'
    )
    annotate(text.encode())
    assert pairs(lab) == [
        (images[0], "lab.example.org/a", [("dose", "1")]),
        (images[0], CLIENT, [("medium", "x")]),
        (images[1], "lab.example.org/a", [("dose", "2")]),
    ]
    tags = lab.rows(
        "select l.parent.id, t.textValue from ImageAnnotationLink l, TagAnnotation t where l.child.id = t.id"
    )
    assert sorted(map(tuple, tags)) == [
        (images[0], "bad"),
        (images[0], "good"),
        (images[0], "plain"),
        (images[1], "plain"),
    ]
    sets = lab.rows(
        "select s.textValue, t.textValue from AnnotationAnnotationLink l, TagAnnotation s, TagAnnotation t "
        "where l.parent.id = s.id and l.child.id = t.id"
    )
    assert sorted(map(tuple, sets)) == [("quality", "bad"), ("quality", "good")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("well,dose\nA1,1\nAB2,2\n", "image"),
        ("Plate,Well,dose\np,a1,1\np,ab2,2\n", "image"),
        ("OBJECT_NAME,dose\nA1,1\nAB2,2\n", "well"),
        ("OBJECT_ID,dose\n{0},1\n{1},2\n", "well"),
    ],
)
def test_wells_are_found_by_their_label(lab: Lab, annotate, text, kind):
    plate = omero.model.PlateI()
    plate.name = rstring("p")
    wells = []
    for row, column in ((0, 0), (27, 1)):
        well, sample = omero.model.WellI(), omero.model.WellSampleI()
        well.row, well.column = rint(row), rint(column)
        sample.image = omero.model.ImageI(lab.image(f"w{row}", np.zeros((2, 2), np.uint8)), False)
        well.addWellSample(sample)
        plate.addWell(well)
    lab.save(plate)
    wells = [number for [number] in lab.rows("select w.id from Well w order by w.row")]
    annotate(text.format(*wells).encode(), within=typed("plate", "p"), kind=kind)
    assert pairs(lab, "Well") == [(wells[0], CLIENT, [("dose", "1")]), (wells[1], CLIENT, [("dose", "2")])]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("image;dose\ncell_1.tif;grün\n".encode("cp1252"), "line 2, column B"),
        ("image,dose\ncell_1.tif,1\ncell_2.tif,2,3\n".encode("utf-16"), "line 3, column C"),
        (b"image,dose\ncell_1.tif,1\ncell_2.tif,2,3\n", "line 3, column C"),
        (b"image,dose,x\ncell_1.tif,1,2\ncell_2.tif,2\n", "line 3, column C"),
        (b"image,dose,\ncell_1.tif,1,2\n", "line 2, column C"),
    ],
)
@pytest.mark.usefixtures("images")
def test_a_wrong_encoding_or_a_ragged_row_is_refused_with_line_and_column(lab: Lab, annotate, data, message):
    with pytest.raises(UserError, match=message):
        annotate(data)
    assert pairs(lab) == []


def test_names_are_looked_up_among_the_images_of_an_object_table(lab: Lab, annotate, images, tmp_path: Path):
    lab.image("cell_1.tif", np.zeros((2, 2), np.uint8))  # of the same name, elsewhere
    (tmp_path / "objects.tsv").write_text(f"image_id\n{images[0]}\n")
    annotate(b"image,dose\ncell_1.tif,1\n", within=from_table(tmp_path / "objects.tsv"))
    assert pairs(lab) == [(images[0], CLIENT, [("dose", "1")])]
    with pytest.raises(UserError, match=r"image 'cell_2.tif': the container must have one of this name"):
        annotate(b"image,dose\ncell_2.tif,1\n", within=from_table(tmp_path / "objects.tsv"))


def test_what_one_may_not_annotate_is_named_object_by_object_before_anything_is_done(
    lab: Lab, annotate, images, tmp_path: Path
):
    """In a read-only group a colleague's image may be seen and not be annotated."""
    admin = lab.root.getSession().getAdminService()
    group = admin.lookupGroup(lab.group)
    admin.changePermissions(group, omero.model.PermissionsI("rwr---"))
    colleague = lab.colleague()
    theirs = colleague.image("theirs.tif", np.zeros((2, 2), np.uint8))
    dataset = lab.rows("select d.id from Dataset d")[0][0]
    with pytest.raises(omero.SecurityViolation):
        link(lab.session, "DatasetImageLinkI", omero.model.DatasetI(dataset, False), omero.model.ImageI(theirs, False))
    text = f"OBJECT_ID,dose\n{images[0]},1\n{theirs},2\n"
    with pytest.raises(UserError, match=rf"image {theirs}: you may not annotate them"):
        annotate(text.encode(), within={"source": "group"})
    rows = read_rows(tmp_path / "out.tsv")
    assert [(row["image_id"], row["status"][:6]) for row in rows] == [
        (str(images[0]), "not do"),
        (str(theirs), "failed"),
    ]
    assert pairs(lab) == []
