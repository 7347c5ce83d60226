"""TextTable of the plate, well and field of each image."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.texts import whole_number
from bioimage_suite.tables.column_letters import index_of, letters_of
from bioimage_suite.tables.object_table import TextTable, read_exact_table

# Rows and columns of the usual plates, from 6 to 1536 wells.
PLATE_SIZES = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))


@dataclass(frozen=True)
class Position:
    """A row of the table. `row` and `column` of the well count from 0; `image` is a name, or an id as text."""

    line: int
    image: str
    plate: str
    row: int
    column: int
    field: int


def parse_well(text: str) -> tuple[int, int]:
    """Return the row and column, counted from 0, of a well's usual label.

    >>> parse_well("A1"), parse_well("h12"), parse_well("AA03")
    ((0, 0), (7, 11), (26, 2))

    Raises:
        UserError: The text is not a label of a well.
    """
    match = re.fullmatch(r"([A-Za-z]{1,2})(\d{1,2})", text.strip())
    if match is None or int(match[2]) == 0:
        raise UserError(f"well {text!r}: not a well. Write row letters and a column from 1, such as A1 or AB24.")
    return index_of(match[1]), int(match[2]) - 1


def well_label(row: int, column: int) -> str:
    """Return the usual label of a well; `row` and `column` count from 0.

    >>> well_label(0, 0), well_label(25, 11), well_label(26, 0)
    ('A1', 'Z12', 'AA1')
    """
    return f"{letters_of(row)}{column + 1}"


def plate_size(wells: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Return rows and columns of the smallest usual plate that has all wells, each a row and column from 0.

    >>> plate_size([(0, 0), (2, 3)]), plate_size([(31, 47)])
    ((3, 4), (32, 48))

    Raises:
        UserError: No usual plate has one of the wells.
    """
    rows, columns = (max(places) + 1 for places in zip(*wells, strict=True))
    fits = [size for size in PLATE_SIZES if size[0] >= rows and size[1] >= columns]
    if not fits:
        raise UserError(
            f"layout: well {well_label(rows - 1, columns - 1)}: no plate of up to 1536 wells (32 rows, 48 columns) has "
            "it. Correct the wells."
        )
    return fits[0]


def read_layout(path: Path, plate: str) -> tuple[str, list[Position]]:
    """Read a layout with the columns `image_id` or `image`, `well`, and optionally `field` and `plate`.

    Args:
        path: Tab-separated table with a header.
        plate: Name of the plate for rows that do not name one.

    Returns:
        "image_id" or "image", and the positions sorted by plate, row, column and field. Fields count from 1; without a
        column of fields the images of a well are numbered in the order of the table.

    Raises:
        UserError: A column is missing, a well or field is invalid, or an image or a field occurs twice.
    """
    table = read_exact_table(path, "layout")
    by = next((name for name in ("image_id", "image", "image_name") if name in table.columns), None)
    if by is None or "well" not in table.columns:
        raise UserError(
            f"layout: it needs the columns well, and image_id or image; found: {', '.join(table.columns)}. Rename them."
        )
    if not table.rows:
        raise UserError("layout: no row below the header. Write one row an image.")
    positions = _positions(table, by, plate.strip())
    _refuse_repeats(positions)
    positions.sort(key=lambda one: (one.plate, one.row, one.column, one.field))
    return "image_id" if by == "image_id" else "image", positions


def _positions(table: TextTable, by: str, plate: str) -> list[Position]:
    found: list[Position] = []
    counts: dict[tuple[str, int, int], int] = {}
    for line, cells in enumerate(table.rows, 2):
        values = dict(zip(table.columns, (cell.strip() for cell in cells), strict=True))
        name = values.get("plate") or plate
        if not name:
            raise UserError(f"layout, line {line}: no plate. Fill the column plate, or name the plate in the form.")
        if not values[by]:
            raise UserError(f"layout, line {line}: no image. Fill the column {by} or leave the row out.")
        try:
            row, column = parse_well(values["well"])
        except UserError as error:
            raise UserError(f"layout, line {line}: {error}") from None
        counts[name, row, column] = counts.get((name, row, column), 0) + 1
        given = values.get("field") or str(counts[name, row, column])
        field = whole_number(given)
        if not field:
            raise UserError(f"layout, line {line}: field {given!r} is none. Write a whole number from 1.")
        found.append(Position(line, values[by], name, row, column, field))
    return found


def _refuse_repeats(positions: Sequence[Position]) -> None:
    images: dict[str, int] = {}
    places: dict[tuple[str, int, int, int], int] = {}
    for one in positions:
        first = images.setdefault(one.image, one.line)
        if first != one.line:
            raise UserError(f"layout, line {one.line}: image {one.image!r} stands in line {first} already. Keep one.")
        first = places.setdefault((one.plate, one.row, one.column, one.field), one.line)
        if first != one.line:
            raise UserError(f"layout, line {one.line}: the well and field of line {first}. Give it a field of its own.")
