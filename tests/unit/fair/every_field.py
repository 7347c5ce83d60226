"""A study with a value of its own in every field, two where a field may have several, and where each stands."""

import csv
import html
import io
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import openpyxl

from bioimage_suite.fair.metadata.fields import all_fields
from bioimage_suite.fair.metadata.image_facts import read_images
from bioimage_suite.fair.metadata.table import MetadataValue
from bioimage_suite.fair.products.croissant import croissant
from bioimage_suite.fair.products.package import Package, make_package, read_study
from bioimage_suite.fair.products.study import Study
from tests.unit.fair.made_crates import DATA, FILES

# Fields whose values have a form: value and id of the term. The words of others are their keys.
_FORMED = {
    "study.license": ("A licence", "https://example.org/the-licence/"),
    "study.authors": ("Surname, Forename", ""),
    "study.author_orcids": ("https://orcid.org/0000-0001-2345-6789", ""),
    "study.author_emails": ("forename@example.org", ""),
    "study.affiliation_rors": ("https://ror.org/042nb2s44", ""),
    "study.landing_page": ("https://example.org/landing-page", ""),
    "study.publisher_url": ("https://example.org/publisher-url", ""),
    "study.publication_doi": ("10.9999/the.doi", ""),
    "study.grants": ("the-grant, the-funder", ""),
    "study.release_date": ("2031-01-01", ""),
    "acquisition.date": ("2031-02-02", ""),
    "annotation_file.creation_time": ("2031-03-03", ""),
    "version.timestamp": ("2031-04-04", ""),
}
_TERMS = {
    "study.type": "EFO:0007550",
    "biosample.organism": "NCBITaxon:9606",
    "biosample.cell_line": "CLO:0003684",
    "acquisition.imaging_method": "FBbi:00000246",
}
# The second values of fields that may have several; the second imaging method is one that no ontology has.
_SECOND = {
    "study.authors": ("Zweit, Name", ""),
    "study.author_orcids": ("https://orcid.org/0000-0002-1694-233X", ""),
    "study.author_emails": ("name@example.org", ""),
    "study.affiliation_rors": ("https://ror.org/02catss52", ""),
    "study.grants": ("second-grant, second-funder", ""),
    "biosample.organism": ("<second organism>", "NCBITaxon:10090"),
    "biosample.cell_line": ("<second cell line>", "CLO:0009454"),
}
FREE = ("<free one>", "<free two>")
"""Values of a key that belongs to no standard."""
_MASK = "mask.ome.tiff"
_SOURCE = "annotation_file.source_image"


def _value(key: str, second: bool = False) -> MetadataValue:
    text, term = _FORMED.get(key, (f"<{key}>", _TERMS.get(key, "")))
    if second:
        text, term = _SECOND.get(key, (f"<{key} 2>", ""))
    return MetadataValue("image", "", "*", key, key, text, term, "", text, "", "t", 2, "A")


VALUES = [
    *(_value(field.key) for field in all_fields() if field.key != _SOURCE),
    *(_value(field.key, second=True) for field in all_fields() if field.many),
    *(MetadataValue("image", "", "*", "", "Free [key]", text, "", "", text, "", "t", 2, "A") for text in FREE),
    MetadataValue("image", "", _MASK, _SOURCE, "s", FILES[1][1], "", "", FILES[1][1], "", "t", 3, "A"),
]


def sentinel(key: str, document: str, second: bool = False) -> str:
    """Return the text by which a field's value, or its second value, is found again."""
    if second:
        return {"study.authors": "Zweit", "study.author_orcids": "0000-0002-1694-233X"}.get(
            key, _value(key, second=True).value.partition(",")[0]
        )
    special = {
        "study.license": "https://example.org/the-licence/",
        "study.authors": "Surname",
        "study.author_orcids": "0000-0001-2345-6789",
        "study.grants": "the-grant",
        _SOURCE: "assays/imaging/dataset/cells_b.ome.tiff" if document == "arc" else "images/cells_b.ome.tiff",
    }
    return special.get(key) or _value(key).value


