#!/usr/bin/env python
"""Links the objects of a movie (a label map or a measurement table) to tracks and measures how they move."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.tables.measurement_table import read_measurement_table, write_rows
from bioimage_suite.tracking.detections import Detections, detections_of_movie, detections_of_table
from bioimage_suite.tracking.linking import LinkOptions, Objects, Tracks, link_objects
from bioimage_suite.tracking.measures import SUMMARY_MEASURES, mean_squared_displacement, summarize_tracks

if TYPE_CHECKING:
    import numpy as np

    from bioimage_suite.images.image_file import ImageFile
from bioimage_suite.images.series import add_reading_arguments, reading_of

LENGTHS = ("path_length", "displacement", "max_distance_from_start")
SPEEDS = ("mean_speed", "median_speed", "max_speed")


def track(detections: Detections, options: LinkOptions, min_objects: int = 1) -> Tracks:
    """Link the objects of each image separately; track numbers continue from image to image.

    Args:
        detections: The objects.
        options: Limits of links.
        min_objects: Least number of objects of a track; shorter tracks are left out unless a division connects them.

    Returns:
        The tracks; objects of tracks that were left out have track 0.
    """
    import numpy as np

    whole = detections.objects
    number = np.zeros(len(whole.frame), np.int64)
    parents = [np.zeros(1, np.int64)]
    for name in dict.fromkeys(detections.image.tolist()):
        here = np.flatnonzero(detections.image == name)
        # Overlaps have indices of the whole movie: only a label map has them, and it is one image.
        part = Objects(whole.frame[here], whole.position[here], whole.area[here] if whole.area is not None else None,
                       whole.overlaps)  # fmt: skip
        tracks = link_objects(part, options)
        so_far = sum(len(p) for p in parents) - 1
        number[here] = tracks.track + so_far
        parents.append(np.where(tracks.parent[1:] > 0, tracks.parent[1:] + so_far, 0))
    return _without_short(Tracks(number, np.concatenate(parents)), min_objects)


def _without_short(tracks: Tracks, min_objects: int) -> Tracks:
    import numpy as np

    keep = np.bincount(tracks.track, minlength=len(tracks.parent)) >= min_objects
    keep |= (tracks.parent > 0) | (np.bincount(tracks.parent, minlength=len(keep)) > 0)
    keep[0] = False
    new = np.cumsum(keep) * keep
    parent = np.concatenate([[0], new[tracks.parent[keep]]])
    return Tracks(new[tracks.track], parent)


def _kept(detections: Detections, tracks: Tracks) -> tuple[np.ndarray, np.ndarray, Tracks]:
    """Return the frames and positions of the objects that have a track, and their tracks."""
    kept = tracks.track > 0
    return detections.objects.frame[kept], detections.objects.position[kept], Tracks(tracks.track[kept], tracks.parent)


def measure_name(measure: str, unit: str, time_unit: str) -> str:
    """Return the name of a measure of SUMMARY_MEASURES with its unit."""
    if measure == "duration":
        return f"duration_{'s' if time_unit == 's' else 'frames'}"
    if measure in LENGTHS:
        return f"{measure}_{unit}"
    return f"{measure}_{unit}_per_{time_unit}" if measure in SPEEDS else measure


def write_tables(detections: Detections, tracks: Tracks, summary: dict[str, np.ndarray], args: Namespace) -> None:
    """Write the table of objects, the table of tracks and the table of images."""
    import numpy as np

    parent = tracks.parent.tolist()
    numbers = tracks.track.tolist()
    rows = ((*row, k or None, parent[k] or None) for row, k in zip(detections.rows, numbers, strict=True))
    write_rows(args.objects_out, (*detections.columns, "track", "parent_track"), rows)
    time_unit = "s" if detections.frame_interval else "frame"
    image_of = np.empty(len(parent), dtype=object)
    image_of[tracks.track] = detections.image
    columns = [measure_name(measure, detections.unit, time_unit) for measure in SUMMARY_MEASURES]
    values = [summary[measure].tolist() for measure in SUMMARY_MEASURES]
    lines = zip(image_of[1:].tolist(), range(1, len(parent)), (p or None for p in parent[1:]), *values, strict=True)
    write_rows(args.tracks_out, ("image", "track", "parent_track", *columns), lines)
    if args.images_out:
        lines_of_images = _image_rows(detections, tracks, summary, image_of[1:])
        names = [measure_name(measure, detections.unit, time_unit) for measure in (*LENGTHS, *SPEEDS[:1])]
        write_rows(
            args.images_out,
            ("image", "frames", "objects", "tracks", "divisions", "objects_without_track", "median_objects_per_track",
             *(f"median_{name}" for name in names), "median_straightness"),
            lines_of_images,
        )  # fmt: skip


def _image_rows(
    detections: Detections, tracks: Tracks, summary: dict[str, np.ndarray], image_of: np.ndarray
) -> Iterator[tuple[Any, ...]]:
    """Yield one row for each image; medians are over its tracks of two or more objects."""
    import numpy as np

    for name in dict.fromkeys(detections.image.tolist()):
        of_object, of_track = detections.image == name, image_of == name
        moving = of_track & (summary["objects"] > 1)
        medians = (
            float(np.median(values[np.isfinite(values)])) if np.isfinite(values).any() else None
            for values in (summary[measure][moving] for measure in (*LENGTHS, "mean_speed", "straightness"))
        )
        frames = detections.objects.frame[of_object]
        lengths = summary["objects"][of_track]
        yield (name, len(np.unique(frames)), int(of_object.sum()), int(of_track.sum()),
               int((summary["daughters"][of_track] > 0).sum()), int((tracks.track[of_object] == 0).sum()),
               float(np.median(lengths)) if len(lengths) else None, *medians)  # fmt: skip


def write_figure(detections: Detections, tracks: Tracks, summary: dict[str, np.ndarray], path: Path) -> None:
    """Draw paths, speeds and the mean squared displacement over at most a quarter of the movie."""
    import numpy as np

    from bioimage_suite.tracking.figure import TrackPicture, draw_tracks

    frame, position, kept = _kept(detections, tracks)
    frames = int(frame.max() - frame.min() + 1) if len(frame) else 1
    # Long lags have few, dependent pairs: a quarter of the length is the usual limit (Saxton 1997, Biophys J 72, 1744).
    lags, msd, _ = mean_squared_displacement(frame, position, kept.track, max(4, frames // 4))
    names = list(dict.fromkeys(detections.image.tolist()))
    draw_tracks(
        path,
        TrackPicture(
            title=str(names[0]) if len(names) == 1 else f"{len(names)} images", frame=frame,
            position=position[:, -2:], track=kept.track, mean_speed=np.asarray(summary["mean_speed"]),
            lags=lags * (detections.frame_interval or 1), msd=msd,
            space_unit="µm" if detections.unit == "um" else "px",
            time_unit="s" if detections.frame_interval else "frame",
        ),
    )  # fmt: skip


def write_trackmate(detections: Detections, tracks: Tracks, args: Namespace, movie: ImageFile | None) -> None:
    """Write the requested files of TrackMate, XML and CSV, with the size and calibration of a label map.

    Raises:
        UserError: The table holds more than one image.
    """
    import numpy as np

    from bioimage_suite.tracking.exports import Spots, write_trackmate_csv, write_trackmate_xml

    names = dict.fromkeys(detections.image.tolist())
    if len(names) > 1:
        raise UserError(
            f"Table with {len(names)} images: a TrackMate file holds one image. Split the table by image, "
            "or leave this output out."
        )
    position, area = detections.objects.position, detections.objects.area
    n, dimensions = position.shape
    xyz = np.column_stack([position[:, -1], position[:, -2], position[:, 0] if dimensions == 3 else np.zeros(n)])
    size = np.full(n, np.pi) if area is None else area
    radius = (size / np.pi) ** 0.5 if dimensions == 2 else (0.75 * size / np.pi) ** (1 / 3)
    known = detections.frame_interval is not None
    spots = Spots(detections.objects.frame, xyz, radius, "micron" if detections.unit == "um" else "pixel",
                  detections.frame_interval or 1.0, "sec" if known else "frame")  # fmt: skip
    if args.trackmate_xml:
        image = {
            "filename": next(iter(names), "empty"),
            **(_image_facts(movie, detections.unit, args) if movie else {}),
        }
        write_trackmate_xml(args.trackmate_xml, spots, tracks, image)
    if args.trackmate_csv:
        write_trackmate_csv(args.trackmate_csv, spots, tracks)


def _image_facts(movie: ImageFile, unit: str, args: Namespace) -> dict[str, str]:
    """Return the size of a movie and of a pixel in the unit of the positions, with TrackMate's names."""
    x, y = (args.pixel_size or movie.micrometres(axis) for axis in "xy")
    z = args.z_step or movie.micrometres("z")
    width, height, depth = (x, y, z) if unit == "um" else (1.0, 1.0, z / x if z and x else None)
    facts = {"width": movie.size_x, "height": movie.size_y, "nslices": movie.size_z, "nframes": movie.size_t,
             "pixelwidth": width, "pixelheight": height, "voxeldepth": depth or 1.0}  # fmt: skip
    return {name: str(fact) for name, fact in facts.items()}


