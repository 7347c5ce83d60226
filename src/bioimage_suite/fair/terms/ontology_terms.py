"""Offline resolution of texts to ontology terms with the tables in `terms/` (see terms/README.md)."""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bioimage_suite.core.texts import whole_number
from bioimage_suite.tables.delimited import shipped_rows

TERMS_FOLDER = Path(__file__).resolve().parent / "term_tables"
VOCABULARY_NAMES = {
    "fbbi": "FBbi (imaging methods)",
    "ncbitaxon": "NCBI Taxonomy (subset)",
    "uo": "Units of measurement ontology",
    "efo": "EFO (subset)",
    "clo": "Cell Line Ontology (subset)",
    "entity": "CL, UBERON and GO (cells, tissues, structures)",
    "licenses": "licences of the BioImage Archive",
    "annotation_type": "MIFA annotation types",
    "experimental_status": "REMBI experimental status",
    "image_type": "REMBI image types",
}
COMPLETE = {"fbbi", "uo"}
"""Vocabularies of which the table holds a whole release; of other ontologies it holds a part."""
_PREFIXES_OF = {
    "fbbi": ("FBbi",),
    "ncbitaxon": ("NCBITaxon",),
    "efo": ("EFO",),
    "clo": ("CLO",),
    "uo": ("UO",),
    "entity": ("CL", "UBERON", "GO"),
}
# Ids of NCBI Taxonomy have no fixed width; FBbi's have 8 digits and the others 7.
_DIGITS = {"NCBITaxon": 0, "FBbi": 8}
_PREFIXES = {prefix.casefold(): prefix for prefixes in _PREFIXES_OF.values() for prefix in prefixes} | dict.fromkeys(
    ("ncbi", "taxonomy", "txid", "taxid"), "NCBITaxon"
)
# Short prefixes need their separator: "GO 1" is not an id.
_IDENTIFIER = re.compile(
    r"(?:[^\s\[(]*[/:#])?"
    r"(?:(FBbi|NCBITaxon|EFO|CLO|UO|NCBI|taxonomy|txid|taxid)[_:/ ]*(?:txid)?|(CL|GO|UBERON)[_:] ?)0*(\d+)",
    re.IGNORECASE,
)
_IDENTIFIER_AT_END = re.compile(r"(.+?)\s*[\[(]([^\[\]()]+)[\])]")
_BRACKETS = re.compile(r"[^\s()\[\]][^()\[\]]*[(\[][^()\[\]]+[)\]]")
_PARTS = re.compile(r"\s*[()\[\]/,|=]\s*|\s+-\s+")
_DASHES = str.maketrans(dict.fromkeys("\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}", "-"))
# Between letters and digits these mean nothing in names: U-2 OS, U2OS; NIH/3T3, NIH 3T3.
_SEPARATORS = re.compile(r"(?<=\w)[\s\-/.,']+(?=\w)")
_GENUS = re.compile(r"([a-z])\.\s?([a-z]{3,})")
# Names with fewer letters are mostly acronyms, of which a similar one means something else: CLEM is not CLSM.
_SHORTEST_MISSPELT = 5
# The longest name in the tables has 113 letters; longer text is a sentence.
_LONGEST_MISSPELT = 150
# The beginning of a word that more names have, such as that of "cell", tells too little to look through all of them.
_TELLING = 500


@dataclass(frozen=True)
class Term:
    """A term.

    Attributes:
        id: A CURIE such as `NCBITaxon:9606`, an IRI, or the label itself in small vocabularies.
        label: The preferred name.
        synonyms: Other names of the same thing.
        narrower: Names of narrower things, for which the vocabulary has no closer term.
        status: Empty, `apart` (a current term that forms do not offer), `obsolete`, or the id of the term that replaces
            this obsolete one.
    """

    id: str
    label: str
    synonyms: tuple[str, ...] = ()
    narrower: tuple[str, ...] = ()
    status: str = ""

    @property
    def obsolete(self) -> bool:
        """Whether the term must no longer be used."""
        return self.status not in {"", "apart"}

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
        broader: Whether the term is only the closest broader one.
        obsolete: The obsolete term that the text names; `term` is then its successor, or itself when it has none.
        absent: When the vocabulary is known to have no term for the text: what to write instead, or empty text.
    """

    term: Term | None
    exact: bool = True
    listed: bool = True
    near: tuple[Term, ...] = ()
    broader: bool = False
    obsolete: Term | None = None
    absent: str | None = None


_EXTRA_TABLES: dict[str, Path] = {}


def extend_vocabulary(vocabulary: str, table: Path) -> None:
    """Let a vocabulary know the terms of a further table too, for this process.

    Args:
        vocabulary: Name of the table to extend; its own terms win where both have a name.
        table: A table of the same columns.
    """
    _EXTRA_TABLES[vocabulary] = table
    for cached in _CACHED:
        cached.cache_clear()


@cache
def load_terms(vocabulary: str) -> tuple[Term, ...]:
    """Read a table of terms, in the table's order; after it, the terms that only a further table has."""
    own = _shipped_terms(vocabulary)
    if vocabulary not in _EXTRA_TABLES:
        return own
    known = {term.id for term in own}
    return (*own, *(_term(row) for row in shipped_rows(_EXTRA_TABLES[vocabulary]) if row["id"] not in known))


