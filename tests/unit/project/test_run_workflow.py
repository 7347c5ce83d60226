"""The workflow runner: what it reads, and when it says that a run has ended."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.galaxy_connection import ScriptError
from scripts.run_workflow import (
    RunResult,
    collect_result,
    download_outputs,
    follow_run,
    main,
    parse_assignment,
    read_runs,
    start_run,
)


def test_an_assignment_is_split_at_its_first_equals_sign():
    assert parse_assignment("Dataset=a=b") == ("Dataset", "a=b")


@pytest.mark.parametrize("text", ["Dataset", "=value", " =x"])
def test_a_bad_assignment_is_named(text):
    with pytest.raises(ScriptError, match="LABEL=VALUE"):
        parse_assignment(text)


def test_a_table_gives_one_run_a_row(tmp_path):
    table = tmp_path / "runs.tsv"
    table.write_text("\ufeffDataset\tChannel\n7\tDAPI\n8\tGFP\n", encoding="utf-8")
    assert read_runs(table) == [{"Dataset": "7", "Channel": "DAPI"}, {"Dataset": "8", "Channel": "GFP"}]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("", "has no run"), ("Dataset\n", "has no run"), ("Dataset\tChannel\n7\n", "line 2: has 1 cells")],
)
def test_a_broken_table_is_refused_with_its_line(tmp_path, content, complaint):
    table = tmp_path / "runs.tsv"
    table.write_text(content)
    with pytest.raises(ScriptError, match=complaint):
        read_runs(table)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(ScriptError, match=r"nowhere\.tsv"):
        read_runs(tmp_path / "nowhere.tsv")


def a_galaxy(invocation_states, job_states, messages=()):
    """A stand-in for bioblend's connection that answers one scripted state after the other."""
    states, jobs = iter(invocation_states), iter(job_states)
    return SimpleNamespace(
        invocations=SimpleNamespace(
            show_invocation=lambda _: {
                "state": next(states),
                "outputs": {},
                "output_collections": {},
                "messages": list(messages),
            }
        ),
        jobs=SimpleNamespace(
            get_jobs=lambda **_: [{"id": str(n), "state": state} for n, state in enumerate(next(jobs))],
            show_job=lambda *_, **__: {
                "tool_id": "segment_objects",
                "tool_stderr": "a\nb\nERROR: dark\n  - too dark",
            },
        ),
    )


def test_a_run_is_followed_until_all_is_scheduled_and_every_job_is_done():
    gi = a_galaxy(["new", "ready", "scheduled", "scheduled"], [[], ["running"], ["ok", "running"], ["ok", "ok"]])
    assert [dict(states) for states in follow_run(gi, "x", poll_seconds=0)] == [
        {},
        {"running": 1},
        {"ok": 1, "running": 1},
        {"ok": 2},
    ]


def test_a_failed_invocation_ends_at_once_although_jobs_wait():
    gi = a_galaxy(["failed"], [["new", "error"]])
    assert len(list(follow_run(gi, "x", poll_seconds=0))) == 1


def test_a_failed_job_is_reported_with_its_tool_and_message():
    result = collect_result(a_galaxy(["scheduled"], [["ok", "error"]]), "x", "h")
    assert not result.succeeded
    assert result.problems == ["segment_objects: job error. ERROR: dark\n  - too dark"]


def test_a_run_cancelled_without_a_failed_job_is_not_a_success():
    result = collect_result(a_galaxy(["cancelled"], [["ok"]]), "x", "h")
    assert result.problems == ["workflow: cancelled"]


