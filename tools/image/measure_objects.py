#!/usr/bin/env python
"""Measures each object of a label map: shape, and grey values in every channel of the image, one row an object."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import object_shape
from foreground_mask import bands
from image_file import ImageFile, open_image
from label_map_writer import check_label_map, replaced_when_complete
from object_runs import RunIntensities, Runs, intensities_of, joined, runs_of
from tool_arguments import parse_arguments
from tool_errors import UserError, run_tool

if TYPE_CHECKING:
    import numpy as np

STATISTICS = ("mean", "min", "max", "std", "sum")


def measure_plane(labels: ImageFile, image: ImageFile | None, t: int, z: int) -> dict[str, np.ndarray]:
    """Measure the objects of one plane, reading labels and channels by bands of rows.

    Args:
        labels: Opened label map.
        image: Opened image of the same size, or None to measure shapes only.
        t: Time point.
        z: Z-plane.

    Returns:
        Arrays of one value per object by column name, in the order of the labels. Shapes are defined in
        `object_shape`; std is the population's (divided by the number of pixels), as regionprops' intensity_std.
    """
    import numpy as np

    height = labels.size_y
    read_labels = labels.plane_reader(t, 0, z)
    rows = list(bands(height, labels.size_x))
    parts: list[Runs] = []
    borders = []
    for first, last in rows:
        top, bottom = max(0, first - 2), min(height, last + 2)
        around = read_labels(top, bottom)
        if around.dtype.kind == "i" and around.min() < 0:
            raise UserError(f"Label map {labels.name}: holds the negative label {around.min()}. Labels begin at 1.")
        parts.append(runs_of(around[first - top : last - top], first))
        borders.append(object_shape.border_classes(around, first - top, last - top))
    runs = joined(parts)
    label, index = np.unique(runs.label, return_inverse=True)
    columns: dict[str, np.ndarray] = {"label": label, **_shapes(runs, index, len(label))}
    border_label, kind = (np.concatenate(both) for both in zip(*borders, strict=True))
    perimeter = object_shape.perimeters(np.searchsorted(label, border_label), kind, len(label))
    columns["perimeter_px"] = perimeter
    columns["circularity"] = _ratio(4 * np.pi * columns["area_px"], perimeter**2)
    # One channel after the other: only one of them is in memory.
    for c, name in enumerate(image.channel_labels() if image else []):
        read = image.plane_reader(t, c, z)  # type: ignore[union-attr]
        channel = [
            intensities_of(part, read_labels(*band) != 0, read(*band)) for part, band in zip(parts, rows, strict=True)
        ]
        for statistic, column in _intensities(runs, index, len(label), channel).items():
            columns[f"{statistic}_{name}"] = column
    return columns


def _shapes(runs: Runs, index: np.ndarray, count: int) -> dict[str, np.ndarray]:
    columns = object_shape.moments(runs, index, count)
    if count:
        columns["convex_area_px"] = object_shape.convex_areas(runs, index, count)
    else:
        columns["convex_area_px"] = columns["area_px"]
    columns["solidity"] = _ratio(columns["area_px"], columns["convex_area_px"])
    return columns


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, NaN where the denominator is zero (an object of a single pixel has no perimeter)."""
    import numpy as np

    return np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator > 0)


def _intensities(runs: Runs, index: np.ndarray, count: int, parts: list[RunIntensities]) -> dict[str, np.ndarray]:
    """Mean, minimum, maximum, standard deviation and sum of each object in one channel."""
    import numpy as np

    total, smallest, largest, spread = (
        np.concatenate([getattr(part, name) for part in parts]) for name in RunIntensities.__dataclass_fields__
    )
    area = np.bincount(index, runs.length, count)
    sums = np.bincount(index, total, count)
    mean = sums / area
    # Steiner: the spread about the object's mean is that about each run's mean plus that of the runs' means.
    apart = total / runs.length - mean[index]
    variance = np.bincount(index, spread + runs.length * apart**2, count) / area
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, index, smallest.astype(float))
    np.maximum.at(high, index, largest.astype(float))
    exact = smallest.dtype if smallest.dtype.kind in "iu" else np.float64
    total_type = np.int64 if smallest.dtype.kind in "iu" else np.float64
    return {
        "mean": mean,
        "min": low.astype(exact),
        "max": high.astype(exact),
        "std": np.sqrt(variance),
        "sum": sums.astype(total_type),
    }


