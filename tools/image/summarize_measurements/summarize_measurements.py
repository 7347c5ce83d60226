#!/usr/bin/env python
"""Summarizes the measurement tables of a list: one table, statistics of each image, a plot and an HTML report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core import html
from bioimage_suite.core.tool import argument, json_file, run_tool, tool
from bioimage_suite.figures.contact_sheet import sheet_of_files
from bioimage_suite.figures.measurement_plot import draw_groups
from bioimage_suite.figures.measurement_report import report_parts
from bioimage_suite.tables.grouped_values import (
    IMAGE,
    STATISTICS,
    grouped,
    joined,
    matching,
    read_listed,
    statistic_rows,
)
from bioimage_suite.tables.measurement_table import say_objects_twice, write_rows

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

# More panels would be too small to read; the table of statistics has all features.
MOST_PANELS = 9


@tool(
    __doc__,
    argument("--inputs", type=json_file, required=True, help="JSON: tables and pictures, lists of [name, path]"),
    argument("--features", required=True, help="columns, separated by commas; * and ? stand for any"),
    argument("--group-by", help="columns, separated by commas, whose values define groups of rows"),
    argument("--title", default="Measurements"),
    argument("--table-out", type=Path, required=True),
    argument("--statistics-out", type=Path, required=True),
    argument("--plot", type=Path, required=True),
    argument("--report", type=Path, required=True),
    argument("--report-markdown", type=Path, help="the same report in Markdown of Galaxy"),
    argument("--report-files", type=Path, help="folder for the report's pictures, beside the page"),
    argument("--sheet", type=Path, help="PNG: all pictures side by side"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read, count, write."""
    tables, images = read_listed(args.inputs["tables"])
    table = joined(tables)
    say_objects_twice(table)
    by = [column.strip() for column in (args.group_by or "").split(",") if column.strip()]
    groups = grouped(table, images, matching(args.features, table), by)
    write_rows(outputs.file(args.table_out), table.columns, table.rows)
    write_rows(outputs.file(args.statistics_out), (IMAGE, *by, "feature", *STATISTICS), statistic_rows(groups))
    plot = outputs.file(args.plot)
    draw_groups(plot, groups, MOST_PANELS)
    listed = args.inputs.get("pictures", [])
    pictures = [(name, Path(path).read_bytes()) for name, path in listed]
    parts = report_parts(groups, by, plot.read_bytes(), pictures, len(table.rows))
    html.ReportPage(args.title, tuple(parts)).write(outputs, args.report, args.report_markdown, args.report_files)
    if args.sheet:
        sheet_of_files(outputs.file(args.sheet), listed)
    print(f"{len(table.rows)} rows of {len(images)} images")


if __name__ == "__main__":
    run_tool(main)
