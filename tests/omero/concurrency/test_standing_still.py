"""A job that stood still for so long that another took its place neither doubles nor deletes what that one made."""

import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import omero
import pytest
import tifffile
from omero.rtypes import rstring

from bioimage_suite.core.errors import StartAgainError, UserError
from bioimage_suite.omero import leases
from bioimage_suite.omero.files import imports as omero_imports
from bioimage_suite.omero.files.filesets import single_file
from bioimage_suite.omero.files.imports import ImportRun, find_surplus, find_unfinished, import_fileset
from bioimage_suite.omero.leases import hold_leases, leased
from bioimage_suite.omero.session import Session, open_session
from bioimage_suite.omero.undo import writing
from tests.omero.concurrency.copies import begin_paused, ended, run_one
from tests.omero.concurrency.writers import WRITERS, everything
from tests.omero.tool_support import Lab, make_lab

DEAD = {"BIOIMAGE_SUITE_DEAD_SECONDS": "2"}


@pytest.fixture
def lab(omero_server: Any, monkeypatch: pytest.MonkeyPatch):
    with make_lab(omero_server, monkeypatch) as found:
        yield found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "DEAD_SECONDS", 0.5)
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(leases, "PAUSES", (0.1, 0.2))


def stand_still(hold: leases.LeaseHold) -> None:
    """As if the process was stopped for so long that it counts as dead."""
    hold.stop()
    hold.counted -= 2 * leases.DEAD_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize(("name", "number"), [("rois", 7), ("annotate", 4)])
def test_a_job_that_is_stopped_begins_anew_when_another_took_its_place(
    omero_server: Any, tmp_path: Path, monkeypatch, name, number
):
    writer = WRITERS[name]
    with make_lab(omero_server, monkeypatch) as clean:
        found = writer.prepare(clean, tmp_path)
        assert run_one(clean, tmp_path, writer.job(tmp_path, found, 0)).code == 0
        expected = everything(clean)
    with make_lab(omero_server, monkeypatch) as lab:
        job = writer.job(tmp_path, writer.prepare(lab, tmp_path), 0)
        stopped = begin_paused(lab, tmp_path, job, number, extra=DEAD)
        assert stopped.is_running()
        done = run_one(lab, tmp_path, job, DEAD)
        assert (done.code, done.error) == (0, "")
        stopped.send(signal.SIGCONT)
        done = ended(stopped)
        assert (done.code, done.error) == (0, "")
        assert "the run begins anew" in done.said
        assert everything(lab) == expected


def test_a_job_that_lost_its_leases_leaves_them_to_who_has_them_now(lab: Lab, quick):
    with open_session(lab.address) as session:
        first = hold_leases(session, ["a", "b"])
        stand_still(first)
        second = hold_leases(session, ["a"])
        first.give_back(session)
        assert second.is_kept(session)
        second.give_back(session)
    assert lab.rows("select count(a) from Annotation a") == [[0]]


def test_all_leases_of_a_dead_job_go_at_once(lab: Lab, quick):
    with open_session(lab.address) as session:
        stand_still(hold_leases(session, ["a", "b", "c"]))
        with leased(session, ["b"]):
            pass
    assert lab.rows("select count(a) from Annotation a") == [[0]]


def test_time_without_the_server_is_no_sign_of_death(lab: Lab, quick, monkeypatch):
    monkeypatch.setattr(leases, "LONGEST_STEP", 0.1)
    with open_session(lab.address) as session:
        alive = hold_leases(session, ["a"])
        alive.stop()
        watch = leases._Watch()
        held = leases._held(session, ["a"])
        for _ in range(3):
            watch.looked -= 100
            watch.look(session, held)
        assert alive.is_kept(session)
        alive.give_back(session)


def test_what_it_made_stays_for_who_took_its_place_and_it_writes_no_more(lab: Lab, quick):
    with open_session(lab.address) as session:
        with pytest.raises(StartAgainError, match="stood still"), writing(session, ["a"]) as made:
            dataset = omero.model.DatasetI()
            dataset.name = rstring("d")
            [number] = made.save("Dataset", [dataset])
            stand_still(made.holds[0])
            other = hold_leases(session, ["a"])
            again = omero.model.DatasetI()
            again.name = rstring("e")
            made.save("Dataset", [again])
        assert other.is_kept(session)
        other.give_back(session)
    assert lab.rows("select d.id from Dataset d") == [[number]]


def test_a_failure_after_it_lost_its_place_is_no_failure(lab: Lab, quick):
    with open_session(lab.address) as session:
        with pytest.raises(StartAgainError), writing(session, ["a"]) as made:
            stand_still(made.holds[0])
            other = hold_leases(session, ["a"])
            raise UserError("what it works on is gone")
        other.give_back(session)


def test_what_others_may_be_making_is_not_taken_for_left_over(lab: Lab, quick):
    dataset = lab.container("Dataset", "d")
    with open_session(lab.address) as session:
        with pytest.raises(StartAgainError), writing(session, ["a"]) as made:
            stand_still(made.holds[0])
            other = hold_leases(session, ["a"])
            made.clear(lambda _: {"Dataset": [dataset]})
        other.give_back(session)
    assert lab.rows("select d.id from Dataset d") == [[dataset]]


def imported(session: Session, folder: Path, run: ImportRun, dataset: int) -> int:
    path = folder / "a.tif"
    tifffile.imwrite(path, np.zeros((4, 5), np.uint8))
    [number] = import_fileset(session, run, single_file("a", "a.tif", path), dataset)
    return number


def test_what_it_imported_beside_who_took_its_place_goes(lab: Lab, tmp_path: Path, monkeypatch):
    dataset = lab.container("Dataset", "d")
    with open_session(lab.address) as session:
        own = imported(session, tmp_path, ImportRun(), dataset)
        files = [single_file("a", "a.tif", tmp_path / "a.tif")]
        assert find_surplus(session, ImportRun(), dataset, files) == {"Fileset": [], "Plate": []}
        with monkeypatch.context() as patch:
            patch.setattr(omero_imports, "PROCESS", f"{omero_imports.SUITE_NAMESPACE}/other")
            other = imported(session, tmp_path, ImportRun(), dataset)
        session.delete(find_surplus(session, ImportRun(), dataset, files))
    assert own < other
    assert lab.rows("select i.id from Image i") == [[other]]


def test_an_import_that_has_had_no_image_for_a_day_goes(lab: Lab, monkeypatch):
    entry, fileset = omero.model.FilesetEntryI(), omero.model.FilesetI()
    entry.clientPath = rstring(f"{ImportRun().mark}/a.tif")
    entry.originalFile = omero.model.OriginalFileI()
    entry.originalFile.name = entry.originalFile.path = rstring("a.tif")
    fileset.templatePrefix = rstring("a/")
    fileset.addFilesetEntry(entry)
    number = lab.save(fileset)
    with open_session(lab.address) as session:
        assert find_unfinished(session) == {"Fileset": []}
        monkeypatch.setattr(omero_imports, "OLD_SECONDS", 0.0)
        time.sleep(0.01)
        assert find_unfinished(session) == {"Fileset": [number]}
        session.delete(find_unfinished(session))
    assert lab.rows("select count(f) from OriginalFile f") == [[0]]
