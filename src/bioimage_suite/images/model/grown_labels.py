"""Objects of a label map that grow into the background: each pixel near objects belongs to the nearest one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.scratch import on_disk, planes_in_turn, release
from bioimage_suite.images.model.bands import RowReader, bands

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_ROWS = 256  # rows of a volume that grow at once


def grown_bands(read: RowReader, shape: tuple[int, int], distance: int) -> Iterator[np.ndarray]:
    """Yield bands of a plane where each pixel at most `distance` from an object belongs to the nearest one.

    Equals skimage.segmentation.expand_labels.

    Args:
        read: Returns rows of the label map.
        shape: Rows and columns of the plane.
        distance: Largest distance, px.
    """
    for first, last in bands(*shape):
        top, bottom = max(0, first - distance), min(shape[0], last + distance)
        yield _expanded(read(top, bottom), distance, 1.0)[first - top : last - top]


def grown_planes(labels: np.ndarray, distance: int, z_step: float) -> Iterator[np.ndarray]:
    """Yield the planes of a (Z, Y, X) int32 label map that grows in 3D, block by block.

    Args:
        labels: The label map.
        distance: Largest distance in pixels of the plane.
        z_step: Distance of two planes in pixels of the plane.
    """
    depth, height, _ = labels.shape
    grown = on_disk(labels.shape, np.int32)
    flat = math.floor(distance / z_step)
    for z in range(0, depth, flat + 1):
        for y in range(0, height, BLOCK_ROWS):
            start, end = (z, y), (min(depth, z + flat + 1), min(height, y + BLOCK_ROWS))
            low = (max(0, z - flat), max(0, y - distance))
            around = labels[low[0] : end[0] + flat, low[1] : end[1] + distance]
            block = _expanded(around, distance, z_step)[z - low[0] :, y - low[1] :]
            grown[z : end[0], y : end[1]] = block[: end[0] - start[0], : end[1] - start[1]]
        release(grown)
        release(labels)
    yield from planes_in_turn(grown)


def _expanded(labels: np.ndarray, distance: int, z_step: float) -> np.ndarray:
    """Give background within `distance` the label of the nearest object, in a (Y, X) or (Z, Y, X) label map."""
    from scipy import ndimage

    sampling = (z_step, 1.0, 1.0)[-labels.ndim :]
    away, nearest = ndimage.distance_transform_edt(labels == 0, sampling=sampling, return_indices=True)
    return np.where(away <= distance, labels[tuple(nearest)], 0).astype(np.int32)
