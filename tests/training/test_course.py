"""A course: scores are those of the tools' tables, and every person gets a slip with their own login.

`make test-training` gives one on a real Galaxy (trainers.py).
"""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sandbox.galaxy.server import GalaxyServer
from sandbox.state import OmeroServer, Sandbox
from scripts import course
from scripts.datathon import DESCRIBED, TASKS, TRUTH, WORKFLOW, datasets_by_person, table_of


def test_scores_are_read_from_the_tools_tables() -> None:
    segmentation, tracking, metadata = TASKS
    assert segmentation.score([{"f1_0.5": "0.75", "f1_0.7": "0.5"}]) == 0.75
    assert tracking.score([{"TRA": "0.99", "LNK": "0.5"}]) == 0.5
    rows = [
        {"image": "a", "Study (%)": "100", "Biosample (%)": "50", "Annotation (%)": ""},
        {"image": "b", "Study (%)": "100", "Biosample (%)": "0", "Annotation (%)": ""},
    ]
    assert metadata.score(rows) == pytest.approx(0.625)


def test_the_workflow_has_the_inputs_and_outputs_of_the_tasks() -> None:
    steps = json.loads(WORKFLOW.read_text())["steps"].values()
    inputs = {step["label"] for step in steps if step["type"] != "tool"}
    outputs = {one["label"] for step in steps for one in step["workflow_outputs"]}
    assert inputs == {*(task.handed_in for task in TASKS), *TRUTH, DESCRIBED}
    assert {one for task in TASKS for one in (task.scores, task.first)} <= outputs


def test_a_table_is_found_in_a_list_of_a_persons_own() -> None:
    """As the tool gives it that runs once for each person on a list of their own."""
    table, alone = {"id": "a", "state": "ok"}, {"id": "b", "state": "error"}
    inner = {"id": "l", "elements": [{"element_identifier": "ada", "object": table}]}
    shown = {
        "elements": [{"element_identifier": "ada", "object": inner}, {"element_identifier": "bob", "object": alone}]
    }
    assert datasets_by_person(shown) == {"ada": table, "bob": alone}


def test_no_truth_is_among_the_data() -> None:
    given = {file for task in TASKS for file in task.data}
    assert all(file.exists() for file in given)
    assert not given & {file for file, _ in TRUTH.values()}


def test_the_table_orders_by_the_mean_and_says_what_could_not_be_scored() -> None:
    scores = {"a": {"segmentation": 0.5}, "b": {"segmentation": 0.5, "tracking": 0.25}, "c": {}}
    assert table_of(scores, ["c, tracking: no zip"]) == (
        "| place | who | segmentation | tracking | metadata | mean |\n"
        "|---|---|---|---|---|---|\n"
        "| 1 | b | 0.500 | 0.250 |  | 0.250 |\n"
        "| 2 | a | 0.500 |  |  | 0.167 |\n"
        "| 3 | c |  |  |  | 0.000 |\n"
        "\n"
        "- c, tracking: no zip\n"
    )


class Sections(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self.words.append([])

    def handle_data(self, data: str) -> None:
        if self.words:
            self.words[-1].append(data)


def test_the_sheet_has_a_slip_for_each_person() -> None:
    sandbox = Sandbox(
        OmeroServer("127.0.0.1", 4064, 4063, "root", ()),
        GalaxyServer("http://127.0.0.1:8080", "admin", "key", "admin@example.org", "secret", ()),
    )
    accounts = [course.Account("person01", "<pw1>", "k1"), course.Account("person02", "pw2", "k2")]
    sheet = course.login_sheet(sandbox, accounts)
    first, second = Sections(sheet).words
    assert {"person01", "person01@example.org", "<pw1>", "127.0.0.1:4064", "http://127.0.0.1:8080"} <= set(first)
    assert "pw2" in second
    assert "pw2" not in first
    assert not {"secret", "root", "k1", "k2"} & {*first, *second}


def test_accounts_are_kept(tmp_path: Path) -> None:
    assert course.load_accounts(tmp_path) == []
    (tmp_path / "accounts.json").write_text('[{"name": "person01", "password": "p", "key": "k"}]')
    (account,) = course.load_accounts(tmp_path)
    assert account.email == "person01@example.org"


def test_the_library_has_the_data_of_every_tutorial_and_task() -> None:
    material = course.material_of_tutorials()
    assert all(file.exists() for files in material.values() for file, _ in files)
    assert "From OMERO to numbers and back" in material
    assert len([name for name in material if name.startswith("Datathon: ")]) == len(TASKS)
