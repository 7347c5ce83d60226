"""Import objects of label maps, GeoJSON or tables of shapes to OMERO as regions of interest (ROIs)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.named_files import read_files
from bioimage_suite.omero.rois.imports import import_rois
from bioimage_suite.omero.rois.sources import open_source
from bioimage_suite.omero.session import session_of
from bioimage_suite.tables.object_table import write_table
from bioimage_suite.tables.report import Report

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

IMAGE_COLUMNS = ("image_id", "image_name", "image", "roi_name", "roi_count", "replaced_count", "status")

ROI_COLUMNS = ("image_id", "image", "label", "roi_id")


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--output", type=Path, required=True, help="object table to write"),
    argument("--rois", type=Path, required=True, help="table of label and ROI id to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Import the ROIs, write the tables."""
    config = args.config
    name = config["roi_name"].strip()
    if not name:
        raise UserError("name of the ROIs: empty. Write what the objects are, such as nuclei.")
    with Report(args.output, IMAGE_COLUMNS, keeps_room=True) as report:
        sources = [source for file in read_files(config["label_maps"]) for source in open_source(file)]
        with session_of(config) as session:
            import_rois(
                session,
                sources,
                report,
                match=with_addresses(config["match"], args.addresses),
                name=name,
                kind=config["shape"],
                dry_run=bool(config.get("dry_run")),
                write=lambda rows: write_table(outputs.file(args.rois), ROI_COLUMNS, rows),
            )


if __name__ == "__main__":
    run_tool(main)
