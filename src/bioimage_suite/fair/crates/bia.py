"""The BioImage Archive's submission crate: attached, based on RO-Crate 1.1, with a table of its files.

The archive's validator (bia-ro-crate-validator 0.3.1) is the reference. What it asks beyond RO-Crate: each entity has
exactly one type of the archive's model, so that persons are `bia:Contributor` and organisations `bia:Affiliation`;
`license` and `propertyUrl` are strings; the descriptor's `conformsTo` and a dataset's `associatedSpecimen` are one
object; every reference leads to an entity of the graph.
"""

from typing import Any

from bioimage_suite.fair.crates.entities import (
    author_id,
    descriptor,
    graph,
    local_id,
    ref,
    refs,
)
from bioimage_suite.fair.crates.study import Acquisition, AnnotationSet, Biosample, Component, Specimen, Study
from bioimage_suite.fair.crates.terms import BIA_PROFILE, BIA_TERMS, RO_CRATE_1_1, context
from bioimage_suite.fair.terms.json_ld import Entity
from bioimage_suite.fair.terms.ontology_terms import iri

FILE_LIST = "file_list.tsv"
UNASSIGNED = "unassigned"
# Columns of the file list and their meanings. The first three are required.
_COLUMNS = {
    "file_path": "http://bia/filePath",
    "dataset": "http://schema.org/isPartOf",
    "type": "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
    "size_in_bytes": "http://bia/sizeInBytes",
    "label": "http://schema.org/name",
    "associated_source_image": "http://bia/associatedSourceImage",
    "associated_specimen": "http://bia/associatedSubject",
    "associated_annotation_method": "http://bia/associatedAnnotationMethod",
}


def bia_crate(study: Study, accession: str = "") -> dict[str, Any]:
    """Return the crate of a submission.

    Args:
        study: Study with every field of `REQUIRED_FIELDS["bia"]`.
        accession: The archive's accession; until there is one, the crate says `unassigned`.
    """
    datasets = [_rembi_dataset(study, component) for component in study.components()]
    if study.annotations:
        datasets.append(_mifa_dataset(study.annotations))
    entities: list[Entity] = [
        *datasets,
        *_file_list(),
        *(entity for sample in study.biosamples() for entity in _biosample(sample)),
        *_specimens(study),
        *(_acquisition(item) for item in study.acquisitions()),
        *([_annotation_method(study.annotations)] if study.annotations else []),
        *_people(study),
    ]
    head = descriptor([RO_CRATE_1_1], "./")
    profile = {
        "@id": BIA_PROFILE,
        "@type": "CreativeWork",
        "name": "BioImage Archive submission profile",
        "version": "1.0",
    }
    root = _root(study, accession or UNASSIGNED, [entity["@id"] for entity in datasets])
    return {"@context": context(RO_CRATE_1_1, BIA_TERMS), "@graph": graph([head, root, profile, *entities])}


def _root(study: Study, accession: str, datasets: list[str]) -> Entity:
    root: Entity = {
        "@id": "./",
        "@type": ["Dataset", "bia:Study"],
        "name": study.texts["title"],
        "description": study.texts["description"],
        "conformsTo": ref(BIA_PROFILE),
        "license": study.license_id,
        "datePublished": study.texts["release_date"],
        "accessionId": accession,
        "author": refs(author_id(study, index) for index in range(len(study.authors))),
        "hasPart": refs([*datasets, FILE_LIST]),
        "keywords": list(study.keywords),
    }
    if study.texts["acknowledgements"]:
        root["acknowledgement"] = study.texts["acknowledgements"]
    return root


def _people(study: Study) -> list[Entity]:
    """Return the authors and their affiliations in the archive's model."""
    entities: list[Entity] = []
    for index, author in enumerate(study.authors):
        person: Entity = {
            "@id": author_id(study, index),
            "@type": ["Person", "bia:Contributor"],
            "name": author.published_name,
        }
        if author.affiliation or author.ror:
            identifier = author.ror or local_id("organization", author.affiliation)
            name = author.affiliation or author.ror
            person["memberOf"] = [ref(identifier)]
            entities.append({"@id": identifier, "@type": ["Organization", "bia:Affiliation"], "name": name})
        if author.email:
            person["email"] = author.email
        entities.append(person)
    return entities


def component_id(component: Component) -> str:
    """Return the id of a component's dataset, as in the file list."""
    return local_id("dataset", component.name) + "/"


def annotation_dataset_id(annotations: AnnotationSet) -> str:
    """Return the id of the annotations' dataset."""
    return local_id("annotations", annotations.title) + "/"


def specimen_id(sample: Biosample, specimen: Specimen) -> str:
    """Return the id of a specimen, which in BIA's model is a biosample with one preparation."""
    return local_id("specimen", f"{sample.title} - {specimen.title}")


def _rembi_dataset(study: Study, component: Component) -> Entity:
    images = [image for image in study.images if image.component == component]
    specimens = dict.fromkeys(specimen_id(image.biosample, image.specimen) for image in images)
    entity: Entity = {
        "@id": component_id(component),
        "@type": ["Dataset", "bia:Dataset"],
        "name": component.name,
        "description": component.description,
        "associatedBiologicalEntity": refs(local_id("biosample", image.biosample.title) for image in images),
        "associatedSpecimenImagingPreparationProtocol": refs(_preparation_id(image.specimen) for image in images),
        "associatedImageAcquisitionProtocol": refs(
            local_id("acquisition", image.acquisition.title) for image in images
        ),
    }
    # The model has room for one specimen; where images have several, the file list names each image's.
    return entity | ({"associatedSpecimen": ref(*specimens)} if len(specimens) == 1 else {})


