#!/usr/bin/env python
"""Imports measurement tables of CellProfiler, QuPath, SpatialData, AnnData and Parquet as one measurement table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.form_files import listed_files
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.exchange.foreign_tables import read_foreign
from bioimage_suite.tables.grouped_values import joined
from bioimage_suite.tables.measurement_table import write_rows

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs


@tool(__doc__, CONFIG, argument("--output", type=Path, required=True, help="measurement table"))
def main(args: Namespace, outputs: Outputs) -> None:
    """Read, join, write."""
    found = read_foreign(listed_files(args.config["tables"]))
    if not found:
        raise UserError("tables: none has objects. Give CellProfiler's table of objects, too.")
    table = joined([one for _, one in found])
    write_rows(outputs.file(args.output), table.columns, table.rows)
    for program, one in found:
        print(f"{one.name}: {len(one.rows)} objects of {program}")


if __name__ == "__main__":
    run_tool(main)
