"""Report how complete a dataset's metadata is, and what to ask the microscopist for."""

from argparse import Namespace
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.html import percent
from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.fair.metadata.checks import read_values
from bioimage_suite.fair.metadata.completeness import dataset_summary, group_shares, image_items
from bioimage_suite.fair.metadata.completeness_report import report_page, write_field_table, write_image_table
from bioimage_suite.fair.metadata.image_list import IMAGE_ARGUMENTS, load_images, refuse_no_images
from bioimage_suite.fair.metadata.table import by_object, images_of

STANDARDS = ("rembi", "mifa", "nbo-q")


@tool(
    __doc__,
    *IMAGE_ARGUMENTS,
    argument("--metadata", type=Path, help="table of validate_metadata, or key-values of any dialect"),
    argument("--metadata-name", default="metadata"),
    argument("--standards", default=",".join(STANDARDS)),
    argument("--image-completeness", type=Path, required=True),
    argument("--field-completeness", type=Path, required=True),
    argument("--report", type=Path, required=True),
    argument("--report-markdown", type=Path, help="the same report in Markdown of Galaxy"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read, count, write."""
    standards = [standard for standard in args.standards.split(",") if standard]
    if not standards or set(standards) - set(STANDARDS):
        raise UserError(f"standards {args.standards}: choose at least one of {', '.join(STANDARDS)}.")
    values = read_values(args.metadata, args.metadata_name) if args.metadata else ()
    images = load_images(args.images, args.image_table) or images_of(values)
    refuse_no_images(images)
    objects = by_object(values)
    items = [image_items(image, objects, standards) for image in images]
    fields = dataset_summary(items)
    write_image_table(outputs.file(args.image_completeness), images, items)
    write_field_table(outputs.file(args.field_completeness), fields)
    report_page(images, items, fields).write(outputs, args.report, args.report_markdown)
    shares = [share for row in items for share in group_shares(row).values()]
    print(f"{len(images):,} images, mean completeness of modules and tiers {percent(sum(shares) / len(shares))}")


if __name__ == "__main__":
    run_tool(main)
