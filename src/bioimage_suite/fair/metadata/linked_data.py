"""Linked data about images: a JSON-LD document with an inline context.

Vocabularies: `ome` (the OME model of 2016-06 in the linked-data form https://ld.openmicroscopy.org/core/, names in
snake case), schema.org, Darwin Core for taxa and methods (as in the GIDE profile), Dublin Core for licences and parts.
It was not checked whether the `ome` addresses resolve; `VOCABULARIES` is the only place that has them.

An OMERO object is `<base>/<Type>/<id>`, as in omero-rdf, and what omero-rdf 0.7 says of images, containers, key-value
pairs and tags is said with its types and predicates too (`ome2016`, `ome_core`), so that graphs of both join and answer
the same questions. A node without an address gets a `urn:uuid:` derived from its
name (RFC 9562, version 5), so that the same input gives the same names.
"""

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioimage_suite.core.ome_xml import OME
from bioimage_suite.core.units import DEFAULT_LENGTH, DEFAULT_TIME
from bioimage_suite.fair.archives.http import web_link
from bioimage_suite.fair.metadata.containers import CONTAINER_KINDS, Container, collect_containers, parents_of
from bioimage_suite.fair.metadata.fields import find_field, is_field
from bioimage_suite.fair.metadata.image_facts import ImageFacts
from bioimage_suite.fair.metadata.table import (
    MetadataValue,
    images_of,
    is_metadata_table,
    is_shared,
    read_metadata_table,
)
from bioimage_suite.fair.metadata.value_checks import check_value
from bioimage_suite.fair.terms.licences import normal_licence
from bioimage_suite.fair.terms.ontology_terms import iri
from bioimage_suite.tables.key_value_dialects import TAG_NAMESPACE, KeyValue, read_key_values

SHACL_SHAPES = Path(__file__).resolve().parent / "shacl" / "linked_data.ttl"
"""SHACL shapes that every description meets."""
VOCABULARIES = {
    "ome": "https://ld.openmicroscopy.org/core/",
    "schema": "http://schema.org/",
    "dct": "http://purl.org/dc/terms/",
    "dwc": "http://rs.tdwg.org/dwc/terms/",
    "dwciri": "http://rs.tdwg.org/dwc/iri/",
    "obo": "http://purl.obolibrary.org/obo/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "ome2016": f"{OME}#",
    "ome_core": "http://www.openmicroscopy.org/rdf/2016-06/ome_core/",
}
_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?")
# OME's element and field: property of the node, type of its value.
_PIXELS = {
    **{f"Pixels.Size{axis}": (f"ome:size_{axis.lower()}", "xsd:integer") for axis in "XYZCT"},
    "Pixels.Type": ("ome:type", ""),
    "Pixels.DimensionOrder": ("ome:dimension_order", ""),
    **{f"Pixels.PhysicalSize{axis}": (f"ome:physical_size_{axis.lower()}", "xsd:decimal") for axis in "XYZ"},
    **{f"Pixels.PhysicalSize{axis}Unit": (f"ome:physical_size_{axis.lower()}_unit", "") for axis in "XYZ"},
    "Pixels.TimeIncrement": ("ome:time_increment", "xsd:decimal"),
    "Pixels.TimeIncrementUnit": ("ome:time_increment_unit", ""),
}
_OBJECTIVE = {
    "Objective.Manufacturer": ("ome:manufacturer", ""),
    "Objective.Model": ("ome:model", ""),
    "Objective.NominalMagnification": ("ome:nominal_magnification", "xsd:decimal"),
    "Objective.LensNA": ("ome:lens_na", "xsd:decimal"),
    "Objective.Immersion": ("ome:immersion", ""),
    "Objective.Correction": ("ome:correction", ""),
}
_DEFAULT_UNITS = {f"Pixels.PhysicalSize{axis}": DEFAULT_LENGTH for axis in "XYZ"} | {
    "Pixels.TimeIncrement": DEFAULT_TIME
}
# Columns of an object table that name a container, and its type in OME.
_CONTAINERS = {f"{kind.lower()}_id": kind for kind in ("Project", "Dataset", "Screen", "Plate", "Well")}


@dataclass(frozen=True)
class Property:
    """One key-value pair.

    Attributes:
        name: Key, as found.
        value: Value, as found.
        terms: (CURIE or address, label) of the value's ontology terms.
        namespace: OMERO's namespace of the pair, or empty.
        field: Machine name of the key's field, or empty.
    """

    name: str
    value: str
    terms: tuple[tuple[str, str], ...] = ()
    namespace: str = ""
    field: str = ""


