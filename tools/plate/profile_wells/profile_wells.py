#!/usr/bin/env python
"""Makes profiles of the wells of plates from the measurement tables of their images, normalized to controls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.form_files import listed_files
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.plates.aggregation import aggregate
from bioimage_suite.plates.controls import find_controls
from bioimage_suite.plates.normalization import normalize
from bioimage_suite.plates.profiles import Profiles, write_profiles
from bioimage_suite.plates.selection import Limits, select_features
from bioimage_suite.plates.wells import read_wells
from bioimage_suite.tables.measurement_table import write_rows

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    CONFIG,
    argument("--profiles", type=Path, required=True, help="table: statistics of each well"),
    argument("--normalized", type=Path, required=True, help="table: normalized and selected profiles"),
    argument("--features", type=Path, required=True, help="table: each feature, and why it was left out"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read, aggregate, normalize, select, write."""
    config = args.config
    wells = read_wells(listed_files(config["layout"]), (config.get("plate") or "").strip())
    statistics = ["median", *(one for one in config.get("more") or () if one != "median")]
    found = aggregate(listed_files(config["tables"]), wells, config["features"], statistics)
    write_profiles(outputs.file(args.profiles), found.profiles)
    normalized = normalize(found.profiles, _reference(found.profiles, config["reference"]), config["method"])
    limits = Limits(**{name: float(value) for name, value in config["selection"].items() if name != "operations"})
    selected, reasons = select_features(normalized.profiles, config["selection"]["operations"] or (), limits)
    write_profiles(outputs.file(args.normalized), selected)
    reasons |= dict.fromkeys(normalized.without_spread, "the same in all reference wells of a plate")
    rows = [(name, "no" if name in reasons else "yes", reasons.get(name, "")) for name in found.profiles.features]
    rows += [(name, "no", "holds texts") for name in found.texts]
    write_rows(outputs.file(args.features), ("feature", "selected", "reason"), rows)
    empty = int((found.profiles.counts == 0).sum())
    print(
        f"{int(found.profiles.counts.sum()):,} objects in {len(found.profiles.wells) - empty} wells, {empty} wells "
        f"without objects; {len(selected.features)} of {len(rows)} features selected"
    )


def _reference(profiles: Profiles, form: Mapping[str, Any]) -> np.ndarray:
    """Return which wells centre and spread come from."""
    if form["wells"] == "all":
        return np.ones(len(profiles.wells), dtype=bool)
    return find_controls(profiles, form["column"].strip(), form["negative"], "").negative


if __name__ == "__main__":
    run_tool(main)
