"""Fetch the annotations of many OMERO objects as one tidy table or one per object, and their attached files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.annotations.annotations import read_chosen
from bioimage_suite.omero.annotations.rows import (
    ALL_TYPES,
    COLUMNS,
    annotation_rows,
    fill_report,
    wide_columns,
    write_one_each,
)
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.objects import named_objects, read_target
from bioimage_suite.omero.session import session_of
from bioimage_suite.omero.tables.attachments import FILE_COLUMNS, download_files
from bioimage_suite.tables.object_table import write_table
from bioimage_suite.tables.report import Report

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--output", type=Path, required=True, help="tidy table to write"),
    argument("--wide", type=Path, required=True, help="table with one row per object to write"),
    argument("--folder", type=Path, required=True, help="folder for files and for one table per object"),
    argument("--downloads", type=Path, help="table of the downloaded files to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Fetch the annotations, write the tables and files."""
    config, exact = args.config, bool(args.config.get("exact_texts"))
    report = outputs.enter(Report(args.wide, exact=exact))
    with session_of(config) as session:
        kind, names = named_objects(
            session, read_target(with_addresses(config["target"], args.addresses)), config["of"]
        )
        report.columns = wide_columns(kind)
        for number, name in names.items():
            report.add(**{f"{kind}_id": number, f"{kind}_name": name}).begin()
        chosen = read_chosen(config.get("namespace") or "", config.get("annotation_ids") or "")
        rows = list(annotation_rows(session, kind, names, config["types"] or ALL_TYPES, chosen))
        fill_report(report, kind, rows)
        report.columns = wide_columns(kind, rows)
        if config.get("download"):
            files = outputs.enter(Report(args.downloads, (f"{kind}_id", *FILE_COLUMNS[1:]), exact=exact))
            download_files(session, kind, names, args.folder, report=files, outputs=outputs, chosen=chosen, exact=exact)
    if config.get("one_each"):
        write_one_each(rows, args.folder / "each", outputs, exact=exact)
    write_table(outputs.file(args.output), COLUMNS, rows, exact=exact)
    print(f"{len(rows)} annotations of {len(names)} objects")


if __name__ == "__main__":
    run_tool(main)
