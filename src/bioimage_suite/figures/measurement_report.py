"""Report of the measurements of a list: pictures, a plot of each feature, and statistics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bioimage_suite.core import html
from bioimage_suite.tables.grouped_values import IMAGE, STATISTICS, Group, statistic_rows
from bioimage_suite.tables.measurement_table import format_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_REPORT_ROWS = 200  # rows of statistics in the report


def report_parts(
    groups: list[Group], by: list[str], plot: bytes, pictures: list[tuple[str, bytes]], objects: int
) -> Iterator[html.Markup]:
    """Yield the parts of the report: numbers of rows and images, pictures, plot, statistics."""
    images = len(dict.fromkeys(one.image for one in groups))
    yield html.paragraph(f"{objects:,} rows in {images:,} image{'' if images == 1 else 's'}.")
    for name, png in pictures:
        yield html.figure([(name, png)], name)
    if pictures:
        yield html.output_picture("sheet")
    yield html.figure([("plot of each feature", plot)], "Every image", "Box: quartiles; line: median.")
    yield html.output_picture("plot")
    header = [IMAGE, *by, "feature", *STATISTICS]
    rows = [[_shown(cell) for cell in row] for row in statistic_rows(groups)]
    first = len(header) - len(STATISTICS)
    yield html.table(header, rows[:MOST_REPORT_ROWS], range(first, len(header)))
    if len(rows) > MOST_REPORT_ROWS:
        yield html.paragraph(f"{len(rows) - MOST_REPORT_ROWS:,} further rows are in the table of statistics.")


def _shown(cell: object) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) and math.isfinite(cell) else format_cell(cell)
