"""Segmentation of whole images: objects of every plane or volume, and cells grown around nuclei."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.scratch import on_disk, release
from bioimage_suite.images.model.bands import rows_of
from bioimage_suite.images.model.planes import planes_of, z_step
from bioimage_suite.segmentation import foreground_mask, grow_cells, object_size, split_objects
from bioimage_suite.segmentation.threshold_methods import GLOBAL_METHODS, global_threshold, low_and_high

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.images.model.bands import RowReader
    from bioimage_suite.images.model.image_file import ImageFile

Splitting = split_objects.SplitOptions | object_size.SplitBySize


def segment_plane(
    read_smoothed: RowReader,
    shape: tuple[int, int],
    foreground: foreground_mask.ForegroundOptions,
    split: Splitting,
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
        threshold: Grey level; brighter pixels are foreground. For the local methods see `plane_threshold`.
        first_label: Label of the first object.

    Yields:
        (rows, X) int32 bands of labels that together make the plane.
    """
    foreground = _completed(read_smoothed, shape, foreground, threshold)
    mask = foreground_mask.foreground_mask(read_smoothed, *shape, foreground, threshold)
    if isinstance(split, object_size.SplitBySize):
        split = split.for_radius(object_size.radius_in_plane(mask))
    return split_objects.label_bands(mask, split, first_label, read_smoothed)


def _completed(
    read_smoothed: RowReader,
    shape: tuple[int, int],
    options: foreground_mask.ForegroundOptions,
    threshold: float,
) -> foreground_mask.ForegroundOptions:
    """Return options that lack nothing: the low level of hysteresis, or the square of the local methods.

    The low level is that of Multi-Otsu, at most the high one; the square follows the objects above the threshold.
    """
    if options.method == "hysteresis" and options.low_threshold is None:
        low, _ = low_and_high(*foreground_mask.histogram(read_smoothed, *shape))
        return replace(options, low_threshold=min(low, threshold))
    if options.method not in foreground_mask.LOCAL_METHODS or options.local_size is not None:
        return options
    whole = replace(options, method=foreground_mask.FLOOR)
    if np.isnan(threshold):
        threshold = plane_threshold(read_smoothed, shape, whole)
    radius = object_size.radius_in_plane(foreground_mask.foreground_mask(read_smoothed, *shape, whole, threshold))
    return replace(options, local_size=object_size.local_size(radius))


def segment_image(
    image: ImageFile,
    channel: int,
    foreground: foreground_mask.ForegroundOptions,
    split: Splitting,
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
    split: Splitting,
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
            partial(image.read_plane, t, channel), shape, foreground, z_step(image)
        )
        threshold = shared if shared is not None else _volume_threshold(smoothed, foreground)
        rows = smoothed.reshape(-1, smoothed.shape[-1])
        squared = _completed(rows_of(rows), rows.shape, foreground, threshold)
        mask = volume_objects.foreground_volume(smoothed, squared, threshold)
        chosen, before = _for_volume(split, mask, z_step(image)), largest
        for plane in volume_objects.label_volume(mask, chosen, largest + 1, z_step(image), smoothed):
            largest = max(largest, int(plane.max(initial=0)))
            yield plane
        print(f"t={t}: {_level(foreground, threshold)}, {largest - before} objects", flush=True)


def _for_volume(split: Splitting, mask: np.ndarray, step: float) -> split_objects.SplitOptions:
    if isinstance(split, object_size.SplitBySize):
        return split.for_radius(object_size.radius_in_volume(mask, step), step)
    return split


def _level(foreground: foreground_mask.ForegroundOptions, threshold: float) -> str:
    if foreground.method in foreground_mask.LOCAL_METHODS:
        return "threshold local"
    return f"threshold {foreground.shown(threshold):g}"


def plane_threshold(
    read_smoothed: RowReader, shape: tuple[int, int], options: foreground_mask.ForegroundOptions
) -> float:
    """Return the threshold of one smoothed plane.

    For the local methods it is that of `foreground_mask.FLOOR`, or NaN if they need none because of their offset.
    """
    method = options.method
    if method in foreground_mask.LOCAL_METHODS and options.local_offset is None:
        method = foreground_mask.FLOOR
    if method in GLOBAL_METHODS:
        return global_threshold(method, *foreground_mask.histogram(read_smoothed, *shape))
    if method == "hysteresis" and options.manual_threshold is None:
        return low_and_high(*foreground_mask.histogram(read_smoothed, *shape))[1]
    return options.manual_threshold if options.manual_threshold is not None else float("nan")


def _volume_threshold(smoothed: np.ndarray, options: foreground_mask.ForegroundOptions) -> float:
    """Return the threshold of a smoothed volume, computed from all its planes together."""
    rows = smoothed.reshape(-1, smoothed.shape[-1])
    return plane_threshold(rows_of(rows), rows.shape, options)


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
        labels = on_disk(shape, nuclei.dtype)
        for z in range(image.size_z):
            labels[z] = nuclei.read_plane(t, 0, z)
            release(labels)
        smoothed, threshold = None, 0.0
        if channel is not None:
            smoothed = volume_objects.smoothed_volume(
                partial(image.read_plane, t, channel), shape, options.foreground, z_step(image)
            )
            threshold = _volume_threshold(smoothed, options.foreground)
        yield from grow_cells.cell_volume(labels, smoothed, options, threshold, z_step(image))
