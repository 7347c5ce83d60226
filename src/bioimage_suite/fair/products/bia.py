"""The BioImage Archive's submission crate: attached, based on RO-Crate 1.1, with a table of its files.

The archive's validator (bia-ro-crate-validator 0.3.1) is the reference. What it asks beyond RO-Crate: each entity has
exactly one type of the archive's model, so that persons are `bia:Contributor` and organisations `bia:Affiliation`;
`license` and `propertyUrl` are strings; the descriptor's `conformsTo` and a dataset's `associatedSpecimen` are one
object; every reference leads to an entity of the graph.
"""

from typing import Any

from bioimage_suite.fair.crates.terms import BIA_PROFILE, BIA_TERMS, RO_CRATE_1_1, context
from bioimage_suite.fair.products.entities import (
    acquisition_id,
    analysis_id,
    articles,
    author_id,
    correlation_id,
    descriptor,
    graph,
    local_id,
    preparation_id,
    publisher,
    ref,
    refs,
)
from bioimage_suite.fair.products.run_provenance import RUN_PATH, WorkflowRun
from bioimage_suite.fair.products.study import (
    Acquisition,
    AnnotationSet,
    Biosample,
    Component,
    DepositedImage,
    ResultFile,
    Specimen,
    Study,
    grant_parts,
    sentences,
)
from bioimage_suite.fair.terms.json_ld import Entity
from bioimage_suite.fair.terms.ontology_terms import iri

FILE_LIST = "file_list.tsv"
UNASSIGNED = "unassigned"
_IMAGE, _ANNOTATION = "http://bia/Image", "http://bia/AnnotationData"
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
    "associated_protocol": "http://bia/associatedProtocol",
    "date_created": "http://schema.org/dateCreated",
}
_DATE = "acquisition.date"


