"""Dose-response curves: Hill's equation with four parameters, fitted to the wells of each compound.

Source: Ritz et al. 2015, PLoS ONE 10:e0146021 (doi:10.1371/journal.pone.0146021): the log-logistic model LL.4 with the
logarithm of the dose.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.measurement_table import number_of

if TYPE_CHECKING:
    from bioimage_suite.plates.profiles import Profiles

FIT_COLUMNS = (
    "compound",
    "wells",
    "doses",
    "bottom",
    "top",
    "ec50",
    "ec50_standard_error",
    "hill",
    "r_squared",
    "note",
)
_LEAST_DOSES = 4
_STEEPEST = 10.0


@dataclass(frozen=True)
class Curve:
    """A fitted curve, y = bottom + (top - bottom) / (1 + (ec50 / dose)^hill); None where there is no fit.

    Attributes:
        compound: Name of the compound.
        doses: (n,) doses from 0, in the unit of the table.
        values: (n,) scores.
        parameters: bottom, top, ec50, hill.
        error: Standard error of the ec50.
        r_squared: 1 - residual sum of squares / total sum of squares.
        note: Why there is no fit, or why to doubt it.
    """

    compound: str
    doses: np.ndarray
    values: np.ndarray
    parameters: tuple[float, float, float, float] | None = None
    error: float | None = None
    r_squared: float | None = None
    note: str = ""

    def row(self) -> tuple[object, ...]:
        """Return the cells of `FIT_COLUMNS`."""
        bottom, top, ec50, hill = self.parameters or (None,) * 4
        doses = len(np.unique(self.doses[self.doses > 0]))
        head = (self.compound, len(self.doses), doses, bottom, top, ec50, self.error, hill)
        return (*head, self.r_squared, self.note)


def hill(doses: np.ndarray, bottom: float, top: float, log_ec50: float, slope: float) -> np.ndarray:
    """Return Hill's equation at (n,) doses; `log_ec50` is the natural logarithm of the ec50. Dose 0 has `bottom`."""
    with np.errstate(divide="ignore"):
        exponent = np.clip(slope * (log_ec50 - np.log(doses)), -700, 700)
    return np.asarray(bottom + (top - bottom) / (1 + np.exp(exponent)))


def fit_curves(profiles: Profiles, scores: np.ndarray, compound: str, dose: str, of: np.ndarray) -> list[Curve]:
    """Fit a curve for each compound.

    Args:
        profiles: The wells.
        scores: (wells,) scores; NaN is left out.
        compound: Condition with the name of the compound.
        dose: Condition with the concentration, a number in one unit; wells without one are left out. Wells with dose 0
            count for `bottom`, as in drc (Ritz et al. 2015).
        of: (wells,) bool: the wells to take.

    Raises:
        UserError: A condition is missing, or a dose is no number or below 0.
    """
    names, doses = profiles.texts(compound), _doses(profiles, dose, of)
    taken = of & ~np.isnan(scores) & (doses >= 0)
    chosen = list(dict.fromkeys(name for name, one in zip(names, of, strict=True) if one and name))
    same = np.array(names)
    return [_fit(name, doses[taken & (same == name)], scores[taken & (same == name)]) for name in chosen]


def _doses(profiles: Profiles, dose: str, of: np.ndarray) -> np.ndarray:
    values = np.full(len(profiles.wells), np.nan)
    for place, text in enumerate(profiles.texts(dose)):
        if not of[place]:
            continue
        try:
            values[place] = number_of(text)
        except ValueError:
            values[place] = -1
        if values[place] < 0:
            raise UserError(
                f"dose {text!r} of well {profiles.wells[place]}: not a number from 0. Write bare numbers in one unit."
            )
    return values


def _fit(compound: str, doses: np.ndarray, values: np.ndarray) -> Curve:
    from scipy.optimize import OptimizeWarning, curve_fit

    above = doses[doses > 0]
    if len(np.unique(above)) < _LEAST_DOSES:
        return Curve(compound, doses, values, note=f"fewer than {_LEAST_DOSES} doses")
    if np.ptp(values) == 0:
        return Curve(compound, doses, values, note="no response: all scores are the same")
    first, last = (float(np.mean(values[doses == end])) for end in (doses.min(), doses.max()))
    reach = 10 * float(np.ptp(values))
    low, high = np.log(above.min()), np.log(above.max())
    bounds = (
        [values.min() - reach, values.min() - reach, low - 5, 0.1],
        [values.max() + reach, values.max() + reach, high + 5, _STEEPEST],
    )
    try:
        with warnings.catch_warnings():
            # As many parameters as doses: the standard error is infinite then, and the table has none.
            warnings.simplefilter("ignore", OptimizeWarning)
            found, covariance = curve_fit(hill, doses, values, [first, last, (low + high) / 2, 1.0], bounds=bounds)
    except RuntimeError:
        return Curve(compound, doses, values, note="the fit does not converge")
    bottom, top, log_ec50, slope = map(float, found)
    left = float(((values - hill(doses, *found)) ** 2).sum())
    ec50, spread = float(np.exp(log_ec50)), float(np.sqrt(covariance[2, 2]))
    error = ec50 * spread if np.isfinite(spread) else None
    note = "" if above.min() <= ec50 <= above.max() else "ec50 outside the doses"
    r_squared = 1 - left / float(((values - values.mean()) ** 2).sum())
    return Curve(compound, doses, values, (bottom, top, ec50, slope), error, r_squared, note)
