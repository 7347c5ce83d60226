#!/usr/bin/env python
"""Finds the objects of an image by their brightness and writes them as a label map, plane by plane or in 3D."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.images.image_file import ImageFile, open_image, with_numbers_only
from bioimage_suite.images.label_maps import replaced_when_complete, write_label_map
from bioimage_suite.images.series import add_reading_arguments, reading_of
from bioimage_suite.segmentation import foreground_mask, grow_cells, split_objects
from bioimage_suite.segmentation.shared_threshold import ListedImages, planes_of, shared_threshold, z_step
from bioimage_suite.segmentation.threshold_methods import GLOBAL_METHODS, global_threshold

if TYPE_CHECKING:
    import numpy as np


def segment_plane(
    read_smoothed: foreground_mask.RowReader,
    shape: tuple[int, int],
    foreground: foreground_mask.ForegroundOptions,
    split: split_objects.SplitOptions,
    threshold: float,
    *,
    first_label: int = 1,
) -> Iterator[np.ndarray]:
    """Segment the objects of one plane.

    Args:
        read_smoothed: Returns rows first..last-1 of the smoothed plane (`foreground_mask.smoothed_plane`).
        shape: Rows and columns of the plane.
        foreground: How foreground is found.
        split: How foreground becomes objects.
        threshold: Grey level; brighter pixels are foreground. Not used by the local methods.
        first_label: Label of the first object.

    Yields:
        (rows, X) int32 bands of labels that together make the plane.
    """
    mask = foreground_mask.foreground_mask(read_smoothed, *shape, foreground, threshold)
    return split_objects.label_bands(mask, split, first_label, read_smoothed)


def segment_image(
    image: ImageFile,
    channel: int,
    foreground: foreground_mask.ForegroundOptions,
    split: split_objects.SplitOptions,
    shared: float | None = None,
) -> Iterator[np.ndarray]:
    """Segment every plane of a channel; labels continue from plane to plane, so that each object has its own.

    Args:
        image: The opened image.
        channel: Index of the channel.
        foreground: How foreground is found.
        split: How foreground becomes objects.
        shared: Threshold of all planes; None if each has its own.

    Yields:
        (rows, X) int32 bands of labels, z running faster than t.
    """
    shape = (image.size_y, image.size_x)
    largest = 0
    for t, z in planes_of(image):
        smoothed = foreground_mask.smoothed_plane(image.plane_reader(t, channel, z), *shape, foreground)
        threshold = shared if shared is not None else plane_threshold(smoothed, shape, foreground)
        before = largest
        for band in segment_plane(smoothed, shape, foreground, split, threshold, first_label=largest + 1):
            largest = max(largest, int(band.max(initial=0)))
            yield band
        print(f"t={t} z={z}: {_level(foreground, threshold)}, {largest - before} objects", flush=True)


def segment_volumes(
    image: ImageFile,
    channel: int,
    foreground: foreground_mask.ForegroundOptions,
    split: split_objects.SplitOptions,
    shared: float | None = None,
) -> Iterator[np.ndarray]:
    """Segment the volume of every time point; arguments as for `segment_image`.

    Yields:
        (Y, X) int32 planes of labels, z running faster than t.
    """
    from bioimage_suite.segmentation import volume_objects

    shape, largest = (image.size_z, image.size_y, image.size_x), 0
    for t in range(image.size_t):
        smoothed = volume_objects.smoothed_volume(
            lambda z, t=t: image.read_plane(t, channel, z), shape, foreground, z_step(image)
        )
        threshold = shared if shared is not None else _volume_threshold(smoothed, foreground)
        mask = volume_objects.foreground_volume(smoothed, foreground, threshold)
        before = largest
        for plane in volume_objects.label_volume(mask, split, largest + 1, z_step(image), smoothed):
            largest = max(largest, int(plane.max(initial=0)))
            yield plane
        print(f"t={t}: {_level(foreground, threshold)}, {largest - before} objects", flush=True)


def _level(foreground: foreground_mask.ForegroundOptions, threshold: float) -> str:
    return "threshold local" if foreground.method in foreground_mask.LOCAL_METHODS else f"threshold {threshold:g}"


def plane_threshold(
    read_smoothed: foreground_mask.RowReader, shape: tuple[int, int], options: foreground_mask.ForegroundOptions
) -> float:
    """Return the threshold of one smoothed plane; NaN for the local methods, which have one per pixel."""
    if options.method in GLOBAL_METHODS:
        return global_threshold(options.method, *foreground_mask.histogram(read_smoothed, *shape))
    return options.manual_threshold if options.manual_threshold is not None else float("nan")


def _volume_threshold(smoothed: np.ndarray, options: foreground_mask.ForegroundOptions) -> float:
    """Return the threshold of a smoothed volume, computed from all its planes together."""
    rows = smoothed.reshape(-1, smoothed.shape[-1])
    return plane_threshold(lambda first, last: rows[first:last], rows.shape, options)


def grow_image(
    image: ImageFile, nuclei: ImageFile, channel: int | None, options: grow_cells.CellOptions
) -> Iterator[np.ndarray]:
    """Grow cells around the nuclei of every plane.

    Args:
        image: The opened image.
        nuclei: Its opened label map of nuclei.
        channel: Index of the channel to grow over, None by distance.
        options: How cells grow.

    Yields:
        (rows, X) int32 bands of labels, z running faster than t.
    """
    shape = (image.size_y, image.size_x)
    for t, z in planes_of(image):
        yield from grow_cells.cell_bands(
            nuclei.plane_reader(t, 0, z),
            shape,
            None if channel is None else image.plane_reader(t, channel, z),
            options,
            lambda smoothed: plane_threshold(smoothed, shape, options.foreground),
        )


def grow_volumes(
    image: ImageFile, nuclei: ImageFile, channel: int | None, options: grow_cells.CellOptions
) -> Iterator[np.ndarray]:
    """Grow cells around the nuclei of every volume, as (Y, X) int32 planes; arguments as for `grow_image`."""
    from bioimage_suite.segmentation import volume_objects

    shape = (image.size_z, image.size_y, image.size_x)
    for t in range(image.size_t):
        labels = volume_objects.on_disk(shape, nuclei.dtype)
        for z in range(image.size_z):
            labels[z] = nuclei.read_plane(t, 0, z)
        smoothed, threshold = None, 0.0
        if channel is not None:
            smoothed = volume_objects.smoothed_volume(
                lambda z, t=t: image.read_plane(t, channel, z), shape, options.foreground, z_step(image)
            )
            threshold = _volume_threshold(smoothed, options.foreground)
        yield from grow_cells.cell_volume(labels, smoothed, options, threshold, z_step(image))


def _arguments(argv: list[str] | None) -> Namespace:
    parser = ArgumentParser(description=__doc__)
    fore, split = foreground_mask.ForegroundOptions(), split_objects.SplitOptions()
    parser.add_argument("--image", type=Path, required=True)
    add_reading_arguments(parser)
    parser.add_argument("--image-name", help="name of the image in messages")
    parser.add_argument("--channel", default="0", help="name, or index counted from 0")
    parser.add_argument("--volume", action="store_true", help="objects in 3D: planes are one volume")
    parser.add_argument("--background-radius", type=int, default=fore.background_radius, metavar="PX")
    parser.add_argument("--smoothing-sigma", type=float, default=fore.smoothing_sigma, metavar="PX")
    parser.add_argument("--method", choices=foreground_mask.METHODS, default=fore.method)
    parser.add_argument("--one-threshold", action="store_true", help="one threshold for all planes")
    parser.add_argument("--threshold-images", type=Path, nargs="*", help="images that share one threshold")
    parser.add_argument("--threshold-name", action="append", help="name of each of them in messages")
    parser.add_argument("--manual-threshold", type=float)
    parser.add_argument("--local-size", type=int, default=fore.local_size, metavar="PX")
    parser.add_argument("--local-offset", type=float, default=fore.local_offset)
    parser.add_argument("--keep-holes", action="store_true")
    parser.add_argument("--seeds", choices=["distance", "intensity", "none"], default=split.seeds)
    parser.add_argument("--seed-distance", type=int, default=split.seed_distance, metavar="PX")
    parser.add_argument("--seed-smoothing", type=float, default=split.seed_smoothing, metavar="PX")
    parser.add_argument("--min-area", type=int, default=split.min_area, metavar="PX")
    parser.add_argument("--max-area", type=int, metavar="PX")
    parser.add_argument("--clear-border", action="store_true")
    parser.add_argument("--cells-by", choices=["channel", "distance"], help="grow cells around the objects")
    parser.add_argument("--cell-channel", default="0", help="channel to grow over: name or index")
    parser.add_argument("--cell-method", choices=[*GLOBAL_METHODS, "manual"], default="otsu")
    parser.add_argument("--cell-manual-threshold", type=float)
    parser.add_argument("--cell-distance", type=int, metavar="PX", help="largest distance of a cell from its nucleus")
    parser.add_argument("--output-cells", type=Path, help="label map of cells, OME-TIFF")
    parser.add_argument("--output", type=Path, required=True, help="label map, OME-TIFF")
    return parse_arguments(parser, argv)


def _threshold_of_list(
    args: Namespace, image: ImageFile, options: foreground_mask.ForegroundOptions, volume: bool
) -> float | None:
    """Return the threshold that all planes of this image or of the list share; None if each has its own."""
    images: Iterable[ImageFile] = [image]
    if args.threshold_images:
        images = ListedImages(
            args.threshold_images, args.threshold_name or [None] * len(args.threshold_images), reading_of(args)
        )
    elif not args.one_threshold:
        return None
    return shared_threshold(images, args.channel, options, volume)


def _write_cells(
    path: Path, image: ImageFile, nuclei: ImageFile, options: grow_cells.CellOptions, args: Namespace
) -> None:
    channel = image.resolve_channel(args.cell_channel) if options.by == "channel" else None
    grow = grow_volumes if args.volume and image.size_z > 1 else grow_image
    write_label_map(path, grow(image, nuclei, channel, options), image)


def main(argv: list[str] | None = None) -> None:
    """Parse, open, segment, write."""
    args = _arguments(argv)
    foreground = foreground_mask.ForegroundOptions(
        args.background_radius, args.smoothing_sigma, args.method, args.manual_threshold, args.local_size,
        args.local_offset, not args.keep_holes,
    )  # fmt: skip
    split = split_objects.SplitOptions(
        args.seeds, args.seed_distance, args.seed_smoothing, args.min_area, args.max_area, args.clear_border
    )
    foreground.check()
    split.check()
    cells = _cell_options(args)
    image = with_numbers_only(open_image(args.image, args.image_name, reading_of(args)))
    channel = image.resolve_channel(args.channel)
    volume = args.volume and image.size_z > 1
    shared = _threshold_of_list(args, image, foreground, volume)
    segment = segment_volumes if volume else segment_image
    with ExitStack() as stack:
        part = stack.enter_context(replaced_when_complete(args.output))
        count = write_label_map(part, segment(image, channel, foreground, split, shared), image)
        if cells:
            cells_part = stack.enter_context(replaced_when_complete(args.output_cells))
            _write_cells(cells_part, image, open_image(part, f"of {image.name}"), cells, args)
    print(f"{image.name}: {count} objects in channel {image.channel_label(channel)}")


def _cell_options(args: Namespace) -> grow_cells.CellOptions | None:
    """Return how cells grow; None if no cells are requested.

    Raises:
        UserError: An option is out of range, or there is no output for the cells.
    """
    if not args.cells_by:
        return None
    if not args.output_cells:
        raise UserError("Cells: no file was given to write them to. Add --output-cells.")
    foreground = foreground_mask.ForegroundOptions(
        0, args.smoothing_sigma, args.cell_method, args.cell_manual_threshold
    )
    options = grow_cells.CellOptions(args.cells_by, foreground, args.cell_distance)
    options.check()
    return options


if __name__ == "__main__":
    run_tool(main)
