"""Measurement tables as columns with types, and names that other programs accept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.measurement_table import LARGEST_WHOLE, number_of, position_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bioimage_suite.tables.measurement_table import MeasurementTable

_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,15})")
_LONG = re.compile(r"[+-]?[0-9]{16,}")
# Columns that say which object a row is about, and where it is; they measure nothing.
IDENTITY = ("image", "image_id", "image_name", "label", "t", "z", "frame", "plate", "well", "field")


@dataclass(frozen=True)
class Typed:
    """Columns with types.

    Attributes:
        columns: By name: (n,) int64, float64 with NaN for empty cells, or a list of texts.
        rows: Number of rows.
    """

    columns: dict[str, Any]
    rows: int

    def numeric(self) -> list[str]:
        """Return the names of columns of numbers that measure something."""
        return [name for name, values in self.columns.items() if name not in IDENTITY and not isinstance(values, list)]

    def texts(self) -> list[str]:
        """Return the names of columns of texts that are no identity."""
        return [name for name, values in self.columns.items() if name not in IDENTITY and isinstance(values, list)]

    def positions(self, what: str) -> np.ndarray | None:
        """Return (n, 2) float64 centroids, x before y, in µm or else pixels; None where the table has none.

        Raises:
            UserError: A centroid of the table, which is called `what`, is no number.
        """
        for unit in ("um", "px"):
            found = [next((n for n in position_columns(axis, unit) if n in self.columns), None) for axis in "xy"]
            if all(found):
                values = [_centroids(self.columns[str(name)], f"{what}: column {name!r}") for name in found]
                if not any(np.isnan(one).all() for one in values) or not self.rows:
                    return np.column_stack(values)
        return None


def _centroids(values: Any, what: str) -> np.ndarray:
    """Return the values of a column of centroids as float64, NaN for empty cells."""
    if isinstance(values, list):
        text = next((one for one in values if one), None)
        if text is not None:
            raise UserError(f"{what}: {text!r} is no number. Correct it, or remove the column.")
        return np.full(len(values), np.nan)
    return np.asarray(values, dtype=np.float64)


def typed(table: MeasurementTable) -> Typed:
    """Give each column of a table the narrowest type that keeps every value.

    Whole numbers become int64, numbers and empty cells float64, everything else stays text. Names of images, labels
    that are no whole numbers, and ids with more digits than a float64 has stay texts, too.
    """
    return Typed({name: _column(table.texts(name), name) for name in table.columns}, len(table.rows))


def _column(texts: Sequence[str], name: str) -> Any:
    if name in ("image", "image_name", "plate", "well"):
        return list(texts)
    if texts and all(_WHOLE.fullmatch(text) and abs(int(text)) < LARGEST_WHOLE for text in texts):
        return np.array([int(text) for text in texts], dtype=np.int64)
    try:
        values = np.array([number_of(text) for text in texts], dtype=np.float64)
    except ValueError:
        return list(texts)
    if any(_LONG.fullmatch(text) and f"{float(text):.0f}" != text.removeprefix("+") for text in texts):
        return list(texts)
    # A column without a value is no measurement; as text it says that it is empty.
    return list(texts) if len(texts) and np.isnan(values).all() else values


def labels_of(found: Typed, name: str) -> np.ndarray:
    """Return the (n,) int64 labels of a table, each once.

    Raises:
        UserError: There is no column of labels, one is no whole number, or an object has several rows.
    """
    labels = found.columns.get("label")
    if not found.rows:
        return np.empty(0, np.int64)
    if not isinstance(labels, np.ndarray) or labels.dtype != np.int64:
        raise UserError(f"table {name}: it has no column label of whole numbers. Give a table of 'Measure objects'.")
    values, counts = np.unique(labels, return_counts=True)
    if (counts > 1).any():
        raise UserError(
            f"table {name}: label {values[counts > 1][0]} has several rows. Give one table for each image and time "
            "point, and measure stacks as volumes."
        )
    return labels


def plain_names(names: Sequence[str]) -> dict[str, str]:
    """Return a distinct name of ASCII letters, digits, `_`, `.` and `-` for each name; most stay as they are.

    >>> plain_names(["area_um2", "mean_a b", "mean_a/b", ".x"])
    {'area_um2': 'area_um2', 'mean_a b': 'mean_a_b', 'mean_a/b': 'mean_a_b_2', '.x': 'x'}
    """
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", name.replace("µ", "u").replace("²", "2")).lstrip("._") or "column"
        number, first = 2, plain
        while plain in found.values():
            plain, number = f"{first}_{number}", number + 1
        found[name] = plain
    return found
