"""Validation of a crate against the base specification and a profile, with a second opinion where there is one."""

from typing import Any

from bioimage_suite.fair.crates.checks import check_crate
from bioimage_suite.fair.crates.named_profiles import NAMED_PROFILES, named_addresses, named_profiles
from bioimage_suite.fair.crates.reading import Crate
from bioimage_suite.fair.crates.roc_validator import installed, roc_findings, unknown_versions
from bioimage_suite.fair.crates.terms import BIA_PROFILE, GIDE_PROFILE, offline_context
from bioimage_suite.fair.terms.json_ld import by_id, root_id, types
from bioimage_suite.tables.sheets import Finding

PROFILES = ("auto", "base", "gide", "bia", "general", *NAMED_PROFILES)
_BIA_STUDY = "http://bia/Study"
# roc-validator takes seconds for a hundred entities and minutes for ten thousand.
_ROC_ENTITIES = 1000


def guess_profile(document: dict[str, Any]) -> str:
    """Return the profile that a crate declares or whose root it has, else `base`.

    A root of the BioImage Archive has the type `bia:Study`; a root of GIDE has imaging methods and an address. Of
    several profiles of workflows it is the narrowest; the rules of all that the crate names are checked.
    """
    entities = by_id(document.get("@graph"))
    root = root_id(entities)
    described = entities.get(root, {})
    named = named_addresses(entities, root)
    if any(address.startswith(BIA_PROFILE) for address in named) or {"bia:Study", _BIA_STUDY} & set(types(described)):
        return "bia"
    methods = "measurementMethod" in described
    if GIDE_PROFILE in named or (methods and root.startswith("http")):
        return "gide"
    return next(iter(named_profiles(entities, root)), "base")


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
    said, checked = roc_findings(crate.document, root_id(by_id(crate.document.get("@graph"))), crate.name)
    # What roc-validator has checked is no longer said to be unchecked.
    return [*(one for one in findings if one.column != "conformsTo" or one.found not in checked), *said]


def _why_no_roc(crate: Crate) -> str:
    if not installed():
        return "is not installed"
    graph = crate.document.get("@graph")
    if not isinstance(graph, list) or not root_id(by_id(crate.document.get("@graph"))):
        return "needs a graph with a root"
    if offline_context(crate.document.get("@context"))[1]:
        return "would fetch contexts"
    unknown = unknown_versions(crate.document)
    if unknown:
        return f"has no rules of RO-Crate {', '.join(unknown)}"
    return f"takes long above {_ROC_ENTITIES:,} entities" if len(graph) > _ROC_ENTITIES else ""
