#!/usr/bin/env python
"""Summarizes the measurement tables of a list: one table, statistics of each image, a plot and an HTML report."""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core import html
from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.images.label_maps import replaced_when_complete
from bioimage_suite.measurement.groups import Group
from bioimage_suite.tables.measurement_table import MeasurementTable, format_cell, read_measurement_table, write_rows

if TYPE_CHECKING:
    import numpy as np

IMAGE = "image"
STATISTICS = ("count", "mean", "std", "min", "q25", "median", "q75", "max")
# More panels would be too small to read; the table of statistics has all features.
MOST_PANELS = 9
MOST_REPORT_ROWS = 200  # rows of statistics in the report
MOST_PICTURES, PICTURE_EDGE = 24, 1000  # pictures on the contact sheet, and their longest edge in px


def joined(tables: list[MeasurementTable]) -> MeasurementTable:
    """Concatenate tables; a column that a table lacks is empty in its rows.

    The first column is the image of each row: its value in the column `image`, else the name of its table.

    Raises:
        UserError: There is no table.
    """
    if not tables:
        raise UserError("There is no table to summarize. Give at least one measurement table.")
    columns = list(dict.fromkeys([IMAGE, *(column for one in tables for column in one.columns)]))
    rows = []
    for one in tables:
        place = {column: at for at, column in enumerate(one.columns)}
        for row in one.rows:
            cells = [row[place[column]] if column in place else "" for column in columns]
            cells[0] = cells[0] or one.name
            rows.append(tuple(cells))
    return MeasurementTable("all", tuple(columns), tuple(rows))


def matching(patterns: str, table: MeasurementTable) -> list[str]:
    """Return the columns that match patterns, in the order of the patterns.

    Args:
        patterns: Names of columns, separated by commas; `*` stands for any text, `?` for one character.
        table: Table with the columns.

    Raises:
        UserError: A pattern matches no column of the table.
    """
    from fnmatch import fnmatchcase

    found: list[str] = []
    for pattern in (part.strip() for part in patterns.split(",")):
        fitting = [column for column in table.columns if pattern and fnmatchcase(column, pattern)]
        if pattern and not fitting:
            raise UserError(
                f"Feature {pattern!r}: no table has such a column. Choose among: {', '.join(table.columns)}."
            )
        found += fitting
    if not found:
        raise UserError("No feature was asked for. Name at least one column, such as area_px or mean_*.")
    return list(dict.fromkeys(found))


def grouped(table: MeasurementTable, images: list[str], features: list[str], by: list[str]) -> list[Group]:
    """Return the values of each feature by image and group.

    Args:
        table: Table with the column `image`.
        images: Images in the order of the result; an image without rows has groups without values.
        features: Columns of numbers; empty cells are left out.
        by: Columns whose values define groups; empty for one group.

    Returns:
        Groups ordered by feature, then image, then first occurrence of the group.

    Raises:
        UserError: A cell of a feature is neither empty nor a number.
    """
    import numpy as np

    image_of = table.texts(IMAGE)
    # Without columns, zip would return no rows.
    group_of = list(zip(*(table.texts(column) for column in by), strict=True)) if by else [()] * len(table.rows)
    rows_of: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    groups = list(dict.fromkeys(group_of)) or [("",) * len(by)]
    for row, key in enumerate(zip(image_of, group_of, strict=True)):
        rows_of.setdefault(key, []).append(row)
    found = []
    for feature in features:
        values = _numbers(table, feature)
        for image in images:
            for group in groups:
                own = values[np.array(rows_of.get((image, group), []), dtype=np.int64)]
                found.append(Group(image, group, feature, own[np.isfinite(own)]))
    return found


def _numbers(table: MeasurementTable, feature: str) -> np.ndarray:
    """Return a column as (n,) float64, NaN where a cell is empty."""
    import numpy as np

    values = np.full(len(table.rows), np.nan)
    for row, text in enumerate(table.texts(feature)):
        if text.strip():
            try:
                values[row] = float(text)
            except ValueError:
                raise UserError(
                    f"Feature {feature}: {text!r} of image {table.rows[row][0]} is no number. Choose another feature."
                ) from None
    return values


def statistics(values: np.ndarray) -> tuple[int, *tuple[float | None, ...]]:
    """Return STATISTICS of (n,) values: std of the sample (n - 1), interpolated quartiles; None where undefined."""
    import numpy as np

    n = len(values)
    if not n:
        return (0, *[None] * (len(STATISTICS) - 1))
    low, first, middle, third, high = (float(q) for q in np.percentile(values, [0, 25, 50, 75, 100]))
    spread = float(values.std(ddof=1)) if n > 1 else None
    return (n, float(values.mean()), spread, low, first, middle, third, high)


