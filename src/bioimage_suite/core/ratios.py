"""Ratios of counts."""

import math


def ratio(part: float, whole: float) -> float:
    """Return part / whole; NaN where the whole is 0, which tables show as an empty cell.

    >>> ratio(1, 4), ratio(0, 0)
    (0.25, nan)
    """
    return part / whole if whole else math.nan
