"""Normalization of profiles to controls, and the selection of features."""

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.plates.controls import find_controls
from bioimage_suite.plates.normalization import normalize
from bioimage_suite.plates.selection import Limits, select_features
from tests.unit.plates.tables import profiles_of

WELLS = "A1 A2 A3 A4"
CONTROLS = np.array([True, True, True, False])


def test_robust_z_to_the_controls():
    found = normalize(profiles_of(WELLS, np.array([[1.0], [2], [4], [12]])), CONTROLS, "mad_robustize")
    np.testing.assert_allclose(found.profiles.values[:, 0], np.array([-1, 0, 2, 10]) / 1.4826)


def test_each_plate_has_its_own_controls():
    one = profiles_of("A1 A2 A3", np.array([[1.0], [2], [3]]))
    wells = (*one.wells, *(type(well)("Q", well.row, well.column) for well in one.wells))
    values = np.array([[1.0], [2], [3], [101], [102], [103]])
    both = type(one)(wells, {}, np.ones(6, int), ("f",), values)
    found = normalize(both, np.ones(6, bool), "mad_robustize").profiles.values[:, 0]
    np.testing.assert_allclose(found[:3], found[3:])


@pytest.mark.parametrize("method", ["mad_robustize", "standardize", "robustize"])
def test_a_feature_that_is_constant_in_the_controls_is_named(method: str):
    values = np.array([[1.0, 7, np.nan], [2, 7, np.nan], [4, 7, np.nan], [12, 9, 1]])
    found = normalize(profiles_of(WELLS, values), CONTROLS, method)
    assert found.without_spread == ("f1", "f2")
    assert found.profiles.features == ("f0",)
    assert np.isfinite(found.profiles.values).all()


def test_wells_without_cells_and_missing_values_do_not_count():
    values = np.array([[1.0], [2], [4], [np.nan], [6], [np.nan]])
    profiles = profiles_of("A1 A2 A3 A4 A5 A6", values, counts=[3, 3, 3, 0, 3, 3])
    found = normalize(profiles, np.array([True, True, True, True, False, True]), "mad_robustize")
    np.testing.assert_allclose(found.profiles.values[:, 0], np.array([-1, 0, 2, np.nan, 4, np.nan]) / 1.4826)


def test_too_few_controls_or_none_that_differs():
    with pytest.raises(UserError, match="plate 'P': 1 reference wells with objects, at least 2"):
        normalize(profiles_of("A1 A2", np.ones((2, 1))), np.array([True, False]), "mad_robustize")
    with pytest.raises(UserError, match="none differs between the reference wells"):
        normalize(profiles_of("A1 A2", np.ones((2, 1))), np.ones(2, bool), "mad_robustize")


def test_controls_are_named_in_any_case():
    profiles = profiles_of(WELLS, np.ones((4, 1)), control="DMSO dmso Taxol x")
    found = find_controls(profiles, "control", "dmso, empty", "TAXOL")
    assert found.negative.tolist() == [True, True, False, False]
    assert found.positive.tolist() == [False, False, True, False]
    assert found.samples.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("column", "negative", "positive", "message"),
    [
        ("drug", "x", "", "condition 'drug'"),
        ("control", "nothing", "", "no well has this in control"),
        ("control", "x, y", "Y", "given as negative and as positive"),
    ],
)
def test_controls_that_are_not_there(column, negative, positive, message):
    with pytest.raises(UserError, match=message):
        find_controls(profiles_of(WELLS, np.ones((4, 1)), control="x x y z"), column, negative, positive)


def test_reasons_why_features_go():
    generator = np.random.default_rng(0)
    base = generator.normal(size=(30, 2))
    values = np.column_stack([base, base[:, 0] * 3, -base[:, 1], np.full(30, 2.0), base[:, 0] * 900, base[:, 0]])
    values[:4, 6] = np.nan
    profiles = profiles_of(" ".join(f"A{n + 1}" for n in range(30)), values)
    operations = ["drop_na_columns", "drop_outliers", "variance_threshold", "correlation_threshold"]
    selected, reasons = select_features(profiles, operations, Limits())
    assert reasons["f6"] == "too many missing values"
    assert reasons["f5"] == "a value beyond the limit of outliers"
    assert reasons["f4"] == "nearly constant"
    # Of f0 and f2, which are the same but for a factor, one goes; f1 and f3 have r = -1, and both stay.
    assert len(set(selected.features) & {"f0", "f2"}) == 1
    assert {"f1", "f3"} < set(selected.features)


def test_a_well_without_cells_does_not_drop_all_features():
    values = np.array([[1.0], [2], [4], [np.nan]])
    selected, _ = select_features(profiles_of(WELLS, values, counts=[1, 1, 1, 0]), ["drop_na_columns"], Limits())
    assert selected.features == ("f0",)


def test_no_feature_is_left():
    with pytest.raises(UserError, match="none is left"):
        select_features(profiles_of(WELLS, np.ones((4, 1))), ["variance_threshold"], Limits())
