#!/usr/bin/env python
"""Tests how objects are arranged: clustered, random or regular, and whether classes attract or avoid each other."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.images.series import add_reading_arguments, reading_of
from bioimage_suite.spatial.clusters import density_map, find_clusters, neighbours_within
from bioimage_suite.spatial.scenes import (
    Scene,
    box_around,
    image_window,
    region_window,
    scene_of_label_maps,
    scenes_of_table,
)
from bioimage_suite.spatial.statistics import Pattern, PatternOptions, Points, analyze, deviation_test
from bioimage_suite.spatial.window import Window
from bioimage_suite.tables.measurement_table import read_measurement_table, write_rows

if TYPE_CHECKING:
    import numpy as np

MOST_CLASSES = 20


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
    import numpy as np

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


def object_rows(result: Result, unit: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """Return the header and rows of the table of objects: the given columns and the results of each object."""
    import numpy as np

    place = np.cumsum(result.inside) - 1
    header = [*result.scene.columns, *(f"nearest_{name}_{unit}" for name in result.names), "neighbours", "cluster"]

    def rows() -> Iterator[tuple[Any, ...]]:
        for row, inside, at in zip(result.scene.rows, result.inside.tolist(), place.tolist(), strict=True):
            found: tuple[Any, ...] = (None,) * (len(result.names) + 2)
            if inside:
                nearest = result.pattern.nearest[at].tolist()
                found = (*nearest, int(result.neighbours[at]), int(result.cluster[at]) or None)
            yield (*row, *found)

    return header, rows()


def curve_rows(result: Result) -> Iterator[tuple[Any, ...]]:
    """Yield rows of the table of curves: one for each image, pair of classes and radius."""
    curves, pattern = result.pattern.curves, result.pattern
    for a, source in enumerate(result.names):
        for b, target in enumerate(result.names):
            envelopes = []
            for simulated in (pattern.simulated_l, pattern.simulated_g):
                one = simulated[:, a, b]
                envelopes += [one.min(axis=0), one.max(axis=0)] if len(one) else [[None] * len(curves.r)] * 2
            yield from (
                (result.scene.image, source, target, *map(_plain, values))
                for values in zip(curves.r, curves.k[a, b], curves.l[a, b], *envelopes[:2], curves.g[a, b],
                                  *envelopes[2:], strict=True)
            )  # fmt: skip


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)


def summary_rows(result: Result) -> Iterator[tuple[Any, ...]]:
    """Yield rows of the summary: one for each pair of classes."""
    import numpy as np

    pattern, curves = result.pattern, result.pattern.curves
    counts = np.bincount(result.points.of_class, minlength=len(result.names))
    for a, source in enumerate(result.names):
        for b, target in enumerate(result.names):
            observed, simulated = float(pattern.mean_nearest[a, b]), pattern.simulated_nearest[:, a, b]
            expected = float(simulated.mean()) if len(simulated) else float("nan")
            deviation = curves.l[a, b] - (pattern.simulated_l[:, a, b].mean(axis=0) if len(simulated) else curves.r)
            known = np.isfinite(deviation).any()
            at = int(np.nanargmax(np.abs(deviation))) if known else 0
            clusters = np.unique(result.cluster[result.points.of_class == a], return_counts=True)
            sizes = clusters[1][clusters[0] > 0]
            of_one = (len(sizes), float(sizes.sum() / counts[a]) if counts[a] else None,
                      float(sizes.mean()) if len(sizes) else None) if a == b else (None,) * 3  # fmt: skip
            yield (
                result.scene.image, source, target, int(counts[a]), int(counts[b]), result.window.size,
                counts[b] / result.window.size, observed, expected, observed / expected,
                deviation_test(pattern.mean_nearest[a, b], simulated),
                deviation_test(curves.l[a, b], pattern.simulated_l[:, a, b]),
                float(curves.r[at]) if known else None, float(deviation[at]) if known else None, *of_one,
                int((~result.inside).sum()),
            )  # fmt: skip


def summary_header(unit: str, dimensions: int) -> list[str]:
    """Return the names of the summary's columns."""
    size = f"window_{unit}{dimensions}"
    return ["image", "from_class", "to_class", "from_objects", "to_objects", size, f"density_per_{unit}{dimensions}",
            f"mean_nearest_{unit}", f"expected_nearest_{unit}", "nearest_ratio", "nearest_p", "L_p",
            f"largest_deviation_r_{unit}", f"largest_deviation_L_{unit}", "clusters", "clustered_fraction",
            "mean_cluster_objects", "objects_outside_window"]  # fmt: skip


