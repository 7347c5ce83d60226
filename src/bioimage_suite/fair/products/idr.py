"""Files of a submission to the Image Data Resource: study, library or assays, file paths or plates.

The keys of the study file are those that IDR's reader (`StudyParser` of IDR/idr-utils, August 2025) asks for and those
of IDR's templates (idr0000-lastname-example, March 2021), the columns of library and assays those of the templates. A
component whose images all have a plate and a well is a screen, every other one an experiment.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bioimage_suite.core.texts import one_line
from bioimage_suite.fair.products.entities import doi_address
from bioimage_suite.fair.products.study import Component, DepositedImage, Study, shared_details
from bioimage_suite.fair.terms.licences import licence_at
from bioimage_suite.fair.terms.ontology_terms import Term
from bioimage_suite.tables.formulas import spreadsheet_safe
from bioimage_suite.tables.writer import tsv_text

NO_ACCESSION = "idr0000"
_TERM_SOURCES = {
    "NCBITaxon": ("NCBITaxon", "http://purl.obolibrary.org/obo/"),
    "EFO": ("EFO", "http://www.ebi.ac.uk/efo/"),
    "FBbi": ("Fbbi", "http://purl.obolibrary.org/obo/"),
    "CLO": ("CLO", "http://purl.obolibrary.org/obo/"),
}
# Protocols of the templates with their terms of EFO; the third has one in screens only.
_PROTOCOLS = ("growth protocol", "treatment protocol", "image acquisition and feature extraction protocol")
_ANALYSIS_PROTOCOL = "data analysis protocol"
_PROTOCOL_TERMS = ("EFO_0003789", "EFO_0003969")


@dataclass(frozen=True)
class _Part:
    """A component in IDR's terms: its number, kind (`Screen` or `Experiment`) and the name of its folder."""

    component: Component
    images: tuple[DepositedImage, ...]
    number: int
    kind: str

    @property
    def folder(self) -> str:
        """Name such as `screenA`: the letters go through all components."""
        return self.kind.lower() + _letters(self.number)


def _letters(number: int) -> str:
    """Return A to Z, then AA, AB and so on, as spreadsheets name columns."""
    rest, last = divmod(number - 1, 26)
    return (_letters(rest) if rest else "") + chr(ord("A") + last)


def idr_files(study: Study, accession: str = "") -> dict[str, str]:
    """Return the files by path.

    Args:
        study: Study with every field of `REQUIRED_FIELDS["idr"]`.
        accession: IDR's accession such as `idr0123`; until there is one, the files say `idr0000`.
    """
    name = accession or NO_ACCESSION
    texts = {f"{name}-study.txt": idr_study(study, name)}
    for part in _parts(study):
        front = f"{part.folder}/{name}-{part.folder}"
        if part.kind == "Screen":
            texts[f"{front}-library.txt"] = idr_library(part.images)
            texts[f"{front}-plates.tsv"] = tsv_text((image.place()[0], image.path) for image in part.images)
        else:
            texts[f"{front}-assays.txt"] = idr_assays(study, part.images)
            target = f"Project:name:{study_name(study, name)}/{part.folder}/Dataset:name:{part.component.name}"
            texts[f"{front}-filePaths.tsv"] = tsv_text([target, image.path] for image in part.images)
    return texts


def _parts(study: Study) -> list[_Part]:
    parts = []
    for number, component in enumerate(study.components(), 1):
        images = study.images_of_component[component]
        screen = all(all(image.place()) for image in images)
        parts.append(_Part(component, images, number, "Screen" if screen else "Experiment"))
    return parts


def study_name(study: Study, accession: str) -> str:
    """Return IDR's name of a study: accession, surname of the first author, a word for the study.

    The word is the first keyword, else the last word of the title: `idr0062-blin-nuclearsegmentation`.
    """
    surname = study.authors[0].name.partition(",")[0] if study.authors else ""
    words = [*study.keywords[:1], *reversed(study.texts["title"].split())]
    return f"{accession}-{_slug(surname) or 'author'}-{next(filter(None, map(_slug, words)), 'study')}"


