"""Summary of an image in one row: number of objects, and mean, median and standard deviation of their features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from bioimage_suite.images.model.image_file import ImageFile
    from bioimage_suite.measurement.measured_columns import Measured

# Positions, angles and labels of objects have no meaningful mean.
LEFT_OUT = ("label", "centroid_", "bbox_", "orientation_", "nearest_neighbour_label")


def summary_row(measured: list[Measured], name: str, labels: ImageFile) -> dict[str, object]:
    """Summarize all objects of all planes and time points.

    Args:
        measured: Measurements of each plane or volume.
        name: Name of the image.
        labels: Opened label map.

    Returns:
        Cells by column. `std_of_` is the standard deviation of the population; without objects the cells of features
        are empty.
    """
    size = measured[0].size_column
    area = np.concatenate([one.columns[size] for one in measured])
    pixels = labels.size_t * labels.size_z * labels.size_y * labels.size_x
    row: dict[str, object] = {
        "image": name, "objects": len(area), f"sum_of_{size}": int(area.sum()),
        "foreground_fraction": float(area.sum()) / pixels,
    }  # fmt: skip
    for feature in measured[0].columns:
        if not feature.startswith(LEFT_OUT):
            values = np.concatenate([one.columns[feature] for one in measured]).astype(float)
            row |= _statistics(feature, values[~np.isnan(values)])
    return {" ".join(column.split()): cell for column, cell in row.items()}


def _statistics(feature: str, values: np.ndarray) -> dict[str, object]:
    named: dict[str, Callable[[np.ndarray], float]] = {"mean": np.mean, "median": np.median, "std": np.std}
    return {
        f"{word}_of_{feature}": float(function(values)) if len(values) else None for word, function in named.items()
    }