@dataclass(frozen=True)
class Described:
    """An image with all its pairs, in order."""

    image: ImageFacts
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class Collection:
    """The collection of the images; texts may be empty."""

    name: str = ""
    address: str = ""
    licence: str = ""
    properties: tuple[Property, ...] = ()


def property_of_pair(key: str, value: str, namespace: str = "") -> Property:
    """Make a property from a raw pair; a value that is not in the vocabularies is kept, without a term."""
    field = None if namespace == TAG_NAMESPACE else find_field(key)
    parts = [part.strip() for part in value.split(";") if part.strip()] if field and field.many else [value]
    checked = [check_value(field, part) for part in parts] if field else []
    terms = tuple((found.term_id, found.value) for found in checked if found.term_id)
    return Property(key, value, terms, namespace, field.key if field else "")


def property_of_value(value: MetadataValue) -> Property:
    """Make a property from a row of the normalised metadata table."""
    terms = ((value.term_id, value.value),) if value.term_id else ()
    return Property(value.key, value.found, terms, value.namespace, value.field)


def join_properties(
    images: Iterable[ImageFacts], rows: Iterable[tuple[str, str, str, Property]]
) -> tuple[list[Described], tuple[Property, ...]]:
    """Collect the pairs of each image: its own first, then those of the metadata rows, in their order.

    Args:
        images: Images with their own key-value pairs.
        rows: (object type, id, name, property).

    Returns:
        The images, and the properties of the study (fields `study.*`), which belong to the collection. Other rows
        for all images (`*`) or those of a container are repeated for each image.
    """
    study: list[Property] = []
    shared: list[Property] = []
    held: dict[Container, list[Property]] = {}
    own: dict[str, list[Property]] = {}
    for kind, identifier, name, found in rows:
        if found.field.startswith("study."):
            study.append(found)
        elif is_shared(kind, name):
            shared.append(found)
        elif kind in CONTAINER_KINDS:
            held.setdefault((kind, identifier, name), []).append(found)
        else:
            own.setdefault(f"id:{identifier}" if identifier else name, []).append(found)
    containers = collect_containers(held)
    described = []
    for image in images:
        keys = ([f"id:{image.image_id}"] if image.image_id else []) + list(image.names())
        rows_of_image = [found for key in keys for found in own.get(key, ())]
        first = [property_of_pair(key, value) for key, value in image.key_values]
        inside = containers.of_image(parents_of(image, ((found.name, found.value) for found in rows_of_image)))
        of_containers = [found for container in reversed(inside) for found in held[container]]
        described.append(Described(image, tuple(dict.fromkeys((*first, *rows_of_image, *of_containers, *shared)))))
    return described, tuple(dict.fromkeys(study))


def pair_row(pair: KeyValue) -> tuple[str, str, str, Property]:
    """Convert a pair of any dialect to a row for `join_properties`."""
    return pair.target.kind, pair.target.id, pair.target.name, property_of_pair(pair.key, pair.value, pair.namespace)


def value_row(value: MetadataValue) -> tuple[str, str, str, Property]:
    """Convert a row of the normalised table to a row for `join_properties`."""
    return value.object_type, value.object_id, value.object_name, property_of_value(value)


def read_rows(path: Path, name: str) -> tuple[list[tuple[str, str, str, Property]], list[ImageFacts]]:
    """Read metadata from the normalised table, or key-value pairs of any dialect.

    Returns:
        (object type, id, name, property) of each pair, in the file's order; and the images that the file names.

    Raises:
        UserError: The file is not a table, or it is harmful.
    """
    if is_metadata_table(path):
        values = read_metadata_table(path, name)
        return [value_row(value) for value in values], images_of(values)
    reading = read_key_values(path, name, known=is_field)
    named = {
        (target.id, target.name): ImageFacts(target.name or f"Image {target.id}", target.id)
        for target, _ in reading.targets
        if target.kind == "image" and target.name != "*"
    }
    places = [
        (target.kind, target.id, target.name, property_of_pair(key, container))
        for target, _ in reading.targets
        for key, container in target.parents
    ]
    return [*map(pair_row, reading.pairs), *places], list(named.values())


def describe_images(
    images: Iterable[ImageFacts],
    rows: Iterable[tuple[str, str, str, Property]],
    collection: Collection,
    base: str = "",
) -> dict[str, Any]:
    """Describe images as JSON-LD.

    Args:
        images: The images.
        rows: Properties by object, as for `linked_data.join_properties`.
        collection: Collection of the images; the rows' `study.*` fields are added to it.
        base: Address of the OMERO server, or empty.
    """
    described, study = join_properties(images, rows)
    whole = Collection(collection.name, collection.address, collection.licence, (*collection.properties, *study))
    return linked_document(described, whole, base)


