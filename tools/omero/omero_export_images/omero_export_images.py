"""Export images from OMERO as OME-TIFF, OME-Zarr or the original files, with a table of their metadata."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import image_identifier
from bioimage_suite.core.made_files import all_or_nothing
from bioimage_suite.core.tool import run_tool
from bioimage_suite.omero.images.details import ImageDetails, load_image_details
from bioimage_suite.omero.images.export import export, plan_outputs
from bioimage_suite.omero.images.fileset_export import export_filesets
from bioimage_suite.omero.images.instruments import Length
from bioimage_suite.omero.images.pixels import level_sizes
from bioimage_suite.omero.images.views import Selection, View, choose_view, read_selection
from bioimage_suite.omero.object_report import Row, do_each, object_report
from bioimage_suite.omero.objects import find_nonempty_images, read_target
from bioimage_suite.omero.rois.boxes import roi_regions
from bioimage_suite.omero.rois.shapes import load_shapes
from bioimage_suite.omero.session import Session, open_session

METADATA_COLUMNS = (
    *("image_id", "image_name", "image", "size_x", "size_y", "size_z", "size_c", "size_t", "pixel_type"),
    *("physical_size_x_um", "physical_size_y_um", "physical_size_z_um", "channel_names", "acquisition_date"),
    *("roi_id", "region_x", "region_y", "region_width", "region_height", "level", "projection", "sha1", "checked"),
    "status",
)


def plan_views(
    session: Session, images: Sequence[ImageDetails], form: Mapping[str, Any], report: Sequence[Row]
) -> list[View]:
    """Decide which part of each image to export.

    Args:
        session: An open session.
        images: The images.
        form: The choices of the tool's form, see `read_selection`.
        report: One row per image, see `object_report`; filled with the failure of each image without the chosen part.

    Raises:
        UserError: An image lacks the chosen part, or no image has a ROI to crop to.
    """
    chosen = read_selection(form)
    region = form.get("region") or {"kind": "all"}
    name = (region.get("roi_name") or "").strip()
    crops = region["kind"] == "rois"
    shapes = load_shapes(session, [image.image_id for image in images], name) if crops else {}
    views: list[View] = []

    def plan(image: ImageDetails, _: Row) -> None:
        boxes = roi_regions(image, shapes[image.image_id]) if crops else [None]
        sizes = _sizes(session, image, chosen)
        views.extend(choose_view(image, chosen, sizes, box) for box in boxes)

    do_each(report, images, plan)
    if not views:
        named = f" of name {name!r}" if name else ""
        raise UserError(f"ROIs: none of the {len(images)} images has a ROI{named} that you can read. Draw some first.")
    return views


def metadata_columns(images: Sequence[ImageDetails]) -> list[str]:
    """Return the columns of the metadata table: `METADATA_COLUMNS`, then one per key of the images' key-value pairs.

    A key that has a fixed column's name gets "key " before it.
    """
    return [*METADATA_COLUMNS, *dict.fromkeys(_key_column(key) for image in images for key, _ in image.pairs)]


def metadata_row(image: ImageDetails, name: str) -> Row:
    """Return the row of an image in the metadata table; `name` is its name in the list.

    Several values of a key are joined by "; ". Physical sizes are in micrometres, None if the unit is not a length
    (such as pixels).
    """
    row: Row = {"image_id": image.image_id, "image_name": image.name, "image": name, "pixel_type": image.pixel_type}
    row |= {f"size_{axis}": getattr(image, f"size_{axis}") for axis in "xyzct"}
    row |= {f"physical_size_{axis}_um": _micrometre(getattr(image, f"physical_{axis}")) for axis in "xyz"}
    row["channel_names"] = "; ".join(channel.name or "" for channel in image.channels)
    row["acquisition_date"] = None if image.acquired is None else image.acquired.strftime("%Y-%m-%dT%H:%M:%SZ")
    for key in dict.fromkeys(key for key, _ in image.pairs):
        row[_key_column(key)] = "; ".join(value for other, value in image.pairs if other == key)
    return row


def main() -> None:
    """Parse the command line, export the images, write the metadata table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON: omero_host, omero_group, target, format")
    parser.add_argument("--folder", type=Path, required=True, help="folder for the images")
    parser.add_argument("--metadata", type=Path, required=True, help="metadata table to write")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    form = config.get("format") or {"kind": "ome_tiff"}
    columns: list[str] = []
    with (
        all_or_nothing() as made,
        object_report(args.metadata, columns) as report,
        open_session(config["omero_host"], config.get("omero_group") or "") as session,
    ):
        records = find_nonempty_images(session, read_target(config["target"]))
        images = load_image_details(session, [record.image_id for record in records])
        columns += metadata_columns(images)
        report += [metadata_row(image, image_identifier(image.image_id, image.name)) for image in images]
        if form["kind"] == "original":
            export_filesets(session, images, args.folder, report=report, made=made)
        else:
            views = plan_views(session, images, form.get("selection") or {}, report)
            outputs = plan_outputs(session, views, form)
            # From one row per image to one per view: an image may have several crops.
            report[:] = [_view_row(output.name, view) for output in outputs for _, view in output.parts]
            export(session, outputs, args.folder, form, report=report, made=made)
            shown = {view.image.image_id for view in views}
            without = [image for image in images if image.image_id not in shown]
            report += [{**metadata_row(image, ""), "status": "no ROI"} for image in without]


def _sizes(session: Session, image: ImageDetails, chosen: Selection) -> list[tuple[int, int]]:
    # Ask the server for the levels of each image only if a smaller level is wanted.
    return level_sizes(session, image) if chosen.level else [(image.size_x, image.size_y)]


def _view_row(name: str, view: View) -> Row:
    box = view.chosen
    place = {"region_x": box.x, "region_y": box.y, "region_width": box.width, "region_height": box.height}
    choice = {"roi_id": box.roi_id, "level": view.level, "projection": view.projection}
    return {**metadata_row(view.result, name), **place, **choice}


def _key_column(key: str) -> str:
    return f"key {key}" if key in METADATA_COLUMNS else key


def _micrometre(length: Length | None) -> float | None:
    return None if length is None else length.micrometre


if __name__ == "__main__":
    run_tool(main)
