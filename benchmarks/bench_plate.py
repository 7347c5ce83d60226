"""Measure profiles of a million cells, and the measuring of cells beside CellProfiler's own measurements in Python.

- `profile_wells` on 1,000,000 cells x 200 features of 384 wells, as Parquet; the goal is the project's own.
- `measure_objects` beside cp-measure 0.3.0 (`.venv/peers`) on a real image of nuclei, repeated to 16 times its area:
  all shapes and intensities of each, since cp-measure cannot choose features in a group. Both run in turns.
  Every feature that both have must be equal to 9 digits; `tests/peers/test_cell_measurements.py` says which are defined
  otherwise, and why. cp-measure gets floats, as it wants.

`python -m benchmarks.bench_plate` prints the figures; `make bench` collects `records()`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measuring import OWN_GOAL, ROOT, Record, figure, part_of, run_process
from scripts.suite_files import tool_script

CELLS, FEATURES, WELLS = 1_000_000, 200, 384
PEERS = ROOT / ".venv" / "peers" / "bin" / "python"
NUCLEI, TRUTH = (ROOT / "test-data" / name for name in ("nuclei.ome.tiff", "nuclei_truth.ome.tiff"))
REPEATS, RUNS = 4, 3
CP_MEASURE = """
import sys, time, json, warnings
import numpy as np
warnings.simplefilter("ignore")
from cp_measure.bulk import get_core_measurements
pixels, labels = np.load(sys.argv[1]), np.load(sys.argv[2])
measure = get_core_measurements()
start = time.perf_counter()
found = {**measure["sizeshape"](labels, pixels), **measure["intensity"](labels, pixels)}
seconds = time.perf_counter() - start
json.dump([seconds, {key: np.asarray(found[key]).tolist() for key in sys.argv[4:]}], open(sys.argv[3], "w"))
"""
SHARED = {
    "Area": "area_px", "Center_X": "centroid_x_px", "Center_Y": "centroid_y_px",
    "BoundingBoxMinimum_X": "bbox_min_x_px", "BoundingBoxMinimum_Y": "bbox_min_y_px",
    "BoundingBoxMaximum_X": "bbox_max_x_px", "BoundingBoxMaximum_Y": "bbox_max_y_px",
    "MajorAxisLength": "major_axis_px", "MinorAxisLength": "minor_axis_px", "Eccentricity": "eccentricity",
    "Orientation": "orientation_rad", "EquivalentDiameter": "equivalent_diameter_px",
    "ConvexArea": "convex_area_px", "Solidity": "solidity",
    "Perimeter": "perimeter_px", "PerimeterCrofton": "perimeter_crofton_px",
    "Intensity_IntegratedIntensity": "sum_Nuclei", "Intensity_MeanIntensity": "mean_Nuclei",
    "Intensity_StdIntensity": "std_Nuclei", "Intensity_MinIntensity": "min_Nuclei",
    "Intensity_MaxIntensity": "max_Nuclei",
}  # fmt: skip
"""Features that both define in the same way, by cp-measure's name."""
WHITE = 65535.0


def in_our_unit(name: str, values: list[float]) -> np.ndarray:
    """Return (n,) values of cp-measure in the suite's unit: grey levels for shares of white, radians for degrees."""
    return np.asarray(values) * {"Orientation": np.pi / 180}.get(name, WHITE if name.startswith("Intensity") else 1.0)


