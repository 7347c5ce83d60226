"""Queries of shapes are parsed once each, and answer as they did."""

from collections.abc import Mapping
from typing import Any

import pytest

rdflib = pytest.importorskip("rdflib")

from rdflib.plugins.sparql import processor  # noqa: E402

from bioimage_suite.core.apart import run_apart  # noqa: E402
from bioimage_suite.fair.crates import prepared_queries  # noqa: E402

SHAPE = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix : <http://x/> .
:S a sh:NodeShape ; sh:targetClass :C ; sh:sparql [
  sh:message "a name that another has" ;
  sh:select "SELECT $this WHERE { $this <http://x/name> ?n . ?o <http://x/name> ?n . FILTER(?o != $this) }" ] .
"""
DATA = "@prefix : <http://x/> ." + "".join(f':e{n} a :C ; :name "{n % 39}" .' for n in range(40))


def violations(prepared: bool) -> tuple[list[str], int]:
    """What a shape finds in forty entities, of which two have one name; and how many texts were parsed."""
    import pyshacl

    parsed: list[str] = []
    parse = vars(processor)["parseQuery"]

    def noted(text: str) -> Any:
        parsed.append(text)
        return parse(text)

    vars(processor)["parseQuery"] = noted
    if prepared:
        prepared_queries.prepare_queries()
    data, shapes = rdflib.Graph().parse(data=DATA), rdflib.Graph().parse(data=SHAPE)
    report = pyshacl.validate(data, shacl_graph=shapes)[1]
    return sorted(map(str, report.objects(predicate=rdflib.SH.focusNode))), len(parsed)


def test_each_query_is_parsed_once():
    refused = ["http://x/e0", "http://x/e39"]
    assert run_apart(violations, False) == (refused, 40)
    assert run_apart(violations, True) == (refused, 1)


def answers(prefixes: list[Mapping[str, Any]]) -> list[bool]:
    prepared_queries.prepare_queries()
    graph = rdflib.Graph().parse(data="@prefix : <http://x/> . :a :b :c .")
    return [bool(graph.query("ASK { ?s p:b ?o }", initNs=prefix).askAnswer) for prefix in prefixes]


def test_a_prefix_of_another_meaning_is_another_query():
    one, other = {"p": rdflib.Namespace("http://x/")}, {"p": rdflib.Namespace("http://y/")}
    assert run_apart(answers, [one, other, one]) == [True, False, True]
