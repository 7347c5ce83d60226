"""Tours and slides: every tutorial has both, and a tour leads to forms and fields that are there today.

That each step is shown and each click leads on, `make test-training` sees in Chromium (tours.py).
"""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.galaxy.config import tour_files
from tests.training.form import fields
from tests.training.run import tutorial_files

TOURS = tour_files()
OPENED = re.compile(r'#toolbox-panel a\[href\$="tool_id=(\w+)&version=latest"\]')
FIELD = re.compile(r'div\.ui-form-element\[id="form-element-([^"]+)"\]')
OF_GALAXY = re.compile(
    r"#(activity-[a-z]+|user|center #tool-card-body|current-history-panel|toolbox-panel .search-query)|button#execute"
)


@pytest.fixture(params=TOURS, ids=[file.stem for file in TOURS])
def tour(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(request.param.read_text(encoding="utf-8"))
    assert found["id"] == request.param.stem  # the address of a tour is the name of its file
    return found


@pytest.mark.parametrize("tutorial", tutorial_files(), ids=lambda file: file.parent.name)
def test_a_tutorial_has_slides_and_a_tour(tutorial: Path) -> None:
    assert tutorial.with_name("slides.html").is_file()
    assert list(tutorial.parent.glob("tours/*.yaml"))


def test_ids_differ() -> None:
    names = [file.stem for file in TOURS]
    assert len(set(names)) == len(names)


def test_a_tour_opens_forms_and_shows_fields_that_are_there(tour: dict[str, Any], forms: dict[str, Any]) -> None:
    at, wrong = "", []
    for step in tour["steps"]:
        element = step.get("element", "")
        if found := OPENED.match(element):
            at = found[1]
            assert at in forms
        elif found := FIELD.match(element):
            seen = {one.key for one in fields(forms[at]["inputs"], "", (), {}) if not one.closed}
            wrong += [f"{at}: {found[1]}"] if found[1] not in seen else []
        elif element and not OF_GALAXY.fullmatch(element):
            wrong.append(element)
    assert wrong == []


def test_a_step_can_be_told_from_the_one_before(tour: dict[str, Any]) -> None:
    """Whoever drives a tour sees by its title that a click has led on."""
    titles = [step["title"] for step in tour["steps"]]
    assert all(one != other for one, other in itertools.pairwise(titles))
    assert all(isinstance(text, str) and text for step in tour["steps"] for text in (step["title"], step["content"]))
