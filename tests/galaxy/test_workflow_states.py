"""Workflows know every parameter of the tools they use: Galaxy would not start them otherwise."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_step_lacks_a_parameter_of_its_tool():
    command = [str(ROOT / ".venv/galaxy/bin/python"), "-m", "tests.galaxy.workflow_states"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nMend: {' '.join(command)} --fill"


def test_a_value_that_moved_into_a_section_is_kept_with_its_connection(tmp_path):
    old = {
        "image": {"__class__": "ConnectedValue"}, "channel": "GFP", "background_radius": "25", "smoothing_sigma": "2.5",
        "threshold": {"method": "otsu", "__current_case__": 0, "one_threshold": True, "threshold_images": None},
        "cells": {"cells_by": "channel", "__current_case__": 1, "cell_channel": {"__class__": "ConnectedValue"}},
    }  # fmt: skip
    source = {"id": 0, "output_name": "output"}
    step = {
        "tool_id": "toolshed.g2.bx.psu.edu/repos/somebody/segment_objects/segment_objects/0.1.0+galaxy0",
        "label": "Old", "tool_state": json.dumps(old),
        "input_connections": {"image": source, "cells|cell_channel": source},
    }  # fmt: skip
    path = tmp_path / "old.ga"
    path.write_text(json.dumps({"steps": {"1": step}}))
    python, module = str(ROOT / ".venv/galaxy/bin/python"), "tests.galaxy.workflow_states"
    subprocess.run([python, "-m", module, "--fill", str(path)], cwd=ROOT, check=True)
    new = json.loads(path.read_text())["steps"]["1"]
    state = json.loads(new["tool_state"])
    assert (state["before"]["background_radius"], state["before"]["smoothing_sigma"]) == ("25", "2.5")
    assert state["threshold"]["shared"]["one_threshold"] is True
    assert state["growing"]["cells"]["cells_by"] == "channel"
    assert {*new["input_connections"]} == {"image", "growing|cells|cell_channel"}


def test_a_value_moves_into_a_section_that_the_step_has_already(tmp_path):
    old = {"dark": "true", "before": {"background_radius": "25", "smoothing_sigma": "2.5"}}
    step = {"tool_id": "segment_objects", "label": "Old", "tool_state": json.dumps(old), "input_connections": {}}
    path = tmp_path / "old.ga"
    path.write_text(json.dumps({"steps": {"0": step}}))
    command = [str(ROOT / ".venv/galaxy/bin/python"), "-m", "tests.galaxy.workflow_states", "--fill", str(path)]
    subprocess.run(command, cwd=ROOT, check=True)
    state = json.loads(json.loads(path.read_text())["steps"]["0"]["tool_state"])
    assert state["before"] == {"background_radius": "25", "smoothing_sigma": "2.5", "dark": "true"}
    assert "dark" not in state


def test_a_value_that_is_left_over_from_another_input_of_that_name_stays_where_it_is(tmp_path):
    listing = {"rows": "image", "__current_case__": 0, "columns": None, "keys": None}
    step = {
        "tool_id": "omero_find",
        "label": "Old",
        "tool_state": json.dumps({"table": listing}),
        "input_connections": {},
    }
    path = tmp_path / "old.ga"
    path.write_text(json.dumps({"steps": {"0": step}}))
    command = [str(ROOT / ".venv/galaxy/bin/python"), "-m", "tests.galaxy.workflow_states", "--fill", str(path)]
    subprocess.run(command, cwd=ROOT, check=True)
    state = json.loads(json.loads(path.read_text())["steps"]["0"]["tool_state"])
    assert state["wells"]["table"] is None


def test_a_tool_is_named_by_its_new_id(tmp_path):
    path = tmp_path / "old.ga"
    old = {"tool_id": "omero_dataset_to_plate", "content_id": "omero_dataset_to_plate", "label": "Plate",
           "tool_state": "{}", "input_connections": {}}  # fmt: skip
    path.write_text(json.dumps({"steps": {"0": old}}))
    command = [str(ROOT / ".venv/galaxy/bin/python"), "-m", "tests.galaxy.workflow_states", "--fill", str(path)]
    subprocess.run(command, cwd=ROOT, check=True)
    assert json.loads(path.read_text())["steps"]["0"]["tool_id"] == "omero_arrange_plates"
