"""Describe images and their metadata as linked data: JSON-LD and Turtle, validated with SHACL."""

from argparse import Namespace
from pathlib import Path

from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.texts import json_text
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.fair.archives.http import base_address
from bioimage_suite.fair.metadata.image_list import IMAGE_ARGUMENTS, load_images, refuse_no_images
from bioimage_suite.fair.metadata.linked_data import Collection, describe_images, read_rows
from bioimage_suite.fair.metadata.turtle import checked_turtle


@tool(
    __doc__,
    CONFIG,
    *IMAGE_ARGUMENTS,
    argument("--metadata", type=Path, help="table of validate_metadata, or key-values of any dialect"),
    argument("--metadata-name", default="metadata"),
    argument("--json-ld", type=Path, required=True),
    argument("--turtle", type=Path, required=True),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read, describe, write. The configuration has `name`, `address`, `licence` and `omero_address`."""
    config = args.config
    addresses = {key: base_address(config[key], key) if config.get(key) else "" for key in ("address", "omero_address")}
    rows, named = read_rows(args.metadata, args.metadata_name) if args.metadata else ([], [])
    images = load_images(args.images, args.image_table) or named
    refuse_no_images(images)
    collection = Collection(config.get("name") or "", addresses["address"], config.get("licence") or "")
    document = describe_images(images, rows, collection, addresses["omero_address"])
    turtle, count = checked_turtle(document)
    outputs.file(args.json_ld).write_text(json_text(document), encoding="utf-8")
    outputs.file(args.turtle).write_text(turtle, encoding="utf-8")
    print(f"{len(images):,} images, {count:,} statements, valid by the shapes")


if __name__ == "__main__":
    run_tool(main)
