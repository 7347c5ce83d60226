"""Queries and studies of an archive search, in one form for all archives."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.terms.licences import normal_licence
from bioimage_suite.fair.terms.ontology_terms import Term, resolve


@dataclass(frozen=True)
class Query:
    """A search query.

    Attributes:
        text: Words, all of which must occur.
        organism: Taxon, or None. Its id is empty for a name that is not in the shipped table.
        method: Imaging method (FBbi), or None; its id as for `organism`.
        year_from: First year of publication, or 0.
        year_to: Last year of publication, or 0.
        licence: Licence in the form of `normal_licence`, or empty.
    """

    text: str = ""
    organism: Term | None = None
    method: Term | None = None
    year_from: int = 0
    year_to: int = 0
    licence: str = ""

    @property
    def words(self) -> list[str]:
        """The words of the text, in lower case."""
        return self.text.casefold().split()


@dataclass(frozen=True)
class FoundStudy:
    """A study of an archive; values that the archive does not give are empty.

    Attributes:
        source: Archives where the study was found, joined by `; `.
        accession: Accession.
        title: Title.
        organism: Names of organisms, joined by `; `.
        organism_id: CURIEs such as `NCBITaxon:9606`, joined by `; `.
        method: Names of imaging methods, joined by `; `.
        method_id: CURIEs such as `FBbi:00000251`, joined by `; `.
        licence: Address of the licence, or the archive's own text.
        date: Date of publication, ISO 8601.
        link: Address of the landing page.
        thumbnail: Address of a thumbnail.
        files: Number of files.
        bytes: Total size in bytes.
        unchecked: Conditions of the query that the archive's answer has no data for.
    """

    source: str
    accession: str
    title: str = ""
    organism: str = ""
    organism_id: str = ""
    method: str = ""
    method_id: str = ""
    licence: str = ""
    date: str = ""
    link: str = ""
    thumbnail: str = ""
    files: str = ""
    bytes: str = ""
    unchecked: str = ""


STUDY_COLUMNS = [column.name for column in fields(FoundStudy)]


def join_distinct(parts: Iterable[str]) -> str:
    """Join the distinct texts that are not empty, in order, by `; `."""
    return "; ".join(dict.fromkeys(part for part in parts if part))


def asked_term(vocabulary: str, text: str, name: str) -> Term | None:
    """Find the vocabulary term that the user typed.

    Returns:
        The term; a term without id for a name that resembles none in the table; None for empty text.

    Raises:
        UserError: The name is not in the table but resembles one that is: it is probably misspelt.
    """
    if not text.strip():
        return None
    resolution = resolve(vocabulary, text)
    if resolution.term:
        return resolution.term
    if resolution.near:
        near = ", ".join(term.text for term in resolution.near)
        raise UserError(
            f"{name} {text!r}: not a known name. Did you mean {near}? An id (as {resolution.near[0].id}) works too."
        )
    return Term("", text.strip())


def matches(study: FoundStudy, query: Query) -> FoundStudy | None:
    """Check a study against the query again, because archives differ in their filters.

    Returns:
        The study with `unchecked` filled in, or None when it contradicts the query.
    """
    verdicts = {
        "organism": _has_term(study.organism, study.organism_id, query.organism),
        "method": _has_term(study.method, study.method_id, query.method),
        "year": _in_years(study.date, query),
        "licence": _same_licence(study.licence, query.licence),
    }
    if False in verdicts.values():
        return None
    return replace(study, unchecked=join_distinct(name for name, verdict in verdicts.items() if verdict is None))


def _has_term(names: str, ids: str, asked: Term | None) -> bool | None:
    """Return whether the term is among names and ids, or None when both are empty."""
    if asked is None:
        return True
    if not names and not ids:
        return None
    wanted = {name.casefold() for name in (asked.label, *asked.synonyms)}
    return (bool(asked.id) and asked.id in ids.split("; ")) or any(
        name.casefold() in wanted for name in names.split("; ")
    )


def _in_years(date: str, query: Query) -> bool | None:
    if not query.year_from and not query.year_to:
        return True
    if not re.match(r"\d{4}", date):
        return None
    return (query.year_from or 0) <= int(date[:4]) <= (query.year_to or 9999)


def _same_licence(licence: str, asked: str) -> bool | None:
    if not asked:
        return True
    return normal_licence(licence) == asked if licence else None


def merge_studies(studies: Iterable[FoundStudy]) -> list[FoundStudy]:
    """Merge studies with the same accession (ignoring case), in order of first appearance.

    The first study's values win; later ones fill gaps. A condition stays unchecked only if no study could check it.
    """
    merged: dict[str, FoundStudy] = {}
    for study in studies:
        key = study.accession.casefold()
        merged[key] = _merge(merged[key], study) if key in merged else study
    return list(merged.values())


def _merge(first: FoundStudy, second: FoundStudy) -> FoundStudy:
    filled = {
        name: getattr(first, name) or getattr(second, name)
        for name in STUDY_COLUMNS
        if name not in {"source", "unchecked"}
    }
    both = set(first.unchecked.split("; ")) & set(second.unchecked.split("; "))
    unchecked = join_distinct(name for name in first.unchecked.split("; ") if name in both)
    return FoundStudy(source=join_distinct((*first.source.split("; "), second.source)), unchecked=unchecked, **filled)
