"""Workflows in Galaxy's editor: no box lies on another, frames hold their steps, a note says what the workflow does."""

import itertools
import json
import uuid
from pathlib import Path

import pytest

from scripts.workflow_layout import boxes, data_inputs, laid_out

WORKFLOWS = sorted((Path(__file__).parents[3] / "workflows").glob("*/*.ga"))


@pytest.fixture(scope="module")
def known() -> dict[str, int]:
    return data_inputs()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_boxes_stand_apart_within_their_frames(path: Path, known: dict[str, int]):
    content = json.loads(path.read_text())
    height = {one.step: one.height for one in boxes(content, known)}
    places = {step["id"]: (step["position"]["left"], step["position"]["top"]) for step in content["steps"].values()}
    for (one, (left, top)), (other, (x, y)) in itertools.combinations(places.items(), 2):
        apart = abs(left - x) >= 220 or top + height[one] < y or y + height[other] < top
        assert apart, f"boxes {one} and {other}"
    frames = [comment for comment in content["comments"] if comment["type"] == "frame"]
    assert sorted(step for frame in frames for step in frame["child_steps"]) == sorted(places)
    for frame in frames:
        (x, y), (width, tall) = frame["position"], frame["size"]
        for step in frame["child_steps"]:
            left, top = places[step]
            assert x <= left
            assert left + 200 <= x + width
            assert y <= top
            assert top + height[step] <= y + tall


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_data_flow_from_left_to_right(path: Path):
    content = json.loads(path.read_text())
    left = {step["id"]: step["position"]["left"] for step in content["steps"].values()}
    for step in content["steps"].values():
        for given in step["input_connections"].values():
            for source in given if isinstance(given, list) else [given]:
                assert left[source["id"]] < left[step["id"]], step["label"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_workflow_is_laid_out_and_tells_who_made_it(path: Path, known: dict[str, int]):
    content = json.loads(path.read_text())
    assert laid_out(content, known) == content, "Run: .venv/tools/bin/python -m scripts.workflow_layout"
    assert content["comments"][0]["data"]["text"] == content["readme"]
    assert path.stem in content["help"]
    assert content["creator"][0]["url"].startswith("https://")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_steps_have_ids_that_galaxy_takes(path: Path):
    """Galaxy 26.1.2 refuses a workflow with a step's UUID of another version than 4."""
    steps = json.loads(path.read_text())["steps"].values()
    assert {uuid.UUID(step["uuid"]).version for step in steps} == {4}
