"""The archives that can be searched over the network: the query that each takes and the format of its answer.

Formats (read from the services' sources, November 2026): foundingGIDE gide-search `GET /search`; BioImage Archive
bia-search `GET /v1/search/fts` (its filters as in queryBuilder.py of May 2026), or BioStudies `GET /BioImages/search`;
IDR omero_search_engine 0.8 `POST resources/submitquery/containers/`. SSBD's studies are in GIDE's index.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.texts import whole_number
from bioimage_suite.fair.archives.crates import study_of_entry
from bioimage_suite.fair.archives.http import Web, ask_json, server_address, web_link
from bioimage_suite.fair.archives.studies import FoundStudy, Query, join_distinct
from bioimage_suite.fair.terms.json_ld import as_list, as_text, objects_in
from bioimage_suite.fair.terms.ontology_terms import curie, iri

_HITS_PER_PAGE = 100
# Largest number of hits; each service is asked page by page.
MAX_RESULTS = 1000
_MAX_YEARS = 100


@dataclass(frozen=True)
class Archive:
    """An archive: its name in the table, its usual address, and how it is searched."""

    name: str
    address: str
    search: Callable[[Web, str, Query, int], list[FoundStudy]]


def _expect(value: Any, kind: type, what: str) -> Any:
    """Check the type of a part of an answer and return it; raise UserError for any other type."""
    if not isinstance(value, kind):
        raise UserError(f"its answer has no {what}. Is this the address of that service?")
    return value


def _pages(limit: int, ask: Callable[[int, int], tuple[list[Any], int]]) -> Iterator[Any]:
    """Yield hits page by page: `ask(page, offset)` returns a page, counted from 0, and the total (0: unknown)."""
    offset = 0
    for page in range(limit):
        hits, total = ask(page, offset)
        yield from hits[: limit - offset]
        offset += len(hits)
        if not hits or offset >= min(limit, total or limit):
            return


def search_gide(web: Web, address: str, query: Query, limit: int, publishers: tuple[str, ...] = ()) -> list[FoundStudy]:
    """Search foundingGIDE's index.

    Args:
        web: Limits of the requests.
        address: Address of the service, to which `/search` is appended.
        query: The query. Organism and method are sent as IRIs, the only form that GIDE accepts.
        limit: Largest number of studies.
        publishers: Archives to restrict the search to; none means all.

    Raises:
        UserError: The server does not answer, or not in GIDE's format.
    """
    wanted = [
        ("q", query.text),
        *(("publisher", name) for name in publishers),
        ("organism", iri(query.organism.id) if query.organism and query.organism.id else ""),
        ("imaging_method", iri(query.method.id) if query.method and query.method.id else ""),
        # GIDE expands its own short form of CC0 to an address that does not occur in its data.
        ("license", query.licence if web_link(query.licence) else ""),
        ("year_from", str(query.year_from or "")),
        ("year_to", str(query.year_to or "")),
    ]
    parameters = [(key, value) for key, value in wanted if value]

    def ask(_: int, offset: int) -> tuple[list[Any], int]:
        paging = [("size", min(_HITS_PER_PAGE, limit - offset)), ("offset", offset)]
        url = f"{address}/search?{urlencode([*parameters, *paging])}"
        answer = _expect(ask_json(web, url), dict, "hits")
        return _expect(answer.get("hits"), list, "hits"), _whole(answer.get("total"))

    entries = (_expect(_expect(hit, dict, "entry").get("entry"), dict, "entry") for hit in _pages(limit, ask))
    return [study_of_entry(entry, _gide_source(entry)) for entry in entries]


def _gide_source(entry: dict[str, Any]) -> str:
    publisher = entry.get("publisher")
    name = as_text(publisher.get("name")) if isinstance(publisher, dict) else ""
    return f"GIDE ({name})" if name else "GIDE"


def search_ssbd(web: Web, address: str, query: Query, limit: int) -> list[FoundStudy]:
    """Search SSBD's studies through GIDE: see `search_gide`."""
    return search_gide(web, address, query, limit, ("SSBD:repository", "SSBD:database"))


