"""Text files of a deposition besides the crate: BioImage Archive file lists and PageTab, IDR study files."""

from collections.abc import Iterable, Sequence
from typing import Any

from bioimage_suite.core.texts import json_text
from bioimage_suite.fair.crates.study import Component, DepositedImage, ResultFile, Study
from bioimage_suite.fair.terms.licences import licence_at
from bioimage_suite.fair.terms.ontology_terms import Term
from bioimage_suite.tables.writer import tsv_text

_TERM_SOURCES = {
    "NCBITaxon": ("NCBITaxon", "http://purl.obolibrary.org/obo/"),
    "FBbi": ("Fbbi", "http://purl.obolibrary.org/obo/"),
}


def _columns(rows: Sequence[tuple[str, dict[str, str]]]) -> list[str]:
    """Return the attributes that vary between rows, the only ones the archive asks for, and the mandatory ones."""
    names = list(dict.fromkeys(name for _, attributes in rows for name in attributes))
    return [name for name in names if name == "source_image" or len({row.get(name, "") for _, row in rows}) > 1]


def image_list(images: Sequence[DepositedImage]) -> list[tuple[str, dict[str, str]]]:
    """Return path and attributes of each image of one component."""
    return [
        (
            image.path,
            {
                "Biosample": image.biosample.title,
                "Specimen": image.specimen.title,
                "Image acquisition": image.acquisition.title,
                **dict(image.other),
            },
        )
        for image in images
    ]


def annotation_list(files: Sequence[ResultFile]) -> list[tuple[str, dict[str, str]]]:
    """Return path and attributes of each annotation file; `source_image` is mandatory in these lists."""
    return [(file.path, {"source_image": file.image}) for file in files]


def file_list_tsv(rows: Sequence[tuple[str, dict[str, str]]]) -> str:
    """Format a BioImage Archive file list as TSV; its first header cell must be exactly `Files`."""
    columns = _columns(rows)
    return tsv_text([["Files", *columns], *([path, *(row.get(name, "") for name in columns)] for path, row in rows)])


def file_list_json(rows: Sequence[tuple[str, dict[str, str]]]) -> str:
    """Format a BioImage Archive file list as BioStudies' JSON."""
    columns = _columns(rows)
    document = [
        {"path": path, "attributes": [{"name": name, "value": row[name]} for name in columns if row.get(name)]}
        for path, row in rows
    ]
    return json_text(document)


def _attributes(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in pairs if value]


