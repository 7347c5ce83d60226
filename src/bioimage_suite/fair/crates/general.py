"""An attached RO-Crate 1.2 that describes every file, for Zenodo and other general archives, and Zenodo's JSON."""

from typing import Any

from bioimage_suite.core.html import escaped, paragraph
from bioimage_suite.fair.crates.entities import (
    annotation_protocol,
    biosample,
    descriptor,
    file_entity,
    graph,
    lab_protocol,
    license_entity,
    path_id,
    ref,
    refs,
    result_entity,
)  # fmt: skip
from bioimage_suite.fair.crates.gide import described, root_dataset, scholarly_article
from bioimage_suite.fair.crates.run_provenance import WorkflowRun, run_entities
from bioimage_suite.fair.crates.study import DepositedImage, Study
from bioimage_suite.fair.crates.terms import GIDE_TERMS, RO_CRATE_1_2, context
from bioimage_suite.fair.terms.json_ld import Entity
from bioimage_suite.fair.terms.licences import licence_at


def general_crate(study: Study, run: WorkflowRun | None = None) -> dict[str, Any]:
    """Return the crate of a folder of images, annotations and results.

    Args:
        study: Study with every field of `REQUIRED_FIELDS["general"]`; its paths are relative to the folder.
        run: The workflow run that made the annotations and results.

    Returns:
        The document of `ro-crate-metadata.json`, whose root is `./`.
    """
    # A package says more of its licence than an address: RO-Crate asks for an entity.
    root = root_dataset(study, "./") | {"license": ref(study.license_id)}
    files = [_image(image) for image in study.images]
    extra: list[Entity] = []
    if study.annotations:
        protocol = annotation_protocol(study.annotations)
        kind = ", ".join(study.annotations.types)
        annotated = [result_entity(file, kind) for file in study.annotations.files]
        for entity in annotated:
            entity["measurementTechnique"] = ref(protocol["@id"])
        files += annotated
        extra.append(protocol)
    files += [result_entity(file) for file in study.results]
    if run:
        made = [*study.results, *(study.annotations.files if study.annotations else ())]
        entities, mentioned = run_entities(
            run, [path_id(i.path) for i in study.images], [path_id(f.path) for f in made]
        )
        files.append(entities[0])
        extra += entities[1:]
        root["mentions"] = ref(mentioned)
    root["hasPart"] = refs(entity["@id"] for entity in files)
    if study.texts["landing_page"]:
        root["url"] = study.texts["landing_page"]
    if study.texts["publication_title"] or study.texts["publication_doi"]:
        extra.append(scholarly_article(study))
        root["citation"] = ref(extra[-1]["@id"])
    entities = [descriptor([RO_CRATE_1_2], "./"), root, license_entity(study), *described(study), *extra, *files]
    return {"@context": context(RO_CRATE_1_2, GIDE_TERMS), "@graph": graph(entities)}


def _image(image: DepositedImage) -> Entity:
    entity = file_entity(image.name, image.path, image.size_bytes)
    if image.biosample.organisms or image.biosample.entity:
        entity["about"] = ref(biosample(image.biosample)["@id"])
    if image.acquisition.methods or image.acquisition.instrument:
        entity["measurementMethod"] = ref(lab_protocol(image.acquisition)["@id"])
    return entity


def zenodo_json(study: Study) -> dict[str, Any]:
    """Return Zenodo's deposit metadata (`.zenodo.json`); its description is HTML, so the text is escaped."""
    texts = study.texts
    creators = []
    for author in study.authors:
        creator = {"name": author.name}
        if author.affiliation:
            creator["affiliation"] = author.affiliation
        if author.orcid:
            creator["orcid"] = author.orcid.rpartition("/")[2]
        creators.append(creator)
    related = []
    if texts["publication_doi"]:
        related.append(
            {"identifier": texts["publication_doi"], "relation": "isSupplementTo", "resource_type": "publication"}
        )
    if texts["landing_page"]:
        related.append({"identifier": texts["landing_page"], "relation": "isDescribedBy", "resource_type": "dataset"})
    return {
        "upload_type": "dataset",
        "title": texts["title"],
        "creators": creators,
        "description": paragraph(texts["description"]).html,
        "access_right": "open",
        "license": licence_at(study.license_id).zenodo,
        "publication_date": texts["release_date"],
        "keywords": list(study.keywords),
        "related_identifiers": related,
        **({"notes": escaped(texts["acknowledgements"])} if texts["acknowledgements"] else {}),
    }
