"""Rules of the BioImage Archive: one mutant for each rule of its model is refused, what the model allows is not.

`docs/crate-verdicts.md` says on which mutants the archive's own validator was asked.
"""

from typing import Any

import pytest

from bioimage_suite.fair.crates.bia_file_list import check_file_list
from bioimage_suite.fair.crates.bia_rules import check_entities, model
from bioimage_suite.fair.crates.terms import BIA_TERMS
from bioimage_suite.fair.products.package import make_package
from tests.unit.fair.made_bia import CHANGES, NAMES, RULES, WRONG, short, whole
from tests.unit.fair.made_crates import crate, errors, study


def test_a_crate_with_every_property_of_every_class_is_taken():
    assert errors(check_entities(whole()[0], "c")) == []


@pytest.mark.parametrize(("kind", "rule"), RULES, ids=NAMES)
def test_each_property_has_its_kind_of_value(kind: str, rule: Any):
    form = rule.kind.removesuffix(" or null")
    for value in [*WRONG[form], *([None] if form == rule.kind and None not in WRONG[form] else [])]:
        document, found = whole()
        found[kind][rule.property] = value
        assert errors(check_entities(document, "c")), value
    if form != rule.kind:
        document, found = whole()
        found[kind][rule.property] = None
        assert errors(check_entities(document, "c")) == []


@pytest.mark.parametrize(("kind", "rule"), RULES, ids=NAMES)
def test_what_is_needed_must_be_there(kind: str, rule: Any):
    document, found = whole()
    del found[kind][rule.property]
    assert bool(errors(check_entities(document, "c"))) == bool(rule.needed)
    if rule.kind in {"references", "texts"}:
        document, found = whole()
        found[kind][rule.property] = []
        assert bool(errors(check_entities(document, "c"))) == (rule.needed == "filled")


@pytest.mark.parametrize("kind", model())
def test_an_entity_has_exactly_one_class(kind: str):
    for wrong in ("Thing", [short(kind), "bia:Publication" if "Publication" not in kind else "bia:Grant"]):
        document, found = whole()
        found[kind]["@type"] = wrong
        assert errors(check_entities(document, "c"))
    document, found = whole()
    found[kind]["@type"] = [kind]
    assert errors(check_entities(document, "c")) == []


@pytest.mark.parametrize("term", BIA_TERMS)
def test_a_term_keeps_the_archives_meaning(term: str):
    document, _ = whole()
    document["@context"][1][term] = {"@id": "http://example.org/other"}
    assert f"@context {term}" in {finding.column for finding in errors(check_entities(document, "c"))}


def test_references_lead_to_entities_and_the_study_is_the_root():
    document, found = whole()
    found["http://bia/Dataset"]["associatedSpecimen"] = {"@id": "#nowhere"}
    assert [finding.found for finding in errors(check_entities(document, "c"))] == ["#nowhere"]
    document, found = whole()
    found["http://bia/Study"]["@id"] = "https://example.org/study"
    assert "./ for the study" in {finding.expected for finding in errors(check_entities(document, "c"))}


def file_list(change: Any) -> list[Any]:
    document = crate("bia")
    text = make_package("bia", study("bia")).texts["file_list.tsv"]
    texts = {"file_list.tsv": text.encode()}
    change(document, texts)
    return errors(check_file_list(document, texts, "c"))


@pytest.mark.parametrize("name", CHANGES)
def test_each_fault_of_a_file_list_is_found(name: str):
    assert file_list(lambda *_: None) == []
    assert file_list(CHANGES[name])


def test_a_cell_may_list_several_entities():
    def change(document: dict[str, Any], texts: dict[str, bytes]) -> None:
        method = next(one["@id"] for one in document["@graph"] if one["@type"] == "bia:AnnotationMethod")
        before = texts["file_list.tsv"]
        texts["file_list.tsv"] = before.replace(f"{method}\t".encode(), f"['{method}', '{method}']\t".encode())
        assert texts["file_list.tsv"] != before

    assert file_list(change) == []
