"""describe_linked_data as a whole."""

import csv
import json
from pathlib import Path

import describe_linked_data
import pytest
from rdflib import Graph, URIRef
from rdflib.compare import isomorphic

from bioimage_suite.core.errors import UserError

# rdflib 7.6 parses JSON-LD by way of a class that it calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
ROOT = Path(__file__).resolve().parents[4]
DATA = ROOT / "test-data" / "fair"
SCHEMA = "http://schema.org/"


def test_the_command(tmp_path: Path) -> None:
    config, json_ld, turtle = (tmp_path / name for name in ("config.json", "out.jsonld", "out.ttl"))
    config.write_text(json.dumps({"name": "Nuclei", "licence": "CC BY 4.0", "address": "https://example.org/study"}))
    table = DATA / "image_table.tsv"
    rows = list(csv.DictReader(table.open(), delimiter="\t"))
    arguments = ["--config", config, "--image-table", table, "--json-ld", json_ld, "--turtle", turtle]
    describe_linked_data.main([str(argument) for argument in arguments])
    graph = Graph().parse(turtle)
    names = {str(name) for name in graph.objects(None, URIRef(SCHEMA + "name"))}
    assert {row["image"] for row in rows} <= names
    licence = URIRef("http://purl.org/dc/terms/license")
    assert set(graph.objects(None, licence)) == {URIRef("https://creativecommons.org/licenses/by/4.0/")}
    assert isomorphic(graph, Graph().parse(json_ld, format="json-ld"))


def test_nothing_to_describe(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text("{}")
    arguments = ["--config", str(config), "--json-ld", str(tmp_path / "a"), "--turtle", str(tmp_path / "b")]
    with pytest.raises(UserError, match="images: there are none"):
        describe_linked_data.main(arguments)
    assert not (tmp_path / "a").exists()
