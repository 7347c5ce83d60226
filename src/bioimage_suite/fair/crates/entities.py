"""Entities that more than one kind of crate has: people, organisations, organisms, methods, files."""

import mimetypes
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from bioimage_suite.fair.crates.study import Acquisition, AnnotationSet, Biosample, ResultFile, Study
from bioimage_suite.fair.terms.json_ld import DESCRIPTOR, Entity
from bioimage_suite.fair.terms.licences import licence_at
from bioimage_suite.fair.terms.ontology_terms import Term, iri

_MEDIA_TYPES = {
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".tsv": "text/tab-separated-values",
    ".tabular": "text/tab-separated-values",
    # A single-file OME-Zarr is a zip (RFC-9 of OME-Zarr).
    ".ozx": "application/zip",
}


def ref(identifier: str) -> dict[str, str]:
    """Return a reference to an entity."""
    return {"@id": identifier}


def refs(identifiers: Iterable[str]) -> list[dict[str, str]]:
    """Return references to entities, each once."""
    return [ref(identifier) for identifier in dict.fromkeys(identifiers)]


def local_id(kind: str, name: str) -> str:
    """Return a local id such as `#biosample-HeLa%20cells`; percent-encoded, as RO-Crate requires."""
    return f"#{kind}-{quote(name, safe='')}"


def path_id(path: str) -> str:
    """Return a file's id: its path, percent-encoded."""
    return quote(path, safe="/!$&'()*+,;=@-._~")


def descriptor(conforms_to: Sequence[str], root: str) -> Entity:
    """Return the metadata descriptor: the entity that names the root dataset and the profiles."""
    profiles = refs(conforms_to)
    return {
        "@id": DESCRIPTOR,
        "@type": "CreativeWork",
        "conformsTo": profiles[0] if len(profiles) == 1 else profiles,
        "about": ref(root),
    }


def author_id(study: Study, index: int) -> str:
    """Return an author's ORCID, or a local id if there is none."""
    author = study.authors[index]
    return author.orcid or local_id("person", author.name)


def people(study: Study) -> list[Entity]:
    """Return the entities of the authors and their organisations."""
    entities: list[Entity] = []
    for index, author in enumerate(study.authors):
        person: Entity = {"@id": author_id(study, index), "@type": "Person", "name": author.published_name}
        if author.affiliation or author.ror:
            identifier = author.ror or local_id("organization", author.affiliation)
            person["affiliation"] = ref(identifier)
            entities.append({"@id": identifier, "@type": "Organization", "name": author.affiliation or author.ror})
        if author.email:
            person["email"] = author.email
        entities.append(person)
    return entities


def publisher(study: Study) -> Entity:
    """Return the entity of the organisation that publishes the data."""
    name = study.texts["publisher"]
    identifier = study.texts["publisher_url"] or local_id("organization", name)
    entity: Entity = {"@id": identifier, "@type": "Organization", "name": name}
    return entity | ({"url": study.texts["publisher_url"]} if study.texts["publisher_url"] else {})


def license_entity(study: Study) -> Entity:
    """Return the entity of the licence, identified by its address."""
    return {"@id": study.license_id, "@type": "CreativeWork", "name": licence_at(study.license_id).name}


def taxon(term: Term) -> Entity:
    """Return the entity of an organism, identified by its NCBI Taxonomy address."""
    return {"@id": iri(term.id), "@type": "Taxon", "scientificName": term.label}


def defined_term(term: Term) -> Entity:
    """Return the entity of an ontology term, such as an imaging method of FBbi."""
    return {"@id": iri(term.id), "@type": "DefinedTerm", "name": term.label}


def biosample(sample: Biosample) -> Entity:
    """Return the entity of a biosample with links to its organisms; its variables are part of the description."""
    variables = (
        ("Intrinsic", sample.intrinsic),
        ("Extrinsic", sample.extrinsic),
        ("Experimental", sample.experimental),
    )
    parts = [sample.description or sample.entity or sample.title]
    parts += [f"{name} variables: {'; '.join(texts)}." for name, texts in variables if texts]
    entity: Entity = {
        "@id": local_id("biosample", sample.title),
        "@type": "BioSample",
        "name": sample.title,
        "description": " ".join(parts),
        "taxonomicRange": refs(iri(term.id) for term in sample.organisms),
    }
    if sample.cell_lines:
        entity["hasCellLine"] = [iri(term.id) if term.id else term.label for term in sample.cell_lines]
    return entity


def lab_protocol(acquisition: Acquisition) -> Entity:
    """Return the entity of an acquisition protocol with links to its imaging methods."""
    return {
        "@id": local_id("acquisition", acquisition.title),
        "@type": "LabProtocol",
        "name": acquisition.title,
        "description": acquisition.parameters or acquisition.instrument or acquisition.title,
        "labEquipment": acquisition.instrument,
        "measurementTechnique": refs(iri(term.id) for term in acquisition.methods),
    }


def annotation_protocol(annotations: AnnotationSet) -> Entity:
    """Return the entity of MIFA's description of the annotation method."""
    more = [
        f"{name}: {text}."
        for name, text in (
            ("Criteria", annotations.criteria),
            ("Coverage", annotations.coverage),
            ("Confidence", annotations.confidence),
        )
        if text
    ]
    return {
        "@id": local_id("annotation-method", annotations.title),
        "@type": "LabProtocol",
        "name": annotations.title,
        "description": " ".join([annotations.overview, f"Method: {annotations.method}.", *more]),
        "keywords": list(annotations.types),
    }


def file_entity(name: str, path: str, size_bytes: int) -> Entity:
    """Return the entity of a file of the package."""
    return {
        "@id": path_id(path),
        "@type": "File",
        "name": name,
        "contentSize": str(size_bytes),
        "encodingFormat": media_type(path),
    }


def media_type(path: str) -> str:
    """Return the media type for a path's suffix."""
    known = next((kind for ending, kind in _MEDIA_TYPES.items() if path.endswith(ending)), None)
    return known or mimetypes.guess_type(path)[0] or "application/octet-stream"


def result_entity(result: ResultFile, kind: str = "") -> Entity:
    """Return the entity of a result file, linked to the image that it was made from."""
    entity = file_entity(result.name, result.path, result.size_bytes)
    if kind:
        entity["additionalType"] = kind
    if result.image:
        entity["isBasedOn"] = ref(path_id(result.image))
    return entity


def graph(entities: Iterable[Entity]) -> list[Entity]:
    """Return the entities with each id once: several images share an organism or institution."""
    unique: dict[str, Entity] = {}
    for entity in entities:
        unique.setdefault(entity["@id"], entity)
    return list(unique.values())