def _section(kind: str, *pairs: tuple[str, str], parts: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    section: dict[str, Any] = {"type": kind, "attributes": _attributes(*pairs)}
    return section | ({"subsections": list(parts)} if parts else {})


def pagetab(study: Study, lists: Sequence[tuple[str, str]], accession: str = "") -> dict[str, Any]:
    """Return the submission in BioStudies' PageTab format (template BioImages.v4).

    Args:
        study: Study with every field of `REQUIRED_FIELDS["bia"]`.
        lists: Name of each component (and of the annotations) with the path of its file list.
        accession: The archive's accession, or empty.
    """
    texts = study.texts
    paths = dict(lists)
    organizations = list(dict.fromkeys(author.affiliation for author in study.authors if author.affiliation))
    attributes = _attributes(("Title", texts["title"]), ("Description", texts["description"]))
    attributes += _attributes(*(("Keyword", keyword) for keyword in study.keywords))
    attributes.append(
        {
            "name": "License",
            "value": licence_at(study.license_id).bia,
            "valqual": [{"name": "url", "value": study.license_id}],
        }
    )
    attributes += _attributes(("Funding statement", texts["funding"]), ("Acknowledgements", texts["acknowledgements"]))
    section = {
        "type": "Study",
        "attributes": attributes,
        "subsections": [
            *_people(study, organizations),
            *_publication(study),
            *(_section("Funding", ("grant_id", grant)) for grant in study.grants),
            *_samples(study),
            *_components(study, paths),
        ],
    }
    head = _attributes(
        ("Title", texts["title"]),
        ("AttachTo", "BioImages"),
        ("Template", "BioImages.v4"),
        ("ReleaseDate", texts["release_date"]),
    )
    return {**({"accno": accession} if accession else {}), "attributes": head, "section": section}


def _people(study: Study, organizations: Sequence[str]) -> list[dict[str, Any]]:
    rors = {author.affiliation: author.ror for author in study.authors}
    sections = []
    for author in study.authors:
        pairs = (("Name", author.published_name), ("E-mail", author.email), ("ORCID", author.orcid.rpartition("/")[2]))
        section = _section("Author", *pairs)
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


def _samples(study: Study) -> list[dict[str, Any]]:
    sections = []
    for sample in study.biosamples():
        variables = [("Intrinsic variable", text) for text in sample.intrinsic]
        variables += [("Extrinsic variable", text) for text in sample.extrinsic]
        variables += [("Experimental variable", text) for text in sample.experimental]
        organisms = [
            _section("Organism", ("Scientific name", term.label), ("NCBI taxon ID", term.id.rpartition(":")[2]))
            for term in sample.organisms
        ]
        pairs = [("Title", sample.title), ("Biological entity", sample.entity), ("Description", sample.description)]
        sections.append(_section("Biosample", *pairs, *variables, parts=organisms))
    for specimen in study.specimens():
        pairs = [("Title", specimen.title), ("Sample preparation protocol", specimen.preparation)]
        sections.append(_section("Specimen", *pairs, ("Growth protocol", specimen.growth)))
    for acquisition in study.acquisitions():
        methods = [
            _section(
                "Imaging Method",
                ("Ontology Value", term.label),
                ("Ontology Name", "Biological Imaging Methods Ontology (FBbi)"),
                ("Ontology Term ID", term.id),
            )
            for term in acquisition.methods
        ]
        pairs = [("Title", acquisition.title), ("Imaging instrument", acquisition.instrument)]
        parameters = ("Image acquisition parameters", acquisition.parameters)
        sections.append(_section("Image acquisition", *pairs, parameters, parts=methods))
    return sections


def _components(study: Study, paths: dict[str, str]) -> list[dict[str, Any]]:
    sections = []
    for component in study.components():
        images = [image for image in study.images if image.component == component]
        used = dict.fromkeys((image.biosample.title, image.specimen.title, image.acquisition.title) for image in images)
        associations = [
            _section("Associations", ("Biosample", sample), ("Specimen", specimen), ("Image acquisition", acquisition))
            for sample, specimen, acquisition in used
        ]
        pairs = [("Name", component.name), ("Description", component.description), ("File List", paths[component.name])]
        sections.append(_section("Study Component", *pairs, parts=associations))
    if study.annotations:
        found = study.annotations
        pairs = [("Title", found.title), ("Annotation overview", found.overview)]
        pairs += [("Annotation type", kind) for kind in found.types]
        pairs += [("Annotation method", found.method), ("Annotation criteria", found.criteria)]
        pairs += [("Annotation coverage", found.coverage), ("File List", paths[found.title])]
        sections.append(_section("Annotations", *pairs))
    return sections


def pagetab_tsv(document: dict[str, Any]) -> str:
    """Format PageTab as tab-separated text: blocks with a blank line between them.

    A subsection names its parent by the parent's accession, so each section that has subsections gets one.
    """
    blocks = [[["Submission", document.get("accno", "")], *_attribute_rows(document["attributes"])]]
    counter = iter(range(1, 10**9))

    def add(section: dict[str, Any], parent: str) -> None:
        study = section["type"] == "Study"
        needs_one = section.get("subsections") and not study
        accession = section.get("accno") or (f"s{next(counter)}" if needs_one else "")
        head = [section["type"], accession, parent] if parent else [section["type"], accession]
        blocks.append([head, *_attribute_rows(section["attributes"])])
        for part in section.get("subsections", ()):
            add(part, "" if study else accession)

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


def _source(term: Term) -> str:
    return _TERM_SOURCES.get(term.id.partition(":")[0], (term.id.partition(":")[0], ""))[0]


def _accession(term: Term) -> str:
    return term.id.replace(":", "_")


def idr_study(study: Study, accession: str = "") -> str:
    """Return IDR's `idrNNNN-study.txt`: one key per line, followed by its values."""
    texts, authors = study.texts, study.authors
    organisms = study.organisms()
    surnames = [author.name.partition(",") for author in authors]
    rows: list[list[str]] = [
        ["Comment[IDR Study Accession]", accession],
        ["Study Title", texts["title"]],
        ["Study Type", texts["type"]],
        ["Study Description", texts["description"]],
        ["Study Key Words", *study.keywords],
        ["Study Organism", *(term.label for term in organisms)],
        ["Study Organism Term Source REF", *(_source(term) for term in organisms)],
        ["Study Organism Term Accession", *(_accession(term) for term in organisms)],
        ["Study Experiments Number", str(len(study.components()))],
        ["Study External URL", texts["landing_page"]],
        ["Study Public Release Date", texts["release_date"]],
        ["Study Publication Title", texts["publication_title"]],
        ["Study DOI", texts["publication_doi"]],
        ["Study License", licence_at(study.license_id).idr],
        ["Study License URL", study.license_id],
        ["Study Data Publisher", texts["publisher"]],
        ["Study Person Last Name", *(last.strip() for last, _, _ in surnames)],
        ["Study Person First Name", *(first.strip() for _, _, first in surnames)],
        ["Study Person Email", *(author.email for author in authors)],
        ["Study Person Address", *(author.affiliation for author in authors)],
        ["Study Person ORCID", *(author.orcid.rpartition("/")[2] for author in authors)],
        ["Term Source Name", *(name for name, _ in _TERM_SOURCES.values())],
        ["Term Source URI", *(uri for _, uri in _TERM_SOURCES.values())],
    ]
    experiments = (_experiment(study, *numbered) for numbered in enumerate(study.components(), 1))
    return tsv_text([*rows, *(row for experiment in experiments for row in experiment)])


def _experiment(study: Study, number: int, component: Component) -> list[list[str]]:
    methods = study.methods()
    return [
        ["Experiment Number", str(number)],
        ["Comment[IDR Experiment Name]", component.name],
        ["Experiment Description", component.description],
        ["Experiment Size", str(sum(image.component == component for image in study.images))],
        ["Experiment Imaging Method", *(term.label for term in methods)],
        ["Experiment Imaging Method Term Source REF", *(_source(term) for term in methods)],
        ["Experiment Imaging Method Term Accession", *(_accession(term) for term in methods)],
        ["Protocol Type", "growth protocol", "treatment protocol"],
    ]


def idr_library(study: Study) -> str:
    """Return IDR's `-library.txt` (screens: one row per well) or `-assays.txt` (otherwise: one row per image)."""
    others = list(dict.fromkeys(name for image in study.images for name, _ in image.other))
    screen = is_screen(study)
    front = ["Plate", "Well"] if screen else ["Image File"]
    rest = [name for name in others if name.casefold() not in {"plate", "well"}]
    header = ["Characteristics [Organism]", "Term Source 1 REF", "Term Source 1 Accession", "Channels"]
    rows: list[list[str]] = [[*front, *header, *rest]]
    for image in study.images:
        known = dict(image.other)
        folded = {name.casefold(): value for name, value in image.other}
        place = [folded.get("plate", ""), folded.get("well", "")] if screen else [image.path]
        organisms = image.biosample.organisms
        channels = "; ".join(":".join(filter(None, channel)) for channel in image.specimen.channels)
        row = [
            *place,
            ", ".join(term.label for term in organisms),
            ", ".join(_source(term) for term in organisms),
            ", ".join(_accession(term) for term in organisms),
            channels,
            *(known.get(name, "") for name in rest),
        ]
        rows.append(row)
    # A screen has one row per well, for any number of fields of view.
    return tsv_text(dict.fromkeys(map(tuple, rows)) if screen else rows)


def is_screen(study: Study) -> bool:
    """Return whether every image has a plate and a well."""
    return all({"plate", "well"} <= {name.casefold() for name, _ in image.other} for image in study.images)


def idr_file_paths(study: Study) -> str:
    """Return IDR's `-filePaths.tsv`: target dataset and path of each image."""
    return tsv_text([f"Dataset:name:{image.component.name}", image.path] for image in study.images)