def linked_document(images: Sequence[Described], collection: Collection, base: str = "") -> dict[str, Any]:
    """Describe images as JSON-LD.

    Args:
        images: Images with their pairs in order.
        collection: Collection of the images.
        base: Address of the OMERO server, the prefix of its objects' addresses; if empty they get `urn:uuid:` names.

    Returns:
        `@context` and `@graph`: the collection, each image, then the taxa and methods that they refer to.
    """
    place = collection.address or _urn(f"collection {collection.name}")
    terms: dict[str, dict[str, Any]] = {}
    nodes = [_collection_node(collection, place, terms)]
    nodes += [_image_node(described, collection, place, base.rstrip("/"), terms) for described in images]
    context = {**VOCABULARIES, "schema:position": {"@type": "xsd:integer"}}
    return {"@context": context, "@graph": [*nodes, *(terms[key] for key in sorted(terms))]}


def _urn(text: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"https://github.com/bioimage-suite-galaxy/{text}").urn


def _collection_node(collection: Collection, place: str, terms: dict[str, dict[str, Any]]) -> dict[str, Any]:
    title = next((found.value for found in collection.properties if found.field == "study.title"), "")
    node = {"@id": place, "@type": "schema:Dataset", "schema:name": collection.name or title or "images"}
    return (
        node
        | _property_links(place, collection.properties, terms)
        | _licence(collection.licence, collection.properties)
    )


