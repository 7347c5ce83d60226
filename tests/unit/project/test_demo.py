"""When the demo says that the round trip went wrong."""

import stat
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.demo import LOGIN_FILE, DatasetOutcome, Times, demo_password, summarise
from scripts.demo_check import CameBack


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("<!DOCTYPE html>\n<html></html>")
    return path


def test_nothing_is_wrong_when_omero_holds_what_was_measured(report):
    # Nothing was found on image 2: it has no table, and OMERO nothing of it.
    assert DatasetOutcome("d", {1: 3}, [CameBack(1, 3, 3), CameBack(2, 0, 0)], report).problems == []


@pytest.mark.parametrize(("rois", "rows"), [(2, 3), (3, 2), (0, 0)])
def test_an_image_whose_count_differs_is_named(report, rois: int, rows: int):
    (problem,) = DatasetOutcome("d", {1: 3}, [CameBack(1, rois, rows)], report).problems
    assert problem == f"image 1 of 'd': 3 objects measured, but {rois} ROIs and {rows} table rows in OMERO"


def test_a_report_that_is_no_page_is_named(tmp_path):
    packed = tmp_path / "report.html"
    packed.write_bytes(b"PK\x03\x04")
    assert DatasetOutcome("d", {}, [], packed).problems == [f"report of 'd': {packed} is not an HTML page"]
    assert DatasetOutcome("d", {}, [], None).problems == ["report of 'd': none"]


def test_the_demos_user_has_a_password_of_its_own_which_is_printed_once(tmp_path):
    password = demo_password(tmp_path)
    assert len(password) >= 12
    assert demo_password(tmp_path) == password
    assert stat.S_IMODE((tmp_path / LOGIN_FILE).stat().st_mode) == 0o600
    galaxy = SimpleNamespace(url="http://127.0.0.1:1", user_email="a@b.org", password="of galaxy", user_key="a key")
    omero = SimpleNamespace(address="127.0.0.1:2", root_password="of root")
    sandbox: Any = SimpleNamespace(galaxy=galaxy, omero=omero, web=None)
    said = summarise(sandbox, [], Times(), password=password, folder=tmp_path)
    assert [said.count(secret) for secret in (password, "of galaxy", "a key", "of root")] == [1, 1, 1, 0]
    assert f'OMERO_PASSWORD="$(cat {tmp_path / LOGIN_FILE})"' in said
