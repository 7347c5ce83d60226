"""Validate filled metadata of any dialect and write it as one normalised table, with a report of all findings."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.fair.metadata.checks import Validated, validate
from bioimage_suite.fair.metadata.fields import template_fields
from bioimage_suite.fair.metadata.findings_report import findings_page, readable_list, write_findings
from bioimage_suite.fair.metadata.image_list import load_images
from bioimage_suite.fair.metadata.table import write_metadata_table
from bioimage_suite.tables.key_value_dialects import Reading, read_key_values

DIALECTS = {
    "template": "REMBI or MIFA template",
    "tidy": "key-values fetched from OMERO, one pair a row",
    "omero-scripts-new": "omero-scripts from 5.9 (OBJECT_ID, OBJECT_NAME)",
    "omero-scripts-old": "omero-scripts up to 5.8 (values split at ';')",
    "omero-metadata": "omero-metadata populate",
    "dresden": "TU Dresden template",
    "json": "JSON rows",
}


def summary(readings: Sequence[Reading], result: Validated) -> list[str]:
    """Summarise the contents of each file, one line each, and the valid values."""
    lines = [
        f"{reading.file}: {DIALECTS[reading.dialect]}, {reading.form}, "
        f"{len(reading.targets):,} rows, {len(reading.pairs):,} values"
        for reading in readings
    ]
    resolved = sum(bool(value.term_id) for value in result.values)
    return [*lines, f"{len(result.values):,} values are valid, {resolved:,} of them terms of an ontology."]


def main() -> int:
    """Parse the command line, read, check, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--metadata", type=Path, required=True, help='JSON list of {"path", "name"} of the filled files'
    )
    parser.add_argument("--images", type=Path, help='JSON list of {"path", "name"} of OME-TIFF images')
    parser.add_argument("--image-table", type=Path, help="tabular file of images (image_id or image_name)")
    parser.add_argument("--standard", choices=("rembi", "mifa"), default="rembi")
    parser.add_argument(
        "--scopes", default="study,biosample,acquisition", help="scopes whose required fields are checked"
    )
    parser.add_argument("--on-errors", choices=("report", "fail"), default="report")
    parser.add_argument("--table", type=Path, required=True, help="normalised table to write")
    parser.add_argument("--findings", type=Path, required=True, help="table of findings to write")
    parser.add_argument("--report", type=Path, required=True, help="HTML page to write")
    args = parser.parse_args()
    scopes = tuple(scope for scope in args.scopes.split(",") if scope)
    fields = template_fields(args.standard, scopes) if scopes else ()
    files = json.loads(args.metadata.read_text(encoding="utf-8"))
    readings = [read_key_values(Path(file["path"]), file["name"]) for file in files]
    images = load_images(args.images, args.image_table)
    result = validate(readings, images, fields)
    lines = summary(readings, result)
    print("\n".join(lines))
    if result.errors and args.on_errors == "fail":
        raise UserError(
            f"metadata: {result.errors:,} errors. Mend them and validate again:\n{readable_list(result.findings)}"
        )
    write_findings(args.findings, result.findings)
    args.report.write_text(findings_page("Metadata validation", lines, result.findings), encoding="utf-8")
    write_metadata_table(args.table, result.values)
    return 0


if __name__ == "__main__":
    run_tool(main)
