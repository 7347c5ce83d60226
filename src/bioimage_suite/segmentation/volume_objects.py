"""Objects in 3D from grey values: smoothing, threshold, holes, components and watershed over all z-planes.

Planes are read one after the other, and results are in files on disk, so that memory is bounded by some planes and
the largest object. Distances are in pixels of the plane; the physical sizes define the step along z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch import on_disk, planes_in_turn, release
from bioimage_suite.images.model.bands import rows_of
from bioimage_suite.segmentation import foreground_mask
from bioimage_suite.segmentation.split_objects import SplitOptions, in_steps, spaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Most voxels in the box of an object to divide: about 1 GB for the distances and the watershed.
DIVIDED_VOXELS = 1 << 25
HELD_ROWS = 1 << 10  # rows of the boxes of objects in memory together, each with up to 64 KiB of its surroundings
DIM = 0.1  # what a distance counts at the dimmest voxel of a component, as a share of that at the brightest


Box = tuple[slice, ...]


def planes_of_box(array: np.ndarray, box: Box) -> Iterator[np.ndarray]:
    """Yield the planes of a box of an array on disk, of which few are in memory together."""
    held = 0
    for z in range(box[0].start, box[0].stop):
        plane = array[z][box[1:]]
        yield plane
        held += len(plane)
        if held > HELD_ROWS:
            release(array)
            held = 0


@dataclass(frozen=True)
class Components:
    """The connected components (by faces) of a volume.

    Attributes:
        parts: (Z, Y, X) int32 number of the part, which is a component of one plane; 0 outside.
        owner: (parts + 1,) int64 component of each part, from 0 in the order of the first voxel; -1 for part 0.
        size: (components,) int64 number of voxels.
        low: (components, 3) int64 first z, y, x of the box.
        high: (components, 3) int64 z, y, x after the last.
    """

    parts: np.ndarray
    owner: np.ndarray
    size: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def inside(self, number: int, box: Box) -> np.ndarray:
        """Return which voxels of a box belong to a component, (Z, Y, X) bool."""
        return np.stack([self.owner[parts] == number for parts in planes_of_box(self.parts, box)])

    def touch_border(self) -> np.ndarray:
        """Return which components touch one of the six faces of the volume, (components,) bool."""
        array: np.ndarray = (self.low == 0).any(axis=1) | (self.high == self.parts.shape).any(axis=1)
        return array


def smoothed_volume(
    read_plane: Callable[[int], np.ndarray],
    shape: tuple[int, int, int],
    options: foreground_mask.ForegroundOptions,
    z_step: float,
) -> np.ndarray:
    """Subtract the background plane by plane and smooth in 3D.

    Args:
        read_plane: Returns the (Y, X) plane of an index.
        shape: Z, Y, X.
        options: Radius and sigma; the standard deviation along z is `smoothing_sigma / z_step` planes.
        z_step: Distance of two planes in pixels of the plane.

    Returns:
        (Z, Y, X) array on disk: uint8 and uint16 keep their type, every other type becomes float32. Equals
        skimage.filters.gaussian(mode="nearest", truncate=4), rounded for integers.
    """
    import cv2

    depth, height, _ = shape
    sigma = options.smoothing_sigma / z_step
    radius = foreground_mask.gaussian_radius(sigma)
    weights = cv2.getGaussianKernel(2 * radius + 1, sigma)[:, 0] if radius else np.ones(1)
    ready: dict[int, np.ndarray] = {}
    volume: np.ndarray | None = None
    for z in range(depth):
        around = [min(max(other, 0), depth - 1) for other in range(z - radius, z + radius + 1)]
        for other in sorted({*around} - {*ready}):
            plane = read_plane(other)
            if volume is None:
                kept = plane.dtype if plane.dtype in (np.uint8, np.uint16) else np.dtype(np.float32)
                volume = on_disk(shape, kept)
            ready[other] = foreground_mask.smoothed_rows(rows_of(plane), height, options, 0, height, rounded=False)
        ready = {other: plane for other, plane in ready.items() if other >= around[0]}
        assert volume is not None
        total = sum(ready[other] * np.float32(weight) for other, weight in zip(around, weights, strict=True))
        volume[z] = np.rint(total) if volume.dtype.kind == "u" else total
        release(volume)
    assert volume is not None
    return volume


def foreground_volume(smoothed: np.ndarray, options: foreground_mask.ForegroundOptions, threshold: float) -> np.ndarray:
    """Separate foreground from background: local methods by plane, holes in 3D (scipy.ndimage.binary_fill_holes).

    Returns:
        (Z, Y, X) uint8 array on disk, 1 is foreground.
    """
    import dataclasses

    mask = on_disk(smoothed.shape, np.uint8)
    flat, level = dataclasses.replace(options, fill_holes=False), threshold
    if options.method == "hysteresis":
        assert options.low_threshold is not None
        flat, level = dataclasses.replace(flat, method="manual"), options.low_threshold
    for z, plane in enumerate(planes_in_turn(smoothed)):
        mask[z] = foreground_mask.foreground_mask(rows_of(plane), plane.shape[0], plane.shape[1], flat, level)
        release(mask)
    if options.method == "hysteresis":
        _connected_to_cores(mask, smoothed, threshold)
    if options.fill_holes:
        outside = components(mask, background=True)
        is_hole = np.append(~outside.touch_border(), False)  # the last entry is for owner -1
        for parts, plane in zip(planes_in_turn(outside.parts), planes_in_turn(mask), strict=True):
            plane[:] |= is_hole[outside.owner[parts]]
    return mask


def _connected_to_cores(mask: np.ndarray, smoothed: np.ndarray, high: float) -> None:
    """Keep the components of a (Z, Y, X) mask, by faces, that have a voxel above `high`."""
    found = components(mask)
    has_core = np.zeros(len(found.size) + 1, np.uint8)
    for parts, plane in zip(planes_in_turn(found.parts), planes_in_turn(smoothed), strict=True):
        has_core[found.owner[parts[plane > high]]] = 1
    has_core[-1] = 0  # the entry of the background, whose owner is -1
    for parts, plane in zip(planes_in_turn(found.parts), planes_in_turn(mask), strict=True):
        plane[:] = has_core[found.owner[parts]]


def components(mask: np.ndarray, background: bool = False) -> Components:
    """Find the connected components of a volume: those of each plane by OpenCV, joined where planes overlap.

    Args:
        mask: (Z, Y, X) uint8, 1 is foreground.
        background: Whether to take the zeros instead.
    """
    import cv2

    parts = on_disk(mask.shape, np.int32)
    boxes, edges, count = [np.zeros((0, 8), np.int64)], [np.zeros((0, 2), np.int64)], 0
    for z, plane in enumerate(planes_in_turn(mask)):
        wanted = np.equal(plane, 0).view(np.uint8) if background else np.ascontiguousarray(plane)
        found, labels, stats, _ = cv2.connectedComponentsWithStats(wanted, connectivity=4)
        first = np.zeros(found, np.int64)
        first[labels.ravel()[::-1]] = np.arange(labels.size - 1, -1, -1)  # reversed: the first pixel is written last
        left, top, across, down, area = stats[1:].astype(np.int64).T
        level = np.full(found - 1, z)
        boxes.append(np.stack([level, top, left, level + 1, top + down, left + across, area,
                               first[1:] + z * labels.size], axis=1))  # fmt: skip
        np.add(labels, count, out=parts[z], where=labels > 0)
        if z:
            both = (parts[z - 1] > 0) & (labels > 0)
            pairs = np.unique(parts[z - 1][both].astype(np.int64) << 32 | parts[z][both])
            edges.append(np.stack([pairs >> 32, pairs & 0xFFFFFFFF], axis=1) - 1)
        count += found - 1
        release(parts)
    return _joined(parts, np.concatenate(boxes), np.concatenate(edges))


def _joined(parts: np.ndarray, boxes: np.ndarray, edges: np.ndarray) -> Components:
    """Join parts along edges; boxes are (parts, 8): low z, y, x, high z, y, x, size, first voxel."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(edges), np.int8), edges.T), shape=(len(boxes), len(boxes)))
    count, owner = connected_components(graph, directed=False)
    low, high = np.full((count, 3), np.iinfo(np.int64).max), np.zeros((count, 3), np.int64)
    first = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(low, owner, boxes[:, :3])
    np.maximum.at(high, owner, boxes[:, 3:6])
    np.minimum.at(first, owner, boxes[:, 7])
    size = np.bincount(owner, boxes[:, 6], count).astype(np.int64)
    order = np.argsort(first)
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    return Components(parts, np.append(-1, rank[owner]), size[order], low[order], high[order])


