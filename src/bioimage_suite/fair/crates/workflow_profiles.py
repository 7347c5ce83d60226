"""Profiles of workflows and their runs, which stand on RO-Crate: which of them a crate names, and what has their rules.

The rules are shapes in `shacl/`, written anew from the profiles' texts; `docs/crate-verdicts.md` compares the verdicts
with those of roc-validator.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bioimage_suite.fair.terms.json_ld import DESCRIPTOR, Entity, ids


class WorkflowProfile(NamedTuple):
    """A profile: how the addresses of its versions begin, and the files of shapes with its rules."""

    address: str
    shapes: tuple[str, ...]


# The narrower a profile, the earlier it stands. Each asks for its own address alone, and for all else it stands on.
WORKFLOW_PROFILES = {
    "provenance-run": WorkflowProfile(
        "https://w3id.org/ro/wfrun/provenance", ("run-actions", "workflow", "run-parameters", "provenance-run")
    ),
    "workflow-run": WorkflowProfile(
        "https://w3id.org/ro/wfrun/workflow", ("run-actions", "workflow", "run-parameters", "workflow-run")
    ),
    "process-run": WorkflowProfile("https://w3id.org/ro/wfrun/process", ("run-actions", "process-run")),
    "workflow-testing": WorkflowProfile("https://w3id.org/ro/wftest", ("workflow", "workflow-testing")),
    "workflow": WorkflowProfile("https://w3id.org/workflowhub/workflow-ro-crate", ("workflow",)),
}


def named_addresses(entities: Mapping[str, Entity], root: str) -> list[str]:
    """Return the addresses of the profiles that a crate's descriptor and root name, each once."""
    named = [address for one in (DESCRIPTOR, root) for address in ids(entities.get(one, {}).get("conformsTo"))]
    return list(dict.fromkeys(named))


def workflow_profile(address: str) -> str:
    """Return the name of the profile of workflows with an address of any version, or empty text."""
    address = address.replace("http://", "https://", 1)
    return next(
        (name for name, one in WORKFLOW_PROFILES.items() if f"{address}/".startswith(f"{one.address}/")),
        "",
    )


def workflow_profiles(entities: Mapping[str, Any], root: str) -> list[str]:
    """Return the names of the profiles of workflows that a crate names, the narrowest first."""
    named = {workflow_profile(address) for address in named_addresses(entities, root)}
    return [name for name in WORKFLOW_PROFILES if name in named]
