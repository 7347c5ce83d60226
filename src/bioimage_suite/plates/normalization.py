"""Normalization of profiles, plate by plate, with the definitions of pycytominer 1.7.1 (`normalize`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.plates.controls import require_on_each_plate
from bioimage_suite.plates.profiles import mad_of, mean_of, median_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bioimage_suite.plates.profiles import Profiles

# The median absolute deviation times this is the standard deviation of normally distributed values.
MAD_TO_SD = 1.4826
# pycytominer adds it to the divisor.
EPSILON = 1e-18
_LEAST_WELLS = 2

Scale = tuple[np.ndarray, np.ndarray]
"""Centre and spread of each feature."""


@dataclass(frozen=True)
class Normalized:
    """Normalized profiles, and the features that were left out because their spread is 0 on a plate."""

    profiles: Profiles
    without_spread: tuple[str, ...]


def _mad_robustize(values: np.ndarray) -> Scale:
    # Divided, not multiplied, as scipy does: the last digit is then that of pycytominer.
    return median_of(values), mad_of(values) / (1 / MAD_TO_SD)


def _standardize(values: np.ndarray) -> Scale:
    centre = mean_of(values)
    return centre, np.sqrt(mean_of((values - centre) ** 2))


def _robustize(values: np.ndarray) -> Scale:
    low, middle, high = np.nanpercentile(values, [25, 50, 75], axis=0)
    return middle, high - low


METHODS: dict[str, Callable[[np.ndarray], Scale]] = {
    "mad_robustize": _mad_robustize,
    "standardize": _standardize,
    "robustize": _robustize,
}
"""How centre and spread are defined: median and 1.4826 MAD; mean and standard deviation (n); median and quartiles."""


def normalize(profiles: Profiles, reference: np.ndarray, method: str) -> Normalized:
    """Return (value - centre) / spread of each feature; centre and spread are those of the plate's reference wells.

    A feature that is the same in all reference wells of a plate has no spread, and pycytominer would return values up
    to 4e18 for it: such features are left out and named.

    Args:
        profiles: Profiles of wells.
        reference: (wells,) bool, such as the negative controls, or all wells.
        method: One of `METHODS`.

    Raises:
        UserError: A plate has fewer than two reference wells with objects, or no feature has a spread.
    """
    require_on_each_plate(profiles, reference, "reference wells", _LEAST_WELLS)
    values = np.full(profiles.values.shape, np.nan)
    flat = np.zeros(len(profiles.features), dtype=bool)
    for plate in profiles.plates:
        own = profiles.on_plate(plate)
        known = profiles.values[own & reference & (profiles.counts > 0)]
        there = ~np.isnan(known).all(axis=0)
        centre, spread = (np.full(len(there), np.nan) for _ in range(2))
        centre[there], spread[there] = METHODS[method](known[:, there])
        flat |= ~(spread > 0)
        extra = EPSILON if method == "mad_robustize" else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            values[own] = (profiles.values[own] - centre) / (spread + extra)
    kept = [name for name, gone in zip(profiles.features, flat, strict=True) if not gone]
    if not kept:
        raise UserError(
            "features: none differs between the reference wells of each plate, so nothing can be normalized. Choose "
            "other features, or normalize to all wells."
        )
    gone = tuple(name for name in profiles.features if name not in kept)
    return Normalized(replace(profiles, values=values).with_features(kept), gone)
