"""The runner of the benchmarks: what it takes, keeps and refuses."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import run

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


def test_figures_are_written(benchmark, tmp_path: Path, capsys):
    results = tmp_path / "results.json"
    assert run.main(["--results", str(results)]) == 0
    assert json.loads(results.read_text()) == [FIGURE]
    assert "1.25 s" in capsys.readouterr().out


def test_a_part_keeps_the_figures_of_the_others(benchmark, tmp_path: Path):
    results = tmp_path / "results.json"
    old = [{**FIGURE, "name": "a"}, {**FIGURE, "value": 9}]
    results.write_text(json.dumps(old))
    assert run.main(["--results", str(results), "--only", "one"]) == 0
    assert json.loads(results.read_text()) == [old[0], FIGURE]


def test_a_whole_run_starts_from_nothing(benchmark, tmp_path: Path):
    results = tmp_path / "results.json"
    results.write_text(json.dumps([{**FIGURE, "name": "a"}]))
    assert run.main(["--results", str(results)]) == 0
    assert json.loads(results.read_text()) == [FIGURE]


def test_nothing_to_measure_is_an_error(benchmark, tmp_path: Path, capsys):
    assert run.main(["--results", str(tmp_path / "results.json"), "--only", "other"]) == 1
    assert "other" in capsys.readouterr().err
    assert not (tmp_path / "results.json").exists()


def test_a_figure_without_a_unit_is_refused(benchmark, tmp_path: Path):
    benchmark.records = lambda: [{key: value for key, value in FIGURE.items() if key != "unit"}]
    with pytest.raises(ValueError, match="bench_one"):
        run.main(["--results", str(tmp_path / "results.json")])
