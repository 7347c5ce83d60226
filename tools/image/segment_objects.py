#!/usr/bin/env python
"""Finds the objects of an image by their brightness and writes them as a label map, plane by plane over Z and T."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import foreground_mask
import split_objects
from image_file import ImageFile, open_image
from label_map_writer import write_label_map
from threshold_methods import GLOBAL_METHODS, global_threshold
from tool_arguments import parse_arguments
from tool_errors import UserError, run_tool

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
    """Segment one plane.

    Args:
        read_smoothed: Gives rows first..last-1 of the smoothed plane (`foreground_mask.smoothed_plane`).
        shape: Rows and columns of the plane.
        foreground: How foreground is found.
        split: How foreground becomes objects.
        threshold: Grey level; brighter is foreground. Not used by `local_mean`.
        first_label: Label of the first object.

    Yields:
        (rows, X) int32 bands of labels that together are the plane.
    """
    mask = foreground_mask.foreground_mask(read_smoothed, *shape, foreground, threshold)
    return split_objects.label_bands(mask, split, first_label, read_smoothed)


def segment_image(
    image: ImageFile,
    channel: int,
    foreground: foreground_mask.ForegroundOptions,
    split: split_objects.SplitOptions,
    one_threshold: bool = False,
) -> Iterator[np.ndarray]:
    """Segment every plane of a channel; labels run on from plane to plane, so that each object has its own.

    Args:
        image: The opened image.
        channel: Index of the channel.
        foreground: How foreground is found.
        split: How foreground becomes objects.
        one_threshold: Whether all planes share the threshold of their common histogram.

    Yields:
        (rows, X) int32 bands of labels, z running faster than t.
    """
    shape = (image.size_y, image.size_x)
    planes = [(t, z) for t in range(image.size_t) for z in range(image.size_z)]
    shared = _shared_threshold(image, channel, foreground, planes) if one_threshold else None
    largest = 0
    for t, z in planes:
        smoothed = foreground_mask.smoothed_plane(image.plane_reader(t, channel, z), *shape, foreground)
        threshold = shared if shared is not None else plane_threshold(smoothed, shape, foreground)
        before = largest
        for band in segment_plane(smoothed, shape, foreground, split, threshold, first_label=largest + 1):
            largest = max(largest, int(band.max(initial=0)))
            yield band
        level = "local" if foreground.method == "local_mean" else f"{threshold:g}"
        print(f"t={t} z={z}: threshold {level}, {largest - before} objects", flush=True)


def plane_threshold(
    read_smoothed: foreground_mask.RowReader, shape: tuple[int, int], options: foreground_mask.ForegroundOptions
) -> float:
    """Threshold of one smoothed plane; NaN for `local_mean`, which has one per pixel."""
    if options.method in GLOBAL_METHODS:
        return global_threshold(options.method, *foreground_mask.histogram(read_smoothed, *shape))
    return options.manual_threshold if options.manual_threshold is not None else float("nan")


def _shared_threshold(
    image: ImageFile, channel: int, options: foreground_mask.ForegroundOptions, planes: list[tuple[int, int]]
) -> float | None:
    """The threshold of the histogram of all planes together; None where the method has no histogram."""
    if options.method not in GLOBAL_METHODS:
        return None
    if image.dtype.kind != "u" or image.dtype.itemsize > 2:
        raise UserError(
            f"Image {image.name}: one threshold for all planes needs 8- or 16-bit unsigned pixels, these are "
            f"{image.dtype}. Convert the image, or choose a threshold per plane."
        )
    shape = (image.size_y, image.size_x)
    histograms = (
        foreground_mask.histogram(
            foreground_mask.smoothed_plane(image.plane_reader(t, channel, z), *shape, options), *shape
        )
        for t, z in planes
    )
    counts, levels = next(histograms)
    for more, _ in histograms:
        counts += more
    return global_threshold(options.method, counts, levels)


def _arguments(argv: list[str] | None) -> Namespace:
    parser = ArgumentParser(description=__doc__)
    fore, split = foreground_mask.ForegroundOptions(), split_objects.SplitOptions()
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--image-name", help="what messages call the image")
    parser.add_argument("--channel", default="0", help="name, or index counted from 0")
    parser.add_argument("--background-radius", type=int, default=fore.background_radius, metavar="PX")
    parser.add_argument("--smoothing-sigma", type=float, default=fore.smoothing_sigma, metavar="PX")
    parser.add_argument("--method", choices=[*GLOBAL_METHODS, "local_mean", "manual"], default=fore.method)
    parser.add_argument("--one-threshold", action="store_true", help="one threshold for all planes")
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
    parser.add_argument("--output", type=Path, required=True, help="label map, OME-TIFF")
    return parse_arguments(parser, argv)


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
    image = open_image(args.image, args.image_name)
    channel = image.resolve_channel(args.channel)
    bands = segment_image(image, channel, foreground, split, args.one_threshold)
    count = write_label_map(args.output, bands, image)
    print(f"{image.name}: {count} objects in channel {image.channel_label(channel)}")


if __name__ == "__main__":
    run_tool(main)
