"""Import label maps to OMERO as images that are linked to their source images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch_folders import scratch_folder
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.named_files import match_images, read_files
from bioimage_suite.omero.rois.label_import import import_labels, survey_all
from bioimage_suite.omero.session import session_of
from bioimage_suite.tables.report import Report

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

COLUMNS = (
    "image_id",
    "image_name",
    "label_map",
    "labels_name",
    "label_image_id",
    "label_image_name",
    "dataset_id",
    "pixel_type",
    "largest_label",
    "replaced_count",
    "status",
)


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--output", type=Path, required=True, help="object table to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Import the label maps, write the object table."""
    config = args.config
    name = config["labels_name"].strip()
    if not name:
        raise UserError("name of the labels: empty. Write what the objects are, such as nuclei.")
    files = read_files(config["label_maps"])
    folder = outputs.enter(scratch_folder(Path.cwd()))
    report = outputs.enter(Report(args.output, COLUMNS, keeps_room=True))
    with session_of(config) as session:
        images = match_images(
            session, [file.identifier for file in files], with_addresses(config["match"], args.addresses)
        )
        import_labels(
            session,
            survey_all(files, images),
            report,
            name=name,
            place=config["place"],
            folder=folder,
            dry_run=bool(config.get("dry_run")),
        )


if __name__ == "__main__":
    run_tool(main)
