"""Validate filled metadata of any dialect and write it as one normalised table, with a report of all findings."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.tool import argument, file_list, run_tool, tool
from bioimage_suite.fair.metadata.checks import Validated, validate
from bioimage_suite.fair.metadata.fields import is_field, template_fields
from bioimage_suite.fair.metadata.findings_report import findings_page, readable_list, write_findings
from bioimage_suite.fair.metadata.image_list import IMAGE_ARGUMENTS, load_images
from bioimage_suite.fair.metadata.table import write_metadata_table
from bioimage_suite.fair.terms.every_cell_line import know_every_cell_line
from bioimage_suite.tables.key_value_dialects import KeyValueFile, read_key_values

DIALECTS = {
    "template": "REMBI or MIFA template",
    "tidy": "key-values fetched from OMERO, one pair a row",
    "omero-scripts-new": "omero-scripts from 5.9 (OBJECT_ID, OBJECT_NAME)",
    "omero-scripts-old": "omero-scripts up to 5.8 (values split at ';')",
    "omero-metadata": "omero-metadata populate",
    "dresden": "TU Dresden template",
    "json": "JSON rows",
}


def summary(readings: Sequence[KeyValueFile], result: Validated) -> list[str]:
    """Summarise the contents of each file, one line each, and the valid values."""
    lines = [
        f"{reading.file}: {DIALECTS[reading.dialect]}, {reading.form}, "
        f"{len(reading.targets):,} rows, {len(reading.pairs):,} values"
        for reading in readings
    ]
    resolved = sum(bool(value.term_id) for value in result.values)
    return [*lines, f"{len(result.values):,} values are valid, {resolved:,} of them terms of an ontology."]


@tool(
    __doc__,
    argument("--metadata", type=file_list, required=True, help='JSON list of {"path", "name"} of the filled files'),
    *IMAGE_ARGUMENTS,
    argument("--sheet", default="", help="name or number of the sheet to read of a workbook; empty to find it"),
    argument("--standard", choices=("rembi", "mifa"), default="rembi"),
    argument("--scopes", default="study,biosample,acquisition", help="scopes whose required fields are checked"),
    argument("--cell-lines", choices=("common", "all"), default="common", help="which terms of CLO to know"),
    argument("--on-errors", choices=("report", "fail"), default="report"),
    argument("--table", type=Path, required=True, help="normalised table to write"),
    argument("--findings", type=Path, required=True, help="table of findings to write"),
    argument("--report", type=Path, required=True, help="HTML page to write"),
    argument("--report-markdown", type=Path, help="the same report in Markdown of Galaxy"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read, check, write."""
    if args.cell_lines == "all":
        know_every_cell_line()
    scopes = tuple(scope for scope in args.scopes.split(",") if scope)
    fields = template_fields(args.standard, scopes) if scopes else ()
    readings = [read_key_values(path, name, sheet=args.sheet, known=is_field) for path, name in args.metadata]
    result = validate(readings, load_images(args.images, args.image_table), fields)
    lines = summary(readings, result)
    print("\n".join(lines))
    if result.errors and args.on_errors == "fail":
        raise UserError(
            f"metadata: {result.errors:,} errors. Mend them and validate again:\n{readable_list(result.findings)}"
        )
    write_findings(outputs.file(args.findings), result.findings)
    report = findings_page("Metadata validation", lines, result.findings)
    report.write(outputs, args.report, args.report_markdown)
    write_metadata_table(outputs.file(args.table), result.values)


if __name__ == "__main__":
    run_tool(main)
