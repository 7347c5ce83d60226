"""What a run of a workflow is given: arguments, tables of runs, uploads."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts import workflow_inputs
from scripts.galaxy_connection import ScriptError
from scripts.suite_files import ROOT
from scripts.workflow_import import WorkflowInput, import_workflow, inputs_of, missing_tools, tool_ids
from scripts.workflow_inputs import (
    RunInputs,
    assigned_files,
    assigned_values,
    check_inputs,
    parse_assignment,
    read_runs,
    upload_inputs,
    with_row,
)

INPUTS = (
    WorkflowInput("Images", "list", True),
    WorkflowInput("Table", "dataset", False),
    WorkflowInput("Channel", "value", True),
)


def test_an_assignment_is_split_at_its_first_equals_sign():
    assert parse_assignment("Dataset=a=b") == ("Dataset", "a=b")


@pytest.mark.parametrize("text", ["Dataset", "=value", " =x"])
def test_a_bad_assignment_is_named(text):
    with pytest.raises(ScriptError, match="LABEL=VALUE"):
        parse_assignment(text)


def test_a_value_given_twice_is_refused():
    with pytest.raises(ScriptError, match="given twice \\('DAPI' and 'GFP'\\)"):
        assigned_values(["Channel=DAPI", "Channel=GFP"])


def test_a_file_given_again_makes_a_list_and_a_folder_gives_its_files_by_name(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("b.tif", "a.tif", ".hidden"):
        (folder / name).touch()
    given = assigned_files([f"Images={folder}", f"Images={tmp_path / 'c.tif'}", "Table=t.tsv"])
    assert [path.name for path in given["Images"]] == ["a.tif", "b.tif", "c.tif"]
    assert given["Table"] == (Path("t.tsv"),)


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(ScriptError, match="has no files"):
        assigned_files([f"Images={tmp_path}"])


def test_a_table_gives_one_run_a_row(tmp_path):
    table = tmp_path / "runs.tsv"
    table.write_text("\ufeffDataset\tChannel\n7\tDAPI\n8\tGFP\n", encoding="utf-8")
    assert read_runs(table) == [{"Dataset": "7", "Channel": "DAPI"}, {"Dataset": "8", "Channel": "GFP"}]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "has no run"),
        ("Dataset\n", "has no run"),
        ("Dataset\tChannel\n7\n", "line 2: has 1 cells"),
        ("Dataset\tDataset\n7\t8\n", "several columns Dataset"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(tmp_path, content, complaint):
    table = tmp_path / "runs.tsv"
    table.write_text(content)
    with pytest.raises(ScriptError, match=complaint):
        read_runs(table)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(ScriptError, match=r"nowhere\.tsv"):
        read_runs(tmp_path / "nowhere.tsv")


def test_a_row_holds_texts_and_files_and_replaces_what_all_runs_have(tmp_path):
    (tmp_path / "a.tif").touch()
    given = RunInputs({"Channel": "1"}, {})
    run = with_row(given, {"Images": "a.tif", "Channel": "2"}, INPUTS, tmp_path)
    assert run == RunInputs({"Channel": "2"}, {"Images": (tmp_path / "a.tif",)})
    assert given.values == {"Channel": "1"}


@pytest.mark.parametrize(
    ("values", "files", "said"),
    [
        ({}, {}, "Inputs without a value: Images \\(a list\\), Channel \\(a text\\)"),
        ({"Images": "x", "Channel": "1"}, {}, "takes a file, not the text 'x'"),
        ({"Channel": "1"}, {"Images": ["a"], "Table": ["a", "b"]}, "takes one file, not 2"),
        ({"Channel": "1"}, {"Images": ["a", "sub/a"]}, "several files are called a"),
        ({"Channel": "1"}, {"Images": ["c"]}, "there is no file"),
    ],
)
def test_what_the_workflow_cannot_take_is_named(tmp_path, values, files, said):
    (tmp_path / "sub").mkdir()
    for name in ("a", "b", "sub/a"):
        (tmp_path / name).touch()
    given = RunInputs(values, {label: tuple(tmp_path / name for name in names) for label, names in files.items()})
    with pytest.raises(ScriptError, match=said):
        check_inputs(given, INPUTS)


def an_uploading_galaxy(states: dict[str, list[str]]):
    """A stand-in for bioblend's connection: datasets go through states; what is made is remembered."""
    made: list[dict] = []

    def create_list(_history_id, description):
        made.append({**description, "waiting": {name: list(left) for name, left in states.items()}})
        return {"id": "c1"}

    def show(name):
        left = states[name]
        return {"state": left.pop(0) if len(left) > 1 else left[0], "misc_info": "not a TIFF"}

    def upload(_path, _history_id, file_name):
        return {"outputs": [{"id": file_name}]}

    return made, SimpleNamespace(
        tools=SimpleNamespace(upload_file=upload),
        datasets=SimpleNamespace(show_dataset=show),
        histories=SimpleNamespace(create_dataset_collection=create_list),
    )