def _arguments(argv: list[str] | None) -> Namespace:
    parser = ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--labels", type=Path, help="label map with time points")
    source.add_argument("--table", type=Path, help="measurement table with frame and position")
    parser.add_argument("--name", help="name of the movie in messages and tables")
    add_reading_arguments(parser)
    parser.add_argument("--frames-along", choices=["t", "z"], default="t")
    for column in ("frame", "x", "y", "z", "image"):
        parser.add_argument(f"--{column}-column", help=f"table: column of the {column}; usual names are found")
    parser.add_argument("--unit", choices=["px", "um"], default="px", help="unit of all distances")
    parser.add_argument("--pixel-size", type=float, metavar="UM", help="replaces that of the file")
    parser.add_argument("--z-step", type=float, metavar="UM", help="replaces that of the file")
    parser.add_argument("--frame-interval", type=float, metavar="S", help="replaces that of the file")
    parser.add_argument("--max-distance", type=float, required=True)
    parser.add_argument("--max-gap", type=int, default=1, help="frames that an object may be missing")
    parser.add_argument("--gap-distance", type=float, help="default: --max-distance")
    parser.add_argument("--linking", choices=["distance", "overlap"], default="distance")
    parser.add_argument("--motion", choices=["random", "directed"], default="random")
    parser.add_argument("--divisions", action="store_true")
    parser.add_argument("--division-distance", type=float, help="default: --max-distance")
    parser.add_argument("--division-area-ratio", type=float, default=2.0, help="0: do not compare areas")
    parser.add_argument("--min-objects", type=int, default=1, help="shorter tracks are left out")
    parser.add_argument("--objects-out", type=Path, required=True)
    parser.add_argument("--tracks-out", type=Path, required=True)
    for output in ("images-out", "relabelled", "challenge-zip", "trackmate-xml", "trackmate-csv", "figure"):
        parser.add_argument(f"--{output}", type=Path)
    return parse_arguments(parser, argv)


