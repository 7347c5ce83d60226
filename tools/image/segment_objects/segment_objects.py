#!/usr/bin/env python
"""Finds the objects of an image by their brightness and writes them as a label map, plane by plane or in 3D."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.images.model.image_file import ImageFile, with_numbers_only
from bioimage_suite.images.model.series import READING, Reading, reading_of
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import write_label_map
from bioimage_suite.segmentation.dark_objects import for_inverted, inverted
from bioimage_suite.segmentation.foreground_mask import METHODS, ForegroundOptions
from bioimage_suite.segmentation.grow_cells import CellOptions
from bioimage_suite.segmentation.object_size import SplitBySize
from bioimage_suite.segmentation.shared_threshold import ListedImages, shared_threshold
from bioimage_suite.segmentation.threshold_methods import GLOBAL_METHODS
from bioimage_suite.segmentation.whole_images import grow_image, grow_volumes, segment_image, segment_volumes

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

FOREGROUND, SPLIT = ForegroundOptions(), SplitBySize()


def cell_options(args: Namespace) -> CellOptions | None:
    """Return how cells grow; None if no cells are requested.

    Raises:
        UserError: An option is out of range, or there is no output for the cells.
    """
    if not args.cells_by:
        return None
    if not args.output_cells:
        raise UserError("Cells: no file was given to write them to. Add --output-cells.")
    foreground = ForegroundOptions(0, args.smoothing_sigma, args.cell_method, args.cell_manual_threshold)
    options = CellOptions(args.cells_by, foreground, args.cell_distance)
    options.check()
    return options


def seen(image: ImageFile, dark: bool) -> ImageFile:
    """Return the image as it is segmented: with an error for pixels that are no numbers, inverted for dark objects."""
    checked = with_numbers_only(image)
    return inverted(checked) if dark else checked


def foreground_options(args: Namespace, image: ImageFile) -> ForegroundOptions:
    """Return how foreground is found in the image as it is segmented.

    Raises:
        UserError: An option is out of range.
    """
    options = ForegroundOptions(
        args.background_radius, args.smoothing_sigma, args.method, args.manual_threshold, args.local_size,
        args.local_offset, not args.keep_holes, args.low_threshold,
    )  # fmt: skip
    options = for_inverted(options, image.dtype) if args.dark else options
    options.check()
    return options


def threshold_of_list(args: Namespace, image: ImageFile, options: ForegroundOptions, volume: bool) -> float | None:
    """Return the threshold that all planes of this image or of the list share; None if each has its own."""
    if args.threshold_images:
        names = args.threshold_name or [None] * len(args.threshold_images)
        files = tuple(zip(args.threshold_images, names, strict=True))
        return threshold_of_files(files, (reading_of(args), args.dark), args.channel, options, volume)
    return shared_threshold([image], args.channel, options, volume) if args.one_threshold else None


@cache
def threshold_of_files(
    files: tuple[tuple[Path, str | None], ...], opened: tuple[Reading, bool], channel: str,
    options: ForegroundOptions, volume: bool,
) -> float | None:  # fmt: skip
    """Return the threshold that files share; in a job over a list each process computes it once.

    Args:
        files: Path and name of each.
        opened: Which image of a file is read, and whether its objects are dark.
        channel: Name or index of the channel.
        options: How foreground is found.
        volume: Whether objects are in 3D.
    """
    reading, dark = opened
    paths, names = zip(*files, strict=True)
    images = ListedImages(list(paths), list(names), reading, partial(seen, dark=dark))
    return shared_threshold(images, channel, options, volume)


@tool(
    __doc__,
    argument("--image", type=Path, required=True),
    *READING,
    argument("--image-name", help="name of the image in messages"),
    argument("--channel", default="0", help="name, or index counted from 0"),
    argument("--volume", action="store_true", help="objects in 3D: planes are one volume"),
    argument("--background-radius", type=int, default=FOREGROUND.background_radius, metavar="PX"),
    argument("--smoothing-sigma", type=float, default=FOREGROUND.smoothing_sigma, metavar="PX"),
    argument("--method", choices=METHODS, default=FOREGROUND.method),
    argument("--one-threshold", action="store_true", help="one threshold for all planes"),
    argument("--threshold-images", type=Path, nargs="*", help="images that share one threshold"),
    argument("--threshold-name", action="append", help="name of each of them in messages"),
    argument("--dark", action="store_true", help="objects are darker than their surroundings"),
    argument("--manual-threshold", type=float, help="grey level; for hysteresis that of the cores"),
    argument("--low-threshold", type=float, help="grey level of the dim parts for hysteresis"),
    argument("--local-size", type=int, metavar="PX", help="default: 6 radii of a usual object"),
    argument("--local-offset", type=float, help="default: 0, and only pixels above the threshold li of the plane"),
    argument("--keep-holes", action="store_true"),
    argument("--seeds", choices=["automatic", "distance", "intensity", "none"], default=SPLIT.seeds),
    argument("--seed-distance", type=int, metavar="PX", help="default: 0.8 radii of a usual object, in 3D 0.3"),
    argument("--seed-smoothing", type=float, metavar="PX", help="default: 0.2 radii of a usual object, in 3D 0.15"),
    argument("--min-area", type=int, metavar="PX", help="default: 0.15 of a usual object, in 3D 0.05"),
    argument("--max-area", type=int, metavar="PX"),
    argument("--clear-border", action="store_true"),
    argument("--cells-by", choices=["channel", "distance"], help="grow cells around the objects"),
    argument("--cell-channel", default="0", help="channel to grow over: name or index"),
    argument("--cell-method", choices=[*GLOBAL_METHODS, "manual"], default="otsu"),
    argument("--cell-manual-threshold", type=float),
    argument("--cell-distance", type=int, metavar="PX", help="largest distance of a cell from its nucleus"),
    argument("--output-cells", type=Path, help="label map of cells, OME-TIFF"),
    argument("--output", type=Path, required=True, help="label map, OME-TIFF"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, segment, write."""
    split = SplitBySize(
        args.seeds, args.seed_distance, args.seed_smoothing, args.min_area, args.max_area, args.clear_border
    )
    split.check()
    cells = cell_options(args)
    image = open_image(args.image, args.image_name, reading_of(args))
    foreground = foreground_options(args, image)
    segmented = seen(image, args.dark)
    channel = image.resolve_channel(args.channel)
    volume = args.volume and image.size_z > 1
    shared = threshold_of_list(args, segmented, foreground, volume)
    segment, grow = (segment_volumes, grow_volumes) if volume else (segment_image, grow_image)
    labels = outputs.file(args.output)
    count = write_label_map(labels, segment(segmented, channel, foreground, split, shared), image)
    if cells:
        nuclei = open_image(labels, f"of {image.name}")
        over = image.resolve_channel(args.cell_channel) if cells.by == "channel" else None
        write_label_map(outputs.file(args.output_cells), grow(with_numbers_only(image), nuclei, over, cells), image)
    print(f"{image.name}: {count} objects in channel {image.channel_label(channel)}")


if __name__ == "__main__":
    run_tool(main)
