"""Validate any RO-Crate against the base specification and a profile, offline."""

import argparse
import json
from pathlib import Path
from typing import Any

from bioimage_suite.core.arguments import parse_arguments
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.tool import run_tool
from bioimage_suite.fair.crates.checks import check_crate, ids, list_of
from bioimage_suite.fair.crates.reading import Crate, read_crate
from bioimage_suite.fair.crates.roc_validator import installed, roc_findings
from bioimage_suite.fair.crates.terms import BIA_PROFILE, DESCRIPTOR, GIDE_PROFILE, offline_context
from bioimage_suite.fair.metadata.findings_report import findings_page, readable_list, write_findings
from bioimage_suite.tables.reader import Finding

PROFILES = ("auto", "base", "gide", "bia", "general")
# roc-validator takes seconds for a hundred entities and minutes for ten thousand.
_ROC_ENTITIES = 1000


def guess_profile(document: dict[str, Any]) -> str:
    """Return the profile that a crate declares, `gide` if it has GIDE's imaging methods, else `base`."""
    entities = [entity for entity in list_of(document.get("@graph")) if isinstance(entity, dict)]
    named = {
        address for entity in entities if entity.get("@id") == DESCRIPTOR for address in ids(entity.get("conformsTo"))
    }
    if any(address.startswith(BIA_PROFILE) for address in named):
        return "bia"
    root = root_of(document)
    methods = any(entity.get("@id") == root and "measurementMethod" in entity for entity in entities)
    if GIDE_PROFILE in named or (methods and root.startswith("http")):
        return "gide"
    return "base"


def root_of(document: dict[str, Any]) -> str:
    """Return the id of the root dataset, or empty text when the descriptor names none."""
    for entity in list_of(document.get("@graph")):
        if isinstance(entity, dict) and entity.get("@id") == DESCRIPTOR:
            return next(iter(ids(entity.get("about"))), "")
    return ""


def validate_crate(crate: Crate, profile: str, with_roc: bool) -> list[Finding]:
    """Validate a crate and return all findings.

    Args:
        crate: The crate.
        profile: One of `PROFILES` except `auto`.
        with_roc: Whether to run roc-validator too, if it can read the crate without the network.
    """
    findings = check_crate(crate, profile)
    if not with_roc:
        return findings
    reason = _why_no_roc(crate)
    if reason:
        return [
            *findings,
            Finding("note", crate.name, 0, "roc-validator", reason, "a second opinion; it was not asked"),
        ]
    return [*findings, *roc_findings(crate.document, root_of(crate.document), crate.name)]


def _why_no_roc(crate: Crate) -> str:
    if not installed():
        return "is not installed"
    graph = crate.document.get("@graph")
    if not isinstance(graph, list) or not root_of(crate.document):
        return "needs a graph with a root"
    _, unknown = offline_context(crate.document.get("@context"))
    if unknown or any(isinstance(entity, dict) and "@context" in entity for entity in graph):
        return "would fetch contexts"
    return f"takes long above {_ROC_ENTITIES:,} entities" if len(graph) > _ROC_ENTITIES else ""


def main() -> int:
    """Parse the command line, read, check, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crate", type=Path, required=True, help="ro-crate-metadata.json, or a zip that holds it")
    parser.add_argument("--crate-name", default="crate")
    parser.add_argument("--profile", choices=PROFILES, default="auto")
    parser.add_argument("--roc-validator", action="store_true", help="run roc-validator too, if it is installed")
    parser.add_argument("--on-errors", choices=("report", "fail"), default="report")
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--mended", type=Path, help="crate with known misspellings corrected, to write")
    args = parse_arguments(parser)
    crate = read_crate(args.crate, args.crate_name)
    profile = guess_profile(crate.document) if args.profile == "auto" else args.profile
    findings = validate_crate(crate, profile, args.roc_validator)
    errors = sum(finding.level == "error" for finding in findings)
    verdict = f"{args.crate_name}: {'does not follow' if errors else 'follows'} the profile {profile} at REQUIRED level"
    print(verdict)
    if errors and args.on_errors == "fail":
        raise UserError(f"crate {args.crate_name}: {errors:,} errors. Mend them:\n{readable_list(findings)}")
    write_findings(args.findings, findings)
    entities = f"{len(list_of(crate.document.get('@graph'))):,} entities"
    args.report.write_text(findings_page("Crate validation", [f"{verdict}.", entities], findings), encoding="utf-8")
    if args.mended:
        args.mended.write_text(json.dumps(crate.document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    run_tool(main)
