"""Table of metadata of exported images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioimage_suite.tables.object_table import key_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bioimage_suite.omero.images.details import ImageDetails
    from bioimage_suite.omero.images.instruments import Length
    from bioimage_suite.omero.images.views import ImageView
    from bioimage_suite.tables.report import Cells

METADATA_COLUMNS = (
    *("image_id", "image_name", "image", "size_x", "size_y", "size_z", "size_c", "size_t", "pixel_type"),
    *("physical_size_x_um", "physical_size_y_um", "physical_size_z_um", "channel_names", "acquisition_date"),
    *("roi_id", "region_x", "region_y", "region_width", "region_height", "level", "projection", "sha1", "checked"),
    "status",
)


def metadata_columns(images: Sequence[ImageDetails]) -> list[str]:
    """Return the columns of the metadata table: `METADATA_COLUMNS`, then one per key of the images' key-value pairs.

    A key that has a fixed column's name gets "key " before it.
    """
    return [
        *METADATA_COLUMNS,
        *dict.fromkeys(key_column(key, METADATA_COLUMNS) for image in images for key, _ in image.pairs),
    ]


def metadata_cells(image: ImageDetails, name: str) -> Cells:
    """Return the cells of an image in the metadata table; `name` is its name in the list.

    Several values of a key are joined by "; ". Physical sizes are in micrometres, None if the unit is not a length
    (such as pixels).
    """
    row: Cells = {"image_id": image.image_id, "image_name": image.name, "image": name, "pixel_type": image.pixel_type}
    row |= {f"size_{axis}": getattr(image, f"size_{axis}") for axis in "xyzct"}
    row |= {f"physical_size_{axis}_um": _micrometre(getattr(image, f"physical_{axis}")) for axis in "xyz"}
    row["channel_names"] = "; ".join(channel.name or "" for channel in image.channels)
    row["acquisition_date"] = None if image.acquired is None else image.acquired.strftime("%Y-%m-%dT%H:%M:%SZ")
    for key in dict.fromkeys(key for key, _ in image.pairs):
        row[key_column(key, METADATA_COLUMNS)] = "; ".join(value for other, value in image.pairs if other == key)
    return row


def view_cells(name: str, view: ImageView) -> Cells:
    """Return the cells of an exported view in the metadata table; `name` is its name in the list."""
    box = view.chosen
    place = {"region_x": box.x, "region_y": box.y, "region_width": box.width, "region_height": box.height}
    choice = {"roi_id": box.roi_id, "level": view.level, "projection": view.projection}
    return {**metadata_cells(view.result, name), **place, **choice}


def _micrometre(length: Length | None) -> float | None:
    return None if length is None else length.micrometre
