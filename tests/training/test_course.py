"""A course: what is handed in is scored by the tools, and every person gets a slip with their own login."""

import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sandbox.galaxy.server import GalaxyServer
from sandbox.state import OmeroServer, Sandbox
from scripts import course
from scripts.datathon import DATA, TASKS, table_of
from scripts.galaxy_connection import ScriptError

SUBMISSIONS = {
    "segmentation": DATA / "nuclei_truth.ome.tiff",
    "tracking": DATA / "moving_cells_truth.zip",
    "metadata": DATA / "fair" / "template_rembi.csv",
}


@pytest.mark.parametrize("task", TASKS, ids=[task.name for task in TASKS])
def test_the_truth_scores_best_and_nonsense_is_refused_with_words(task: object, tmp_path: Path) -> None:
    (chosen,) = (one for one in TASKS if one is task)
    good = tmp_path / f"handed_in{chosen.suffix}"
    shutil.copy(SUBMISSIONS[chosen.name], good)
    score = chosen.score(good, tmp_path)
    assert score == pytest.approx(1) if chosen.name != "metadata" else 0.3 < score < 1
    bad = tmp_path / f"bad{chosen.suffix}"
    bad.write_bytes(b"\x00nonsense")
    with pytest.raises(ScriptError, match="bad"):
        chosen.score(bad, tmp_path)


def test_no_truth_is_among_the_data() -> None:
    given = {file for task in TASKS for file in task.data}
    assert all(file.exists() for file in given)
    assert not given & {SUBMISSIONS["segmentation"], SUBMISSIONS["tracking"]}


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
    material = course._material()
    assert all(file.exists() for files in material.values() for file, _ in files)
    assert "From OMERO to numbers and back" in material
    assert len([name for name in material if name.startswith("Datathon: ")]) == len(TASKS)