def table_name(vocabulary: str) -> str:
    """Return the name of the file of a vocabulary's table; the largest is compressed."""
    return f"{vocabulary}.tsv.gz" if vocabulary == "entity" else f"{vocabulary}.tsv"


@cache
def _shipped_terms(vocabulary: str) -> tuple[Term, ...]:
    return tuple(map(_term, shipped_rows(TERMS_FOLDER / table_name(vocabulary))))


def _term(row: dict[str, str]) -> Term:
    return Term(row["id"], row["label"], _list(row["synonyms"]), _list(row.get("narrower")), row.get("status") or "")


def _list(cell: str | None) -> tuple[str, ...]:
    return tuple(part for part in (cell or "").split("|") if part)


def choices(vocabulary: str) -> list[str]:
    """Return the labels that a form offers, sorted: those of terms that are not obsolete."""
    return sorted({term.label for term in load_terms(vocabulary) if not term.status}, key=str.casefold)


def _owners(vocabulary: str, fold: Callable[[str], str]) -> dict[str, Term]:
    """Map folded names to terms.

    A current term wins over an obsolete one, one of the shipped table over one of a further table, a label over a
    synonym, an earlier one of two labels over a later one; a synonym of several terms leads nowhere.
    """
    terms = load_terms(vocabulary)
    shipped = len(_shipped_terms(vocabulary))
    names: dict[str, Term] = {}
    for layer in (
        [term for term in terms if term.obsolete],
        [term for term in terms[shipped:] if not term.obsolete],
        [term for term in terms[:shipped] if not term.obsolete],
    ):
        synonyms: dict[str, set[Term]] = {}
        for term in layer:
            for synonym in term.synonyms:
                synonyms.setdefault(fold(synonym), set()).add(term)
        names |= {name: next(iter(owners)) for name, owners in synonyms.items() if len(owners) == 1}
        names |= {fold(term.label): term for term in reversed(layer)}
    return names


@cache
def _names(vocabulary: str) -> dict[str, Term]:
    return _owners(vocabulary, _fold)


@cache
def _squeezed(vocabulary: str) -> dict[str, Term]:
    return _owners(vocabulary, _squeeze)


@cache
def _symbols(vocabulary: str) -> dict[str, Term]:
    """Map case-sensitive names to terms: `mM` is millimolar, `mm` millimetre."""
    return _owners(vocabulary, str)


@cache
def _ids(vocabulary: str) -> dict[str, Term]:
    return {term.id: term for term in load_terms(vocabulary)}


@cache
def _narrower(vocabulary: str) -> dict[str, Term]:
    return {_squeeze(name): term for term in load_terms(vocabulary) for name in term.narrower}


@cache
def _absent() -> dict[tuple[str, str], str]:
    """Map (table, squeezed text) of what is known to have no term to what to write instead."""
    return {
        (row["table"], _squeeze(row["text"])): row["note"] or "" for row in shipped_rows(TERMS_FOLDER / "no_term.tsv")
    }


def _fold(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).translate(_DASHES).casefold().replace("_", " ").split())


def _squeeze(name: str) -> str:
    return _SEPARATORS.sub("", _fold(name))


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
    prefix = _PREFIXES[(match[1] or match[2]).casefold()]
    return f"{prefix}:{match[3].zfill(_DIGITS.get(prefix, 7))}"


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


def ontology_file(prefix: str) -> str:
    """Return the address of the ontology whose terms have a prefix: EFO's own, else the OBO Foundry's.

    >>> ontology_file("NCBITaxon")
    'http://purl.obolibrary.org/obo/ncbitaxon.owl'
    """
    return (
        "http://www.ebi.ac.uk/efo/efo.owl"
        if prefix == "EFO"
        else f"http://purl.obolibrary.org/obo/{prefix.lower()}.owl"
    )


