"""A label map as a movie: the overlaps of its objects from frame to frame, and the movie with new labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.label_objects import MovieObjects, frame_bands
from bioimage_suite.images.writers.label_maps import check_label_map
from bioimage_suite.tracking.linking import Overlaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.images.model.image_file import ImageFile


def as_movie(image: ImageFile, frames_along: str = "t") -> ImageFile:
    """Return the label map as a movie with time points; use z-planes as frames if requested.

    Raises:
        UserError: The image is not a label map, or its axes do not fit a movie along `frames_along`.
    """
    check_label_map(image)
    if frames_along == "z":
        if image.size_t > 1:
            raise UserError(
                f"Label map {image.name}: it has {image.size_t} time points, so its z-planes are no frames. "
                "Choose t as the axis of the frames."
            )
        read = image.read_region
        # The distance of two planes in the file is not a time.
        sizes = {axis: size for axis, size in image.physical_size.items() if axis != "z"}
        return replace(
            image, size_t=image.size_z, size_z=1, physical_size=sizes,
            read_region=lambda t, c, _z, rows, columns: read(0, c, t, rows, columns),
        )  # fmt: skip
    if image.size_t == 1 and image.size_z > 1:
        raise UserError(
            f"Label map {image.name}: it has one time point and {image.size_z} z-planes. "
            "If the planes are the frames of a movie, choose z as the axis of the frames."
        )
    return image


def overlaps_of(movie: ImageFile, objects: MovieObjects) -> Overlaps:
    """Find the pairs of objects in successive frames that share pixels, with their intersection over union."""
    parts = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))]
    starts = np.searchsorted(objects.frame, np.arange(movie.size_t + 1))
    for t in range(movie.size_t - 1):
        here, there = objects.label[starts[t] : starts[t + 1]], objects.label[starts[t + 1] : starts[t + 2]]
        if not len(here) or not len(there):
            continue
        shared = [np.zeros(0, np.int64)]
        for (_, _, a), (_, _, b) in zip(frame_bands(movie, t), frame_bands(movie, t + 1), strict=True):
            both = (a > 0) & (b > 0)
            shared.append(np.searchsorted(here, a[both]) * len(there) + np.searchsorted(there, b[both]))
        pairs, count = np.unique(np.concatenate(shared), return_counts=True)
        parts.append((pairs // len(there) + starts[t], pairs % len(there) + starts[t + 1], count))
    earlier, later, count = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Overlaps(earlier, later, count / (objects.pixels[earlier] + objects.pixels[later] - count))


def relabelled(movie: ImageFile, objects: MovieObjects, new_label: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the movie with `new_label` of each object, as (rows, X) int32 bands, z running faster than t."""
    starts = np.searchsorted(objects.frame, np.arange(movie.size_t + 1))
    for t in range(movie.size_t):
        old = np.concatenate([[0], objects.label[starts[t] : starts[t + 1]]])
        new = np.concatenate([[0], new_label[starts[t] : starts[t + 1]]]).astype(np.int32)
        for _, _, band in frame_bands(movie, t):
            yield new[np.searchsorted(old, band)]
