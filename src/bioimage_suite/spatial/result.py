"""The pattern of one image: statistics, neighbours and clusters of its objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.spatial.clusters import find_clusters, neighbours_within
from bioimage_suite.spatial.scenes import Scene, box_around
from bioimage_suite.spatial.statistics import Pattern, PatternOptions, Points, analyze

if TYPE_CHECKING:
    from bioimage_suite.spatial.window import Window

MOST_CLASSES = 20
"""Most classes of an image: curves and simulations are computed for each of their pairs, 400 of 20 classes."""


@dataclass(frozen=True)
class Result:
    """The results of one image, for the tables and the figure.

    Attributes:
        scene: The objects.
        names: Names of the classes, sorted.
        points: Positions and classes of the objects inside the window.
        inside: (objects,) bool, whether each object of the scene is inside the window.
        window: Where objects could have been.
        pattern: Functions of distance and their simulations.
        neighbours: (points,) int64 number of neighbours of the same class within the distance.
        cluster: (points,) int64 number of the cluster, 0 for none.
    """

    scene: Scene
    names: list[str]
    points: Points
    inside: np.ndarray
    window: Window
    pattern: Pattern
    neighbours: np.ndarray
    cluster: np.ndarray


def analyze_scene(
    scene: Scene, window: Window | None, options: PatternOptions, reach: float, min_points: int
) -> Result:
    """Compute the pattern, the neighbours and the clusters of one image.

    Args:
        scene: The objects.
        window: Where objects could have been; None for the scene's own window, or else the box around its objects.
        options: Options of the functions of distance.
        reach: Distance up to which objects are neighbours or share a cluster, in the unit of the positions.
        min_points: Number of objects that make the core of a cluster.

    Raises:
        UserError: There are too many classes, or the window is unknown.
    """
    names = scene.classes
    if len(names) > MOST_CLASSES:
        raise UserError(
            f"Image {scene.image}: {len(names)} classes, at most {MOST_CLASSES} are compared pair by pair. "
            "Choose a column with fewer values."
        )
    window = window or scene.window or box_around(scene.position, scene.image)
    inside = window.contains(scene.position)
    of_class = np.searchsorted(np.array(names, dtype=object), scene.of_class[inside]).astype(np.int64)
    points = Points(scene.position[inside], of_class, len(names))
    pattern = analyze(points, window, options)
    neighbours, cluster = np.zeros(len(of_class), np.int64), np.zeros(len(of_class), np.int64)
    for number in range(len(names)):
        own = of_class == number
        found = find_clusters(points.position[own], reach, min_points)
        cluster[own] = np.where(found > 0, found + cluster.max(initial=0), 0)
        neighbours[own] = neighbours_within(points.position[own], reach)
    return Result(scene, names, points, inside, window, pattern, neighbours, cluster)
