"""Offline check of a crate's graph against SHACL shapes: contexts ship with this tool, nothing is downloaded."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from bioimage_suite.core.apart import ApartError, run_apart
from bioimage_suite.fair.crates.base_rules import is_old
from bioimage_suite.fair.crates.isa_parts import mark_parts
from bioimage_suite.fair.crates.named_profiles import NAMED_PROFILES, named_profiles
from bioimage_suite.fair.crates.terms import offline_context, without_contexts
from bioimage_suite.fair.terms.json_ld import Entity, by_id, ids, types
from bioimage_suite.tables.sheets import Finding

SHAPES_FOLDER = Path(__file__).resolve().parent / "shacl"
PROFILE_SHAPES = {
    "base": ("ro-crate",),
    "general": ("ro-crate",),
    "gide": ("ro-crate", "gide"),
    "bia": ("ro-crate", "bia"),
    **{name: ("ro-crate", *one.shapes) for name, one in NAMED_PROFILES.items()},
}
_ROOT_CLASS = "https://github.com/bioimage-suite-galaxy/shapes#Root"
_LEVELS = {"Violation": "error", "Warning": "warning", "Info": "note"}
# Relative ids need a base to become addresses (rdflib drops them without one); messages leave it out again.
# The top-level domain .invalid is reserved: no host can ever have such a name (RFC 2606).
_BASE = "https://crate.invalid/"
# Properties whose value must be a file; and those by which rules of further profiles look at files.
_FILES = ("thumbnail", "workExample")
_PROFILE_FILES = {file for one in NAMED_PROFILES.values() for file in one.shapes}
_FILES_OF_PROFILES = ("hasPart", "object", "result")
# So many entities are said of one piece of advice; the count of the others stands in the last.
_SAID = 5


def shape_findings(document: dict[str, Any], root: str, name: str, profile: str) -> list[Finding]:
    """Check a crate against the SHACL shapes of a profile, and of the profiles of workflows that it names itself.

    Args:
        document: JSON-LD of the crate.
        root: Id of the root dataset.
        name: Display name of the crate.
        profile: A key of `PROFILE_SHAPES`.

    Returns:
        One finding per violated shape, with the entity's id and property as column.
    """
    terms, unknown = offline_context(document.get("@context"), _used_names(document["@graph"]))
    expected, remark = "a context that this tool has offline", "its terms are not checked"
    findings = [Finding("warning", name, 0, "@context", address, expected, remark) for address in unknown]
    checked = dict.fromkeys((profile, *named_profiles(by_id(document["@graph"]), root)))
    files = dict.fromkeys(file for one in checked for file in PROFILE_SHAPES[one])
    findings += _folded(_findings(document, terms, root, name, tuple(files)))
    return sorted(set(findings), key=lambda finding: (finding.level, finding.column, finding.expected))


def own_findings(document: dict[str, Any], root: str, name: str, profile: str) -> list[Finding]:
    """Check a crate against the shapes of one of `NAMED_PROFILES` alone, without those of RO-Crate."""
    terms = offline_context(document.get("@context"), _used_names(document["@graph"]))[0]
    return _findings(document, terms, root, name, NAMED_PROFILES[profile].shapes)


def _findings(document: dict[str, Any], terms: Any, root: str, name: str, files: tuple[str, ...]) -> list[Finding]:
    keys = (*_FILES, *(_FILES_OF_PROFILES if _PROFILE_FILES & set(files) else ()))
    graph = [without_contexts(entity) for entity in _checked_parts(document["@graph"], keys)]
    shapes = _shapes(files, is_old(document))
    try:
        parts = ({"@context": terms, "@graph": graph}, root, name, shapes, "isa" in files)
        return run_apart(_violations, *parts)
    except ApartError as error:
        expected = "a graph that the reader of JSON-LD and the shapes can check"
        return [Finding("error", name, 0, "@graph", f"the check {error}", expected)]


def _folded(findings: Iterable[Finding]) -> list[Finding]:
    """Return all errors, but each piece of advice of the first entities only: thousands may lack the same."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(set(findings), key=lambda one: one.column):
        alike.setdefault((finding.level, finding.expected), []).append(finding)
    folded = []
    for (level, _), found in alike.items():
        said = found if level == "error" or len(found) <= _SAID + 1 else found[:_SAID]
        folded += said
        if len(said) < len(found):
            folded.append(replace(found[_SAID], suggestion=f"and {len(found) - _SAID - 1:,} more entities"))
    return folded


def _violations(document: dict[str, Any], root: str, name: str, shapes: Any, isa: bool) -> list[Finding]:
    """Return a finding for each violated shape; the document's context is inline. `isa`: whether ISA has shapes."""
    import pyshacl
    import rdflib

    data = rdflib.Graph()
    data.parse(data=document, format="json-ld", base=_BASE)  # type: ignore[arg-type]
    data.add((rdflib.URIRef(root, base=_BASE), rdflib.RDF.type, rdflib.URIRef(_ROOT_CLASS)))
    if isa:
        mark_parts(data)
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none", do_owl_imports=False)
    # Those alone that the report itself lists: others are details of them, in the words of the program.
    return [_finding(report, result, name) for result in report.objects(predicate=rdflib.SH.result)]


def _finding(report: Any, result: Any, name: str) -> Finding:
    """Return the finding of one violated shape: a node of the report of pyshacl."""
    from rdflib import SH, BNode

    focus = str(report.value(result, SH.focusNode)).removeprefix(_BASE) or "./"
    along = report.value(result, SH.resultPath)
    # A path of several steps or against its direction has no name; the message says what is meant.
    path = "" if isinstance(along, BNode) else _local(along)
    level = _LEVELS[_local(report.value(result, SH.resultSeverity))]
    value = report.value(result, SH.value)
    found = focus if along is None else "missing" if value is None else str(value).removeprefix(_BASE)
    return Finding(level, name, 0, f"{focus} {path}".strip(), found, str(report.value(result, SH.resultMessage)))


@cache
def _shapes(files: tuple[str, ...], old: bool) -> Any:
    """Return the shapes of files; those of RO-Crate 1.2 too for crates that are not `old` (1.1)."""
    import pyshacl  # noqa: F401 (the child processes that check have it then)
    import rdflib

    shapes = rdflib.Graph()
    for file in (*files, *(() if old else ("ro-crate-1.2",))):
        shapes.parse(SHAPES_FOLDER / f"{file}.ttl")
    return shapes


def _used_names(graph: list[Any]) -> set[str]:
    """Return the properties, types and prefixes of a graph: all names that need a context."""
    names: set[str] = set()
    for entity in graph:
        references = [one for value in entity.values() for one in ids(value)]
        found = [*entity, *types(entity), entity.get("@id"), *references]
        names |= {part for name in found if isinstance(name, str) for part in (name, name.partition(":")[0])}
    return names


def _checked_parts(graph: list[Entity], keys: Iterable[str]) -> list[Entity]:
    """Return the entities that shapes look at; to leave out plain files saves most of the time.

    Those files stay that one of the properties in `keys` names, or that say of themselves what a rule looks at.
    """
    wanted = {one.removeprefix("./") for entity in graph for key in keys for one in ids(entity.get(key))}
    return [
        entity
        for entity in graph
        if entity.get("@type") not in ("File", ["File"])
        or entity["@id"].removeprefix("./") in wanted
        or {"thumbnail", "exampleOfWork", "about"} & entity.keys()
    ]


def _local(term: Any) -> str:
    text = str(term) if term is not None else ""
    return text.rpartition("#")[2].rpartition("/")[2]
