"""Shapes of 3D objects: moments from their runs, surfaces from the cells between voxels, convex hull of their voxels.

Lengths are in pixels of the plane; a step along z is `z_step` pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.scratch import release
from bioimage_suite.images.model.bands import bands
from bioimage_suite.measurement.object_shape import extremes

TOLERANCE = 1e-10  # voxels: a centre so near to the hull lies on it, as in scikit-image
LARGEST_BLOCK = 1 << 20  # numbers at a time

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


def surface_areas(volume: np.ndarray, label: np.ndarray, z_step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the area of each object's surface in square pixels of the plane: by marching cubes, and by Crofton.

    The first equals skimage.measure.mesh_surface_area of skimage.measure.marching_cubes(object, 0.5, spacing=(z_step,
    1, 1)). It follows the steps of the voxels, which make it about 8 % too large for a ball of any size. The second
    counts how often lines along 13 directions cross the surface, which tends to the true area: Lehmann G, Legland D
    (2012) Efficient N-dimensional surface estimation using Crofton formula and run-length encoding, Insight Journal,
    https://hdl.handle.net/10380/3342 (the surface of ITK's label shapes and of MorphoLibJ).

    Both are sums over the cells between eight neighbouring voxels, to which a cell adds an area that depends only on
    which of its corners are in the object: 256 areas suffice.

    Args:
        volume: (Z, Y, X) label map.
        label: (n,) ascending labels of all objects.
        z_step: Distance of two planes in pixels of the plane.
    """
    areas = np.stack([_meshed_areas(z_step), _crofton_areas(z_step)])
    total = np.zeros((2, len(label)))
    for corners in _cells_at_surfaces(volume):
        for corner in range(8):
            here = corners[:, corner]
            new = here > 0
            for earlier in range(corner):
                new &= corners[:, earlier] != here
            same = corners[new] == here[new, None]
            pattern = same @ (1 << np.arange(8))
            at = np.searchsorted(label, here[new])
            total += [np.bincount(at, one[pattern], len(label)) for one in areas]
    return total[0], total[1]


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
            release(volume)
            yield np.stack([corner[mixed] for corner in corners], axis=1)


def _meshed_areas(z_step: float) -> np.ndarray:
    """Return the (256,) area of the surface in a cell; bit k of the pattern is corner k, z slowest, x fastest."""
    from skimage.measure import marching_cubes, mesh_surface_area

    areas = np.zeros(256)
    for pattern in range(1, 255):
        cell = (pattern >> np.arange(8) & 1).reshape(2, 2, 2).astype(float)
        corners, faces, _, _ = marching_cubes(cell, 0.5, spacing=(z_step, 1, 1))
        areas[pattern] = mesh_surface_area(corners, faces)
    return areas


def _crofton_areas(z_step: float) -> np.ndarray:
    """Return the (256,) share of a cell in Crofton's area; bits as in `_meshed_areas`.

    The surface is 4 times the mean, over all directions, of the cross-section of the lines through the object; each run
    of voxels along a direction stands for the volume of a voxel by the distance of two voxels. A run has two ends, and
    a pair of voxels lies in one cell (along its diagonal), in two (that of a face) or in four (an edge).
    """
    places = np.indices((2, 2, 2)).reshape(3, 8).T
    areas = np.zeros(256)
    for direction, weight in zip(*_directions(z_step), strict=True):
        a_run = 4 * weight * z_step / np.linalg.norm(direction * (z_step, 1, 1))
        an_end = a_run / 2 / 2 ** (3 - np.abs(direction).sum())
        for one, other in ((i, j) for i in range(8) for j in range(8) if (places[j] - places[i] == direction).all()):
            ends = (np.arange(256) >> one & 1) != (np.arange(256) >> other & 1)
            areas += an_end * ends
    return areas


def _directions(z_step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the (13, 3) directions to neighbours, and their weights.

    A weight is the share of all directions to which this one, or its opposite, is nearest. Source: Legland D, Kieu K,
    Devaux MF (2007) Computation of Minkowski measures on 2D and 3D binary images, Image Anal Stereol 26, 83-92,
    doi:10.5566/ias.v26.p83-92.
    """
    from scipy.spatial import SphericalVoronoi

    every = np.indices((3, 3, 3)).reshape(3, 27).T - 1
    every = np.delete(every, 13, axis=0)  # the voxel itself; of the rest, one and its opposite lie at equal distances
    away = every * (z_step, 1.0, 1.0)
    shares = SphericalVoronoi(away / np.linalg.norm(away, axis=1)[:, None]).calculate_areas() / (4 * np.pi)
    return every[13:], 2 * shares[13:]


def convex_volumes(runs: Runs, z: np.ndarray, index: np.ndarray, count: int) -> np.ndarray:
    """Return how many voxels have their centre in or on the convex hull of each object, (count,) int64.

    Equals skimage.morphology.convex_hull_image, whose voxels are octahedra: the six centres of their faces. Other than
    there, a flat or straight object has a hull too.
    """
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(count + 1))
    volumes = np.empty(count, np.int64)
    for one in range(count):
        mine = order[starts[one] : starts[one + 1]]
        lines = (z[mine], runs.row[mine])
        ends = (np.stack([*lines, runs.start[mine] + beyond], axis=1) for beyond in (0, runs.length[mine] - 1))
        volumes[one] = _centres_in_hull(_outermost(np.concatenate([*ends])))
    return volumes


def _centres_in_hull(voxels: np.ndarray) -> int:
    """Return the number of whole-numbered points in or on the hull of (n, 3) voxels as octahedra."""
    from scipy.spatial import ConvexHull

    low, high = voxels.min(axis=0), voxels.max(axis=0)
    faces = np.concatenate([np.eye(3), -np.eye(3)]) / 2
    corners = ((voxels - low)[:, None] + faces).reshape(-1, 3)
    planes = np.unique(ConvexHull(corners).equations, axis=0)  # triangles of one face have the same plane
    normal, offset = planes[:, :3], planes[:, 3] - TOLERANCE
    rows = np.indices(high[:2] - low[:2] + 1).reshape(2, -1).T
    step = max(1, LARGEST_BLOCK // len(planes))
    return sum(_whole_numbers(rows[at : at + step], normal, offset) for at in range(0, len(rows), step))


def _whole_numbers(rows: np.ndarray, normal: np.ndarray, offset: np.ndarray) -> int:
    """Return how many whole x lie below all planes (normal . point + offset <= 0) in rows at (n, 2) places z, y."""
    room = -(rows @ normal[:, :2].T + offset)
    x = normal[:, 2]
    with np.errstate(divide="ignore"):
        most = np.min(room[:, x > 0] / x[x > 0], axis=1, initial=np.inf)
        least = np.max(room[:, x < 0] / x[x < 0], axis=1, initial=-np.inf)
    beside = (room[:, x == 0] >= 0).all(axis=1)
    found = np.maximum(np.floor(most) - np.ceil(least) + 1, 0)
    return int(found[beside].sum())


def _outermost(points: np.ndarray) -> np.ndarray:
    """Keep the first and last point of each line along x and then along y: the hull has no other corners."""
    for keys in ((2, 1, 0), (1, 2, 0)):
        points = points[np.lexsort([points[:, key] for key in keys])]
        line = points[:, [0, keys[1]]]
        begins = np.append(True, (line[1:] != line[:-1]).any(axis=1))
        points = points[begins | np.append(begins[1:], True)]
    return points
