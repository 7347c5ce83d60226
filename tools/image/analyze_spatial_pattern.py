#!/usr/bin/env python
"""Asks how objects lie to each other: clustered, random or regular, and whether classes attract or avoid each other."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measurement_table import MeasurementTable, read_measurement_table, write_rows
from spatial_clusters import density_map, find_clusters, neighbours_within
from spatial_statistics import Pattern, PatternOptions, Points, analyze, deviation_test
from spatial_window import Box, Region, Window
from tool_arguments import parse_arguments
from tool_errors import UserError, run_tool

if TYPE_CHECKING:
    import numpy as np

IMAGE_COLUMNS = ("image", "image_name")
MOST_CLASSES = 20


@dataclass(frozen=True)
class Scene:
    """The objects of one image.

    Attributes:
        image: Its name.
        position: (n, 2) or (n, 3) in `px` or `um`.
        of_class: (n,) name of each object's class.
        classes: Names of all classes, sorted.
        columns: What is known of each object.
        rows: One for each object.
        window: Where objects could have been; None: the box around them.
    """

    image: str
    position: np.ndarray
    of_class: np.ndarray
    classes: list[str]
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    window: Window | None


def scenes_of_table(table: MeasurementTable, args: Namespace) -> Iterator[Scene]:
    """Split a measurement table by image.

    Raises:
        UserError: No column for a position, or a position is no number.
    """
    import numpy as np

    def column(axis: str, asked: str | None) -> str | None:
        names = (f"centroid_{axis}_{args.unit}", f"{axis}_{args.unit}", f"centroid_{axis}", axis, axis.upper())
        return asked or table.first_of(names)

    x, y, z = column("x", args.x_column), column("y", args.y_column), column("z", args.z_column)
    if x is None or y is None:
        raise UserError(
            f"Table {table.name}: no columns for the position in {args.unit} (tried centroid_x_{args.unit}, x and "
            f"alike). Name them; the table has: {', '.join(table.columns)}."
        )
    position = np.column_stack([table.numbers(one) for one in ([z] if z else []) + [y, x]])
    classes = np.array(table.texts(args.class_column) if args.class_column else ["all"] * len(position), dtype=object)
    image_column = args.image_column or table.first_of(IMAGE_COLUMNS)
    image = np.array(table.texts(image_column) if image_column else [table.name] * len(position), dtype=object)
    for name in dict.fromkeys(image.tolist()) if len(image) else [table.name]:
        here = np.flatnonzero(image == name)
        rows = [table.rows[i] for i in here]
        present = sorted(set(classes[here].tolist()))
        box = _sized_box(args, position.shape[1])
        yield Scene(str(name), position[here], classes[here], present, table.columns, rows, box)


def _sized_box(args: Namespace, dimensions: int) -> Window | None:
    """The window from given width, height and depth."""
    import numpy as np

    sides = [args.depth, args.height, args.width][3 - dimensions :]
    if not any(sides):
        return None
    if not all(sides):
        raise UserError("Window: width and height (in 3D also depth) belong together. Give all, or none.")
    return Box(np.zeros(dimensions), np.array(sides, float))


def scene_of_label_maps(args: Namespace) -> Scene:
    """Take the objects of label maps of one image; each label map is a class.

    Raises:
        UserError: The label maps differ in size, have time points, or lack the pixel size that µm need.
    """
    import numpy as np
    from image_file import open_image
    from track_movie import measure_movie

    names = args.label_names or [path.name for path in args.labels]
    movies = [open_image(path, name) for path, name in zip(args.labels, names, strict=True)]
    first = movies[0]
    sizes = {(one.size_t, one.size_z, one.size_y, one.size_x) for one in movies}
    if len(sizes) > 1:
        raise UserError(f"Label maps {', '.join(names)}: their sizes (T, Z, Y, X) differ: {sorted(sizes)}.")
    if first.size_t > 1:
        raise UserError(f"Label map {first.name}: it has {first.size_t} time points. Give one time point.")
    deep = first.size_z > 1
    scale = np.array([first.micrometres(axis) for axis in ("zyx" if deep else "yx")], float)
    if args.unit == "px":
        scale = np.where(np.isnan(scale), 1, scale / scale[-1])
    if np.isnan(scale).any():
        raise UserError(f"Label map {first.name}: its pixel size in µm is unknown. Choose pixels as unit.")
    found = [measure_movie(movie) for movie in movies]
    pixels = np.concatenate([one.centroid for one in found])[:, 0 if deep else 1 :]
    classes = args.class_names or (["all"] if len(names) == 1 else names)
    of_class = np.concatenate([[name] * len(one.label) for name, one in zip(classes, found, strict=True)])
    label = np.concatenate([one.label for one in found])
    shape = np.array([first.size_z, first.size_y, first.size_x][0 if deep else 1 :])
    columns = ("image", "label", "class", *(f"centroid_{axis}_{args.unit}" for axis in ("xyz" if deep else "xy")))
    position = pixels * scale
    rows = [(first.name, k, c, *p[::-1]) for k, c, p in zip(label.tolist(), of_class, position.tolist(), strict=True)]
    # The middle of the first pixel is the origin.
    box = Box(-0.5 * scale, (shape - 0.5) * scale)
    return Scene(first.name, position, of_class.astype(object), sorted(set(classes)), columns, rows, box)


def region_window(path: Path, name: str, unit: str) -> Region:
    """The window from a label map: every pixel that is not 0.

    Raises:
        UserError: No flat label map, nothing in it, or without the pixel size that µm need.
    """
    import numpy as np
    from image_file import open_image
    from label_map_writer import check_label_map

    image = open_image(path, name)
    check_label_map(image)
    if image.size_t * image.size_z > 1:
        raise UserError(f"Region {name}: it has time points or z-planes. Give a flat label map.")
    scale = np.array([image.micrometres("y"), image.micrometres("x")], float) if unit == "um" else np.ones(2)
    if np.isnan(scale).any():
        raise UserError(f"Region {name}: its pixel size in µm is unknown. Choose pixels as unit.")
    mask = image.read_plane() > 0
    if not mask.any():
        raise UserError(f"Region {name}: every pixel is 0. Mark the region by labels above 0.")
    return Region(mask, scale)


def box_around(position: np.ndarray, name: str) -> Box:
    """The box around points, a little larger, as the box that random points fill would be.

    Ripley BD, Rasson J-P (1977) J Appl Prob 14, 483-491: scaled by (n + 1) / (n - 1) about its middle.

    Raises:
        UserError: The points span no area.
    """
    lower, upper = position.min(axis=0), position.max(axis=0)
    n = len(position)
    if n < 3 or (upper <= lower).any():
        raise UserError(
            f"Image {name}: its {n} objects span no area, so the window is unknown. "
            "Give its width and height, or a region."
        )
    middle, half = (lower + upper) / 2, (upper - lower) / 2 * (n + 1) / (n - 1)
    return Box(middle - half, middle + half)


@dataclass(frozen=True)
class Result:
    """What was found in one image, for the tables and the figure."""

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
    """Compute everything for one image.

    Args:
        scene: The objects.
        window: Where objects could have been; None: as the scene says, or the box around them.
        options: Of the functions of distance.
        reach: Distance of neighbours and within clusters.
        min_points: Objects that make a cluster's core.

    Raises:
        UserError: Too many classes, or no window.
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
    """Header and rows of the table of objects: what is known of each and what was found."""
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
    """Rows of the table of curves: one for each pair of classes and radius."""
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
    """Rows of the summary: one for each pair of classes."""
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
    """Names of the summary's columns."""
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
    parser.add_argument("--class-names", nargs="+", help="of the label maps, in their order")
    for column in ("x", "y", "z", "class", "image"):
        parser.add_argument(f"--{column}-column")
    parser.add_argument("--unit", choices=["px", "um"], default="px")
    parser.add_argument("--region", type=Path, help="label map: objects could have been where it is not 0")
    parser.add_argument("--region-name")
    for side in ("width", "height", "depth"):
        parser.add_argument(f"--{side}", type=float, help="of the window, from 0, in the unit")
    parser.add_argument("--radii", type=int, default=50)
    parser.add_argument("--max-radius", type=float)
    parser.add_argument("--correction", choices=["translation", "isotropic", "none"], default="translation")
    parser.add_argument("--simulations", type=int, default=99)
    parser.add_argument("--null", choices=["random", "labels"], default="random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--neighbour-distance", type=float, required=True)
    parser.add_argument("--min-cluster", type=int, default=5)
    parser.add_argument("--density-sigma", type=float, help="as --neighbour-distance where not given")
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
    if args.region and (args.width or args.height or args.depth):
        raise UserError("Window: a region and a width and height exclude each other. Give one of them.")


