"""Offline resolution of texts to ontology terms with the tables in `terms/` (see terms/README.md)."""

import difflib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bioimage_suite.tables.delimited import shipped_rows

TERMS_FOLDER = Path(__file__).resolve().parent / "term_tables"
VOCABULARY_NAMES = {
    "fbbi": "FBbi (imaging methods)",
    "ncbitaxon": "NCBI Taxonomy (subset)",
    "uo": "Units of measurement ontology",
    "efo": "EFO (subset)",
    "clo": "Cell Line Ontology (subset)",
    "licenses": "licences of the BioImage Archive",
    "annotation_type": "MIFA annotation types",
    "experimental_status": "REMBI experimental status",
    "image_type": "REMBI image types",
}
# Ontologies of which the tables hold only a subset: a well-formed id that is not in the table may still exist.
_PARTIAL = {"fbbi": "FBbi", "ncbitaxon": "NCBITaxon", "efo": "EFO", "clo": "CLO", "uo": "UO"}
# Ids of NCBI Taxonomy have no fixed width; FBbi's have 8 digits and the others 7.
_DIGITS = {"FBbi": 8, "EFO": 7, "CLO": 7, "UO": 7}
_PREFIXES = {prefix.casefold(): prefix for prefix in _PARTIAL.values()} | dict.fromkeys(
    ("ncbi", "taxonomy", "txid", "taxid"), "NCBITaxon"
)
_IDENTIFIER = re.compile(
    r"(?:[^\s\[(]*[/:#])?(FBbi|NCBITaxon|EFO|CLO|UO|NCBI|taxonomy|txid|taxid)[_:/ ]*(?:txid)?0*(\d+)", re.IGNORECASE
)
_IDENTIFIER_AT_END = re.compile(r"(.+?)\s*[\[(]([^\[\]()]+)[\])]")


@dataclass(frozen=True)
class Term:
    """A term: `id` is a CURIE such as `NCBITaxon:9606`, an IRI, or the label itself in small vocabularies."""

    id: str
    label: str
    synonyms: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Label and id for people, such as `Homo sapiens (NCBITaxon:9606)`."""
        return self.label if self.id in {self.label, ""} else f"{self.label} ({self.id})"


FILE_COUNT, BYTES = Term("UO:0000189", "file count"), Term("UO:0000233", "bytes")
"""Units of the sizes of a study, by the names that GIDE gives them."""


@dataclass(frozen=True)
class Resolution:
    """Result of resolving a text.

    Attributes:
        term: The term, or None.
        exact: Whether the text is the term's label or id, not a synonym or another spelling.
        listed: Whether the term is in the table; False for a well-formed id that is not.
        near: Terms with similar names, best first; only when there is no term.
    """

    term: Term | None
    exact: bool = True
    listed: bool = True
    near: tuple[Term, ...] = ()


@cache
def load_terms(vocabulary: str) -> tuple[Term, ...]:
    """Read a table of terms, in the table's order."""
    return tuple(
        Term(row["id"], row["label"], tuple(synonym for synonym in row["synonyms"].split("|") if synonym))
        for row in shipped_rows(TERMS_FOLDER / f"{vocabulary}.tsv")
    )


@cache
def _names(vocabulary: str) -> dict[str, Term]:
    """Map folded labels and synonyms to terms. A label wins over a synonym; ambiguous synonyms are left out."""
    terms = load_terms(vocabulary)
    synonyms: dict[str, set[Term]] = {}
    for term in terms:
        for synonym in term.synonyms:
            synonyms.setdefault(_fold(synonym), set()).add(term)
    names = {name: next(iter(owners)) for name, owners in synonyms.items() if len(owners) == 1}
    return names | {_fold(term.label): term for term in terms}


@cache
def _symbols(vocabulary: str) -> dict[str, Term]:
    """Map case-sensitive synonyms to terms: `mM` is millimolar, `mm` millimetre."""
    return {name: term for term in load_terms(vocabulary) for name in (term.label, *term.synonyms)}


@cache
def _ids(vocabulary: str) -> dict[str, Term]:
    return {term.id: term for term in load_terms(vocabulary)}


def _fold(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


def curie(text: str) -> str:
    """Normalise the spellings of an ontology id to one CURIE; return empty text for anything else.

    >>> curie("http://purl.obolibrary.org/obo/FBbi_246"), curie("obo:NCBITaxon_09606")
    ('FBbi:00000246', 'NCBITaxon:9606')
    >>> curie("https://www.ncbi.nlm.nih.gov/datasets/taxonomy/9606")
    'NCBITaxon:9606'
    """
    match = _IDENTIFIER.fullmatch(text.strip())
    if not match:
        return ""
    prefix = _PREFIXES[match[1].casefold()]
    return f"{prefix}:{match[2].zfill(_DIGITS.get(prefix, 0))}"


def iri(identifier: str) -> str:
    """Return the address of a CURIE: EFO's own, else the OBO Foundry's; other text is returned unchanged.

    >>> iri("NCBITaxon:9606")
    'http://purl.obolibrary.org/obo/NCBITaxon_9606'
    """
    prefix, _, number = identifier.partition(":")
    if prefix == "EFO":
        return f"http://www.ebi.ac.uk/efo/EFO_{number}"
    if prefix in _PREFIXES.values():
        return f"http://purl.obolibrary.org/obo/{prefix}_{number}"
    return identifier


@cache
def resolve(vocabulary: str, text: str) -> Resolution:
    """Find the term that a text means.

    Args:
        vocabulary: Name of the table, such as `ncbitaxon`.
        text: A label, synonym, id in any spelling, or `label (id)`.

    Returns:
        The term, or at most three similar ones (difflib ratio at least 0.75).
    """
    text = text.strip()
    by_id = _by_id(vocabulary, text)
    if by_id:
        return by_id
    both = _IDENTIFIER_AT_END.fullmatch(text)
    named = _named(vocabulary, text)
    if not named and both:
        by_id = _by_id(vocabulary, both[2], label=both[1])
        if by_id:
            return by_id
    if named:
        return Resolution(named, exact=named.label == text)
    close = difflib.get_close_matches(_fold(text), list(_names(vocabulary)), n=5, cutoff=0.75)
    return Resolution(None, near=tuple(dict.fromkeys(_names(vocabulary)[name] for name in close))[:3])


def _named(vocabulary: str, text: str) -> Term | None:
    return _symbols(vocabulary).get(text) or _names(vocabulary).get(_fold(text))


def _by_id(vocabulary: str, text: str, label: str = "") -> Resolution | None:
    identifier = curie(text)
    prefix = _PARTIAL.get(vocabulary)
    if not prefix:
        known = _ids(vocabulary).get(text)
        return Resolution(known) if known else None
    # A bare number is an id only for NCBI Taxonomy, whose ids are often written as the number alone.
    if vocabulary == "ncbitaxon" and text.isdecimal() and text.isascii():
        identifier = f"NCBITaxon:{int(text)}"
    if not identifier.startswith(prefix + ":"):
        return None
    term = _ids(vocabulary).get(identifier)
    if term:
        # If label and id contradict each other, only the author knows which is right, so neither is used.
        agrees = not label or _named(vocabulary, label) in {term, None}
        return Resolution(term if agrees else None, exact=text == term.id, near=() if agrees else (term,))
    return Resolution(Term(identifier, label or identifier), exact=False, listed=False)
