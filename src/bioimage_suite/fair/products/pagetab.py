"""The BioImage Archive's submission in BioStudies' PageTab format, with a file list for each part (TSV and JSON).

The reference is the archive's own reader (ro-crate-ingest in BioImage-Archive/bia-integrator, May 2026): it asks for an
accession of every section, takes keywords from `Keywords`, and finds the source of an annotation in `Source Image`. The
names of sections and attributes are those of published submissions (template BioImages.v4).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bioimage_suite.core.texts import json_text
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
from bioimage_suite.fair.terms.licences import licence_at
from bioimage_suite.tables.writer import tsv_text

SOURCE_IMAGE = "Source Image"
# The associations of a study component say these for all its images; a list repeats them only where they differ.
_ASSOCIATED = ("Biosample", "Specimen", "Image acquisition")
# A file with its size (None: unknown, as of an image that only a table names) and its attributes.
ListedFile = tuple[str, int | None, dict[str, str]]


def pagetab_files(study: Study, accession: str = "", run: WorkflowRun | None = None) -> dict[str, str]:
    """Return PageTab and the file lists by path in the package.

    Args:
        study: Study with every field of `REQUIRED_FIELDS["bia"]`.
        accession: The archive's accession, or empty.
        run: The workflow run that made annotations and results; its crate is listed with the results.
    """
    if run:
        study = replace(study, results=(*study.results, ResultFile(run.title, RUN_PATH, run.source, run.size_bytes)))
    lists = {
        f"file_lists/component_{number}": image_list(study.images_of_component[component])
        for number, component in enumerate(study.components(), 1)
    }
    if study.annotations:
        lists["file_lists/annotations"] = annotation_list(study.annotations)
    if study.results:
        lists["file_lists/results"] = [
            (file.path, file.size_bytes, {SOURCE_IMAGE: file.image} if file.image else {}) for file in study.results
        ]
    texts: dict[str, str] = {}
    for path, rows in lists.items():
        texts |= {f"{path}.tsv": file_list_tsv(rows), f"{path}.json": file_list_json(rows)}
    texts["pagetab.json"] = json_text(pagetab(study, "json", accession))
    texts["pagetab.tsv"] = pagetab_tsv(pagetab(study, "tsv", accession))
    return texts


def image_list(images: Sequence[DepositedImage]) -> list[ListedFile]:
    """Return the images of one component with the attributes of each; what all share is said in the sections too."""
    return [
        (
            image.path,
            image.size_bytes or None,
            {
                "Biosample": image.biosample.title,
                "Specimen": image.specimen.title,
                "Image acquisition": image.acquisition.title,
                **({"Processing method": image.processing} if image.processing else {}),
                **{detail.label: detail.value for detail in image.details},
                **image.free_pairs((*_ASSOCIATED, "Processing method")),
            },
        )
        for image in images
    ]


def annotation_list(annotations: AnnotationSet) -> list[ListedFile]:
    """Return the annotation files; the source image is mandatory in these lists."""
    rows: list[ListedFile] = []
    for file in annotations.files:
        more = {
            "Transformations": file.transformations,
            "Spatial information": file.spatial,
            "Annotation creation time": file.created,
        }
        attributes = {SOURCE_IMAGE: file.image, **{name: text for name, text in more.items() if text}}
        rows.append((file.path, file.size_bytes, attributes))
    return rows


def _columns(rows: Sequence[ListedFile]) -> list[str]:
    names = dict.fromkeys(name for *_, attributes in rows for name in attributes)
    return [name for name in names if name not in _ASSOCIATED or len({row.get(name, "") for *_, row in rows}) > 1]


def file_list_tsv(rows: Sequence[ListedFile]) -> str:
    """Format a file list as TSV; its first header cell must be exactly `Files`."""
    columns = _columns(rows)
    return tsv_text([["Files", *columns], *([path, *(row.get(name, "") for name in columns)] for path, _, row in rows)])


def file_list_json(rows: Sequence[ListedFile]) -> str:
    """Format a file list as BioStudies' JSON; a size that nobody knows is left out."""
    columns = _columns(rows)
    return json_text(
        [
            {
                "path": path,
                **({} if size is None else {"size": size}),
                "type": "file",
                "attributes": [{"name": name, "value": row[name]} for name in columns if row.get(name)],
            }
            for path, size, row in rows
        ]
    )


def _attributes(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in pairs if value]


