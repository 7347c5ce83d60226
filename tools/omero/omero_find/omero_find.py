"""List the images of OMERO projects, datasets, screens, plates, a group or a whole server in an object table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.images.choices import CHOICE_COLUMNS, list_choices
from bioimage_suite.omero.images.find_columns import container_table, image_table
from bioimage_suite.omero.images.search import search
from bioimage_suite.omero.images.well_filter import in_wells, read_well_filter
from bioimage_suite.omero.objects import read_target, split_terms
from bioimage_suite.omero.session import session_of
from bioimage_suite.tables.object_table import write_table

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--output", type=Path, required=True, help="object table to write"),
    argument("--offered", type=Path, help="list of choices for the forms of other tools to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Find the images, write the object table."""
    config = args.config
    form = config.get("listing") or {"rows": "image", "columns": ["hierarchy", "sizes"]}
    with session_of(config) as opened:
        target = read_target(with_addresses(config["target"], args.addresses))
        session = opened.in_all_groups() if target.scope == "server" else opened
        images = in_wells(session, search(session, target, config), read_well_filter(config.get("wells")))
        if form["rows"] == "image":
            keys = split_terms(form.get("keys") or "")
            names, rows = image_table(session, images, form.get("columns") or (), keys)
        else:
            names, rows = container_table(images, form["rows"])
        offered = list_choices(session, images) if args.offered else []
    if args.offered:
        write_table(outputs.file(args.offered), CHOICE_COLUMNS, offered)
    write_table(outputs.file(args.output), names, rows, exact=bool(config.get("exact_texts")))
    print(f"{len(images)} images found")


if __name__ == "__main__":
    run_tool(main)