def _slug(text: str) -> str:
    """Return the letters and digits of a text, in lower case and without accents, as IDR's names have them."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain.lower())


def _source(term: Term) -> str:
    prefix = term.id.partition(":")[0] if ":" in term.id else ""
    return _TERM_SOURCES.get(prefix, (prefix, ""))[0]


def _accession(term: Term) -> str:
    return term.id.replace(":", "_") if ":" in term.id else ""


def _with_terms(key: str, terms: Sequence[Term]) -> list[list[str]]:
    """Return the rows of a key and of the terms behind its values."""
    return [
        [key, *(term.label for term in terms)],
        [f"{key} Term Source REF", *map(_source, terms)],
        [f"{key} Term Accession", *map(_accession, terms)],
    ]


def idr_study(study: Study, accession: str) -> str:
    """Return `idrNNNN-study.txt`: one key per line, followed by its values. A key without a value keeps its tab."""
    parts = _parts(study)
    rows = [
        *_study_rows(study, accession),
        *(
            [f"Study {kind}s Number", str(count)]
            for kind in ("Screen", "Experiment")
            if (count := sum(part.kind == kind for part in parts))
        ),
        ["Term Source Name", *(name for name, _ in _TERM_SOURCES.values())],
        ["Term Source URI", *(uri for _, uri in _TERM_SOURCES.values())],
    ]
    for part in parts:
        rows += [[], *_part_rows(study, part, accession)]
    return "".join(_line(row) for row in rows)


def _line(row: Sequence[str]) -> str:
    """Return a row as IDR's reader takes it: split at tabs, without quotes around values."""
    cells = [spreadsheet_safe(one_line(cell)) for cell in row]
    return "\t".join([*cells, ""] if len(cells) == 1 else cells) + "\n"


def _study_rows(study: Study, accession: str) -> list[list[str]]:
    texts, authors = study.texts, study.authors
    surnames = [author.name.partition(",") for author in authors]
    types = [study.type] if study.type else []
    return [
        ["Comment[IDR Study Accession]", accession],
        ["Study Title", texts["title"]],
        *_with_terms("Study Type", types),
        ["Study Description", texts["description"]],
        ["Study Key Words", *study.keywords],
        *_with_terms("Study Organism", study.organisms()),
        ["Study External URL", texts["landing_page"]],
        ["Study Public Release Date", texts["release_date"]],
        ["Study Publication Title", texts["publication_title"]],
        ["Study Author List", ", ".join(_citation_name(author.name) for author in authors)],
        ["Study DOI", doi_address(texts["publication_doi"]) if texts["publication_doi"] else ""],
        ["Study License", licence_at(study.license_id).idr],
        ["Study License URL", study.license_id],
        ["Study Data Publisher", texts["publisher"]],
        ["Study Person Last Name", *(last.strip() for last, _, _ in surnames)],
        ["Study Person First Name", *(first.strip() for _, _, first in surnames)],
        ["Study Person Email", *(author.email for author in authors)],
        ["Study Person Address", *(author.affiliation for author in authors)],
        ["Study Person ORCID", *(author.orcid.rpartition("/")[2] for author in authors)],
    ]


def _citation_name(name: str) -> str:
    """Return a name as IDR's author lists have it, which separate names by commas.

    >>> _citation_name("Doe, Jane"), _citation_name("Roe, Richard M."), _citation_name("Roe, John, Jr.")
    ('Doe J', 'Roe RM', 'Roe J Jr.')
    """
    last, first, *rest = [part.strip() for part in f"{name},".split(",")]
    return " ".join(filter(None, [last, "".join(part[0] for part in re.split(r"[\s-]+", first) if part), *rest]))


