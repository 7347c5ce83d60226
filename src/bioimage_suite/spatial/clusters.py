"""Clusters, neighbours and density of points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bioimage_suite.spatial.window import Window

# A Gaussian is sampled finely enough by eight pixels a standard deviation: the sum over pixels is then its integral.
CELLS_PER_SIGMA = 8
MOST_CELLS = 1000  # longest side of a density map, px: at most a million pixels


def find_clusters(points: np.ndarray, reach: float, min_points: int) -> np.ndarray:
    """Find density-based clusters (DBSCAN): Ester M et al. (1996) Proc. KDD-96, 226-231.

    Args:
        points: (n, d) positions.
        reach: Distance within which points are neighbours (eps), in the unit of the positions.
        min_points: Number of points within reach, including itself, that make a point a core of a cluster.

    Returns:
        (n,) int64 number of the cluster of each point, in the order of the first core points; 0 for none. A point on
        the border of several clusters belongs to that of its nearest core point.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    cluster = np.zeros(len(points), np.int64)
    if len(points) == 0:
        return cluster
    core = np.flatnonzero(neighbours_within(points, reach) + 1 >= min_points)
    if len(core) == 0:
        return cluster
    tree = cKDTree(points[core])
    pairs = tree.query_pairs(reach, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(core), len(core)))
    component = connected_components(graph, directed=False)[1]
    first = np.unique(component, return_index=True)[1]
    number = np.argsort(np.argsort(first)) + 1
    distance, nearest = tree.query(points)
    near = distance <= reach
    cluster[near] = number[component[nearest[near]]]
    return cluster


def neighbours_within(points: np.ndarray, reach: float) -> np.ndarray:
    """Return how many other points lie within a distance of each point, (n,) int64."""
    from scipy.spatial import cKDTree

    if len(points) == 0:
        return np.zeros(0, np.int64)
    array: np.ndarray = cKDTree(points).query_ball_point(points, reach, return_length=True) - 1
    return array


def density_cell(window: Window, sigma: float) -> float:
    """Return the side of a pixel of a density map, in the unit of the positions: see CELLS_PER_SIGMA and MOST_CELLS."""
    lower, upper = window.bounds
    return max(sigma / CELLS_PER_SIGMA, float((upper - lower).max()) / MOST_CELLS)


def density_map(points: np.ndarray, window: Window, sigma: float, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the density of points, smoothed by a Gaussian and corrected for its part outside the window.

    The correction divides by the kernel's mass within the window (Diggle P 1985, J R Stat Soc C 34, 138-147).

    Args:
        points: (n, 2) positions y, x within the window.
        window: Where points could have been.
        sigma: Standard deviation of the Gaussian, in the unit of the positions.
        cell: Side of a pixel of the map, in the same unit.

    Returns:
        (Y, X) float32 density in points per unit area, NaN outside the window, and the (2,) position y, x of its first
        corner.
    """
    from scipy.ndimage import gaussian_filter

    lower, upper = window.bounds
    shape = np.maximum(np.ceil((upper - lower) / cell - 1e-9).astype(int), 1)
    at = np.minimum(((points - lower) / cell).astype(int), shape - 1)
    counts = np.zeros(shape)
    np.add.at(counts, (at[:, 0], at[:, 1]), 1)
    centres = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1).reshape(-1, 2)
    inside = window.contains(lower + (centres + 0.5) * cell).reshape(shape)
    # The last cells may extend beyond the upper edge: their centres are then outside although points are inside.
    inside |= counts > 0
    smooth = gaussian_filter(counts, sigma / cell, mode="constant", truncate=4)
    mass = gaussian_filter(inside.astype(float), sigma / cell, mode="constant", truncate=4)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(inside, smooth / mass / cell**2, np.nan).astype(np.float32), lower
