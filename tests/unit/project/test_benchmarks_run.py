"""The runner of the benchmarks: what it takes, keeps and refuses."""

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from benchmarks import measuring, run

FIGURE = {"name": "b: time", "value": 1.25, "unit": "s", "goal": "<= 2", "compared_with": "another"}


@pytest.fixture
def benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A folder with one benchmark, `bench_one`, that returns FIGURE."""
    (tmp_path / "bench_one.py").touch()
    module = ModuleType("benchmarks.bench_one")
    vars(module)["records"] = lambda: [FIGURE]
    monkeypatch.setitem(sys.modules, "benchmarks.bench_one", module)
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    return module


@pytest.mark.usefixtures("benchmark")
def test_figures_are_written(tmp_path: Path, capsys):
    results = tmp_path / "results.json"
    assert run.main(["--results", str(results)]) == 0
    assert json.loads(results.read_text()) == [FIGURE]
    assert "1.25 s" in capsys.readouterr().out


@pytest.mark.usefixtures("benchmark")
def test_a_part_keeps_the_figures_of_the_others(tmp_path: Path):
    results = tmp_path / "results.json"
    old = [{**FIGURE, "name": "a"}, {**FIGURE, "value": 9}]
    results.write_text(json.dumps(old))
    assert run.main(["--results", str(results), "--only", "one"]) == 0
    assert json.loads(results.read_text()) == [old[0], FIGURE]


@pytest.mark.usefixtures("benchmark")
def test_a_whole_run_starts_from_nothing(tmp_path: Path):
    results = tmp_path / "results.json"
    results.write_text(json.dumps([{**FIGURE, "name": "a"}]))
    assert run.main(["--results", str(results)]) == 0
    assert json.loads(results.read_text()) == [FIGURE]


@pytest.mark.usefixtures("benchmark")
def test_nothing_to_measure_is_an_error(tmp_path: Path, capsys):
    assert run.main(["--results", str(tmp_path / "results.json"), "--only", "other"]) == 1
    assert "other" in capsys.readouterr().err
    assert not (tmp_path / "results.json").exists()


def test_a_figure_without_a_unit_is_refused(benchmark, tmp_path: Path):
    benchmark.records = lambda: [{key: value for key, value in FIGURE.items() if key != "unit"}]
    with pytest.raises(ValueError, match="bench_one"):
        run.main(["--results", str(tmp_path / "results.json")])


def test_a_missed_goal_is_said(benchmark, tmp_path: Path, capsys):
    benchmark.records = lambda: [{**FIGURE, "value": 2.5}]
    assert run.main(["--results", str(tmp_path / "results.json")]) == 0
    assert "<= 2 MISSED" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "goal", "kept"),
    [
        (2, "<= 2", True),
        (2.1, "<= 2", False),
        (8, ">= 8", True),
        (7, ">= 8", False),
        (-1, ">= -2", True),
        (7, "", True),
    ],
)
def test_goals(value, goal, kept):
    assert run.is_kept({**FIGURE, "value": value, "goal": goal}) == kept


def test_a_goal_in_words_is_refused():
    with pytest.raises(ValueError, match="at most 2"):
        run.is_kept({**FIGURE, "goal": "at most 2"})


def test_a_process_is_measured():
    held = np.ones(600_000_000, np.uint8)  # of the parent, which is not the process measured
    cost = measuring.run_process([sys.executable, "-c", "x = bytearray(b'1') * 50_000_000"])
    assert cost.seconds > 0
    assert cost.processor_seconds > 0
    assert 45 < cost.peak_mib < 500
    assert held.any()


def test_a_process_that_fails_is_an_error():
    with pytest.raises(RuntimeError, match="exit code 3"):
        measuring.run_process([sys.executable, "-c", "raise SystemExit(3)"])


def test_figures_have_four_digits():
    assert measuring.figure("n", 12.3456, "s")["value"] == 12.35
    assert measuring.figure("n", 1.23456e-9, "s", "<= 1", "x") == {
        "name": "n", "value": 1.235e-9, "unit": "s", "goal": "<= 1", "compared_with": "x",
    }  # fmt: skip
