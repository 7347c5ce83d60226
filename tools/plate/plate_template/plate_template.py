#!/usr/bin/env python
"""Makes a MIHCSME workbook of plates: empty to fill in, or filled from layout tables and key-value pairs of OMERO."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.form_files import listed_files
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.plates.mihcsme_workbook import empty_wells, pairs_of, write_workbook
from bioimage_suite.plates.wells import PLATE, WELL, Wells, read_wells
from bioimage_suite.tables.key_value_dialects import read_key_values
from bioimage_suite.tables.measurement_table import write_rows

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    CONFIG,
    argument("--workbook", type=Path, required=True, help="MIHCSME, XLSX"),
    argument("--layout", type=Path, required=True, help="the wells as a table"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read or make the wells, write."""
    wells = _wells(args.config["source"])
    found = [read_key_values(path, name) for path, name in listed_files(args.config.get("pairs"))]
    pairs = pairs_of(pair for reading in found for pair in reading.pairs)
    write_workbook(outputs.file(args.workbook), wells, pairs)
    names = wells.names
    rows = (
        (well.plate, well.label, *(said.get(name, "") for name in names)) for well, said in wells.conditions.items()
    )
    write_rows(outputs.file(args.layout), (PLATE, WELL, *names), rows)
    print(f"{len(wells.conditions)} wells, {len(names)} conditions, {len(pairs)} values of the experiment")


def _wells(form: Mapping[str, Any]) -> Wells:
    if form["kind"] == "layout":
        return read_wells(listed_files(form["layout"]), (form.get("plate") or "").strip())
    plates = [line.strip() for line in form["plates"].splitlines() if line.strip()]
    conditions = [part.strip() for part in (form.get("conditions") or "").split(",") if part.strip()]
    return empty_wells(plates, int(form["wells"]), list(dict.fromkeys(conditions)))


if __name__ == "__main__":
    run_tool(main)
