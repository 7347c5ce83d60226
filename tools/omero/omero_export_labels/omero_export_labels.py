"""Export the label maps that omero_import_labels brought to OMERO, named after their source images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.objects import find_nonempty_images, read_target
from bioimage_suite.omero.rois.label_export import choose_label_images, export_labels, label_cells
from bioimage_suite.omero.rois.labels import find_label_images, label_images_among
from bioimage_suite.omero.session import session_of
from bioimage_suite.tables.report import Report

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

COLUMNS = (
    "image_id",
    "image_name",
    "image",
    "labels_name",
    "label_image_id",
    "label_image_name",
    "size_x",
    "size_y",
    "size_z",
    "size_t",
    "pixel_type",
    "status",
)


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--folder", type=Path, required=True, help="folder for the label maps"),
    argument("--output", type=Path, required=True, help="object table to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Export the label maps, write the object table."""
    config = args.config
    name = config["labels_name"].strip()
    if not name:
        raise UserError("name of the labels: empty. Write the name that they were imported with.")
    report = outputs.enter(Report(args.output, COLUMNS))
    with session_of(config) as session:
        images = find_nonempty_images(session, read_target(with_addresses(config["target"], args.addresses)))
        # Label images may be in the same dataset as their sources, but have no label maps of their own.
        labels = label_images_among(session, [image.image_id for image in images])
        images = [image for image in images if image.image_id not in labels]
        found = find_label_images(session, [image.image_id for image in images], name)
        chosen = choose_label_images(images, found, name=name, missing=config["missing"], user_id=session.user_id)
        for cells in label_cells(session, images, chosen, name):
            report.add(**cells)
        export_labels(session, images, chosen, args.folder, report=report, outputs=outputs)


if __name__ == "__main__":
    run_tool(main)
