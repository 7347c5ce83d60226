"""Readers of ontologies in the forms in which they are published: OWL, OBO, a workbook, and the taxonomy's names."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OBO = "http://purl.obolibrary.org/obo/"
_OBO_IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_DEPRECATED = "http://www.w3.org/2002/07/owl#deprecated"
EXACT, RELATED = _OBO_IN_OWL + "hasExactSynonym", _OBO_IN_OWL + "hasRelatedSynonym"
_REPLACED_BY = _OBO + "IAO_0100001"
_OBO_SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)" EXACT\b')


@dataclass(frozen=True)
class OntologyTerm:
    """A term as its ontology gives it.

    Attributes:
        id: CURIE, such as `FBbi:00000246`.
        label: Preferred name.
        synonyms: Exact synonyms.
        obsolete: Whether the term must no longer be used.
        successor: CURIE of the term that replaces an obsolete one; empty when there is none.
    """

    id: str
    label: str
    synonyms: tuple[str, ...] = ()
    obsolete: bool = False
    successor: str = ""


def _curie(iri: str) -> str:
    prefix, _, number = iri.removeprefix(_OBO).rpartition("_")
    return f"{prefix}:{number}" if iri.startswith(_OBO) else ""


def _iri(entity: object) -> str:
    return str(entity).strip("<>")


def read_owl(path: Path, *kinds: str) -> tuple[dict[str, OntologyTerm], frozenset[str]]:
    """Read the classes of an OWL file in functional syntax.

    Args:
        path: The file.
        kinds: Properties whose values are synonyms, such as EXACT.

    Returns:
        The classes that have a label, by CURIE, and the CURIEs of all classes, those without a label too: an ontology
        names classes of other ontologies by their ids alone.
    """
    import pyhornedowl
    from pyhornedowl.model import AnnotationAssertion

    ontology = pyhornedowl.open_ontology(str(path), serialization="ofn")
    terms: dict[str, OntologyTerm] = {}
    named: set[str] = set()
    for iri in ontology.get_classes():
        curie = _curie(iri)
        labels = ontology.get_annotations(iri, _LABEL)
        if curie:
            named.add(curie)
        if curie and labels:
            successors = [
                _curie(_iri(axiom.component.ann.av))
                for axiom in ontology.get_axioms_for_iri(iri)
                if isinstance(axiom.component, AnnotationAssertion)
                and _iri(axiom.component.ann.ap) == _REPLACED_BY
                and _iri(axiom.component.subject) == iri
            ]
            synonyms = {one.strip() for kind in kinds for one in ontology.get_annotations(iri, kind)}
            terms[curie] = OntologyTerm(
                curie,
                labels[0].strip(),
                tuple(sorted(synonyms)),
                "true" in ontology.get_annotations(iri, _DEPRECATED),
                successors[0] if successors else "",
            )
    return terms, frozenset(named)


def descendants(path: Path, roots: Iterable[str]) -> frozenset[str]:
    """Return the CURIEs of roots and of all below them, in an OWL file in functional syntax."""
    import pyhornedowl

    ontology = pyhornedowl.open_ontology(str(path), serialization="ofn")
    roots = tuple(roots)
    below = {_curie(iri) for root in roots for iri in ontology.get_descendants(_OBO + root.replace(":", "_"))}
    return frozenset(below) | frozenset(roots)


def read_obo(path: Path) -> dict[str, OntologyTerm]:
    """Read the terms of a file in OBO format 1.2, by id; an obsolete term leads to the first term to consider."""
    terms: dict[str, OntologyTerm] = {}
    for stanza in path.read_text(encoding="utf-8").split("\n[")[1:]:
        kind, _, body = stanza.partition("]\n")
        if kind != "Term":
            continue
        tags: dict[str, list[str]] = {}
        for line in body.splitlines():
            tag, _, value = line.partition(": ")
            tags.setdefault(tag, []).append(value.partition(" ! ")[0].strip())
        names = {
            match[1].replace('\\"', '"') for text in tags.get("synonym", []) if (match := _OBO_SYNONYM.match(text))
        }
        (identifier,), (label,) = tags["id"], tags.get("name", [""])
        terms[identifier] = OntologyTerm(
            identifier,
            label,
            tuple(sorted(names)),
            tags.get("is_obsolete") == ["true"],
            next(iter(tags.get("replaced_by", tags.get("consider", []))), ""),
        )
        # Ids of terms that were merged into this one.
        terms |= {old: OntologyTerm(old, "", (), True, identifier) for old in tags.get("alt_id", [])}
    return terms


def read_guide(path: Path) -> dict[str, OntologyTerm]:
    """Read the terms of a file of the package cellxgene-ontology-guide (JSON, compressed by zstandard), by id."""
    import zstandard

    with path.open("rb") as stream, zstandard.ZstdDecompressor().stream_reader(stream) as text:
        found: dict[str, dict[str, Any]] = json.loads(text.read())
    return {
        identifier: OntologyTerm(
            identifier,
            term["label"],
            tuple(sorted(term.get("synonyms", ()))),
            bool(term["deprecated"]),
            term.get("replaced_by", ""),
        )
        for identifier, term in found.items()
    }


def read_workbook(path: Path) -> Iterator[OntologyTerm]:
    """Yield the terms of CLO's workbook: columns `ID`, `LABEL`, `alternative term`, `term replaced by`."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True)
    rows = book.worksheets[0].iter_rows(values_only=True)
    header = [str(cell) for cell in next(rows)]
    places = [header.index(name) for name in ("ID", "LABEL", "alternative term", "term replaced by")]
    for row in rows:
        identifier, label, synonyms, successor = (str(row[place] or "").strip() for place in places)
        if re.fullmatch(r"CLO:\d{7}", identifier) and label:
            names = sorted({repaired(one) for one in synonyms.split("|")} - {""})
            yield OntologyTerm(identifier, repaired(label), tuple(names), bool(successor), successor)


def repaired(text: str) -> str:
    """Return text without line breaks and double blanks, and with the letters that Excel for Mac OS misread.

    >>> repaired("Schneider‚Äôs Drosophila Line 2")
    'Schneider’s Drosophila Line 2'
    """
    text = " ".join(text.split())
    try:
        return text.encode("mac_roman").decode("utf-8")
    except UnicodeError:
        return text


def taxon_names(identifier: str) -> tuple[str, ...]:
    """Return the scientific and the common name of a taxon, from the package taxoniq; none if it is newer than that."""
    import taxoniq

    try:
        taxon = taxoniq.Taxon(int(identifier.partition(":")[2]))
    except KeyError:
        return ()
    try:
        return taxon.scientific_name, taxon.common_name
    except taxoniq.NoValue:
        return (taxon.scientific_name,)
