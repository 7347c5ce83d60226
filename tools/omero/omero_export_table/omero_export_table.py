"""Export OMERO.tables of many objects as tabular files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.objects import named_objects, read_target
from bioimage_suite.omero.session import session_of
from bioimage_suite.omero.tables.export import export_tables, find_tables
from bioimage_suite.tables.report import Report

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

COLUMNS = ("table_name", "file_id", "table", "row_count", "status")


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--folder", type=Path, required=True, help="folder for the tables"),
    argument("--output", type=Path, required=True, help="object table to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Export the tables, write the object table."""
    config, exact = args.config, bool(args.config.get("exact_texts"))
    report = outputs.enter(Report(args.output, exact=exact))
    with session_of(config) as session:
        kind, objects = named_objects(
            session, read_target(with_addresses(config["target"], args.addresses)), config["of"]
        )
        tables = find_tables(session, kind, objects, (config.get("table_name") or "").strip())
        report.columns = (f"{kind}_id", f"{kind}_name", *COLUMNS)
        query = (config.get("query") or "").strip()
        export_tables(session, tables, query, args.folder, report=report, outputs=outputs, exact=exact)


if __name__ == "__main__":
    run_tool(main)