def statistic_rows(groups: list[Group]) -> Iterator[tuple[object, ...]]:
    """Yield rows of the table of statistics: image, group if grouped, feature, STATISTICS."""
    for one in groups:
        yield (one.image, *one.group, one.feature, *statistics(one.values))


def report_parts(
    groups: list[Group], by: list[str], plot: bytes, pictures: list[tuple[str, bytes]], objects: int
) -> Iterator[html.Markup]:
    """Yield the parts of the HTML report: numbers of rows and images, pictures, plot, statistics."""
    images = len(dict.fromkeys(one.image for one in groups))
    yield html.paragraph(f"{objects:,} rows in {images:,} image{'' if images == 1 else 's'}.")
    for name, png in pictures:
        yield html.figure([(name, png)], name)
    yield html.figure([("plot of each feature", plot)], "Every image", "Box: quartiles; line: median.")
    header = [IMAGE, *by, "feature", *STATISTICS]
    rows = [[_shown(cell) for cell in row] for row in statistic_rows(groups)]
    first = len(header) - len(STATISTICS)
    yield html.table(header, rows[:MOST_REPORT_ROWS], range(first, len(header)))
    if len(rows) > MOST_REPORT_ROWS:
        yield html.paragraph(f"{len(rows) - MOST_REPORT_ROWS:,} further rows are in the table of statistics.")


def _shown(cell: object) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) and math.isfinite(cell) else format_cell(cell)


def _read(listed: list[list[str]]) -> tuple[list[MeasurementTable], list[str]]:
    """Read all tables; return them and the images in order: those of the rows, or the table's name without rows."""
    tables = [read_measurement_table(Path(path), name) for name, path in listed]
    images: list[str] = []
    for one in tables:
        named = one.texts(IMAGE) if IMAGE in one.columns else [one.name] * len(one.rows)
        images += [name or one.name for name in named] or [one.name]
    return tables, list(dict.fromkeys(images))


def write_sheet(path: Path, listed: list[list[str]]) -> None:
    """Write the first MOST_PICTURES pictures as one contact sheet, each at most PICTURE_EDGE px wide and high.

    Raises:
        UserError: There is no picture, or one cannot be read.
    """
    import numpy as np
    from PIL import Image

    from bioimage_suite.figures.contact_sheet import contact_sheet

    if not listed:
        raise UserError("There are no pictures for the sheet. Give some, or leave the sheet out.")
    cards = []
    for name, file in listed[:MOST_PICTURES]:
        try:
            with Image.open(file) as picture:
                whole = picture.convert("RGB")
        except (OSError, ValueError) as error:
            raise UserError(f"Picture {name}: not a readable PNG ({error}). Leave it out.") from error
        whole.thumbnail((PICTURE_EDGE, PICTURE_EDGE))
        cards.append((np.asarray(whole), name, ""))
    with replaced_when_complete(path) as part:
        contact_sheet(cards, PICTURE_EDGE).save(part, "PNG")


def main(argv: list[str] | None = None) -> None:
    """Parse, read, count, write."""
    from bioimage_suite.figures.measurement_plot import draw_groups

    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=Path, required=True, help="JSON: tables and pictures, lists of [name, path]")
    parser.add_argument("--features", required=True, help="columns, separated by commas; * and ? stand for any")
    parser.add_argument("--group-by", help="columns, separated by commas, whose values define groups of rows")
    parser.add_argument("--title", default="Measurements")
    parser.add_argument("--table-out", type=Path, required=True)
    parser.add_argument("--statistics-out", type=Path, required=True)
    parser.add_argument("--plot", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--sheet", type=Path, help="PNG: all pictures side by side")
    args = parse_arguments(parser, argv)
    inputs = json.loads(args.inputs.read_text(encoding="utf-8"))
    tables, images = _read(inputs["tables"])
    table = joined(tables)
    by = [column.strip() for column in (args.group_by or "").split(",") if column.strip()]
    groups = grouped(table, images, matching(args.features, table), by)
    with (
        replaced_when_complete(args.table_out) as rows, replaced_when_complete(args.statistics_out) as summary,
        replaced_when_complete(args.plot) as plot, replaced_when_complete(args.report) as page,
    ):  # fmt: skip
        draw_groups(plot, groups, MOST_PANELS)
        write_rows(rows, table.columns, table.rows)
        write_rows(summary, (IMAGE, *by, "feature", *STATISTICS), statistic_rows(groups))
        pictures = [(name, Path(path).read_bytes()) for name, path in inputs.get("pictures", [])]
        parts = report_parts(groups, by, plot.read_bytes(), pictures, len(table.rows))
        page.write_text(html.page(args.title, parts), encoding="utf-8")
    if args.sheet:
        write_sheet(args.sheet, inputs.get("pictures", []))
    print(f"{len(table.rows)} rows of {len(images)} images")


if __name__ == "__main__":
    run_tool(main)
