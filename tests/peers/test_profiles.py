"""Profiles of wells have the numbers of pycytominer 1.7.1."""

import json
from pathlib import Path

import numpy as np
import pytest

from bioimage_suite.plates.aggregation import aggregate
from bioimage_suite.plates.normalization import METHODS, normalize
from bioimage_suite.plates.profiles import write_profiles
from bioimage_suite.plates.selection import OPERATIONS, Limits, select_features
from bioimage_suite.plates.wells import read_wells
from tests.unit.plates.tables import profiles_of, write_cells

AGGREGATE = """
import pandas as pd
from pycytominer import aggregate
cells = pd.read_csv(sys.argv[1], sep="\\t", float_precision="round_trip")
features = [name for name in cells.columns if name not in ("well", "label")]
found = aggregate(cells, strata=["well"], features=features, operation=sys.argv[2])
answer = found.set_index("well")[features].to_dict("index")
"""
NORMALIZE = """
import pandas as pd
from pycytominer import feature_select, normalize
wells = pd.read_csv(sys.argv[1], sep="\\t", keep_default_na=False, na_values=[""], float_precision="round_trip")
meta = ["plate", "well", "control", "object_count"]
features = [name for name in wells.columns if name not in meta]
done = normalize(wells, features=features, meta_features=meta, samples="control == 'negative'", method=sys.argv[2])
picked = feature_select(done, features=features, operation=json.loads(sys.argv[3]), outlier_cutoff=float(sys.argv[4]))
answer = {"values": done[features].values.tolist(), "selected": [name for name in features if name in picked.columns]}
"""


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Cells of 60 wells with 12 features, some correlated, some with holes, and the layout of the wells."""
    generator = np.random.default_rng(5)
    folder = tmp_path_factory.mktemp("cells")
    wells = [f"{row}{column}" for row in "ABCDE" for column in range(1, 13)]
    rows = []
    for number, well in enumerate(wells):
        values = generator.normal(number % 7, 3, (int(generator.integers(3, 30)), 12)) * np.geomspace(1e-5, 1e5, 12)
        values[:, 3] = values[:, 2] * 10 + generator.normal(0, 1e-6, len(values))
        values[:, 5] = -values[:, 4]
        values[:, 7] = values[:, 6] ** 2
        values[generator.random(values.shape) < 0.02] = np.nan
        rows += [(well, label, *("" if np.isnan(v) else float(v) for v in row)) for label, row in enumerate(values)]
    table = write_cells(folder / "cells", "well label " + " ".join(f"f{n}" for n in range(12)), rows)
    said = [(well, "negative" if number % 5 == 0 else "x") for number, well in enumerate(wells)]
    return table, read_wells([write_cells(folder / "layout", "well control", said)], "P")


@pytest.mark.parametrize("statistic", ["median", "mean"])
def test_aggregates_are_equal(cells, peer, statistic: str):
    table, wells = cells
    ours = aggregate([table], wells, "*", [statistic]).profiles
    theirs = peer(AGGREGATE, table[0], statistic)
    expected = np.array([[theirs[well.label][name] for name in ours.features] for well in ours.wells])
    np.testing.assert_allclose(ours.values, expected, rtol=0 if statistic == "median" else 1e-13)


@pytest.mark.parametrize("method", METHODS)
def test_normalized_and_selected_profiles_are_equal(cells, peer, tmp_path: Path, method: str):
    table, wells = cells
    ours = aggregate([table], wells, "*").profiles
    write_profiles(tmp_path / "profiles", ours)
    theirs = peer(NORMALIZE, tmp_path / "profiles", method, json.dumps(list(OPERATIONS)), 500)
    negative = np.array([text == "negative" for text in ours.conditions["control"]])
    done = normalize(ours, negative, method)
    assert done.without_spread == ()
    np.testing.assert_allclose(done.profiles.values, theirs["values"], rtol=1e-12)
    if method == "mad_robustize":
        np.testing.assert_array_equal(done.profiles.values, theirs["values"])
    assert list(select_features(done.profiles, list(OPERATIONS), Limits())[0].features) == theirs["selected"]
    assert len(theirs["selected"]) < len(ours.features)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_alone_drops_the_same(peer, tmp_path: Path, operation: str):
    """Features with holes, outliers on both sides, no variance, and correlated ones, with and without holes."""
    generator = np.random.default_rng(8)
    values = generator.normal(0, 1, (40, 12))
    values[:3, 1], values[:1, 2] = np.nan, np.nan
    values[4, 3], values[5, 4], values[6, 5] = 40, -40, 39
    values[:, 6] *= 1e-4
    values[:, 8] = values[:, 7] + generator.normal(0, 0.1, 40)
    values[:, 9], values[:, 10] = -values[:, 7], values[:, 2] * 2
    ours = profiles_of(" ".join(f"{row}{n}" for row in "ABCD" for n in range(1, 11)), values, control="negative " * 40)
    write_profiles(tmp_path / "profiles", ours)
    done = normalize(ours, np.ones(40, bool), "standardize").profiles
    limit = float(np.nanmax(np.abs(done.values[:, 5])))
    theirs = peer(NORMALIZE, tmp_path / "profiles", "standardize", json.dumps([operation]), limit)
    kept = list(select_features(done, [operation], Limits(outlier=limit))[0].features)
    assert kept == theirs["selected"]
    if operation != "variance_threshold":  # All have the variance 1 after this normalization.
        assert len(kept) < 12
