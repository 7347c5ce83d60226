"""Values of a feature in a group of objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


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
