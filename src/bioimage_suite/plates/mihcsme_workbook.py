"""Writer of MIHCSME workbooks (Minimum Information for High Content Screening Microscopy Experiments).

`tables/mihcsme.py` reads them. Sheets, groups and keys are those of mihcsme-py 0.1.4 (Leiden Cell Observatory).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.plates.wells import Well, Wells
from bioimage_suite.tables.mihcsme import MIHCSME_SHEETS
from bioimage_suite.tables.plate_layout import PLATE_SIZES
from bioimage_suite.tables.workbooks import workbook_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bioimage_suite.tables.key_value_dialects import KeyValue

NAMESPACE = "MIHCSME"
USUAL_CONDITIONS = ("Treatment", "Concentration", "Unit", "CellLine", "TimeTreatment", "RepID")
FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "InvestigationInformation": {
        "DataOwner": (
            *("First Name", "Middle Name(s)", "Last Name", "User name", "Institute", "E-Mail Address"),
            "ORCID investigator",
        ),
        "DataCollaborator": ("ORCID  Data Collaborator",),
        "InvestigationInfo": (
            *("Project ID", "Investigation Title", "Investigation internal ID", "Investigation description"),
        ),
    },
    "StudyInformation": {
        "Study": ("Study Title", "Study internal ID", "Study Description", "Study Key Words"),
        "Biosample": (
            *("Biosample Taxon", "Biosample description", "Biosample Organism", "Number of cell lines used"),
        ),
        "Library": (
            *("Library File Name", "Library File Format", "Library Type", "Library Manufacturer", "Library Version"),
            *("Library Experimental Conditions", "Quality Control Description"),
        ),
        "Protocols": ("HCS library protocol", "growth protocol", "treatment protocol", "HCS data analysis protocol"),
        "Plate": ("Plate type", "Plate type Manufacturer", "Plate type Catalog number"),
    },
    "AssayInformation": {
        "Assay": (
            *("Assay Title", "Assay internal ID", "Assay Description", "Assay number of biological replicates"),
            *("Number of plates", "Assay Technology Type", "Assay Type", "Assay External URL", "Assay data URL"),
        ),
        "AssayComponent": ("Imaging protocol", "Sample preparation protocol"),
        "Biosample": ("Cell lines storage location", "Cell lines clone number", "Cell lines Passage number"),
        "ImageData": (
            *("Image number of pixelsX", "Image number of pixelsY", "Image number of  z-stacks"),
            *("Image number of channels", "Image number of timepoints", "Image sites per well"),
        ),
        "ImageAcquisition": ("Microscope id",),
        "Specimen": ("Channel Transmission id",),
    },
}
Pairs = dict[tuple[str, str, str], str]
"""Values by sheet, group and key."""


def empty_wells(plates: Sequence[str], count: int, conditions: Sequence[str]) -> Wells:
    """Return all wells of new plates, with empty conditions.

    Args:
        plates: Names of the plates.
        count: Wells of a plate: 6, 12, 24, 48, 96, 384 or 1536.
        conditions: Names of the conditions.

    Raises:
        UserError: There is no plate, one is named twice, or no usual plate has so many wells.
    """
    size = next(((rows, columns) for rows, columns in PLATE_SIZES if rows * columns == count), None)
    if size is None:
        usual = ", ".join(str(rows * columns) for rows, columns in PLATE_SIZES)
        raise UserError(f"wells {count}: no usual plate has as many. Choose one of {usual}.")
    twice = next((name for place, name in enumerate(plates) if name in plates[:place]), None)
    if twice or not plates:
        raise UserError(f"plates: {f'{twice!r} is named twice' if twice else 'none is named'}. Name each plate once.")
    wells = [Well(plate, row, column) for plate in plates for row in range(size[0]) for column in range(size[1])]
    return Wells({well: dict.fromkeys(conditions, "") for well in wells})


def pairs_of(found: Iterable[KeyValue]) -> Pairs:
    """Return the pairs whose namespace is that of a sheet and group, such as `MIHCSME/StudyInformation/Study`.

    Several values of a key, of images that differ, are joined by "; ".
    """
    values: dict[tuple[str, str, str], dict[str, None]] = {}
    for pair in found:
        steps = pair.namespace.split("/")
        if len(steps) == 3 and steps[0] == NAMESPACE and steps[1] in FIELDS:
            values.setdefault((steps[1], steps[2], pair.key), {})[pair.value] = None
    return {place: "; ".join(texts) for place, texts in values.items()}


def write_workbook(path: Path, wells: Wells, pairs: Mapping[tuple[str, str, str], str]) -> None:
    """Write a workbook: three sheets of group, key and value, and `AssayConditions` with a row for each well.

    Texts are written as texts: none becomes a formula, a date or a number.

    Args:
        path: The XLSX to write.
        wells: The wells with their conditions.
        pairs: Known values of the first three sheets; keys beyond those of MIHCSME are added at the end of their group.

    Raises:
        UserError: Wells have no plate, or a condition is called Plate or Well.
    """
    import openpyxl
    from openpyxl.styles import Font

    names = wells.names or list(USUAL_CONDITIONS)
    if any(not well.plate for well in wells.conditions):
        raise UserError("layout: its wells have no plate. Name the plate in the form, or in a column plate.")
    taken = next((name for name in names if name.casefold() in ("plate", "well")), None)
    if taken:
        raise UserError(f"condition {taken!r}: MIHCSME has a column of this name. Rename it.")
    book = openpyxl.Workbook(write_only=False)
    book.remove(book.active)
    for sheet in MIHCSME_SHEETS[:-1]:
        rows = _listed(sheet, pairs)
        _fill(book.create_sheet(sheet), [(f"# {sheet}", "", ""), ("Annotation_groups", "Key", "Value"), *rows], Font)
    conditions = [
        (well.plate, well.label, *(said.get(name, "") for name in names)) for well, said in wells.conditions.items()
    ]
    first = ("# Conditions of each well", *("",) * (len(names) + 1))
    _fill(book.create_sheet(MIHCSME_SHEETS[-1]), [first, ("Plate", "Well", *names), *conditions], Font)
    path.write_bytes(workbook_bytes(book))


def _listed(sheet: str, pairs: Mapping[tuple[str, str, str], str]) -> list[tuple[str, str, str]]:
    """Return group, key and value of a sheet: the keys of MIHCSME, then others of the same sheet."""
    places = [(sheet, group, key) for group, keys in FIELDS[sheet].items() for key in keys]
    more = [place for place in pairs if place[0] == sheet and place not in places]
    groups = list(dict.fromkeys(group for _, group, _ in (*places, *more)))
    ordered = sorted((*places, *more), key=lambda place: groups.index(place[1]))
    return [(group, key, pairs.get((sheet, group, key), "")) for _, group, key in ordered]


def _fill(sheet: object, rows: Sequence[Sequence[str]], font: type) -> None:
    """Write rows of texts; the second one is the header."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    for number, row in enumerate(rows, 1):
        for column, text in enumerate(row, 1):
            if text:
                cell = sheet.cell(number, column)  # type: ignore[attr-defined]
                cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
                cell.data_type = "s"
                cell.number_format = "@"  # so that a spreadsheet program leaves what is typed there as text
                if number == 2:
                    cell.font = font(bold=True)