def search_bia(web: Web, address: str, query: Query, limit: int) -> list[FoundStudy]:
    """Search the BioImage Archive.

    Args:
        web: Limits of the requests.
        address: Address of bia-search (ends in `/v1/search`), which has filters; otherwise of BioStudies' API, which
            only searches texts.
        query: The query.
        limit: Largest number of studies.

    Raises:
        UserError: The server does not answer, or not in the service's format.
    """
    if address.endswith("/v1/search"):
        return _search_bia_index(web, address, query, limit)
    return _search_biostudies(web, address, query, limit)


def _search_bia_index(web: Web, address: str, query: Query, limit: int) -> list[FoundStudy]:
    wanted = [
        ("query", query.text),
        ("facet.organism.eq", query.organism.label if query.organism else ""),
        ("facet.imaging_method.eq", query.method.label if query.method else ""),
        # The index keeps licences as whole addresses in the form of `normal_licence`.
        ("facet.licence.eq", query.licence if web_link(query.licence) else ""),
        *(("facet.year.or", year) for year in _years(query)),
    ]
    parameters = [(key, value) for key, value in wanted if value]

    def ask(page: int, _: int) -> tuple[list[Any], int]:
        paging = [("pagination.page", page + 1), ("pagination.page_size", _HITS_PER_PAGE)]
        answer = _expect(ask_json(web, f"{address}/fts?{urlencode([*parameters, *paging])}"), dict, "hits")
        hits = _expect(answer.get("hits"), dict, "hits")
        total = hits.get("total")
        return _expect(hits.get("hits"), list, "hits"), _whole(total.get("value") if isinstance(total, dict) else total)

    return [
        _bia_study(_expect(_expect(hit, dict, "_source").get("_source"), dict, "_source")) for hit in _pages(limit, ask)
    ]


def _years(query: Query) -> list[str]:
    """Return each year asked for, the form of bia-search's facet; none for a range without a beginning.

    Such a range, or one of more years than an address should hold, is left to `studies.matches`.
    """
    years = range(query.year_from, min(query.year_to or 9999, date.today().year) + 1)
    return list(map(str, years)) if query.year_from and len(years) <= _MAX_YEARS else []


def _bia_study(study: dict[str, Any]) -> FoundStudy:
    accession = as_text(study.get("accession_id"))
    datasets = objects_in(study.get("dataset"))
    entities = [part for dataset in datasets for part in objects_in(dataset.get("biological_entity"))]
    taxa = [taxon for entity in entities for taxon in objects_in(entity.get("organism_classification"))]
    processes = [part for dataset in datasets for part in objects_in(dataset.get("acquisition_process"))]
    pictures = [picture for dataset in datasets for picture in as_list(dataset.get("example_image_uri"))]
    return FoundStudy(
        source="BioImage Archive",
        accession=accession,
        title=as_text(study.get("title")),
        organism=join_distinct(as_text(taxon.get("scientific_name")) for taxon in taxa),
        organism_id=join_distinct(_taxon_curie(taxon.get("ncbi_id")) for taxon in taxa),
        method=join_distinct(as_text(name) for part in processes for name in as_list(part.get("imaging_method_name"))),
        method_id=join_distinct(curie(as_text(term)) for part in processes for term in as_list(part.get("fbbi_id"))),
        licence=as_text(study.get("licence")),
        date=as_text(study.get("release_date"))[:10],
        link=_bia_link(accession),
        thumbnail=next((link for picture in pictures if (link := web_link(picture))), ""),
    )


def _taxon_curie(identifier: Any) -> str:
    text = as_text(identifier)
    number = whole_number(text)
    return curie(text) if number is None else f"NCBITaxon:{number}"


def _bia_link(accession: str) -> str:
    return f"https://www.ebi.ac.uk/biostudies/bioimages/studies/{quote(accession, safe='')}" if accession else ""