def _part_rows(study: Study, part: _Part, accession: str) -> list[list[str]]:
    kind, images = part.kind, part.images
    methods = list(dict.fromkeys(term for image in images for term in image.acquisition.methods))
    file = f"{accession}-{part.folder}-" + ("library.txt" if kind == "Screen" else "assays.txt")
    known = dict(shared_details(images))
    total = sum(image.size_bytes for image in images)
    size = ["5D Images: ", str(len(images)), "Average Image Dimension (XYZCT): ", known.get("Dimension extents", "")]
    if kind == "Screen":
        size = ["Plates: ", str(len({image.place()[0] for image in images})), *size]
    rows = [
        [f"{kind} Number", str(part.number)],
        [f"Comment[IDR {kind} Name]", f"{study_name(study, accession)}/{part.folder}"],
        [f"{kind} Description", part.component.description],
        [f"{kind} Size", *size, "Total Tb: ", f"{total / 1e12:.3g}" if all(i.size_bytes for i in images) else ""],
        [f"{kind} Sample Type", *_sample_types(images)],
        *_with_terms(f"{kind} Imaging Method", methods),
    ]
    if kind == "Screen":
        others = dict(pair for image in images for pair in image.other)
        rows += [["Screen Technology Type", others.get("Screen Technology Type", "")]]
        rows += [["Screen Type", others.get("Screen Type", "")]]
        rows += [["Library File Name", file], ["Library File Format", "tab-delimited text"]]
    else:
        rows += [["Experiment Assay File", file], ["Experiment Assay File Format", "tab-delimited text"]]
    rows += [[f"{kind} Comments", f"Name: {part.component.name}"]]
    return [*rows, *_protocol_rows(study, images), *_data_rows(study, images, known)]


def _sample_types(images: Iterable[DepositedImage]) -> list[str]:
    """Return IDR's sample types: a sample of a cell line is a `cell`; for others what the metadata say was imaged."""
    samples = dict.fromkeys(image.biosample for image in images)
    return list(dict.fromkeys("cell" if sample.cell_lines else sample.entity or sample.title for sample in samples))


def _protocol_rows(study: Study, images: Iterable[DepositedImage]) -> list[list[str]]:
    """Return the protocols, all texts of the metadata that tell how something was done."""
    found: dict[str, dict[str, None]] = {name: {} for name in (*_PROTOCOLS, _ANALYSIS_PROTOCOL)}
    growth, treatment, imaging, analysis = found.values()
    for image in images:
        growth[image.specimen.growth] = None
        treatment |= dict.fromkeys(image.biosample.extrinsic)
        acquisition = image.acquisition
        imaging |= dict.fromkeys((image.specimen.description(), acquisition.instrument, acquisition.description()))
        imaging[image.processing] = None
        if image.correlation:
            one = image.correlation
            imaging |= dict.fromkeys((one.alignment, one.fiducials, one.transformation))
        if image.analysis:
            analysis[image.analysis.description()] = None
    if study.annotations:
        analysis[study.annotations.method_description()] = None
    return [
        ["Protocol Name", *found],
        ["Protocol Type", *found],
        ["Protocol Type Term Source REF", *("EFO" for _ in _PROTOCOL_TERMS)],
        ["Protocol Type Term Accession", *_PROTOCOL_TERMS],
        ["Protocol Description", *("; ".join(filter(None, texts)) for texts in found.values())],
    ]


def _data_rows(study: Study, images: Sequence[DepositedImage], known: dict[str, str]) -> list[list[str]]:
    """Return how the raw images are, and the files that analysis and annotation made of them."""
    paths = {image.path for image in images}
    described = [(file, "") for file in study.results]
    if study.annotations:
        text = f"{study.annotations.title}: {study.annotations.description()}"
        described += [(file, text) for file in study.annotations.files]
    files = [(file.path, text) for file, text in described if not file.image or file.image in paths]
    raw = [f"{label}: {text}" for label, text in known.items() if label not in {"Format", "Dimension extents"}]
    rows = [["Raw Image Data Format", known.get("Format", "")], ["Raw Image Organization", "; ".join(raw)]]
    if files:
        rows.append(["Processed Data File Name", *(path for path, _ in files)])
        rows.append(["Processed Data File Description", *(text for _, text in files)])
    return rows