def _image_node(
    described: Described, collection: Collection, place: str, base: str, terms: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    image = described.image
    has_address = bool(base) and image.image_id.isdecimal()
    subject = f"{base}/Image/{image.image_id}" if has_address else _urn(f"image {place} {image.image_id} {image.name}")
    node: dict[str, Any] = {
        "@id": subject,
        "@type": ["ome:Image", "schema:ImageObject", "ome2016:Image"],
        "schema:name": image.name,
        "ome_core:Name": image.name,
        "schema:isPartOf": {"@id": place},
    }
    if image.image_id:
        node["schema:identifier"] = image.image_id
    if image.first("Image.AcquisitionDate"):
        node["ome:acquisition_date"] = image.first("Image.AcquisitionDate")
    parts = {
        "ome:pixels": _pixels_node(image, subject),
        "ome:objective": _fields_node(image, f"{subject}#objective", "ome:Objective", _OBJECTIVE),
    }
    node |= {key: part for key, part in parts.items() if part}
    if image.first("Instrument.Microscope"):
        node["ome:instrument"] = {
            "@id": f"{subject}#instrument",
            "@type": "ome:Instrument",
            "schema:name": image.first("Instrument.Microscope"),
        }
    if base:
        containers = [
            {
                "@id": f"{base}/{_CONTAINERS[found.name]}/{found.value}",
                "@type": [f"ome:{_CONTAINERS[found.name]}", f"ome2016:{_CONTAINERS[found.name]}"],
                "dct:hasPart": {"@id": subject},
            }
            for found in described.properties
            if found.name in _CONTAINERS and found.value.isdecimal()
        ]
        node |= {"dct:isPartOf": containers} if containers else {}
    annotations = _annotations(subject, described.properties)
    node |= {"dct:hasPart": annotations} if annotations else {}
    study = collection.properties
    return (
        node
        | _property_links(subject, described.properties, terms)
        | _licence(collection.licence, (*described.properties, *study))
    )


def _pixels_node(image: ImageFacts, subject: str) -> dict[str, Any]:
    node = _fields_node(image, f"{subject}#pixels", "ome:Pixels", _PIXELS)
    for field, unit in _DEFAULT_UNITS.items():
        if image.first(field):
            node.setdefault(_PIXELS[f"{field}Unit"][0], unit)
    channels = image.fields.get("Channel.Name")
    if channels and channels.values:
        node |= {"@id": f"{subject}#pixels", "@type": "ome:Pixels"}
        node["ome:channel"] = [
            {
                "@id": f"{subject}#channel-{number}",
                "@type": "ome:Channel",
                "schema:name": name,
                "schema:position": number,
            }
            for number, name in enumerate(channels.values)
        ]
    return node


def _fields_node(image: ImageFacts, subject: str, kind: str, fields: dict[str, tuple[str, str]]) -> dict[str, Any]:
    found = {
        name: _literal(image.first(field), datatype) for field, (name, datatype) in fields.items() if image.first(field)
    }
    return {"@id": subject, "@type": kind, **found} if found else {}


def _literal(text: str, datatype: str) -> Any:
    """Return a typed literal with all digits of the text: JSON numbers would become floating point."""
    if datatype == "xsd:integer" and text.isdecimal() and text.isascii():
        return {"@value": text, "@type": datatype}
    if datatype == "xsd:decimal" and _DECIMAL.fullmatch(text):
        # Turtle's short form of a decimal has a decimal point, so both forms get one.
        return {"@value": text if "." in text else f"{text}.0", "@type": datatype}
    if datatype == "xsd:decimal":
        return {"@value": text, "@type": "xsd:double"}
    return text


def _licence(given: str, properties: Iterable[Property]) -> dict[str, Any]:
    said = next((found for found in properties if found.field == "study.license"), None)
    text = given or (said.terms[0][0] if said and said.terms else said.value if said else "")
    address = web_link(normal_licence(text)) if text else ""
    return {"dct:license": {"@id": address} if address else text} if text else {}


def _property_links(subject: str, properties: Sequence[Property], terms: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the pairs of a node, in order, and links to the taxa and imaging methods among their values."""
    node: dict[str, Any] = {}
    tags = [found.value for found in properties if found.namespace == TAG_NAMESPACE]
    pairs = [found for found in properties if found.namespace != TAG_NAMESPACE]
    if tags:
        node["schema:keywords"] = tags
    if pairs:
        node["schema:additionalProperty"] = [
            _pair_node(_pair_id(subject, position), position, pair, terms) for position, pair in enumerate(pairs, 1)
        ]
    used = [identifier for pair in pairs for identifier, _ in pair.terms]
    about = [_reference(identifier) for identifier in dict.fromkeys(used) if identifier.startswith("NCBITaxon:")]
    methods = [_reference(identifier) for identifier in dict.fromkeys(used) if identifier.startswith("FBbi:")]
    return (
        node | ({"schema:about": about} if about else {}) | ({"dwciri:measurementMethod": methods} if methods else {})
    )


def _annotations(subject: str, properties: Sequence[Property]) -> list[dict[str, Any]]:
    """Return OMERO's annotations as omero-rdf has them: the pairs of each namespace as one map, and each tag."""
    maps: dict[str, list[str]] = {}
    for position, pair in enumerate((one for one in properties if one.namespace != TAG_NAMESPACE), 1):
        maps.setdefault(pair.namespace, []).append(_pair_id(subject, position))
    nodes: list[dict[str, Any]] = [
        {
            "@type": "ome2016:MapAnnotation",
            "ome_core:Map": [{"@id": pair} for pair in pairs],
            **({"ome_core:Namespace": namespace} if namespace else {}),
        }
        for namespace, pairs in maps.items()
    ]
    tags = [found.value for found in properties if found.namespace == TAG_NAMESPACE]
    nodes += [{"@type": "ome2016:TagAnnotation", "ome_core:Value": tag} for tag in tags]
    return [
        {"@id": f"{subject}#annotation-{number}", **node, "dct:isPartOf": {"@id": subject}}
        for number, node in enumerate(nodes, 1)
    ]


def _pair_id(subject: str, position: int) -> str:
    return f"{subject}#property-{position}"


def _pair_node(identifier: str, position: int, pair: Property, terms: dict[str, dict[str, Any]]) -> dict[str, Any]:
    node: dict[str, Any] = {
        "@id": identifier,
        "@type": "schema:PropertyValue",
        "schema:name": pair.name,
        "schema:value": pair.value,
        "schema:position": position,
        "ome_core:Key": pair.name,
        "ome_core:Value": pair.value,
    }
    known = [(term, label) for term, label in pair.terms if web_link(iri(term))]
    if known:
        node["schema:valueReference"] = [_reference(term) for term, _ in known]
    for term, label in known:
        terms.setdefault(iri(term), _term_node(term, label))
    if pair.field:
        node["schema:propertyID"] = pair.field
    if pair.namespace:
        node["ome:namespace"] = pair.namespace
    return node


def _reference(identifier: str) -> dict[str, str]:
    return {"@id": iri(identifier)}


def _term_node(identifier: str, label: str) -> dict[str, Any]:
    if identifier.startswith("NCBITaxon:"):
        return {"@id": iri(identifier), "@type": "schema:Taxon", "dwc:scientificName": label, "schema:name": label}
    return {"@id": iri(identifier), "@type": "schema:DefinedTerm", "schema:name": label}
