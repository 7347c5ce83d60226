"""The objects of a label map in every time point: pixels and centroid of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.bands import bands
from bioimage_suite.images.model.label_runs import distinct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.images.model.image_file import ImageFile


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


def measure_movie(movie: ImageFile) -> MovieObjects:
    """Find every object of every frame and measure its pixels and centroid.

    Args:
        movie: Label map; a label may stand for different objects in different frames.

    Raises:
        UserError: A label is negative.
    """
    found = [np.zeros((0, 6))]
    for t in range(movie.size_t):
        sums = np.concatenate([_band_sums(band, z, y) for z, y, band in frame_bands(movie, t)])
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


def frame_bands(movie: ImageFile, t: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield all pixels of a frame in bands of whole rows: z, first row, (rows, X) labels."""
    for z in range(movie.size_z):
        read = movie.plane_reader(t, 0, z)
        for first, last in bands(movie.size_y, movie.size_x):
            yield z, first, read(first, last)


def _band_sums(band: np.ndarray, z: int, first_row: int) -> np.ndarray:
    """Return (n, 5) label, pixels and sums of z, y, x of each label in a band."""
    y, x = np.nonzero(band)
    ids, index = distinct(band[y, x])
    count = np.bincount(index, minlength=len(ids))
    sum_y = np.bincount(index, y, len(ids)) + first_row * count
    return np.column_stack([ids, count, z * count, sum_y, np.bincount(index, x, len(ids))])