@cache
def resolve(vocabulary: str, text: str) -> Resolution:
    """Find the term that a text means.

    Args:
        vocabulary: Name of the table, such as `ncbitaxon`.
        text: A label, synonym, id in any spelling, `label (id)`, or several names of one term, as
            `Homo sapiens (human)`.

    Returns:
        The term, or at most three whose names differ by a slip of the hand (see `_near`).
    """
    found = find(vocabulary, text)
    if found:
        return found
    text = text.strip().strip("*_ ")
    return Resolution(None, near=_near(vocabulary, text) or _parts_named(vocabulary, text))


@cache
def find(vocabulary: str, text: str) -> Resolution | None:
    """Find the term that a text means, as `resolve`, but nothing near it."""
    text = text.strip().strip("*_ ")
    found = _by_id(vocabulary, text)
    if found:
        return found
    named = _named(vocabulary, text)
    if not named and (both := _IDENTIFIER_AT_END.fullmatch(text)):
        found = _by_id(vocabulary, both[2], label=both[1])
        if found:
            return found
    named = named or _of_parts(vocabulary, text)
    if named:
        return _current(vocabulary, Resolution(named, exact=named.label == text))
    squeezed = _squeeze(text)
    if squeezed in _narrower(vocabulary):
        return Resolution(_narrower(vocabulary)[squeezed], exact=False, broader=True)
    if (vocabulary, squeezed) in _absent():
        return Resolution(None, absent=_absent()[vocabulary, squeezed])
    return None


def _named(vocabulary: str, text: str) -> Term | None:
    """Return the term with a name: as written, then in another case, then with other blanks and hyphens."""
    found = _symbols(vocabulary).get(text) or _names(vocabulary).get(_fold(text))
    if found or vocabulary == "uo":
        return found
    squeezed = _squeeze(text)
    found = _squeezed(vocabulary).get(squeezed)
    if not found and vocabulary in {"clo", "entity"} and squeezed.endswith("s"):
        found = _squeezed(vocabulary).get(squeezed[:-1])
    return found or (_of_abbreviated_genus(text) if vocabulary == "ncbitaxon" else None)


def _of_abbreviated_genus(text: str) -> Term | None:
    """Return the only listed species of an abbreviated name such as `D. melanogaster`."""
    match = _GENUS.fullmatch(_fold(text))
    if not match:
        return None
    found = [
        term
        for name, term in _names("ncbitaxon").items()
        if name.startswith(match[1]) and name.split()[1:] == [match[2]]
    ]
    return found[0] if len(set(found)) == 1 else None


def _of_parts(vocabulary: str, text: str) -> Term | None:
    """Return the term that a text names in several ways, as `Homo sapiens (human)`.

    All parts must name it; after a name, brackets may also hold what is no name of a term, as
    `Mus musculus (C57BL/6)`.
    """
    parts = [part for part in _PARTS.split(text) if part]
    if len(parts) < 2:
        return None
    found = {_named(vocabulary, part) or _ids(vocabulary).get(curie(part)) for part in parts}
    if _BRACKETS.fullmatch(text) and _named(vocabulary, parts[0]):
        found -= {None}
    return found.pop() if len(found) == 1 else None


def _by_id(vocabulary: str, text: str, label: str = "") -> Resolution | None:
    if vocabulary not in _PREFIXES_OF:
        known = _ids(vocabulary).get(text)
        return Resolution(known) if known else None
    identifier = curie(text)
    # A bare number is an id only for NCBI Taxonomy, whose ids are often written as the number alone.
    if vocabulary == "ncbitaxon" and (number := whole_number(text)) is not None:
        identifier = f"NCBITaxon:{number}"
    if identifier.partition(":")[0] not in _PREFIXES_OF[vocabulary]:
        return None
    term = _ids(vocabulary).get(identifier)
    if term:
        # If label and id contradict each other, only the author knows which is right, so neither is used.
        named = (_named(vocabulary, label) or _of_parts(vocabulary, label)) if label else None
        agrees = named in {term, None} or (named is not None and named.id == term.status)
        found = Resolution(term if agrees else None, exact=text == term.id, near=() if agrees else (term,))
        return _current(vocabulary, found)
    return Resolution(Term(identifier, label or identifier), exact=False, listed=False)


def _current(vocabulary: str, found: Resolution) -> Resolution:
    """Follow an obsolete term to its successor."""
    old = found.term
    if not old or not old.obsolete:
        return found
    if old.status == "obsolete":
        return replace(found, obsolete=old)
    successor = _ids(vocabulary).get(old.status) or Term(old.status, old.label)
    return replace(found, term=successor, exact=False, obsolete=old)


