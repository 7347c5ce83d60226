"""Patterns that choose wells of a plate: `A*`, `*12`, `B02:D10`, one after the other."""

import re
from dataclasses import dataclass

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.column_letters import index_of

_WELL = re.compile(r"([A-Za-z]{1,2}|\*)(\d{1,2}|\*)")
_ALL = 10_000  # more rows or columns than two letters or digits can name


@dataclass(frozen=True)
class WellPattern:
    """Rectangles of wells: first row, first column, last row, last column, counted from 0.

    >>> parse_well_pattern("A*, B02:D10").holds(1, 1), parse_well_pattern("A*, B02:D10").holds(1, 10)
    (True, False)
    """

    boxes: tuple[tuple[int, int, int, int], ...]

    def holds(self, row: int, column: int) -> bool:
        """Return whether a well, row and column counted from 0, lies in one of the rectangles."""
        return any(top <= row <= bottom and left <= column <= right for top, left, bottom, right in self.boxes)


def parse_well_pattern(text: str) -> WellPattern:
    """Read a pattern: parts separated by commas, semicolons or blanks.

    A part is a well (`B2`, `AF48`), all columns of a row (`A*`), all rows of a column (`*12`), or two wells as the
    corners of a rectangle (`B02:D10`, in any order). Upper and lower case mean the same.

    Raises:
        UserError: A part is none of these, or there is no part.
    """
    parts = [part for part in re.split(r"[,;\s]+", text) if part]
    if not parts:
        raise UserError("wells: the pattern is empty. Write one such as A*, *12 or B02:D10.")
    return WellPattern(tuple(_box(part) for part in parts))


def _box(part: str) -> tuple[int, int, int, int]:
    corners = [_corner(corner, part) for corner in part.split(":")]
    if len(corners) > 2:
        raise _wrong(part)
    (top, left, bottom, right), *more = corners
    for other in more:
        top, left = min(top, other[0]), min(left, other[1])
        bottom, right = max(bottom, other[2]), max(right, other[3])
    return top, left, bottom, right


def _corner(text: str, part: str) -> tuple[int, int, int, int]:
    match = _WELL.fullmatch(text)
    if match is None or (match[2].isdecimal() and int(match[2]) == 0):
        raise _wrong(part)
    rows = (0, _ALL) if match[1] == "*" else (index_of(match[1]),) * 2
    columns = (0, _ALL) if match[2] == "*" else (int(match[2]) - 1,) * 2
    return rows[0], columns[0], rows[1], columns[1]


def _wrong(part: str) -> UserError:
    return UserError(f"wells {part!r}: not a pattern. Write wells, rows or columns such as B2, A*, *12 or B02:D10.")
