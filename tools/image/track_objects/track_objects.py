#!/usr/bin/env python
"""Links the objects of a movie (a label map or a measurement table) to tracks and measures how they move."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument, one_of, run_tool, tool
from bioimage_suite.images.model.label_objects import MovieObjects, measure_movie
from bioimage_suite.images.model.series import READING, reading_of
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map, write_label_map
from bioimage_suite.tables.measurement_table import read_measurement_table, write_rows
from bioimage_suite.tracking import tracked as tracking
from bioimage_suite.tracking.detections import Scale, TableColumns, detections_of_movie, detections_of_table
from bioimage_suite.tracking.linking import LinkOptions
from bioimage_suite.tracking.movie import as_movie, overlaps_of, relabelled

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.images.model.image_file import ImageFile


def check(args: Namespace) -> None:
    """Reject invalid parameters before anything is read."""
    for name in ("max_distance", "gap_distance", "division_distance", "pixel_size", "z_step", "frame_interval"):
        value = getattr(args, name)
        if value is not None and not 0 < value < float("inf"):
            raise UserError(f"Parameter {name.replace('_', ' ')} {value}: it must be above 0. Give a positive number.")
    if args.max_gap < 0:
        raise UserError(f"Parameter max gap {args.max_gap}: a number of frames cannot be negative. Give 0 for no gaps.")
    if args.division_area_ratio and args.division_area_ratio < 1:
        raise UserError(
            f"Parameter division area ratio {args.division_area_ratio}: the larger daughter over the smaller one is at "
            "least 1. Give 1 or more, or 0 to leave it out."
        )
    if args.table and (args.relabelled or args.challenge_zip or args.linking == "overlap"):
        raise UserError(
            "A table has no pixels: the relabelled movie, the Cell Tracking Challenge layout and linking by overlap "
            "need a label map. Give one, or leave these out."
        )


def write_tables(tracked: tracking.Tracked, args: Namespace, outputs: Outputs) -> None:
    """Write the table of objects, the table of tracks and the table of images."""
    write_rows(outputs.file(args.objects_out), tracking.object_columns(tracked), tracking.object_rows(tracked))
    write_rows(outputs.file(args.tracks_out), tracking.track_columns(tracked), tracking.track_rows(tracked))
    if args.images_out:
        write_rows(outputs.file(args.images_out), tracking.image_columns(tracked), tracking.image_rows(tracked))


def write_movie(
    movie: ImageFile, found: MovieObjects, tracked: tracking.Tracked, args: Namespace, outputs: Outputs
) -> None:
    """Write what needs the pixels: the layout of the Cell Tracking Challenge and the relabelled movie."""
    if args.challenge_zip:
        from bioimage_suite.tracking.challenge_layout import write_challenge_zip

        write_challenge_zip(outputs.file(args.challenge_zip), movie, found, tracked.tracks)
    if args.relabelled:
        write_label_map(outputs.file(args.relabelled), relabelled(movie, found, tracked.tracks.track), movie)


def write_trackmate(
    tracked: tracking.Tracked, movie: ImageFile | None, scale: Scale, args: Namespace, outputs: Outputs
) -> None:
    """Write the requested files of TrackMate, XML and CSV."""
    from bioimage_suite.tracking.trackmate import image_data, spots_of, write_trackmate_csv, write_trackmate_xml

    spots = spots_of(tracked.detections)
    if args.trackmate_xml:
        image = image_data(tracked.detections, movie, scale)
        write_trackmate_xml(outputs.file(args.trackmate_xml), spots, tracked.tracks, image)
    if args.trackmate_csv:
        write_trackmate_csv(outputs.file(args.trackmate_csv), spots, tracked.tracks)


@tool(
    __doc__,
    one_of(
        argument("--labels", type=Path, help="label map with time points"),
        argument("--table", type=Path, help="measurement table with frame and position"),
    ),
    argument("--name", help="name of the movie in messages and tables"),
    *READING,
    argument("--frames-along", choices=["t", "z"], default="t"),
    *(
        argument(f"--{column}-column", help=f"table: column of the {column}; usual names are found")
        for column in ("frame", "x", "y", "z", "image")
    ),
    argument("--unit", choices=["px", "um"], default="px", help="unit of all distances"),
    argument("--pixel-size", type=float, metavar="UM", help="replaces that of the file"),
    argument("--z-step", type=float, metavar="UM", help="replaces that of the file"),
    argument("--frame-interval", type=float, metavar="S", help="replaces that of the file"),
    argument("--max-distance", type=float, required=True),
    argument("--max-gap", type=int, default=1, help="frames that an object may be missing"),
    argument("--gap-distance", type=float, help="default: --max-distance"),
    argument("--linking", choices=["distance", "overlap"], default="distance"),
    argument("--motion", choices=["random", "directed"], default="random"),
    argument("--divisions", action="store_true"),
    argument("--division-distance", type=float, help="default: --max-distance"),
    argument("--division-area-ratio", type=float, default=2.0, help="0: do not compare areas"),
    argument("--min-objects", type=int, default=1, help="shorter tracks are left out"),
    argument("--objects-out", type=Path, required=True),
    argument("--tracks-out", type=Path, required=True),
    *(
        argument(f"--{output}", type=Path)
        for output in ("images-out", "relabelled", "challenge-zip", "trackmate-xml", "trackmate-csv", "figure")
    ),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, link, measure, write."""
    check(args)
    scale = Scale(args.unit, args.pixel_size, args.z_step, args.frame_interval)
    options = LinkOptions(
        args.max_distance, args.max_gap, args.gap_distance, args.divisions, args.division_distance,
        args.division_area_ratio, args.motion == "directed",
    )  # fmt: skip
    movie = None
    if args.labels:
        movie = as_movie(as_label_map(open_image(args.labels, args.name, reading_of(args))), args.frames_along)
        found = measure_movie(movie)
        overlaps = overlaps_of(movie, found) if args.linking == "overlap" else None
        detections = detections_of_movie(movie, found, scale, overlaps)
    else:
        columns = TableColumns(args.frame_column, args.x_column, args.y_column, args.z_column, args.image_column)
        table = read_measurement_table(args.table, args.name or args.table.name)
        detections = detections_of_table(table, columns, scale)
    tracked = tracking.tracked_objects(detections, options, args.min_objects)
    if args.trackmate_xml or args.trackmate_csv:
        write_trackmate(tracked, movie, scale, args, outputs)
    if movie:
        write_movie(movie, found, tracked, args, outputs)
    if args.figure:
        from bioimage_suite.tracking.figure import draw_tracks, picture_of

        draw_tracks(outputs.file(args.figure), picture_of(tracked))
    write_tables(tracked, args, outputs)
    tracks = len(tracked.tracks.parent) - 1
    print(f"{len(tracked.tracks.track)} objects, {tracks} tracks, {tracked.divisions} divisions")


if __name__ == "__main__":
    run_tool(main)
