"""Read studies from GIDE's descriptions: RO-Crate graphs on disk, and the same entities nested in GIDE's answers.

The profile: GIDE search input RO-Crate profile 0.2 (foundingGIDE, January 2026). Known deviations of published crates
are read without complaint: the type `QuantitiveValue`, `citation` for `seeAlso`, prefixed ids (`obo:FBbi_...`), a
descriptor named `<accession>-ro-crate-metadata.json`, single values where lists are meant.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.untrusted_files import MAX_JSON_BYTES, open_zip, parse_json, read_member
from bioimage_suite.fair.archives.http import url_path, web_link
from bioimage_suite.fair.archives.studies import FoundStudy, Query, join_distinct
from bioimage_suite.fair.terms.json_ld import DESCRIPTOR_NAMES, as_list, as_text, by_id, objects_in, root_id
from bioimage_suite.fair.terms.ontology_terms import BYTES, FILE_COUNT, Term, curie, iri

# Weight of a matching word by field, as in GIDE's own search.
_WEIGHTS = {"name": 3, "description": 2, "keywords": 2}


def read_crates(paths: Iterable[tuple[Path, str]]) -> Iterator[tuple[str, dict[str, Any] | UserError]]:
    """Read the root entities of crates and replace their references by the entities referred to.

    Args:
        paths: Paths and display names of JSON crates, zips of crates, or folders of both.

    Yields:
        The name of the crate's file and its root entity. A file that cannot be read (not JSON, no crate, a zip bomb,
        a zip or folder without a crate) yields its error instead, so that the other files are still read.
    """
    for path, name in paths:
        found = False
        try:
            for member, data in _crate_files(path, name):
                found = True
                yield member, _root_or_error(data, member)
            if not found:
                raise UserError(f"{name}: holds no file named ro-crate-metadata.json. Give a folder or zip of crates.")
        except UserError as error:
            yield name, error


def _root_or_error(data: bytes, name: str) -> dict[str, Any] | UserError:
    try:
        return root_entity(parse_json(data, name), name)
    except UserError as error:
        return error


def _crate_files(path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            # A symbolic link could lead out of the folder.
            if DESCRIPTOR_NAMES.search(file.name) and file.is_file() and not file.is_symlink():
                yield str(file.relative_to(path)), file.read_bytes()
        return
    with path.open("rb") as stream:
        packed = stream.read(4) == b"PK\x03\x04"
    if not packed:
        yield name, path.read_bytes()
        return
    with open_zip(path, name) as archive:
        for member in sorted(archive.namelist()):
            if DESCRIPTOR_NAMES.search(member.rpartition("/")[2]):
                yield member, read_member(archive, member, name, MAX_JSON_BYTES)


def root_entity(crate: Any, name: str) -> dict[str, Any]:
    """Return the root data entity of a crate, its references replaced by the entities referred to, one level deep.

    Raises:
        UserError: No graph, no descriptor, or no root entity.
    """
    graph = crate.get("@graph") if isinstance(crate, dict) else None
    if not isinstance(graph, list):
        raise UserError(f"crate {name}: has no @graph. Give the file ro-crate-metadata.json of an RO-Crate.")
    entities = by_id(graph)
    root = entities.get(root_id(entities))
    if root is not None:
        return {key: _resolved(value, entities) for key, value in root.items()}
    raise UserError(
        f"crate {name}: no descriptor that says what the crate is about. Mend the crate (validate_crate tells more)."
    )


def _resolved(value: Any, entities: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_resolved(part, entities) for part in value]
    if isinstance(value, dict) and set(value) == {"@id"} and isinstance(value["@id"], str):
        return entities.get(value["@id"], value)
    return value


def study_of_entry(entry: dict[str, Any], source: str) -> FoundStudy:
    """Make a study from the root entity of a crate (`@id`) or of GIDE's answer (`id`)."""
    entry = _plain(entry)
    about = [_plain(part) for part in objects_in(entry.get("about"))]
    methods = [_plain(part) for part in objects_in(entry.get("measurementMethod"))]
    taxa = [part for part in about if "Taxon" in as_list(part.get("type")) or "scientificName" in part]
    terms = [part for part in methods if "DefinedTerm" in as_list(part.get("type"))]
    link = as_text(entry.get("id"))
    sizes = [_plain(part) for part in objects_in(entry.get("size"))]
    return FoundStudy(
        source=source,
        accession=as_text(entry.get("identifier")) or url_path(link).rstrip("/").rpartition("/")[2] or link,
        title=as_text(entry.get("name")),
        organism=join_distinct(as_text(taxon.get("scientificName") or taxon.get("name")) for taxon in taxa),
        organism_id=join_distinct(curie(as_text(taxon.get("id"))) for taxon in taxa),
        method=join_distinct(as_text(term.get("name")) for term in terms),
        method_id=join_distinct(curie(as_text(term.get("id"))) for term in terms),
        licence=as_text(entry.get("license")),
        date=as_text(entry.get("datePublished")),
        link=web_link(link),
        thumbnail=next((found for part in as_list(entry.get("thumbnailUrl")) if (found := web_link(part))), ""),
        files=_quantity(sizes, FILE_COUNT),
        bytes=_quantity(sizes, BYTES),
    )


def publisher_name(entry: dict[str, Any]) -> str:
    """Return the name of the archive that published a study, or empty text."""
    publisher = as_list(_plain(entry).get("publisher"))
    return as_text(_plain(publisher[0]).get("name")) if publisher and isinstance(publisher[0], dict) else ""


def _plain(entity: dict[str, Any]) -> dict[str, Any]:
    """Rename JSON-LD's `@id` and `@type` to the `id` and `type` of GIDE's answers."""
    return {key.removeprefix("@"): value for key, value in entity.items()}


def _quantity(sizes: list[dict[str, Any]], unit: Term) -> str:
    of_unit = (one for one in sizes if one.get("unitText") == unit.label or one.get("unitCode") == iri(unit.id))
    return as_text(next(of_unit, {}).get("value"))


def score(entry: dict[str, Any], query: Query) -> int:
    """Score how well a study matches the words: 0 unless every word occurs; words in its name count more."""
    entry = _plain(entry)
    texts = {field: " ".join(as_text(part) for part in as_list(entry.get(field))).casefold() for field in _WEIGHTS}
    points = [sum(weight for field, weight in _WEIGHTS.items() if word in texts[field]) for word in query.words]
    return sum(points) if all(points) else 0


def search_crates(
    paths: Iterable[tuple[Path, str]], query: Query
) -> tuple[list[FoundStudy], list[tuple[str, UserError]]]:
    """Search crates on disk for the words of a query.

    Returns:
        The matching studies, best first, then by accession; and the names and errors of the crates that cannot be read.

    Raises:
        UserError: None of the crates can be read.
    """
    found = []
    failures = []
    read = 0
    for name, entry in read_crates(paths):
        if isinstance(entry, UserError):
            failures.append((name, entry))
            continue
        read += 1
        points = score(entry, query)
        if points or not query.words:
            found.append((-points, study_of_entry(entry, publisher_name(entry) or name)))
    if failures and not read:
        raise failures[0][1]
    return [study for _, study in sorted(found, key=lambda pair: (pair[0], pair[1].accession))], failures
