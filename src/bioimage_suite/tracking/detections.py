"""Objects to link to tracks, from the label map of a movie or from a measurement table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.units import seconds
from bioimage_suite.tables.measurement_table import IMAGE_COLUMNS, MeasurementTable, as_positions, position_columns
from bioimage_suite.tracking.linking import Objects, Overlaps

if TYPE_CHECKING:
    from bioimage_suite.images.model.image_file import ImageFile
    from bioimage_suite.images.model.label_objects import MovieObjects

FRAME_COLUMNS = ("frame", "t", "time_point", "FRAME")


@dataclass(frozen=True)
class Scale:
    """Unit of positions and distances, and sizes that replace those of the file.

    Attributes:
        unit: `um` or `px`.
        pixel_size: Extent of a pixel along x and y in µm.
        z_step: Distance of two z-planes in µm.
        frame_interval: Seconds from one frame to the next.
    """

    unit: str = "px"
    pixel_size: float | None = None
    z_step: float | None = None
    frame_interval: float | None = None

    def extent(self, movie: ImageFile, axis: str) -> float | None:
        """Return the extent of a pixel along `x`, `y` or `z` in µm, None where unknown."""
        return (self.z_step if axis == "z" else self.pixel_size) or movie.micrometres(axis)

    def seconds_between_frames(self, movie: ImageFile) -> float | None:
        """Return the seconds between frames, None where unknown."""
        step = movie.time_increment
        return self.frame_interval or (seconds(step.value, step.unit) if step else None)


@dataclass(frozen=True)
class TableColumns:
    """Columns of a measurement table; usual names are tried for those that are None."""

    frame: str | None = None
    x: str | None = None
    y: str | None = None
    z: str | None = None
    image: str | None = None


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


def detections_of_movie(movie: ImageFile, found: MovieObjects, scale: Scale, overlaps: Overlaps | None) -> Detections:
    """Return the objects of a label map as detections.

    Args:
        movie: The label map.
        found: Its objects.
        scale: Unit of the positions, and sizes that replace those of the file.
        overlaps: Overlaps of objects in successive frames, to link by them; None to link by distance.

    Raises:
        UserError: The unit is µm, but the pixel size is unknown.
    """
    first = 0 if movie.size_z > 1 else 1
    extent = np.array([scale.extent(movie, axis) for axis in "zyx"], dtype=float)  # NaN where unknown
    if scale.unit == "um" and np.isnan(extent[first:]).any():
        raise UserError(
            f"Label map {movie.name}: its pixel size{'' if first else ' or z-step'} in µm is unknown. Give it, "
            "or give distances in pixels."
        )
    flatness = extent[0] / extent[2]
    work = extent if scale.unit == "um" else np.array([1.0 if np.isnan(flatness) else flatness, 1, 1])
    position = (found.centroid * work)[:, first:]
    interval = scale.seconds_between_frames(movie)
    table = _movie_table(movie, found, extent, interval)
    objects = Objects(found.frame, position, found.pixels * np.prod(work[first:]), overlaps)
    rows = list(zip(*table.values(), strict=True))
    image = np.array(table["image"], dtype=object)
    return Detections(image, objects, scale.unit, interval, tuple(table), rows)


def _movie_table(
    movie: ImageFile, found: MovieObjects, extent: np.ndarray, interval: float | None
) -> dict[str, list[Any]]:
    """Return the columns of the table of objects of a label map.

    Args:
        movie: The label map.
        found: Its objects.
        extent: (3,) extent of a pixel along z, y, x in µm, NaN where unknown.
        interval: Seconds from one frame to the next, None where unknown.
    """
    table: dict[str, list[Any]] = {
        "image": [movie.name] * len(found.frame), "label": found.label.tolist(), "frame": found.frame.tolist()
    }  # fmt: skip
    if interval:
        table["time_s"] = (found.frame * interval).tolist()
    axes = "xyz" if movie.size_z > 1 else "xy"
    for axis in axes:
        table[f"centroid_{axis}_px"] = as_positions(found.centroid[:, "zyx".index(axis)]).tolist()
    for axis in axes:
        size = extent["zyx".index(axis)]
        if not np.isnan(size):
            table[f"centroid_{axis}_um"] = as_positions(found.centroid[:, "zyx".index(axis)] * size).tolist()
    table["volume_px" if movie.size_z > 1 else "area_px"] = found.pixels.tolist()
    return table


def detections_of_table(table: MeasurementTable, columns: TableColumns, scale: Scale) -> Detections:
    """Return the rows of a measurement table as detections.

    Raises:
        UserError: A needed column is missing, holds other values than numbers or is reserved, or a frame is negative.
    """
    frame = table.whole_numbers(columns.frame or _usual(table, FRAME_COLUMNS, "frame"))
    if (frame < 0).any():
        raise UserError(f"Table {table.name}: frame {frame.min()} is negative. Frames count from 0 or 1.")
    x = columns.x or _usual(table, _position_names("x", scale.unit), "x position")
    y = columns.y or _usual(table, _position_names("y", scale.unit), "y position")
    z = columns.z or table.first_of(_position_names("z", scale.unit))
    position = np.column_stack([table.numbers(column) for column in ([z] if z else []) + [y, x]])
    sizes = ("volume_um3", "area_um2") if scale.unit == "um" else ("volume_px", "area_px")
    area = table.first_of((*sizes, "volume", "area", "AREA"))
    image = columns.image or table.first_of(IMAGE_COLUMNS)
    names = table.texts(image) if image else [table.name] * len(frame)
    reserved = {"track", "parent_track"} & set(table.columns)
    if reserved:
        raise UserError(f"Table {table.name}: it has a column {min(reserved)!r} already. Rename or remove it.")
    objects = Objects(frame, position, table.numbers(area) if area else None)
    image_of = np.array(names, dtype=object)
    return Detections(image_of, objects, scale.unit, scale.frame_interval, table.columns, list(table.rows))


def _position_names(axis: str, unit: str) -> tuple[str, ...]:
    """Return the usual names of a position's column, best first; TrackMate's is the last."""
    return (*position_columns(axis, unit), f"POSITION_{axis.upper()}")


def _usual(table: MeasurementTable, names: tuple[str, ...], what: str) -> str:
    column = table.first_of(names)
    if column is None:
        raise UserError(
            f"Table {table.name}: no column for the {what} (tried {', '.join(names)}). "
            f"Name it; the table has: {', '.join(table.columns)}."
        )
    return column
