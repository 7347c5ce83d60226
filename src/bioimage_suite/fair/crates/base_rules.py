"""Rules of RO-Crate that depend on its version, and those on names and references that SHACL shapes see too late.

Sources: "MUST" statements of RO-Crate 1.1, 1.2 and 1.3; `docs/crate-verdicts.md` compares the verdicts with those of
roc-validator on its test crates.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bioimage_suite.fair.crates.named_profiles import named_addresses, named_profile
from bioimage_suite.fair.crates.terms import BIA_PROFILE, GIDE_PROFILE, RO_CRATE, offline_context, ro_crate_version
from bioimage_suite.fair.terms.json_ld import DESCRIPTOR, Entity, as_list, by_id, ids, types
from bioimage_suite.tables.sheets import Finding

ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_UNVERSIONED = RO_CRATE.rstrip("/")
Error = Callable[[str, str, str], Finding]


def crate_version(document: Mapping[str, Any]) -> str:
    """Return the version of RO-Crate that a crate's descriptor or context names, `1.2` where none does."""
    head = by_id(document.get("@graph")).get(DESCRIPTOR, {})
    named = [
        *ids(head.get("conformsTo")),
        *(part for part in as_list(document.get("@context")) if isinstance(part, str)),
    ]
    return next(filter(None, map(ro_crate_version, named)), "1.2")


def is_old(document: Mapping[str, Any]) -> bool:
    """Return whether a crate follows a version before 1.2, which asks for less."""
    return crate_version(document).startswith(("0.", "1.0", "1.1"))


def check_versions(document: Mapping[str, Any], root: str | None, name: str) -> list[Finding]:
    """Check that the descriptor names a version of RO-Crate, and say which profiles are not known here.

    RO-Crate 1.1 asks for its own address in `conformsTo`, 1.2 recommends it.
    """
    entities = by_id(document.get("@graph"))
    place = f"{DESCRIPTOR} conformsTo"
    named = ids(entities.get(DESCRIPTOR, {}).get("conformsTo"))
    findings = []
    if named and not any(address.startswith(RO_CRATE) for address in named):
        level = "error" if is_old(document) else "warning"
        findings.append(Finding(level, name, 0, place, ", ".join(named), f"{RO_CRATE}{crate_version(document)}"))
    known = (_UNVERSIONED, BIA_PROFILE, GIDE_PROFILE)
    unknown = [
        address
        for address in named_addresses(entities, root or "")
        if not address.startswith(known) and not named_profile(address)
    ]
    expected = "a profile that this tool has: RO-Crate, GIDE, BioImage Archive, workflows and their runs, ISA"
    return findings + [
        Finding("note", name, 0, "conformsTo", address, expected, "the rules of this profile are not checked")
        for address in unknown
    ]


def check_names(document: Mapping[str, Any], error: Error) -> list[Finding]:
    """Find properties that the context does not define: JSON-LD readers drop them without a word.

    Nothing is said where the context has parts that this tool does not know.
    """
    terms, unknown = offline_context(document.get("@context"))
    if unknown or "@vocab" in terms:
        return []
    findings = []
    for identifier, entity in by_id(document.get("@graph")).items():
        for key in entity:
            prefix, colon, _ = key.partition(":")
            if not key.startswith("@") and key not in terms and not (colon and prefix in terms):
                findings.append(
                    error(f"{identifier} {key}", "no term of the context", "a property that @context defines")
                )
    return findings


def is_data(identifier: str, entity: Entity, root: str) -> bool:
    """Return whether an entity is data of the crate: a file or folder, but not the root or a local name (`#x`)."""
    local = identifier.removeprefix(root).startswith("#") if identifier.startswith(root) else identifier.startswith("#")
    return identifier != root and not local and bool({"File", "Dataset"} & set(types(entity)))


def check_newer(entities: Mapping[str, Entity], root: str, error: Error) -> list[Finding]:
    """Check what RO-Crate 1.2 asks beyond 1.1 of root, data and citations.

    Args:
        entities: The crate's entities by id.
        root: Id of the root dataset.
        error: Makes a finding of place, what was found, what is expected.
    """
    findings = []
    attached = not ABSOLUTE.match(root)
    if attached and root != "./":
        findings.append(error(f"{root} @id", root, "./ or an address as the root's @id"))
    for identifier, entity in entities.items():
        data = is_data(identifier, entity, root)
        if data and not attached and not ABSOLUTE.match(identifier):
            findings.append(
                error(identifier, identifier, "an address: a crate without files describes those of the web")
            )
        if data or identifier == root:
            findings += [
                error(f"{identifier} citation", target, "the address of a publication")
                for target in [*ids(entity.get("citation")), *_texts(entity.get("citation"))]
                if not ABSOLUTE.match(target)
            ]
        findings += _check_schema_address(identifier, entity, error)
    return findings + _check_root(entities, root, error)


def _texts(value: Any) -> list[str]:
    return [part for part in as_list(value) if isinstance(part, str)]


def _check_schema_address(identifier: str, entity: Entity, error: Error) -> list[Finding]:
    wrong = [kind for kind in types(entity) if kind.startswith("https://schema.org/")]
    return [error(f"{identifier} @type", kind, f"{kind.rpartition('/')[2]}, the context's term") for kind in wrong]


def _check_root(entities: Mapping[str, Entity], root: str, error: Error) -> list[Finding]:
    findings = []
    for profile in ids(entities[root].get("conformsTo")):
        if profile.rstrip("/") == _UNVERSIONED:
            findings.append(error(f"{root} conformsTo", profile, f"{RO_CRATE}1.2, with its version"))
        elif "Profile" not in types(entities.get(profile, {})):
            findings.append(error(f"{root} conformsTo", profile, "an entity of the graph with the type Profile"))
    for publisher in ids(entities[root].get("publisher")):
        if not {"Organization", "Person"} & set(types(entities.get(publisher, {}))):
            findings.append(error(f"{root} publisher", publisher, "an Organization or Person of the graph"))
    for identifier in ids(entities[root].get("identifier")):
        described = entities.get(identifier, {})
        if "PropertyValue" in types(described) and not described.get("value"):
            findings.append(error(f"{identifier} value", "missing", "the value of the identifier"))
    return findings
