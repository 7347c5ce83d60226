"""Checks of a crate as JSON: rules of RO-Crate and the profiles that SHACL shapes cannot express.

Sources: RO-Crate 1.1 and 1.2, "MUST" statements; GIDE profile v0.2 (closure rule).
"""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from bioimage_suite.core.untrusted_files import safe_relative_path
from bioimage_suite.fair.crates.base_rules import (
    ABSOLUTE,
    check_names,
    check_newer,
    check_versions,
    crate_version,
    is_data,
    is_old,
)
from bioimage_suite.fair.crates.bia_file_list import check_file_list
from bioimage_suite.fair.crates.bia_rules import check_entities
from bioimage_suite.fair.crates.reading import Crate
from bioimage_suite.fair.crates.shapes import shape_findings
from bioimage_suite.fair.crates.terms import RO_CRATE, nested_contexts
from bioimage_suite.fair.terms.json_ld import DESCRIPTOR, INVALID_IN_ID, Entity, as_list, by_id, ids, root_id, types
from bioimage_suite.tables.sheets import Finding

# Versions whose text asks for their own context.
_WITH_OWN_CONTEXT = ("1.2", "1.3")
_FBBI = "http://purl.obolibrary.org/obo/FBbi_"


def check_crate(crate: Crate, profile: str) -> list[Finding]:
    """Check a crate and return all findings: corrected mistakes, base specification, payload, profile.

    Args:
        crate: The crate.
        profile: `base`, `general`, `gide` or `bia`.
    """
    findings = [*crate.findings, *check_document(crate.document, crate.name, profile)]
    if crate.files is not None:
        findings += _check_payload(crate.document, crate.files, crate.name)
    if profile == "bia" and crate.files is not None:
        findings += check_file_list(crate.document, crate.texts, crate.name)
    return findings


def check_document(document: dict[str, Any], name: str, profile: str) -> list[Finding]:
    """Check the JSON-LD document only; if it is not a crate, that is the only finding."""

    def error(where: str, found: str, expected: str) -> Finding:
        return Finding("error", name, 0, where, found, expected)

    findings = _check_context(document, error)
    graph = document.get("@graph")
    if not isinstance(graph, list) or not graph:
        return [*findings, error("@graph", type(graph).__name__, "a list of entities")]
    findings += _check_entities(graph, "warning" if is_old(document) else "error", name)
    entities = by_id(graph)
    root, problems = _find_root(entities, error)
    findings += [*problems, *check_versions(document, root, name)]
    if root is None or any("@graph entity" in finding.column for finding in findings):
        return findings
    findings += check_names(document, error)
    if not is_old(document):
        findings += check_newer(entities, root, error)
    findings += _check_links(entities, root, name, profile)
    if profile == "gide" and not root.startswith(("http://", "https://")):
        findings.append(error(root, root, "the address of the landing page as the root's @id"))
    if profile == "gide":
        findings += [*_check_publications(entities, name), *_check_closure(entities, root, name)]
    if profile == "bia":
        findings += check_entities(document, name)
    return findings + shape_findings(document, root, name, profile)


def _check_context(document: dict[str, Any], error: Any) -> list[Finding]:
    """Check that a crate has RO-Crate's context; from 1.2 on, that of the version which its descriptor names."""
    parts = as_list(document.get("@context"))
    named = [
        part for part in parts if isinstance(part, str) and part.startswith(RO_CRATE) and part.endswith("/context")
    ]
    if not named:
        return [error("@context", str(parts)[:80], f"{RO_CRATE}1.2/context")]
    version = crate_version(document)
    wanted = f"{RO_CRATE}{version}/context"
    if version not in _WITH_OWN_CONTEXT or wanted in named:
        return []
    return [error("@context", ", ".join(named), f"{wanted}, the version of the descriptor's conformsTo")]


def _check_entities(graph: list[Any], id_level: str, name: str) -> list[Finding]:
    """Check that entities are flat and each has a unique id and a type.

    Args:
        graph: The entities.
        id_level: Level of a finding on an id that is no address: RO-Crate 1.1 says less of them.
        name: Display name of the crate.
    """

    def error(where: str, found: str, expected: str) -> Finding:
        return Finding("error", name, 0, where, found, expected)

    findings: list[Finding] = []
    seen: set[str] = set()
    for number, entity in enumerate(graph, 1):
        if not isinstance(entity, dict) or not isinstance(entity.get("@id"), str):
            findings.append(error(f"@graph entity {number}", str(entity)[:80], "an object with an @id"))
            continue
        identifier = entity["@id"]
        if identifier in seen:
            findings.append(error(identifier, "two entities with this @id", "one entity for each @id"))
        seen.add(identifier)
        if not types(entity):
            findings.append(error(f"{identifier} @type", "missing", "a type"))
        if INVALID_IN_ID.search(identifier):
            expected = "an id that is a URI: percent-encode blanks and the like"
            findings.append(Finding(id_level, name, 0, identifier, identifier, expected))
        for context in nested_contexts(entity):
            expected = "contexts at the top of the document only: nothing is fetched"
            findings.append(error(identifier, f"a context of its own: {str(context)[:80]}", expected))
        for key, value in entity.items():
            nested = [
                part
                for part in as_list(value)
                if isinstance(part, dict) and not ({"@id"} == set(part) or "@value" in part)
            ]
            if nested and not key.startswith("@"):
                findings.append(
                    error(
                        f"{identifier} {key}", "an entity inside another", 'a reference {"@id": ...}; crates are flat'
                    )
                )
    return findings