def _section(kind: str, *pairs: tuple[str, str], parts: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    section: dict[str, Any] = {"type": kind, "attributes": _attributes(*pairs)}
    return section | ({"subsections": list(parts)} if parts else {})


def pagetab(study: Study, lists: str, accession: str = "") -> dict[str, Any]:
    """Return the submission as PageTab's JSON, with an accession in every section.

    Args:
        study: The study.
        lists: Ending of the file lists that it names, `json` or `tsv`.
        accession: The archive's accession, or empty.
    """
    texts = study.texts
    head = _attributes(
        ("Title", texts["title"]),
        ("AttachTo", "BioImages"),
        ("Template", "BioImages.v4"),
        ("ReleaseDate", texts["release_date"]),
    )
    section: dict[str, Any] = {
        "type": "Study",
        "attributes": _study_attributes(study),
        "subsections": [
            *_people(study),
            *_publication(study),
            *_funding(study),
            *map(_biosample, study.biosamples()),
            *map(_specimen, study.specimens()),
            *map(_acquisition, study.acquisitions()),
            *_methods(study),
            *(
                _component(study, component, f"file_lists/component_{number}.{lists}")
                for number, component in enumerate(study.components(), 1)
            ),
            *([_annotations(study.annotations, f"file_lists/annotations.{lists}")] if study.annotations else []),
            *([_results(f"file_lists/results.{lists}")] if study.results else []),
        ],
    }
    if texts["landing_page"]:
        described = _attributes(("Description", "Landing page"))
        section["links"] = [{"url": texts["landing_page"], "attributes": described}]
    _number(section, Counter())
    return {**({"accno": accession} if accession else {}), "attributes": head, "section": section}


def _number(section: dict[str, Any], used: Counter[str]) -> None:
    """Give a section and its parts an accession: `Biosample-1`; the archive's reader makes ids of them."""
    if "accno" not in section:
        used[section["type"]] += 1
        section["accno"] = f"{section['type']}-{used[section['type']]}"
    for part in section.get("subsections", ()):
        _number(part, used)


def _study_attributes(study: Study) -> list[dict[str, Any]]:
    texts = study.texts
    licence = {
        "name": "License",
        "value": licence_at(study.license_id).bia,
        "valqual": [{"name": "url", "value": study.license_id}],
    }
    return [
        *_attributes(("Title", texts["title"]), ("Description", texts["description"])),
        *_attributes(("Study type", study.type.text if study.type else "")),
        *_attributes(*(("Keywords", keyword) for keyword in study.keywords)),
        licence,
        *_attributes(("Funding statement", texts["funding"]), ("Acknowledgements", texts["acknowledgements"])),
        *_attributes(("Publisher", texts["publisher"]), ("Publisher URL", texts["publisher_url"])),
    ]


def _people(study: Study) -> list[dict[str, Any]]:
    organizations = list(dict.fromkeys(author.affiliation for author in study.authors if author.affiliation))
    rors = {author.affiliation: author.ror for author in study.authors}
    sections = []
    for author in study.authors:
        orcid = author.orcid.rpartition("/")[2]
        section = _section("Author", ("Name", author.published_name), ("E-mail", author.email), ("ORCID", orcid))
        if author.affiliation:
            number = organizations.index(author.affiliation) + 1
            section["attributes"].append({"name": "affiliation", "value": f"o{number}", "reference": True})
        sections.append(section)
    for number, name in enumerate(organizations, 1):
        sections.append({"accno": f"o{number}", **_section("organization", ("Name", name), ("RORID", rors[name]))})
    return sections


def _publication(study: Study) -> list[dict[str, Any]]:
    title, doi = study.texts["publication_title"], study.texts["publication_doi"]
    return [_section("Publication", ("Title", title), ("DOI", doi))] if title or doi else []


def _funding(study: Study) -> list[dict[str, Any]]:
    parts = map(grant_parts, study.grants)
    return [_section("Funding", ("Agency", funder), ("grant_id", identifier)) for identifier, funder in parts]


def _biosample(sample: Biosample) -> dict[str, Any]:
    # BioStudies' form has no place of its own for a cell line; it is a variable of the sample itself.
    intrinsic = [*sample.intrinsic, *(f"Cell line: {term.text}" for term in sample.cell_lines)]
    # One attribute each: the archive's reader refuses a sample that has two of a kind.
    variables = [
        ("Intrinsic variable", "; ".join(intrinsic)),
        ("Extrinsic variable", "; ".join(sample.extrinsic)),
        ("Experimental variable", "; ".join(sample.experimental)),
    ]
    organisms = [
        _section("Organism", ("Scientific name", term.label), ("NCBI taxon ID", term.id.rpartition(":")[2]))
        for term in sample.organisms
    ]
    # The archive's reader takes the entity only, not the description, nor criteria and coverage of annotations.
    entity = "; ".join(dict.fromkeys(filter(None, (sample.entity, sample.description))))
    pairs = [("Title", sample.title), ("Biological entity", entity), ("Description", sample.description)]
    return _section("Biosample", *pairs, *variables, parts=organisms)


def _specimen(specimen: Specimen) -> dict[str, Any]:
    # The archive's reader takes the preparation only, which therefore says all of it; people read the attributes.
    channels = [("Channel content", content) for content, _ in specimen.channels]
    channels += [("Channel biological entity", entity) for _, entity in specimen.channels]
    return _section(
        "Specimen",
        ("Title", specimen.title),
        ("Sample preparation protocol", specimen.description()),
        ("Growth protocol", specimen.growth),
        ("Experimental status", specimen.status),
        ("Location within biosample", specimen.location),
        ("Signal or contrast mechanism", specimen.contrast),
        *channels,
    )


def _acquisition(acquisition: Acquisition) -> dict[str, Any]:
    methods = [
        _section(
            "Imaging Method",
            ("Ontology Value", term.label),
            ("Ontology Name", "Biological Imaging Methods Ontology (FBbi)" if term.id else ""),
            ("Ontology Term ID", term.id),
        )
        for term in acquisition.methods
    ]
    return _section(
        "Image acquisition",
        ("Title", acquisition.title),
        ("Imaging instrument", acquisition.instrument),
        ("Image acquisition parameters", acquisition.description()),
        parts=methods,
    )


def _methods(study: Study) -> list[dict[str, Any]]:
    """Return image correlation, image analysis, and image processing (a section Protocol, named by its accession)."""
    correlations = [
        _section(
            "Image correlation",
            ("Title", one.title),
            ("Spatial and temporal alignment", one.alignment),
            ("Fiducials used", one.fiducials),
            ("Transformation matrix", one.transformation),
        )
        for one in study.correlations()
    ]
    analyses = [
        _section("Image analysis", ("Title", one.title), ("Image analysis overview", one.description()))
        for one in study.analyses()
    ]
    processing = [
        _section("Protocol", ("Title", "Image processing"), ("Description", text)) for text in study.processings()
    ]
    return [*correlations, *analyses, *processing]


def _component(study: Study, component: Component, file_list: str) -> dict[str, Any]:
    pairs = [("Name", component.name), ("Description", component.description)]
    used = dict.fromkeys(
        (
            image.biosample.title,
            image.specimen.title,
            image.acquisition.title,
            image.correlation.title if image.correlation else "",
            image.analysis.title if image.analysis else "",
        )
        for image in study.images_of_component[component]
    )
    names = ("Biosample", "Specimen", "Image acquisition", "Image correlation", "Image analysis")
    associations = [_section("Associations", *zip(names, titles, strict=True)) for titles in used]
    return _section("Study Component", *pairs, ("File List", file_list), parts=associations)


def _annotations(found: AnnotationSet, file_list: str) -> dict[str, Any]:
    read = (("Criteria", found.criteria), ("Coverage", found.coverage))
    return _section(
        "Annotations",
        ("Title", found.title),
        ("Annotation overview", found.overview),
        *(("Annotation type", kind) for kind in found.types),
        ("Annotation method", sentences(found.method_description(), *read)),
        ("Annotation criteria", found.criteria),
        ("Annotation coverage", found.coverage),
        ("Annotation confidence level", found.confidence),
        *(("Annotation author", name) for name in found.annotators),
        *(("AI models trained", name) for name in found.models),
        ("Annotation version", found.version),
        ("Version timestamp", found.version_time),
        ("Changes", found.changes),
        ("File List", file_list),
    )


def _results(file_list: str) -> dict[str, Any]:
    """Return the part of the study that holds measurement tables and pictures."""
    description = (
        "Description",
        "Measurement tables, pictures, workflow run and other results of the analysis",
    )
    return _section("Study Component", ("Name", "Results"), description, ("File List", file_list))


def pagetab_tsv(document: dict[str, Any]) -> str:
    """Format PageTab as tab-separated text: blocks with a blank line between them.

    The first row of a block is type, accession, accession of the parent section (none below the study itself).
    """
    blocks = [[["Submission", document.get("accno", "")], *_attribute_rows(document["attributes"])]]

    def add(section: dict[str, Any], parent: str) -> None:
        study = section["type"] == "Study"
        head = [section["type"], section["accno"], *([parent] if parent else [])]
        blocks.append([head, *_attribute_rows(section["attributes"])])
        blocks.extend(
            [["Link", link["url"]], *_attribute_rows(link["attributes"])] for link in section.get("links", ())
        )
        for part in section.get("subsections", ()):
            add(part, "" if study else section["accno"])

    add(document["section"], "")
    return "\n".join(tsv_text(block) for block in blocks)


def _attribute_rows(attributes: Iterable[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of attributes; `<name>` marks a reference, `[url]` qualifies the value above it."""
    rows = []
    for attribute in attributes:
        name = f"<{attribute['name']}>" if attribute.get("reference") else attribute["name"]
        rows.append([name, attribute["value"]])
        rows += [[f"[{qualifier['name']}]", qualifier["value"]] for qualifier in attribute.get("valqual", ())]
    return rows
