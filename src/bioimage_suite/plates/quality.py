"""Quality of an assay: how well controls are apart, whether the border of a plate differs, whether replicates agree.

Sources: Z'-factor: Zhang, Chung and Oldenburg 1999 (doi:10.1177/108705719900400206); SSMD: Zhang 2007
(doi:10.1016/j.ygeno.2006.12.014); robust forms with median and MAD: Birmingham et al. 2009
(doi:10.1038/nmeth.1351); share of replicating conditions: Way et al. 2022 (doi:10.1016/j.cels.2022.10.001).
Wells at the border differ because they evaporate and warm otherwise (Lundholt, Scudder and Pagliaro 2003,
doi:10.1177/1087057103256465); the number for it is our own: a robust z of the border to the wells within.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.plates.normalization import MAD_TO_SD
from bioimage_suite.plates.profiles import mad_of, median_of
from bioimage_suite.tables.plate_layout import plate_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bioimage_suite.plates.controls import Controls
    from bioimage_suite.plates.profiles import Profiles

_DRAWS, _SEED = 1000, 0
QUALITY_COLUMNS = (
    *("plate", "feature", "negative_wells", "positive_wells", "z_prime", "robust_z_prime", "ssmd", "robust_ssmd"),
    "edge_effect",
)


@dataclass(frozen=True)
class AssayQuality:
    """Quality of one feature on one plate; None where it is not defined."""

    plate: str
    feature: str
    negative_wells: int
    positive_wells: int
    z_prime: float | None
    robust_z_prime: float | None
    ssmd: float | None
    robust_ssmd: float | None
    edge_effect: float | None

    def row(self) -> tuple[object, ...]:
        """Return the cells of `QUALITY_COLUMNS`."""
        return tuple(getattr(self, name) for name in QUALITY_COLUMNS)


@dataclass(frozen=True)
class Replicates:
    """Agreement of the wells of a condition.

    Attributes:
        groups: By name of the condition: number of wells, and the median Pearson correlation of pairs of them.
        limit: 95 % of groups of as many wells of different conditions have a smaller median.
        share: Share of the groups above their limit; None without a group of two wells.
    """

    groups: dict[str, tuple[int, float]]
    limit: float | None
    share: float | None


def quality_of(profiles: Profiles, controls: Controls) -> Iterator[AssayQuality]:
    """Yield the quality of each feature on each plate."""
    for plate in profiles.plates:
        own = profiles.on_plate(plate)
        for place, feature in enumerate(profiles.features):
            values = np.where(own, profiles.values[:, place], np.nan)
            negative, positive = (_there(values[kind]) for kind in (controls.negative, controls.positive))
            yield AssayQuality(
                plate,
                feature,
                len(negative),
                len(positive),
                z_prime(*_moments(negative), *_moments(positive)),
                z_prime(*_robust(negative), *_robust(positive)),
                ssmd(*_moments(negative), *_moments(positive)),
                ssmd(*_robust(negative), *_robust(positive)),
                edge_effect(profiles, values, controls, own),
            )


def z_prime(centre: float, spread: float, other: float, other_spread: float) -> float | None:
    """Return Zhang's Z'-factor, 1 - 3 (s_n + s_p) / |m_n - m_p|; None where both centres are the same.

    >>> z_prime(0, 1, 12, 1), z_prime(0, 1, 0, 1)
    (0.5, None)
    """
    apart = abs(centre - other)
    return float(1 - 3 * (spread + other_spread) / apart) if apart > 0 else None


def ssmd(centre: float, spread: float, other: float, other_spread: float) -> float | None:
    """Return the strictly standardized mean difference, (m_p - m_n) / sqrt(s_n^2 + s_p^2); None without a spread.

    >>> ssmd(0, 3, 10, 4)
    2.0
    """
    both = np.hypot(spread, other_spread)
    return float((other - centre) / both) if both > 0 else None


def _there(values: np.ndarray) -> np.ndarray:
    return np.asarray(values[~np.isnan(values)])


def _moments(values: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of the sample (n - 1); NaN below two values."""
    return (float(values.mean()), float(values.std(ddof=1))) if len(values) > 1 else (np.nan, np.nan)


