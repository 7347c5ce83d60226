"""An Annotated Research Context (ARC): a study as ISA investigation, study and assays, in workbooks, with its files.

Investigation: title, contacts, publication. Study `samples`: biosamples become specimens. Assay `imaging`: specimens
become images. Assay `annotation`: images become annotations (MIFA). Every table is an ISA annotation table, which ends
in its output. Source: ARC specification 2.0 and ISA-XLSX 2.0 (https://github.com/nfdi4plants/ARC-specification).
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bioimage_suite.fair.products.study import (
    AnnotationSet,
    Biosample,
    DepositedImage,
    ResultFile,
    Specimen,
    Study,
    sentences,
)
from bioimage_suite.fair.terms.ontology_terms import Term, iri, ontology_file
from bioimage_suite.tables.workbooks import workbook_bytes, write_text_rows

INVESTIGATION = "isa.investigation.xlsx"
_STUDY, _IMAGING, _ANNOTATION = "samples", "imaging", "annotation"
# Brackets end the name of a column.
_UNBRACKETED = re.compile(r"[\[\]()]+")
_TERM = ("", " Term Accession Number", " Term Source REF")


class Book(NamedTuple):
    """A workbook: name and rows of its sheet of metadata, and an annotation table for each other sheet."""

    title: str
    rows: Sequence[list[str]]
    tables: dict[str, list["Column"]]


class Column(NamedTuple):
    """A column of an annotation table: header, the header's term, and a cell for each row: text or term.

    Beside a column whose header has a category, such as `Parameter [imaging method]`, stand the terms of its values.
    """

    header: str
    term: str
    cells: Sequence[str | Term | None]


def arc_workbooks(study: Study, accession: str = "") -> dict[str, bytes]:
    """Return the workbooks of the context by path.

    Args:
        study: Study with every field of `REQUIRED_FIELDS["arc"]`.
        accession: Identifier of the investigation; without one it is `investigation`.
    """
    assays = [_IMAGING, *([_ANNOTATION] if study.annotations else [])]
    parts = {
        f"studies/{_STUDY}/isa.study.xlsx": _study(study, assays),
        f"assays/{_IMAGING}/isa.assay.xlsx": _imaging(study),
        **({f"assays/{_ANNOTATION}/isa.assay.xlsx": _annotated(study, study.annotations)} if study.annotations else {}),
    }
    sources = sorted({source for part in parts.values() for source in _sources(part)})
    books = {INVESTIGATION: _investigation(study, accession or "investigation", sources), **parts}
    return {path: _workbook(book) for path, book in books.items()}


def arc_files(study: Study) -> dict[str, Path]:
    """Return the data files of the context by path; results of analysis lie in the folder of runs."""
    made = study.annotations.files if study.annotations else ()
    return {
        **{data_path(image): image.source for image in study.images if image.source},
        **{data_path(file, _ANNOTATION): file.source for file in made if file.source},
        **{f"runs/analysis/{_below(file.path)}": file.source for file in study.results if file.source},
    }


def data_path(file: DepositedImage | ResultFile, assay: str = _IMAGING) -> str:
    """Return the path of a data file in the context."""
    return f"assays/{assay}/dataset/{_below(file.path)}"


def _below(path: str) -> str:
    return str(PurePosixPath(*PurePosixPath(path).parts[1:]))


def _sources(book: Book) -> set[str]:
    """Return the names of the ontologies of a workbook's terms: those of headers, of values, of the assay's method."""
    used = {column.term.partition(":")[0] for table in book.tables.values() for column in table if any(column.cells)}
    cells = (cell for table in book.tables.values() for column in table for cell in column.cells)
    named = {text for row in book.rows if row[0].endswith("Term Source REF") for text in row[1:]}
    return (used | named | {_values(cell)[1] for cell in cells}) - {""}


def _investigation(study: Study, identifier: str, sources: Sequence[str]) -> Book:
    """Return the investigation. ISA wants every ontology declared that a table takes its terms from."""
    texts = study.texts
    contacts = [author.name.partition(",") for author in study.authors]
    rows = [
        ["ONTOLOGY SOURCE REFERENCE"],
        ["Term Source Name", *sources],
        ["Term Source File", *map(ontology_file, sources)],
        ["INVESTIGATION"],
        ["Investigation Identifier", identifier],
        ["Investigation Title", texts["title"]],
        ["Investigation Description", texts["description"]],
        ["Investigation Public Release Date", texts["release_date"]],
        *_comments(study),
        ["INVESTIGATION PUBLICATIONS"],
        ["Investigation Publication DOI", texts["publication_doi"]],
        ["Investigation Publication Title", texts["publication_title"]],
        ["INVESTIGATION CONTACTS"],
        ["Investigation Person Last Name", *(last.strip() for last, _, _ in contacts)],
        ["Investigation Person First Name", *(first.strip() for _, _, first in contacts)],
        ["Investigation Person Email", *(author.email for author in study.authors)],
        ["Investigation Person Affiliation", *(author.affiliation for author in study.authors)],
        ["Comment[ORCID]", *(author.orcid.rpartition("/")[2] for author in study.authors)],
        ["Comment[ROR]", *(author.ror for author in study.authors)],
    ]
    return Book("isa_investigation", rows, {})


def _comments(study: Study) -> list[list[str]]:
    """Return what ISA has no key for as comments on the investigation, each with one value."""
    texts = study.texts
    comments = {
        "Study Type": study.type.label if study.type else "",
        "Keywords": "; ".join(study.keywords),
        "License": study.license_id,
        "Landing Page": texts["landing_page"],
        "Publisher": texts["publisher"],
        "Publisher URL": texts["publisher_url"],
        "Funding": texts["funding"],
        "Grants": "; ".join(study.grants),
        "Acknowledgements": texts["acknowledgements"],
    }
    return [[f"Comment[{name}]", text] for name, text in comments.items() if text]


def _study(study: Study, assays: Sequence[str]) -> Book:
    rows = [
        ["STUDY"],
        ["Study Identifier", _STUDY],
        ["Study Title", study.texts["title"]],
        ["Study Description", study.texts["description"]],
        ["Study Public Release Date", study.texts["release_date"]],
        ["Study File Name", f"studies/{_STUDY}/isa.study.xlsx"],
        ["STUDY ASSAYS"],
        ["Study Assay Identifier", *assays],
        ["Study Assay File Name", *(f"assays/{assay}/isa.assay.xlsx" for assay in assays)],
    ]
    pairs = list(dict.fromkeys((image.biosample, image.specimen) for image in study.images))
    columns = [
        Column("Input [Source Name]", "", [sample.title for sample, _ in pairs]),
        *_columns("Characteristic [organism]", "OBI:0100026", [sample.organisms for sample, _ in pairs]),
        Column("Characteristic [biological entity]", "", [sample.entity for sample, _ in pairs]),
        Column("Characteristic [description]", "", [sample.description for sample, _ in pairs]),
        *_columns("Characteristic [cell line]", "CLO:0000031", [sample.cell_lines for sample, _ in pairs]),
        Column("Characteristic [intrinsic variable]", "", ["; ".join(sample.intrinsic) for sample, _ in pairs]),
        Column("Characteristic [extrinsic variable]", "", ["; ".join(sample.extrinsic) for sample, _ in pairs]),
        Column("Factor [experimental variable]", "", ["; ".join(sample.experimental) for sample, _ in pairs]),
        Column("Protocol REF", "", [specimen.title for _, specimen in pairs]),
        Column("Parameter [sample preparation]", "", [specimen.description() for _, specimen in pairs]),
        Column("Parameter [growth protocol]", "", [specimen.growth for _, specimen in pairs]),
        Column("Output [Sample Name]", "", [_sample(*pair) for pair in pairs]),
    ]
    return Book("isa_study", rows, {"preparation": columns})


def _sample(biosample: Biosample, specimen: Specimen) -> str:
    return f"{biosample.title}: {specimen.title}"


def _columns(header: str, term: str, cells: Sequence[Sequence[Term]]) -> list[Column]:
    """Return a column for the first term of each row, one for the second, and so on."""
    return [
        Column(header, term, [terms[place] if place < len(terms) else None for terms in cells])
        for place in range(max(map(len, cells)))
    ]


def _first(terms: Sequence[Term]) -> Term | None:
    return terms[0] if terms else None


def _correlation(image: DepositedImage) -> str:
    found = image.correlation
    if not found:
        return ""
    return sentences(found.alignment, ("Fiducials used", found.fiducials), ("Transformation", found.transformation))


# What an image's row says of the groups that it belongs to.
_PARTS: dict[str, Callable[[DepositedImage], str]] = {
    "study component": lambda image: image.component.name,
    "study component description": lambda image: image.component.description,
    "image processing": lambda image: image.processing,
    "image correlation": _correlation,
    "image analysis": lambda image: image.analysis.description() if image.analysis else "",
}


def _imaging(study: Study) -> Book:
    images, method = study.images, _first(study.methods())
    rows = _assay(_IMAGING, Term("", "imaging"), method)
    columns = [
        Column("Input [Sample Name]", "", [_sample(image.biosample, image.specimen) for image in images]),
        Column("Protocol REF", "", [image.acquisition.title for image in images]),
        *_columns("Parameter [imaging method]", "", [image.acquisition.methods for image in images]),
        Column("Component [imaging instrument]", "", [image.acquisition.instrument for image in images]),
        Column("Parameter [acquisition parameters]", "", [image.acquisition.description() for image in images]),
        *(
            Column(f"Parameter [{label}]", "", [_detail(image, label) for image in images])
            for label in dict.fromkeys(detail.label for image in images for detail in image.details)
        ),
        *(Column(f"Parameter [{name}]", "", [part(image) for image in images]) for name, part in _PARTS.items()),
        *(
            Column(f"Parameter [{_UNBRACKETED.sub(' ', key).strip()}]", "", [_others(image, key) for image in images])
            for key in dict.fromkeys(key for image in images for key, _ in image.other)
        ),
        Column("Output [Data]", "", [data_path(image) for image in images]),
    ]
    return Book("isa_assay", rows, {"acquisition": columns})


def _others(image: DepositedImage, key: str) -> str:
    return "; ".join(text for name, text in image.other if name == key)


def _detail(image: DepositedImage, label: str) -> str:
    return "; ".join(detail.value for detail in image.details if detail.label == label)


def _annotated(study: Study, annotations: AnnotationSet) -> Book:
    images = {image.path: data_path(image) for image in study.images}
    files = annotations.files
    texts = {
        "annotation type": "; ".join(annotations.types),
        "annotation method": annotations.method_description(),
        "annotation description": annotations.description(),
    }
    columns = [
        Column("Input [Data]", "", [images.get(file.image, "") for file in files]),
        Column("Protocol REF", "", [annotations.title] * len(files)),
        *(Column(f"Parameter [{name}]", "", [text] * len(files)) for name, text in texts.items()),
        Column("Output [Data]", "", [data_path(file, _ANNOTATION) for file in files]),
    ]
    return Book("isa_assay", _assay(_ANNOTATION, Term("", "annotation"), None), {"annotation": columns})


def _assay(identifier: str, measurement: Term, technology: Term | None) -> list[list[str]]:
    def described(name: str, term: Term | None) -> list[list[str]]:
        values = _values(term)
        return [[name + ending, values[place]] for ending, place in zip(_TERM, (0, 2, 1), strict=True)]

    return [
        ["ASSAY"],
        ["Assay Identifier", identifier],
        *described("Assay Measurement Type", measurement),
        *described("Assay Technology Type", technology),
        ["Assay File Name", f"assays/{identifier}/isa.assay.xlsx"],
        ["ASSAY PERFORMERS"],
    ]


def _values(value: str | Term | None) -> tuple[str, str, str]:
    """Return text, name of the ontology and address of a cell."""
    if value is None or isinstance(value, str):
        return value or "", "", ""
    return value.label, value.id.partition(":")[0], iri(value.id) if value.id else ""


def _workbook(content: Book) -> bytes:
    """Return a workbook with a sheet of metadata and a sheet for each annotation table."""
    import openpyxl
    from openpyxl.worksheet.table import Table

    book = openpyxl.Workbook()
    book.active.title = content.title
    write_text_rows(book.active, content.rows)
    for number, (name, columns) in enumerate(content.tables.items()):
        sheet = book.create_sheet(name)
        cells = _table_rows(columns)
        write_text_rows(sheet, cells)
        last = sheet.cell(len(cells), len(cells[0])).coordinate
        sheet.add_table(Table(displayName=f"annotationTable{number}", ref=f"A1:{last}"))
    return workbook_bytes(book)


def _table_rows(columns: Sequence[Column]) -> list[list[str]]:
    """Return header and rows of an annotation table; a column without any value is left out."""
    header: list[str] = []
    rows: list[list[str]] = [[] for _ in columns[0].cells]
    for column in columns:
        if not any(column.cells):
            continue
        categories = column.header.startswith(("Characteristic", "Parameter", "Factor", "Component"))
        names = [column.header]
        if categories:
            names += [f"Term Source REF ({column.term})", f"Term Accession Number ({column.term})"]
        for name in names:
            # A table of a spreadsheet wants each header once; ISA-XLSX allows blanks at its end.
            header.append(name + " " * sum(other.rstrip() == name for other in header))
        for row, value in zip(rows, column.cells, strict=True):
            row.extend(_values(value)[: len(names)])
    return [header, *rows]
