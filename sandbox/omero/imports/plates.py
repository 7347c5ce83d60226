"""The rows of an imported plate: Plate, PlateAcquisition, Well, WellSample."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.omero.database.transactions import Transaction
    from sandbox.omero.image_files import PlateDescription


def write_plate(
    tx: Transaction, plate: PlateDescription, name: str, images: list[int], description: str | None = None
) -> int:
    """Write the rows of one plate.

    Args:
        tx: The transaction.
        plate: The file's description of the plate.
        name: Name of the plate.
        images: The images, in the order of the plate's fields.
        description: Description, where the user gave one.

    Returns:
        Id of the Plate.
    """
    plate_id = tx.create(
        "Plate",
        name=name[-255:],
        description=description,
        rows=len(plate.rows),
        columns=len(plate.columns),
        rowNamingConvention="letter" if all(row.isalpha() for row in plate.rows) else "number",
        columnNamingConvention="number" if all(column.isdigit() for column in plate.columns) else "letter",
        defaultSample=0,
    )
    acquisitions = {
        run.id: tx.create(
            "PlateAcquisition",
            plate=plate_id,
            name=run.name,
            description=run.description,
            maximumFieldCount=run.maximum_field_count,
            startTime=run.start_time,
            endTime=run.end_time,
        )
        for run in plate.acquisitions
    }
    wells: dict[tuple[int, int], int] = {}
    for field, image in zip(plate.fields, images, strict=True):
        place = (field.row, field.column)
        if place not in wells:
            wells[place] = tx.create("Well", plate=plate_id, row=field.row, column=field.column)
        acquisition = acquisitions.get(field.acquisition) if field.acquisition is not None else None
        tx.create("WellSample", well=wells[place], image=image, plateAcquisition=acquisition)
    return plate_id