def _search_biostudies(web: Web, address: str, query: Query, limit: int) -> list[FoundStudy]:
    def ask(page: int, _: int) -> tuple[list[Any], int]:
        words = urlencode({"query": query.text, "pageSize": _HITS_PER_PAGE, "page": page + 1})
        answer = _expect(ask_json(web, f"{address}/BioImages/search?{words}"), dict, "hits")
        return _expect(answer.get("hits"), list, "hits"), _whole(answer.get("totalHits"))

    studies = []
    for hit in _pages(limit, ask):
        accession = as_text(_expect(hit, dict, "accession").get("accession"))
        studies.append(
            FoundStudy(
                source="BioImage Archive",
                accession=accession,
                title=as_text(hit.get("title")),
                date=as_text(hit.get("release_date"))[:10],
                link=_bia_link(accession),
                files=as_text(hit.get("files")),
            )
        )
    return studies


def search_idr(web: Web, address: str, query: Query, limit: int) -> list[FoundStudy]:
    """Search the Image Data Resource: its projects and screens, by organism, method and words in their titles.

    Args:
        web: Limits of the requests.
        address: Address of the search engine's `api/v1/resources`.
        query: The query. The engine compares whole values, so each word of the text is a condition of its own.
        limit: Largest number of studies.

    Raises:
        UserError: The server does not answer, answers with an error, or answers in another format.
    """
    conditions = []
    if query.organism:
        conditions.append(_idr_filter("Organism", query.organism.label, "equals", "image"))
    if query.method:
        conditions.append(_idr_filter("Imaging Method", query.method.label, "contains", "container"))
    titles = ("Study Title", "Publication Title", "Description", "name")
    words = [[_idr_filter(title, word, "contains", "container") for title in titles] for word in query.text.split()]
    if not conditions and not words:
        # The engine refuses a query without a condition; nearly every organism has an "a" in its name.
        conditions.append(_idr_filter("Organism", "a", "contains", "image"))
    body = {"query_details": {"and_filters": conditions, "or_filters": words, "case_sensitive": False}}
    answer = _expect(ask_json(web, f"{address}/submitquery/containers/", body=body), dict, "results")
    error = as_text(answer.get("Error"))
    if error and error.casefold() != "none":
        raise UserError(f"it answers: {' '.join(error.split())[:300]}. Ask in other words.")
    found = _expect(_expect(answer.get("results"), dict, "results").get("results"), list, "results")
    return [_idr_study(_expect(hit, dict, "study"), address) for hit in found[:limit]]


def _idr_filter(name: str, value: str, operator: str, resource: str) -> dict[str, str]:
    return {"name": name, "value": value, "operator": operator, "resource": resource}


def _idr_study(hit: dict[str, Any], address: str) -> FoundStudy:
    pairs: dict[str, list[str]] = {}
    for pair in objects_in(hit.get("key_values")):
        # The key is named `name` in key-value pairs of images, `key` in those of containers.
        pairs.setdefault(as_text(pair.get("key") or pair.get("name")), []).append(as_text(pair.get("value")))
    name = as_text(hit.get("name") or hit.get("Name (IDR number)"))
    kind, identifier = as_text(hit.get("type")), as_text(hit.get("id"))
    server = server_address(address)
    return FoundStudy(
        source="IDR",
        accession=name or f"{kind}:{identifier}",
        title=join_distinct(pairs.get("Study Title", pairs.get("Publication Title", [name]))),
        organism=join_distinct(pairs.get("Organism", [])),
        organism_id=join_distinct(
            curie(value) for key, values in pairs.items() if key.startswith("Term Source") for value in values
        ),
        method=join_distinct(pairs.get("Imaging Method", [])),
        licence=join_distinct(pairs.get("License", [])),
        date=join_distinct(pairs.get("Release Date", []))[:10],
        link=f"{server}/webclient/?show={quote(kind)}-{quote(identifier)}" if kind and identifier else "",
        files=as_text(hit.get("image count")),
    )


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


ARCHIVES = {
    "gide": Archive("GIDE", "https://wwwdev.gide-project.org/search", search_gide),
    "bia": Archive("BioImage Archive", "https://www.ebi.ac.uk/biostudies/api/v1", search_bia),
    "idr": Archive("IDR", "https://idr.openmicroscopy.org/searchengine/api/v1/resources", search_idr),
    "ssbd": Archive("SSBD", "https://wwwdev.gide-project.org/search", search_ssbd),
}
