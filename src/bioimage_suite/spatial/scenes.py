"""Objects of an image with their classes and window, from a measurement table or from label maps."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.series import Reading, reading_of
from bioimage_suite.spatial.window import Box, Region, Window
from bioimage_suite.tables.measurement_table import MeasurementTable

if TYPE_CHECKING:
    import numpy as np

IMAGE_COLUMNS = ("image", "image_name")
# Classes by a condition: objects that meet it and objects that do not.
SELECTED, OTHER = "selected", "other"


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


def scenes_of_table(table: MeasurementTable, args: Namespace) -> Iterator[Scene]:
    """Yield the objects of each image in a measurement table.

    Raises:
        UserError: A column of the position is missing, or a position is not a number.
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
    classes = np.array(_classes(table, args), dtype=object)
    image_column = args.image_column or table.first_of(IMAGE_COLUMNS)
    image = np.array(table.texts(image_column) if image_column else [table.name] * len(position), dtype=object)
    for name in dict.fromkeys(image.tolist()) if len(image) else [table.name]:
        here = np.flatnonzero(image == name)
        rows = [table.rows[i] for i in here]
        fixed = [OTHER, SELECTED] if args.class_condition else [] if args.class_column else ["all"]
        present = sorted({*classes[here].tolist(), *fixed})
        box = _sized_box(args, position.shape[1])
        yield Scene(str(name), position[here], classes[here], present, table.columns, rows, box)


def _classes(table: MeasurementTable, args: Namespace) -> list[str]:
    """Return the class of each row: from a column, by a condition, or one class for all."""
    if args.class_column:
        return table.texts(args.class_column)
    if not args.class_condition:
        return ["all"] * len(table.rows)
    from bioimage_suite.tables.row_expression import rows_that_match

    return [SELECTED if met else OTHER for met in rows_that_match(args.class_condition, table).tolist()]


def _sized_box(args: Namespace, dimensions: int) -> Window | None:
    """Return the window of the given width, height and depth; None if none is given."""
    import numpy as np

    sides = [args.depth, args.height, args.width][3 - dimensions :]
    if not any(sides):
        return None
    if not all(sides):
        raise UserError("Window: width and height (in 3D also depth) belong together. Give all, or none.")
    return Box(np.zeros(dimensions), np.array(sides, float))


def scene_of_label_maps(args: Namespace) -> Scene:
    """Return the objects in label maps of one image; each label map is a class.

    Raises:
        UserError: The label maps differ in size, have several time points, or lack a pixel size for the unit µm.
    """
    import numpy as np

    from bioimage_suite.images.image_file import open_image
    from bioimage_suite.images.label_maps import check_label_map
    from bioimage_suite.tracking.movie import measure_movie

    names = args.label_names or [path.name for path in args.labels]
    movies = [open_image(path, name, reading_of(args)) for path, name in zip(args.labels, names, strict=True)]
    for movie in movies:
        check_label_map(movie)
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
    box = _extent(shape, scale)
    return Scene(first.name, position, of_class.astype(object), sorted(set(classes)), columns, rows, box)


def _extent(shape: np.ndarray, scale: np.ndarray) -> Box:
    """Return the box that pixels fill; the centre of the first pixel is the origin."""
    return Box(-0.5 * scale, (shape - 0.5) * scale)


def image_window(path: Path, name: str, unit: str, dimensions: int, reading: Reading) -> Box:
    """Return the window that an image or label map fills, for objects that were measured on it.

    Raises:
        UserError: The unit is µm but the pixel size along an axis is unknown.
    """
    import numpy as np

    from bioimage_suite.images.image_file import open_image

    image = open_image(path, name, reading)
    axes = "zyx"[3 - dimensions :]
    scale = np.array([image.micrometres(axis) for axis in axes], float) if unit == "um" else np.ones(dimensions)
    if np.isnan(scale).any():
        raise UserError(f"Image {name}: its pixel size in µm is unknown. Choose pixels as unit.")
    return _extent(np.array([image.size_z, image.size_y, image.size_x][3 - dimensions :]), scale)


def region_window(path: Path, name: str, unit: str, reading: Reading) -> Region:
    """Return the window of a label map: every pixel that is not 0.

    Raises:
        UserError: The file is not a flat label map, is empty, or has no pixel size although the unit is µm.
    """
    import numpy as np

    from bioimage_suite.images.image_file import open_image
    from bioimage_suite.images.label_maps import check_label_map
    from bioimage_suite.segmentation.foreground_mask import bands

    image = open_image(path, name, reading)
    check_label_map(image)
    if image.size_t * image.size_z > 1:
        raise UserError(f"Region {name}: it has time points or z-planes. Give a flat label map.")
    scale = np.array([image.micrometres("y"), image.micrometres("x")], float) if unit == "um" else np.ones(2)
    if np.isnan(scale).any():
        raise UserError(f"Region {name}: its pixel size in µm is unknown. Choose pixels as unit.")
    mask, read = np.zeros((image.size_y, image.size_x), bool), image.plane_reader(0, 0, 0)
    for first, last in bands(*mask.shape):
        mask[first:last] = read(first, last) > 0
    if not mask.any():
        raise UserError(f"Region {name}: every pixel is 0. Mark the region by labels above 0.")
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
