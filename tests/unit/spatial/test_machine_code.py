"""The compiled loops that the package ships: as Numba makes them of the functions, and the same numbers to the bit."""

import ctypes
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimage_suite.spatial import machine_code, nearest_points, pair_sums, statistics
from bioimage_suite.spatial.statistics import PatternOptions, Points, analyze
from bioimage_suite.spatial.window import Box, Region
from scripts import spatial_kernels
from tests.unit.spatial.points import SQUARE, random_points

REGION = Region(np.random.default_rng(1).random((50, 60)) < 0.7, np.array([0.5, 2.0]))
BOX = Box(np.array([5.0, -10.0, 0.0]), np.array([25.0, 50.0, 40.0]))
CASES = [("box", SQUARE, "translation"), ("box", BOX, "translation"), ("none", SQUARE, "none"),
         ("rectangle", SQUARE, "isotropic"), ("region", REGION, "translation")]  # fmt: skip


def test_the_shipped_loops_are_those_of_the_functions(tmp_path):
    first = (spatial_kernels.FOLDER / "box.ll").read_text().splitlines()[0]
    if not first.endswith(f"with Numba {numba.__version__}. Do not edit."):
        pytest.skip(f"another version: {first}")
    spatial_kernels.write(tmp_path)
    shipped = {file.name: file.read_text() for file in spatial_kernels.FOLDER.iterdir()}
    made = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert made == shipped, "Run: python -m scripts.spatial_kernels"
    assert set(shipped) == {f"{name}.ll" for name in (*pair_sums.WEIGHTS, "nearest")}


@pytest.mark.parametrize(("kind", "window", "correction"), CASES)
@pytest.mark.parametrize("classes", [1, 3])
def test_sums_have_the_bits_of_numba(kind, window, correction, classes, monkeypatch):
    assert machine_code.machine_code(kind) is not None
    points = random_points(700, 3, classes, window)
    rows, wanted = pair_sums.in_rows(points.position, 17.0), window.correction(correction)
    assert wanted.kind == kind
    found = pair_sums.pair_sums(rows, points.of_class, classes, 17.0, wanted)
    monkeypatch.setattr(pair_sums, "machine_code", lambda *_, **__: None)
    expected = pair_sums.pair_sums(rows, points.of_class, classes, 17.0, wanted)
    assert expected.sum() > 1000
    assert found.tobytes() == expected.tobytes()


def placed(seed: int, n: int, dimensions: int, kind: int) -> np.ndarray:
    """Positions at random, on a grid with many at one place, crowded in a corner, or in two lines."""
    position = np.random.default_rng(seed).uniform(0, 100, (n, dimensions))
    if kind == 1:
        return np.round(position / 10)
    if kind == 2:
        return position**3
    if kind == 3:
        position[:, 0] = position[:, 0] > 50
    return position


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.sampled_from([2, 3]), st.integers(0, 3), st.integers(1, 3),
       st.sampled_from([0.1, 5.0, 40.0, 500.0]))  # fmt: skip
def test_nearest_distances_have_the_bits_of_a_tree(seed, n, dimensions, kind, classes, reach):
    of_class = np.random.default_rng(seed).integers(0, classes, n)
    points = Points(placed(seed, n, dimensions, kind), of_class, classes)
    rows = pair_sums.in_rows(points.position, reach)
    found = statistics.nearest_distances(points, rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "FEW_POINTS", 0)
        expected = statistics.nearest_distances(points, rows)
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("kind", range(4))
def test_the_search_is_that_of_the_function_in_python(kind, monkeypatch):
    points = Points(placed(5, 40, 2, kind), np.zeros(40, np.int64), 1)
    rows = pair_sums.in_rows(points.position, 5.0)
    found = statistics.nearest_distances(points, rows)
    monkeypatch.setattr(nearest_points, "machine_code", lambda *_, **__: nearest_points.search_rows)
    assert statistics.nearest_distances(points, rows).tobytes() == found.tobytes()


def test_an_analysis_without_machine_code_has_the_same_bits(monkeypatch):
    points = random_points(300, 2, 2)
    found = analyze(points, SQUARE, PatternOptions(simulations=5))
    for module in (pair_sums, nearest_points):
        monkeypatch.setattr(module, "machine_code", lambda *_, **__: None)
    again = analyze(points, SQUARE, PatternOptions(simulations=5))
    for one, other in ((found.simulated_l, again.simulated_l), (found.curves.k, again.curves.k),
                       (found.nearest, again.nearest), (found.simulated_nearest, again.simulated_nearest)):  # fmt: skip
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("text", [None, "define nonsense", "define i32 @kernel() {\n  ret i32 0\n"])
def test_a_file_that_cannot_be_read_leaves_the_work_to_numba(text, tmp_path, monkeypatch):
    folder = tmp_path / "kernels"
    folder.mkdir()
    if text is not None:
        (folder / "box.ll").write_text(text)
    monkeypatch.setattr(machine_code, "__file__", str(tmp_path / "machine_code.py"))
    machine_code._loaded.cache_clear()
    try:
        assert machine_code.machine_code("box") is None
    finally:
        machine_code._loaded.cache_clear()


def test_a_default_analysis_loads_neither_numba_nor_scipy():
    code = (
        "import sys; from tests.unit.spatial.points import *; from bioimage_suite.spatial.statistics import *; "
        "analyze(random_points(50, 1), SQUARE, PatternOptions(simulations=2)); "
        "print(sorted({'numba', 'scipy'} & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_arguments_are_passed_as_numba_does():
    array = np.zeros((2, 3))
    types, values = machine_code._flat((array, (1.0, 2.0), 7, 0.5))
    assert values[2:] == [None, None, 6, 8, array.ctypes.data, 2, 3, 24, 8, 1.0, 2.0, 7, 0.5]
    assert types[-4:] == (ctypes.c_double, ctypes.c_double, ctypes.c_int64, ctypes.c_double)
    assert Path(machine_code.__file__).with_name("kernels").is_dir()
