"""The size of the objects in a foreground mask, and the options of splitting that follow from it.

In a disk of radius R, the distance d of the pixels to the background has a mean of R / 3 and a mean square of R² / 6,
so R is 2 sum(d²) / sum(d); in a ball the same sums give R as 2.5 sum(d²) / sum(d). Over a whole mask this is the mean
radius of its objects, in which large ones count more, and specks of noise hardly at all.

The shares of the radius were chosen on the annotated images of `benchmarks/bench_image_quality.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch import planes_in_turn, release
from bioimage_suite.segmentation.foreground_mask import is_all
from bioimage_suite.segmentation.split_objects import SplitOptions

# Distances above this count as this, px: pixels so far beyond a tile suffice to measure them.
LARGEST_DISTANCE = 256
TILE, MOST_TILES = 1024, 64  # side of a tile, px, and how many of a plane are measured: all of one of 8192 x 8192 px
MOST_VOXELS = 1 << 22  # a larger volume is measured on every second, third, ... voxel along each axis
SEED_DISTANCE, SEED_SMOOTHING, MIN_AREA = 0.8, 0.2, 0.15  # in radii; in areas of the disk, or volumes of the ball
# Objects in 3D touch more: seeds by shape and brightness, nearer to each other. A flat object of few planes has equal
# distances, so some smoothing is always needed to find its middle.
VOLUME_SEED_DISTANCE, VOLUME_SEED_SMOOTHING, VOLUME_MIN_SIZE = 0.3, 0.15, 0.05
LEAST_VOLUME_DISTANCE, LEAST_VOLUME_SMOOTHING = 2, 1.0  # px
LOCAL_SIZE = 6  # edge of the square of the local thresholds, in radii: three diameters
LEAST_RADIUS = 2.5  # px; smaller objects have no shape by which to split them


@dataclass(frozen=True)
class SplitBySize:
    """How foreground becomes objects, where options that are None follow the size of the objects.

    Attributes:
        seeds: As for SplitOptions; `automatic` for `distance`, in a volume `both`.
        seed_distance: Least distance between two seeds, px; None for SEED_DISTANCE radii.
        seed_smoothing: Standard deviation of the Gaussian over the distances, px; None for SEED_SMOOTHING radii.
        min_area: Least size in pixels or voxels; None for MIN_AREA of a disk, VOLUME_MIN_SIZE of a ball.
        max_area: As for SplitOptions.
        clear_border: As for SplitOptions.
    """

    seeds: str = "automatic"
    seed_distance: int | None = None
    seed_smoothing: float | None = None
    min_area: int | None = None
    max_area: int | None = None
    clear_border: bool = False

    def check(self) -> None:
        """Reject given values out of range.

        Raises:
            UserError: An option is out of range; the message names it and its limits.
        """
        self.for_radius(LEAST_RADIUS).check()
        if self.max_area is not None and self.max_area < 1:
            raise UserError(f"Maximum area {self.max_area}: must be at least 1.")

    def for_radius(self, radius: float, z_step: float | None = None) -> SplitOptions:
        """Return the options for objects of a radius, px.

        Args:
            radius: Radius of a usual object.
            z_step: Distance of two planes in pixels of the plane, if objects are balls; None for disks.
        """
        radius = max(radius, LEAST_RADIUS)
        seeds = "distance" if self.seeds == "automatic" else self.seeds
        near, smoothing, size = SEED_DISTANCE * radius, SEED_SMOOTHING * radius, MIN_AREA * math.pi * radius**2
        if z_step is not None:
            seeds = "both" if self.seeds == "automatic" else seeds
            near = max(VOLUME_SEED_DISTANCE * radius, LEAST_VOLUME_DISTANCE)
            smoothing = max(VOLUME_SEED_SMOOTHING * radius, LEAST_VOLUME_SMOOTHING)
            size = VOLUME_MIN_SIZE * 4 / 3 * math.pi * radius**3 / z_step
        least = round(size if self.max_area is None else min(size, self.max_area))
        return SplitOptions(
            seeds,
            min(round(near), 1000) if self.seed_distance is None else self.seed_distance,
            min(smoothing, 100.0) if self.seed_smoothing is None else self.seed_smoothing,
            least if self.min_area is None else self.min_area,
            self.max_area,
            self.clear_border,
        )


def radius_in_plane(mask: np.ndarray) -> float:
    """Return the radius of a usual object in a (Y, X) bool mask, px; 0 without foreground, or without background."""
    return 0.0 if is_all(mask) else _radius(_distances(mask))


def radius_in_volume(mask: np.ndarray, z_step: float) -> float:
    """Return the radius of a usual object in a (Z, Y, X) uint8 mask, px of the plane; 0 without foreground.

    What lies outside of the volume counts as background.
    """
    from scipy.ndimage import distance_transform_edt

    step = 1
    while math.prod(-(-side // step) for side in mask.shape) > MOST_VOXELS:
        step += 1
    planes = []
    for plane in planes_in_turn(mask[::step]):
        planes.append(plane[::step, ::step].copy())
    part = np.pad(np.stack(planes), 1)
    distance = distance_transform_edt(part, sampling=(step * z_step, step, step))
    total = float(distance.sum())
    return 2.5 * float((distance**2).sum()) / total if total else 0.0


def local_size(radius: float) -> int:
    """Return the edge of the square of the local thresholds for objects of a radius, px, odd."""
    return 2 * round(LOCAL_SIZE * max(radius, LEAST_RADIUS) / 2) + 1


def _distances(mask: np.ndarray) -> np.ndarray:
    """Return the number of foreground pixels by the square of their distance to the background, int64.

    Squares are whole numbers, so the result does not depend on the cuts between tiles. Of a plane with more than
    MOST_TILES tiles some are left out, evenly.
    """
    import cv2

    counts = np.zeros(LARGEST_DISTANCE**2 + 1, np.int64)
    height, width = mask.shape
    corners = [(y, x) for y in range(0, height, TILE) for x in range(0, width, TILE)]
    for y, x in corners[:: -(-len(corners) // MOST_TILES)]:
        top, left = max(0, y - LARGEST_DISTANCE), max(0, x - LARGEST_DISTANCE)
        around = mask[top : y + TILE + LARGEST_DISTANCE, left : x + TILE + LARGEST_DISTANCE]
        part = np.ascontiguousarray(around).view(np.uint8)
        distance = cv2.distanceTransform(part, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        release(mask)
        distance = distance[y - top : y - top + TILE, x - left : x - left + TILE]
        squares = np.rint(np.square(np.minimum(distance, LARGEST_DISTANCE))).astype(np.int32)
        counts += np.bincount(squares.ravel(), minlength=len(counts))
    counts[0] = 0
    return counts


def _radius(counts: np.ndarray) -> float:
    squares = np.arange(len(counts))
    total = float(np.sqrt(squares) @ counts)
    return 2 * float(squares @ counts) / total if total else 0.0