def _find_root(entities: dict[str, Entity], error: Any) -> tuple[str | None, list[Finding]]:
    head = entities.get(DESCRIPTOR)
    if head is None:
        return None, [error("@graph", f"no entity {DESCRIPTOR}", "the metadata descriptor")]
    findings = []
    if "CreativeWork" not in types(head):
        findings.append(error(f"{DESCRIPTOR} @type", str(head.get("@type")), "CreativeWork"))
    if not ids(head.get("conformsTo")):
        findings.append(error(f"{DESCRIPTOR} conformsTo", str(head.get("conformsTo")), f"{RO_CRATE}1.2"))
    about = ids(head.get("about"))
    if len(about) != 1 or about[0] not in entities:
        return None, [
            *findings,
            error(f"{DESCRIPTOR} about", str(head.get("about")), "the root dataset, which the graph describes"),
        ]
    if "Dataset" not in types(entities[about[0]]):
        findings.append(error(f"{about[0]} @type", str(entities[about[0]].get("@type")), "Dataset"))
    return about[0], findings


def _check_links(entities: dict[str, Entity], root: str, name: str, profile: str) -> list[Finding]:
    """Find local ids without an entity, and files that the root does not reference."""
    findings: list[Finding] = []
    # This suite's own crates describe every entity that they reference; RO-Crate itself says SHOULD.
    level = "error" if profile == "gide" else "warning"
    for identifier, entity in entities.items():
        for key, value in entity.items():
            findings += [
                Finding(level, name, 0, f"{identifier} {key}", target, "an entity that the graph describes")
                for target in ids(value)
                if target.startswith("#") and target not in entities
            ]
    # One of two may write a blank as it is, the other as %20: to a reader of JSON-LD they are the same file.
    plain = {unquote(identifier): identifier for identifier in entities}
    reached = {root}
    waiting = [root]
    while waiting:
        for part in ids(entities.get(waiting.pop(), {}).get("hasPart")):
            target = part if part in entities else plain.get(unquote(part), part)
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    findings += [
        Finding(
            "error",
            name,
            0,
            identifier,
            "data that is no part of the root",
            "hasPart of the root, direct or by folders",
        )
        for identifier, entity in entities.items()
        if is_data(identifier, entity, root) and identifier not in reached
    ]
    return findings


def _check_payload(document: dict[str, Any], files: frozenset[str], name: str) -> list[Finding]:
    """Check that every described file and folder is in the zip and no path leaves the crate."""
    findings: list[Finding] = []
    folders = {str(parent) for file in files for parent in PurePosixPath(f"{file}x").parents}
    entities = by_id(document.get("@graph"))
    root = root_id(entities)
    for identifier, entity in entities.items():
        if identifier == root or ABSOLUTE.match(identifier) or identifier.startswith("#"):
            continue
        kinds = set(types(entity))
        path = safe_relative_path(unquote(identifier.removeprefix("./")).removesuffix("/"))
        if "File" in kinds and path is None:
            findings.append(Finding("error", name, 0, identifier, identifier, "a path inside the crate, without '..'"))
        elif "File" in kinds and str(path) not in files:
            findings.append(
                Finding("error", name, 0, identifier, "no such file in the zip", "every file that is described")
            )
        elif "Dataset" in kinds and "File" not in kinds and str(path) not in folders:
            findings.append(
                Finding("error", name, 0, identifier, "no such folder in the zip", "every folder that is described")
            )
    return findings


def _check_publications(entities: dict[str, Entity], name: str) -> list[Finding]:
    """Say which datasets have their publications where RO-Crate puts them, but GIDE's search does not look."""
    return [
        Finding("warning", name, 0, identifier, "citation", "seeAlso, where GIDE looks for publications", "tolerated")
        for identifier, entity in entities.items()
        if entity.get("citation") and "seeAlso" not in entity and "Dataset" in types(entity)
    ]


def _check_closure(entities: dict[str, Entity], root: str, name: str) -> list[Finding]:
    """Check that the root has all organisms and methods of samples and protocols: GIDE's search reads only the root.

    Its facets are organisms and methods of FBbi. Other terms (a cell line; the EFO terms of growth and treatment that
    most crates of IDR have in protocols only) are asked for by the profile, but no entry is lost without them.
    """
    findings: list[Finding] = []
    for holder, link, kind in (
        ("about", "taxonomicRange", "Taxon"),
        ("about", "hasCellLine", "DefinedTerm"),
        ("measurementMethod", "measurementTechnique", "DefinedTerm"),
    ):
        direct = set(ids(entities[root].get(holder)))
        for part in direct:
            for target in ids(entities.get(part, {}).get(link)):
                if target not in direct and kind in types(entities.get(target, {"@type": kind})):
                    level = "error" if kind == "Taxon" or target.startswith(_FBBI) else "warning"
                    findings.append(
                        Finding(
                            level, name, 0, f"{root} {holder}", f"{part} names {target}", f"{target} in {holder} too"
                        )
                    )
    return findings
