"""Objects of an image with their classes and window, from a measurement table or from label maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.bands import bands
from bioimage_suite.images.model.label_objects import measure_movie
from bioimage_suite.images.model.planes import sizes
from bioimage_suite.images.writers.label_maps import check_label_map
from bioimage_suite.spatial.window import Box, Region, Window
from bioimage_suite.tables.measurement_table import IMAGE_COLUMNS, MeasurementTable, as_positions, position_columns
from bioimage_suite.tables.row_expression import rows_that_match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.images.model.image_file import ImageFile

# Classes by a condition: objects that meet it and objects that do not.
SELECTED, OTHER = "selected", "other"
Sides = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Scene:
    """The objects of one image.

    Attributes:
        image: Name of the image.
        position: (n, 2) or (n, 3) positions y, x or z, y, x in `px` or `um`.
        of_class: (n,) name of each object's class.
        classes: Names of all classes, sorted.
        columns: Names of the known properties of an object.
        rows: Their values, one row for each object.
        window: Where objects could have been; None for the box around them.
    """

    image: str
    position: np.ndarray
    of_class: np.ndarray
    classes: list[str]
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    window: Window | None


@dataclass(frozen=True)
class SceneColumns:
    """Columns of a measurement table; usual names are tried for those of the position that are None.

    Attributes:
        x: Column of the position along x.
        y: Column of the position along y.
        z: Column of the position along z.
        image: Column of the image.
        of_class: Column of the class.
        condition: Instead of a column: rows that meet it are one class, the others another.
    """

    x: str | None = None
    y: str | None = None
    z: str | None = None
    image: str | None = None
    of_class: str | None = None
    condition: str | None = None


def scenes_of_table(
    table: MeasurementTable, columns: SceneColumns, unit: str, sides: Sides = (None, None, None)
) -> Iterator[Scene]:
    """Yield the objects of each image in a measurement table.

    Args:
        table: The table.
        columns: Its columns.
        unit: Unit of the positions, `px` or `um`.
        sides: Depth, height and width of the window, from 0; None where not given.

    Raises:
        UserError: A column of the position is missing, or a position is not a number.
    """
    asked = {"x": columns.x, "y": columns.y, "z": columns.z}
    x, y, z = (own or table.first_of(position_columns(axis, unit)) for axis, own in asked.items())
    if x is None or y is None:
        raise UserError(
            f"Table {table.name}: no columns for the position in {unit} (tried centroid_x_{unit}, x and "
            f"alike). Name them; the table has: {', '.join(table.columns)}."
        )
    position = np.column_stack([table.numbers(one) for one in ([z] if z else []) + [y, x]])
    classes = np.array(_classes(table, columns), dtype=object)
    image_column = columns.image or table.first_of(IMAGE_COLUMNS)
    image = np.array(table.texts(image_column) if image_column else [table.name] * len(position), dtype=object)
    for name in dict.fromkeys(image.tolist()) if len(image) else [table.name]:
        here = np.flatnonzero(image == name)
        rows = [table.rows[i] for i in here]
        fixed = [OTHER, SELECTED] if columns.condition else [] if columns.of_class else ["all"]
        present = sorted({*classes[here].tolist(), *fixed})
        box = _sized_box(sides, position.shape[1])
        yield Scene(str(name), position[here], classes[here], present, table.columns, rows, box)


def _classes(table: MeasurementTable, columns: SceneColumns) -> list[str]:
    """Return the class of each row: from a column, by a condition, or one class for all."""
    if columns.of_class:
        return table.texts(columns.of_class)
    if not columns.condition:
        return ["all"] * len(table.rows)
    return [SELECTED if met else OTHER for met in rows_that_match(columns.condition, table).tolist()]


def _sized_box(sides: Sides, dimensions: int) -> Window | None:
    """Return the window of the given width, height and depth; None if none is given."""
    wanted = sides[3 - dimensions :]
    if not any(wanted):
        return None
    if not all(wanted):
        raise UserError("Window: width and height (in 3D also depth) belong together. Give all, or none.")
    return Box(np.zeros(dimensions), np.array(wanted, float))


def scene_of_label_maps(movies: list[ImageFile], class_names: list[str] | None, unit: str) -> Scene:
    """Return the objects in label maps of one image; each label map is a class.

    Args:
        movies: The opened label maps.
        class_names: Name of the class of each; None for the names of the label maps, or `all` for one.
        unit: Unit of the positions, `px` or `um`.

    Raises:
        UserError: The label maps differ in size, have several time points, or lack a pixel size for the unit µm.
    """
    for movie in movies:
        check_label_map(movie)
    names = [movie.name for movie in movies]
    first = movies[0]
    different = {sizes(one) for one in movies}
    if len(different) > 1:
        raise UserError(f"Label maps {', '.join(names)}: their sizes (T, Z, Y, X) differ: {sorted(different)}.")
    if first.size_t > 1:
        raise UserError(f"Label map {first.name}: it has {first.size_t} time points. Give one time point.")
    deep = first.size_z > 1
    scale = np.array([first.micrometres(axis) for axis in ("zyx" if deep else "yx")], float)
    if unit == "px":
        scale = np.where(np.isnan(scale), 1, scale / scale[-1])
    if np.isnan(scale).any():
        raise UserError(f"Label map {first.name}: its pixel size in µm is unknown. Choose pixels as unit.")
    found = [measure_movie(movie) for movie in movies]
    pixels = np.concatenate([one.centroid for one in found])[:, 0 if deep else 1 :]
    classes = class_names or (["all"] if len(names) == 1 else names)
    of_class = np.concatenate([[name] * len(one.label) for name, one in zip(classes, found, strict=True)])
    label = np.concatenate([one.label for one in found])
    shape = np.array([first.size_z, first.size_y, first.size_x][0 if deep else 1 :])
    columns = ("image", "label", "class", *(f"centroid_{axis}_{unit}" for axis in ("xyz" if deep else "xy")))
    position = pixels * scale
    shown = as_positions(position).tolist()
    rows = [(first.name, k, c, *p[::-1]) for k, c, p in zip(label.tolist(), of_class, shown, strict=True)]
    box = _extent(shape, scale)
    return Scene(first.name, position, of_class.astype(object), sorted(set(classes)), columns, rows, box)


def _extent(shape: np.ndarray, scale: np.ndarray) -> Box:
    """Return the box that pixels fill; the centre of the first pixel is the origin."""
    return Box(-0.5 * scale, (shape - 0.5) * scale)


def image_window(image: ImageFile, unit: str, dimensions: int) -> Box:
    """Return the window that an image or label map fills, for objects that were measured on it.

    Raises:
        UserError: The unit is µm but the pixel size along an axis is unknown.
    """
    axes = "zyx"[3 - dimensions :]
    scale = np.array([image.micrometres(axis) for axis in axes], float) if unit == "um" else np.ones(dimensions)
    if np.isnan(scale).any():
        raise UserError(f"Image {image.name}: its pixel size in µm is unknown. Choose pixels as unit.")
    return _extent(np.array([image.size_z, image.size_y, image.size_x][3 - dimensions :]), scale)


def region_window(image: ImageFile, unit: str) -> Region:
    """Return the window of a label map: every pixel that is not 0.

    Raises:
        UserError: The file is not a flat label map, is empty, or has no pixel size although the unit is µm.
    """
    check_label_map(image)
    if image.size_t * image.size_z > 1:
        raise UserError(f"Region {image.name}: it has time points or z-planes. Give a flat label map.")
    scale = np.array([image.micrometres("y"), image.micrometres("x")], float) if unit == "um" else np.ones(2)
    if np.isnan(scale).any():
        raise UserError(f"Region {image.name}: its pixel size in µm is unknown. Choose pixels as unit.")
    mask, read = np.zeros((image.size_y, image.size_x), bool), image.plane_reader(0, 0, 0)
    for first, last in bands(*mask.shape):
        mask[first:last] = read(first, last) > 0
    if not mask.any():
        raise UserError(f"Region {image.name}: every pixel is 0. Mark the region by labels above 0.")
    return Region(mask, scale)


def box_around(position: np.ndarray, name: str) -> Box:
    """Return the box around points, enlarged to estimate the box in which random points were drawn.

    The box is scaled by (n + 1) / (n - 1) about its centre: Ripley BD, Rasson J-P (1977) J Appl Prob 14, 483-491.

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
