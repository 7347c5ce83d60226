"""Facts of an image in a packed OME-Zarr (`.ozx`, `.ome.zarr.zip`) from its JSON, never its pixels."""

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.units import LENGTH, TIME
from bioimage_suite.core.untrusted_files import ANY_SIZE, open_zip, parse_json, read_member
from bioimage_suite.images.ome_zarr.metadata import pixel_scale

# OME-Zarr 0.4 keeps attributes and array metadata in separate files, 0.5 in one.
GROUP_FILES = (".zattrs", "zarr.json")
OME_XML = "OME/METADATA.ome.xml"
_MAX_METADATA = 32 * 1024 * 1024


def zarr_values(path: Path, name: str) -> dict[str, list[str]]:
    """Read sizes, type, physical sizes and channels; of a plate, those of its first field.

    Args:
        path: Zip of an OME-Zarr 0.4 or 0.5, with the image at its root or in a single folder.
        name: Display name of the image.

    Returns:
        Values by OME's names (`Pixels.SizeX`, `Channel.Name`, ...), and `Zarr.Version`.

    Raises:
        UserError: The file is not a zip, has no OME-Zarr, or its metadata is not as specified.
    """
    with open_zip(path, name, ANY_SIZE) as archive:
        root = _root(archive, name)
        attributes = _group(archive, root, name)
        try:
            if "plate" in attributes:
                first = min(str(well["path"]) for well in attributes["plate"]["wells"])
                root = f"{root}{first}/0/"
                attributes = _group(archive, root, name)
            return _values(archive, root, attributes, name)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise UserError(
                f"image {name}: its OME-Zarr metadata is not as specified ({type(error).__name__}: {error}). "
                "Convert the image again."
            ) from error


def zarr_ome_xml(path: Path, name: str) -> str:
    """Return the OME-XML next to the image (`OME/METADATA.ome.xml`, bioformats2raw's layout), or empty text.

    Raises:
        UserError: The file is not a zip, or the text is not UTF-8.
    """
    with open_zip(path, name, ANY_SIZE) as archive:
        member = next((one for one in archive.namelist() if one.endswith(OME_XML) and one.count("/") <= 2), None)
        if member is None:
            return ""
        try:
            return read_member(archive, member, name, _MAX_METADATA).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UserError(
                f"image {name}: {member} is not UTF-8 (byte {error.start}). Convert the image again."
            ) from error


def _root(archive: zipfile.ZipFile, name: str) -> str:
    names = archive.namelist()
    folders = [member.removesuffix(end) for member in names for end in GROUP_FILES if member.endswith(end)]
    root = min(folders, key=lambda folder: folder.count("/"), default=None)
    if root is None or root.count("/") > 1:
        raise UserError(f"image {name}: a zip without an OME-Zarr at its root. Give an OME-Zarr packed as one file.")
    return root


def _json(archive: zipfile.ZipFile, member: str, name: str) -> dict[str, Any]:
    found = parse_json(read_member(archive, member, name, _MAX_METADATA), f"{name}/{member}")
    if not isinstance(found, dict):
        raise UserError(f"image {name}: {member} is no JSON object. Write the image again.")
    return found


def _group(archive: zipfile.ZipFile, root: str, name: str) -> dict[str, Any]:
    """Return the OME attributes of a group: all of them in 0.4, those below `ome` in 0.5."""
    members = set(archive.namelist())
    if f"{root}.zattrs" in members:
        return _json(archive, f"{root}.zattrs", name)
    if f"{root}zarr.json" not in members:
        raise UserError(f"image {name}: no OME-Zarr metadata at {root or 'its root'}. Write the image again.")
    attributes = _json(archive, f"{root}zarr.json", name).get("attributes")
    ome = attributes.get("ome") if isinstance(attributes, dict) else None
    if ome and not isinstance(ome, dict):
        raise UserError(f"image {name}: `ome` in {root}zarr.json is no JSON object. Write the image again.")
    return ome or {}


def _values(archive: zipfile.ZipFile, root: str, attributes: Mapping[str, Any], name: str) -> dict[str, list[str]]:
    if "multiscales" not in attributes:
        raise UserError(f"image {name}: a Zarr without multiscales, so no OME-Zarr image. Convert the image again.")
    multiscale = attributes["multiscales"][0]
    level = multiscale["datasets"][0]
    place = f"{root}{level['path']}/"
    old = f"{place}.zarray" in archive.namelist()
    array = _json(archive, f"{place}.zarray" if old else f"{place}zarr.json", name)
    axes = [axis["name"] for axis in multiscale["axes"]]
    try:
        scale = pixel_scale(multiscale, level, len(axes))
    except ValueError:
        scale = [math.nan] * len(axes)
    sizes = dict.fromkeys("XYZCT", 1) | {
        axis.upper(): int(size) for axis, size in zip(axes, array["shape"], strict=True)
    }
    values = {f"Pixels.Size{axis}": [str(size)] for axis, size in sizes.items()}
    # Zarr 2 writes NumPy's short form (`<u2`), Zarr 3 the type's name.
    values["Pixels.Type"] = [_long_type(str(array["dtype"])) if old else str(array["data_type"])]
    for axis, size in zip(multiscale["axes"], scale, strict=True):
        unit = axis.get("unit")
        if unit and math.isfinite(size) and size > 0:
            field = "Pixels.TimeIncrement" if axis["name"] == "t" else f"Pixels.PhysicalSize{axis['name'].upper()}"
            values[field] = [f"{size:.10g}"]
            values[f"{field}Unit"] = [(TIME if axis["name"] == "t" else LENGTH).symbol(str(unit)) or str(unit)]
    channels = (attributes.get("omero") or {}).get("channels") or []
    values["Channel.Name"] = [str(channel.get("label") or "") for channel in channels] or [""] * sizes["C"]
    version = attributes.get("version") or multiscale.get("version") or ""
    return values | {"Zarr.Version": [str(version)]}


def _long_type(short: str) -> str:
    kinds = {"u": "uint", "i": "int", "f": "float"}
    return f"{kinds[short[1]]}{int(short[2:]) * 8}"
