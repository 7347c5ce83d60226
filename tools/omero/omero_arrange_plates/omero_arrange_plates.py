"""Arrange OMERO images as wells and fields of plates, following a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.objects import read_target
from bioimage_suite.omero.plates import find_emptied, find_layout_images, make_plates
from bioimage_suite.omero.session import session_of
from bioimage_suite.tables.plate_layout import read_layout
from bioimage_suite.tables.report import Report

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

COLUMNS = (
    "image_id",
    "image_name",
    "well_id",
    "well",
    "field",
    "plate_id",
    "plate_name",
    "screen_id",
    "screen_name",
    "status",
)


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--output", type=Path, required=True, help="object table to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Make the plates, write the object table."""
    config = args.config
    afterwards = config.get("afterwards") or {}
    delete = afterwards.get("dataset") == "delete"
    if delete and not afterwards.get("sure"):
        raise UserError("dataset: it is to be deleted, but you have not confirmed it. Tick the box below, or keep it.")
    by, positions = read_layout(Path(config["layout"]["source_path"]), config.get("plate") or "")
    target = with_addresses(config["target"], args.addresses)
    report = outputs.enter(Report(args.output, COLUMNS, keeps_room=True))
    with session_of(config) as session:
        layout = find_layout_images(session, by, positions, target, emptied=delete)
        emptied = find_emptied(session, layout, read_target(target)) if delete else []
        dry_run = bool(config.get("dry_run"))
        make_plates(session, layout, report, screen=config["screen"], emptied=emptied, dry_run=dry_run)
    for number in emptied:
        print(f"dataset {number}: {'would be deleted' if dry_run else 'deleted'}; its images stand on the plates")
    print(f"{len(layout)} plates, {len(positions)} images")


if __name__ == "__main__":
    run_tool(main)
