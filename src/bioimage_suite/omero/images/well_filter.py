"""Images of plates chosen by where they stand: wells by pattern, key-value pairs or table, fields, acquisition run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.annotations.annotations import linked_pairs
from bioimage_suite.omero.paging import batches
from bioimage_suite.tables.object_table import read_exact_table
from bioimage_suite.tables.plate_layout import parse_well
from bioimage_suite.tables.well_pattern import WellPattern, parse_well_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bioimage_suite.omero.objects import ImageRecord
    from bioimage_suite.omero.session import Session

_PLACES = (
    "select s.image.id, w.id, p.name, w.row, w.column, index(s), a.id, a.name from Well w join w.wellSamples s "
    "join w.plate p left outer join s.plateAcquisition a where s.image.id in (:ids) order by p.id, s.id"
)
_FIELDS = re.compile(r"(\d+)(?:-(\d+))?")
TableWells = frozenset[tuple[str, int, int]]
"""Plate, row and column of wells, counted from 0; the plate is "" where a table names none."""


@dataclass(frozen=True)
class WellFilter:
    """What the place of an image must be; empty parts choose everything.

    Attributes:
        pattern: Wells by pattern.
        pairs: Key-value pairs that the well must have, all of them.
        table: Wells of a table; None without a table.
        fields: First and last field of each range, counted from 1.
        run: Name or id of the acquisition run.
    """

    pattern: WellPattern | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    table: TableWells | None = None
    fields: tuple[tuple[int, int], ...] = ()
    run: str = ""


@dataclass(frozen=True)
class _Place:
    image_id: int
    well_id: int
    plate: str
    row: int
    column: int
    field: int
    run_id: int | None
    run: str | None


def read_well_filter(form: Mapping[str, Any] | None) -> WellFilter | None:
    """Read the form's section of wells: `pattern`, `key_values`, `table`, `fields`, `run`; None if nothing is chosen.

    Raises:
        UserError: A part is not what it must be.
    """
    form = form or {}
    pattern, fields = ((form.get(name) or "").strip() for name in ("pattern", "fields"))
    path = (form.get("table") or {}).get("source_path")
    chosen = WellFilter(
        parse_well_pattern(pattern) if pattern else None,
        tuple(_pair(line) for line in (form.get("key_values") or "").splitlines() if line.strip()),
        _table_wells(path) if path else None,
        tuple(_field_range(part.strip()) for part in fields.split(",")) if fields else (),
        (form.get("run") or "").strip(),
    )
    return None if chosen == WellFilter() else chosen


def in_wells(session: Session, images: Sequence[ImageRecord], chosen: WellFilter | None) -> list[ImageRecord]:
    """Return the images that stand where the filter says, in their order; images outside plates never do.

    Raises:
        UserError: No plate of the images has the acquisition run.
    """
    if chosen is None:
        return list(images)
    places = [
        _Place(*row) for ids in batches([image.image_id for image in images]) for row in session.rows(_PLACES, ids=ids)
    ]
    if chosen.run:
        _check_run(places, chosen.run)
    wells = {place.well_id for place in places}
    if chosen.pairs:
        wells = _wells_with(session, sorted(wells), chosen.pairs)
    kept = {place.image_id for place in places if place.well_id in wells and _fits(place, chosen)}
    return [image for image in images if image.image_id in kept]


def nonempty_in_wells(session: Session, images: Sequence[ImageRecord], chosen: WellFilter | None) -> list[ImageRecord]:
    """Return what `in_wells` does.

    Raises:
        UserError: No image is left.
    """
    kept = in_wells(session, images, chosen)
    if not kept:
        wells = ", ".join(list(dict.fromkeys(image.well for image in images if image.well))[:10]) or "none"
        raise UserError(
            f"wells: none of {len(images)} images stands in those chosen; wells there: {wells}. Widen them."
        )
    return kept


def _fits(place: _Place, chosen: WellFilter) -> bool:
    if chosen.pattern is not None and not chosen.pattern.holds(place.row, place.column):
        return False
    if chosen.table is not None and not {(place.plate, place.row, place.column), ("", place.row, place.column)} & (
        chosen.table
    ):
        return False
    if chosen.fields and not any(first <= place.field + 1 <= last for first, last in chosen.fields):
        return False
    return not chosen.run or chosen.run in (place.run, str(place.run_id))


def _check_run(places: Sequence[_Place], run: str) -> None:
    known = dict.fromkeys(f"{place.run_id} {place.run!r}" for place in places if place.run_id is not None)
    if not any(run in (place.run, str(place.run_id)) for place in places if place.run_id is not None):
        shown = ", ".join(list(known)[:10]) or "none, so leave this empty"
        raise UserError(f"acquisition run {run!r}: the plates do not have it; they have {shown}. Give a name or an id.")


def _wells_with(session: Session, ids: Sequence[int], pairs: Sequence[tuple[str, str]]) -> set[int]:
    there: dict[int, set[tuple[str, str]]] = {}
    for one in linked_pairs(session, "well", ids):
        there.setdefault(one.object_id, set()).update(map(tuple, one.value))
    return {number for number in ids if there.get(number, set()).issuperset(pairs)}


def _pair(line: str) -> tuple[str, str]:
    key, equals, value = (part.strip() for part in line.partition("="))
    if not key or not equals:
        raise UserError(
            f"key-value pair {line.strip()!r}: not of the form key=value. Write for instance compound=DMSO."
        )
    return key, value


def _field_range(part: str) -> tuple[int, int]:
    match = _FIELDS.fullmatch(part)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if first < 1 or last < first:
        raise UserError(f"fields {part!r}: not fields. Write numbers from 1 and ranges, such as 1, 3-4.")
    return first, last


def _table_wells(path: str) -> TableWells:
    table = read_exact_table(path, "table of wells")
    if "well" not in table.columns:
        raise UserError(f"table of wells: no column well; found: {', '.join(table.columns)}. Rename the one with A1.")
    named = next((name for name in ("plate", "plate_name") if name in table.columns), None)
    plates = table.column(named) if named else ("",) * len(table.rows)
    return frozenset(
        (plate, *parse_well(well)) for plate, well in zip(plates, table.column("well"), strict=True) if well
    )
