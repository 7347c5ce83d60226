"""JSON-LD contexts and profiles of crates, resolved without the network."""

import json
import re
from collections.abc import Container, Mapping
from functools import cache
from pathlib import Path
from typing import Any

RO_CRATE = "https://w3id.org/ro/crate/"
RO_TERMS = "https://w3id.org/ro/terms/"
RO_CRATE_1_1 = RO_CRATE + "1.1"
RO_CRATE_1_2 = RO_CRATE + "1.2"
GIDE_PROFILE = "https://www.gide-project.org/ro-crate/search/1.0/profile"
GIDE_CONTEXT = "https://www.gide-project.org/ro-crate/search/1.0/context"
BIA_PROFILE = "https://w3id.org/bia/ro-crate/profile/bia-submission"
_RO_TERMS = re.compile(
    r"https?://(?:w3id\.org/ro/terms|www\.researchobject\.org/ro-terms)(?:/([\w-]+))??(?:/context(?:\.jsonld|\.json)?)?/?"
)

# The profile's own context imports RO-Crate's and so cannot be combined with it (a JSON-LD reader sees a recursion).
# Therefore its terms are listed here (GIDE search input RO-Crate profile, v0.2).
GIDE_TERMS: dict[str, Any] = {
    "obo": "http://purl.obolibrary.org/obo/",
    "dwc": "http://rs.tdwg.org/dwc/terms/",
    "dwciri": "http://rs.tdwg.org/dwc/iri/",
    "bao": "http://www.bioassayontology.org/bao#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "vernacularName": {"@id": "dwc:vernacularName"},
    "scientificName": {"@id": "dwc:scientificName"},
    "hasCellLine": {"@id": "bao:BAO_0002004"},
    "measurementMethod": {"@id": "dwciri:measurementMethod"},
    "seeAlso": {"@id": "http://www.w3.org/2000/01/rdf-schema#seeAlso"},
    "BioSample": {"@id": "http://schema.org/BioSample"},
    "LabProtocol": {"@id": "http://schema.org/LabProtocol"},
    "labEquipment": {"@id": "http://schema.org/labEquipment"},
}

# The archive's own context (bia-ro-crate-validator 0.3.1) gives these names another meaning than `bia:<name>`; its
# validator refuses a crate that maps one of its terms elsewhere.
_BIA_MEANINGS = {
    "additionalType": "http://schema.org/additionalType",
    "address": "http://schema.org/address",
    "associatedImageAnalysisMethod": "http://bia/associatedAnalysisMethod",
    "associatedImageCorrelationMethod": "http://bia/associatedCorrelationMethod",
    "associatedSpecimen": "http://bia/associatedSubject",
    "associatedSpecimenImagingPreparationProtocol": "http://bia/associatedImagingPreparationProtocol",
    "biologicalEntity": "http://bia/sampleOf",
    "columnName": "http://www.w3.org/ns/csvw#name",
    "column": "http://www.w3.org/ns/csvw#column",
    "commonName": "http://rs.tdwg.org/dwc/terms/vernacularName",
    "email": "http://schema.org/email",
    "funder": "http://schema.org/funder",
    "funding": "http://schema.org/funding",
    "identifier": "http://schema.org/identifier",
    "memberOf": "http://schema.org/memberOf",
    "methodType": "http://bia/annotationMethodType",
    "organismClassification": "http://schema.org/taxonomicRange",
    "propertyUrl": "http://www.w3.org/ns/csvw#propertyUrl",
    "scientificName": "http://rs.tdwg.org/dwc/terms/scientificName",
    "seeAlso": "http://www.w3.org/2000/01/rdf-schema#seeAlso",
    "tableSchema": "http://www.w3.org/ns/csvw#tableSchema",
}
_BIA_PROPERTIES = (
    "accessionId", "acknowledgement", "annotationCoverage", "annotationCriteria", "annotationMethod",
    "annotationSourceIndicator", "associatedAnnotationMethod", "associatedBiologicalEntity",
    "associatedCreationProcess", "associatedImageAcquisitionProtocol", "associatedProtocol", "associatedSourceImage",
    "authorNames", "channelBiologicalEntity", "channelContentDescription", "doi", "experimentalVariableDescription",
    "extrinsicVariableDescription", "fbbiId", "featuresAnalysed", "fiducialsUsed", "fundingStatement",
    "growthProtocol", "imageAcquisitionProtocol", "imagingInstrumentDescription", "imagingMethodName",
    "imagingPreparationProtocol", "inputImage", "intrinsicVariableDescription", "protocol", "pubmedId",
    "relatedPublication", "resultOf", "role", "signalChannelInformation", "signalContrastMechanismDescription",
    "spatialInformation", "subject", "transformationDescription", "transformationMatrix", "website", "yearPublished",
)  # fmt: skip
BIA_TERMS: dict[str, Any] = {
    "bia": "http://bia/",
    "csvw": "http://www.w3.org/ns/csvw#",
    **{name: {"@id": f"http://bia/{name}"} for name in _BIA_PROPERTIES},
    **{name: {"@id": meaning} for name, meaning in _BIA_MEANINGS.items()},
}

_CONTEXTS = ("@context", "@import")


