"""Import measurement tables to OMERO as OMERO.tables, attached to images, their dataset or another container."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool
from bioimage_suite.omero.file_source import ADDRESSES, with_addresses
from bioimage_suite.omero.named_files import match_images, read_files
from bioimage_suite.omero.objects import read_target
from bioimage_suite.omero.session import session_of
from bioimage_suite.omero.tables.columns import find_places, make_rows
from bioimage_suite.omero.tables.feature_table import survey_tables
from bioimage_suite.omero.tables.imports import TableImport, choose_targets, import_tables, read_rois, write_merged
from bioimage_suite.tables.report import Report

if TYPE_CHECKING:
    from argparse import Namespace

    from bioimage_suite.core.outputs import Outputs

COLUMNS = ("table_name", "file_id", "annotation_id", "row_count", "replaced_count", "status")


@tool(
    __doc__,
    CONFIG,
    ADDRESSES,
    argument("--output", type=Path, required=True, help="object table to write"),
    argument("--merged", type=Path, required=True, help="all measurements as one table to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Import the tables, write the reports."""
    config = args.config
    name, attach, match = (
        config["table_name"].strip(),
        config["attach"],
        with_addresses(config["match"], args.addresses),
    )
    if not name or "/" in name:
        raise UserError(f"table name {name!r}: write a name without a slash, such as measurements.")
    files = read_files(config["tables"])
    survey = survey_tables(files, rows_have_images=attach != "container")
    given = (config.get("rois") or {}).get("source_path")  # Galaxy describes a file that was not given without a path.
    rois = read_rois(Path(given)) if given else None
    with (
        Report(args.output, keeps_room=True) as report,
        session_of(config) as session,
    ):
        found = match_images(session, survey.images, match)
        images = dict(zip(survey.images, found, strict=True))
        targets = choose_targets(session, attach, images, match)
        ids = find_places(session, survey, read_target(match)) if attach == "container" else {}
        measurements = TableImport(files, targets, make_rows(survey, images, ids, rois), survey.counts)
        for column, stored in measurements.rows.renamed.items():
            print(f"column {column!r}: OMERO.tables cannot hold this name; it is {stored!r} in OMERO", flush=True)
        kind = next((target.kind for target in targets.values()), attach)
        report.columns = (f"{kind}_id", f"{kind}_name", *COLUMNS)
        rows = {
            target: report.add(**{f"{kind}_id": target.object_id, f"{kind}_name": target.name, "table_name": name})
            for target in dict.fromkeys(targets.values())
        }
        # Before anything is in OMERO: a full disk shall leave nothing there.
        write_merged(outputs.file(args.merged), files, survey, images)
        if config.get("dry_run"):
            for row in report.rows:
                row.done("would import")
        else:
            import_tables(session, measurements, name, rows, existing=config.get("existing") or "element")


if __name__ == "__main__":
    run_tool(main)