def _arguments(argv: list[str] | None) -> Namespace:
    parser = ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--table", type=Path)
    source.add_argument("--labels", type=Path, nargs="+", help="label maps of one image; each is a class")
    parser.add_argument("--table-name")
    parser.add_argument("--label-names", nargs="+")
    parser.add_argument("--class-names", nargs="+", help="names of the classes of the label maps, in their order")
    for column in ("x", "y", "z", "class", "image"):
        parser.add_argument(f"--{column}-column")
    parser.add_argument("--unit", choices=["px", "um"], default="px")
    add_reading_arguments(parser)
    parser.add_argument("--class-condition", help="table: rows that meet it are one class, the others another")
    parser.add_argument("--window-image", type=Path, help="objects could have been anywhere in this image")
    parser.add_argument("--window-image-name")
    parser.add_argument("--region", type=Path, help="label map: objects could have been where it is not 0")
    parser.add_argument("--region-name")
    for side in ("width", "height", "depth"):
        parser.add_argument(f"--{side}", type=float, help="size of the window, from 0, in the unit")
    parser.add_argument("--radii", type=int, default=50)
    parser.add_argument("--max-radius", type=float)
    parser.add_argument("--correction", choices=["translation", "isotropic", "none"], default="translation")
    parser.add_argument("--simulations", type=int, default=99)
    parser.add_argument("--null", choices=["random", "labels"], default="random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--neighbour-distance", type=float, required=True)
    parser.add_argument("--min-cluster", type=int, default=5)
    parser.add_argument("--density-sigma", type=float, help="default: --neighbour-distance")
    for output in ("objects-out", "summary-out", "curves-out"):
        parser.add_argument(f"--{output}", type=Path, required=True)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--density-out", type=Path, help="TIFF")
    return parse_arguments(parser, argv)


def _check(args: Namespace) -> None:
    for name in ("max_radius", "neighbour_distance", "density_sigma", "width", "height", "depth"):
        value = getattr(args, name)
        if value is not None and not 0 < value < float("inf"):
            raise UserError(f"Parameter {name.replace('_', ' ')} {value}: it must be above 0. Give a positive number.")
    for name, least in (("radii", 1), ("simulations", 0), ("min_cluster", 1), ("seed", 0)):
        if getattr(args, name) < least:
            raise UserError(f"Parameter {name.replace('_', ' ')} {getattr(args, name)}: give {least} or more.")
    if args.null == "labels" and args.labels and len(args.labels) == 1:
        raise UserError(
            "Shuffling classes needs more than one class: give a second label map, or choose random points."
        )
    if sum((bool(args.region), bool(args.window_image), bool(args.width or args.height or args.depth))) > 1:
        raise UserError("Window: a region, an image and a width and height exclude each other. Give one of them.")
    if args.class_column and args.class_condition:
        raise UserError("Classes: a column and a condition exclude each other. Give one of them.")
    if args.labels and (args.class_condition or args.window_image):
        raise UserError("Classes by a condition and the window of an image are for tables. Leave them out.")


def main(argv: list[str] | None = None) -> None:
    """Parse, open, analyze, write."""
    args = _arguments(argv)
    _check(args)
    if args.labels:
        scenes = [scene_of_label_maps(args)]
    else:
        scenes = list(scenes_of_table(read_measurement_table(args.table, args.table_name or args.table.name), args))
    dimensions = scenes[0].position.shape[1]
    window = _window(args, len(scenes), dimensions)
    options = PatternOptions(args.radii, args.max_radius, args.correction, args.simulations, args.null, args.seed)
    # A table has no row for an image without objects, but a label map may be empty: its window is known.
    results = [
        analyze_scene(scene, window, options, args.neighbour_distance, args.min_cluster)
        for scene in scenes
        if len(scene.classes) and (len(scene.position) or scene.window or window)
    ]
    write_outputs(results, scenes, args, dimensions)


