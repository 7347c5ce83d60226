"""Rules of the BioImage Archive for the entities of a crate.

Written anew from the data model of the archive's own program (bia-ro-crate-validator 0.3.1), which decides what is
submitted; `bia_model.tsv` holds its classes. `docs/crate-verdicts.md` compares the verdicts.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from bioimage_suite.fair.crates.terms import BIA_TERMS, expanded, offline_context
from bioimage_suite.fair.terms.json_ld import INVALID_IN_ID, Entity, as_list, ids, objects_in, types
from bioimage_suite.tables.delimited import shipped_rows
from bioimage_suite.tables.sheets import Finding

MODEL = Path(__file__).resolve().parent / "bia_model.tsv"
# References of these properties may leave the crate.
_OUTWARD = ("@type", "conformsTo")


class Rule(NamedTuple):
    """What a class says of one property: its kind of value; must it be there ("yes"), with one at least ("filled")?"""

    property: str
    kind: str
    needed: str


@cache
def model() -> dict[str, tuple[Rule, ...]]:
    """Return the rules of each class by the class's address."""
    classes: dict[str, tuple[Rule, ...]] = {}
    for row in shipped_rows(MODEL):
        rule = Rule(row["property"], row["kind"], row["needed"])
        classes[row["class"]] = (*classes.get(row["class"], ()), rule)
    return classes


def check_entities(document: dict[str, Any], name: str) -> list[Finding]:
    """Check the metadata of a crate against the archive's model.

    Args:
        document: JSON-LD of the crate.
        name: Display name of the crate.

    Returns:
        Terms with another meaning than the archive's, entities of no or several of its classes, properties that are
        missing or of the wrong kind, references that lead nowhere: errors. Entities to which nothing leads: warnings.
    """
    terms, _ = offline_context(document.get("@context"))
    entities = objects_in(document.get("@graph"))
    findings = _remapped(terms, name)
    for entity in entities:
        findings += _check_entity(entity, terms, name)
    return findings + _check_references(entities, name)


def entity_class(entity: Entity, terms: Mapping[str, Any]) -> str:
    """Return the one class of the archive that an entity has, empty text where it has none or several."""
    classes = {expanded(kind, terms) for kind in types(entity)} & model().keys()
    return classes.pop() if len(classes) == 1 else ""


def _remapped(terms: Mapping[str, Any], name: str) -> list[Finding]:
    """Find terms that the crate gives another meaning than the archive."""
    found = {term: expanded(term, terms) for term in BIA_TERMS if term in terms}
    return [
        Finding("error", name, 0, f"@context {term}", meaning, expanded(term, BIA_TERMS))
        for term, meaning in found.items()
        if meaning.rstrip("/#") != expanded(term, BIA_TERMS).rstrip("/#")
    ]


def _check_entity(entity: Entity, terms: Mapping[str, Any], name: str) -> list[Finding]:
    identifier = str(entity.get("@id"))

    def error(where: str, found: Any, expected: str) -> Finding:
        return Finding("error", name, 0, f"{identifier} {where}".strip(), str(found)[:80], expected)

    kind = entity_class(entity, terms)
    if not kind:
        return [error("@type", entity.get("@type"), "exactly one class of the BioImage Archive")]
    findings = []
    short = kind.replace("http://bia/", "bia:").replace("http://www.w3.org/ns/csvw#", "csvw:")
    short = short.replace("http://schema.org/", "")
    if not {kind, short} & set(types(entity)):
        findings.append(error("@type", entity.get("@type"), f"{short}, written so"))
    if kind == "http://bia/Study" and identifier != "./":
        findings.append(error("@id", identifier, "./ for the study"))
    for rule in model()[kind]:
        if rule.property not in entity:
            if rule.needed:
                findings.append(error(rule.property, "missing", f"a {rule.property}"))
            continue
        value = entity[rule.property]
        if not _fits(value, rule.kind):
            findings.append(error(rule.property, value, _EXPECTED[rule.kind.removesuffix(" or null")]))
        elif rule.needed == "filled" and not value:
            findings.append(error(rule.property, "an empty list", "one at least"))
    return findings


def _check_references(entities: list[Entity], name: str) -> list[Finding]:
    described = {_address(entity["@id"]) for entity in entities if isinstance(entity.get("@id"), str)}
    named: set[str] = {_address("ro-crate-metadata.json")}
    findings = []
    for entity in entities:
        for key, value in entity.items():
            targets = ids(value)
            named |= {_address(target) for target in targets}
            if key not in _OUTWARD:
                findings += [
                    Finding(
                        "error", name, 0, f"{entity.get('@id')} {key}", target, "an entity that the graph describes"
                    )
                    for target in targets
                    if _address(target) not in described
                ]
    expected = "a reference to each entity, from another one or from the file list"
    return findings + [
        Finding("note", name, 0, str(entity["@id"]), "no other entity leads to it", expected)
        for entity in entities
        if isinstance(entity.get("@id"), str) and _address(entity["@id"]) not in named
    ]


def _address(identifier: str) -> str:
    """Return an id as address within the crate: `./a` and `a` are one."""
    try:
        return urljoin("file:///crate/", identifier)
    except ValueError:
        return identifier


def _fits(value: Any, kind: str) -> bool:
    if kind.endswith(" or null"):
        return value is None or _fits(value, kind.removesuffix(" or null"))
    return _KINDS[kind](value)


def _is_reference(value: Any) -> bool:
    identifier = value.get("@id") if isinstance(value, dict) else None
    return isinstance(identifier, str) and (identifier.startswith("_:") or not INVALID_IN_ID.search(identifier))


def _is_address(value: Any) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return (
        parts is not None and bool(parts.scheme) and bool(parts.netloc or parts.scheme not in {"http", "https", "ftp"})
    )


def _is_number(value: Any) -> bool:
    try:
        return int(value) == float(value)
    except (TypeError, ValueError, OverflowError):
        return False


def _all(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, as_list(value)))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_KINDS: dict[str, Callable[[Any], bool]] = {
    "text": _is_text,
    "texts": _all(_is_text),
    "address": _is_address,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "reference": _is_reference,
    "references": _all(_is_reference),
}
_EXPECTED = {
    "text": "one text",
    "texts": "a list of texts",
    "address": "one address as text, with its https://",
    "number": "a whole number",
    "object": "one object",
    "reference": 'one reference {"@id": ...}',
    "references": 'a list of references [{"@id": ...}]',
}
