"""Products of studies with values that people really have: authors of one name, methods without a term, old DOIs."""

import csv
import io
import json
from typing import Any

import pytest

from bioimage_suite.fair.crates.checks import check_document
from bioimage_suite.fair.metadata.table import MetadataValue
from bioimage_suite.fair.products.deposit import datacite_record
from bioimage_suite.fair.products.package import make_package
from bioimage_suite.fair.products.study import Study
from tests.unit.fair.made_crates import NAMES, VALUES, errors, of_type, study, value

CRATES = ["gide", "bia", "general"]


def changed(**fields: list[str]) -> list[MetadataValue]:
    """The values with other ones of some fields, without the ids of terms."""
    keys = {name.replace("__", "."): texts for name, texts in fields.items()}
    kept = [one for one in VALUES if one.field not in keys]
    return kept + [value("image", "*", key, key, text) for key, texts in keys.items() for text in texts]


def made(product: str, values: list[MetadataValue]) -> dict[str, Any]:
    document = make_package(product, study(product, values)).crate
    assert document is not None
    assert errors(check_document(document, "c", product)) == []
    return document


NAMESAKES = changed(
    study__authors=["Wang, Wei", "Doe, Jane", "Wang, Wei"],
    study__author_orcids=[],
    study__author_affiliations=["Uni A", "Uni B", "Uni C"],
)


@pytest.mark.parametrize("product", CRATES)
def test_two_authors_of_one_name_stay_two(product: str):
    document = made(product, NAMESAKES)
    people = list(of_type(document, "Person"))
    assert [one["name"] for one in people] == ["Wei Wang", "Jane Doe", "Wei Wang"]
    assert len({one["@id"] for one in people}) == 3
    key = "memberOf" if product == "bia" else "affiliation"
    assert len({json.dumps(one[key]) for one in people}) == 3


def test_the_ror_of_an_institution_is_that_of_all_who_work_there():
    values = changed(
        study__authors=["Doe, Jane", "Roe, Richard", "Poe, Edgar"],
        study__author_orcids=[],
        study__author_affiliations=["Uni A", "Uni A", "Uni B"],
        study__affiliation_rors=["https://ror.org/02catss52", "-", "-"],
    )
    assert [author.ror for author in study("bia", values).authors] == ["https://ror.org/02catss52"] * 2 + [""]
    pagetab = json.loads(make_package("bia", study("bia", values)).texts["pagetab.json"])
    organizations = [one for one in pagetab["section"]["subsections"] if one["type"] == "organization"]
    assert [[part["name"] for part in one["attributes"]] for one in organizations] == [["Name", "RORID"], ["Name"]]


CORRELATIVE = [
    *changed(acquisition__imaging_method=["CLEM"]),
    next(one for one in VALUES if one.field == "acquisition.imaging_method"),
]


@pytest.mark.parametrize("product", ["gide", "general"])
def test_a_method_that_no_ontology_has_is_a_term_of_the_crate(product: str):
    terms = {one["name"]: one["@id"] for one in of_type(made(product, CORRELATIVE), "DefinedTerm")}
    assert terms["CLEM"] == "#term-CLEM"
    assert terms["fluorescence microscopy"] == "http://purl.obolibrary.org/obo/FBbi_00000246"


def test_a_method_that_no_ontology_has_gets_no_id_of_one():
    document = made("bia", CORRELATIVE)
    (acquisition,) = of_type(document, "bia:ImageAcquisitionProtocol")
    assert acquisition["imagingMethodName"] == ["CLEM", "fluorescence microscopy"]
    assert acquisition["fbbiId"] == ["http://purl.obolibrary.org/obo/FBbi_00000246"]
    subjects = datacite_record(study("general", CORRELATIVE))["subjects"]
    assert {"subject": "CLEM"} in subjects
    text = make_package("bia", study("bia", CORRELATIVE)).texts["pagetab.json"]
    assert text.count("Biological Imaging Methods Ontology") == 1


@pytest.mark.parametrize("product", CRATES)
def test_an_old_doi_is_an_address(product: str):
    doi = "10.1002/(SICI)1097-0258(19980815/30)17:15/16<1661::AID-SIM968>3.0.CO;2-2"
    articles = list(of_type(made(product, changed(study__publication_doi=[doi])), "ScholarlyArticle"))
    assert [one["@id"].partition("17:15/")[2] for one in articles] == ["16%3C1661::AID-SIM968%3E3.0.CO;2-2"]


def parts() -> Study:
    """The two images say two things of one component."""
    values = [one for one in VALUES if one.field != "component.description"]
    own = [value("image", name, "component.description", "d", text) for name, text in zip(NAMES, "xy", strict=True)]
    return study("general", [*values, *own])


def test_two_descriptions_of_one_component_are_kept():
    assert [(one.name, one.description) for one in parts().components()] == [("Nuclei", "x; y")]


def free(key: str) -> list[MetadataValue]:
    return [*VALUES, *(value("image", "*", "", key, text) for text in ("one", "two"))]


@pytest.mark.parametrize("key", ["label", "dataset", "Drug (µM) [batch]"])
def test_a_key_that_a_file_list_uses_for_something_else_is_kept(key: str):
    package = make_package("bia", study("bia", free(key)))
    rows = list(csv.DictReader(io.StringIO(package.texts["file_list.tsv"]), delimiter="\t"))
    column = f"{key} (free key)" if key in {"label", "dataset"} else key
    assert [row[column] for row in rows][:2] == ["one; two", "one; two"]
    assert rows[0]["label"] == NAMES[0]
    assert package.crate is not None
    assert errors(check_document(package.crate, "c", "bia")) == []


@pytest.mark.parametrize(
    ("name", "citation"),
    [("van der Berg, Jan", "van der Berg J"), ("Roe, John, Jr.", "Roe J Jr."), ("A Consortium", "A Consortium")],
)
def test_names_in_the_author_list_of_idr(name: str, citation: str):
    package = make_package("idr", study("idr", changed(study__authors=[name], study__author_orcids=[])))
    lines = package.texts["idr0000-study.txt"].splitlines()
    assert f"Study Author List\t{citation}" in lines
