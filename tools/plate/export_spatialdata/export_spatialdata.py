#!/usr/bin/env python
"""Exports images, label maps, outlines and measurements as SpatialData, AnnData and Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import without_suffix
from bioimage_suite.core.scratch_folders import scratch_folder
from bioimage_suite.core.tool import argument, json_file, run_tool, tool
from bioimage_suite.exchange.annotated_data import to_anndata, write_h5ad, write_parquet
from bioimage_suite.exchange.spatial_data import Field, write_spatial_data
from bioimage_suite.exchange.typed_columns import typed
from bioimage_suite.images.model.planes import check_same_size
from bioimage_suite.images.ome_zarr.archive import pack
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map, check_label_map
from bioimage_suite.tables.measurement_table import read_measurement_table

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.images.model.image_file import ImageFile

Listed = dict[str, tuple[Path, str]]


@tool(
    __doc__,
    argument("--inputs", type=json_file, required=True, help="JSON: images, labels, tables: lists of [name, path]"),
    argument("--spatialdata", type=Path, required=True, help="SpatialData, zipped"),
    argument("--h5ad", type=Path, help="measurements as AnnData"),
    argument("--parquet", type=Path, help="measurements as Parquet"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, pair by name, write."""
    images, labels, tables = (_by_name(args.inputs.get(kind) or [], kind) for kind in ("images", "labels", "tables"))
    if not images:
        raise UserError("images: none is given. Give the images that were measured.")
    for kind, found in (("label map", labels), ("table", tables)):
        alone = [key for key in found if key not in images]
        if alone:
            raise UserError(f"{kind} {found[alone[0]][1]!r}: no image has this name. Give lists with the same names.")
    without = [key for key in tables if key not in labels]
    if without:
        raise UserError(f"table {tables[without[0]][1]!r}: it has no label map. Give the label map it was measured on.")
    fields = [_field(key, images, labels, tables) for key in images]
    path = outputs.file(args.spatialdata)
    with scratch_folder(Path.cwd()) as folder:
        measured = write_spatial_data(folder, fields)
        pack(folder, path)
    if args.h5ad and measured:
        write_h5ad(outputs.file(args.h5ad), to_anndata(measured))
    if args.parquet and measured:
        write_parquet(outputs.file(args.parquet), measured)
    print(f"{len(fields)} images, {len(labels)} label maps, {sum(one.rows for _, _, one in measured)} objects")


def _by_name(listed: list[list[str]], kind: str) -> Listed:
    """Return path and name of each element by its name without the suffix of a format."""
    found: Listed = {}
    for name, path in listed:
        if without_suffix(name) in found:
            raise UserError(f"{kind}: two are called {without_suffix(name)!r}. Give each a name of its own.")
        found[without_suffix(name)] = (Path(path), name)
    return found


def _field(key: str, images: Listed, labels: Listed, tables: Listed) -> Field:
    image = open_image(*images[key])
    found: ImageFile | None = None
    if key in labels:
        found = as_label_map(open_image(*labels[key]))
        check_label_map(found)
        check_same_size(found, image)
    return Field(image, found, typed(read_measurement_table(*tables[key])) if key in tables else None)


if __name__ == "__main__":
    run_tool(main)
