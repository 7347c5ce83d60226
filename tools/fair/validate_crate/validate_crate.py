"""Validate any RO-Crate against the base specification and a profile, offline."""

from argparse import Namespace
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.texts import json_text
from bioimage_suite.core.tool import argument, run_tool, tool
from bioimage_suite.fair.crates.reading import read_crate
from bioimage_suite.fair.crates.validation import PROFILES, guess_profile, validate_crate
from bioimage_suite.fair.metadata.findings_report import findings_page, readable_list, write_findings
from bioimage_suite.fair.terms.json_ld import as_list


@tool(
    __doc__,
    argument("--crate", type=Path, required=True, help="ro-crate-metadata.json, or a zip that holds it"),
    argument("--crate-name", default="crate"),
    argument("--profile", choices=PROFILES, default="auto"),
    argument("--roc-validator", action="store_true", help="run roc-validator too, if it is installed"),
    argument("--on-errors", choices=("report", "fail"), default="report"),
    argument("--findings", type=Path, required=True),
    argument("--report", type=Path, required=True),
    argument("--report-markdown", type=Path, help="the same report in Markdown of Galaxy"),
    argument("--mended", type=Path, help="crate with known misspellings corrected, to write"),
)
def main(args: Namespace, outputs: Outputs) -> None:
    """Read, check, write."""
    crate = read_crate(args.crate, args.crate_name)
    profile = guess_profile(crate.document) if args.profile == "auto" else args.profile
    findings = validate_crate(crate, profile, args.roc_validator)
    errors = sum(finding.level == "error" for finding in findings)
    verdict = f"{args.crate_name}: {'does not follow' if errors else 'follows'} the profile {profile} at REQUIRED level"
    print(verdict)
    if errors and args.on_errors == "fail":
        raise UserError(f"crate {args.crate_name}: {errors:,} errors. Mend them:\n{readable_list(findings)}")
    write_findings(outputs.file(args.findings), findings)
    entities = f"{len(as_list(crate.document.get('@graph'))):,} entities"
    report = findings_page("Crate validation", [f"{verdict}.", entities], findings)
    report.write(outputs, args.report, args.report_markdown)
    if args.mended:
        outputs.file(args.mended).write_text(json_text(crate.document), encoding="utf-8")


if __name__ == "__main__":
    run_tool(main)
