#!/usr/bin/env python
"""Tests how objects are arranged: clustered, random or regular, and whether classes attract or avoid each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument, one_of, run_tool, tool
from bioimage_suite.images.model.series import READING, reading_of
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map
from bioimage_suite.spatial import tables
from bioimage_suite.spatial.clusters import density_cell, density_map
from bioimage_suite.spatial.result import Result, analyze_scene
from bioimage_suite.spatial.scenes import (
    Scene,
    SceneColumns,
    image_window,
    region_window,
    scene_of_label_maps,
    scenes_of_table,
)
from bioimage_suite.spatial.statistics import PatternOptions
from bioimage_suite.tables.measurement_table import read_measurement_table, say_objects_twice, write_rows

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.spatial.window import Window

PATTERN = PatternOptions()


def check(args: Namespace) -> None:
    """Reject invalid parameters before anything is read.

    Raises:
        UserError: A value is out of range, or two parameters exclude each other.
    """
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


def open_scenes(args: Namespace) -> list[Scene]:
    """Return the objects of the label maps, or of each image of the table."""
    if args.labels:
        names = args.label_names or [path.name for path in args.labels]
        movies = [
            as_label_map(open_image(path, name, reading_of(args)))
            for path, name in zip(args.labels, names, strict=True)
        ]
        return [scene_of_label_maps(movies, args.class_names, args.unit)]
    columns = SceneColumns(
        args.x_column, args.y_column, args.z_column, args.image_column, args.class_column, args.class_condition
    )
    table = read_measurement_table(args.table, args.table_name or args.table.name)
    say_objects_twice(table)
    return list(scenes_of_table(table, columns, args.unit, (args.depth, args.height, args.width)))


def open_window(args: Namespace, scenes: int, dimensions: int) -> Window | None:
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
    image = open_image(given, name, reading_of(args))
    if args.region:
        return region_window(as_label_map(image, regions=True), args.unit)
    return image_window(image, args.unit, dimensions)


def write_tables(results: list[Result], scenes: list[Scene], args: Namespace, outputs: Outputs) -> None:
    """Write the tables of objects, curves and pairs of classes."""
    dimensions = scenes[0].position.shape[1]
    header = tables.object_columns(scenes[0].columns, results, args.unit)
    write_rows(outputs.file(args.objects_out), header, tables.object_rows(results, header, args.unit))
    curves = (row for result in results for row in tables.curve_rows(result))
    write_rows(outputs.file(args.curves_out), tables.curve_columns(args.unit, dimensions), curves)
    pairs = (row for result in results for row in tables.summary_rows(result))
    write_rows(outputs.file(args.summary_out), tables.summary_columns(args.unit, dimensions), pairs)


def draw_first(results: list[Result], args: Namespace, outputs: Outputs) -> None:
    """Write the density map and the figure of the first image."""
    from bioimage_suite.spatial.figure import PatternPicture, draw_pattern

    first, density = results[0], None
    if first.scene.position.shape[1] == 2:
        sigma = args.density_sigma or args.neighbour_distance
        cell = density_cell(first.window, sigma)
        density, _ = density_map(first.points.position, first.window, sigma, cell)
        if args.density_out:
            import tifffile

            tifffile.imwrite(
                outputs.file(args.density_out), density, photometric="minisblack", resolution=(1 / cell, 1 / cell),
                imagej=True, metadata={"unit": "um" if args.unit == "um" else "pixel", "axes": "YX"},
            )  # fmt: skip
    if args.figure:
        title = first.scene.image if len(results) == 1 else f"{first.scene.image} (first of {len(results)} images)"
        unit = "µm" if args.unit == "um" else "px"
        picture = PatternPicture(
            title, first.points, first.names, first.cluster, first.window, density, first.pattern, unit
        )
        draw_pattern(outputs.file(args.figure), picture)


@tool(
    __doc__,
    one_of(
        argument("--table", type=Path),
        argument("--labels", type=Path, nargs="+", help="label maps of one image; each is a class"),
    ),
    argument("--table-name"),
    argument("--label-names", nargs="+", action="extend"),
    argument("--class-names", nargs="+", help="names of the classes of the label maps, in their order"),
    *(argument(f"--{column}-column") for column in ("x", "y", "z", "class", "image")),
    argument("--unit", choices=["px", "um"], default="px"),
    *READING,
    argument("--class-condition", help="table: rows that meet it are one class, the others another"),
    argument("--window-image", type=Path, help="objects could have been anywhere in this image"),
    argument("--window-image-name"),
    argument("--region", type=Path, help="label map: objects could have been where it is not 0"),
    argument("--region-name"),
    *(
        argument(f"--{side}", type=float, help="size of the window, from 0, in the unit")
        for side in ("width", "height", "depth")
    ),
    argument("--radii", type=int, default=PATTERN.radii),
    argument("--max-radius", type=float),
    argument("--correction", choices=["translation", "isotropic", "none"], default=PATTERN.correction),
    argument("--simulations", type=int, default=PATTERN.simulations),
    argument("--null", choices=["random", "labels"], default=PATTERN.null),
    argument("--seed", type=int, default=PATTERN.seed),
    argument("--neighbour-distance", type=float, required=True),
    argument("--min-cluster", type=int, default=5),
    argument("--density-sigma", type=float, help="default: --neighbour-distance"),
    *(argument(f"--{output}", type=Path, required=True) for output in ("objects-out", "summary-out", "curves-out")),
    argument("--figure", type=Path),
    argument("--density-out", type=Path, help="TIFF"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, analyze, write."""
    check(args)
    scenes = open_scenes(args)
    window = open_window(args, len(scenes), scenes[0].position.shape[1])
    options = PatternOptions(args.radii, args.max_radius, args.correction, args.simulations, args.null, args.seed)
    # A table has no row for an image without objects, but a label map may be empty: its window is known.
    results = [
        analyze_scene(scene, window, options, args.neighbour_distance, args.min_cluster)
        for scene in scenes
        if len(scene.classes) and (len(scene.position) or scene.window or window)
    ]
    write_tables(results, scenes, args, outputs)
    if results and (args.figure or args.density_out):
        draw_first(results, args, outputs)
    elif args.figure:
        from bioimage_suite.spatial.figure import draw_nothing

        draw_nothing(outputs.file(args.figure), f"{scenes[0].image}: no objects")
    for result in results:
        print(f"{result.scene.image}: {len(result.points.of_class)} objects, {result.cluster.max(initial=0)} clusters")


if __name__ == "__main__":
    run_tool(main)
