"""Entities that more than one kind of crate has: people, organisations, organisms, methods, files."""

import mimetypes
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import quote

from bioimage_suite.fair.products.study import (
    Acquisition,
    Analysis,
    AnnotationSet,
    Biosample,
    Component,
    Correlation,
    ResultFile,
    Specimen,
    Study,
    grant_parts,
    sentences,
    shared_details,
)
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
    return f"#{quote(kind, safe='')}-{quote(name, safe='')}"


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
    """Return an author's ORCID, or a local id if there is none: two authors of one name have two."""
    author = study.authors[index]
    before = sum(not other.orcid and other.name == author.name for other in study.authors[:index])
    return author.orcid or local_id("person", f"{author.name} {before + 1}" if before else author.name)


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


def term_id(term: Term) -> str:
    """Return a term's address; a local id for what no ontology has a term for, such as correlative microscopy."""
    return iri(term.id) if term.id else local_id("term", term.label)


def defined_term(term: Term) -> Entity:
    """Return the entity of an ontology term, such as an imaging method of FBbi."""
    return {"@id": term_id(term), "@type": "DefinedTerm", "name": term.label}


def cell_lines(study: Study) -> list[Entity]:
    """Return the entities of the cell lines that an ontology knows; a sample names the others itself."""
    return [defined_term(term) for term in study.cell_lines() if term.id]


def funding(study: Study) -> list[Entity]:
    """Return the grants, and the funding statement as one that has no identifier."""
    statement = study.texts["funding"]
    stated: list[Entity] = [{"@id": "#funding", "@type": "Grant", "name": statement}] if statement else []
    return [*map(_grant, study.grants), *stated]


def articles(study: Study) -> list[Entity]:
    """Return the publication, if there is one."""
    known = study.texts["publication_title"] or study.texts["publication_doi"]
    return [_scholarly_article(study)] if known else []


def collection(component: Component) -> Entity:
    """Return the entity of a part of the study. A second Dataset would be a second study to GIDE's search."""
    entity: Entity = {"@id": local_id("component", component.name), "@type": "Collection", "name": component.name}
    return entity | ({"description": component.description} if component.description else {})


def described_samples(study: Study) -> list[Entity]:
    """Return the biosamples that the metadata say something of."""
    return [biosample(sample) for sample in study.biosamples() if sample.organisms or sample.entity]


def _grant(text: str) -> Entity:
    """Return the entity of a grant, named after its funder; GIDE's search shows that name."""
    identifier, funder = grant_parts(text)
    return {
        "@id": local_id("grant", text),
        "@type": "Grant",
        "name": funder or identifier,
        "identifier": identifier,
    }


def doi_address(doi: str) -> str:
    """Return the address of a DOI; older ones have signs that no address may have.

    >>> doi_address("10.1002/(SICI)1097-0258<1661::AID>3.0.CO;2-2")
    'https://doi.org/10.1002/(SICI)1097-0258%3C1661::AID%3E3.0.CO;2-2'
    """
    return "https://doi.org/" + quote(doi, safe="/!$&'()*+,;=:@-._~%")


def _scholarly_article(study: Study) -> Entity:
    """Return the entity of the publication, identified by its DOI if it has one."""
    doi = study.texts["publication_doi"]
    identifier = doi_address(doi) if doi else "#publication"
    return {"@id": identifier, "@type": "ScholarlyArticle", "name": study.texts["publication_title"] or identifier}


def biosample(sample: Biosample) -> Entity:
    """Return the entity of a biosample with links to its organisms; its variables are part of the description."""
    entity: Entity = {
        "@id": local_id("biosample", sample.title),
        "@type": "BioSample",
        "name": sample.title,
        "description": sentences(
            "; ".join(dict.fromkeys(filter(None, (sample.entity, sample.description)))) or sample.title,
            ("Intrinsic variables", "; ".join(sample.intrinsic)),
            ("Extrinsic variables", "; ".join(sample.extrinsic)),
            ("Experimental variables", "; ".join(sample.experimental)),
        ),
        "taxonomicRange": refs(iri(term.id) for term in sample.organisms),
    }
    if sample.cell_lines:
        entity["hasCellLine"] = [ref(iri(term.id)) if term.id else term.label for term in sample.cell_lines]
    return entity


def lab_protocols(study: Study) -> list[Entity]:
    """Return the protocols of a study: preparation, acquisition, correlation, analysis; those that say something."""
    return [
        *(_preparation(one) for one in study.specimens() if replace(one, title="") != _NO_SPECIMEN),
        *(_acquisition(study, one) for one in study.acquisitions() if one.methods or one.instrument or one.parameters),
        *(_correlation(one) for one in study.correlations()),
        *(_analysis(one) for one in study.analyses()),
    ]


def preparation_id(specimen: Specimen) -> str:
    """Return the id of a specimen's preparation."""
    return local_id("preparation", specimen.title)


def acquisition_id(acquisition: Acquisition) -> str:
    """Return the id of an acquisition."""
    return local_id("acquisition", acquisition.title)


def correlation_id(correlation: Correlation) -> str:
    """Return the id of a correlation."""
    return local_id("correlation", correlation.title)


def analysis_id(analysis: Analysis) -> str:
    """Return the id of an analysis."""
    return local_id("analysis", analysis.title)


_NO_SPECIMEN = Specimen("", "", "", "", ())


def _protocol(identifier: str, title: str, description: str) -> Entity:
    return {"@id": identifier, "@type": "LabProtocol", "name": title, "description": description or title}


def _preparation(specimen: Specimen) -> Entity:
    description = sentences(specimen.description(), ("Growth protocol", specimen.growth))
    return _protocol(preparation_id(specimen), specimen.title, description)


def _acquisition(study: Study, acquisition: Acquisition) -> Entity:
    """Return an acquisition; its description tells what its images have, as GIDE's own example does (voxel size)."""
    images = study.images_of_acquisition[acquisition]
    processing = "; ".join(dict.fromkeys(image.processing for image in images if image.processing))
    description = sentences(acquisition.description(), *shared_details(images), ("Processing method", processing))
    entity = _protocol(acquisition_id(acquisition), acquisition.title, description)
    if acquisition.instrument:
        entity["labEquipment"] = acquisition.instrument
    if acquisition.methods:
        entity["measurementTechnique"] = refs(map(term_id, acquisition.methods))
    return entity


def _correlation(correlation: Correlation) -> Entity:
    description = sentences(
        correlation.alignment,
        ("Fiducials used", correlation.fiducials),
        ("Transformation matrix", correlation.transformation),
    )
    return _protocol(correlation_id(correlation), correlation.title, description)


def _analysis(analysis: Analysis) -> Entity:
    return _protocol(analysis_id(analysis), analysis.title, analysis.description())


def annotation_protocol(annotations: AnnotationSet) -> Entity:
    """Return the entity of MIFA's description of the annotation method and of its version."""
    description = sentences(annotations.description(), ("Method", annotations.method_description()))
    entity = _protocol(local_id("annotation-method", annotations.title), annotations.title, description)
    entity["keywords"] = list(annotations.types)
    if annotations.version:
        entity["version"] = annotations.version
    if annotations.version_time:
        entity["dateModified"] = annotations.version_time
    return entity


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
