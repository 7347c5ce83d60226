"""Growth of cells around nuclei: over the foreground of another channel, or by a distance.

A cell has the label of its nucleus.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch import on_disk, planes_in_turn, release
from bioimage_suite.images.model.bands import RowReader, bands
from bioimage_suite.images.model.grown_labels import grown_bands, grown_planes
from bioimage_suite.segmentation import split_objects
from bioimage_suite.segmentation.foreground_mask import ForegroundOptions, foreground_mask, smoothed_plane
from bioimage_suite.segmentation.threshold_methods import GLOBAL_METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class CellOptions:
    """How cells grow.

    Attributes:
        by: `channel` grows over the foreground of a channel, brightest pixels first; `distance` assigns pixels to the
            nearest nucleus.
        foreground: How the foreground of the channel is found.
        distance: Largest distance of a pixel of a cell from its nucleus (`distance`) or from any nucleus (`channel`),
            px; None for no limit.
    """

    by: str = "channel"
    foreground: ForegroundOptions = field(default_factory=ForegroundOptions)
    distance: int | None = None

    def check(self) -> None:
        """Reject values out of range.

        Raises:
            UserError: An option is out of range; the message names it and its limits.
        """
        self.foreground.check()
        if self.foreground.method not in (*GLOBAL_METHODS, "manual"):
            raise UserError(f"Cell threshold {self.foreground.method!r}: choose {', '.join(GLOBAL_METHODS)} or manual.")
        if self.by == "distance" and self.distance is None:
            raise UserError("Cells by distance: no distance was given. Set the largest distance from the nucleus.")
        if self.distance is not None and not 1 <= self.distance <= 1000:
            raise UserError(f"Cell distance {self.distance}: must lie between 1 and 1000 pixels.")


def cell_bands(
    read_nuclei: RowReader,
    shape: tuple[int, int],
    read_channel: RowReader | None,
    options: CellOptions,
    threshold: Callable[[RowReader], float],
) -> Iterator[np.ndarray]:
    """Grow the cells of a plane from its nuclei.

    Args:
        read_nuclei: Returns rows of the label map of nuclei.
        shape: Rows and columns of the plane.
        read_channel: Returns rows of the channel to grow over; not needed by distance.
        options: How cells grow.
        threshold: Returns the threshold of the smoothed channel; brighter pixels are foreground.

    Yields:
        (rows, X) int32 bands of the label map of cells.
    """
    if options.by == "distance" or read_channel is None:
        return grown_bands(read_nuclei, shape, options.distance or 0)
    smoothed = smoothed_plane(read_channel, *shape, options.foreground)
    mask = foreground_mask(smoothed, *shape, options.foreground, threshold(smoothed))
    keep_near(mask, read_nuclei, options.distance)
    return _grown_over(mask, read_nuclei, smoothed)


def keep_near(mask: np.ndarray, read_nuclei: RowReader, distance: int | None) -> None:
    """Change a (Y, X) bool mask: no foreground beyond `distance` of any nucleus (None keeps it), and all nuclei."""
    import cv2

    for first, last in bands(*mask.shape):
        reach = distance + 1 if distance is not None else 0
        top, bottom = max(0, first - reach), min(len(mask), last + reach)
        around = read_nuclei(top, bottom)
        band = mask[first:last]
        if distance is not None:
            away = cv2.distanceTransform((around == 0).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
            # Squared distances are whole numbers; OpenCV's last bit varies.
            band = band & (np.rint(away * away) <= distance**2)[first - top : last - top]
        mask[first:last] = band | (around[first - top : last - top] > 0)
        release(mask)


def _grown_over(mask: np.ndarray, read_nuclei: RowReader, smoothed: RowReader) -> Iterator[np.ndarray]:
    """Flood the foreground from the nuclei by skimage.segmentation.watershed, the brightest pixels first."""

    def prepare(band: tuple[int, int]) -> split_objects.LabelledRows:
        window = split_objects.complete_window(mask, *band, 1, 1)
        release(mask)
        return window

    def numbered() -> Iterator[tuple[int, np.ndarray]]:
        for window in split_objects.prepared_windows(mask.shape, prepare):
            rows = (window.top, window.top + len(window.labels))
            yield window.top, _flooded(window, read_nuclei(*rows).astype(np.int32), smoothed(*rows))

    return split_objects.joined_bands(mask.shape, numbered())


def _flooded(window: split_objects.LabelledRows, nuclei: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """Return the labels of the window's own components: that of their nucleus, or divided between several."""
    from skimage.segmentation import watershed

    inside = nuclei > 0
    pairs = np.unique(window.labels[inside].astype(np.int64) << 32 | nuclei[inside])
    component, nucleus = pairs >> 32, (pairs & 0xFFFFFFFF).astype(np.int32)
    count = np.bincount(component, minlength=len(window.stats))
    owned = np.zeros(len(window.stats), bool)
    owned[window.owned] = True
    lut = np.zeros(len(window.stats), np.int32)
    lut[component] = nucleus
    lut[~owned | (count != 1)] = 0
    labels = lut[window.labels]
    for number in np.flatnonzero(owned & (count > 1)).tolist():
        left, top, across, down = window.stats[number][:4].tolist()
        crop = (slice(top, top + down), slice(left, left + across))
        part = window.labels[crop] == number
        grown = watershed(-grey[crop].astype(np.float32), np.where(part, nuclei[crop], 0), mask=part)
        np.copyto(labels[crop], grown, where=part)
    array: np.ndarray = labels
    return array


def cell_volume(
    nuclei: np.ndarray, smoothed: np.ndarray | None, options: CellOptions, threshold: float, z_step: float
) -> Iterator[np.ndarray]:
    """Grow the cells of a volume, component by component.

    Args:
        nuclei: (Z, Y, X) int32 label map.
        smoothed: (Z, Y, X) smoothed channel to grow over; None by distance.
        options: How cells grow.
        threshold: Grey level; brighter voxels are foreground.
        z_step: Distance of two planes in pixels of the plane.

    Yields:
        (Y, X) int32 planes.
    """
    from skimage.segmentation import watershed

    from bioimage_suite.segmentation import volume_objects

    if options.by == "distance" or smoothed is None:
        yield from grown_planes(nuclei, options.distance or 0, z_step)
        return
    mask = volume_objects.foreground_volume(smoothed, options.foreground, threshold)
    if options.distance is not None:
        grown = grown_planes(nuclei, options.distance, z_step)
        for near, plane in zip(grown, planes_in_turn(mask), strict=True):
            plane[:] &= near > 0
    for nucleus, plane in zip(planes_in_turn(nuclei), planes_in_turn(mask), strict=True):
        plane[:] |= nucleus > 0
    found = volume_objects.components(mask)
    labels = on_disk(nuclei.shape, np.int32)
    for number, box in volume_objects.boxes_in_turn(found, labels, nuclei, smoothed):
        inside = found.inside(number, box)
        markers = np.where(inside, nuclei[box], 0)
        if not markers.any():
            continue
        volume_objects.check_divided(box, inside.size)
        divided = watershed(-smoothed[box].astype(np.float32), markers, mask=inside)
        np.copyto(labels[box], divided, where=inside)
    yield from planes_in_turn(labels)