def write_cells(path: Path) -> None:
    """Write the made cells: wells in any order, 1 % of the values missing."""
    import pyarrow as pa
    from pyarrow import parquet

    generator = np.random.default_rng(0)
    names = [f"{'ABCDEFGHIJKLMNOP'[n // 24]}{n % 24 + 1}" for n in range(WELLS)]
    schema = pa.schema([("well", pa.string()), *((f"feature_{n}", pa.float64()) for n in range(FEATURES))])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=["well"]) as writer:
        for _ in range(20):
            rows = CELLS // 20
            wells = generator.integers(0, WELLS, rows)
            wells.sort()
            values = generator.normal(wells[:, None] % 7, 1, (rows, FEATURES))
            values[generator.random(values.shape) < 0.01] = np.nan
            columns = [pa.array(np.array(names)[wells]), *(pa.array(column) for column in values.T)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def profiles() -> list[Record]:
    """Measure `profile_wells` on a million cells."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_process(part_of(__file__, "cells", folder / "cells.parquet"))
        wells = [f"{'ABCDEFGHIJKLMNOP'[n // 24]}{n % 24 + 1}\t{'negative' if n % 24 < 2 else ''}" for n in range(WELLS)]
        (folder / "layout.tsv").write_text("\n".join(["well\tcontrol", *wells]) + "\n")
        selection = {"operations": ["drop_na_columns", "variance_threshold", "correlation_threshold"]}
        config = {
            "tables": [{"source_path": str(folder / "cells.parquet"), "element_identifier": "cells"}],
            "layout": [{"source_path": str(folder / "layout.tsv"), "element_identifier": "layout"}],
            "features": "feature_*",
            "reference": {"wells": "negative", "column": "control", "negative": "negative"},
            "method": "mad_robustize",
            "selection": selection,
        }
        (folder / "config.json").write_text(json.dumps(config))
        outputs = [part for one in ("profiles", "normalized", "features") for part in (f"--{one}", str(folder / one))]
        command = [sys.executable, str(tool_script("profile_wells")), "--config", str(folder / "config.json"), *outputs]
        cost = run_process(command)
    what = "profile_wells, 1,000,000 cells x 200 features in 384 wells"
    return [
        figure(f"{what}: time", cost.seconds, "s", "<= 60", OWN_GOAL),
        figure(f"{what}: memory", cost.peak_mib, "MiB", "<= 2048", OWN_GOAL),
    ]


def measuring() -> list[Record]:
    """Measure measure_objects beside cp-measure on the same pixels, in turns."""
    import tifffile

    labels = tifffile.imread(TRUTH).astype(np.int32)
    pixels = np.tile(tifffile.imread(NUCLEI), (REPEATS, REPEATS))
    steps = np.arange(REPEATS**2).reshape(REPEATS, REPEATS).repeat(labels.shape[0], 0).repeat(labels.shape[1], 1)
    tiled = np.tile(labels, (REPEATS, REPEATS))
    tiled = np.where(tiled > 0, tiled + steps * int(labels.max()), 0).astype(np.int32)
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "pixels.npy", pixels / WHITE)
        np.save(folder / "labels.npy", tiled)
        tifffile.imwrite(folder / "pixels.ome.tiff", pixels, metadata={"axes": "YX", "Channel": {"Name": "Nuclei"}})
        tifffile.imwrite(folder / "labels.ome.tiff", tiled, metadata={"axes": "YX"})
        theirs: dict[str, list[float]] = {}
        for _ in range(RUNS):
            files = [str(folder / one) for one in ("pixels.npy", "labels.npy", "theirs.json")]
            run_process([str(PEERS), "-c", CP_MEASURE, *files, *SHARED])
            seconds, theirs = json.loads((folder / "theirs.json").read_text())
            times["theirs"].append(seconds)
            times["ours"].append(_own_seconds(folder))
        ours = _own_columns(folder / "ours.tsv")
    for their_name, our_name in SHARED.items():
        expected = in_our_unit(their_name, theirs[their_name])
        np.testing.assert_allclose(ours[our_name], expected, rtol=1e-9, atol=1e-9, err_msg=our_name)
    ratio = sorted(times["theirs"])[RUNS // 2] / sorted(times["ours"])[RUNS // 2]
    what = f"measure_objects, {len(np.unique(tiled)) - 1:,} nuclei in {tiled.shape[0]} x {tiled.shape[1]} px: speed"
    return [figure(what, ratio, "x", ">= 5", "cp-measure 0.3.0, sizeshape and intensity, without its start")]


def _own_seconds(folder: Path) -> float:
    """Return the time of measuring alone, without the start of the process, as for cp-measure."""
    run_process(part_of(__file__, "measure", folder))
    return float((folder / "seconds").read_text())


def measure_here(folder: Path) -> None:
    """Measure once to load all code, then once more for the clock."""
    sys.path.insert(0, str(tool_script("measure_objects").parent))
    import measure_objects

    files = ["--labels", str(folder / "labels.ome.tiff"), "--image", str(folder / "pixels.ome.tiff")]
    chosen = ["--features", "position", "box", "ellipse", "outline", "hull", "intensity", "--output"]
    measure_objects.main([*files, *chosen, str(folder / "warm.tsv")])
    start = time.perf_counter()
    measure_objects.main([*files, *chosen, str(folder / "ours.tsv")])
    (folder / "seconds").write_text(str(time.perf_counter() - start))


def _own_columns(path: Path) -> dict[str, list[float]]:
    header, *rows = [line.split("\t") for line in path.read_text().splitlines()]
    return {name: [float(row[at]) for row in rows] for at, name in enumerate(header) if name in SHARED.values()}


def records() -> list[Record]:
    """Measure everything; without `.venv/peers` only what needs none."""
    return [*profiles(), *(measuring() if PEERS.exists() else [])]


if __name__ == "__main__":
    if sys.argv[1:2] == ["cells"]:
        write_cells(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["measure"]:
        measure_here(Path(sys.argv[2]))
    else:
        for record in records():
            print(record)