def _robust(values: np.ndarray) -> tuple[float, float]:
    """Return median and 1.4826 MAD; NaN below two values."""
    if len(values) < 2:
        return np.nan, np.nan
    return float(median_of(values[:, None])[0]), float(mad_of(values[:, None])[0] * MAD_TO_SD)


def edge_effect(profiles: Profiles, values: np.ndarray, controls: Controls, own: np.ndarray) -> float | None:
    """Return (median of border wells - median of inner wells) / (1.4826 MAD of inner wells) of a plate.

    The wells are the negative controls, if two of them lie at the border of the plate and two within it; else the
    wells that are no control. Hits among few wells can look like an effect: controls at both places tell more.

    Args:
        profiles: The wells.
        values: (wells,) values of a feature.
        controls: The controls.
        own: (wells,) bool: the wells of the plate.
    """
    rows, columns = plate_size((w.row, w.column) for w, mine in zip(profiles.wells, own, strict=True) if mine)
    border = np.array([w.row in (0, rows - 1) or w.column in (0, columns - 1) for w in profiles.wells], dtype=bool)
    for kind in (controls.negative, controls.samples):
        outer, inner = (_there(values[own & kind & where]) for where in (border, ~border))
        if len(outer) > 1 and len(inner) > 1:
            centre, spread = _robust(inner)
            return float((_robust(outer)[0] - centre) / spread) if spread > 0 else None
    return None


def replicates_of(profiles: Profiles, by: Sequence[str], of: np.ndarray) -> Replicates:
    """Correlate the profiles of wells of the same condition.

    Args:
        profiles: Selected profiles.
        by: Names of the conditions that must agree, such as compound and concentration.
        of: (wells,) bool: the wells to take, such as those that are no control.
    """
    texts = [profiles.texts(name) for name in by]
    usable = np.flatnonzero(of & ~np.isnan(profiles.values).any(axis=1) & (profiles.counts > 0))
    labels = [" / ".join(text[place] for text in texts) for place in usable]
    if len(usable) < 2 or profiles.values.shape[1] < 3:
        return Replicates({}, None, None)
    with np.errstate(divide="ignore", invalid="ignore"):
        table = np.corrcoef(profiles.values[usable])
    members: dict[str, list[int]] = {}
    for place, label in enumerate(labels):
        members.setdefault(label, []).append(place)
    groups = {label: (len(own), _median_pair(table, own)) for label, own in members.items() if len(own) > 1}
    limits = _limits(table, labels, {size for size, _ in groups.values()})
    passed = [median > limits[size] for size, median in groups.values() if limits.get(size) is not None]
    share = float(np.mean(passed)) if passed else None
    return Replicates(groups, max(filter(None, limits.values()), default=None), share)


def _median_pair(table: np.ndarray, places: Sequence[int] | np.ndarray) -> float:
    at = np.asarray(places)
    pairs = table[at[:, None], at][np.triu_indices(len(at), 1)]
    return float(np.median(pairs))


def _limits(table: np.ndarray, labels: Sequence[str], sizes: set[int]) -> dict[int, float]:
    """Return by size of a group the median that 95 % of random groups of wells of different conditions do not reach."""
    generator = np.random.default_rng(_SEED)
    found = {}
    for size in sorted(sizes):
        drawn = (
            generator.choice(len(labels), size, replace=False) for _ in range(_DRAWS if size <= len(labels) else 0)
        )
        medians = [_median_pair(table, places) for places in drawn if len({labels[n] for n in places}) == size]
        if medians:
            found[size] = float(np.percentile(medians, 95))
    return found
