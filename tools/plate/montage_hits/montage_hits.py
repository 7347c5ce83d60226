#!/usr/bin/env python
"""Makes a montage of the hits of a screen beside controls, all with the same contrast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.tool import argument, json_file, run_tool, tool
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.plates.montage import choose, fields_of, montage
from bioimage_suite.plates.wells import read_wells
from bioimage_suite.tables.measurement_table import read_measurement_table

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    argument("--inputs", type=json_file, required=True, help="JSON: images, layout, hits: lists of [name, path]"),
    argument("--plate", default="", help="name of the plate where the layout names none"),
    argument("--channel", default="0", help="name, or index counted from 0"),
    argument("--column", default="control", help="condition that names controls"),
    argument("--negative", default="negative", help="its texts for negative controls"),
    argument("--positive", default="", help="its texts for positive controls"),
    argument("--most", type=int, default=24, help="most hits"),
    argument("--controls", type=int, default=2, help="most wells of each kind of control"),
    argument("--output", type=Path, required=True, help="PNG"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Choose wells, open their fields, draw."""
    listed = {kind: [(Path(path), name) for name, path in found] for kind, found in args.inputs.items()}
    wells = read_wells(listed["layout"], args.plate.strip())
    [(path, name)] = listed["hits"]
    kinds = {"negative": args.negative, "positive": args.positive}
    shown = choose(read_measurement_table(path, name), args.column, kinds, args.most, args.controls)
    images = [open_image(*one) for one in listed["images"]]
    fields = fields_of(shown, images, wells)
    outputs.file(args.output).write_bytes(montage(fields, args.channel))
    print(f"{len(fields)} wells, {sum(one.kind == 'hit' for one, _ in fields)} of them hits")


if __name__ == "__main__":
    run_tool(main)