def _window(args: Namespace, scenes: int, dimensions: int) -> Window | None:
    """Return the window read from a file; None if no file is given.

    Raises:
        UserError: There are several images, or a region is given for objects in 3D.
    """
    given = args.region or args.window_image
    if not given:
        return None
    name = (args.region_name if args.region else args.window_image_name) or given.name
    if scenes > 1 or (args.region and dimensions > 2):
        kind = "Region" if args.region else "Window"
        raise UserError(
            f"{kind} {name}: it serves one {'flat ' if args.region else ''}image, here are {scenes} with {dimensions} "
            "dimensions. Analyze them one by one."
        )
    if args.region:
        return region_window(args.region, name, args.unit, reading_of(args))
    return image_window(args.window_image, name, args.unit, dimensions, reading_of(args))


def write_outputs(results: list[Result], scenes: list[Scene], args: Namespace, dimensions: int) -> None:
    """Write the tables, and the density map and the figure of the first image."""
    names = sorted({name for result in results for name in result.names})
    header = [*scenes[0].columns, *(f"nearest_{name}_{args.unit}" for name in names), "neighbours", "cluster"]
    write_rows(args.objects_out, header, _aligned(results, header, args.unit))
    write_rows(
        args.curves_out,
        ["image", "from_class", "to_class", f"r_{args.unit}", f"K_{args.unit}{dimensions}", f"L_{args.unit}",
         f"L_low_{args.unit}", f"L_high_{args.unit}", "g", "g_low", "g_high"],
        (row for result in results for row in curve_rows(result)),
    )  # fmt: skip
    write_rows(
        args.summary_out, summary_header(args.unit, dimensions), (r for result in results for r in summary_rows(result))
    )
    if results and (args.figure or args.density_out):
        _draw_first(results, args, dimensions)
    elif args.figure:
        from bioimage_suite.spatial.figure import draw_nothing

        draw_nothing(args.figure, f"{scenes[0].image}: no objects")
    for result in results:
        print(f"{result.scene.image}: {len(result.points.of_class)} objects, {result.cluster.max(initial=0)} clusters")


def _aligned(results: list[Result], header: list[str], unit: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of all images under one header; cells of a class that an image lacks are empty."""
    for result in results:
        own, rows = object_rows(result, unit)
        places = [own.index(name) if name in own else None for name in header]
        for row in rows:
            yield tuple(None if place is None else row[place] for place in places)


def _draw_first(results: list[Result], args: Namespace, dimensions: int) -> None:
    from bioimage_suite.spatial.figure import PatternPicture, draw_pattern

    first, density = results[0], None
    if dimensions == 2:
        sigma = args.density_sigma or args.neighbour_distance
        lower, upper = first.window.bounds
        # Cells fine enough for the kernel, and at most a million pixels in the map.
        cell = max(sigma / 8, float((upper - lower).max()) / 1000)
        density, _ = density_map(first.points.position, first.window, sigma, cell)
        if args.density_out:
            import tifffile

            tifffile.imwrite(
                args.density_out, density, photometric="minisblack", resolution=(1 / cell, 1 / cell), imagej=True,
                metadata={"unit": "um" if args.unit == "um" else "pixel", "axes": "YX"},
            )  # fmt: skip
    if args.figure:
        title = first.scene.image if len(results) == 1 else f"{first.scene.image} (first of {len(results)} images)"
        unit = "µm" if args.unit == "um" else "px"
        draw_pattern(
            args.figure,
            PatternPicture(title, first.points, first.names, first.cluster, first.window, density, first.pattern, unit),
        )


if __name__ == "__main__":
    run_tool(main)
