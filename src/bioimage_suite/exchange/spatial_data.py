"""Writer of SpatialData (Marconato et al. 2024, doi:10.1038/s41592-024-02212-x): images, label maps, shapes, a table.

The form on disk is that of spatialdata 0.7.3: OME-Zarr 0.5 for images and label maps, GeoParquet for shapes, AnnData
for a table. The package itself would hold whole images in memory and brings a hundred others; here pixels pass block by
block. tests/peers reads everything back with spatialdata and squidpy.
"""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import without_suffix
from bioimage_suite.core.untrusted_files import fits_on_disk
from bioimage_suite.exchange.annotated_data import LABEL, REGION, to_anndata
from bioimage_suite.exchange.typed_columns import Typed, labels_of, plain_names
from bioimage_suite.images.model.label_outlines import label_outlines
from bioimage_suite.images.model.label_runs import labels_on
from bioimage_suite.images.writers.ome_zarr import write_zarr_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import zarr

    from bioimage_suite.images.model.image_file import ImageFile
    from bioimage_suite.images.model.label_outlines import LabelOutline

SYSTEM = "global"
_CONTAINER, _RASTER, _SHAPES, _TABLE = "0.2", "0.3", "0.3", "0.2"


@dataclass(frozen=True)
class Field:
    """An image with its label map and table; each but the image may be missing."""

    image: ImageFile
    labels: ImageFile | None = None
    table: Typed | None = None


def write_spatial_data(folder: Path, fields: Sequence[Field]) -> list[tuple[str, str, Typed]]:
    """Write images with their label maps, shapes and measurements as one SpatialData.

    An image is named after the list's element; its label map ends in `_labels`, its shapes in `_shapes`. The table
    `table` annotates the label maps. Coordinates of the system `global` are micrometres if all axes of an image have a
    physical size, else pixels.

    Args:
        folder: An empty folder.
        fields: The images.

    Returns:
        Region (name of the label map), name of the image, and table of each image that has one.

    Raises:
        UserError: An image is a movie, two have the same name, or a table has a label that its label map has not.
    """
    root = _open_group(folder)
    root.attrs["spatialdata_attrs"] = {"version": _CONTAINER, "spatialdata_software_version": "0.7.3"}
    names = _names(fields)
    for group in ("images", *(["labels", "shapes"] if any(one.labels for one in fields) else [])):
        _open_group(folder / group)
    tables = []
    for name, one in zip(names, fields, strict=True):
        _write_raster(folder / "images" / name, one.image, is_labels=False)
        if one.labels is None:
            continue
        _write_raster(folder / "labels" / f"{name}_labels", one.labels, is_labels=True, known=one.image)
        if one.labels.size_z == 1:
            _write_shapes(folder / "shapes" / f"{name}_shapes", one.labels.read_plane(), one.image)
        if one.table is not None:
            _check_labels(one.table, one.labels)
            tables.append((f"{name}_labels", one.image.name, one.table))
    if any(one.labels for one in fields):
        root["labels"].attrs["ome"] = {
            "labels": [f"{name}_labels" for name, one in zip(names, fields, strict=True) if one.labels]
        }
    if any(table.rows for _, _, table in tables):
        _write_table(folder, tables)
    return tables


def _open_group(folder: Path) -> zarr.Group:
    """Open the group of a folder; make it if it is missing."""
    import zarr

    return zarr.open_group(folder, mode="a", zarr_format=3)


def _names(fields: Sequence[Field]) -> list[str]:
    names = [without_suffix(one.image.name) for one in fields]
    plain = plain_names(names)
    for place, name in enumerate(names):
        if name in names[:place]:
            raise UserError(f"image {name!r}: two have this name. Give each element of the list its own.")
        if not fits_on_disk(plain[name], "_labels"):
            raise UserError(f"image {name[:60]!r}...: its name is longer than a folder's can be. Rename the element.")
        if fields[place].image.size_t > 1:
            raise UserError(
                f"image {fields[place].image.name}: a movie of {fields[place].image.size_t} time points, which "
                "SpatialData cannot hold. Export one time point."
            )
    return [plain[name] for name in names]


def _scale_of(image: ImageFile) -> dict[str, float]:
    """Return the extent of a pixel by axis in µm; 1 for all axes if one is unknown."""
    axes = "zyx" if image.size_z > 1 else "yx"
    found = {axis: image.micrometres(axis) for axis in axes}
    return {axis: 1.0 if None in found.values() else float(size or 1.0) for axis, size in found.items()}


