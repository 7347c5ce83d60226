"""Make a template to describe images: one row per image, with known values already filled in."""

from argparse import Namespace
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.fair.metadata.fields import template_fields
from bioimage_suite.fair.metadata.image_list import IMAGE_ARGUMENTS, load_images
from bioimage_suite.fair.metadata.table import is_metadata_table
from bioimage_suite.fair.metadata.templates import make_template, write_csv, write_json_schema, write_xlsx

WRITERS = {"xlsx": write_xlsx, "csv": write_csv, "schema": write_json_schema}


@tool(
    __doc__,
    *IMAGE_ARGUMENTS,
    argument("--standard", choices=("rembi", "mifa", "omero"), default="rembi"),
    argument("--scopes", default="study,biosample,acquisition"),
    argument("--form", choices=tuple(WRITERS), default="xlsx"),
    argument("--output", type=Path, required=True),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read the images, write the template."""
    if args.image_table and is_metadata_table(args.image_table):
        raise UserError("image table: is a table of metadata. Give a table of images (image_id or image_name).")
    omero = args.standard == "omero"
    fields = template_fields("rembi" if omero else args.standard, tuple(filter(None, args.scopes.split(","))))
    template = make_template(load_images(args.images, args.image_table), fields, omero)
    WRITERS[args.form](outputs.file(args.output), template)
    print(f"{len(template.rows):,} rows, {len(fields)} columns to fill")


if __name__ == "__main__":
    run_tool(main)
