#!/usr/bin/env python
"""Compares a label map with the true one: objects matched at IoU thresholds, Dice, split and merged objects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.images.model.series import READING, reading_of
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map
from bioimage_suite.segmentation.evaluation import evaluate, parsed_thresholds
from bioimage_suite.tables.measurement_table import write_rows

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    argument("--true", type=Path, required=True, help="true label map"),
    argument("--found", type=Path, required=True, help="label map to judge"),
    *READING,
    argument("--image-name", help="value of the column `image`; default: the file's name"),
    argument("--thresholds", default="0.5,0.7", help="IoU thresholds"),
    argument("--volume", action="store_true", help="objects in 3D: planes are one volume"),
    argument("--output", type=Path, required=True, help="table of one row, TSV"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, compare, write."""
    levels = parsed_thresholds(args.thresholds)
    name = args.image_name or args.found.name
    reading = reading_of(args)
    true = as_label_map(open_image(args.true, f"{name} (true)", reading))
    found = as_label_map(open_image(args.found, name, reading))
    figures = evaluate(true, found, levels, args.volume)
    write_rows(outputs.file(args.output), ["image", *figures], [[name, *figures.values()]])
    print(f"{name}: F1 {figures[f'f1_{levels[0]:g}']:.3f} at IoU {levels[0]:g}")


if __name__ == "__main__":
    run_tool(main)