def _write_raster(folder: Path, image: ImageFile, *, is_labels: bool, known: ImageFile | None = None) -> None:
    """Write an image or a label map; its scale stands where SpatialData has it, above those of the pyramid."""
    bare = replace(image, physical_size={}, time_increment=None)
    write_zarr_image(folder, bare, "0.5", is_labels=is_labels)
    group = _open_group(folder)
    attributes: dict[str, Any] = dict(group.attrs)
    ome = attributes["ome"]
    multiscales = [dict(one) for one in ome["multiscales"]]
    axes = [axis["name"] for axis in multiscales[0]["axes"]]
    scale = _scale_of(known or image)
    multiscales[0]["coordinateTransformations"] = [_transformation(axes, [scale.get(axis, 1.0) for axis in axes])]
    # By this version spatialdata tells its own images; OME-Zarr's "0.5" it does not read as an element.
    group.attrs["ome"] = {**ome, "version": "0.5-dev-spatialdata", "multiscales": multiscales}
    group.attrs["spatialdata_attrs"] = {"version": _RASTER}


def _transformation(axes: Sequence[str], scale: Sequence[float]) -> dict[str, Any]:
    described = [
        {"name": axis, "type": "channel"} if axis == "c" else {"name": axis, "type": "space", "unit": "unit"}
        for axis in axes
    ]
    ends = {"input": {"name": "".join(axes), "axes": described}, "output": {"name": SYSTEM, "axes": described}}
    return {"type": "scale", "scale": list(scale), **ends}


def _check_labels(table: Typed, labels: ImageFile) -> None:
    there = set()
    for z in range(labels.size_z):
        there |= set(labels_on(labels, 0, z).tolist())
    missing = sorted(set(labels_of(table, labels.name).tolist()) - there)
    if missing:
        raise UserError(
            f"label map {labels.name}: it has no label {missing[0]}, which its table has. Give the table that was "
            "measured on it."
        )


def _write_table(folder: Path, tables: Sequence[tuple[str, str, Typed]]) -> None:
    from anndata.io import write_elem

    regions = [region for region, _, _ in tables]
    region: Any = regions if len(regions) > 1 else regions[0]
    data = to_anndata(tables)
    keys = {"region": region, "region_key": REGION, "instance_key": LABEL}
    data.uns["spatialdata_attrs"] = keys
    group = _open_group(folder / "tables")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "zarr v3 autosharding", UserWarning)
        write_elem(group, "table", data)
    group["table"].attrs.update({"spatialdata-encoding-type": "ngff:regions_table", **keys, "version": _TABLE})


def _write_shapes(folder: Path, labels: np.ndarray, image: ImageFile) -> None:
    """Write the outlines of a plane as GeoParquet; the index is the label."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import parquet

    outlines = list(label_outlines(labels))
    frame = pd.DataFrame({"geometry": [_wkb(one) for one in outlines]}, index=[one.label for one in outlines])
    table = pa.Table.from_pandas(frame)
    geometry = table.schema.get_field_index("geometry")
    field = pa.field("geometry", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})
    table = table.set_column(geometry, field, table.column(geometry).cast(pa.binary()))
    column = {"encoding": "WKB", "geometry_types": ["MultiPolygon", "Polygon"], "crs": None}
    geo = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": column}}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), b"geo": _json(geo)})
    group = _open_group(folder)
    parquet.write_table(table, folder / "shapes.parquet")
    scale = _scale_of(image)
    group.attrs.update(
        {
            "encoding-type": "ngff:shapes",
            "axes": ["x", "y"],
            "coordinateTransformations": [_transformation("xy", [scale["x"], scale["y"]])],
            "spatialdata_attrs": {"version": _SHAPES},
        }
    )


def _json(value: object) -> bytes:
    import json

    return json.dumps(value).encode()


def _wkb(outline: LabelOutline) -> bytes:
    """Return an outline as well-known binary (OGC 06-103r4): a Polygon, or a MultiPolygon of its parts."""
    polygons = [b"\x01" + struct.pack("<II", 3, len(part)) + b"".join(_rings(part)) for part in outline.parts]
    if len(polygons) == 1:
        return polygons[0]
    return b"\x01" + struct.pack("<II", 6, len(polygons)) + b"".join(polygons)


def _rings(part: Sequence[Sequence[tuple[float, float]]]) -> Iterator[bytes]:
    for ring in part:
        closed = [*ring, ring[0]]
        yield struct.pack("<I", len(closed)) + np.asarray(closed, "<f8").tobytes()