def main(argv: list[str] | None = None) -> None:
    """Parse, open, analyze, write."""
    args = _arguments(argv)
    _check(args)
    if args.labels:
        scenes = [scene_of_label_maps(args)]
    else:
        scenes = list(scenes_of_table(read_measurement_table(args.table, args.table_name or args.table.name), args))
    dimensions = scenes[0].position.shape[1]
    window = region_window(args.region, args.region_name or args.region.name, args.unit) if args.region else None
    if window and (dimensions > 2 or len(scenes) > 1):
        raise UserError(
            f"Region {args.region_name or args.region.name}: it serves one flat image, here are {len(scenes)} with "
            f"{dimensions} dimensions. Analyze them one by one."
        )
    options = PatternOptions(args.radii, args.max_radius, args.correction, args.simulations, args.null, args.seed)
    # An image without objects has no row in a table of objects, but a label map may be empty: its window is known.
    results = [
        analyze_scene(scene, window, options, args.neighbour_distance, args.min_cluster)
        for scene in scenes
        if len(scene.classes) and (len(scene.position) or scene.window or window)
    ]
    write_outputs(results, scenes, args, dimensions)


def write_outputs(results: list[Result], scenes: list[Scene], args: Namespace, dimensions: int) -> None:
    """Write the tables, and of the first image the density map and the figure."""
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
    for result in results:
        print(f"{result.scene.image}: {len(result.points.of_class)} objects, {result.cluster.max(initial=0)} clusters")


def _aligned(results: list[Result], header: list[str], unit: str) -> Iterator[tuple[Any, ...]]:
    """Rows of all images under one header: a class that an image lacks has empty cells there."""
    for result in results:
        own, rows = object_rows(result, unit)
        places = [own.index(name) if name in own else None for name in header]
        for row in rows:
            yield tuple(None if place is None else row[place] for place in places)


def _draw_first(results: list[Result], args: Namespace, dimensions: int) -> None:
    from spatial_figure import PatternPicture, draw_pattern

    first, density = results[0], None
    if dimensions == 2:
        sigma = args.density_sigma or args.neighbour_distance
        lower, upper = first.window.bounds
        # Fine enough for the kernel, and no more than a million pixels.
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
