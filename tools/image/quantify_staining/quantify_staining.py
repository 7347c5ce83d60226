#!/usr/bin/env python
"""Separates the stains of a brightfield image and measures them: area, amount and H-score of the tissue and regions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.images.model.series import READING, beside, reading_of
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map, check_label_map
from bioimage_suite.staining.choices import (
    WantedLevels,
    check_colour,
    check_regions,
    choose_levels,
    choose_stains,
    choose_white,
)
from bioimage_suite.staining.quantities import Palette, StainOptions, palette_of, quantify, quantify_regions
from bioimage_suite.staining.tables import VECTOR_COLUMNS, table_columns, table_rows, vector_rows
from bioimage_suite.staining.vectors import STAIN_SETS
from bioimage_suite.tables.measurement_table import write_rows

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.images.model.image_file import ImageFile

STAINS = (*STAIN_SETS, "estimate_h_e", "estimate_h_dab", "own")


def write_pictures(
    image: ImageFile, palette: Palette, options: StainOptions, args: Namespace, outputs: Outputs
) -> None:
    """Write the requested images of amounts and masks, and the figure."""
    if args.amounts:
        from bioimage_suite.staining.images import write_amounts

        write_amounts(outputs.file(args.amounts), image, options)
    if args.masks:
        from bioimage_suite.staining.images import write_masks

        write_masks(outputs.file(args.masks), image, options)
    if args.figure:
        from bioimage_suite.staining.figure import draw_stains, thumbnail

        draw_stains(outputs.file(args.figure), image.name, thumbnail(image), palette, options)


@tool(
    __doc__,
    argument("--image", type=Path, required=True),
    *READING,
    argument("--name"),
    argument("--regions", type=Path, help="label map of the same size"),
    argument("--regions-name"),
    argument("--stains", choices=STAINS, required=True),
    argument("--vectors", default="", help="own: 'name: red, green, blue' for two or three stains, one per line"),
    argument("--white", default="255", help="value of background, or 'estimate'"),
    argument("--tissue", default="0.1", help="least mean optical density, or 'otsu'"),
    argument("--positive", type=float, help="least amount of weak stain; default: Otsu's threshold"),
    argument("--moderate", type=float, help="least amount of moderate stain; default: twice the weak one"),
    argument("--strong", type=float, help="least amount of strong stain; default: three times the weak one"),
    argument("--table", type=Path, required=True),
    argument("--vectors-out", type=Path, required=True),
    argument("--figure", type=Path),
    argument("--amounts", type=Path, help="OME-TIFF: a channel for each stain, 1000 for an amount of 1"),
    argument("--masks", type=Path, help="OME-TIFF: channels of tissue and of each positive stain"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, separate, count, write."""
    levels = WantedLevels(args.tissue, args.positive, args.moderate, args.strong)
    levels.check()
    name = args.name or args.image.name
    image = open_image(args.image, name, reading_of(args))
    check_colour(image)
    regions = None
    if args.regions:
        opened = open_image(args.regions, args.regions_name or args.regions.name, beside(args))
        regions = as_label_map(opened, regions=True)
        check_label_map(regions)
        check_regions(regions, image)
    palette = palette_of(image)
    white = choose_white(palette, args.white)
    stains = choose_stains(palette, white, args.stains, args.vectors, name)
    options = choose_levels(palette, stains, white, levels, name)
    parts = [quantify(palette, options), *([quantify_regions(image, regions, options)] if regions else [])]
    write_pictures(image, palette, options, args, outputs)
    x, y = image.micrometres("x"), image.micrometres("y")
    pixel_area = x * y if x and y else None
    rows = [row for part in parts for row in table_rows(name, part, options, pixel_area)]
    write_rows(outputs.file(args.table), table_columns(pixel_area), rows)
    write_rows(outputs.file(args.vectors_out), VECTOR_COLUMNS, vector_rows(name, options))
    for row in rows[: len(options.stains.names)]:
        print(f"{row[2]}: positive {row[6]} of {row[4]} pixels of tissue, threshold {np.round(row[14], 4)}")


if __name__ == "__main__":
    run_tool(main)
