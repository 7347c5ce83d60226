"""Measurements of whole images, and the rows of their tables: objects, children, one row for the image."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from bioimage_suite.images.model.planes import check_same_size
from bioimage_suite.images.writers.label_maps import check_label_map
from bioimage_suite.measurement.measured_columns import Measured, MeasureOptions, measure_body

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bioimage_suite.images.model.image_file import ImageFile

Row = list[Any]
ROWS = 1 << 14
"""Rows of a table that become Python's numbers at once."""


def measure_image(labels: ImageFile, image: ImageFile | None, options: MeasureOptions) -> Iterator[Measured]:
    """Measure the objects of every plane, or in 3D of the volume of every time point.

    Args:
        labels: Opened label map.
        image: Opened image, or None to measure shapes only.
        options: What to measure besides shape and grey values.

    Yields:
        The measurements, one plane or volume after the other.

    Raises:
        UserError: Label map, image and children differ in size.
    """
    check_label_map(labels)
    for other in (image, *options.children.values()):
        if other is not None:
            check_same_size(labels, other)
    for children in options.children.values():
        check_label_map(children)
    planes = list(range(labels.size_z))
    bodies = [planes] if options.volume and len(planes) > 1 else [[z] for z in planes]
    with ThreadPoolExecutor(2) as pool:
        for t in range(labels.size_t):
            for body in bodies:
                yield measure_body(labels, image, t, body, options, pool=pool)


def object_columns(measured: Measured, labels: ImageFile) -> list[str]:
    """Return the header of the table of objects; Galaxy's tables allow no tab or line break in a name."""
    features = [" ".join(name.split()) for name in measured.columns if name != "label"]
    return ["image", "label", *measured.place(labels), *features]


def object_rows(measured: Iterable[Measured], name: str, labels: ImageFile) -> Iterator[Row]:
    """Yield one row for each object of all planes or volumes; NaN stands for an empty cell."""
    for one in measured:
        place = one.place(labels).values()
        every = [one.columns["label"], *(column for title, column in one.columns.items() if title != "label")]
        for first in range(0, len(every[0]), ROWS):  # Python's numbers take four times the memory of an array's
            for number, *row in zip(*(column[first : first + ROWS].tolist() for column in every), strict=True):
                yield [name, number, *place, *row]


def children_columns(measured: Measured, labels: ImageFile) -> list[str]:
    """Return the header of the table of children."""
    unit = measured.size_column
    return ["image", "children", "label", *measured.place(labels), "parent_label", unit, f"inside_parent_{unit}"]


def children_rows(measured: Iterable[Measured], name: str, labels: ImageFile) -> Iterator[Row]:
    """Yield one row for each child of all planes or volumes."""
    for one in measured:
        place = one.place(labels).values()
        for kind, found in one.children.items():
            columns = (column.tolist() for column in (found.label, found.parent, found.pixels, found.inside))
            for label, parent, pixels, inside in zip(*columns, strict=True):
                yield [name, kind, label, *place, parent or None, pixels, inside]
