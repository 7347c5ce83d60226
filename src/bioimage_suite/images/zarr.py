"""OME-Zarr (OME-NGFF 0.4 and 0.5) for `image_file`, a folder or one zip file (`.ozx`): the first multiscale image."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.image_file import ImageFile, PhysicalSize, checked_physical_size

if TYPE_CHECKING:
    import numpy as np


def open_ome_zarr(path: Path, name: str) -> ImageFile:
    """Open an OME-Zarr image from a folder or a zip file.

    Args:
        path: The folder or zip file of the image, or one that holds exactly one such folder (as Galaxy's `ome_zarr`).
        name: Name of the image in messages.

    Raises:
        UserError: The folder holds no multiscale image, or its array is missing or has unknown axes.
    """
    import zarr

    group, attributes = _multiscale_group(path, name)
    multiscale = attributes["multiscales"][0]
    dataset = multiscale["datasets"][0]
    try:
        array = group[dataset["path"]]
    except KeyError as error:
        raise UserError(
            f"Image {name}: its array {dataset['path']!r} is missing. Export the OME-Zarr again."
        ) from error
    if not isinstance(array, zarr.Array):
        raise UserError(f"Image {name}: {dataset['path']!r} is no array. Export the OME-Zarr again.")
    axes = [axis["name"].upper() for axis in multiscale.get("axes", [])] or list("TCZYX")[-array.ndim :]
    if len(axes) != array.ndim or not set(axes) <= set("TCZYX") or axes[-2:] != ["Y", "X"]:
        raise UserError(
            f"Image {name}: its axes {axes} do not fit an array of {array.ndim} dimensions that ends in y, x."
        )
    sizes = dict.fromkeys("TCZYX", 1) | dict(zip(axes, array.shape, strict=True))
    physical_size, time_increment = _sizes(multiscale, dataset, axes, name)
    names = [channel.get("label") for channel in attributes.get("omero", {}).get("channels", [])]

    def read_region(t: int, c: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        import numpy as np

        at: dict[str, Any] = {"T": t, "C": c, "Z": z, "Y": rows, "X": columns}
        try:
            return np.asarray(array[tuple(at[axis] for axis in axes)])
        except (ValueError, RuntimeError, OSError, zipfile.BadZipFile) as error:
            raise UserError(
                f"Image {name}: the pixels at t={t}, c={c}, z={z} cannot be read ({error}). "
                "A chunk of the OME-Zarr is damaged or cut short: export it again."
            ) from error

    return ImageFile(
        name=name, size_t=sizes["T"], size_c=sizes["C"], size_z=sizes["Z"], size_y=sizes["Y"], size_x=sizes["X"],
        dtype=array.dtype, channels=tuple(names) if len(names) == sizes["C"] else (None,) * sizes["C"],
        physical_size=physical_size, time_increment=time_increment, read_region=read_region,
        details={"format": f"OME-Zarr {attributes.get('version') or multiscale.get('version', '')}".strip(),
                 "axes": "".join(axes), "series": 1, "levels": len(multiscale["datasets"]),
                 "omero": attributes.get("omero"), "ome_xml": _ome_xml(path, group.path)},
    )  # fmt: skip


def _multiscale_group(path: Path, name: str) -> tuple[Any, dict[str, Any]]:
    """Return the group with `multiscales`: the root, its series `0` (bioformats2raw), or its only subfolder."""
    import zarr

    files, store = _store(path, name)
    inside = sorted({file.partition("/")[0] for file in files if "/" in file})
    for folder in ["", "0/", *([f"{inside[0]}/"] if len(inside) == 1 else [])]:
        if not {f"{folder}zarr.json", f"{folder}.zgroup"} & files:
            continue
        try:
            group = zarr.open_group(store, path=folder.rstrip("/"), mode="r")
            attributes: dict[str, Any] = dict(group.attrs)
        except (ValueError, KeyError, OSError) as error:
            raise UserError(f"Image {name}: its Zarr metadata cannot be read ({error}). Export it again.") from error
        attributes = attributes.get("ome") or attributes
        if attributes.get("multiscales"):
            return group, attributes
    raise UserError(
        f"Image {name}: there is no OME-Zarr image (no `multiscales`) in it. Give the folder or the .ozx of one image, "
        "not a plate, a plain Zarr or another archive."
    )


def _store(path: Path, name: str) -> tuple[set[str], Any]:
    """Return the names of files that may tell where the image is, and the store: the folder or the zip file."""
    import zarr

    if path.is_dir():
        found = [*path.glob("*"), *path.glob("*/*")]
        return {file.relative_to(path).as_posix() for file in found}, path
    try:
        with zipfile.ZipFile(path) as archive:
            files = set(archive.namelist())
    except zipfile.BadZipFile as error:
        raise UserError(f"Image {name}: the zip file is damaged or cut short ({error}). Upload it again.") from error
    return files, zarr.storage.ZipStore(path, mode="r")


def _ome_xml(path: Path, inside: str) -> str | None:
    """Return the OME-XML beside an image, if its writer left one (convert_image does)."""
    name = f"{inside}/OME/METADATA.ome.xml".lstrip("/")
    if path.is_dir():
        return (path / name).read_text(encoding="utf-8") if (path / name).is_file() else None
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode("utf-8") if name in archive.namelist() else None


def _sizes(
    multiscale: dict[str, Any], dataset: dict[str, Any], axes: list[str], name: str
) -> tuple[dict[str, PhysicalSize], PhysicalSize | None]:
    """Return physical sizes: scale of the dataset times that of the multiscale; axes without a unit are left out."""
    scale = [1.0] * len(axes)
    for owner in (dataset, multiscale):
        for transformation in owner.get("coordinateTransformations", []):
            if transformation["type"] == "scale":
                scale = [a * b for a, b in zip(scale, transformation["scale"], strict=True)]
    units = [axis.get("unit") for axis in multiscale.get("axes", [])] or [None] * len(axes)
    given = {axis: (value, unit) for axis, value, unit in zip(axes, scale, units, strict=True) if unit}
    physical_size = {
        axis.lower(): checked_physical_size(name, axis.lower(), *given[axis]) for axis in "XYZ" if axis in given
    }
    return physical_size, PhysicalSize(*given["T"]) if "T" in given else None
