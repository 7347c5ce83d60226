#!/usr/bin/env python
"""Imports measurement tables of CellProfiler, QuPath, SpatialData, AnnData and Parquet, and objects of QuPath."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.form_files import check_image_names, listed_files
from bioimage_suite.core.tool import CONFIG, argument, file_list, run_tool, tool
from bioimage_suite.exchange.foreign_tables import read_foreign
from bioimage_suite.exchange.qupath_objects import is_geojson, label_plane, objects_of, read_objects
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import write_label_map
from bioimage_suite.tables.grouped_values import joined
from bioimage_suite.tables.measurement_table import say_objects_twice, write_rows

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    CONFIG,
    argument("--images", type=file_list, help="JSON: path and name of each image that gets a label map"),
    argument("--labels", type=Path, help="folder for the label maps, OME-TIFF"),
    argument("--output", type=Path, required=True, help="measurement table"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read, join, write."""
    files = listed_files(args.config["tables"])
    found = read_foreign(files)
    if not found:
        raise UserError("tables: none has objects. Give CellProfiler's table of objects, too.")
    if args.images:
        draw(args.images, files, args.labels, outputs)
    table = joined([one for _, one in found])
    say_objects_twice(table)
    write_rows(outputs.file(args.output), table.columns, table.rows)
    for program, one in found:
        print(f"{one.name}: {len(one.rows)} objects of {program}")


def draw(images: Sequence[tuple[Path, str]], files: Sequence[tuple[Path, str]], folder: Path, outputs: Outputs) -> None:
    """Write a label map of the objects of QuPath in each image."""
    check_image_names([name for _, name in images])
    objects = [one for path, name in files if is_geojson(path.read_bytes()[:64]) for one in read_objects(path, name)]
    for path, name in images:
        image = open_image(path, name)
        own = objects_of(objects, image)
        write_label_map(outputs.file(folder / f"{name}.ome.tiff"), [label_plane(own, image)], image)
        print(f"{name}: {len(own)} objects")


if __name__ == "__main__":
    run_tool(main)
