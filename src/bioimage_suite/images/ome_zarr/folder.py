"""The groups of an OME-Zarr: their metadata, label maps and plates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bioimage_suite.images.ome_zarr.files import write_group
from bioimage_suite.images.ome_zarr.metadata import Plate, versioned

if TYPE_CHECKING:
    from bioimage_suite.images.ome_zarr.files import Place


def write_ome(folder: Place, attributes: dict[str, Any], version: str, **more: Any) -> None:
    """Write a group with OME metadata where the version keeps it: among the attributes (0.4) or below `ome` (0.5).

    Args:
        folder: Folder of the group.
        attributes: The metadata.
        version: `0.4` or `0.5`.
        more: Attributes that stand outside the metadata in 0.5, too.
    """
    if version == "0.4":
        write_group(folder, {name: versioned(name, value) for name, value in attributes.items()} | more, version)
    else:
        write_group(folder, {"ome": {"version": version, **attributes}, **more}, version)


def register_labels(folder: Place, names: list[str], version: str = "0.5") -> None:
    """List the label maps of an image; a `PyramidWriter` writes each at `<folder>/labels/<name>`.

    Vizarr, which draws label maps on their image since March 2025, reads the list from the attributes themselves in 0.5
    too (github.com/hms-dbmi/vizarr at be7ccc2, src/ome.ts): there it stands twice.
    """
    write_ome(folder / "labels", {"labels": names}, version, labels=names)


def write_plate(folder: Place, plate: Plate, version: str = "0.5") -> None:
    """Write the metadata of a plate and its wells; a `PyramidWriter` writes each field."""
    places = sorted(plate.fields, key=lambda well: (plate.rows.index(well[0]), plate.columns.index(well[1])))
    attributes = {
        "name": plate.name,
        "rows": [{"name": name} for name in plate.rows],
        "columns": [{"name": name} for name in plate.columns],
        "field_count": max(plate.fields.values()),
        "wells": [
            {"path": f"{row}/{column}", "rowIndex": plate.rows.index(row), "columnIndex": plate.columns.index(column)}
            for row, column in places
        ],
    }
    # In 0.5 a plate still has its own version.
    write_ome(folder, {"plate": {"version": version, **attributes}}, version)
    for row in dict.fromkeys(row for row, _ in places):
        write_group(folder / row, {}, version)
    for row, column in places:
        images = [{"path": str(number)} for number in range(plate.fields[row, column])]
        well = {"version": version, "images": images}
        write_ome(folder / f"{row}/{column}", {"well": well}, version)
