"""OME-Zarr folders, versions 0.4 (zarr 2) and 0.5 (zarr 3): images, collections, plates."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from sandbox.omero.image_files.description import (
    AcquisitionDescription,
    ChannelDescription,
    FieldDescription,
    ImageFileError,
    PlateDescription,
    Quantity,
    SeriesDescription,
)
from sandbox.omero.image_files.ome_xml import read_ome_xml
from sandbox.omero.image_files.series_reader import SeriesReader, pixel_type_of

if TYPE_CHECKING:
    from pathlib import Path

ZARR_METADATA = ("zarr.json", ".zattrs", ".zgroup")
# Unit names of OME-Zarr (UDUNITS-2) and the symbols of OME-XML.
ZARR_UNITS = {
    "angstrom": "Å",
    "picometer": "pm",
    "nanometer": "nm",
    "micrometer": "µm",
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "inch": "in",
    "microsecond": "µs",
    "millisecond": "ms",
    "second": "s",
    "minute": "min",
    "hour": "h",
}


def is_zarr(folder: Path) -> bool:
    """Return whether a folder is a zarr group."""
    return folder.is_dir() and any((folder / name).is_file() for name in ZARR_METADATA)


def open_ome_zarr(folder: Path) -> tuple[list[SeriesReader], PlateDescription | None]:
    """Open an OME-Zarr folder: an image, a plate, or a collection in the bioformats2raw layout.

    Returns:
        The images, and for a plate its description with the place of each image.

    Raises:
        ImageFileError: The folder holds no image that can be read.
    """
    attributes = _attributes(folder)
    if "multiscales" in attributes:
        return [_reader(folder, folder, None)], None
    if "plate" in attributes:
        return _open_plate(folder, attributes["plate"])
    if attributes.get("bioformats2raw.layout") != 3:
        raise ImageFileError(f"{folder.name}: the zarr group has no multiscales metadata (OME-Zarr 0.4 or 0.5)")
    names: list[str | None] = []
    metadata = folder / "OME" / "METADATA.ome.xml"
    if metadata.is_file():
        names = [image.name for image in read_ome_xml(metadata.read_text("utf-8")).images]
    groups = [folder / name for name in _series_names(folder)]
    names += [None] * (len(groups) - len(names))
    if not groups:
        raise ImageFileError(f"{folder.name}: the collection holds no image")
    return [_reader(group, folder, name) for group, name in zip(groups, names, strict=False)], None


def _open_plate(folder: Path, plate: Any) -> tuple[list[SeriesReader], PlateDescription]:
    """Open the images of a plate, well by well, named as Bio-Formats names them."""
    readers, fields = [], []
    try:
        rows, columns = ([str(entry["name"]) for entry in plate[kind]] for kind in ("rows", "columns"))
        for well in plate["wells"]:
            row_name, _, column_name = str(well["path"]).partition("/")
            row = int(well.get("rowIndex", rows.index(row_name)))
            column = int(well.get("columnIndex", columns.index(column_name)))
            for number, image in enumerate(_attributes(folder / row_name / column_name)["well"]["images"], 1):
                name = f"Well {row_name}-{column_name}, Field #{number}"
                readers.append(_reader(_inside(folder, row_name, column_name, str(image["path"])), folder, name))
                fields.append(FieldDescription(row, column, image.get("acquisition")))
        acquisitions = tuple(_acquisition(entry) for entry in plate.get("acquisitions") or [])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ImageFileError(f"{folder.name}: broken OME-Zarr plate: {error!r}") from error
    if not readers:
        raise ImageFileError(f"{folder.name}: the plate holds no image")
    name = plate.get("name")
    return readers, PlateDescription(name, tuple(rows), tuple(columns), acquisitions, tuple(fields))


def _inside(folder: Path, *parts: str) -> Path:
    """Return the folder of a group of the plate; refuse a path that leads out of the plate."""
    if any(part in ("", ".", "..") or "/" in part for part in parts):
        raise ValueError(f"path {'/'.join(parts)}")
    return folder.joinpath(*parts)


def _acquisition(entry: dict[str, Any]) -> AcquisitionDescription:
    return AcquisitionDescription(
        int(entry["id"]),
        entry.get("name"),
        entry.get("description"),
        entry.get("maximumfieldcount"),
        entry.get("starttime"),
        entry.get("endtime"),
    )


def _series_names(folder: Path) -> list[str]:
    listed = _attributes(folder / "OME").get("series") if is_zarr(folder / "OME") else None
    if listed:
        return [str(name) for name in listed]
    found = (child.name for child in folder.iterdir() if child.name.isdigit() and is_zarr(child))
    return sorted(found, key=int)


def _attributes(folder: Path) -> dict[str, Any]:
    """Return the group's OME attributes; 0.5 keeps them under `ome` in zarr.json."""
    try:
        if (folder / "zarr.json").is_file():
            attributes: dict[str, Any] = json.loads((folder / "zarr.json").read_text("utf-8")).get("attributes", {})
            ome: dict[str, Any] = attributes.get("ome", attributes)
            return ome
        path = folder / ".zattrs"
        return json.loads(path.read_text("utf-8")) if path.is_file() else {}
    except (ValueError, OSError, AttributeError) as error:
        raise ImageFileError(f"{folder.name}: unreadable zarr metadata: {error}") from error


