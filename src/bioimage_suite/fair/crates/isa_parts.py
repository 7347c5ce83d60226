"""Parts of an ISA crate: which entities are studies, assays, processes and so on, as rules of the profile ask for them.

An entity is a part by its type and by what refers to it: a Person counts that is a creator of a study, not one that
wrote a licence. Source: ISA RO-Crate profile (https://github.com/nfdi4plants/isa-ro-crate-profile).
"""

from typing import Any, NamedTuple

_SHAPES = "https://github.com/bioimage-suite-galaxy/shapes#"
_SCHEMA, _BIOSCHEMAS = "http://schema.org/", "https://bioschemas.org/"
_DATASETS = ("Root", "Study", "Assay")


class IsaPart(NamedTuple):
    """A kind of part: its name, the type of its entities, and who refers to them by which properties."""

    name: str
    type: str
    referred: dict[str, tuple[str, ...]]


# Each stands after those that refer to it.
_PARTS = (
    IsaPart("Process", "LabProcess", {"about": ("Study", "Assay")}),
    IsaPart("Data", "MediaObject", {"hasPart": ("Study", "Assay")}),
    IsaPart("Article", "ScholarlyArticle", {"citation": ("Root", "Study")}),
    IsaPart("Protocol", "LabProtocol", {"executesLabProtocol": ("Process",)}),
    IsaPart("Sample", "Sample", {"object": ("Process",), "result": ("Process",)}),
    IsaPart("Person", "Person", {"creator": _DATASETS, "author": ("Article",), "agent": ("Process",)}),
    IsaPart("Comment", "Comment", {"comment": (*_DATASETS, "Protocol", "Data", "Article")}),
    IsaPart(
        "Term",
        "DefinedTerm",
        {
            **dict.fromkeys(("measurementMethod", "measurementTechnique"), ("Assay",)),
            **dict.fromkeys(("intendedUse", "computationalTool", "labEquipment", "reagent"), ("Protocol",)),
            "jobTitle": ("Person",),
            "creativeWorkStatus": ("Article",),
        },
    ),
    IsaPart(
        "Value",
        "PropertyValue",
        {
            "variableMeasured": ("Assay",),
            "parameterValue": ("Process",),
            **dict.fromkeys(("computationalTool", "labEquipment", "reagent"), ("Protocol",)),
            "additionalProperty": ("Sample",),
            "identifier": ("Person", "Article"),
        },
    ),
)


def mark_parts(data: Any) -> None:
    """Give each part its class, which the shapes look for, in a graph of rdflib whose root has its class already."""
    from rdflib import RDF, Literal, URIRef

    _use_one_address(data)
    for kind in ("Study", "Assay"):
        for entity in list(data.subjects(URIRef(f"{_SCHEMA}additionalType"), Literal(kind))):
            if (entity, RDF.type, URIRef(f"{_SCHEMA}Dataset")) in data:
                data.add((entity, RDF.type, _part(kind)))
    for part in _PARTS:
        found = {
            target
            for key, holders in part.referred.items()
            for holder in holders
            for entity in data.subjects(RDF.type, _part(holder))
            for target in data.objects(entity, _own(key))
            if (target, RDF.type, _own(part.type)) in data
        }
        for entity in found:
            data.add((entity, RDF.type, _part(part.name)))


def _part(name: str) -> Any:
    """Return the class of a kind of part; the root's is that of all profiles."""
    return _own(name if name == "Root" else f"Isa{name}")


def _own(name: str) -> Any:
    from rdflib import URIRef

    return URIRef(f"{_SHAPES}{name}")


def _use_one_address(data: Any) -> None:
    """Add each type and property of schema.org and Bioschemas under one address: crates use several for the same."""
    from rdflib import RDF

    for subject, predicate, value in list(data):
        local = _local(str(predicate))
        if local:
            data.add((subject, _own(local), value))
        kind = _local(str(value)) if predicate == RDF.type else ""
        if kind:
            data.add((subject, predicate, _own(kind)))


def _local(address: str) -> str:
    known = address.startswith((_SCHEMA, _BIOSCHEMAS))
    return address.rpartition("/")[2].rpartition("#")[2] if known else ""
