#!/usr/bin/env python
"""Keeps the objects whose measurements meet a condition, in the label map and in the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.images.model.bands import bands
from bioimage_suite.images.model.label_runs import labels_on
from bioimage_suite.images.model.series import READING, reading_of
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map, check_label_map, write_label_map
from bioimage_suite.tables.measurement_table import MeasurementTable, read_measurement_table, write_rows
from bioimage_suite.tables.row_expression import rows_that_match

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.images.model.image_file import ImageFile

Place = tuple[int, int]


def labels_by_plane(table: MeasurementTable, labels: ImageFile) -> dict[Place, np.ndarray]:
    """Return the labels in the table by (t, z); without a column t or z they apply to every time point or plane.

    Raises:
        UserError: The table has no column `label`, lists several images, or lists planes that the label map lacks.
    """
    if "image" in table.columns and len(set(table.texts("image"))) > 1:
        raise UserError(f"Table {table.name}: it lists several images. Give the table of this label map alone.")
    label = table.whole_numbers("label")
    sizes = {"t": labels.size_t, "z": labels.size_z}
    at = {axis: table.whole_numbers(axis) if axis in table.columns else None for axis in sizes}
    for axis, values in at.items():
        if values is not None and len(values) and not 0 <= values.min() <= values.max() < sizes[axis]:
            raise UserError(
                f"Table {table.name}: {axis} runs to {values.max()}, but label map {labels.name} has {sizes[axis]}. "
                "Give the table that was made from this label map."
            )
    found = {}
    for t in range(labels.size_t):
        for z in range(labels.size_z):
            here = np.ones(len(label), bool)
            for axis, wanted in (("t", t), ("z", z)):
                values = at[axis]
                if values is not None:
                    here &= values == wanted
            found[t, z] = np.unique(label[here])
    return found


def refuse_objects_twice(table: MeasurementTable) -> None:
    """Check that no object has two rows: one could be kept and the other not.

    Raises:
        UserError: One has.
    """
    twice = table.objects_twice()
    if twice:
        raise UserError(
            f"Table {table.name}: {twice[0]} has more than one row ({len(twice)} such objects in all). Keep one row "
            "for each object."
        )


def kept_bands(labels: ImageFile, kept: dict[Place, np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the label map with only the kept labels as (rows, X) int32 bands, z running faster than t."""
    for (t, z), wanted in kept.items():
        read = labels.plane_reader(t, 0, z)
        table = np.concatenate([wanted, [np.iinfo(np.int64).max]])
        for first, last in bands(labels.size_y, labels.size_x):
            band = read(first, last)
            yield np.where(table[np.searchsorted(table, band)] == band, band, 0).astype(np.int32)


def check_all_present(labels: ImageFile, named: dict[Place, np.ndarray], table: MeasurementTable) -> int:
    """Check that every object of the table is in the label map.

    Returns:
        The number of objects in the label map without a row in the table.

    Raises:
        UserError: An object of the table is on none of its planes.
    """
    seen: set[int] = set()
    listed: set[int] = set()
    unnamed = 0
    for (t, z), wanted in named.items():
        present = labels_on(labels, t, z)
        seen.update(present.tolist())
        listed.update(wanted.tolist())
        unnamed += len(np.setdiff1d(present, wanted))
    missing = sorted(listed - seen)
    if missing:
        raise UserError(
            f"Table {table.name}: object {missing[0]} is not in label map {labels.name} ({len(missing)} such "
            "objects in all). Give the table that was made from this label map."
        )
    return unnamed


@tool(
    __doc__,
    argument("--labels", type=Path, required=True, help="label map"),
    *READING,
    argument("--labels-name", help="name of the label map in messages"),
    argument("--table", type=Path, required=True, help="its measurement table"),
    argument("--table-name", help="name of the table in messages"),
    argument("--keep", required=True, help="condition, for instance: area_px > 50 and solidity >= 0.9"),
    argument("--output-labels", type=Path, required=True),
    argument("--output-table", type=Path, required=True),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Open, choose, write."""
    labels = as_label_map(open_image(args.labels, args.labels_name, reading_of(args)))
    check_label_map(labels)
    table = read_measurement_table(args.table, args.table_name or args.table.name)
    refuse_objects_twice(table)
    unnamed = check_all_present(labels, labels_by_plane(table, labels), table)
    matching = rows_that_match(args.keep, table)
    rows = tuple(row for row, keep in zip(table.rows, matching, strict=True) if keep)
    kept = labels_by_plane(MeasurementTable(table.name, table.columns, rows), labels)
    write_label_map(outputs.file(args.output_labels), kept_bands(labels, kept), labels)
    write_rows(outputs.file(args.output_table), table.columns, rows)
    print(f"{labels.name}: {len(rows)} of {len(table.rows)} rows kept; {unnamed} objects without a row removed")


if __name__ == "__main__":
    run_tool(main)
