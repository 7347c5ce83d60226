"""The detached GIDE crate: one JSON-LD file that describes a study for bioimage search engines.

Profile: GIDE search input RO-Crate profile v0.2 (gide-search, January 2026), on RO-Crate 1.2.
"""

from typing import Any

from bioimage_suite.fair.crates.entities import (
    author_id,
    biosample,
    defined_term,
    descriptor,
    graph,
    lab_protocol,
    people,
    publisher,
    ref,
    refs,
    taxon,
)
from bioimage_suite.fair.crates.study import Study
from bioimage_suite.fair.crates.terms import GIDE_PROFILE, GIDE_TERMS, RO_CRATE_1_2, context
from bioimage_suite.fair.terms.json_ld import Entity
from bioimage_suite.fair.terms.ontology_terms import BYTES, FILE_COUNT, iri

_SIZES = (("#size-files", FILE_COUNT), ("#size-bytes", BYTES))


def gide_crate(study: Study, accession: str = "") -> dict[str, Any]:
    """Return the crate of a study by GIDE's profile.

    Args:
        study: Study with every field of `REQUIRED_FIELDS["gide"]`.
        accession: The archive's accession, or empty.

    Returns:
        The document. The root repeats every organism and method of samples and protocols, as the profile's closure
        rule requires, because the search reads only the root.
    """
    landing_page = study.texts["landing_page"]
    root = root_dataset(study, landing_page)
    measured = sizes(study)
    entities = [*described(study), *measured]
    root["size"] = refs(entity["@id"] for entity in measured)
    if accession:
        root["identifier"] = accession
    if study.texts["publication_title"] or study.texts["publication_doi"]:
        article = scholarly_article(study)
        root["seeAlso"] = ref(article["@id"])
        entities.append(article)
    head = descriptor([RO_CRATE_1_2, GIDE_PROFILE], landing_page)
    return {"@context": context(RO_CRATE_1_2, GIDE_TERMS), "@graph": graph([head, root, *entities])}


def root_dataset(study: Study, identifier: str) -> Entity:
    """Return the root dataset, common to all crates based on RO-Crate 1.2."""
    organisms = [taxon(term)["@id"] for term in study.organisms()]
    methods = [defined_term(term)["@id"] for term in study.methods()]
    root: Entity = {
        "@id": identifier,
        "@type": "Dataset",
        "name": study.texts["title"],
        "description": study.texts["description"],
        "datePublished": study.texts["release_date"],
        # The indexer of GIDE's search reads the licence as a string.
        "license": study.license_id,
        "author": refs(author_id(study, index) for index in range(len(study.authors))),
    }
    if study.texts["publisher"]:
        root["publisher"] = ref(publisher(study)["@id"])
    samples = [biosample(sample)["@id"] for sample in study.biosamples() if sample.organisms or sample.entity]
    protocols = [lab_protocol(item)["@id"] for item in study.acquisitions() if item.methods or item.instrument]
    if samples or organisms:
        root["about"] = refs(samples + organisms)
    if protocols or methods:
        root["measurementMethod"] = refs(protocols + methods)
    if study.keywords:
        root["keywords"] = list(study.keywords)
    return root


def described(study: Study) -> list[Entity]:
    """Return every entity that `root_dataset` refers to."""
    return [
        *people(study),
        *([publisher(study)] if study.texts["publisher"] else []),
        *(taxon(term) for term in study.organisms()),
        *(defined_term(term) for term in study.methods()),
        *(biosample(sample) for sample in study.biosamples() if sample.organisms or sample.entity),
        *(lab_protocol(item) for item in study.acquisitions() if item.methods or item.instrument),
    ]


def sizes(study: Study) -> list[Entity]:
    """Return the number of files, and their total size unless a size is unknown (an image that only a table names)."""
    files = study.files()
    values = (len(files), sum(file.size_bytes for file in files) if all(file.size_bytes for file in files) else None)
    return [
        {
            "@id": identifier,
            "@type": "QuantitativeValue",
            "value": value,
            "unitCode": iri(unit.id),
            "unitText": unit.label,
        }
        for (identifier, unit), value in zip(_SIZES, values, strict=True)
        if value is not None
    ]


def scholarly_article(study: Study) -> Entity:
    """Return the entity of the publication, identified by its DOI if it has one."""
    doi = study.texts["publication_doi"]
    identifier = f"https://doi.org/{doi}" if doi else "#publication"
    return {"@id": identifier, "@type": "ScholarlyArticle", "name": study.texts["publication_title"] or identifier}
