"""Read RO-Crates and correct known mistakes of published crates in memory; each correction is a finding.

No data is lost: entities and properties stay, only known misspellings of names are corrected.
"""

from collections.abc import Container
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.untrusted_files import MAX_JSON_BYTES, open_zip, parse_json, read_member
from bioimage_suite.fair.crates.terms import GIDE_TERMS
from bioimage_suite.fair.terms.json_ld import DESCRIPTOR, as_list, by_id, objects_in, types
from bioimage_suite.fair.terms.ontology_terms import curie, iri
from bioimage_suite.tables.sheets import Finding

_PAYLOAD = "data/"
# Found in 1,332 published crates of the BioImage Archive, IDR and SSBD.
_TYPES = {"QuantitiveValue": "QuantitativeValue", "Organisation": "Organization"}


@dataclass(frozen=True)
class Crate:
    """A crate that was read.

    Attributes:
        name: Display name.
        document: Its JSON-LD, corrected.
        findings: The corrections.
        files: Paths of files and, with `/` at their end, of folders in its zip; None for a metadata file without a
            zip.
        texts: Small text files of the zip that profiles check: the file lists of the BioImage Archive.
    """

    name: str
    document: dict[str, Any]
    findings: tuple[Finding, ...]
    files: frozenset[str] | None
    texts: dict[str, bytes]


def read_crate(path: Path, name: str) -> Crate:
    """Read `ro-crate-metadata.json`, alone or in a zip; a zip may hold the crate in a bag (BagIt).

    Args:
        path: JSON file or zip.
        name: Display name of the file.

    Raises:
        UserError: The file is neither JSON nor a zip, it is harmful, or its JSON is not an object.
    """
    with path.open("rb") as stream:
        zipped = stream.read(4).startswith(b"PK")
    files: frozenset[str] | None = None
    texts: dict[str, bytes] = {}
    if zipped:
        with open_zip(path, name, max_unpacked=1 << 50) as archive:
            inside = _PAYLOAD if _is_bag(archive.NameToInfo) else ""
            files = frozenset(member.removeprefix(inside) for member in archive.namelist() if member.startswith(inside))
            document = _document(read_member(archive, inside + DESCRIPTOR, name, MAX_JSON_BYTES), name)
            for file in _described_lists(document) & files:
                texts[file] = read_member(archive, inside + file, name, MAX_JSON_BYTES)
    else:
        with path.open("rb") as stream:
            document = _document(stream.read(MAX_JSON_BYTES + 1), name)
    mended, findings = mend(document, name)
    return Crate(name, mended, tuple(findings), files, texts)


def _is_bag(members: Container[str]) -> bool:
    """Return whether a zip holds a crate as the payload of a bag (BagIt, RFC 8493), as RO-Crate describes it."""
    return DESCRIPTOR not in members and _PAYLOAD + DESCRIPTOR in members and "bagit.txt" in members


def _document(data: bytes, name: str) -> dict[str, Any]:
    document = parse_json(data, name)
    if not isinstance(document, dict):
        raise UserError(f"crate {name}: is JSON but no object. Give a file ro-crate-metadata.json.")
    return document


def _described_lists(document: dict[str, Any]) -> set[str]:
    """Return the paths of a crate's file lists: any type whose name ends so, whatever its prefix."""
    entities = by_id(document.get("@graph"))
    lists = [name for name, entity in entities.items() if any(kind.endswith("FileList") for kind in types(entity))]
    return {unquote(name.removeprefix("./")) for name in lists}


def mend(document: dict[str, Any], name: str) -> tuple[dict[str, Any], list[Finding]]:
    """Return a copy of the document with known misspellings corrected, and a finding for each correction."""
    result = deepcopy(document)
    findings: list[Finding] = []

    def say(where: str, found: str, expected: str) -> None:
        findings.append(Finding("warning", name, 0, where, found, expected, "tolerated"))

    entities = objects_in(result.get("@graph"))
    _mend_context(result, say)
    renamed: dict[str, str] = {}
    for entity in entities:
        identifier = entity.get("@id")
        if not isinstance(identifier, str):
            continue
        _mend_types(entity, identifier, say)
        new = _normal_identifier(identifier, entity)
        if new != identifier:
            renamed[identifier] = new
            say(identifier, identifier, new)
        empty = [key for key, value in entity.items() if value == []]
        if empty:
            say(identifier, f"empty lists: {', '.join(empty)}", "no property where there is nothing")
    if renamed:
        _rename(entities, renamed)
    return result, findings


def _mend_context(document: dict[str, Any], say: Any) -> None:
    for part in as_list(document.get("@context")):
        see_also = part.get("seeAlso") if isinstance(part, dict) else None
        address = see_also.get("@id") if isinstance(see_also, dict) else see_also
        if address and str(address).startswith("rdf:"):
            say("@context", f"seeAlso as {address}", "rdfs:seeAlso")
            part["seeAlso"] = GIDE_TERMS["seeAlso"]


def _mend_types(entity: dict[str, Any], identifier: str, say: Any) -> None:
    types = as_list(entity.get("@type"))
    wrong = [kind for kind in types if isinstance(kind, str) and kind in _TYPES]
    for kind in wrong:
        say(identifier, f"type {kind}", f"type {_TYPES[kind]}")
    if wrong:
        right = [_TYPES.get(kind, kind) if isinstance(kind, str) else kind for kind in types]
        entity["@type"] = right if isinstance(entity["@type"], list) else right[0]


def _normal_identifier(identifier: str, entity: dict[str, Any]) -> str:
    """Normalise the id of a descriptor with an accession prefix, and ids of terms and taxa to OBO addresses."""
    if identifier.endswith("-" + DESCRIPTOR) and "CreativeWork" in as_list(entity.get("@type")):
        return DESCRIPTOR
    if {"Taxon", "DefinedTerm"} & set(map(str, as_list(entity.get("@type")))):
        known = curie(identifier)
        return iri(known) if known else identifier
    return identifier


def _rename(entities: list[dict[str, Any]], renamed: dict[str, str]) -> None:
    for entity in entities:
        for part in [entity, *(part for value in entity.values() for part in as_list(value))]:
            # An id that is no text is an error of the crate, which the checks report.
            if isinstance(part, dict) and isinstance(part.get("@id"), str):
                part["@id"] = renamed.get(part["@id"], part["@id"])
