"""Quality of an assay, hits, and dose-response curves, against values worked out by hand."""

import numpy as np
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.plates.controls import Controls
from bioimage_suite.plates.dose_response import fit_curves, hill
from bioimage_suite.plates.hits import find_hits, hit_rows, note_columns, note_rows, parse_hit_tag
from bioimage_suite.plates.quality import quality_of, replicates_of
from tests.unit.plates.tables import profiles_of


def controls_of(text: str) -> Controls:
    return Controls(*(np.array([letter == mark for letter in text]) for mark in "-+"))


def test_z_prime_and_ssmd_of_two_controls():
    profiles = profiles_of("A1 A2 A3 A4", np.array([[0.0], [2], [10], [12]]))
    [found] = quality_of(profiles, controls_of("--++"))
    spread = np.sqrt(2)
    assert found.z_prime == pytest.approx(1 - 6 * spread / 10)
    assert found.ssmd == pytest.approx(10 / np.sqrt(4))
    assert found.robust_z_prime == pytest.approx(1 - 6 * 1.4826 / 10)
    assert found.robust_ssmd == pytest.approx(10 / (1.4826 * np.sqrt(2)))


@pytest.mark.parametrize("marks", ["----", "-+--", "...."])
def test_quality_that_is_not_defined_is_empty(marks: str):
    [found] = quality_of(profiles_of("A1 A2 A3 A4", np.arange(4.0)[:, None]), controls_of(marks))
    assert found.ssmd is None or np.isnan(found.ssmd)


def test_the_edge_effect_compares_controls_at_the_border_and_within():
    wells = "A1 A2 B2 B3 C3 C4 H12"
    values = np.array([[5.0], [7], [0], [1], [3], [2], [9]])
    [found] = quality_of(profiles_of(wells, values), controls_of("------."))
    assert found.edge_effect == pytest.approx((6 - 1.5) / (1.4826 * 1))
    [none] = quality_of(profiles_of("A1 A2", np.array([[5.0], [7]])), controls_of("--"))
    assert none.edge_effect is None


def test_hits_on_one_side_and_never_a_control():
    profiles = profiles_of("A1 A2 A3 A4 A5", np.array([[9.0], [-9], [4], [-5], [np.nan]]), control="n p . . .")
    controls = controls_of("-+...")
    both = find_hits(profiles, controls, feature="f0", limit=3)
    assert both.ranked() == [3, 2]
    assert find_hits(profiles, controls, feature="f0", limit=3, side="above").ranked() == [2]
    assert find_hits(profiles, controls, feature="f0", limit=3, side="below").ranked() == [3]
    assert [row[-1] for row in hit_rows(profiles, both)] == [None, None, 2, 1, None]
    assert list(note_rows(profiles, both))[3:] == [("P", "A4", "yes", "-5", "f0"), ("P", "A5", "no", "", "f0")]


def test_notes_name_the_tag_of_hits_and_its_set_on_other_wells():
    profiles = profiles_of("A1 A2", np.array([[9.0], [1]]), control="p .")
    scores = find_hits(profiles, controls_of(".."), feature="f0", limit=3)
    tag = parse_hit_tag(" hit [screen 2] ")
    assert tag == ("hit", "screen 2")
    assert [dict(zip(note_columns(tag), row, strict=True))["TAG"] for row in note_rows(profiles, scores, tag)] == [
        "hit[screen 2]",
        "[screen 2]",
    ]
    assert "TAG" not in note_columns(None)


@pytest.mark.parametrize("text", ["hit", "hit[12]", "[screen]", "a,b[c]", "a[b;c]", "hit[]", "a[b]c"])
def test_a_tag_that_a_rerun_could_not_find_again_is_refused(text: str):
    with pytest.raises(UserError, match="Write it like"):
        parse_hit_tag(text)


def test_induction_is_the_share_of_features_beyond_the_limit():
    values = np.array([[0.0, 0, 0, 0], [9, -9, 0, np.nan], [4, 0, 0, 0], [9, 9, 9, 9]])
    profiles = profiles_of("A1 A2 A3 A4", values, counts=[9, 9, 9, 2])
    found = find_hits(profiles, controls_of("-..."), feature="", limit=3, share=0.3, least_objects=5)
    np.testing.assert_allclose(found.values, [0, 2 / 3, 1 / 4, 1])
    assert found.hits.tolist() == [False, True, False, False]


