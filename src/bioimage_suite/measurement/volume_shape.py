"""Shapes of 3D objects: moments from their runs, surface by marching cubes, convex hull of their voxels.

Lengths are in pixels of the plane; a step along z is `z_step` pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.images.model.bands import bands
from bioimage_suite.measurement.object_shape import extremes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.images.model.label_runs import Runs


def moments(runs: Runs, z: np.ndarray, index: np.ndarray, count: int, z_step: float) -> dict[str, np.ndarray]:
    """Return volume, box, centroid and the ellipsoid with the same second moments of each object.

    The ellipsoid has the axes sqrt(20 v) for the eigenvalues v of the covariance of the voxels' centres, like
    regionprops' axis_major_length of a volume with spacing (z_step, 1, 1); a line or plane of voxels has axes of 0.

    Args:
        runs: Runs of all planes.
        z: Plane of each run.
        index: Object of each run, 0..count-1.
        count: Number of objects.
        z_step: Distance of two planes in pixels of the plane.

    Returns:
        Arrays of `count` values by column name, in pixels; `centroid_z_px` and the box along z are in planes.
    """
    voxels = np.bincount(index, runs.length, count)
    low, high = zip(
        *(
            extremes(index, count, first, last)
            for first, last in ((z, z + 1), (runs.row, runs.row + 1), (runs.start, runs.start + runs.length))
        ),
        strict=True,
    )
    # Coordinates relative to the box keep the sums small, and exact in float64.
    n, x = runs.length.astype(float), (runs.start - low[2][index]).astype(float)
    end = x + n - 1
    across = n * (x + end) / 2
    place = {"z": (z - low[0][index]).astype(float), "y": (runs.row - low[1][index]).astype(float)}
    mean = {axis: np.bincount(index, n * values, count) / voxels for axis, values in place.items()}
    mean["x"] = np.bincount(index, across, count) / voxels
    squares = (end * (end + 1) * (2 * end + 1) - (x - 1) * x * (2 * x - 1)) / 6
    products = {
        "zz": n * place["z"] ** 2, "yy": n * place["y"] ** 2, "xx": squares,
        "zy": n * place["z"] * place["y"], "zx": across * place["z"], "yx": across * place["y"],
    }  # fmt: skip
    scale = {"z": z_step, "y": 1.0, "x": 1.0}
    covariance = np.empty((count, 3, 3))
    for pair, product in products.items():
        a, b = pair[0], pair[1]
        value = np.bincount(index, product, count) / voxels - mean[a] * mean[b]
        i, j = "zyx".index(a), "zyx".index(b)
        covariance[:, i, j] = covariance[:, j, i] = value * scale[a] * scale[b]
    small, middle, large = np.sqrt(20 * np.maximum(np.linalg.eigvalsh(covariance), 0)).T
    return {
        "centroid_z_px": mean["z"] + low[0], "centroid_y_px": mean["y"] + low[1], "centroid_x_px": mean["x"] + low[2],
        **{f"bbox_min_{axis}_px": values for axis, values in zip("zyx", low, strict=True)},
        **{f"bbox_max_{axis}_px": values for axis, values in zip("zyx", high, strict=True)},
        "volume_voxels": voxels.astype(np.int64),
        "equivalent_diameter_px": np.cbrt(6 * voxels * z_step / np.pi),
        "major_axis_px": large, "middle_axis_px": middle, "minor_axis_px": small,
    }  # fmt: skip


def surface_areas(volume: np.ndarray, label: np.ndarray, z_step: float) -> np.ndarray:
    """Return the area of each object's surface by marching cubes, in square pixels of the plane.

    Equals skimage.measure.mesh_surface_area of skimage.measure.marching_cubes(object, 0.5, spacing=(z_step, 1, 1)). The
    triangles between eight neighbouring voxels depend only on which of them are in the object, so 256 areas suffice.

    Args:
        volume: (Z, Y, X) label map.
        label: (n,) ascending labels of all objects.
        z_step: Distance of two planes in pixels of the plane.
    """
    areas = _area_of_each_corner_pattern(z_step)
    total = np.zeros(len(label))
    for corners in _cells_at_surfaces(volume):
        for corner in range(8):
            here = corners[:, corner]
            new = here > 0
            for earlier in range(corner):
                new &= corners[:, earlier] != here
            same = corners[new] == here[new, None]
            pattern = same @ (1 << np.arange(8))
            total += np.bincount(np.searchsorted(label, here[new]), areas[pattern], len(label))
    return total


def _cells_at_surfaces(volume: np.ndarray) -> Iterator[np.ndarray]:
    """Yield (n, 8) corners of the cells between eight voxels that are not all equal, z slowest, with zeros around."""
    depth, height, width = volume.shape
    for z in range(-1, depth):
        for first, last in bands(height, width):
            block = np.zeros((2, last - first + 2, width + 2), np.int64)
            top, bottom = max(0, first - 1), min(height, last + 1)
            for level in (z, z + 1):
                if 0 <= level < depth:
                    block[level - z, top - first + 1 : bottom - first + 1, 1:-1] = volume[level, top:bottom]
            # Cells between two bands belong to the upper one; the first band also has the cells above it.
            block = block[:, 0 if first == 0 else 1 :]
            corners = [block[a, b : b - 1 or None, c : c - 1 or None] for a in (0, 1) for b in (0, 1) for c in (0, 1)]
            mixed = np.zeros(corners[0].shape, bool)
            for corner in corners[1:]:
                mixed |= corner != corners[0]
            yield np.stack([corner[mixed] for corner in corners], axis=1)


def _area_of_each_corner_pattern(z_step: float) -> np.ndarray:
    """Return the (256,) area of the surface in a cell; bit k of the pattern is corner k, z slowest, x fastest."""
    from skimage.measure import marching_cubes, mesh_surface_area

    areas = np.zeros(256)
    for pattern in range(1, 255):
        cell = (pattern >> np.arange(8) & 1).reshape(2, 2, 2).astype(float)
        corners, faces, _, _ = marching_cubes(cell, 0.5, spacing=(z_step, 1, 1))
        areas[pattern] = mesh_surface_area(corners, faces)
    return areas


def convex_volumes(runs: Runs, z: np.ndarray, index: np.ndarray, count: int) -> np.ndarray:
    """Return the volume of the convex hull of each object's voxel corners, in voxels (scipy.spatial.ConvexHull)."""
    from scipy.spatial import ConvexHull

    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(count + 1))
    ends = np.stack([runs.start, runs.start + runs.length], axis=1)
    corners = np.array([(dz, dy, side) for dz in (0, 1) for dy in (0, 1) for side in (0, 1)])
    volumes = np.empty(count)
    for one in range(count):
        mine = order[starts[one] : starts[one + 1]]
        points = np.stack([z[mine, None] + corners[:, 0], runs.row[mine, None] + corners[:, 1],
                           ends[mine][:, corners[:, 2]]], axis=2)  # fmt: skip
        volumes[one] = ConvexHull(_outermost(points.reshape(-1, 3))).volume
    return volumes


def _outermost(points: np.ndarray) -> np.ndarray:
    """Keep the first and last point of each line along x and then along y: the hull has no other corners."""
    for keys in ((2, 1, 0), (1, 2, 0)):
        points = points[np.lexsort([points[:, key] for key in keys])]
        line = points[:, [0, keys[1]]]
        begins = np.append(True, (line[1:] != line[:-1]).any(axis=1))
        points = points[begins | np.append(begins[1:], True)]
    return points