def boxes_in_turn(found: Components, *arrays: np.ndarray | None) -> Iterator[tuple[int, Box]]:
    """Yield number and box of each component, so that of arrays on disk only some boxes are in memory."""
    passed = 0
    for number, (low, high) in enumerate(zip(found.low.tolist(), found.high.tolist(), strict=True)):
        box = tuple(map(slice, low, high))
        yield number, box
        passed += math.prod(end - begin for begin, end in zip(low[:2], high[:2], strict=True))
        if passed > HELD_ROWS:
            passed = 0
            for one in (found.parts, *arrays):
                if one is not None:
                    release(one)


def label_volume(
    mask: np.ndarray, options: SplitOptions, first_label: int, z_step: float, intensity: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Number the objects of a volume, in the order of the components' first voxels, then of the seeds.

    Voxels that share a face are connected. Seeds are maxima of the distance to the outside of the component (or of
    the intensity) in a box of 2 * seed_distance + 1 pixels in the plane and the same distance along z; a component with
    several seeds is divided by skimage.segmentation.watershed.

    Args:
        mask: (Z, Y, X) uint8, 1 is foreground.
        options: How to split and what to keep; areas are numbers of voxels.
        first_label: Label of the first object.
        z_step: Distance of two planes in pixels of the plane.
        intensity: (Z, Y, X) smoothed image; needed for seeds by intensity.

    Yields:
        (Y, X) int32 planes.
    """
    found = components(mask)
    labels = on_disk(mask.shape, np.int32)
    whole = np.zeros(len(found.size) + 1, np.int32)
    for number, box in boxes_in_turn(found, labels, intensity):
        size, divided = int(found.size[number]), None
        if size < options.min_area:
            continue
        if options.seeds != "none":
            inside = found.inside(number, box)
            divided = _divided(inside, box, options, z_step, intensity)
        if divided is not None:
            new = _kept(divided, box, mask.shape, options, first_label)
            first_label += int((new > 0).sum())
            for plane, parts in zip(planes_of_box(labels, box), divided, strict=True):
                np.copyto(plane, new[parts], where=parts > 0)
        elif _is_kept(size, found.low[number], found.high[number], mask.shape, options):
            whole[number], first_label = first_label, first_label + 1
    for parts, plane in zip(planes_in_turn(found.parts), planes_in_turn(labels), strict=True):
        yield plane + whole[found.owner[parts]]


def _divided(
    inside: np.ndarray, box: tuple[slice, ...], options: SplitOptions, z_step: float, intensity: np.ndarray | None
) -> np.ndarray | None:
    """Divide one component: int32 labels of its box from 1 in the order of the seeds; None with fewer than two."""
    from scipy import ndimage

    check_divided(box, inside.size)
    heights = _heights(inside, box, options, z_step, intensity)
    flat = max(1, round(options.seed_distance / z_step))
    spacing = (flat, options.seed_distance, options.seed_distance)
    highest = ndimage.maximum_filter(heights, [2 * step + 1 for step in spacing], mode="nearest")
    tops = (highest == heights) & inside
    if options.seeds == "both":  # a plateau of equal heights, such as the middle of a flat object, is one seed
        _, first = np.unique(ndimage.label(tops, np.ones((3, 3, 3)))[0], return_index=True)
        tops = np.zeros(tops.shape, bool)
        tops.ravel()[first[1:]] = True  # the first is the background
    points = np.argwhere(tops)
    if len(points) < 2:
        return None
    points = spaced(points[np.argsort(-heights[tuple(points.T)], kind="stable")], spacing)
    if len(points) < 2:
        return None
    from skimage.segmentation import watershed

    points = points[np.lexsort(points.T[::-1])]
    markers = np.zeros(inside.shape, np.int32)
    markers[tuple(points.T)] = np.arange(1, len(points) + 1)
    array: np.ndarray | None = watershed(-heights, markers, mask=inside)
    return array


def check_divided(box: tuple[slice, ...], size: int) -> None:
    """Reject a component that would not fit in memory when it is divided.

    Raises:
        UserError: The box has more than DIVIDED_VOXELS voxels.
    """
    if size > DIVIDED_VOXELS:
        raise UserError(
            f"The object from z = {box[0].start}, y = {box[1].start}, x = {box[2].start} on spans a box of "
            f"{size} voxels, too many to split it. Choose a higher threshold, or do not split."
        )


def _heights(
    inside: np.ndarray, box: tuple[slice, ...], options: SplitOptions, z_step: float, intensity: np.ndarray | None
) -> np.ndarray:
    """Return the heights whose maxima are seeds; distances are rounded to HEIGHT_STEP, as in 2D."""
    from scipy import ndimage

    if options.seeds == "intensity" and intensity is not None:
        return np.where(inside, _copied(intensity, box).astype(np.float32), np.float32(-np.inf))
    sigma = np.array([options.seed_smoothing / z_step, options.seed_smoothing, options.seed_smoothing])
    room = np.maximum(1, (4 * sigma + 0.5).astype(int))
    padded = np.pad(inside, [(int(step), int(step)) for step in room])
    distance = ndimage.distance_transform_edt(padded, sampling=(z_step, 1, 1)).astype(np.float32)
    if options.seed_smoothing:
        distance = ndimage.gaussian_filter(distance, sigma, mode="constant")
    crop = tuple(slice(int(step), int(step) + size) for step, size in zip(room, inside.shape, strict=True))
    heights = np.where(inside, in_steps(distance[crop]), 0)
    if options.seeds == "both" and intensity is not None:
        heights = heights * (DIM + _brightness(_copied(intensity, box), inside))
    return heights


def _copied(array: np.ndarray, box: Box) -> np.ndarray:
    return np.stack(list(map(np.array, planes_of_box(array, box))))


def _brightness(grey: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the grey values from 0, the lowest in a component, to 1, the highest; 0 if all are equal."""
    low, high = float(grey[inside].min()), float(grey[inside].max())
    scaled: np.ndarray = (grey.astype(np.float64) - low) / ((high - low) or 1.0)
    return scaled


def _kept(
    divided: np.ndarray,
    box: tuple[slice, ...],
    shape: tuple[int, ...],
    options: SplitOptions,
    first_label: int,
) -> np.ndarray:
    """Return the label of each part of a divided component, 0 if its size or the border removes it."""
    from scipy import ndimage

    sizes = np.bincount(divided.ravel()).tolist()
    origin = np.array([side.start for side in box])
    new = np.zeros(len(sizes), np.int32)
    for part, place in enumerate(ndimage.find_objects(divided), 1):
        low = origin + [side.start for side in place]
        high = origin + [side.stop for side in place]
        if _is_kept(sizes[part], low, high, shape, options):
            new[part], first_label = first_label, first_label + 1
    return new


def _is_kept(size: int, low: np.ndarray, high: np.ndarray, shape: tuple[int, ...], options: SplitOptions) -> bool:
    """Return whether an object of this size and box stays; the border is all six faces of the volume."""
    if size < options.min_area or (options.max_area is not None and size > options.max_area):
        return False
    touches = bool((low == 0).any() or (high == shape).any())
    return not (options.clear_border and touches)
