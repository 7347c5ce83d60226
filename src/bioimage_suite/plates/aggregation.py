"""From objects to wells: profiles from the measurement tables of a plate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.scratch_folders import scratch_folder
from bioimage_suite.plates.cells import choose_features, open_cells, read_blocks
from bioimage_suite.plates.profiles import STATISTICS, Profiles, named
from bioimage_suite.plates.well_store import WellStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bioimage_suite.plates.wells import Wells


@dataclass(frozen=True)
class Aggregated:
    """Profiles, and the columns that were left out because they hold texts."""

    profiles: Profiles
    texts: tuple[str, ...]


def aggregate(
    files: Sequence[tuple[Path, str]], wells: Wells, patterns: str, statistics: Sequence[str] = ("median",)
) -> Aggregated:
    """Make one profile for each well of the layout: a statistic of each feature over its objects.

    Missing values are left out, as pandas does for pycytominer. A well without objects has the count 0 and no values.
    Memory holds one block of rows and a part of the plate.

    Args:
        files: Path and name of each measurement table.
        wells: The wells; each image of the tables must be in one of them.
        patterns: Features, see `choose_features`.
        statistics: Names of `STATISTICS`; the first one keeps the names of the features.

    Raises:
        UserError: A table, a feature or the well of an image is not as it must be.
    """
    opened = [open_cells(path, name) for path, name in files]
    features, texts = choose_features(opened, patterns)
    order = list(wells.conditions)
    counts = np.zeros(len(order), np.int64)
    values = np.full((len(order), len(features) * len(statistics)), np.nan)
    with scratch_folder() as folder:
        store = WellStore(folder, len(features))
        for file in opened:
            for well, block in read_blocks(file, wells, features):
                store.add(well, block)
        for place, well in enumerate(order):
            own = store.values(well)
            counts[place] = len(own)
            values[place] = np.concatenate([STATISTICS[one](own) for one in statistics])
    names = tuple(named(feature, one, statistics) for one in statistics for feature in features)
    conditions = {name: tuple(wells.conditions[well].get(name, "") for well in order) for name in wells.names}
    return Aggregated(Profiles(tuple(order), conditions, counts, names, values), tuple(texts))
