"""OME-Zarr (OME-NGFF 0.4 and 0.5) folders for `image_file`: the full resolution of the first multiscale image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_file import ImageFile, PhysicalSize, checked_physical_size
from tool_errors import UserError

if TYPE_CHECKING:
    import numpy as np


def open_ome_zarr(path: Path, name: str) -> ImageFile:
    """Open an OME-Zarr image.

    Args:
        path: The folder of the image, or one that holds exactly one such folder (as Galaxy's `ome_zarr` does).
        name: What messages call the image.

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
        return np.asarray(array[tuple(at[axis] for axis in axes)])

    return ImageFile(
        name=name, size_t=sizes["T"], size_c=sizes["C"], size_z=sizes["Z"], size_y=sizes["Y"], size_x=sizes["X"],
        dtype=array.dtype, channels=tuple(names) if len(names) == sizes["C"] else (None,) * sizes["C"],
        physical_size=physical_size, time_increment=time_increment, read_region=read_region,
        details={"format": f"OME-Zarr {attributes.get('version') or multiscale.get('version', '')}".strip(),
                 "series": 1, "levels": len(multiscale["datasets"])},
    )  # fmt: skip


def _multiscale_group(path: Path, name: str) -> tuple[Any, dict[str, Any]]:
    """Find the group with `multiscales`: the folder itself, its series `0` (bioformats2raw), or its only subfolder."""
    import zarr

    inside = [folder for folder in sorted(path.iterdir()) if folder.is_dir()]
    for folder in [path, path / "0", *(inside if len(inside) == 1 else [])]:
        if not ((folder / "zarr.json").is_file() or (folder / ".zgroup").is_file()):
            continue
        try:
            group = zarr.open_group(folder, mode="r")
            attributes: dict[str, Any] = dict(group.attrs)
        except (ValueError, KeyError, OSError) as error:
            raise UserError(f"Image {name}: its Zarr metadata cannot be read ({error}). Export it again.") from error
        attributes = attributes.get("ome") or attributes
        if attributes.get("multiscales"):
            return group, attributes
    raise UserError(
        f"Image {name}: the folder holds no OME-Zarr image (no `multiscales`). Give the folder of one image, not of a "
        "plate or a plain Zarr."
    )


def _sizes(
    multiscale: dict[str, Any], dataset: dict[str, Any], axes: list[str], name: str
) -> tuple[dict[str, PhysicalSize], PhysicalSize | None]:
    """Physical sizes: the product of the dataset's and the multiscale's scale; an axis without a unit has none."""
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
