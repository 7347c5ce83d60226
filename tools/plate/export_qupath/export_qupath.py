#!/usr/bin/env python
"""Exports the objects of a label map to QuPath: GeoJSON with their classes and measurements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.exchange.qupath import features, write_geojson
from bioimage_suite.exchange.typed_columns import typed
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map, check_label_map
from bioimage_suite.tables.measurement_table import read_measurement_table

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    argument("--labels", type=Path, required=True, help="label map"),
    argument("--name", help="name of the image; default: the file's name"),
    argument("--table", type=Path, help="measurement table of the label map"),
    argument("--kind", choices=("detection", "annotation"), default="detection", help="kind of QuPath's objects"),
    argument("--output", type=Path, required=True, help="GeoJSON"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, trace, write."""
    labels = as_label_map(open_image(args.labels, args.name))
    check_label_map(labels)
    table = typed(read_measurement_table(args.table, labels.name)) if args.table else None
    count = write_geojson(outputs.file(args.output), features(labels, labels.name, table, args.kind))
    print(f"{labels.name}: {count} objects")


if __name__ == "__main__":
    run_tool(main)
