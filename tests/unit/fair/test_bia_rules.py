"""Rules of the BioImage Archive: one mutant for each rule of its model is refused, what the model allows is not.

`docs/crate-verdicts.md` says on which mutants the archive's own validator was asked.
"""

from copy import deepcopy
from typing import Any

import pytest

from bioimage_suite.fair.crates.bia_file_list import check_file_list
from bioimage_suite.fair.crates.bia_rules import check_entities, entity_class, model
from bioimage_suite.fair.crates.terms import BIA_TERMS, offline_context
from bioimage_suite.fair.products.package import make_package
from tests.unit.fair.made_crates import crate, entity, errors, study

RULES = [(kind, rule) for kind, rules in model().items() for rule in rules]
NAMES = [f"{kind.rpartition('/')[2]} {rule.property}" for kind, rule in RULES]
ROOT = {"@id": "./"}
GOOD: dict[str, Any] = {
    "text": "x", "texts": ["x"], "address": "https://example.org/", "number": 2020, "object": ROOT, "reference": ROOT,
    "references": [ROOT],
}  # fmt: skip
WRONG: dict[str, list[Any]] = {
    "text": [5, ["a"], ROOT], "texts": ["a", [5], ROOT, None], "address": ["CC0", 5, ["https://e.org"], ROOT],
    "number": ["x", 2020.5, [2020]], "object": ["x", None, [ROOT]], "reference": ["./", [ROOT], {"name": "x"}],
    "references": ["./", ROOT, None, ["./"], [ROOT, {"@id": "x^y"}]],
}  # fmt: skip


def short(address: str) -> str:
    for name, prefix in (("http://bia/", "bia:"), ("http://www.w3.org/ns/csvw#", "csvw:"), ("http://schema.org/", "")):
        address = address.replace(name, prefix)
    return address


def whole() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Our crate with an entity of every class that has every property, and these entities by class."""
    document = crate("bia")
    terms, _ = offline_context(document["@context"])
    found = {entity_class(one, terms): one for one in reversed(document["@graph"])}
    for kind, rules in model().items():
        if kind not in found:
            found[kind] = {"@id": f"#made-{len(found)}", "@type": short(kind)}
            document["@graph"].append(found[kind])
        for rule in rules:
            found[kind].setdefault(rule.property, deepcopy(GOOD[rule.kind.removesuffix(" or null")]))
    return document, found


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


def replaced(old: bytes, new: bytes) -> Any:
    """A change of the list's bytes."""

    def change(_: object, texts: dict[str, bytes]) -> None:
        assert old in texts["file_list.tsv"]
        texts["file_list.tsv"] = texts["file_list.tsv"].replace(old, new, 1)

    return change


CHANGES: dict[str, Any] = {
    "no list": lambda _, texts: texts.clear(),
    "no entity of it": lambda d, _: entity(d, "file_list.tsv").update({"@type": "File"}),
    "two lists": lambda d, _: d["@graph"].append({**entity(d, "file_list.tsv"), "@id": "other.tsv"}),
    "a column that nothing describes": replaced(b"file_path\t", b"file_path\tx"),
    "no column of paths": lambda d, _: entity(d, "#column-file_path").pop("propertyUrl"),
    "no column of datasets": lambda d, _: entity(d, "#column-dataset").pop("propertyUrl"),
    "no column of types": lambda d, _: entity(d, "#column-type").pop("propertyUrl"),
    "an image's type in short": replaced(b"http://bia/Image\t", b"bia:Image\t"),
    "an empty file": lambda _, texts: texts.update({"file_list.tsv": b""}),
    "a dataset that is a schema": replaced(b"#results/", b"#file-list-schema"),
    "labels that are not in the file": replaced(b"\tlabel\t", b"\tsize_in_bytes\t"),
    "a path twice": replaced(b"\nimages/cells_b", b"\nimages/cells_a"),
}


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
