"""Wells of plates with their conditions: from layout tables, image tables and MIHCSME workbooks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import parse_image_identifier, without_suffix
from bioimage_suite.tables.delimited import column_names
from bioimage_suite.tables.mihcsme import mihcsme_sheets
from bioimage_suite.tables.plate_layout import parse_well, well_label
from bioimage_suite.tables.reader import read_sheets
from bioimage_suite.tables.sheets import without_lost_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bioimage_suite.tables.sheets import Sheet

PLATE, WELL = "plate", "well"
_PLATE_COLUMNS = (PLATE, "plate_name", "plate name")
_WELL_COLUMNS = (WELL, "well name")
_IMAGE_COLUMNS = ("image", "image_id", "image_name")
# Columns of the suite's own image tables that say nothing of what is in a well.
_TECHNICAL = re.compile(
    r".*_id|(project|dataset|screen)_name|(physical_)?size_.*|pixel_type|channel_names|acquisition_date|import_date"
    r"|region_.*|level|projection|sha1|checked|status|well_row|well_column|field|position_.*|owner|group_name|rois",
    re.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Well:
    """A well: `row` and `column` count from 0. Wells sort as on the plate."""

    plate: str
    row: int
    column: int

    @property
    def label(self) -> str:
        """Return the usual label, such as A1."""
        return well_label(self.row, self.column)

    def __str__(self) -> str:
        """Return the label with the plate, for messages."""
        return f"{self.label} of plate {self.plate!r}" if self.plate else self.label


@dataclass(frozen=True)
class Wells:
    """What is known of wells.

    Attributes:
        conditions: Texts by name of the condition, for each well in the order of the plates.
        images: The well of an image, by each of its names: id as text, identifier or name without its suffix.
    """

    conditions: Mapping[Well, Mapping[str, str]]
    images: Mapping[str, Well] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Return the names of all conditions, in the order in which they came."""
        return list(dict.fromkeys(name for found in self.conditions.values() for name in found))

    def of_image(self, name: str) -> Well:
        """Return the well of an image.

        Raises:
            UserError: No table says it.
        """
        number = parse_image_identifier(name)
        keys = (name, without_suffix(name), *(() if number is None else (f"#{number}",)))
        found = next((self.images[key] for key in keys if key in self.images), None)
        if found is None:
            shown = ", ".join(list(self.images)[:5]) or "none"
            raise UserError(
                f"image {name!r}: no layout table says its well; known images: {shown}. Give a table with the columns "
                "image_id or image, and well."
            )
        return found


def read_wells(files: Iterable[tuple[Path, str]], plate: str = "") -> Wells:
    """Read layout tables: one row for each well, or one for each image with the well it is in.

    A table has a column `well`, mostly one of plates (`plate`, `plate_name`), and any number of conditions. Columns
    `image_id`, `image` or `image_name` say the well of an image; what differs between the images of a well is no
    condition of it. A MIHCSME workbook gives its sheet AssayConditions.

    Args:
        files: Path and name of each table: tab-separated, CSV or XLSX.
        plate: Name of the plate where a table names none.

    Raises:
        UserError: A table has no column of wells, a well is none, a table without images has a well twice, an image
            stands in two wells, or two tables contradict each other about a well.
    """
    conditions: dict[Well, dict[str, str]] = {}
    images: dict[str, Well] = {}
    for path, name in files:
        _read_table(_sheet(path, name), name, plate, conditions, images)
    if not conditions:
        raise UserError("layout: no table has a row with a well. Give a table with a column well.")
    plates = {well.plate for well in conditions}
    if "" in plates and len(plates) > 1:
        named = ", ".join(sorted(filter(None, plates))[:5])
        raise UserError(f"layout: some rows name a plate ({named}), others none. Name the plate of each row.")
    return Wells({well: conditions[well] for well in sorted(conditions)}, images)


def _sheet(path: Path, name: str) -> Sheet:
    sheets = read_sheets(path, name)
    tables = mihcsme_sheets(sheets)
    filled = [sheet for sheet in sheets if sheet.rows and not sheet.hidden]
    return without_lost_values(tables[-1] if tables else (filled or sheets)[0])


def _read_table(
    sheet: Sheet, name: str, plate: str, conditions: dict[Well, dict[str, str]], images: dict[str, Well]
) -> None:
    """Add what a table says of wells and images."""
    if not sheet.rows:
        raise UserError(f"layout {name}: has no filled line. It needs a header with a column well, and a row a well.")
    header, *rows = sheet.rows
    columns = column_names(header.cells, f"layout {name}")
    at = {column.casefold(): place for place, column in reversed(list(enumerate(columns)))}
    well_at = _place(at, _WELL_COLUMNS)
    if well_at is None:
        raise UserError(
            f"layout {name}: it has no column well; found: {', '.join(columns)}. Rename the one with labels such as A1."
        )
    plate_at = _place(at, _PLATE_COLUMNS)
    images_at = [at[column] for column in _IMAGE_COLUMNS if column in at]
    others = [
        (column, place)
        for place, column in enumerate(columns)
        if place not in (well_at, plate_at, *images_at) and not (images_at and _TECHNICAL.fullmatch(column))
    ]
    seen: dict[Well, list[Mapping[str, str]]] = {}
    for row in rows:
        cells = (*row.cells, *("",) * (len(columns) - len(row.cells)))
        if not cells[well_at]:
            continue  # an image that is in no well
        well = _well(cells, well_at, plate_at, plate, f"layout {name}, line {row.line}")
        _place_image(images, [(columns[place], cells[place]) for place in images_at], well, f"{name}, line {row.line}")
        if not images_at and well in seen:
            raise UserError(f"layout {name}, line {row.line}: well {well} stands there twice. Keep one row for a well.")
        seen.setdefault(well, []).append({column: cells[place] for column, place in others})
    for well, found in seen.items():
        _add_conditions(conditions.setdefault(well, {}), _agreed(found), well, name)


def _place(at: Mapping[str, int], names: Sequence[str]) -> int | None:
    return next((at[name] for name in names if name in at), None)


def _well(cells: Sequence[str], well_at: int, plate_at: int | None, plate: str, where: str) -> Well:
    try:
        row, column = parse_well(cells[well_at])
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    return Well(("" if plate_at is None else cells[plate_at]) or plate, row, column)


def _place_image(images: dict[str, Well], named: Iterable[tuple[str, str]], well: Well, where: str) -> None:
    """Note the well of an image by its id and its identifier; its name in OMERO may belong to others, too."""
    known = [(column.casefold(), text) for column, text in named if text]
    by = dict(known)
    keys = [f"#{by['image_id']}"] if "image_id" in by else []
    keys += [by["image"]] if "image" in by else []
    # In a table of ids a name is for people: in OMERO several images may have the same.
    keys += [by["image_name"]] if "image_name" in by and not keys else []
    for key in [*keys, *map(without_suffix, keys)]:
        if images.setdefault(key, well) != well:
            raise UserError(
                f"layout {where}: image {key.removeprefix('#')} stands in well {images[key]} already. Correct one."
            )


def _agreed(found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the conditions in which all rows of a well agree."""
    return {name: text for name, text in found[0].items() if all(other[name] == text for other in found)}


def _add_conditions(known: dict[str, str], found: Mapping[str, str], well: Well, name: str) -> None:
    for condition, text in found.items():
        before = known.get(condition, "")
        if before and text and before != text:
            raise UserError(
                f"layout {name}: {condition} of well {well} is {text!r}, but another table says {before!r}. Correct "
                "one."
            )
        known[condition] = before or text
