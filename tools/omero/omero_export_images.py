"""Export images from OMERO as OME-TIFF, OME-Zarr or the original files, with a table of their metadata."""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fileset_export import export_filesets
from image_export import Exported, export, plan_outputs
from image_views import Selection, View, choose_view, read_selection
from object_table import write_table
from omero_image_details import ImageDetails, load_image_details
from omero_instruments import Length
from omero_objects import find_nonempty_images, read_target
from omero_pixels import level_sizes
from omero_roi_shapes import load_shapes
from omero_session import Session, open_session
from roi_boxes import roi_regions
from tool_errors import UserError, run_tool

METADATA_COLUMNS = (
    *("image_id", "image_name", "image", "size_x", "size_y", "size_z", "size_c", "size_t", "pixel_type"),
    *("physical_size_x_um", "physical_size_y_um", "physical_size_z_um", "channel_names", "acquisition_date"),
    *("roi_id", "region_x", "region_y", "region_width", "region_height", "level", "projection", "sha1", "checked"),
)


def plan_views(session: Session, images: Sequence[ImageDetails], form: Mapping[str, Any]) -> list[View]:
    """Decide what is exported of each image.

    Args:
        session: An open session.
        images: The images.
        form: The choices of the tool's form, as `read_selection` takes them.

    Raises:
        UserError: An image does not have what was chosen, or none has a ROI to crop to.
    """
    chosen = read_selection(form)
    region = form.get("region") or {"kind": "all"}
    if region["kind"] != "rois":
        return [choose_view(image, chosen, _sizes(session, image, chosen)) for image in images]
    name = (region.get("roi_name") or "").strip()
    shapes = load_shapes(session, [image.image_id for image in images], name)
    views = []
    for image in images:
        sizes = _sizes(session, image, chosen)
        views += [choose_view(image, chosen, sizes, box) for box in roi_regions(image, shapes[image.image_id])]
    if not views:
        named = f" of name {name!r}" if name else ""
        raise UserError(f"ROIs: none of the {len(images)} images has a ROI{named} that you can read. Draw some first.")
    return views


def metadata_rows(
    images: Sequence[ImageDetails], rows: Iterable[tuple[ImageDetails, str, Sequence[Any]]]
) -> tuple[list[str], Iterator[list[Any]]]:
    """Header and rows of the metadata table: `METADATA_COLUMNS`, then one column for each key of the key-value pairs.

    A key that an image has several times gives its values joined by "; ". A key that has a fixed column's name gets
    "key " before it. Physical sizes are in micrometres, empty where the unit has no length (such as pixels).

    Args:
        images: Whose keys become columns.
        rows: The image as it was exported, its name in the list, and the values from `roi_id` on.
    """
    keys = list(dict.fromkeys(key for image in images for key, _ in image.pairs))
    columns = [*METADATA_COLUMNS, *(f"key {key}" if key in METADATA_COLUMNS else key for key in keys)]
    return columns, (_metadata_row(image, name, values, keys) for image, name, values in rows)


def main() -> None:
    """Parse the command line, export, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, omero_group, target, format")
    parser.add_argument("--folder", type=Path, required=True, help="folder for the images")
    parser.add_argument("--metadata", type=Path, required=True, help="metadata table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    form = config.get("format") or {"kind": "ome_tiff"}
    with open_session(config["omero_host"], config.get("omero_group") or "") as session:
        records = find_nonempty_images(session, read_target(config["target"]))
        images = load_image_details(session, [record.image_id for record in records])
        if form["kind"] == "original":
            names = export_filesets(session, images, args.folder)
            rows = [(image, name, [*[None] * 8, checked]) for image, (name, checked) in zip(images, names, strict=True)]
        else:
            views = plan_views(session, images, form.get("selection") or {})
            exported = export(session, plan_outputs(session, views, form), args.folder, form)
            rows = [(one.view.result, one.name, _choice(one)) for one in exported]
    write_table(args.metadata, *metadata_rows(images, rows))


def _sizes(session: Session, image: ImageDetails, chosen: Selection) -> list[tuple[int, int]]:
    # Only who wants a smaller level has to ask the server for the levels of each image.
    return level_sizes(session, image) if chosen.level else [(image.size_x, image.size_y)]


def _choice(one: Exported) -> list[Any]:
    box, view = one.view.chosen, one.view
    place = (box.roi_id, box.x, box.y, box.width, box.height)
    return [*place, view.level, view.projection, one.sha1, one.checked]


def _metadata_row(image: ImageDetails, name: str, values: Sequence[Any], keys: Iterable[str]) -> list[Any]:
    def micrometre(length: Length | None) -> float | None:
        return None if length is None else length.micrometre

    return [
        image.image_id,
        image.name,
        name,
        *(image.size_x, image.size_y, image.size_z, image.size_c, image.size_t, image.pixel_type),
        *(micrometre(image.physical_x), micrometre(image.physical_y), micrometre(image.physical_z)),
        "; ".join(channel.name or "" for channel in image.channels),
        None if image.acquired is None else image.acquired.strftime("%Y-%m-%dT%H:%M:%SZ"),
        *values,
        *("; ".join(value for key_name, value in image.pairs if key_name == key) for key in keys),
    ]


if __name__ == "__main__":
    run_tool(main)
