"""Measurements of cells are those of CellProfiler (cp-measure 0.3.0), or defined otherwise for a reason given here."""

from pathlib import Path

import measure_objects
import numpy as np
import pytest
import tifffile

from benchmarks.bench_plate import NUCLEI, SHARED, TRUTH, WHITE, in_our_unit

MEASURE = """
import numpy as np
from cp_measure.bulk import get_core_measurements
pixels, labels = np.load(sys.argv[1]), np.load(sys.argv[2])
measure = get_core_measurements()
found = {}
for group in ("sizeshape", "intensity", "feret"):
    found |= measure[group](labels, pixels)
answer = {name: np.asarray(values).tolist() for name, values in found.items()}
"""
Columns = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def measured(tmp_path_factory, peer) -> tuple[Columns, dict[str, list[float]]]:
    """Both measurements of a real image: our columns, and theirs by name."""
    folder = tmp_path_factory.mktemp("measured")
    np.save(folder / "pixels.npy", tifffile.imread(NUCLEI) / WHITE)
    np.save(folder / "labels.npy", tifffile.imread(TRUTH).astype(np.int32))
    theirs = peer(MEASURE, folder / "pixels.npy", folder / "labels.npy")
    measure_objects.main(["--labels", str(TRUTH), "--image", str(NUCLEI), "--output", str(folder / "ours.tsv")])
    header, *rows = [line.split("\t") for line in Path(folder / "ours.tsv").read_text().splitlines()]
    columns = zip(*rows, strict=True)
    return {
        name: np.array(cells, float) for name, cells in zip(header, columns, strict=True) if name != "image"
    }, theirs


@pytest.mark.parametrize("name", SHARED)
def test_a_feature_that_both_have_is_equal(measured, name: str):
    ours, theirs = measured
    assert len(ours["label"]) == 125
    np.testing.assert_allclose(ours[SHARED[name]], in_our_unit(name, theirs[name]), rtol=1e-9, atol=1e-9)


def test_circularity_takes_croftons_perimeter(measured):
    """CellProfiler's form factor takes the line through the border pixels: small objects are rounder than disks."""
    ours, theirs = measured
    np.testing.assert_allclose(4 * np.pi * ours["area_px"] / ours["perimeter_px"] ** 2, theirs["FormFactor"], rtol=1e-9)
    crofton = np.minimum(4 * np.pi * ours["area_px"] / ours["perimeter_crofton_px"] ** 2, 1)
    np.testing.assert_allclose(ours["circularity"], crofton, rtol=1e-9)


def test_diameters_reach_to_the_sides_of_pixels(measured):
    """CellProfiler's Feret diameters are those between centres of pixels: here they end at the middle of their sides.

    This is scikit-image's definition; it adds 1 along rows and columns and sqrt(1/2) along diagonals.
    """
    ours, theirs = measured
    for name, their_name in (("feret_max_px", "MaxFeretDiameter"), ("feret_min_px", "MinFeretDiameter")):
        more = ours[name] - np.array(theirs[their_name])
        assert more.min() >= np.sqrt(1 / 2) - 1e-6
        assert more.max() <= 1 + 1e-6
