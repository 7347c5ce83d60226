"""Validation of a crate against the base specification and a profile, with a second opinion where there is one."""

from typing import Any

from bioimage_suite.fair.crates.checks import check_crate, ids, list_of
from bioimage_suite.fair.crates.reading import Crate
from bioimage_suite.fair.crates.roc_validator import installed, roc_findings
from bioimage_suite.fair.crates.terms import BIA_PROFILE, DESCRIPTOR, GIDE_PROFILE, offline_context
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
