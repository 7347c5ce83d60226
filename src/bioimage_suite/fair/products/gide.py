"""The detached GIDE crate: one JSON-LD file that describes a study for bioimage search engines.

Profile: GIDE search input RO-Crate profile v0.2 (gide-search, January 2026), on RO-Crate 1.2.
"""

from typing import Any

from bioimage_suite.fair.crates.terms import GIDE_PROFILE, GIDE_TERMS, RO_CRATE_1_2, context
from bioimage_suite.fair.products.entities import (
    annotation_protocol,
    articles,
    author_id,
    cell_lines,
    collection,
    defined_term,
    described_samples,
    descriptor,
    funding,
    graph,
    lab_protocols,
    people,
    publisher,
    ref,
    refs,
    taxon,
)
from bioimage_suite.fair.products.run_provenance import WorkflowRun, run_actions
from bioimage_suite.fair.products.study import Study
from bioimage_suite.fair.terms.json_ld import Entity
from bioimage_suite.fair.terms.ontology_terms import BYTES, FILE_COUNT, iri

_SIZES = (("#size-files", FILE_COUNT), ("#size-bytes", BYTES))


def gide_crate(study: Study, accession: str = "", run: WorkflowRun | None = None) -> dict[str, Any]:
    """Return the crate of a study by GIDE's profile.

    Args:
        study: Study with every field of `REQUIRED_FIELDS["gide"]`.
        accession: The archive's accession, or empty.
        run: The workflow run that made annotations and results; the crate, which has no files, names the workflow.

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
    if study.annotations:
        protocol = annotation_protocol(study.annotations)
        root["measurementMethod"].append(ref(protocol["@id"]))
        entities.append(protocol)
    if run:
        workflow, action = run_actions(study, run)
        # A crate without files cannot refer to them.
        entities += [workflow, {key: value for key, value in action.items() if key not in {"object", "result"}}]
        root["mentions"].append(ref(action["@id"]))
    head = descriptor([RO_CRATE_1_2, GIDE_PROFILE], landing_page)
    return {"@context": context(RO_CRATE_1_2, GIDE_TERMS), "@graph": graph([head, root, *entities])}


def root_dataset(study: Study, identifier: str) -> Entity:
    """Return the root dataset, common to all crates based on RO-Crate 1.2."""
    texts = study.texts
    root: Entity = {
        "@id": identifier,
        "@type": "Dataset",
        "name": texts["title"],
        "description": texts["description"],
        "datePublished": texts["release_date"],
        # The indexer of GIDE's search reads the licence as a string.
        "license": study.license_id,
        "author": refs(author_id(study, index) for index in range(len(study.authors))),
        **({"publisher": ref(publisher(study)["@id"])} if texts["publisher"] else {}),
    }
    linked = {
        "about": [*described_samples(study), *map(taxon, study.organisms()), *cell_lines(study)],
        "measurementMethod": [*lab_protocols(study), *map(defined_term, study.methods())],
        "funder": funding(study),
        "seeAlso": articles(study),
        "mentions": [collection(component) for component in study.components()],
    }
    root |= {key: refs(entity["@id"] for entity in entities) for key, entities in linked.items() if entities}
    plain = {"keywords": list(study.keywords), "creditText": texts["acknowledgements"]}
    if study.type:
        plain["genre"] = study.type.label
    return root | {key: value for key, value in plain.items() if value}


def described(study: Study) -> list[Entity]:
    """Return every entity that `root_dataset` refers to."""
    return [
        *people(study),
        *([publisher(study)] if study.texts["publisher"] else []),
        *map(taxon, study.organisms()),
        *cell_lines(study),
        *map(defined_term, study.methods()),
        *described_samples(study),
        *lab_protocols(study),
        *funding(study),
        *articles(study),
        *(collection(component) for component in study.components()),
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
