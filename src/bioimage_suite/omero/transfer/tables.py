"""Translation of the id columns in a crate's OMERO.tables to the ids of the copies."""

from typing import Any

from bioimage_suite.omero.session import Session
from bioimage_suite.omero.tables.opening import open_table
from bioimage_suite.omero.tables.reading import BATCH
from bioimage_suite.omero.transfer.images import Copies

COLUMNS = {
    "ImageColumn": "Image",
    "RoiColumn": "Roi",
    "WellColumn": "Well",
    "PlateColumn": "Plate",
    "DatasetColumn": "Dataset",
}


def translate_table(session: Session, file_id: int, copies: Copies) -> None:
    """Replace the ids of the source server in a table; -1 means that the object was not transferred."""
    from omero.grid import Data

    table = open_table(session, file_id)
    try:
        kinds = {number: COLUMNS.get(type(one).__name__) for number, one in enumerate(table.getHeaders())}
        wanted = [number for number, kind in kinds.items() if kind]
        rows = table.getNumberOfRows() if wanted else 0
        for start in range(0, rows, BATCH):
            stop = min(start + BATCH, rows)
            data: Any = table.read(wanted, start, stop)
            for number, column in zip(wanted, data.columns, strict=True):
                column.values = [copies.ids.get((str(kinds[number]), one), -1) for one in column.values]
            table.update(Data(lastModification=0, rowNumbers=list(range(start, stop)), columns=data.columns))
    finally:
        table.close()
