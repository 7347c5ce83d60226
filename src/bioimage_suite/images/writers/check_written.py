"""Validation of written files with the libraries that define the formats: ome-types and ome-zarr-models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def check_written(path: Path, form: str) -> None:
    """Validate a file or folder that this suite wrote.

    Args:
        path: OME-TIFF, OME-Zarr folder or `.ozx`.
        form: `ome-tiff`, `ome-zarr-0.4`, `ome-zarr-0.5` or `ozx`.

    Raises:
        pydantic.ValidationError: The file violates the specification: a defect of the tool, not of the input.
    """
    if form == "ome-tiff":
        import tifffile
        from ome_types import from_xml

        with tifffile.TiffFile(path) as tiff:
            from_xml(str(tiff.ome_metadata), validate=False)
        print("checked with ome-types")
        return
    import zarr

    if form == "ome-zarr-0.4":
        from ome_zarr_models.v04 import HCS, Image
    else:
        from ome_zarr_models.v05 import HCS, Image  # type: ignore[assignment]
    store = zarr.storage.ZipStore(path, mode="r") if path.is_file() else path
    group = zarr.open_group(store, mode="r")
    attributes: dict[str, Any] = dict(group.attrs)
    attributes = attributes.get("ome") or attributes
    (HCS if "plate" in attributes else Image).from_zarr(group)
    print("checked with ome-zarr-models")
