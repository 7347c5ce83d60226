"""Linked data as Turtle, checked with SHACL."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.metadata.linked_data import SHACL_SHAPES, VOCABULARIES

if TYPE_CHECKING:
    from rdflib import Graph

# Number of images in memory as one graph.
IMAGES_AT_ONCE = 250


def to_graph(document: dict[str, Any]) -> Graph:
    """Read a JSON-LD document with rdflib. Its context is inline, so nothing is downloaded."""
    from rdflib import Graph

    graph = Graph()
    graph.parse(data=json.dumps(document), format="json-ld")
    return _with_prefixes(graph)


def _with_prefixes(graph: Graph) -> Graph:
    for prefix, address in VOCABULARIES.items():
        graph.bind(prefix, address, replace=True)
    return graph


def shape_violations(graph: Graph) -> list[str]:
    """Check a graph against the shapes that ship with this tool.

    Returns:
        One line per violation: node, property and message.
    """
    import pyshacl
    from rdflib import SH, Graph

    valid, report, _ = pyshacl.validate(graph, shacl_graph=Graph().parse(SHACL_SHAPES), inference="none")
    if valid or not isinstance(report, Graph):
        return []
    return sorted(
        f"{report.value(result, SH.focusNode)} {report.value(result, SH.resultPath) or ''}: "
        f"{report.value(result, SH.resultMessage)}"
        for result in report.objects(None, SH.result)
    )


def checked_turtle(document: dict[str, Any]) -> tuple[str, int]:
    """Write a document as Turtle after checking it against the shapes.

    Images are processed in batches together with the shared nodes: a graph of 10,000 images would need over 1 GB.

    Returns:
        The Turtle, and the number of statements.

    Raises:
        UserError: The document violates the shapes; the message names the first three violations.
    """
    images = [node for node in document["@graph"] if "ome:Image" in node["@type"]]
    shared = [node for node in document["@graph"] if "ome:Image" not in node["@type"]]
    common = to_graph(document | {"@graph": shared})
    pieces = [f"@prefix {prefix}: <{address}> .\n" for prefix, address in VOCABULARIES.items()]
    count = 0
    for start in range(0, max(len(images), 1), IMAGES_AT_ONCE):
        graph = to_graph(document | {"@graph": shared + images[start : start + IMAGES_AT_ONCE]})
        violations = shape_violations(graph)
        if violations:
            first = " | ".join(violations[:3])
            raise UserError(f"linked data: {len(violations)} statements break the shapes. {first}. Mend the metadata.")
        text = (_with_prefixes(graph - common) if start else graph).serialize(format="turtle")
        # Each piece declares only the prefixes that it uses; all are already declared at the top.
        pieces.append(re.sub(r"\A(?:@prefix [^\n]*\n)*", "", text))
        count += len(graph) - (len(common) if start else 0)
    return "".join(pieces), count
