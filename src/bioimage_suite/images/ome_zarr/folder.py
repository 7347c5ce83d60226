"""The groups of an OME-Zarr: their metadata, label maps and plates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bioimage_suite.images.ome_zarr.metadata import Plate, versioned

if TYPE_CHECKING:
    from pathlib import Path

    import zarr
    from zarr.storage import StorePath


def open_group(folder: Path | StorePath, version: str) -> zarr.Group:
    """Open the group at `folder`, on the disk or in a store of zarr; create it if it is missing."""
    import zarr

    return zarr.open_group(folder, mode="a", zarr_format=2 if version == "0.4" else 3)


def set_attributes(group: zarr.Group, attributes: dict[str, Any], version: str) -> None:
    """Write OME metadata where the version keeps it: among the attributes (0.4) or below `ome` (0.5)."""
    if version == "0.4":
        group.attrs.update({name: versioned(name, value) for name, value in attributes.items()})
    else:
        group.attrs["ome"] = {"version": version, **attributes}


def register_labels(folder: Path, names: list[str], version: str = "0.5") -> None:
    """List the label maps of an image; a `PyramidWriter` writes each at `<folder>/labels/<name>`.

    Vizarr, which draws label maps on their image since March 2025, reads the list from the attributes themselves in 0.5
    too (github.com/hms-dbmi/vizarr at be7ccc2, src/ome.ts): there it stands twice.
    """
    group = open_group(folder / "labels", version)
    set_attributes(group, {"labels": names}, version)
    group.attrs["labels"] = names


def write_plate(folder: Path | StorePath, plate: Plate, version: str = "0.5") -> None:
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
    set_attributes(open_group(folder, version), {"plate": {"version": version, **attributes}}, version)
    for row, column in places:
        open_group(folder / row, version)
        images = [{"path": str(number)} for number in range(plate.fields[row, column])]
        well = {"version": version, "images": images}
        set_attributes(open_group(folder / row / column, version), {"well": well}, version)
