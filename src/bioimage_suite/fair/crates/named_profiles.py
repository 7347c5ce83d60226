"""Profiles that stand on RO-Crate and that a crate names: workflows, their runs, ISA; and what has their rules.

The rules are shapes in `shacl/`, written anew from the profiles' texts; `docs/crate-verdicts.md` compares the verdicts
with those of roc-validator.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bioimage_suite.fair.terms.json_ld import DESCRIPTOR, Entity, ids


class NamedProfile(NamedTuple):
    """A profile: how the addresses of its versions begin, and the files of shapes with its rules."""

    address: str
    shapes: tuple[str, ...]


# Rules (MUST) of a profile are in a file of its own, its advice (SHOULD) in another.
_WORKFLOW = ("workflow", "workflow-advice")
_RUN = ("run-actions", "run-advice")
_WORKFLOW_RUN = (*_RUN, *_WORKFLOW, "run-parameters", "parameter-advice")
# The narrower a profile, the earlier it stands. Each asks for its own address alone, and for all else it stands on.
NAMED_PROFILES = {
    "provenance-run": NamedProfile(
        "https://w3id.org/ro/wfrun/provenance", (*_WORKFLOW_RUN, "provenance-run", "provenance-advice")
    ),
    "workflow-run": NamedProfile("https://w3id.org/ro/wfrun/workflow", (*_WORKFLOW_RUN, "workflow-run")),
    "process-run": NamedProfile("https://w3id.org/ro/wfrun/process", (*_RUN, "process-run")),
    "workflow-testing": NamedProfile("https://w3id.org/ro/wftest", (*_WORKFLOW, "workflow-testing", "testing-advice")),
    "workflow": NamedProfile("https://w3id.org/workflowhub/workflow-ro-crate", _WORKFLOW),
    "isa": NamedProfile("https://github.com/nfdi4plants/isa-ro-crate-profile", ("isa",)),
}


def named_addresses(entities: Mapping[str, Entity], root: str) -> list[str]:
    """Return the addresses of the profiles that a crate's descriptor and root name, each once."""
    named = [address for one in (DESCRIPTOR, root) for address in ids(entities.get(one, {}).get("conformsTo"))]
    return list(dict.fromkeys(named))


def named_profile(address: str) -> str:
    """Return the name of the profile with an address of any version, or empty text."""
    address = address.replace("http://", "https://", 1)
    return next(
        (name for name, one in NAMED_PROFILES.items() if f"{address}/".startswith(f"{one.address}/")),
        "",
    )


def named_profiles(entities: Mapping[str, Any], root: str) -> list[str]:
    """Return the names of the profiles that a crate names, the narrowest first."""
    named = {named_profile(address) for address in named_addresses(entities, root)}
    return [name for name in NAMED_PROFILES if name in named]