def bia_crate(study: Study, accession: str = "", run: WorkflowRun | None = None) -> dict[str, Any]:
    """Return the crate of a submission.

    Args:
        study: Study with every field of `REQUIRED_FIELDS["bia"]`.
        accession: The archive's accession; until there is one, the crate says `unassigned`.
        run: The workflow run that made annotations and results: a dataset of its own with a protocol.
    """
    datasets = [_image_dataset(study, component) for component in study.components()]
    if study.annotations:
        datasets.append(_annotation_dataset(study.annotations))
    if study.results:
        datasets.append(_result_dataset(study))
    if run:
        datasets.append(_run_dataset(run))
    entities: list[Entity] = [
        *datasets,
        *_file_list(study),
        *(entity for sample in study.biosamples() for entity in _biosample(study, sample)),
        *_specimens(study),
        *(_acquisition(item) for item in study.acquisitions()),
        *_methods(study),
        *([_annotation_method(study.annotations)] if study.annotations else []),
        *([_run_protocol(run)] if run else []),
        *_people(study),
        *_references(study),
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
    texts = study.texts
    root: Entity = {
        "@id": "./",
        "@type": ["Dataset", "bia:Study"],
        "name": texts["title"],
        "description": texts["description"],
        "conformsTo": ref(BIA_PROFILE),
        "license": study.license_id,
        "datePublished": texts["release_date"],
        "accessionId": accession,
        "author": refs(author_id(study, index) for index in range(len(study.authors))),
        "hasPart": refs([*datasets, FILE_LIST]),
        "keywords": list(study.keywords),
    }
    more: Entity = {
        "acknowledgement": texts["acknowledgements"],
        "fundingStatement": texts["funding"],
        "genre": study.type.text if study.type else "",
        "publisher": ref(publisher(study)["@id"]) if texts["publisher"] else None,
        "seeAlso": [ref(texts["landing_page"])] if texts["landing_page"] else None,
        "relatedPublication": refs(entity["@id"] for entity in articles(study)),
        "funding": refs(_grant_id(text) for text in study.grants),
    }
    return root | {key: value for key, value in more.items() if value}


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
            person["memberOf"] = [ref(identifier)]
            entities.append(_organization(identifier, author.affiliation or author.ror))
        if author.email:
            person["email"] = author.email
        entities.append(person)
    return entities


def _organization(identifier: str, name: str) -> Entity:
    return {"@id": identifier, "@type": ["Organization", "bia:Affiliation"], "name": name}


def _grant_id(text: str) -> str:
    return local_id("grant", text)


def _references(study: Study) -> list[Entity]:
    """Return what the study refers to: publisher, landing page, publication, grants and funders."""
    texts = study.texts
    entities: list[Entity] = []
    if texts["publisher"]:
        website = {"website": texts["publisher_url"]} if texts["publisher_url"] else {}
        entities.append(_organization(publisher(study)["@id"], texts["publisher"]) | website)
    if texts["landing_page"]:
        page = {"@id": texts["landing_page"], "@type": "bia:ExternalReference", "description": "Landing page"}
        entities.append(page)
    for article in articles(study):
        doi = {"doi": texts["publication_doi"]} if texts["publication_doi"] else {}
        entities.append(article | {"@type": ["ScholarlyArticle", "bia:Publication"]} | doi)
    for text in study.grants:
        identifier, funder = grant_parts(text)
        grant: Entity = {"@id": _grant_id(text), "@type": ["Grant", "bia:Grant"], "identifier": identifier}
        if funder:
            grant["funder"] = [ref(local_id("funder", funder))]
            body = {"@id": local_id("funder", funder), "@type": ["Organization", "bia:FundingBody"], "name": funder}
            entities.append(body)
        entities.append(grant)
    return entities


def component_id(component: Component) -> str:
    """Return the id of a component's dataset, as in the file list."""
    return local_id("dataset", component.name) + "/"


def annotation_dataset_id(annotations: AnnotationSet) -> str:
    """Return the id of the annotations' dataset."""
    return local_id("annotations", annotations.title) + "/"


RESULT_DATASET = "#results/"
RUN_DATASET = "#workflow-run/"


def specimen_id(sample: Biosample, specimen: Specimen) -> str:
    """Return the id of a specimen, which in BIA's model is a biosample with one preparation."""
    return local_id("specimen", f"{sample.title} - {specimen.title}")


def _dataset(identifier: str, name: str, description: str, links: dict[str, list[dict[str, str]]]) -> Entity:
    entity: Entity = {"@id": identifier, "@type": ["Dataset", "bia:Dataset"], "name": name, "description": description}
    return entity | {key: targets for key, targets in links.items() if targets}


def _image_dataset(study: Study, component: Component) -> Entity:
    images = study.images_of_component[component]
    specimens = refs(specimen_id(image.biosample, image.specimen) for image in images)
    links = {
        "associatedBiologicalEntity": refs(local_id("biosample", image.biosample.title) for image in images),
        "associatedSpecimenImagingPreparationProtocol": refs(preparation_id(image.specimen) for image in images),
        "associatedImageAcquisitionProtocol": refs(acquisition_id(image.acquisition) for image in images),
        "associatedImageCorrelationMethod": refs(correlation_id(i.correlation) for i in images if i.correlation),
        "associatedImageAnalysisMethod": refs(analysis_id(image.analysis) for image in images if image.analysis),
        "associatedProtocol": refs(_processing_id(image.processing) for image in images if image.processing),
    }
    entity = _dataset(component_id(component), component.name, component.description, links)
    # The model has room for one specimen; where images have several, the file list names each image's.
    return entity | ({"associatedSpecimen": specimens[0]} if len(specimens) == 1 else {})


def _annotation_dataset(annotations: AnnotationSet) -> Entity:
    links = {"associatedAnnotationMethod": [ref(annotation_method_id(annotations))]}
    entity = _dataset(annotation_dataset_id(annotations), annotations.title, annotations.overview, links)
    more = {"version": annotations.version, "dateModified": annotations.version_time}
    return entity | {key: text for key, text in more.items() if text}


def _result_dataset(study: Study) -> Entity:
    links = {"associatedImageAnalysisMethod": refs(analysis_id(analysis) for analysis in study.analyses())}
    return _dataset(RESULT_DATASET, "Results", "Measurement tables, pictures and other results of the analysis", links)


RUN_PROTOCOL = "#workflow-run-protocol"


def _run_dataset(run: WorkflowRun) -> Entity:
    description = "Workflow Run Crate: the workflow, its settings, and what it read and made"
    return _dataset(RUN_DATASET, run.title, description, {"associatedProtocol": [ref(RUN_PROTOCOL)]})


def _run_protocol(run: WorkflowRun) -> Entity:
    description = sentences(
        f"The workflow {run.workflow_name}, as Galaxy ran it",
        ("Address", run.workflow_url),
        ("Started", run.start),
        ("Ended", run.end),
    )
    return {"@id": RUN_PROTOCOL, "@type": "bia:Protocol", "name": run.title, "description": description}


def annotation_method_id(annotations: AnnotationSet) -> str:
    """Return the id of the annotation method."""
    return local_id("annotation-method", annotations.title)


def _annotation_method(annotations: AnnotationSet) -> Entity:
    entity: Entity = {
        "@id": annotation_method_id(annotations),
        "@type": "bia:AnnotationMethod",
        "name": annotations.title,
        "description": annotations.method_description(),
        "methodType": list(annotations.types),
    }
    more = {
        "annotationCriteria": annotations.criteria,
        "annotationCoverage": annotations.coverage,
        "transformationDescription": annotations.about_all_files(lambda file: file.transformations),
        "spatialInformation": annotations.about_all_files(lambda file: file.spatial),
    }
    return entity | {key: text for key, text in more.items() if text}


def _biosample(study: Study, sample: Biosample) -> list[Entity]:
    entity: Entity = {
        "@id": local_id("biosample", sample.title),
        "@type": "bia:BioSample",
        "name": sample.title,
        "description": "; ".join(dict.fromkeys(filter(None, (sample.entity, sample.description)))),
        "organismClassification": refs(iri(term.id) for term in sample.organisms),
    }
    variables = {
        # The model has no place of its own for a cell line; it is a variable of the sample itself.
        "intrinsicVariableDescription": [*sample.intrinsic, *(f"Cell line: {line.text}" for line in sample.cell_lines)],
        "extrinsicVariableDescription": sample.extrinsic,
        "experimentalVariableDescription": sample.experimental,
    }
    entity |= {key: list(texts) for key, texts in variables.items() if texts}
    growths = dict.fromkeys(image.specimen for image in study.images_of_biosample[sample])
    grown = [specimen for specimen in growths if specimen.growth]
    protocols = [_growth(specimen) for specimen in grown]
    if len({protocol["@id"] for protocol in protocols}) == 1:
        entity["growthProtocol"] = ref(protocols[0]["@id"])
    taxa = [{"@id": iri(term.id), "@type": "bia:Taxon", "scientificName": term.label} for term in sample.organisms]
    return [entity, *protocols, *taxa]


def _growth(specimen: Specimen) -> Entity:
    identifier = local_id("growth", specimen.growth)
    return {"@id": identifier, "@type": "bia:Protocol", "name": "Growth protocol", "description": specimen.growth}


def _specimens(study: Study) -> list[Entity]:
    entities: list[Entity] = []
    for image in study.images:
        sample, specimen = image.biosample, image.specimen
        more = {"description": sentences(specimen.location, ("Experimental status", specimen.status))}
        entities.append(
            {
                "@id": specimen_id(sample, specimen),
                "@type": "bia:Specimen",
                "biologicalEntity": [ref(local_id("biosample", sample.title))],
                "imagingPreparationProtocol": [ref(preparation_id(specimen))],
                **{key: text for key, text in more.items() if text},
            }
        )
    return [*entities, *(entity for specimen in study.specimens() for entity in _preparation(specimen))]


def _preparation(specimen: Specimen) -> list[Entity]:
    """Return a preparation and the signal of each channel."""
    channels: list[Entity] = []
    # A contrast mechanism without channels is that of the one channel that there is.
    for number, (content, target) in enumerate(specimen.channels or ([("", "")] if specimen.contrast else []), 1):
        texts = {
            "signalContrastMechanismDescription": specimen.contrast,
            "channelContentDescription": content,
            "channelBiologicalEntity": target,
        }
        identifier = local_id("channel", f"{specimen.title} {number}")
        channel: Entity = {"@id": identifier, "@type": "bia:SignalChannel"}
        channels.append(channel | {key: text for key, text in texts.items() if text})
    protocol: Entity = {
        "@id": preparation_id(specimen),
        "@type": "bia:SpecimenImagingPreparationProtocol",
        "name": specimen.title,
        "description": sentences(specimen.preparation, ("Growth protocol", specimen.growth)),
    }
    if channels:
        protocol["signalChannelInformation"] = refs(channel["@id"] for channel in channels)
    return [protocol, *channels]


def _acquisition(acquisition: Acquisition) -> Entity:
    return {
        "@id": acquisition_id(acquisition),
        "@type": "bia:ImageAcquisitionProtocol",
        "name": acquisition.title,
        "description": acquisition.description(),
        "imagingInstrumentDescription": acquisition.instrument,
        "imagingMethodName": [term.label for term in acquisition.methods],
        "fbbiId": [iri(term.id) for term in acquisition.methods if term.id],
    }


def _processing_id(text: str) -> str:
    return local_id("processing", text)


def _methods(study: Study) -> list[Entity]:
    """Return the methods of image correlation, image analysis and image processing."""
    entities: list[Entity] = []
    for one in study.correlations():
        texts = {"fiducialsUsed": one.fiducials, "transformationMatrix": one.transformation}
        entity = {"@id": correlation_id(one), "@type": "bia:ImageCorrelationMethod", "name": one.title}
        entity["description"] = one.alignment or one.title
        entities.append(entity | {key: text for key, text in texts.items() if text})
    for analysis in study.analyses():
        description = sentences(analysis.overview, ("Data used", analysis.data_used)) or analysis.title
        entity = {"@id": analysis_id(analysis), "@type": "bia:ImageAnalysisMethod", "name": analysis.title}
        entity["description"] = description
        entities.append(entity | ({"featuresAnalysed": analysis.result_type} if analysis.result_type else {}))
    for text in study.processings():
        entity = {"@id": _processing_id(text), "@type": "bia:Protocol", "name": "Image processing"}
        entities.append(entity | {"description": text})
    return entities


def _columns(study: Study) -> dict[str, str]:
    """Return the columns of the file list; those of details and free keys have no meaning that the archive knows."""
    details = [detail.label for image in study.images for detail in image.details if detail.key != _DATE]
    free = [name for image in study.images for name in image.free_pairs(_COLUMNS)]
    return {**_COLUMNS, **dict.fromkeys((*details, *free), "")}


def _file_list(study: Study) -> list[Entity]:
    columns = [(local_id("column", name), name, url) for name, url in _columns(study).items()]
    return [
        {
            "@id": FILE_LIST,
            "@type": ["File", "bia:FileList", "csvw:Table"],
            "name": "File list",
            "encodingFormat": "text/tab-separated-values",
            "tableSchema": ref("#file-list-schema"),
        },
        {"@id": "#file-list-schema", "@type": "csvw:Schema", "column": refs(identifier for identifier, *_ in columns)},
        *(
            {
                "@id": identifier,
                "@type": "csvw:Column",
                "columnName": name,
                **({"propertyUrl": url} if url else {}),
            }
            for identifier, name, url in columns
        ),
    ]


def file_list_rows(study: Study, run: WorkflowRun | None = None) -> list[tuple[str, ...]]:
    """Return the rows of `file_list.tsv`, header first, one row per file."""
    columns = _columns(study)
    rows = [_image_row(image) for image in study.images]
    if study.annotations:
        dataset, method = annotation_dataset_id(study.annotations), annotation_method_id(study.annotations)
        for file in study.annotations.files:
            more = {"associated_annotation_method": method, "date_created": file.created}
            rows.append(_result_row(file, dataset, run) | {"type": _ANNOTATION} | more)
    rows += [_result_row(file, RESULT_DATASET, run) for file in study.results]
    if run:
        packed = ResultFile(run.title, RUN_PATH, run.source, run.size_bytes)
        rows.append(_result_row(packed, RUN_DATASET, None) | {"associated_protocol": RUN_PROTOCOL})
    return [tuple(columns), *(tuple(row.get(name, "") for name in columns) for row in rows)]


def _image_row(image: DepositedImage) -> dict[str, str]:
    details = {("date_created" if detail.key == _DATE else detail.label): detail.value for detail in image.details}
    return {
        **image.free_pairs(_COLUMNS),
        **details,
        "file_path": image.path,
        "dataset": component_id(image.component),
        "type": _IMAGE,
        # The size of an image that only a table names is unknown; 0 would be false.
        "size_in_bytes": str(image.size_bytes or ""),
        "label": image.name,
        "associated_specimen": specimen_id(image.biosample, image.specimen),
        "associated_protocol": _processing_id(image.processing) if image.processing else "",
    }


def _result_row(file: ResultFile, dataset: str, run: WorkflowRun | None) -> dict[str, str]:
    return {
        "file_path": file.path,
        "dataset": dataset,
        "size_in_bytes": str(file.size_bytes),
        "label": file.name,
        "associated_source_image": file.image,
        "associated_protocol": RUN_PROTOCOL if run and run.made(file) else "",
    }