def context(version: str, terms: dict[str, Any]) -> list[Any]:
    """Return the `@context` of a crate: RO-Crate's by address, further terms inline."""
    return [f"{version}/context", terms]


@cache
def ro_crate_terms(version: str) -> dict[str, Any]:
    """Return the terms of a version of RO-Crate: those of 1.3, and where 1.1 and 1.2 differ from it, theirs."""
    folder = Path(__file__).resolve().parent / "contexts"
    terms: dict[str, Any] = json.loads((folder / "ro-crate-context.jsonld").read_text(encoding="utf-8"))["@context"]
    older = json.loads((folder / "older-versions.json").read_text(encoding="utf-8")).get(version)
    if older is None:
        return terms
    absent = set(older["absent"].split())
    different: dict[str, Any] = older["terms"]
    return {name: term for name, term in terms.items() if name not in absent} | different


def further_terms(address: Any) -> dict[str, Any] | None:
    """Return the terms of a context of `https://w3id.org/ro/terms/`, None for any other address."""
    named = _RO_TERMS.fullmatch(address) if isinstance(address, str) else None
    folder = (named[1] or "") if named else None
    if folder not in _ro_terms():
        return None
    names: str = _ro_terms()[folder]["names"]
    others: dict[str, Any] = _ro_terms()[folder]["others"]
    return {name: f"{RO_TERMS}{folder}#{name}" for name in names.split()} | others


@cache
def _ro_terms() -> dict[str | None, Any]:
    path = Path(__file__).resolve().parent / "contexts" / "ro-terms.json"
    known: dict[str | None, Any] = json.loads(path.read_text(encoding="utf-8"))
    return known


def ro_crate_version(address: str) -> str:
    """Return the version of RO-Crate in the address of its context or specification, such as `1.1` or `1.2-DRAFT`."""
    return address.removeprefix(RO_CRATE).partition("/")[0] if address.startswith(RO_CRATE) else ""


def expanded(name: str, terms: Mapping[str, Any]) -> str:
    """Return the address that a name (term, or `prefix:rest`) has by a context; the name itself where it has none.

    Args:
        name: As a crate writes it.
        terms: One object with all terms, as `offline_context` returns it.
    """
    for _ in range(10):  # A term may be defined by others; a circle of them must end.
        term = terms.get(name)
        meaning = term.get("@id") if isinstance(term, dict) else term
        prefix, colon, rest = name.partition(":")
        if isinstance(meaning, str) and meaning != name:
            name = meaning
        elif colon and prefix in terms and not rest.startswith("//"):
            start = expanded(prefix, {key: value for key, value in terms.items() if key != name})
            return start + rest
        else:
            return name
    return name


def offline_context(found: Any, used: Container[str] | None = None) -> tuple[dict[str, Any], list[str]]:
    """Replace the addresses in a crate's `@context` by terms that ship with this tool. Nothing is downloaded.

    Args:
        found: The crate's `@context`: address, object, or list of both.
        used: Names that the crate uses; only these of RO-Crate's 3,000 terms are included, which saves a JSON-LD
            reader most of its time. None includes all.

    Returns:
        One object with all terms, and the addresses that do not ship with this tool.
    """
    merged: dict[str, Any] = {}
    unknown: list[str] = []
    for part in found if isinstance(found, list) else [found]:
        if isinstance(part, dict):
            merged |= {key: value for key, value in part.items() if _harmless(key, value)}
            unknown += [str(key) for key, value in part.items() if not _harmless(key, value)]
        elif isinstance(part, str) and part.startswith(RO_CRATE):
            merged = {**_used_terms(ro_crate_version(part), used), **merged}
        elif (further := further_terms(part)) is not None:
            merged |= further
        elif part == GIDE_CONTEXT:
            merged |= {**_used_terms("1.2", used), **GIDE_TERMS}
        elif part is not None:
            unknown.append(str(part))
    return merged, unknown


def _used_terms(version: str, used: Container[str] | None) -> dict[str, Any]:
    return {name: term for name, term in ro_crate_terms(version).items() if used is None or name in used}


def safe_context(found: Any) -> list[Any]:
    """Return the parts of a crate's `@context` that need no address but those whose terms ship with this tool."""
    return [
        {key: value for key, value in part.items() if _harmless(key, value)} if isinstance(part, dict) else part
        for part in (found if isinstance(found, list) else [found])
        if isinstance(part, dict) or not offline_context(part, ())[1]
    ]


def _harmless(key: str, value: Any) -> bool:
    """Return whether a term is safe: a reader would download the addresses of `@import` and of nested contexts."""
    return key != "@import" and not nested_contexts(value)


def nested_contexts(value: Any) -> list[Any]:
    """Return the contexts that a JSON value holds at any depth; `@import` counts, as it names one too."""
    found: list[Any] = []
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            found += [part[key] for key in _CONTEXTS if key in part]
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found


def without_contexts(value: Any) -> Any:
    """Return a copy of a JSON value without the contexts that it holds at any depth."""
    if isinstance(value, dict):
        return {key: without_contexts(part) for key, part in value.items() if key not in _CONTEXTS}
    return [without_contexts(part) for part in value] if isinstance(value, list) else value
