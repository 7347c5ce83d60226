"""Search public image archives, or a folder of crates, for studies: one query, one table."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.archives.crates import search_crates
from bioimage_suite.fair.archives.http import Web, base_address
from bioimage_suite.fair.archives.services import ARCHIVES, MAX_RESULTS
from bioimage_suite.fair.archives.studies import (
    FoundStudy,
    Query,
    asked_term,
    matches,
    merge_studies,
)
from bioimage_suite.fair.terms.licences import normal_licence

NOTE_COLUMNS = ("source", "address", "status", "studies", "note")


@dataclass(frozen=True)
class Answer:
    """Answer of one source: its studies, or the reason for its failure."""

    source: str
    address: str
    studies: tuple[FoundStudy, ...] = ()
    failure: str = ""


def read_query(config: Mapping[str, Any]) -> Query:
    """Read the query from a tool's configuration.

    Args:
        config: `text`, `organism`, `method`, `year_from`, `year_to`, `licence`; all are optional.

    Raises:
        UserError: A term is misspelt, or the years are in the wrong order.
    """
    year_from, year_to = (int(config.get(name) or 0) for name in ("year_from", "year_to"))
    if year_from and year_to and year_from > year_to:
        raise UserError(f"years {year_from} to {year_to}: the first is after the last. Swap them.")
    return Query(
        text=" ".join(str(config.get("text") or "").split()),
        organism=asked_term("ncbitaxon", str(config.get("organism") or ""), "organism"),
        method=asked_term("fbbi", str(config.get("method") or ""), "imaging method"),
        year_from=year_from,
        year_to=year_to,
        licence=normal_licence(str(config.get("licence") or "")),
    )


def ask_sources(addresses: Mapping[str, str], query: Query, limit: int, seconds: float) -> list[Answer]:
    """Ask all archives at the same time; a failure of one does not affect the others.

    Args:
        addresses: Address of the service by key of `ARCHIVES`.
        query: The query.
        limit: Largest number of studies per source.
        seconds: Time limit of each source.

    Returns:
        One answer per source, in the order of `addresses`.

    Raises:
        UserError: An address is invalid.
    """
    given = {key: base_address(address, ARCHIVES[key].name) for key, address in addresses.items()}
    web = Web.until(seconds, tuple(given.values()))
    answers: dict[str, Answer] = {}

    def ask(key: str) -> None:
        answers[key] = _ask(web, key, given[key], query, limit)

    # Daemon threads: a server that sends its headers byte by byte must not keep the tool running.
    threads = [threading.Thread(target=ask, args=(key,), daemon=True) for key in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, web.deadline - time.monotonic()))
    late = f"no whole answer within {seconds:g} s. Try again later, or give it more time."
    return [answers.get(key) or Answer(ARCHIVES[key].name, given[key], failure=late) for key in given]


def _ask(web: Web, key: str, address: str, query: Query, limit: int) -> Answer:
    source = ARCHIVES[key]
    try:
        studies = source.search(web, address, query, limit)
    except UserError as error:
        return Answer(source.name, address, failure=str(error))
    except Exception as error:  # no malformed answer may cost the answers of the other archives
        return Answer(source.name, address, failure=f"its answer cannot be read ({type(error).__name__}).")
    return Answer(source.name, address, tuple(study for study in studies if study.accession))


def combine(answers: Iterable[Answer], query: Query) -> tuple[list[FoundStudy], list[list[str]]]:
    """Filter and merge the studies of all answers, and make notes on each source.

    Returns:
        The studies that do not contradict the query, each once; and one row of notes per source.

    Raises:
        UserError: No source answered.
    """
    answers = list(answers)
    if all(answer.failure for answer in answers):
        failures = " | ".join(f"{answer.source}: {answer.failure}" for answer in answers)
        raise UserError(f"archives: none of them answered. {failures}")
    studies: list[FoundStudy] = []
    notes: list[list[str]] = []
    for answer in answers:
        fitting = [fit for study in answer.studies if (fit := matches(study, query))]
        studies += fitting
        notes.append(_note(answer, fitting))
    return merge_studies(studies), notes


def _note(answer: Answer, fitting: Sequence[FoundStudy]) -> list[str]:
    notes = [answer.failure]
    left_out = len(answer.studies) - len(fitting)
    if left_out:
        notes.append(f"{left_out} more were found but do not fit organism, method, year or licence")
    unchecked = sum(1 for study in fitting if study.unchecked)
    if unchecked:
        notes.append(f"of {unchecked} the archive does not say all that was asked for (column unchecked)")
    status = "failed" if answer.failure else "answered"
    return [answer.source, answer.address, status, str(len(fitting)), "; ".join(note for note in notes if note)]


def search(config: Mapping[str, Any]) -> tuple[list[FoundStudy], list[list[str]]]:
    """Run the search that a tool's configuration asks for.

    Args:
        config: The keys of `read_query`; `limit`; and either `crates` (path and name of each) or `sources` (key to
            address, empty for the usual one) and `seconds`.

    Raises:
        UserError: There is nothing to search, the query is invalid, or no source answered.
    """
    query = read_query(config)
    limit = int(config.get("limit") or 100)
    if not 1 <= limit <= MAX_RESULTS:
        raise UserError(f"number of studies {limit}: out of range. Ask for 1 to {MAX_RESULTS}.")
    if config.get("crates"):
        found, failures = search_crates(config["crates"], query)
        broken = [Answer(name, "", failure=str(error)) for name, error in failures]
        studies, notes = combine([Answer("crates", "", tuple(found)), *broken], query)
        return studies[:limit], notes
    sources = config.get("sources") or {}
    if not sources:
        raise UserError("archives: none is chosen. Choose at least one, or give crates.")
    addresses = {key: str(address or "").strip() or ARCHIVES[key].address for key, address in sources.items()}
    return combine(ask_sources(addresses, query, limit, float(config.get("seconds") or 60)), query)
