"""An OME-Zarr as a folder: its groups, label maps and plates, and packing it into one file."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

from bioimage_suite.images.ome_zarr.metadata import Plate, versioned

if TYPE_CHECKING:
    from pathlib import Path

    import zarr


def open_group(folder: Path, version: str) -> zarr.Group:
    """Open the group at `folder`; create it if it is missing."""
    import zarr

    return zarr.open_group(folder, mode="a", zarr_format=2 if version == "0.4" else 3)


def set_attributes(group: zarr.Group, attributes: dict[str, Any], version: str) -> None:
    """Write OME metadata where the version keeps it: among the attributes (0.4) or below `ome` (0.5)."""
    if version == "0.4":
        group.attrs.update({name: versioned(name, value) for name, value in attributes.items()})
    else:
        group.attrs["ome"] = {"version": version, **attributes}


def register_labels(folder: Path, names: list[str], version: str = "0.5") -> None:
    """List the label maps of an image; a `PyramidWriter` writes each at `<folder>/labels/<name>`."""
    set_attributes(open_group(folder / "labels", version), {"labels": names}, version)


def write_plate(folder: Path, plate: Plate, version: str = "0.5") -> None:
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


def pack(folder: Path, archive: Path, version: str = "0.5") -> None:
    """Pack an OME-Zarr folder into one `.ozx` file as RFC-9 specifies: uncompressed, metadata first, top level first.

    Args:
        folder: The OME-Zarr; its content is at the root of the archive.
        archive: File to write.
        version: Version that the archive's comment names.
    """
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    files.sort(key=lambda path: (not _is_metadata(path), len(path.parts) if _is_metadata(path) else 0, path.parts))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED, allowZip64=True) as out:
        for path in files:
            # A fixed date, so that the same image gives the same file.
            entry = zipfile.ZipInfo(path.as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.file_size = (folder / path).stat().st_size
            with (folder / path).open("rb") as source, out.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        comment = {"ome": {"version": version, "zipFile": {"centralDirectory": {"jsonFirst": True}}}}
        out.comment = json.dumps(comment).encode()


def _is_metadata(path: Path) -> bool:
    return path.name in {"zarr.json", ".zgroup", ".zattrs", ".zarray"}
