#!/usr/bin/env python
"""Measures each object of a label map: shape, grey values in every channel, texture, neighbours, children."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.images.model.series import READING, beside, reading_of
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map
from bioimage_suite.measurement.measured_columns import GROUPS, MeasureOptions
from bioimage_suite.measurement.measured_image import (
    children_columns,
    children_rows,
    measure_image,
    object_columns,
    object_rows,
)
from bioimage_suite.measurement.measured_summary import summary_row
from bioimage_suite.measurement.object_texture import TextureOptions, channel_range
from bioimage_suite.tables.measurement_table import write_rows

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.images.model.image_file import ImageFile

TEXTURE = TextureOptions()
WIDEST_RING = 1000


def options_of(args: Namespace, image: ImageFile | None) -> MeasureOptions:
    """Return the options of the measurement from the arguments.

    Raises:
        UserError: A value is out of range, a channel does not exist, or two sets of children have the same name.
    """
    texture = TextureOptions(args.texture_distance, args.texture_levels, args.texture_low, args.texture_high)
    texture.check()
    wanted = args.texture_channels or []
    if wanted and image is None:
        raise UserError("Texture: no image was given. Choose the image beside the label map.")
    channels: list[int] = []
    if image is not None:
        every = range(image.size_c)
        channels = list(every) if "all" in wanted else sorted({image.resolve_channel(one) for one in wanted})
    if args.neighbours_within is not None and not 0 < args.neighbours_within < 1e6:
        raise UserError(f"Neighbours within {args.neighbours_within:g}: must be above 0 and below 1,000,000 pixels.")
    names = [
        "_".join(name.split()) for name in args.children_name or [path.name.split(".")[0] for path in args.children]
    ]
    if len(set(names)) != len(args.children) or "" in names:
        raise UserError(f"Children {', '.join(names)!r}: give each label map of children a name of its own.")
    children = {
        name: as_label_map(open_image(path, name, beside(args)))
        for name, path in zip(names, args.children, strict=True)
    }
    ranges = {c: channel_range(image, c, texture) for c in channels if image is not None}
    groups = frozenset(GROUPS if args.features is None else args.features)
    if args.children_grey and not (children and image):
        raise UserError("Grey values within children: choose the image and the children, too.")
    if args.ring is not None and image is None:
        raise UserError("Ring: no image was given. Choose the image beside the label map.")
    if args.ring is not None and not 1 <= args.ring <= WIDEST_RING:
        raise UserError(f"Ring of {args.ring} pixels: must lie between 1 and {WIDEST_RING} pixels.")
    return MeasureOptions(
        groups, args.volume, texture, ranges, args.neighbours_within, children, args.children_grey, args.ring
    )


def warn_of_oblong_pixels(image: ImageFile) -> None:
    """Say that shapes are those of the pixels, if these are not square."""
    x, y = image.micrometres("x"), image.micrometres("y")
    if x and y and abs(x - y) > 1e-6 * x:
        print(
            f"Warning: {image.name}: its pixels are not square ({x:g} x {y:g} µm). Lengths and shapes are in pixels, "
            "as if they were; areas and positions in µm are right."
        )


@tool(
    __doc__,
    argument("--labels", type=Path, required=True, help="label map"),
    argument("--image", type=Path, help="image of the same size; without it only shapes are measured"),
    *READING,
    argument("--image-name", help="value of the column `image`; default: the file's name"),
    argument("--features", nargs="*", choices=list(GROUPS), help="groups of features; default: all"),
    argument("--volume", action="store_true", help="objects in 3D: planes are one volume"),
    argument("--texture-channels", action="append", help="channel to measure the texture in, or `all`"),
    argument("--texture-distance", type=int, default=TEXTURE.distance, metavar="PX"),
    argument("--texture-levels", type=int, default=TEXTURE.levels),
    argument("--texture-low", type=float, help="grey value of the lowest level; default: the smallest"),
    argument("--texture-high", type=float, help="grey value of the highest level; default: the largest"),
    argument("--neighbours-within", type=float, metavar="PX", help="count neighbours up to this distance"),
    argument("--children", type=Path, nargs="*", default=[], help="label maps of objects inside the objects"),
    argument("--children-name", action="append", default=[], help="name of each of them in columns"),
    argument("--children-grey", action="store_true", help="grey values within and outside of the children"),
    argument("--ring", type=int, metavar="PX", help="grey values in a ring of this width around each object"),
    argument("--output-children", type=Path, help="table of the children, TSV"),
    argument("--output-summary", type=Path, help="table of one row for the image, TSV"),
    argument("--output", type=Path, required=True, help="measurement table, TSV"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, measure, write."""
    labels = as_label_map(open_image(args.labels, f"of {args.image_name}" if args.image_name else None, beside(args)))
    image = open_image(args.image, args.image_name, reading_of(args)) if args.image else None
    name = " ".join((args.image_name or (args.image or args.labels).name).split())
    warn_of_oblong_pixels(image if image is not None and image.physical_size else labels)
    measured = list(measure_image(labels, image, options_of(args, image)))
    write_rows(outputs.file(args.output), object_columns(measured[0], labels), object_rows(measured, name, labels))
    if args.output_children:
        columns = children_columns(measured[0], labels)
        write_rows(outputs.file(args.output_children), columns, children_rows(measured, name, labels))
    if args.output_summary:
        row = summary_row(measured, name, labels)
        write_rows(outputs.file(args.output_summary), list(row), [list(row.values())])
    print(f"{name}: {sum(len(one.columns['label']) for one in measured)} objects measured")


if __name__ == "__main__":
    run_tool(main)