@cache
def texts_of(product: str) -> tuple[tuple[str, str], ...]:
    """Return each text of a product with its place: `BioSample.description`, `study: Study Title`."""
    study, package = _package(_PRODUCTS.get(product, product))
    readers = {"pagetab": _pagetab, "idr": _idr, "arc": _arc, "zenodo": _zenodo, "datacite": _datacite}
    texts = list(_json(_croissant(study)) if product == "croissant" else readers.get(product, _crate)(package))
    if product == "bia":
        texts += _table("file_list.tsv", package.texts["file_list.tsv"])
    return tuple(texts)


def places(key: str, product: str, second: bool = False) -> set[str]:
    """Return the places of a field's value, or its second value, in a product."""
    wanted = sentinel(key, product, second)
    return {place for place, text in texts_of(product) if wanted in text}


# The product that a document is a part of.
_PRODUCTS = {"pagetab": "bia", "zenodo": "general", "datacite": "general", "croissant": "general"}


def _package(product: str) -> tuple[Study, Package]:
    study = read_study(
        VALUES,
        list(read_images(FILES)),
        files=FILES,
        annotations=[(DATA / "cells_a.ome.tiff", _MASK)],
        results=[(DATA / "image_table.tsv", "table.tsv")],
        product=product,
    )
    return study, make_package(product, study)


def _leaves(value: Any) -> Iterator[str]:
    for part in value if isinstance(value, list) else [value]:
        yield part["@id"] if isinstance(part, dict) else str(part)


def _crate(package: Package) -> Iterator[tuple[str, str]]:
    assert package.crate is not None
    for entity in package.crate["@graph"]:
        kind = entity["@type"] if isinstance(entity["@type"], str) else entity["@type"][-1]
        for key, value in entity.items():
            yield from ((f"{kind}.{key}", text) for text in _leaves(value))


def _table(name: str, text: str) -> Iterator[tuple[str, str]]:
    header, *rows = csv.reader(io.StringIO(text), delimiter="\t")
    for row in rows:
        yield from ((f"{name}: {column}", cell) for column, cell in zip(header, row, strict=True))


def _pagetab(package: Package) -> Iterator[tuple[str, str]]:
    document = json.loads(package.texts["pagetab.json"])
    waiting = [{"type": "Submission", **document}, document["section"]]
    while waiting:
        section = waiting.pop()
        waiting += section.get("subsections", ())
        yield from ((f"{section['type']}: {one['name']}", one["value"]) for one in section["attributes"])
        yield from (
            (f"{section['type']}: {one['name']}", part["value"])
            for one in section["attributes"]
            for part in one.get("valqual", ())
        )
        yield from ((f"{section['type']}: link", link["url"]) for link in section.get("links", ()))
    for path, text in package.texts.items():
        if path.startswith("file_lists/") and path.endswith(".tsv"):
            yield from _table("file list", text)


def _idr(package: Package) -> Iterator[tuple[str, str]]:
    for path, text in package.texts.items():
        if path.endswith("-study.txt"):
            for line in text.splitlines():
                key, *values = line.split("\t")
                yield from ((f"study: {key}", value) for value in values)
        elif path.endswith("-assays.txt"):
            yield from _table("assays", text)


def _arc(package: Package) -> Iterator[tuple[str, str]]:
    for data in package.workbooks.values():
        for sheet in openpyxl.load_workbook(io.BytesIO(data)):
            rows = [[str(cell or "") for cell in row] for row in sheet.values]
            if sheet.title.startswith("isa_"):
                yield from ((key, value) for key, *values in rows for value in values)
            else:
                yield from ((key.strip(), cell) for row in rows[1:] for key, cell in zip(rows[0], row, strict=True))


def _json(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text of a document with the names that lead to it: `creators.name`."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _json(part, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for part in value:
            yield from _json(part, place)
    else:
        yield place, html.unescape(str(value))


def _zenodo(package: Package) -> Iterator[tuple[str, str]]:
    return _json(json.loads(package.texts[".zenodo.json"]))


def _datacite(package: Package) -> Iterator[tuple[str, str]]:
    return _json(json.loads(package.texts["datacite.json"]))


def _croissant(study: Study) -> dict[str, Any]:
    return croissant(study, DATA / "cells_a.ome.tiff")