def _reader(group: Path, folder: Path, name: str | None) -> SeriesReader:
    import zarr

    attributes = _attributes(group)
    try:
        multiscale = attributes["multiscales"][0]
        levels = [zarr.open_array(group / d["path"], mode="r") for d in multiscale["datasets"]]
        axes = _axes(multiscale, len(levels[0].shape))
        sizes = {**dict.fromkeys("TCZYX", 1), **dict(zip(axes, levels[0].shape, strict=True))}
        x, y = axes.index("X"), axes.index("Y")
        chunks = levels[0].chunks
        description = SeriesDescription(
            name=name or multiscale.get("name") or None,
            size_x=sizes["X"],
            size_y=sizes["Y"],
            size_z=sizes["Z"],
            size_c=sizes["C"],
            size_t=sizes["T"],
            pixel_type=pixel_type_of(levels[0].dtype, folder),
            channels=_channels(attributes.get("omero"), sizes["C"]),
            level_sizes=tuple((level.shape[x], level.shape[y]) for level in levels),
            tile_size=(min(chunks[x], sizes["X"]), min(chunks[y], sizes["Y"])),
        )
        return SeriesReader(_with_scales(description, multiscale), levels, axes, folder)
    except ImageFileError:
        raise
    except Exception as error:  # zarr raises many kinds for broken metadata
        raise ImageFileError(f"{folder.name}: broken OME-Zarr image {group.name}: {error}") from error


def _axes(multiscale: dict[str, Any], dimensions: int) -> str:
    """Return the axes' letters; version 0.3 lists plain names, and 0.1 and 0.2 are always tczyx."""
    listed = multiscale.get("axes") or list("tczyx")
    axes = "".join((axis["name"] if isinstance(axis, dict) else axis)[:1].upper() for axis in listed)
    if len(axes) != dimensions or set(axes) - set("TCZYX") or not {"X", "Y"} <= set(axes):
        raise ImageFileError(f"axes {axes} of an array with {dimensions} dimensions are not supported")
    return axes


def _with_scales(description: SeriesDescription, multiscale: dict[str, Any]) -> SeriesDescription:
    axes = multiscale.get("axes") or []
    first = multiscale["datasets"][0].get("coordinateTransformations", [])
    scales = next((t["scale"] for t in first if t.get("type") == "scale"), [1.0] * len(axes))
    overall = multiscale.get("coordinateTransformations", [])
    factors = next((t["scale"] for t in overall if t.get("type") == "scale"), [1.0] * len(axes))

    found: dict[str, Quantity] = {}
    for axis, scale, factor in zip(axes, scales, factors, strict=False):
        unit = ZARR_UNITS.get(axis.get("unit") or "") if isinstance(axis, dict) else None
        if unit:
            found[axis["name"][:1].lower()] = Quantity(scale * factor, unit)
    return dataclasses.replace(
        description,
        physical_size_x=found.get("x"),
        physical_size_y=found.get("y"),
        physical_size_z=found.get("z"),
        time_increment=found.get("t"),
    )


def _channels(omero: Any, count: int) -> tuple[ChannelDescription, ...]:
    """Read the transitional `omero` metadata: labels, colours (RRGGBB) and windows."""
    listed = omero.get("channels", []) if isinstance(omero, dict) else []
    channels = []
    for channel in listed[:count]:
        color, window = str(channel.get("color") or ""), channel.get("window") or {}
        rgb = tuple(bytes.fromhex(color)) if len(color) == 6 else None
        channels.append(
            ChannelDescription(
                name=channel.get("label"),
                color=(rgb[0], rgb[1], rgb[2], 255) if rgb else None,
                window=(float(window["start"]), float(window["end"])) if {"start", "end"} <= window.keys() else None,
            )
        )
    return (*channels, *[ChannelDescription()] * (count - len(channels)))
