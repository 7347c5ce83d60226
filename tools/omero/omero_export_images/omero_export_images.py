"""Export images from OMERO as OME-TIFF, OME-Zarr or the original files, with a table of their metadata."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.image_names import image_identifier
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.images.details import load_image_details
from bioimage_suite.omero.images.export import export, plan_files
from bioimage_suite.omero.images.fileset_export import export_filesets
from bioimage_suite.omero.images.metadata_table import metadata_cells, metadata_columns
from bioimage_suite.omero.images.well_filter import nonempty_in_wells, read_well_filter
from bioimage_suite.omero.objects import find_nonempty_images, read_target
from bioimage_suite.omero.rois.view_plan import plan_views
from bioimage_suite.omero.session import session_of
from bioimage_suite.tables.report import Report

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--folder", type=Path, required=True, help="folder for the images"),
    argument("--metadata", type=Path, required=True, help="metadata table to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Export the images, write the metadata table."""
    config = args.config
    form = config.get("format") or {"kind": "ome_tiff"}
    report = outputs.enter(Report(args.metadata, exact=bool(config.get("exact_texts"))))
    with session_of(config) as session:
        records = find_nonempty_images(session, read_target(with_addresses(config["target"], args.addresses)))
        records = nonempty_in_wells(session, records, read_well_filter(config.get("wells")))
        images = load_image_details(session, [record.image_id for record in records])
        report.columns = metadata_columns(images)
        for image in images:
            report.add(**metadata_cells(image, image_identifier(image.image_id, image.name)))
        if form["kind"] == "original":
            export_filesets(session, images, args.folder, report=report, outputs=outputs)
            return
        views = plan_views(session, images, form.get("selection") or {}, report)
        files = plan_files(session, views, form)
        report.take_rows()  # From one row per image to one per view: an image may have several crops.
        export(session, files, args.folder, form, report=report, outputs=outputs)
        shown = {view.image.image_id for view in views}
        for image in (image for image in images if image.image_id not in shown):
            report.add(**metadata_cells(image, "")).done("no ROI")


if __name__ == "__main__":
    run_tool(main)
