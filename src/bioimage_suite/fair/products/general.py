"""An attached RO-Crate 1.2 that describes every file, for Zenodo and other general archives."""

from collections.abc import Container, Iterable
from typing import Any

from bioimage_suite.fair.crates.terms import GIDE_TERMS, RO_CRATE_1_2, context
from bioimage_suite.fair.products.entities import (
    acquisition_id,
    analysis_id,
    annotation_protocol,
    articles,
    biosample,
    collection,
    correlation_id,
    descriptor,
    file_entity,
    graph,
    lab_protocols,
    license_entity,
    local_id,
    path_id,
    preparation_id,
    ref,
    refs,
    result_entity,
)
from bioimage_suite.fair.products.gide import described, root_dataset
from bioimage_suite.fair.products.run_provenance import WorkflowRun, run_actions, run_file
from bioimage_suite.fair.products.study import AnnotationSet, DepositedImage, Detail, Study, sentences
from bioimage_suite.fair.terms.json_ld import Entity
from bioimage_suite.fair.terms.ontology_terms import iri


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
    properties = _Properties()
    protocols = {entity["@id"] for entity in lab_protocols(study)}
    files = [_image(image, protocols, properties) for image in study.images]
    extra: list[Entity] = []
    if study.annotations:
        extra.append(annotation_protocol(study.annotations))
        files += _annotated(study.annotations, extra[0]["@id"])
    files += [result_entity(file) for file in study.results]
    if run:
        packed, *profiles = run_file(run)
        workflow, action = run_actions(study, run)
        files.append(packed)
        extra += [workflow, action | {"subjectOf": ref(packed["@id"])}, *profiles]
        root["mentions"].append(ref(action["@id"]))
    root["hasPart"] = refs(entity["@id"] for entity in files)
    if study.texts["landing_page"]:
        root["url"] = study.texts["landing_page"]
    if articles(study):
        root["citation"] = root.pop("seeAlso")
    parts = [collection(one) | {"hasPart": _paths(study.images_of_component[one])} for one in study.components()]
    entities = [descriptor([RO_CRATE_1_2], "./"), root, license_entity(study), *parts, *described(study), *extra]
    return {
        "@context": context(RO_CRATE_1_2, GIDE_TERMS),
        "@graph": graph([*entities, *properties.entities(), *files]),
    }


def _paths(images: Iterable[DepositedImage]) -> list[dict[str, str]]:
    return refs(path_id(image.path) for image in images)


class _Properties:
    """The PropertyValue entities of a crate: one for all images that share a value."""

    def __init__(self) -> None:
        self._entities: dict[str, Entity] = {}

    def refer(self, details: Iterable[Detail]) -> list[dict[str, str]]:
        """Return references to the entities of an image's details."""
        return [ref(self._entity(detail)["@id"]) for detail in details if detail.value]

    def entities(self) -> list[Entity]:
        """Return all entities that were referred to."""
        return list(self._entities.values())

    def _entity(self, detail: Detail) -> Entity:
        identifier = local_id(detail.key, detail.value)
        entity = self._entities.setdefault(
            identifier, {"@id": identifier, "@type": "PropertyValue", "name": detail.label, "value": detail.value}
        )
        if detail.unit:
            entity["unitCode"] = iri(detail.unit)
        return entity


def _image(image: DepositedImage, described_protocols: Container[str], properties: _Properties) -> Entity:
    entity = file_entity(image.name, image.path, image.size_bytes)
    if image.biosample.organisms or image.biosample.entity:
        entity["about"] = ref(biosample(image.biosample)["@id"])
    protocols = [preparation_id(image.specimen), acquisition_id(image.acquisition)]
    if image.correlation:
        protocols.append(correlation_id(image.correlation))
    if image.analysis:
        protocols.append(analysis_id(image.analysis))
    known = [protocol for protocol in protocols if protocol in described_protocols]
    if known:
        entity["measurementMethod"] = refs(known)
    processing = Detail("image.processing", "Processing method", image.processing)
    found = properties.refer([*image.details, processing, *(Detail(key, key, text) for key, text in image.other)])
    return entity | ({"additionalProperty": found} if found else {})


def _annotated(annotations: AnnotationSet, protocol: str) -> list[Entity]:
    """Return the entities of annotation files with what MIFA says of each."""
    entities = []
    for file in annotations.files:
        entity = result_entity(file, ", ".join(annotations.types)) | {"measurementTechnique": ref(protocol)}
        description = sentences("", ("Transformations", file.transformations), ("Spatial information", file.spatial))
        texts = {"description": description, "dateCreated": file.created, "version": annotations.version}
        entities.append(entity | {key: text for key, text in texts.items() if text})
    return entities
