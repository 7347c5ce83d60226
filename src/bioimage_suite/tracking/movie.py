"""Objects of a label-map movie: their positions in each frame, their overlaps, and the movie with new labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.image_file import ImageFile
from bioimage_suite.images.label_maps import check_label_map
from bioimage_suite.tracking.linking import Overlaps

if TYPE_CHECKING:
    import numpy as np

# Pixels processed at once: this bounds the memory, at about 60 bytes a pixel.
BAND_PIXELS = 1 << 22


@dataclass(frozen=True)
class MovieObjects:
    """The objects of a movie, sorted by frame and label.

    Attributes:
        frame: (n,) int64, from 0.
        label: (n,) int64, as in the label map.
        pixels: (n,) int64, pixels of the object in the frame.
        centroid: (n, 3) float64, mean z, y, x of its pixels, in pixels; the centre of the first pixel is 0.
    """

    frame: np.ndarray
    label: np.ndarray
    pixels: np.ndarray
    centroid: np.ndarray


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
            read_region=lambda t, c, z, rows, columns: read(0, c, t, rows, columns),
        )  # fmt: skip
    if image.size_t == 1 and image.size_z > 1:
        raise UserError(
            f"Label map {image.name}: it has one time point and {image.size_z} z-planes. "
            "If the planes are the frames of a movie, choose z as the axis of the frames."
        )
    return image


def measure_movie(movie: ImageFile) -> MovieObjects:
    """Find every object of every frame and measure its pixels and centroid.

    Args:
        movie: Label map; a label may stand for different objects in different frames.

    Raises:
        UserError: A label is negative.
    """
    import numpy as np

    found = [np.zeros((0, 6))]
    for t in range(movie.size_t):
        sums = np.concatenate([_band_sums(band, z, y) for z, y, band in _bands(movie, t)])
        ids, index = np.unique(sums[:, 0], return_inverse=True)
        if len(ids) and ids[0] < 0:
            raise UserError(f"Label map {movie.name}: frame {t} has the label {ids[0]:.0f}. Labels are 0 or more.")
        total = np.stack([np.bincount(index, sums[:, k], len(ids)) for k in range(1, 5)], axis=1)
        found.append(np.column_stack([np.full(len(ids), t), ids, total]))
    table = np.concatenate(found)
    pixels = table[:, 2]
    return MovieObjects(
        frame=table[:, 0].astype(np.int64), label=table[:, 1].astype(np.int64), pixels=pixels.astype(np.int64),
        centroid=table[:, 3:6] / pixels[:, None],
    )  # fmt: skip


def _bands(movie: ImageFile, t: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield all pixels of a frame in bands of whole rows: z, first row, (rows, X) labels."""
    rows = max(1, BAND_PIXELS // movie.size_x)
    for z in range(movie.size_z):
        read = movie.plane_reader(t, 0, z)
        for y in range(0, movie.size_y, rows):
            yield z, y, read(y, min(y + rows, movie.size_y))


def _band_sums(band: np.ndarray, z: int, first_row: int) -> np.ndarray:
    """Return (n, 5) label, pixels and sums of z, y, x of each label in a band."""
    import numpy as np

    y, x = np.nonzero(band)
    ids, index = _compact(band[y, x])
    count = np.bincount(index, minlength=len(ids))
    sum_y = np.bincount(index, y, len(ids)) + first_row * count
    return np.column_stack([ids, count, z * count, sum_y, np.bincount(index, x, len(ids))])


def _compact(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct values, and the index of each value among them; by a table if their range is small."""
    import numpy as np

    values = values.astype(np.int64)
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    if high - low > 4 * len(values) + 65_536:
        return np.unique(values, return_inverse=True)
    present = np.zeros(high - low + 1, bool)
    present[values - low] = True
    place = np.cumsum(present) - 1
    ids = np.flatnonzero(present) + low if len(values) else np.zeros(0, np.int64)
    return ids, place[values - low]


def overlaps_of(movie: ImageFile, objects: MovieObjects) -> Overlaps:
    """Find the pairs of objects in successive frames that share pixels, with their intersection over union."""
    import numpy as np

    parts = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))]
    starts = np.searchsorted(objects.frame, np.arange(movie.size_t + 1))
    for t in range(movie.size_t - 1):
        here, there = objects.label[starts[t] : starts[t + 1]], objects.label[starts[t + 1] : starts[t + 2]]
        if not len(here) or not len(there):
            continue
        shared = [np.zeros(0, np.int64)]
        for (_, _, a), (_, _, b) in zip(_bands(movie, t), _bands(movie, t + 1), strict=True):
            both = (a > 0) & (b > 0)
            shared.append(np.searchsorted(here, a[both]) * len(there) + np.searchsorted(there, b[both]))
        pairs, count = np.unique(np.concatenate(shared), return_counts=True)
        parts.append((pairs // len(there) + starts[t], pairs % len(there) + starts[t + 1], count))
    earlier, later, count = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Overlaps(earlier, later, count / (objects.pixels[earlier] + objects.pixels[later] - count))


def relabelled(movie: ImageFile, objects: MovieObjects, new_label: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the movie with `new_label` of each object, as (rows, X) int32 bands, z running faster than t."""
    import numpy as np

    starts = np.searchsorted(objects.frame, np.arange(movie.size_t + 1))
    for t in range(movie.size_t):
        old = np.concatenate([[0], objects.label[starts[t] : starts[t + 1]]])
        new = np.concatenate([[0], new_label[starts[t] : starts[t + 1]]]).astype(np.int32)
        for _, _, band in _bands(movie, t):
            yield new[np.searchsorted(old, band)]
