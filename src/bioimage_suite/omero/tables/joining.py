"""Rows of an OMERO.table carried over to a new one, whose columns hold the values of both."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bioimage_suite.omero.session import Session
from bioimage_suite.omero.tables.feature_table import OBJECTS, Feature
from bioimage_suite.omero.tables.opening import open_table
from bioimage_suite.omero.tables.reading import BATCH
from bioimage_suite.omero.tables.tables import OwnTable

NUMBER_BYTES = 25  # The longest text of a 64-bit number.


def describe_table(session: Session, table: OwnTable) -> tuple[tuple[Feature, ...], int]:
    """Return the columns of a table in OMERO, and the number of its rows."""
    opened = open_table(session, table.file_id)
    try:
        return tuple(_feature(column) for column in opened.getHeaders()), int(opened.getNumberOfRows())
    finally:
        opened.close()


def kept_rows(session: Session, table: OwnTable, leave_out: Sequence[str]) -> Iterator[list[Any]]:
    """Yield the rows of a table, without those that were made from some files."""
    opened = open_table(session, table.file_id)
    try:
        columns, start = list(range(len(opened.getHeaders()))), 0
        total = int(opened.getNumberOfRows())
        for name, count in table.elements or (("", total),):
            stop = min(start + count, total)
            for first in range(start, stop if name not in leave_out else start, BATCH):
                data = opened.read(columns, first, min(first + BATCH, stop))
                yield from (list(row) for row in zip(*(column.values for column in data.columns), strict=True))
            start = stop
    finally:
        opened.close()


def joined_columns(old: Sequence[Feature], new: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return columns that hold the values of both tables: numbers as the wider kind, what differs otherwise as text.

    >>> joined = joined_columns([Feature("area", "long", 1)], [Feature("area", "double", 1), Feature("ok", "bool", 1)])
    >>> [(one.name, one.kind) for one in joined]
    [('area', 'double'), ('ok', 'string')]
    """
    olds, news = {one.name: one for one in old}, {one.name: one for one in new}
    return tuple(_joined(olds.get(name), news.get(name)) for name in dict.fromkeys([*olds, *news]))


def fitting(source: Sequence[Feature], target: Sequence[Feature]) -> Callable[[Sequence[Any]], list[Any]]:
    """Return a function that turns a row of one table into a row of another that holds its columns."""
    places = {one.name: number for number, one in enumerate(source)}
    plan = [(one.kind, places.get(one.name)) for one in target]
    return lambda row: [_value(kind, None if place is None else row[place]) for kind, place in plan]


def _feature(column: Any) -> Feature:
    kind = type(column).__name__.removesuffix("I").removesuffix("Column").lower()
    return Feature(column.name, kind, getattr(column, "size", 0), column.description)


def _joined(old: Feature | None, new: Feature | None) -> Feature:
    one = old or new
    assert one is not None
    kinds = {each.kind for each in (old, new) if each is not None}
    if old is None or new is None:  # The rows of one table have no value there.
        kind = {"long": "double", "bool": "string"}.get(one.kind, one.kind)
    elif len(kinds) == 1:
        kind = one.kind
    else:
        kind = "double" if kinds == {"long", "double"} else "string"
    sizes = [each.size if each.kind == "string" else NUMBER_BYTES for each in (old, new) if each is not None]
    return Feature(one.name, kind, max(*sizes, 1), (new or one).description)


def _value(kind: str, value: Any) -> Any:
    if kind in OBJECTS:
        return -1 if value is None else value
    if kind == "double":
        return math.nan if value is None else float(value)
    if kind == "string":
        return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)
    return value
