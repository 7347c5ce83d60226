"""Selection of features with the definitions of pycytominer 1.7.1 (`feature_select`), one operation after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bioimage_suite.plates.profiles import Profiles


@dataclass(frozen=True)
class Limits:
    """Limits of the operations, with pycytominer's defaults.

    Attributes:
        missing: `drop_na_columns`: the largest share of wells without a value.
        outlier: `drop_outliers`: the largest absolute value.
        variance: `variance_threshold`: the variance (n) must be above it.
        correlation: `correlation_threshold`: of two features with a larger Pearson correlation the one with the larger
            sum of absolute correlations goes. The sign counts: features with -1 both stay.
    """

    missing: float = 0.05
    outlier: float = 500.0
    variance: float = 1e-6
    correlation: float = 0.9


def _missing(values: np.ndarray, limits: Limits) -> np.ndarray:
    return np.asarray(np.isnan(values).mean(axis=0) > limits.missing)


def _outliers(values: np.ndarray, limits: Limits) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(values) > limits.outlier).any(axis=0))


def _low_variance(values: np.ndarray, limits: Limits) -> np.ndarray:
    there = ~np.isnan(values).all(axis=0)
    variance = np.zeros(values.shape[1])
    variance[there] = np.nanvar(values[:, there], axis=0)
    return variance <= limits.variance


def _correlated(values: np.ndarray, limits: Limits) -> np.ndarray:
    gone = np.zeros(values.shape[1], dtype=bool)
    if values.shape[1] < 2:
        return gone
    table = correlations(values)
    # pandas' order, which decides between features with the same sum.
    order = np.argsort(np.nansum(np.abs(table), axis=0), kind="quicksort")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    first, second = np.nonzero(np.tril(np.nan_to_num(table, nan=-1.0) > limits.correlation, k=-1))
    gone[np.where(rank[first] > rank[second], first, second)] = True
    return gone


OPERATIONS = {
    "drop_na_columns": (_missing, "too many missing values"),
    "drop_outliers": (_outliers, "a value beyond the limit of outliers"),
    "variance_threshold": (_low_variance, "nearly constant"),
    "correlation_threshold": (_correlated, "correlated with another feature"),
}
"""What each operation drops, and why in words; the order is the one that pycytominer's users take."""


def correlations(values: np.ndarray) -> np.ndarray:
    """Return the (features, features) Pearson correlations of (n, features), each pair over the rows that have both.

    A feature that is constant has NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if not np.isnan(values).any():
            return np.atleast_2d(np.corrcoef(values.T))
        there = (~np.isnan(values)).astype(np.float64)
        counts = there.T @ there
        # Centred first: sums of squares of large numbers would lose the small differences.
        known = np.where(np.isnan(values), 0.0, values - np.nanmean(values, axis=0))
        sums, squares = known.T @ there, (known**2).T @ there
        covariance = known.T @ known - sums * sums.T / counts
        variance = squares - sums**2 / counts
        result: np.ndarray = covariance / np.sqrt(variance * variance.T)
    return np.clip(result, -1, 1)


def select_features(profiles: Profiles, operations: Sequence[str], limits: Limits) -> tuple[Profiles, dict[str, str]]:
    """Return the profiles with the features that pass all operations, and the reason for each one that does not.

    Wells without objects do not count: pycytominer does not know them.

    Args:
        profiles: Normalized profiles.
        operations: Names of `OPERATIONS`, in the order in which they run; the order matters.
        limits: Their limits.

    Raises:
        UserError: No feature is left.
    """
    values = profiles.values[profiles.counts > 0]
    kept = list(range(len(profiles.features)))
    reasons: dict[str, str] = {}
    for name in operations:
        if not kept:
            break
        drops, why = OPERATIONS[name]
        gone = drops(values[:, kept], limits)
        reasons |= {profiles.features[place]: why for place, one in zip(kept, gone, strict=True) if one}
        kept = [place for place, one in zip(kept, gone, strict=True) if not one]
    if not kept:
        shown = "; ".join(f"{feature}: {why}" for feature, why in list(reasons.items())[:5])
        raise UserError(f"features: none is left ({shown}). Select with fewer operations or other limits.")
    return profiles.with_features([profiles.features[place] for place in kept]), reasons