def _check(args: Namespace) -> None:
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


def main(argv: list[str] | None = None) -> None:
    """Parse, open, link, measure, write."""
    args = _arguments(argv)
    _check(args)
    movie = None
    if args.labels:
        from bioimage_suite.images.image_file import open_image
        from bioimage_suite.tracking.movie import as_movie, measure_movie

        movie = as_movie(open_image(args.labels, args.name, reading_of(args)), args.frames_along)
        found = measure_movie(movie)
        detections = detections_of_movie(movie, found, args)
    else:
        detections = detections_of_table(read_measurement_table(args.table, args.name or args.table.name), args)
    options = LinkOptions(
        args.max_distance, args.max_gap, args.gap_distance, args.divisions, args.division_distance,
        args.division_area_ratio, args.motion == "directed",
    )  # fmt: skip
    tracks = track(detections, options, args.min_objects)
    summary = summarize_tracks(*_kept(detections, tracks), detections.frame_interval or 1.0)
    if args.trackmate_xml or args.trackmate_csv:
        write_trackmate(detections, tracks, args, movie)
    if args.challenge_zip and movie:
        from bioimage_suite.tracking.exports import write_challenge_zip

        write_challenge_zip(args.challenge_zip, movie, found, tracks)
    if args.relabelled and movie:
        from bioimage_suite.images.label_maps import write_label_map
        from bioimage_suite.tracking.movie import relabelled

        write_label_map(args.relabelled, relabelled(movie, found, tracks.track), movie)
    if args.figure:
        write_figure(detections, tracks, summary, args.figure)
    write_tables(detections, tracks, summary, args)
    divisions = int((summary["daughters"] > 0).sum())
    print(f"{len(tracks.track)} objects, {len(tracks.parent) - 1} tracks, {divisions} divisions")


if __name__ == "__main__":
    run_tool(main)
