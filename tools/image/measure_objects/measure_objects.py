#!/usr/bin/env python
"""Measures each object of a label map: shape, grey values in every channel, texture, neighbours, children."""

from __future__ import annotations

import csv
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.images.image_file import ImageFile, open_image
from bioimage_suite.images.label_maps import check_label_map, replaced_when_complete
from bioimage_suite.images.series import add_reading_arguments, beside, reading_of
from bioimage_suite.measurement.measured_columns import Measured, MeasureOptions, measure_body
from bioimage_suite.measurement.measured_summary import summary_row
from bioimage_suite.measurement.object_texture import TextureOptions, range_of

if TYPE_CHECKING:
    import numpy as np

Table = tuple[list[str], list[list[object]]]


def measure_image(labels: ImageFile, image: ImageFile | None, options: MeasureOptions) -> Iterator[Measured]:
    """Measure the objects of every plane, or in 3D of the volume of every time point.

    Args:
        labels: Opened label map.
        image: Opened image, or None to measure shapes only.
        options: What to measure besides shape and grey values.

    Yields:
        The measurements, one plane or volume after the other.

    Raises:
        UserError: Label map, image and children differ in size.
    """
    check_label_map(labels)
    for other in (image, *options.children.values()):
        if other is not None:
            _check_same_size(labels, other)
    for children in options.children.values():
        check_label_map(children)
    planes = list(range(labels.size_z))
    bodies = [planes] if options.volume and len(planes) > 1 else [[z] for z in planes]
    with ThreadPoolExecutor(2) as pool:
        for t in range(labels.size_t):
            for body in bodies:
                yield measure_body(labels, image, t, body, options, pool=pool)


def object_table(measured: Measured, name: str, labels: ImageFile) -> Table:
    """Return the header and rows of the objects of a plane or volume."""
    columns = dict(measured.columns)
    label = columns.pop("label").tolist()
    place = measured.place(labels)
    header = ["image", "label", *place, *columns]
    rows = zip(*map(_cells, columns.values()), strict=True)
    return header, [[name, number, *place.values(), *row] for number, row in zip(label, rows, strict=True)]


def children_table(measured: Measured, name: str, labels: ImageFile) -> Table:
    """Return the header and rows of the children on a plane or in a volume."""
    place = measured.place(labels)
    unit = measured.size_column
    header = ["image", "children", "label", *place, "parent_label", unit, f"inside_parent_{unit}"]
    return header, [
        [name, kind, label, *place.values(), parent or None, pixels, inside]
        for kind, found in measured.children.items()
        for label, parent, pixels, inside in zip(
            *(column.tolist() for column in (found.label, found.parent, found.pixels, found.inside)), strict=True
        )
    ]


def _cells(column: np.ndarray) -> list[object]:
    """Return the values of a column as written: NaN becomes an empty cell."""
    import numpy as np

    values = column.tolist()
    if not np.isnan(column).any():
        return values
    return [None if value != value else value for value in values]  # noqa: PLR0124 (only NaN differs from itself)


def _check_same_size(labels: ImageFile, image: ImageFile) -> None:
    sizes = [(one.size_t, one.size_z, one.size_y, one.size_x) for one in (labels, image)]
    if sizes[0] != sizes[1]:
        raise UserError(
            f"Label map {labels.name} is T, Z, Y, X = {sizes[0]}, image {image.name} is {sizes[1]}. "
            "Give the label map that was made from this image."
        )


def write_table(path: Path, tables: Iterator[Table]) -> int:
    """Write header and rows as tab-separated text.

    Returns:
        The number of rows.
    """
    count, header_written = 0, False
    with replaced_when_complete(path) as part, part.open("w", encoding="utf-8", newline="") as stream:
        # Galaxy's tabular format has no quotes: a tab or a line break in a name becomes a space.
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        for header, rows in tables:
            if not header_written:
                writer.writerow([" ".join(name.split()) for name in header])
                header_written = True
            writer.writerows(rows)
            count += len(rows)
    return count


def _arguments(argv: list[str] | None) -> Namespace:
    parser = ArgumentParser(description=__doc__)
    texture = TextureOptions()
    parser.add_argument("--labels", type=Path, required=True, help="label map")
    parser.add_argument("--image", type=Path, help="image of the same size; without it only shapes are measured")
    add_reading_arguments(parser)
    parser.add_argument("--image-name", help="value of the column `image`; default: the file's name")
    parser.add_argument("--volume", action="store_true", help="objects in 3D: planes are one volume")
    parser.add_argument("--texture-channels", action="append", help="channel to measure the texture in, or `all`")
    parser.add_argument("--texture-distance", type=int, default=texture.distance, metavar="PX")
    parser.add_argument("--texture-levels", type=int, default=texture.levels)
    parser.add_argument("--texture-low", type=float, help="grey value of the lowest level; default: the smallest")
    parser.add_argument("--texture-high", type=float, help="grey value of the highest level; default: the largest")
    parser.add_argument("--neighbours-within", type=float, metavar="PX", help="count neighbours up to this distance")
    parser.add_argument("--children", type=Path, nargs="*", default=[], help="label maps of objects inside the objects")
    parser.add_argument("--children-name", action="append", default=[], help="name of each of them in columns")
    parser.add_argument("--output-children", type=Path, help="table of the children, TSV")
    parser.add_argument("--output-summary", type=Path, help="table of one row for the image, TSV")
    parser.add_argument("--output", type=Path, required=True, help="measurement table, TSV")
    return parse_arguments(parser, argv)


def _options(args: Namespace, image: ImageFile | None) -> MeasureOptions:
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
    children = {name: open_image(path, name, beside(args)) for name, path in zip(names, args.children, strict=True)}
    ranges = {c: _texture_range(image, c, texture) for c in channels if image is not None}
    return MeasureOptions(args.volume, texture, ranges, args.neighbours_within, children)


def _texture_range(image: ImageFile, channel: int, texture: TextureOptions) -> tuple[float, float]:
    """Return the grey values at which the first level of texture begins and the last one ends."""
    low, high = texture.low, texture.high
    if low is None or high is None:
        planes = (image.read_plane(t, channel, z) for t in range(image.size_t) for z in range(image.size_z))
        smallest, largest = range_of(planes)
        low, high = smallest if low is None else low, largest if high is None else high
    return low, high


def main(argv: list[str] | None = None) -> None:
    """Parse, open, measure, write."""
    args = _arguments(argv)
    labels = open_image(args.labels, f"of {args.image_name}" if args.image_name else None, beside(args))
    image = open_image(args.image, args.image_name, reading_of(args)) if args.image else None
    name = " ".join((args.image_name or (args.image or args.labels).name).split())
    options = _options(args, image)
    kept: list[Measured] = []

    def tables() -> Iterator[Table]:
        for measured in measure_image(labels, image, options):
            kept.append(measured)
            yield object_table(measured, name, labels)

    with ExitStack() as stack:
        outputs = [path for path in (args.output, args.output_children, args.output_summary) if path]
        parts = {path: stack.enter_context(replaced_when_complete(path)) for path in outputs}
        count = write_table(parts[args.output], tables())
        if args.output_children:
            write_table(parts[args.output_children], (children_table(one, name, labels) for one in kept))
        if args.output_summary:
            write_table(parts[args.output_summary], iter([summary_row(kept, name, labels)]))
    print(f"{name}: {count} objects measured")


if __name__ == "__main__":
    run_tool(main)
