"""Objects to link to tracks, from the label map of a movie or from a measurement table."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.measurement_table import MeasurementTable
from bioimage_suite.tracking.linking import Objects

if TYPE_CHECKING:
    import numpy as np

    from bioimage_suite.images.image_file import ImageFile
    from bioimage_suite.tracking.movie import MovieObjects

FRAME_COLUMNS = ("frame", "t", "time_point", "FRAME")
IMAGE_COLUMNS = ("image", "image_name")


@dataclass(frozen=True)
class Detections:
    """Objects of one movie or of the movies that a table lists, ready to be linked.

    Attributes:
        image: (n,) name of the movie each object is in.
        objects: Frame, position, area and overlap of each object.
        unit: Unit of positions and distances, `um` or `px`.
        frame_interval: Seconds from one frame to the next, None where unknown.
        columns: Columns of the table of tracked objects other than the track.
        rows: Their values, one row for each object.
    """

    image: np.ndarray
    objects: Objects
    unit: str
    frame_interval: float | None
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def detections_of_movie(movie: ImageFile, found: MovieObjects, args: Namespace) -> Detections:
    """Return the objects of a label map as detections.

    Raises:
        UserError: The unit is µm, but the pixel size is unknown.
    """
    import numpy as np

    scale = np.array([args.z_step or movie.micrometres("z"), *_pixel_size(movie, args)], dtype=float)  # z, y, x; NaN
    deep = movie.size_z > 1
    if args.unit == "um" and np.isnan(scale[0 if deep else 1 :]).any():
        raise UserError(
            f"Label map {movie.name}: its pixel size{' or z-step' if deep else ''} in µm is unknown. Give it, "
            "or give distances in pixels."
        )
    work = (
        scale if args.unit == "um" else np.array([1.0 if np.isnan(scale[0] / scale[2]) else scale[0] / scale[2], 1, 1])
    )
    position = (found.centroid * work)[:, 0 if deep else 1 :]
    overlaps = None
    if args.linking == "overlap":
        from bioimage_suite.tracking.movie import overlaps_of

        overlaps = overlaps_of(movie, found)
    axes = "zyx" if deep else "yx"
    columns = ["image", "label", "frame"]
    values: list[list[Any]] = [[movie.name] * len(found.frame), found.label.tolist(), found.frame.tolist()]
    interval = _frame_interval(movie, args)
    if interval:
        columns.append("time_s")
        values.append((found.frame * interval).tolist())
    for axis in reversed(axes):
        columns.append(f"centroid_{axis}_px")
        values.append(found.centroid[:, "zyx".index(axis)].tolist())
    for axis in reversed(axes):
        size = scale["zyx".index(axis)]
        if not np.isnan(size):
            columns.append(f"centroid_{axis}_um")
            values.append((found.centroid[:, "zyx".index(axis)] * size).tolist())
    columns.append("volume_px" if deep else "area_px")
    values.append(found.pixels.tolist())
    objects = Objects(found.frame, position, found.pixels * np.prod(work[0 if deep else 1 :]), overlaps)
    rows = list(zip(*values, strict=True))
    return Detections(np.array(values[0], dtype=object), objects, args.unit, interval, tuple(columns), rows)


def _pixel_size(movie: ImageFile, args: Namespace) -> tuple[float | None, float | None]:
    """Return the extent of a pixel along y and x in µm: from the arguments, else from the file."""
    if args.pixel_size:
        return args.pixel_size, args.pixel_size
    return movie.micrometres("y"), movie.micrometres("x")


def _frame_interval(movie: ImageFile, args: Namespace) -> float | None:
    """Return the seconds between frames: from the arguments, else from the file; None if unknown (0 in the file).

    Raises:
        UserError: The time between frames in the file is negative or infinite.
    """
    seconds = {"s": 1.0, "second": 1.0, "sec": 1.0, "ms": 1e-3, "millisecond": 1e-3, "min": 60.0, "minute": 60.0,
               "h": 3600.0, "hour": 3600.0, "d": 86400.0, "day": 86400.0}  # fmt: skip
    if args.frame_interval:
        return args.frame_interval
    increment = movie.time_increment
    if not increment or increment.value == 0 or increment.unit not in seconds:
        return None
    if not 0 < increment.value < float("inf"):
        raise UserError(
            f"Label map {movie.name}: the time between its frames is {increment.value} {increment.unit}, "
            "which no movie can have. Give the frame interval."
        )
    return increment.value * seconds[increment.unit]


def detections_of_table(table: MeasurementTable, args: Namespace) -> Detections:
    """Return the rows of a measurement table as detections.

    Raises:
        UserError: A needed column is missing, holds other values than numbers or is reserved, or a frame is negative.
    """
    import numpy as np

    frame = table.whole_numbers(args.frame_column or _usual(table, FRAME_COLUMNS, "frame"))
    if (frame < 0).any():
        raise UserError(f"Table {table.name}: frame {frame.min()} is negative. Frames count from 0 or 1.")
    x = args.x_column or _usual(table, _position_names("x", args.unit), "x position")
    y = args.y_column or _usual(table, _position_names("y", args.unit), "y position")
    z = args.z_column or table.first_of(_position_names("z", args.unit))
    position = np.column_stack([table.numbers(column) for column in ([z] if z else []) + [y, x]])
    sizes = ("volume_um3", "area_um2") if args.unit == "um" else ("volume_px", "area_px")
    area = table.first_of((*sizes, "volume", "area", "AREA"))
    image = args.image_column or table.first_of(IMAGE_COLUMNS)
    names = table.texts(image) if image else [table.name] * len(frame)
    reserved = {"track", "parent_track"} & set(table.columns)
    if reserved:
        raise UserError(f"Table {table.name}: it has a column {min(reserved)!r} already. Rename or remove it.")
    objects = Objects(frame, position, table.numbers(area) if area else None)
    interval = args.frame_interval
    return Detections(np.array(names, dtype=object), objects, args.unit, interval, table.columns, list(table.rows))


def _position_names(axis: str, unit: str) -> tuple[str, ...]:
    """Return the usual names of a position's column, best first."""
    return (
        f"centroid_{axis}_{unit}",
        f"{axis}_{unit}",
        f"centroid_{axis}",
        axis,
        axis.upper(),
        f"POSITION_{axis.upper()}",
    )


def _usual(table: MeasurementTable, names: tuple[str, ...], what: str) -> str:
    column = table.first_of(names)
    if column is None:
        raise UserError(
            f"Table {table.name}: no column for the {what} (tried {', '.join(names)}). "
            f"Name it; the table has: {', '.join(table.columns)}."
        )
    return column
