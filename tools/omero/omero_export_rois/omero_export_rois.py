"""Export regions of interest from OMERO as label maps, GeoJSON or OME-XML, with a table of all shapes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.image_names import image_identifier
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.images.details import load_image_details
from bioimage_suite.omero.objects import find_nonempty_images, read_target
from bioimage_suite.omero.rois.export import export_rois
from bioimage_suite.omero.rois.shapes import load_shapes
from bioimage_suite.omero.rois.tables import SHAPE_COLUMNS, shape_rows
from bioimage_suite.omero.session import session_of
from bioimage_suite.tables.object_table import write_table
from bioimage_suite.tables.report import Report, at_work

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

IMAGE_COLUMNS = ("image_id", "image_name", "image", "roi_count", "shape_count", "not_drawn", "overlap_px", "status")


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--folder", type=Path, required=True, help="folder for one file per image"),
    argument("--shapes", type=Path, required=True, help="table of all shapes to write"),
    argument("--output", type=Path, required=True, help="object table to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Export the ROIs, write the tables."""
    config, form, exact = args.config, args.config["form"], bool(args.config.get("exact_texts"))
    report = outputs.enter(Report(args.output, IMAGE_COLUMNS, exact=exact))
    with session_of(config) as session:
        records = find_nonempty_images(session, read_target(with_addresses(config["target"], args.addresses)))
        names = {one.image_id: image_identifier(one.image_id, one.image_name) for one in records}
        for one in records:
            report.add(image_id=one.image_id, image_name=one.image_name, image=names[one.image_id])
        with at_work(report.rows):
            images = load_image_details(session, list(names))
            shapes = load_shapes(session, list(names), (config.get("roi_name") or "").strip())
    export_rois(
        images,
        shapes,
        form=form["form"],
        overlap=form.get("overlap", "first"),
        folder=args.folder,
        report=report,
        outputs=outputs,
    )
    write_table(outputs.file(args.shapes), SHAPE_COLUMNS, shape_rows(names, shapes), exact=exact)


if __name__ == "__main__":
    run_tool(main)
