"""Values of features in groups of rows, from the measurement tables of a list of images, and their statistics."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.measurement_table import MeasurementTable, number_of, read_measurement_table

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGE = "image"
STATISTICS = ("count", "mean", "std", "min", "q25", "median", "q75", "max")


@dataclass(frozen=True)
class Group:
    """The values of one feature in one image, or in one group of its rows.

    Attributes:
        image: Name of the image.
        group: Values of the columns that define groups; empty if rows are not grouped.
        feature: Name of the column.
        values: (n,) float64 values of the rows that have one.
    """

    image: str
    group: tuple[str, ...]
    feature: str
    values: np.ndarray


def read_listed(listed: list[list[str]]) -> tuple[list[MeasurementTable], list[str]]:
    """Read all tables; return them and the images in order: those of the rows, or the table's name without rows."""
    tables = [read_measurement_table(Path(path), name) for name, path in listed]
    images: list[str] = []
    for one in tables:
        named = one.texts(IMAGE) if IMAGE in one.columns else [one.name] * len(one.rows)
        images += [name or one.name for name in named] or [one.name]
    return tables, list(dict.fromkeys(images))


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
    values = np.full(len(table.rows), np.nan)
    for row, text in enumerate(table.texts(feature)):
        try:
            values[row] = number_of(text)
        except ValueError:
            raise UserError(
                f"Feature {feature}: {text!r} of image {table.rows[row][0]} is no finite number. Choose another "
                "feature, or correct the row."
            ) from None
    return values


def statistics(values: np.ndarray) -> tuple[int, *tuple[float | None, ...]]:
    """Return STATISTICS of (n,) values: std of the sample (n - 1), interpolated quartiles; None where undefined."""
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
