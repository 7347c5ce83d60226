"""Annotate many OMERO objects from one table: key-value pairs, tags, comments, ratings and attached files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.annotations.annotate import annotate
from bioimage_suite.omero.annotations.changes import CHANGE_COLUMNS, Wanted
from bioimage_suite.omero.annotations.tables import left_out, read_attachments, read_wanted
from bioimage_suite.omero.annotations.targets import find_objects
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.session import session_of
from bioimage_suite.tables.key_value_dialects import CLIENT_NAMESPACE, read_key_values
from bioimage_suite.tables.object_table import write_table
from bioimage_suite.tables.report import Report

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

OBJECT_COLUMNS = ("object_type", "object_name", "change_count", "status")


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--output", type=Path, required=True, help="object table to write"),
    argument("--changes", type=Path, required=True, help="table of changes to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Annotate the objects, write the tables."""
    config, table = args.config, args.config["table"]
    reading = read_key_values(Path(table["source_path"]), table["element_identifier"], config.get("split") or "")
    namespace = (config.get("namespace") or "").strip() or CLIENT_NAMESPACE
    wanted = read_wanted(reading, namespace, config["kind"], read_attachments(config.get("attachments")))
    for line in left_out(reading):
        print(line, flush=True)
    dry_run = bool(config.get("dry_run"))
    with (
        Report(args.output, keeps_room=True) as report,
        session_of(config) as session,
    ):
        within = with_addresses(config["within"], args.addresses)
        found = find_objects(session, list(wanted), within, make=bool(config.get("make")))
        kinds = {kind for kind, _, _ in found}
        report.columns = (f"{kinds.pop()}_id" if len(kinds) == 1 else "object_id", *OBJECT_COLUMNS)
        merged = {place: Wanted.merged([wanted[target] for target in targets]) for place, targets in found.items()}
        changes = annotate(
            session,
            merged,
            report,
            mode=config["mode"],
            dry_run=dry_run,
            write=lambda rows: write_table(outputs.file(args.changes), CHANGE_COLUMNS, rows),
        )
    print(f"{len(found)} objects, {len(changes)} changes" + (" (nothing was changed)" if dry_run else ""))


if __name__ == "__main__":
    run_tool(main)