def _samples_columns(image: DepositedImage) -> list[tuple[str, str]]:
    """Return the columns that library and assays share. Their names repeat, so they are pairs."""
    sample = image.biosample
    pairs = [("Characteristics [Organism]", sample.organisms), ("Characteristics [Cell Line]", sample.cell_lines)]
    columns: list[tuple[str, str]] = []
    for number, (name, terms) in enumerate(pairs, 1):
        columns += [
            (name, ", ".join(term.label for term in terms)),
            (f"Term Source {number} REF", ", ".join(map(_source, terms))),
            (f"Term Source {number} Accession", ", ".join(map(_accession, terms))),
        ]
    return [
        *columns,
        ("Characteristics [Biological Entity]", sample.entity),
        ("Characteristics [Description]", sample.description),
        ("Characteristics [Intrinsic Variable]", "; ".join(sample.intrinsic)),
        ("Experimental Condition [Extrinsic Variable]", "; ".join(sample.extrinsic)),
        ("Experimental Condition [Experimental Variable]", "; ".join(sample.experimental)),
    ]


def idr_library(images: Sequence[DepositedImage]) -> str:
    """Return a screen's `-library.txt`: one row per well, for any number of fields of view."""
    wells: dict[tuple[str, str], list[DepositedImage]] = {}
    for image in images:
        wells.setdefault(image.place(), []).append(image)
    rows = []
    for (plate, well), fields in wells.items():
        first = fields[0]
        keys = [("Plate", plate), ("Well", well), *_samples_columns(first)]
        keys += [("Control Type", first.specimen.status), ("Channels", first.specimen.channel_texts())]
        rows.append([*keys, *(pair for pair in shared_details(fields) if pair[0].casefold() not in {"plate", "well"})])
    return _table(rows)


def idr_assays(study: Study, images: Sequence[DepositedImage]) -> str:
    """Return an experiment's `-assays.txt`: one row per image, in the columns of IDR's template."""
    made = [*study.results, *(study.annotations.files if study.annotations else ())]
    results: dict[str, list[str]] = {}
    for file in made:
        results.setdefault(file.image, []).append(file.path)
    rows = []
    for image in images:
        rows.append(
            [
                ("Source Name", image.biosample.title),
                *_samples_columns(image),
                *(("Protocol REF", name) for name in _PROTOCOLS),
                ("Assay Name", image.name),
                ("Dataset Name", image.component.name),
                ("Image File", image.path.rpartition("/")[2]),
                ("Comment [Image File Path]", image.path),
                ("Channels", image.specimen.channel_texts()),
                ("Control Type", image.specimen.status),
                ("Comment [Specimen]", image.specimen.title),
                ("Comment [Image Acquisition]", image.acquisition.title),
                *((f"Comment [{label}]", text) for label, text in shared_details([image])),
                ("Protocol REF", _ANALYSIS_PROTOCOL),
                ("Processed Data File", "; ".join(results.get(image.path, ()))),
            ]
        )
    return _table(rows)


def _table(rows: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Return rows of (column, text) as a table; a name may repeat within a row, and rows may lack columns."""
    numbered = [_numbered(row) for row in rows]
    header = list(dict.fromkeys(key for row in numbered for key in row))
    return tsv_text([[name for name, _ in header], *([row.get(key, "") for key in header] for row in numbered)])


def _numbered(row: Iterable[tuple[str, str]]) -> dict[tuple[str, int], str]:
    found: dict[tuple[str, int], str] = {}
    for name, text in row:
        found[name, sum(known == name for known, _ in found)] = text
    return found
