"""A crate with every property of every class of the BioImage Archive's model, and what breaks a rule of it."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from bioimage_suite.fair.crates.bia_rules import entity_class, model
from bioimage_suite.fair.crates.terms import BIA_TERMS, offline_context
from bioimage_suite.fair.products.package import make_package
from tests.unit.fair.made_crates import crate, entity, study

LIST = "file_list.tsv"
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


def list_text() -> bytes:
    """The file list of the crate."""
    return make_package("bia", study("bia")).texts[LIST].encode()


def mutants() -> Iterator[tuple[str, dict[str, Any], bytes | None]]:
    """Crates with one rule broken, or one thing that is allowed, each with a name and its file list."""
    listed = list_text()
    for number, (kind, rule) in enumerate(RULES):
        form = rule.kind.removesuffix(" or null")
        wrong = WRONG[form][number % len(WRONG[form])]
        for what, value in (("wrong", wrong), ("null", None), ("empty", []), ("missing", ...)):
            if what == "empty" and form not in {"references", "texts"}:
                continue
            document, found = whole()
            found[kind][rule.property] = value
            if value is ...:
                del found[kind][rule.property]
            yield f"{number:03}-{rule.property}-{what}", document, listed
    for number, kind in enumerate(model()):
        for what, types in (("thing", "Thing"), ("address", [kind])):
            document, found = whole()
            found[kind]["@type"] = types
            yield f"type-{number:02}-{what}", document, listed
    for term in BIA_TERMS:
        document, _ = whole()
        document["@context"][1][term] = {"@id": "http://example.org/other"}
        yield f"term-{term}", document, listed
    for number, change in enumerate(CHANGES.values()):
        document, texts = crate("bia"), {LIST: listed}
        change(document, texts)
        yield f"list-{number:02}", document, texts.get(LIST)