def _parts_named(vocabulary: str, text: str) -> tuple[Term, ...]:
    """Return the terms that a text names part by part, as `mouse/human`, or the organism with which it begins.

    An organism is often followed by its strain or stage: `mouse, C57BL/6J`, `Zebrafish larvae`.
    """
    if len(text) > _LONGEST_MISSPELT:
        return ()
    parts = [_named(vocabulary, part) for part in _PARTS.split(text) if part]
    if len(parts) > 1 and all(parts):
        return tuple(dict.fromkeys(part for part in parts if part))[:3]
    words = text.split() if vocabulary == "ncbitaxon" else []
    begun = (_named(vocabulary, " ".join(words[:count]).rstrip(",;:")) for count in range(len(words) - 1, 0, -1))
    return next(((term,) for term in begun if term), ())


@cache
def _by_word(vocabulary: str) -> dict[str, tuple[tuple[str, tuple[str, ...], Term], ...]]:
    """Map the first three letters of each longer word of a name to the names, their words and their terms."""
    index: dict[str, dict[str, tuple[str, tuple[str, ...], Term]]] = {}
    for name, term in _names(vocabulary).items():
        if not term.obsolete:
            words = tuple(_words(name))
            for start in _starts(words):
                index.setdefault(start, {})[name] = (name, words, term)
    return {start: tuple(names.values()) for start, names in index.items() if len(names) <= _TELLING}


def _starts(words: Iterable[str]) -> set[str]:
    """Return the beginnings of the words that can be misspelt, or say something: a slip comes after them."""
    return {word[:3] for word in words if len(word) >= _SHORTEST_MISSPELT - 1}


def _words(name: str) -> list[str]:
    return re.findall(r"\w+", name)


def _near(vocabulary: str, text: str) -> tuple[Term, ...]:
    """Return at most three terms that a misspelt or incomplete name may mean.

    A name is near if word for word it is the same but for a slip of the hand (`_slip`), or if it has all the words of
    the text, or the text all of its two or more. Likeness of letters alone misleads: CLEM resembles CLSM, STEM
    resembles TEM.
    """
    words = _words(_fold(text))
    if len(text) > _LONGEST_MISSPELT:
        return ()
    least = _SHORTEST_MISSPELT - (len(words) > 1)
    found = {one for start in _starts(words) for one in _by_word(vocabulary).get(start, ())}
    # Of FBbi, labels and preparations are known if somebody writes them, but lead on from no other text.
    candidates = {one for one in found if one[-1].status != "apart"}
    ranked = []
    for name, of_name, term in candidates:
        if len(of_name) == len(words) and all(_slip(*pair, least) for pair in zip(words, of_name, strict=True)):
            rank = 0
        elif (len(of_name) > 1 and _contains(words, of_name)) or (
            _contains(of_name, words) and not _digits(of_name) - _digits(words)
        ):
            rank = 1
        else:
            continue
        likeness = difflib.SequenceMatcher(None, _fold(text), name).ratio()
        ranked.append((rank, -likeness, name, term))
    ranked.sort(key=lambda one: one[:3])
    return tuple(dict.fromkeys(term for rank, *_, term in ranked if rank == ranked[0][0]))[:3]


def _contains(whole: Sequence[str], part: Sequence[str]) -> bool:
    """Return whether one name has all the words of another, which are enough to say something."""
    return set(part) < set(whole) and sum(map(len, part)) > _SHORTEST_MISSPELT


def _digits(words: Iterable[str]) -> set[str]:
    return {word for word in words if any(letter.isdecimal() for letter in word)}


def _slip(word: str, other: str, least: int) -> bool:
    """Return whether two words are the same but for one letter, or for two in words of at least nine letters.

    Numbers and words of fewer than `least` letters must be equal, and the first letters: HEK293 is not HEK294,
    intracellular not extracellular.
    """
    if word == other:
        return True
    shortest = min(len(word), len(other))
    if shortest < least or word[0] != other[0] or _digits([word, other]):
        return False
    return _distance(word, other) <= (2 if shortest >= 9 else 1)


def _distance(word: str, other: str) -> int:
    """Return the least number of letters to insert, delete, change or swap (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            row.append(min(row[-1] + 1, last[j] + 1, last[j - 1] + (letter != wanted)))
            if i > 1 < j and letter == other[j - 2] and word[i - 2] == wanted:
                row[-1] = min(row[-1], before[j - 2] + 1)
        before, last = last, row
    return last[-1]


# What is kept of a vocabulary, which `extend_vocabulary` makes outdated.
_CACHED = (load_terms, _names, _squeezed, _symbols, _ids, _narrower, _by_word, resolve, find)
