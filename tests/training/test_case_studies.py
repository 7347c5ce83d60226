"""The pages of the case studies say what came out of their runs."""

import json
import re
from pathlib import Path

import pytest

from tests.training.checks import agrees
from tests.training.studies.data import Study
from tests.training.studies.run import PAGES, RESULTS, STUDIES, differences

NUMBER = re.compile(r"\*\*(-?[\d.,]+)\*\*<!-- number: (\S+) -->")


@pytest.mark.parametrize("name", STUDIES)
def test_each_number_of_a_page_is_that_of_its_run(name: str) -> None:
    results = json.loads(RESULTS.read_text())[name]
    text = (PAGES / f"{name}.md").read_text()
    written = NUMBER.findall(text)
    assert text.count("<!-- number:") == len(written) > 4
    assert [(number, key) for number, key in written if not agrees(number, results[key])] == []
    assert {key for _, key in written} == set(results)


@pytest.mark.parametrize("name", STUDIES)
def test_a_page_has_its_parts_and_its_figures_are_small(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text()
    parts = ("**Question.**", "**Data.**", "**Method.**", "## What came out", "## What goes wrong, and how one sees it")
    assert [part for part in parts if part not in text] == []
    for figure in re.findall(r"!\[[^\]]{20,}\]\((\S+)\)", text):
        assert (PAGES / figure).stat().st_size < 1_000_000


def test_the_list_names_every_page() -> None:
    listed = set(re.findall(r"\(([\w-]+\.md)\)", (PAGES / "README.md").read_text()))
    assert listed == {f"{name}.md" for name in STUDIES} == {one.name for one in PAGES.glob("*.md")} - {"README.md"}


def test_a_number_that_changed_is_named() -> None:
    study = Study({"f1": 0.87654, "n": 3}, {"a": Path("a.png")})
    assert differences("x", study, {"x": {"f1": 0.8765, "n": 3}}) == []
    assert differences("x", study, {"x": {"f1": 0.8, "m": 1}}) == [
        "f1: 0.8 in the page, 0.8765 now",
        "m: 1 in the page, None now",
        "n: None in the page, 3.0 now",
    ]