def test_a_list_is_made_when_its_files_have_arrived_in_the_given_order(monkeypatch):
    monkeypatch.setattr(workflow_inputs, "POLL_SECONDS", 0)
    made, gi = an_uploading_galaxy({"b.tif": ["queued", "running", "ok"], "a.tif": ["ok"], "t.tsv": ["new", "ok"]})
    files = {"Images": (Path("x/b.tif"), Path("x/a.tif")), "Table": (Path("t.tsv"),)}
    references = upload_inputs(gi, "h1", files, INPUTS)
    assert references == {"Images": {"id": "c1", "src": "hdca"}, "Table": {"id": "t.tsv", "src": "hda"}}
    assert [one["name"] for one in made[0]["element_identifiers"]] == ["b.tif", "a.tif"]
    assert set(map(tuple, made[0]["waiting"].values())) == {("ok",)}


def test_a_file_that_galaxy_cannot_take_is_named(monkeypatch):
    monkeypatch.setattr(workflow_inputs, "POLL_SECONDS", 0)
    _, gi = an_uploading_galaxy({"t.tsv": ["queued", "error"]})
    with pytest.raises(ScriptError, match=r"File t\.tsv: Galaxy could not take it \(not a TIFF\)"):
        upload_inputs(gi, "h1", {"Table": (Path("t.tsv"),)}, INPUTS)


SHED = "toolshed.example.org/repos/lab/suite"


@pytest.mark.parametrize(
    ("wanted", "installed", "missing"),
    [
        ("segment_objects", "segment_objects", []),
        ("segment_objects", f"{SHED}/segment_objects/0.1.0+galaxy1", []),
        (f"{SHED}/segment_objects/0.1.0+galaxy0", f"{SHED}/segment_objects/0.1.0+galaxy1", []),
        (f"{SHED}/segment_objects/0.1.0+galaxy0", "segment_objects", [f"{SHED}/segment_objects/0.1.0+galaxy0"]),
        ("segment_objects", f"{SHED}/measure_objects/0.1.0+galaxy1", ["segment_objects"]),
    ],
)
def test_a_tool_is_found_as_galaxy_finds_it(wanted, installed, missing):
    assert missing_tools([wanted], [installed]) == missing


def test_tools_of_subworkflows_count():
    inner = {"steps": {"0": {"tool_id": "b"}}}
    assert tool_ids({"steps": {"0": {"tool_id": "a"}, "1": {"tool_id": None, "subworkflow": inner}}}) == {"a", "b"}


def test_an_input_with_a_default_or_that_is_optional_is_not_required():
    states = ['{"optional": false}', '{"optional": true}', '{"optional": false, "default": 0}']
    steps = {str(n): {"id": n, "type": "parameter_input", "label": "", "tool_state": s} for n, s in enumerate(states)}
    assert [(one.label, one.required) for one in inputs_of({"steps": steps})] == [
        ("step 1", True),
        ("step 2", False),
        ("step 3", False),
    ]


def test_a_workflow_is_imported_once(tmp_path):
    kept: list[dict] = []
    workflows = SimpleNamespace(
        get_workflows=lambda: kept,
        import_workflow_dict=lambda _: kept.append({"id": f"w{len(kept)}", "tags": []}) or kept[-1],
        update_workflow=lambda _id, tags: kept[-1].update(tags=tags),
    )
    gi = SimpleNamespace(workflows=workflows, tools=SimpleNamespace(get_tools=list))
    file = tmp_path / "a.ga"
    file.write_text('{"steps": {}, "tags": ["bioimage"]}')
    assert [import_workflow(gi, file).id, import_workflow(gi, file).id] == ["w0", "w0"]
    assert kept[0]["tags"][0] == "bioimage"
    file.write_text('{"steps": {}, "name": "changed"}')
    assert import_workflow(gi, file).id == "w1"


def test_a_workflow_of_this_suite_has_its_inputs():
    content = json.loads((ROOT / "workflows/fair-deposition/fair-deposition.ga").read_text(encoding="utf-8"))
    kinds = {one.label: one.kind for one in inputs_of(content)}
    assert (kinds["Images"], kinds["Filled metadata"]) == ("list", "dataset")