def test_without_address_and_key_the_call_is_wrong(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("GALAXY_URL", raising=False)
    monkeypatch.delenv("GALAXY_API_KEY", raising=False)
    assert main([str(tmp_path / "w.ga")]) == 2
    assert "GALAXY_URL and GALAXY_API_KEY: not set" in capsys.readouterr().err


def test_a_galaxy_that_is_not_there_is_named_without_the_key(monkeypatch, capsys, tmp_path, free_port):
    monkeypatch.setenv("GALAXY_URL", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("GALAXY_API_KEY", "key-that-must-not-show")
    assert main([str(tmp_path / "w.ga")]) == 2
    printed = capsys.readouterr()
    assert f"127.0.0.1:{free_port}" in printed.err
    assert "must-not-show" not in printed.err + printed.out


def an_uploading_galaxy():
    """A stand-in for bioblend's connection that remembers what was uploaded and started."""
    seen = {"uploads": [], "lists": [], "inputs": None}

    def upload_file(path, _history_id):
        seen["uploads"].append(path)
        return {"outputs": [{"id": f"d{len(seen['uploads'])}"}]}

    def create_list(_history_id, description):
        seen["lists"].append(description)
        return {"id": "c1"}

    def invoke(_workflow_id, inputs, **_):
        seen["inputs"] = inputs
        return {"id": "i1"}

    gi = SimpleNamespace(
        workflows=SimpleNamespace(
            show_workflow=lambda _: {"inputs": {"0": {"label": "Images"}, "1": {"label": "Table"}}},
            invoke_workflow=invoke,
        ),
        histories=SimpleNamespace(create_history=lambda _: {"id": "h1"}, create_dataset_collection=create_list),
        tools=SimpleNamespace(upload_file=upload_file),
    )
    return gi, seen


def test_a_folder_becomes_a_list_in_the_order_of_its_names(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("b.tif", "a.tif", ".hidden"):
        (folder / name).write_text(name)
    (tmp_path / "table.tsv").write_text("x")
    gi, seen = an_uploading_galaxy()
    start_run(gi, "w1", {}, {"Images": folder, "Table": tmp_path / "table.tsv"}, "run")
    (made,) = seen["lists"]
    assert made["collection_type"] == "list"
    assert [(one["name"], one["id"], one["src"]) for one in made["element_identifiers"]] == [
        ("a.tif", "d1", "hda"),
        ("b.tif", "d2", "hda"),
    ]
    assert seen["inputs"] == {"Images": {"id": "c1", "src": "hdca"}, "Table": {"id": "d3", "src": "hda"}}


def test_an_empty_folder_is_named(tmp_path):
    gi, _ = an_uploading_galaxy()
    with pytest.raises(ScriptError, match="has no file"):
        start_run(gi, "w1", {}, {"Images": tmp_path}, "run")


def test_a_file_that_is_not_there_is_named_before_anything_is_made(tmp_path):
    gi, seen = an_uploading_galaxy()
    gi.histories.create_history = lambda _: pytest.fail("a history was made")
    with pytest.raises(ScriptError, match=r"Input 'Table': there is no file .*nowhere\.tsv\. Check the path"):
        start_run(gi, "w1", {}, {"Table": tmp_path / "nowhere.tsv"}, "run")
    assert seen["uploads"] == []


def test_a_page_is_downloaded_as_a_page_and_not_as_galaxys_zip(tmp_path):
    asked = []

    def get(url, params):
        asked.append((url, params))
        return SimpleNamespace(content=b"<!DOCTYPE html>", raise_for_status=lambda: None)

    def download(_dataset_id, file_path, **_):
        Path(file_path).write_bytes(b"any file")

    extensions = {"d1": "html", "d2": "png"}
    gi = SimpleNamespace(
        url="https://galaxy.example.org/api",
        make_get_request=get,
        datasets=SimpleNamespace(
            show_dataset=lambda dataset_id: {"file_ext": extensions[dataset_id]}, download_dataset=download
        ),
    )
    outputs = {"A report": {"id": "d1", "src": "hda"}, "A picture": {"id": "d2", "src": "hda"}}
    written = download_outputs(gi, RunResult("i1", "h1", [], outputs), tmp_path)
    assert [(path.name, path.read_bytes()) for path in written] == [
        ("A_report.html", b"<!DOCTYPE html>"),
        ("A_picture.png", b"any file"),
    ]
    assert asked == [("https://galaxy.example.org/api/datasets/d1/display", {"raw": "true"})]
