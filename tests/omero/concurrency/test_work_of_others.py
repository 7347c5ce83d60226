"""A run that fails takes back what it made, but nothing that another job or user has come to use."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import omero
import pytest
import tifffile
from omero.rtypes import rint, rstring

from bioimage_suite.core.errors import UserError, outcome_of
from bioimage_suite.omero import leases
from bioimage_suite.omero.containers import DatasetPlace, make_container, make_place
from bioimage_suite.omero.files.filesets import single_file
from bioimage_suite.omero.files.imports import ImportRun, import_fileset, imported_by
from bioimage_suite.omero.session import Session, open_session
from bioimage_suite.omero.undo import save_links, writing
from tests.galaxy.seed_omero import link
from tests.omero.concurrency.copies import Job, run_one
from tests.omero.tool_support import Lab, fail_at, make_lab, named, typed


@pytest.fixture
def lab(omero_server: Any, monkeypatch: pytest.MonkeyPatch):
    with make_lab(omero_server, monkeypatch) as found:
        yield found


def import_into(lab: Lab, folder: Path, dataset: str) -> None:
    tifffile.imwrite(folder / "b.tif", np.zeros((9, 8), np.uint8))
    place = {"by": "name", "dataset": dataset, "project": "", "create": True}
    config = {"files": [named("b", folder / "b.tif") | {"ext": "tiff"}], "zip_holds": "images", "existing": "skip"}
    done = run_one(lab, folder, Job("omero_import_images", {**config, "place": place}, {"output": "out.tsv"}))
    assert done.code == 0, done.error


def test_a_dataset_into_which_another_job_imported_stays(lab: Lab, tmp_path: Path, capsys):
    with open_session(lab.address) as session, pytest.raises(UserError, match="refused"), writing(session) as made:
        number = make_place(session, DatasetPlace(None, "d"), made)
        import_into(lab, tmp_path, "d")
        raise UserError("refused")
    assert lab.rows("select l.parent.id, i.name from DatasetImageLink l join l.child i") == [[number, "b.tiff"]]
    assert f"Dataset {number} stays in OMERO: others use it." in capsys.readouterr().out


def test_a_new_dataset_and_its_project_go_where_nobody_uses_them(lab: Lab):
    with open_session(lab.address) as session, pytest.raises(UserError, match="refused"), writing(session) as made:
        make_place(session, DatasetPlace(None, "d", None, "p"), made)
        raise UserError("refused")
    for model in ("Dataset", "Project", "ProjectDatasetLink", "Annotation"):
        assert lab.rows(f"select count(o) from {model} o") == [[0]]


def test_a_dataset_that_somebody_uses_just_when_it_goes_keeps_its_project(lab: Lab, monkeypatch, capsys):
    image = lab.image("a", np.zeros((3, 4), np.uint8))

    def put_in() -> None:
        [[dataset]] = lab.rows("select d.id from Dataset d")
        link(lab.session, "DatasetImageLinkI", omero.model.DatasetI(dataset, False), omero.model.ImageI(image, False))

    fail_at(monkeypatch, Session, "delete_unused", 1, put_in)
    with open_session(lab.address) as session, pytest.raises(UserError, match="refused"), writing(session) as made:
        make_place(session, DatasetPlace(None, "d", None, "p"), made)
        raise UserError("refused")
    assert lab.rows("select l.parent.name, l.child.name from ProjectDatasetLink l") == [["p", "d"]]
    assert lab.rows("select l.parent.name, l.child.id from DatasetImageLink l") == [["d", image]]
    assert "stays in OMERO: others use it." in capsys.readouterr().out


def test_an_image_that_a_failed_run_only_put_into_a_dataset_stays(lab: Lab):
    image, dataset = lab.image("a", np.zeros((3, 4), np.uint8)), lab.container("Dataset", "d")
    with open_session(lab.address) as session, pytest.raises(UserError, match="refused"), writing(session) as made:
        placed = omero.model.DatasetImageLinkI()
        placed.parent, placed.child = omero.model.DatasetI(dataset, False), omero.model.ImageI(image, False)
        save_links(session, "DatasetImageLink", [placed], made)
        raise UserError("refused")
    assert lab.rows("select i.id from Image i") == [[image]]
    assert lab.rows("select count(l) from DatasetImageLink l") == [[0]]


def put_roi(lab: Lab, image: int, place: int) -> None:
    roi = omero.model.RoiI()
    roi.image = omero.model.ImageI(image, False)
    lab.save(roi)


def put_comment(lab: Lab, image: int, place: int) -> None:
    link_to(lab, "Image", image, omero.model.CommentAnnotationI())


def put_on_plate(lab: Lab, image: int, place: int) -> None:
    plate, well, sample = omero.model.PlateI(), omero.model.WellI(), omero.model.WellSampleI()
    plate.name = rstring("p")
    well.row = well.column = rint(0)
    sample.image = omero.model.ImageI(image, False)
    well.addWellSample(sample)
    plate.addWell(well)
    lab.save(plate)


def move(lab: Lab, image: int, place: int) -> None:
    [[number]] = lab.rows(f"select l.id from DatasetImageLink l where l.child.id = {image}")
    lab.session.getUpdateService().deleteObject(omero.model.DatasetImageLinkI(number, False))
    link(lab.session, "DatasetImageLinkI", omero.model.DatasetI(place, False), omero.model.ImageI(image, False))


@pytest.mark.parametrize("use", [None, put_roi, put_comment, put_on_plate, move])
@pytest.mark.parametrize("is_colleague", [False, True])
def test_an_imported_image_that_others_use_meanwhile_stays(lab: Lab, tmp_path: Path, capsys, use, is_colleague):
    where, other = lab.container("Dataset", "d"), lab.container("Dataset", "other")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((9, 8), np.uint8))
    tifffile.imwrite(tmp_path / "b.tif", np.ones((9, 8), np.uint8))
    with open_session(lab.address) as session, pytest.raises(UserError) as failure, writing(session) as made:
        run = ImportRun()
        made.rest.append(lambda again: imported_by(again, run))
        images = [
            import_fileset(session, run, single_file(name, f"{name}.tif", tmp_path / f"{name}.tif"), where)[0]
            for name in "ab"
        ]
        if use:
            use(lab.colleague() if is_colleague else lab, images[0], other)
        raise UserError("refused")
    assert lab.rows("select i.id from Image i") == ([[images[0]]] if use else [])
    assert lab.rows("select count(l) from DatasetImageLink l") == [[1 if use else 0]]
    stays = f"Image {images[0]}" + "".join(f", Plate {number}" for (number,) in lab.rows("select p.id from Plate p"))
    assert (f"{stays} stays in OMERO: others use it." in capsys.readouterr().out) == bool(use)
    outcome = f"taken back; {stays} stays: others use it" if use else "taken back"
    assert outcome_of(failure.value, "taken back") == outcome


@pytest.mark.parametrize("kind", ["Plate", "Well"])
def test_a_new_plate_that_others_annotated_meanwhile_stays(lab: Lab, kind: str):
    with open_session(lab.address) as session, pytest.raises(UserError, match="refused"), writing(session) as made:
        plate, well = omero.model.PlateI(), omero.model.WellI()
        plate.name = rstring("p")
        well.row = well.column = rint(0)
        plate.addWell(well)
        [number] = made.save("Plate", [plate])
        [[target]] = lab.rows(f"select o.id from {kind} o")
        link_to(lab, kind, target, omero.model.CommentAnnotationI())
        raise UserError("refused")
    assert lab.rows("select p.id from Plate p") == [[number]]


def test_a_new_tag_that_another_user_put_on_an_image_stays(lab: Lab, tmp_path: Path, monkeypatch):
    image, other = lab.image("a", np.zeros((3, 4), np.uint8)), lab.image("b", np.zeros((3, 4), np.uint8))
    colleague = lab.colleague()
    with open_session(lab.address) as session, pytest.raises(UserError, match="refused"), writing(session) as made:
        tag = omero.model.TagAnnotationI()
        tag.textValue = rstring("x")
        [number] = made.save("TagAnnotation", [tag])
        for user, place in ((None, image), (colleague, other)):
            link = omero.model.ImageAnnotationLinkI()
            link.parent, link.child = omero.model.ImageI(place, False), omero.model.TagAnnotationI(number, False)
            if user:
                user.save(link)
            else:
                made.save("ImageAnnotationLink", [link])
        raise UserError("refused")
    assert lab.rows("select l.parent.id, l.child.id from ImageAnnotationLink l") == [[other, number]]


def test_key_values_that_somebody_put_on_another_image_stay(lab: Lab):
    image, other = lab.image("a", np.zeros((3, 4), np.uint8)), lab.image("b", np.zeros((3, 4), np.uint8))
    with open_session(lab.address) as session, pytest.raises(UserError, match="refused"), writing(session) as made:
        link = omero.model.ImageAnnotationLinkI()
        link.parent, link.child = omero.model.ImageI(image, False), omero.model.MapAnnotationI()
        made.save("ImageAnnotationLink", [link])
        [[number]] = lab.rows("select l.child.id from ImageAnnotationLink l")
        again = omero.model.ImageAnnotationLinkI()
        again.parent, again.child = omero.model.ImageI(other, False), omero.model.MapAnnotationI(number, False)
        lab.save(again)
        raise UserError("refused")
    assert lab.rows("select l.parent.id, l.child.id from ImageAnnotationLink l") == [[other, number]]


def test_of_containers_that_two_users_make_at_once_the_first_counts(lab: Lab, monkeypatch):
    colleague = lab.colleague()
    with open_session(lab.address) as session, writing(session) as made:
        original = made.save

        def save(kind: str, things: Any) -> list[int]:
            colleague.container("Dataset", "d")
            return original(kind, things)

        monkeypatch.setattr(made, "save", save)
        number = make_container(session, "dataset", "d", made)
        made.finish({})
    assert lab.rows("select d.id from Dataset d") == [[number]]


def test_a_job_waits_for_another_and_takes_what_a_dead_one_had(lab: Lab, monkeypatch, capsys):
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(leases, "DEAD_SECONDS", 1.0)
    with open_session(lab.address) as session:
        dead = leases.hold_leases(session, ["a", "b"])
        dead.ended.set()
        with leases.leased(session, ["b", "c"]):
            assert not dead.is_kept(session)
        dead.give_back(session)
    assert "waiting: another job of yours is at work on b" in capsys.readouterr().out
    assert lab.rows("select count(a) from Annotation a") == [[0]]


def test_leases_of_a_job_that_died_long_ago_go_with_the_next_job(lab: Lab, monkeypatch):
    with open_session(lab.address) as session:
        dead = leases.hold_leases(session, ["a"])
        dead.ended.set()
        monkeypatch.setattr(leases, "OLD_SECONDS", 0.1)
        time.sleep(0.5)
        with leases.leased(session, ["b"]):
            assert not dead.is_kept(session)
    assert lab.rows("select a.id from Annotation a") == []


def test_leases_that_a_dead_job_made_and_never_had_go_when_they_are_old(lab: Lab, monkeypatch):
    with open_session(lab.address) as session:
        leases._make_missing(session, ["a"])
        with leases.leased(session, ["b"]):
            pass
        assert leases._lowest(session, ["a"])
        monkeypatch.setattr(leases, "OLD_SECONDS", 0.1)
        time.sleep(0.5)
        with leases.leased(session, ["b"]):
            assert not leases._lowest(session, ["a"])
    assert lab.rows("select a.id from Annotation a") == []


def test_what_came_before_the_line_broke_stays_if_the_old_is_gone(lab: Lab):
    old, new = lab.container("Dataset", "old"), lab.container("Dataset", "new")
    with open_session(lab.address) as session, pytest.raises(UserError, match="broke"), writing(session) as made:
        made.add("Dataset", [new])
        made.replaced = {"Dataset": [old]}
        session.delete({"Dataset": [old]})
        raise UserError("broke")
    assert lab.rows("select d.id from Dataset d") == [[new]]


def test_tables_of_different_files_stay_beside_each_other_or_are_joined(lab: Lab, tmp_path: Path):
    lab.container("Dataset", "d")
    config = {"match": typed("dataset", "d"), "table_name": "t", "attach": "container", "rois": None}
    outputs = {"output": "out.tsv", "merged": "merged.tsv"}

    def give(name: str, text: str, existing: str) -> None:
        (tmp_path / f"{name}.tsv").write_text(text)
        job = Job("omero_import_table", {**config, "tables": [named(name, tmp_path / f"{name}.tsv")],
                                         "existing": existing}, outputs)  # fmt: skip
        done = run_one(lab, tmp_path, job)
        assert done.code == 0, done.error

    def contents() -> list[list[Any]]:
        found = []
        for (number,) in lab.rows("select f.id from FileAnnotation a join a.file f order by f.id"):
            table = lab.session.sharedResources().openTable(omero.model.OriginalFileI(number, False))
            columns = table.read(list(range(len(table.getHeaders()))), 0, table.getNumberOfRows()).columns
            found.append([(column.name, list(column.values)) for column in columns])
            table.close()
        return found

    give("a", "x\ty\n1\tp\n2\tq\n", "element")
    give("b", "x\n3.5\n", "element")
    assert [one[0][1] for one in contents()] == [[1, 2], [3.5]]
    give("a", "x\ty\n5\tr\n", "element")
    assert [one[0][1] for one in contents()] == [[3.5], [5]]
    give("c", "x\n7\n", "append")
    assert [dict(one)["x"] for one in contents()] == [[3.5, 5, 7]]
    assert [dict(one)["y"] for one in contents()] == [["", "r", ""]]
    give("a", "x\ty\n9\ts\n", "append")
    assert [dict(one)["x"] for one in contents()] == [[3.5, 7, 9]]
    give("d", "x\n1\n", "replace")
    assert [dict(one)["x"] for one in contents()] == [[1]]


def import_table(lab: Lab, folder: Path, config: dict[str, Any], text: str) -> None:
    (folder / "a.tsv").write_text(text)
    job = Job("omero_import_table", {**config, "tables": [named("a", folder / "a.tsv")]},
              {"output": "out.tsv", "merged": "merged.tsv"})  # fmt: skip
    done = run_one(lab, folder, job)
    assert done.code == 0, done.error


def link_to(lab: Lab, kind: str, number: int, annotation: Any) -> None:
    made = getattr(omero.model, f"{kind}AnnotationLinkI")()
    made.parent, made.child = getattr(omero.model, f"{kind}I")(number, False), annotation
    lab.save(made)


def annotate(lab: Lab, folder: Path, text: str) -> None:
    (folder / "words.csv").write_text(text)
    config = {"table": named("words.csv", folder / "words.csv"), "attachments": [], "kind": "image", "mode": "replace"}
    outputs = {"output": "out.tsv", "changes": "changes.tsv"}
    job = Job("omero_annotate", {**config, "within": {"source": "group"}}, outputs)
    done = run_one(lab, folder, job)
    assert done.code == 0, done.error


def test_what_a_rerun_replaces_on_one_image_stays_on_another_that_somebody_put_it_on(lab: Lab, tmp_path: Path):
    image, other = lab.image("a", np.zeros((3, 4), np.uint8)), lab.image("b", np.zeros((3, 4), np.uint8))
    annotate(lab, tmp_path, "image,dose,RATING\na,1,3\n")
    [[pairs]] = lab.rows("select m.id from MapAnnotation m join m.mapValue v where v.name = 'dose'")
    [[rating]] = lab.rows("select r.id from LongAnnotation r where r.longValue = 3")
    for one in (omero.model.MapAnnotationI(pairs, False), omero.model.LongAnnotationI(rating, False)):
        link_to(lab, "Image", other, one)
    annotate(lab, tmp_path, "image,dose,RATING\na,2,5\n")
    on = "ImageAnnotationLink l, {} a {} where l.child.id = a.id order by l.parent.id"
    doses = lab.rows(f"select l.parent.id, v.value from {on.format('MapAnnotation', 'join a.mapValue v')}")
    assert doses == [[image, "2"], [other, "1"]]
    assert lab.rows(f"select l.parent.id, a.longValue from {on.format('LongAnnotation', '')}") == [
        [image, 5],
        [other, 3],
    ]
    annotate(lab, tmp_path, "image,dose,RATING\na,4,4\n")
    doses = lab.rows(f"select l.parent.id, v.value from {on.format('MapAnnotation', 'join a.mapValue v')}")
    assert doses == [[image, "4"], [other, "1"]]
    assert lab.rows("select count(a) from MapAnnotation a where a.description like '%annotate'") == [[2]]


def test_a_table_that_a_rerun_replaces_stays_where_somebody_put_it_too(lab: Lab, tmp_path: Path):
    place, other = lab.container("Dataset", "d"), lab.container("Dataset", "e")
    config = {"match": typed("dataset", "d"), "table_name": "t", "attach": "container", "rois": None}
    for number, text in enumerate(("x\n1\n", "x\n2\n", "x\n3\n")):
        import_table(lab, tmp_path, config, text)
        if not number:
            [[first]] = lab.rows("select a.id from FileAnnotation a")
            link_to(lab, "Dataset", other, omero.model.FileAnnotationI(first, False))
    rows = lab.rows("select l.parent.id, f.id from DatasetAnnotationLink l, FileAnnotation a join a.file f "
                    "where l.child.id = a.id order by l.parent.id")  # fmt: skip
    assert [row[0] for row in rows] == [place, other]
    values = []
    for _, number in rows:
        table = lab.session.sharedResources().openTable(omero.model.OriginalFileI(number, False))
        values.append(list(table.read([0], 0, 1).columns[0].values))
        table.close()
    assert values == [[3], [1]]
    assert lab.rows("select count(f) from OriginalFile f where f.name = 't.h5'") == [[2]]


def test_a_file_that_another_annotation_has_stays_when_a_rerun_replaces_it(lab: Lab, tmp_path: Path):
    lab.image("a", np.zeros((3, 4), np.uint8))
    other = lab.container("Dataset", "e")
    config = {"match": typed("image", "a"), "table_name": "t", "attach": "container", "rois": None}
    for number, text in enumerate(("x\n1\n", "x\n2\n")):
        import_table(lab, tmp_path, config, text)
        if not number:
            [[first]] = lab.rows("select a.file.id from FileAnnotation a")
            own = omero.model.FileAnnotationI()
            own.file = omero.model.OriginalFileI(first, False)
            link_to(lab, "Dataset", other, own)
    found = lab.rows("select l.parent.id, a.file.id from DatasetAnnotationLink l, FileAnnotation a "
                     "where l.child.id = a.id")  # fmt: skip
    assert found == [[other, first]]
    assert lab.rows("select count(f) from OriginalFile f where f.name = 't.h5'") == [[2]]


def test_what_a_colleague_links_to_the_same_object_again_is_not_doubled(lab: Lab, tmp_path: Path):
    image, dataset = lab.image("a", np.zeros((3, 4), np.uint8)), lab.container("Dataset", "d")
    annotate(lab, tmp_path, "image,dose\na,1\n")
    config = {"match": typed("dataset", "d"), "table_name": "t", "attach": "container", "rois": None}
    config |= {"existing": "append"}
    outputs = {"output": "out.tsv", "merged": "merged.tsv"}
    (tmp_path / "x.tsv").write_text("x\n1\n")
    for name in "ab":
        job = Job("omero_import_table", {**config, "tables": [named(name, tmp_path / "x.tsv")]}, outputs)
        assert run_one(lab, tmp_path, job).code == 0
        if name == "a":
            colleague = lab.colleague()
            [[pairs]] = lab.rows("select m.id from MapAnnotation m where m.description like '%annotate'")
            [[table]] = lab.rows("select a.id from FileAnnotation a")
            link_to(colleague, "Image", image, omero.model.MapAnnotationI(pairs, False))
            link_to(colleague, "Dataset", dataset, omero.model.FileAnnotationI(table, False))
            lab.sign_in()
    annotate(lab, tmp_path, "image,dose\na,1\n")
    assert lab.rows("select m.id from MapAnnotation m where m.description like '%annotate'") == [[pairs]]
    [[number]] = lab.rows("select a.file.id from FileAnnotation a")
    opened = lab.session.sharedResources().openTable(omero.model.OriginalFileI(number, False))
    assert opened.getNumberOfRows() == 2
    opened.close()
