"""Numbered objects of a volume from star-convex polyhedra as StarDist predicts them.

Weigert, Schmidt, Haase, Sugawara and Myers 2020, doi:10.1109/WACV45572.2020.9093435. Each voxel has the probability
that it lies inside an object and the distance to the object's surface along rays, which are those of StarDist's golden
spiral. So each voxel proposes a polyhedron; of overlapping ones the most probable stays. In planes: star_polygons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bioimage_suite.segmentation.star_polygons import SAMPLES, proposals


@dataclass(frozen=True)
class Rays:
    """Directions of the rays, and the triangles between their ends.

    Attributes:
        ends: (rays, 3) unit vectors z, y, x, in voxels.
        faces: (triangles, 3) rays of each triangle.
        inverse: (triangles, 3, 3) matrices that give a point as a sum of the three rays of a triangle.
        shares: (rays,) volume of a ball of radius 1 that each ray stands for.
    """

    ends: np.ndarray
    faces: np.ndarray
    inverse: np.ndarray
    shares: np.ndarray


def golden_spiral(count: int, anisotropy: tuple[float, ...]) -> Rays:
    """Return StarDist's rays (`Rays_GoldenSpiral`).

    Args:
        count: Number of rays, at least 4.
        anisotropy: Size of a voxel along z, y, x relative to each other, as in the model's configuration.
    """
    from scipy.spatial import ConvexHull

    turn = (3 - math.sqrt(5)) * math.pi * np.arange(count)
    z = np.linspace(-1, 1, count)
    across = np.sqrt(1 - z**2)
    ends = np.stack([z, across * np.sin(turn), across * np.cos(turn)], axis=1) / anisotropy
    faces = ConvexHull(ends).simplices
    ends /= np.linalg.norm(ends, axis=1, keepdims=True)
    corners = ends[faces].transpose(0, 2, 1)
    shares = np.bincount(faces.ravel(), np.repeat(np.abs(np.linalg.det(corners)) / 18, 3), count)
    return Rays(ends, faces, np.linalg.inv(corners), shares)


def label_polyhedra(
    prediction: np.ndarray, threshold: float, overlap: float, anisotropy: tuple[float, ...]
) -> np.ndarray:
    """Select polyhedra and draw them as labels.

    A polyhedron is dropped if it shares more than `overlap` of the smaller one's volume with a more probable one that
    stays (StarDist's `nms_thresh`). Where remaining ones overlap, the more probable one is on top.

    Args:
        prediction: (1 + rays, Z, Y, X) probability, then distances in voxels.
        threshold: Probability above which a voxel proposes a polyhedron (StarDist's `prob_thresh`).
        overlap: Largest share of the smaller volume, from 0 to 1.
        anisotropy: Of the rays, see `golden_spiral`.

    Returns:
        (Z, Y, X) int32 labels from 1, starting with the most probable object.
    """
    rays = golden_spiral(len(prediction) - 1, anisotropy)
    points, distance = proposals(prediction, threshold)
    labels = np.zeros(prediction.shape[1:], np.int32)
    for number, solid in reversed(list(enumerate(_chosen(points, distance, labels.shape, overlap, rays), 1))):
        labels[solid.place][solid.inside] = number
    return labels


@dataclass(frozen=True)
class Solid:
    """The voxels of a polyhedron.

    Attributes:
        place: Box in the volume.
        inside: (Z, Y, X) bool within the box.
    """

    place: tuple[slice, ...]
    inside: np.ndarray

    def has(self, places: np.ndarray) -> np.ndarray:
        """Return whether each voxel, (..., 3) int64 in the volume, belongs to it."""
        at = places - [side.start for side in self.place]
        known = ((at >= 0) & (at < self.inside.shape)).all(axis=-1)
        array: np.ndarray = known & self.inside[tuple(np.where(known, at[..., axis], 0) for axis in range(3))]
        return array


def _chosen(
    points: np.ndarray, distance: np.ndarray, shape: tuple[int, ...], overlap: float, rays: Rays
) -> list[Solid]:
    """Return the polyhedra that stay; points (n, 3) and distances (n, rays) start with the most probable."""
    reach = distance.max(axis=1, initial=0)
    farthest = float(reach.max(initial=0))
    corners = np.linalg.det(rays.ends[rays.faces])
    volume = np.abs(distance[:, rays.faces].prod(axis=2) @ np.abs(corners)) / 6
    proposed = np.full(shape, -1, np.int64)  # the polyhedron of each voxel until it is chosen or dropped
    proposed[tuple(points.T)] = np.arange(len(points))
    stay: list[Solid] = []
    for one, point in enumerate(points):
        if proposed[tuple(point)] != one:
            continue
        stay.append(_solid(point, distance[one], shape, rays))
        proposed[tuple(point)] = -1
        room = math.ceil(reach[one] + farthest)
        around = proposed[tuple(slice(max(0, at - room), at + room + 1) for at in point)]
        near = around[around >= 0]
        near = near[np.linalg.norm(points[near] - point, axis=1) < reach[near] + reach[one]]
        shared = _share_inside(points[near], distance[near], stay[-1], rays) * volume[near]
        gone = points[near[shared > overlap * np.minimum(volume[near], volume[one])]]
        proposed[tuple(gone.T)] = -1
    return stay


def _solid(point: np.ndarray, distance: np.ndarray, shape: tuple[int, ...], rays: Rays) -> Solid:
    """Draw a polyhedron, cut at the borders of the volume.

    A point is the sum of the three rays of the triangle towards which it lies, each times a number that is not
    negative; within the polyhedron, the sum of these numbers divided by the lengths of their rays is at most 1.
    """
    room = math.ceil(float(distance.max()))
    low, high = np.maximum(point - room, 0), np.minimum(point + room + 1, shape)
    offsets = (np.indices(high - low).reshape(3, -1).T + (low - point)).astype(np.float64)
    inside = np.zeros(len(offsets), bool)
    near = np.flatnonzero(np.linalg.norm(offsets, axis=1) <= distance.max())
    towards = rays.ends[rays.faces].mean(axis=1)
    widest = np.linalg.norm(rays.ends[rays.faces] - towards[:, None], axis=2).max()
    for face, inverse, middle in zip(rays.faces, rays.inverse, towards, strict=True):
        along = offsets[near] @ middle
        length = float(distance[face].max())
        # Points that lie about towards this triangle, and not beyond its farthest corner.
        some = near[(along >= 0) & (along <= length * (1 + widest))]
        part = offsets[some] @ inverse.T
        inside[some] |= (part >= -1e-9).all(axis=1) & ((part / distance[face]).sum(axis=1) <= 1 + 1e-9)
    return Solid(tuple(map(slice, low.tolist(), high.tolist())), inside.reshape(high - low))


def _share_inside(points: np.ndarray, distance: np.ndarray, solid: Solid, rays: Rays) -> np.ndarray:
    """Return the share of each polyhedron's volume inside another one, (n,) from 0 to 1."""
    weights = rays.shares * distance**3
    shares = np.zeros(len(points))
    for sample in range(SAMPLES):
        ends = distance[:, :, None] * rays.ends * math.cbrt((sample + 0.5) / SAMPLES)
        hit = solid.has(np.rint(points[:, None] + ends).astype(np.int64))
        shares += (hit * weights).sum(axis=1)
    array: np.ndarray = shares / (SAMPLES * weights.sum(axis=1))
    return array