def with_units(columns: dict[str, np.ndarray], x: float | None, y: float | None) -> dict[str, np.ndarray]:
    """Add what can be said in µm: positions and areas where both sizes are known, lengths where they are equal too.

    Args:
        columns: Columns in pixels.
        x: Width of a pixel in µm, None where unknown.
        y: Height of a pixel in µm, None where unknown.
    """
    if x is None or y is None:
        return columns
    out = {}
    lengths = ("equivalent_diameter_px", "major_axis_px", "minor_axis_px", "perimeter_px")
    factors = {"centroid_y_px": y, "centroid_x_px": x, "area_px": x * y, "convex_area_px": x * y}
    # A pixel that is not square stretches lengths by their direction: there is no factor.
    if abs(x - y) <= 1e-6 * x:
        factors |= dict.fromkeys(lengths, x)
    for name, column in columns.items():
        out[name] = column
        if name in factors:
            out[name.replace("_px", "_um2" if "area" in name else "_um")] = column * factors[name]
    return out


def measure_image(
    labels: ImageFile, image: ImageFile | None, name: str
) -> Iterator[tuple[list[str], list[list[object]]]]:
    """Measure every plane.

    Args:
        labels: Opened label map.
        image: Opened image, or None.
        name: What the column `image` says.

    Yields:
        Header and rows, one plane after the other; a plane without objects has no rows.

    Raises:
        UserError: Label map and image differ in size.
    """
    check_label_map(labels)
    if image is not None:
        _check_same_size(labels, image)
    known = image if image is not None and image.physical_size else labels
    for t in range(labels.size_t):
        for z in range(labels.size_z):
            columns = with_units(measure_plane(labels, image, t, z), known.micrometres("x"), known.micrometres("y"))
            place = {"t": t} if labels.size_t > 1 else {}
            place |= {"z": z} if labels.size_z > 1 else {}
            label = columns.pop("label").tolist()
            header = ["image", "label", *place, *columns]
            rows = zip(*map(_cells, columns.values()), strict=True)
            yield header, [[name, number, *place.values(), *row] for number, row in zip(label, rows, strict=True)]


def _cells(column: np.ndarray) -> list[object]:
    """Values as written: NaN is an empty cell."""
    return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 (only NaN differs from itself)


def _check_same_size(labels: ImageFile, image: ImageFile) -> None:
    sizes = [(one.size_t, one.size_z, one.size_y, one.size_x) for one in (labels, image)]
    if sizes[0] != sizes[1]:
        raise UserError(
            f"Label map {labels.name} is T, Z, Y, X = {sizes[0]}, image {image.name} is {sizes[1]}. "
            "Give the label map that was made from this image."
        )


def write_table(path: Path, tables: Iterator[tuple[list[str], list[list[object]]]]) -> int:
    """Write header and rows as tab-separated text.

    Returns:
        The number of rows.
    """
    count, header_written = 0, False
    with replaced_when_complete(path) as part, part.open("w", encoding="utf-8", newline="") as stream:
        # Galaxy's tabular knows no quotes: a tab or a line end in a name becomes a space.
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        for header, rows in tables:
            if not header_written:
                writer.writerow([" ".join(name.split()) for name in header])
                header_written = True
            writer.writerows(rows)
            count += len(rows)
    return count


def main(argv: list[str] | None = None) -> None:
    """Parse, open, measure, write."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=Path, required=True, help="label map")
    parser.add_argument("--image", type=Path, help="image of the same size; without it only shapes are measured")
    parser.add_argument("--image-name", help="what the column `image` says; default: the file's name")
    parser.add_argument("--output", type=Path, required=True, help="measurement table, TSV")
    args = parse_arguments(parser, argv)
    labels = open_image(args.labels, f"of {args.image_name}" if args.image_name else None)
    image = open_image(args.image, args.image_name) if args.image else None
    name = " ".join((args.image_name or (args.image or args.labels).name).split())
    count = write_table(args.output, measure_image(labels, image, name))
    print(f"{name}: {count} objects measured")


if __name__ == "__main__":
    run_tool(main)