def _mifa_dataset(annotations: AnnotationSet) -> Entity:
    return {
        "@id": annotation_dataset_id(annotations),
        "@type": ["Dataset", "bia:Dataset"],
        "name": annotations.title,
        "description": annotations.overview,
        "associatedAnnotationMethod": [ref(annotation_method_id(annotations))],
    }


def annotation_method_id(annotations: AnnotationSet) -> str:
    """Return the id of the annotation method."""
    return local_id("annotation-method", annotations.title)


def _annotation_method(annotations: AnnotationSet) -> Entity:
    entity: Entity = {
        "@id": annotation_method_id(annotations),
        "@type": "bia:AnnotationMethod",
        "name": annotations.title,
        "description": annotations.method,
        "methodType": list(annotations.types),
    }
    if annotations.criteria:
        entity["annotationCriteria"] = annotations.criteria
    if annotations.coverage:
        entity["annotationCoverage"] = annotations.coverage
    return entity


def _biosample(sample: Biosample) -> list[Entity]:
    entity: Entity = {
        "@id": local_id("biosample", sample.title),
        "@type": "bia:BioSample",
        "name": sample.title,
        "description": "; ".join(dict.fromkeys(filter(None, (sample.entity, sample.description)))),
        "organismClassification": refs(iri(term.id) for term in sample.organisms),
    }
    variables = {
        "intrinsicVariableDescription": sample.intrinsic,
        "extrinsicVariableDescription": sample.extrinsic,
        "experimentalVariableDescription": sample.experimental,
    }
    entity |= {key: list(texts) for key, texts in variables.items() if texts}
    taxa = [{"@id": iri(term.id), "@type": "bia:Taxon", "scientificName": term.label} for term in sample.organisms]
    return [entity, *taxa]


def _preparation_id(specimen: Specimen) -> str:
    return local_id("preparation", specimen.title)


def _specimens(study: Study) -> list[Entity]:
    entities: list[Entity] = []
    for image in study.images:
        sample, specimen = image.biosample, image.specimen
        entities.append(
            {
                "@id": specimen_id(sample, specimen),
                "@type": "bia:Specimen",
                "biologicalEntity": [ref(local_id("biosample", sample.title))],
                "imagingPreparationProtocol": [ref(_preparation_id(specimen))],
            }
        )
    for specimen in study.specimens():
        channels = "; ".join(" - ".join(filter(None, channel)) for channel in specimen.channels)
        more = [("Growth", specimen.growth), ("Signal", specimen.contrast), ("Channels", channels)]
        description = " ".join([specimen.preparation, *(f"{name}: {text}." for name, text in more if text)])
        protocol = {
            "@type": "bia:SpecimenImagingPreparationProtocol",
            "name": specimen.title,
            "description": description,
        }
        entities.append({"@id": _preparation_id(specimen), **protocol})
    return entities


def _acquisition_id(acquisition: Acquisition) -> str:
    return local_id("acquisition", acquisition.title)


def _acquisition(acquisition: Acquisition) -> Entity:
    return {
        "@id": _acquisition_id(acquisition),
        "@type": "bia:ImageAcquisitionProtocol",
        "name": acquisition.title,
        "description": acquisition.parameters,
        "imagingInstrumentDescription": acquisition.instrument,
        "imagingMethodName": [term.label for term in acquisition.methods],
        "fbbiId": [iri(term.id) for term in acquisition.methods],
    }


def _file_list() -> list[Entity]:
    columns = [f"#column-{name}" for name in _COLUMNS]
    return [
        {
            "@id": FILE_LIST,
            "@type": ["File", "bia:FileList", "csvw:Table"],
            "name": "File list",
            "encodingFormat": "text/tab-separated-values",
            "tableSchema": ref("#file-list-schema"),
        },
        {"@id": "#file-list-schema", "@type": "csvw:Schema", "column": refs(columns)},
        *(
            {"@id": identifier, "@type": "csvw:Column", "columnName": name, "propertyUrl": url}
            for identifier, (name, url) in zip(columns, _COLUMNS.items(), strict=True)
        ),
    ]


def file_list_rows(study: Study) -> list[tuple[str, ...]]:
    """Return the rows of `file_list.tsv`, header first, one row per file."""
    rows: list[tuple[str, ...]] = [tuple(_COLUMNS)]
    for image in study.images:
        specimen = specimen_id(image.biosample, image.specimen)
        dataset = component_id(image.component)
        # The size of an image that only a table names is unknown; 0 would be false.
        size = str(image.size_bytes or "")
        rows.append((image.path, dataset, "http://bia/Image", size, image.name, "", specimen, ""))
    if study.annotations:
        dataset, method = annotation_dataset_id(study.annotations), annotation_method_id(study.annotations)
        for file in study.annotations.files:
            size = str(file.size_bytes)
            rows.append((file.path, dataset, "http://bia/AnnotationData", size, file.name, file.image, "", method))
    return rows
