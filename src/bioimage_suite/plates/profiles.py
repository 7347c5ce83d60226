"""Profiles of wells: one number for each well and feature, and the table that holds them.

The definitions are those of pycytominer 1.7.1 (Serrano et al., Nature Methods 2025, doi:10.1038/s41592-025-02611-8):
`aggregate`, `normalize` and `feature_select` give the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.plates.wells import PLATE, WELL, Well
from bioimage_suite.tables.measurement_table import number_of, read_measurement_table, write_rows
from bioimage_suite.tables.plate_layout import parse_well

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

COUNT = "object_count"
"""Column with the number of objects of a well: conditions stand before it, features after it."""


@dataclass(frozen=True)
class Profiles:
    """Profiles of wells.

    Attributes:
        wells: The wells in their order on the plates.
        conditions: Texts of each condition, one for each well.
        counts: (wells,) int64 numbers of objects.
        features: Names of the features.
        values: (wells, features) float64, NaN where a well has no value.
    """

    wells: tuple[Well, ...]
    conditions: Mapping[str, tuple[str, ...]]
    counts: np.ndarray
    features: tuple[str, ...]
    values: np.ndarray

    def column(self, feature: str) -> np.ndarray:
        """Return the (wells,) values of a feature.

        Raises:
            UserError: There is no such feature.
        """
        if feature not in self.features:
            raise UserError(
                f"feature {feature!r}: the profiles do not have it. Choose among: {', '.join(self.features)}."
            )
        return self.values[:, self.features.index(feature)]

    def texts(self, condition: str) -> tuple[str, ...]:
        """Return the text of a condition for each well.

        Raises:
            UserError: There is no such condition.
        """
        if condition not in self.conditions:
            shown = ", ".join(self.conditions) or "none"
            raise UserError(f"condition {condition!r}: the wells do not have it. Choose among: {shown}.")
        return self.conditions[condition]

    def on_plate(self, plate: str) -> np.ndarray:
        """Return (wells,) bool: which wells are on a plate."""
        return np.array([well.plate == plate for well in self.wells], dtype=bool)

    @property
    def plates(self) -> list[str]:
        """Return the names of the plates."""
        return list(dict.fromkeys(well.plate for well in self.wells))

    def with_features(self, chosen: Sequence[str]) -> Profiles:
        """Return the profiles with some of their features."""
        at = [self.features.index(name) for name in chosen]
        return replace(self, features=tuple(chosen), values=self.values[:, at])


def median_of(values: np.ndarray) -> np.ndarray:
    """Return the (features,) medians of (n, features) without NaN: the mean of both middle values where n is even.

    A feature without a value has NaN.
    """
    result = np.full(values.shape[1], np.nan)
    if not len(values):
        return result
    holed = np.isnan(values).any(axis=0)
    if not holed.all():
        result[~holed] = np.median(values[:, ~holed], axis=0)
    for place in np.flatnonzero(holed):
        there = values[~np.isnan(values[:, place]), place]
        if len(there):
            result[place] = np.median(there)
    return result


def mean_of(values: np.ndarray) -> np.ndarray:
    """Return the (features,) means of (n, features) without NaN; NaN for a feature without a value."""
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def mad_of(values: np.ndarray) -> np.ndarray:
    """Return the (features,) medians of the absolute deviations from the median, without a factor."""
    return median_of(np.abs(values - median_of(values)))


STATISTICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"median": median_of, "mean": mean_of, "mad": mad_of}
"""What makes the profile of a well from its objects. The first has the feature's own name, see `named`."""


def named(feature: str, statistic: str, statistics: Sequence[str]) -> str:
    """Return the name of a feature of wells: a second statistic of the same feature is named after it."""
    return feature if statistic == statistics[0] else f"{statistic}_of_{feature}"


def write_profiles(path: Path, profiles: Profiles) -> None:
    """Write profiles as a table: plate, well, conditions, `object_count`, features."""
    texts = list(zip(*profiles.conditions.values(), strict=True)) or [()] * len(profiles.wells)
    columns = (PLATE, WELL, *profiles.conditions, COUNT, *profiles.features)
    rows = (
        (well.plate, well.label, *text, int(count), *(float(value) for value in row))
        for well, text, count, row in zip(profiles.wells, texts, profiles.counts, profiles.values, strict=True)
    )
    write_rows(path, columns, rows)


def read_profiles(path: Path, name: str) -> Profiles:
    """Read what `write_profiles` wrote.

    Raises:
        UserError: A column is missing, a well is none or stands there twice, or a value is no number.
    """
    table = read_measurement_table(path, name)
    missing = [column for column in (WELL, COUNT) if column not in table.columns]
    if missing:
        raise UserError(f"profiles {name}: no column {missing[0]}. Give the table of profiles of 'Profile wells'.")
    at = table.columns.index(COUNT)
    plates = table.texts(PLATE) if PLATE in table.columns else [""] * len(table.rows)
    wells = tuple(Well(plate, *parse_well(text)) for plate, text in zip(plates, table.texts(WELL), strict=True))
    twice = next((well for place, well in enumerate(wells) if well in wells[:place]), None)
    if twice:
        raise UserError(f"profiles {name}: well {twice} stands there twice. Keep one row for a well.")
    features = table.columns[at + 1 :]
    values = np.full((len(wells), len(features)), np.nan)
    for place, feature in enumerate(features):
        try:
            values[:, place] = [number_of(text) for text in table.texts(feature)]
        except ValueError as error:
            raise UserError(
                f"profiles {name}: {feature} has {error}, which is no number. Features stand after {COUNT}."
            ) from None
    conditions = {column: tuple(table.texts(column)) for column in table.columns[:at] if column not in (PLATE, WELL)}
    return Profiles(wells, conditions, table.whole_numbers(COUNT), features, values)
