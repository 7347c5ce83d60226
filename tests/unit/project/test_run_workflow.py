"""The workflow runner: its command line, what it starts, and how it goes on after a break."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from bioblend import ConnectionError as GalaxyConnectionError

from scripts import run_workflow
from scripts.galaxy_connection import ScriptError
from scripts.run_workflow import Options, follow, main, start_run
from scripts.workflow_import import Workflow, WorkflowInput
from scripts.workflow_inputs import RunInputs
from scripts.workflow_progress import RunResult

WORKFLOW = Workflow("w1", (WorkflowInput("Table", "dataset", True), WorkflowInput("Channel", "value", False)))


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


def test_a_file_that_is_not_there_is_named_before_anything_is_made(tmp_path):
    with pytest.raises(ScriptError, match=r"Input 'Table': there is no file .*nowhere\.tsv\. Check the path"):
        start_run(SimpleNamespace(), WORKFLOW, RunInputs({}, {"Table": (tmp_path / "nowhere.tsv",)}), "run")


@pytest.fixture
def galaxy(monkeypatch: pytest.MonkeyPatch) -> dict[str, list]:
    """Stand in for Galaxy's part of a run; what was started and followed is in the lists."""
    seen: dict[str, list] = {"started": [], "followed": []}

    def start(_gi, _workflow, given, title, cache):
        seen["started"].append((given.values, title, cache))
        return f"i{len(seen['started'])}"

    def followed(_gi, invocation_id, title, _options, again):
        seen["followed"].append((invocation_id, title, again))
        bad = "bad" in title
        return RunResult(invocation_id, "h", ["it failed"] if bad else [], jobs=3, failed=int(bad))

    def show(invocation_id):
        if invocation_id == "unknown":
            raise GalaxyConnectionError("GET: error 404", status_code=404)

    connection = SimpleNamespace(
        base_url="https://galaxy.example.org", invocations=SimpleNamespace(show_invocation=show)
    )
    monkeypatch.setattr(run_workflow, "connect_from_environment", lambda: connection)
    monkeypatch.setattr(run_workflow, "import_workflow", lambda _gi, _path: Workflow("w1", (WORKFLOW.inputs[1],)))
    monkeypatch.setattr(run_workflow, "start_run", start)
    monkeypatch.setattr(run_workflow, "follow", followed)
    return seen


def table(folder: Path) -> str:
    path = folder / "runs.tsv"
    path.write_text("Channel\nDAPI\nGFP\nCy5\n")
    return str(path)


def test_each_row_is_a_run_and_one_line_gives_the_total(galaxy, tmp_path, capsys):
    assert main(["a.ga", "--table", table(tmp_path), "--cache"]) == 0
    assert [run[0] for run in galaxy["started"]] == [{"Channel": "DAPI"}, {"Channel": "GFP"}, {"Channel": "Cy5"}]
    assert {run[2] for run in galaxy["started"]} == {True}
    assert "3 runs, 0 failed; 9 jobs, 0 failed; 0 files saved" in capsys.readouterr().out


def test_after_a_break_the_printed_command_follows_the_run_and_does_the_rest(galaxy, tmp_path, capsys):
    rows = table(tmp_path)
    assert main(["a.ga", "--table", rows, "--first=2"]) == 0
    again = galaxy["followed"][0][2].split()[3:]
    assert again == ["a.ga", "--table", rows, "--resume", "i1", "--first", "2"]
    galaxy["started"].clear()
    galaxy["followed"].clear()
    assert main(again) == 0
    assert [one[:2] for one in galaxy["followed"]] == [("i1", "a 2/3"), ("i1", "a 3/3")]
    assert [run[0] for run in galaxy["started"]] == [{"Channel": "Cy5"}]
    assert "2 runs, 0 failed" in capsys.readouterr().out


def test_a_run_is_followed_again_without_its_file(galaxy):
    assert main(["--resume", "i9"]) == 0
    assert galaxy["started"] == []
    assert galaxy["followed"][0][:2] == ("i9", "Run i9")


def test_a_failed_run_is_a_failure_and_stops_the_others_where_asked(galaxy, tmp_path, capsys):
    assert main(["bad.ga", "--table", table(tmp_path)]) == 1
    assert main(["bad.ga", "--table", table(tmp_path), "--stop-on-failure"]) == 1
    assert len(galaxy["started"]) == 3 + 1
    assert "1 runs, 1 failed; 3 jobs, 1 failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "none is named"),
        (["--resume", "unknown"], "--resume unknown: Galaxy knows no run of yours with this id (404)"),
        (["a.ga", "--first", "2"], "--first 2: the table has 1 rows"),
        (["a.ga", "--input", "Channel=1", "--input", "Channel=2"], "given twice"),
        (["a.ga", "--input", "Chanel=1"], "no such input. It has: Channel"),
        (["a.ga", "--file", "Channel=1"], "takes a text, not a file"),
    ],
)
def test_a_wrong_command_line_starts_nothing(galaxy, capsys, words, said):
    assert main(words) == 2
    assert said in capsys.readouterr().err
    assert galaxy["started"] == []


@pytest.mark.parametrize("broken", [KeyboardInterrupt(), ConnectionResetError()])
def test_a_break_says_how_to_go_on(monkeypatch, capsys, broken):
    def breaks(*_):
        raise broken

    monkeypatch.setattr(run_workflow, "show_progress", breaks)
    with pytest.raises((KeyboardInterrupt, ScriptError)) as ended:
        follow(SimpleNamespace(), "i1", "title", Options(), "again --resume i1")
    assert "again --resume i1" in capsys.readouterr().err + str(ended.value)