def test_a_limit_of_nothing_is_refused():
    with pytest.raises(UserError, match="it must be above 0"):
        find_hits(profiles_of("A1", np.ones((1, 1))), controls_of("-"), feature="f0", limit=0)


def curves_of(doses: np.ndarray, values: np.ndarray, compound: str = "x"):
    wells = " ".join(f"A{n + 1}" for n in range(len(doses)))
    names = " ".join([compound] * len(doses))
    profiles = profiles_of(wells, values[:, None], drug=names, dose=" ".join(map(str, doses)))
    return fit_curves(profiles, values, "drug", "dose", np.ones(len(doses), bool))


def test_a_curve_is_found_again():
    doses = np.repeat(np.geomspace(0.01, 100, 9), 2)
    [curve] = curves_of(doses, hill(doses, 1, 21, np.log(2.5), 1.5))
    np.testing.assert_allclose(curve.parameters, (1, 21, 2.5, 1.5), rtol=1e-4)
    assert curve.r_squared == pytest.approx(1)
    assert curve.note == ""


def test_a_curve_has_the_published_parameters_of_real_data():
    """Roots of perennial ryegrass under ferulic acid: data and fit (LL.4) of drc 3.0, Ritz et al. 2015."""
    doses = np.repeat([0, 0.94, 1.88, 3.75, 7.5, 15, 30], [6, 3, 3, 3, 3, 3, 3]).astype(float)
    lengths = np.array(
        [
            *(7.58, 8.0, 8.3285714, 7.25, 7.375, 7.9625, 8.3555556, 6.9142857, 7.75, 6.8714286, 6.45, 5.9222222),
            *(1.925, 2.8857143, 4.2333333, 1.1875, 0.8571429, 1.0571429, 0.6875, 0.525, 0.825, 0.25, 0.22, 0.44),
        ]
    )
    [curve] = curves_of(doses, lengths)
    np.testing.assert_allclose(curve.parameters, (7.79296, 0.48141, 3.05795, 2.98222), rtol=1e-4)
    assert curve.error == pytest.approx(0.18573, rel=0.02)
    assert curve.row()[1:3] == (24, 6)


def test_curves_that_cannot_be_fitted_say_why():
    doses = np.geomspace(1, 8, 4)
    assert "fewer than 4 doses" in curves_of(doses[:3], doses[:3])[0].note
    assert "no response" in curves_of(doses, np.zeros(4))[0].note
    assert curves_of(np.array([0.0, 1, 2, 4, 8]), np.array([50.0, 1, 1, 1, 1]))[0].note == "ec50 outside the doses"
    assert curves_of(np.geomspace(1, 2, 8), hill(np.geomspace(1, 2, 8), 0, 9, np.log(60), 1))[0].note


@pytest.mark.parametrize("dose", ["10 uM", "-1", "1_0", "inf"])
def test_a_dose_that_is_no_number_is_refused(dose: str):
    profiles = profiles_of("A1", np.ones((1, 1)), drug="x", dose="1")
    profiles.conditions["dose"] = (dose,)
    with pytest.raises(UserError, match=r"dose .* of well A1"):
        fit_curves(profiles, np.ones(1), "drug", "dose", np.ones(1, bool))


def test_replicates_agree_more_than_random_wells():
    generator = np.random.default_rng(1)
    kinds = generator.normal(size=(8, 40))
    values = np.repeat(kinds, 3, axis=0) + generator.normal(scale=0.2, size=(24, 40))
    wells = " ".join(f"{row}{column}" for row in "AB" for column in range(1, 13))
    names = " ".join(f"k{n // 3}" for n in range(24))
    found = replicates_of(profiles_of(wells, values, drug=names), ["drug"], np.ones(24, bool))
    assert found.share == 1
    assert all(size == 3 and median > 0.9 for size, median in found.groups.values())
    mixed = replicates_of(profiles_of(wells, generator.normal(size=(24, 40)), drug=names), ["drug"], np.ones(24, bool))
    assert mixed.share < 0.5
