"""Linked data of images: valid by its shapes, the same in both forms, and it answers the questions in the help."""

import copy
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from rdflib import Graph, URIRef
from rdflib.compare import isomorphic

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.metadata import turtle as turtle_module
from bioimage_suite.fair.metadata.image_facts import ImageFacts, Occurrences, facts_of_ome_xml
from bioimage_suite.fair.metadata.image_list import load_images
from bioimage_suite.fair.metadata.linked_data import Collection, describe_images, property_of_pair, read_rows
from bioimage_suite.fair.metadata.turtle import checked_turtle, shape_violations, to_graph
from scripts.suite_files import tool_xml

# rdflib 7.6 parses JSON-LD by way of a class that it calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "test-data" / "fair"
SCHEMA = "http://schema.org/"


def images_of_files() -> list[ImageFacts]:
    return load_images([(DATA / name, name) for name in ("cells_a.ome.tiff", "cells_b.ome.tiff")], None)


def rembi_document() -> dict[str, Any]:
    rows, _ = read_rows(DATA / "template_rembi.csv", "template_rembi.csv")
    return describe_images(images_of_files(), rows, Collection())


def questions() -> list[str]:
    """The SPARQL questions in the tool's help: every indented block that begins with PREFIX."""
    text = ET.parse(tool_xml("describe_linked_data")).getroot().findtext("help") or ""
    return [block for block in text.split("\n\n") if block.lstrip().startswith("PREFIX")]


def test_the_questions_in_the_help_are_answered() -> None:
    turtle, _ = checked_turtle(rembi_document())
    graph = Graph().parse(data=turtle, format="turtle")
    answers = [[tuple(str(cell) for cell in row) for row in graph.query(question)] for question in questions()]  # type: ignore[union-attr]
    names = ["cells_a.ome.tiff", "cells_b.ome.tiff"]
    assert answers[0] == [(name, "Homo sapiens") for name in names]
    assert answers[1] == [(name, "0.65") for name in names]
    pairs = [(key, value) for image, key, value in answers[2] if image == "cells_a.ome.tiff"]
    assert pairs[0] == ("Biosample: Extrinsic variables", "drug A 1 µM")
    assert answers[3] == [(name, "https://creativecommons.org/publicdomain/zero/1.0/") for name in names]
    assert ("Biosample: Extrinsic variables", "drug A 1 µM") in [row[1:] for row in answers[4]]
    assert len(answers) == 5


def test_both_forms_say_the_same() -> None:
    document = rembi_document()
    turtle, count = checked_turtle(document)
    from_turtle = Graph().parse(data=turtle, format="turtle")
    assert isomorphic(from_turtle, Graph().parse(data=json.dumps(document), format="json-ld"))
    assert len(from_turtle) == count
    assert rembi_document() == document
    assert checked_turtle(document)[0] == turtle


def test_there_are_no_blank_nodes_and_no_relative_names() -> None:
    subjects = set(to_graph(rembi_document()).subjects())
    assert all(isinstance(subject, URIRef) and ":" in subject for subject in subjects)


def required_parts() -> list[tuple[str, str]]:
    """(type, property) of all that the shapes ask for."""
    return [
        ("schema:Dataset", "schema:name"),
        ("ome:Image", "schema:name"),
        ("ome:Image", "schema:isPartOf"),
        ("ome:Channel", "schema:name"),
        ("schema:PropertyValue", "schema:name"),
        ("schema:PropertyValue", "schema:value"),
        ("schema:PropertyValue", "schema:position"),
        ("schema:Taxon", "dwc:scientificName"),
        ("schema:DefinedTerm", "schema:name"),
    ]


def find(node: Any, kind: str) -> dict[str, Any] | None:
    """The first node of a type, at any depth."""
    if isinstance(node, dict):
        types = node.get("@type", [])
        if kind in (types if isinstance(types, list) else [types]):
            return node
        node = list(node.values())
    if isinstance(node, list):
        return next((found for part in node if (found := find(part, kind))), None)
    return None


@pytest.mark.parametrize("part", required_parts(), ids=lambda part: " ".join(part))
def test_the_shapes_miss_what_is_required(part: tuple[str, str]) -> None:
    kind, name = part
    document = rembi_document()
    assert shape_violations(to_graph(document)) == []
    broken = copy.deepcopy(document)
    node = find(broken["@graph"], kind)
    assert node is not None
    del node[name]
    assert shape_violations(to_graph(broken))


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("ome:Pixels", "ome:size_x", 0),
        ("ome:Pixels", "ome:size_x", "many"),
        ("ome:Pixels", "ome:physical_size_x", {"@value": "-0.5", "@type": "xsd:decimal"}),
        ("ome:Objective", "ome:lens_na", {"@value": "0", "@type": "xsd:decimal"}),
        ("schema:PropertyValue", "schema:position", 0),
        ("schema:Taxon", "@id", "http://example.org/human"),
        ("ome:Image", "schema:name", ["a", "b"]),
        ("ome:Image", "schema:about", {"@id": "http://purl.obolibrary.org/obo/NCBITaxon_1"}),
    ],
)
def test_the_shapes_see_wrong_values(kind: str, name: str, value: Any) -> None:
    document = rembi_document()
    node = find(document["@graph"], kind)
    assert node is not None
    node[name] = value
    with pytest.raises(UserError, match="break the shapes"):
        checked_turtle(document)


def test_omero_objects_have_the_addresses_of_their_server() -> None:
    image = ImageFacts("cells.tif", "12", key_values=(("dataset_id", "5"), ("stage", "mitosis")))
    document = describe_images([image], [], Collection("Nuclei"), "https://omero.example.org")
    node = find(document["@graph"], "ome:Image")
    assert node is not None
    assert node["@id"] == "https://omero.example.org/Image/12"
    place = {"@id": "https://omero.example.org/Dataset/5", "dct:hasPart": {"@id": "https://omero.example.org/Image/12"}}
    assert node["dct:isPartOf"] == [{**place, "@type": ["ome:Dataset", "ome2016:Dataset"]}]
    assert checked_turtle(document)[0].count("<https://omero.example.org/Image/12#property-2>") == 3


# What omero-rdf 0.7.2 (German-BioImaging/omero-rdf) wrote on 2026-11-30 of an image with one pair in a dataset.
OMERO_RDF = """
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix ns1: <http://www.openmicroscopy.org/rdf/2016-06/ome_core/> .

<https://omero.example.org/Dataset/7> a <http://www.openmicroscopy.org/Schemas/OME/2016-06#Dataset> ;
    dcterms:hasPart <https://omero.example.org/Image/5> ;
    ns1:Name "d" .

<https://omero.example.org/MapAnnotation/9> a <http://www.openmicroscopy.org/Schemas/OME/2016-06#MapAnnotation> ;
    dcterms:isPartOf <https://omero.example.org/Image/5> ;
    ns1:Map [ ns1:Key "Organism" ;
            ns1:Value "Homo sapiens" ] ;
    ns1:Namespace "openmicroscopy.org/omero/client/mapAnnotation" .

<https://omero.example.org/Image/5> a <http://www.openmicroscopy.org/Schemas/OME/2016-06#Image> ;
    dcterms:hasPart <https://omero.example.org/MapAnnotation/9> ;
    dcterms:isPartOf <https://omero.example.org/Dataset/7> ;
    ns1:Name "cells_a.ome.tiff" .
"""


def test_a_graph_of_omero_rdf_joins_and_both_answer_alike() -> None:
    namespace = "openmicroscopy.org/omero/client/mapAnnotation"
    found = (property_of_pair("Organism", "Homo sapiens", namespace), property_of_pair("dataset_id", "7"))
    image = ImageFacts("cells_a.ome.tiff", "5")
    rows = [("image", "5", "", one) for one in found]
    ours = to_graph(describe_images([image], rows, Collection(), "https://omero.example.org"))
    theirs = Graph().parse(data=OMERO_RDF, format="turtle")
    place = "?node dct:isPartOf ?place . ?place a ome2016:Dataset ; dct:hasPart ?node . } ORDER"
    question = (
        questions()[4].replace("} ORDER", place).replace("?image ?key ?value WHERE", "?place ?image ?key ?value WHERE")
    )
    expected = ("https://omero.example.org/Dataset/7", "cells_a.ome.tiff", "Organism", "Homo sapiens")
    for graph in (theirs, ours, theirs + ours):
        answers = [tuple(str(cell) for cell in row) for row in graph.query(question)]  # type: ignore[union-attr]
        assert [row for row in answers if row[2] == "Organism"] == [expected]


def test_units_are_those_of_the_image() -> None:
    xml = '<OME><Image ID="Image:0"><Pixels SizeX="9" PhysicalSizeX="500" PhysicalSizeXUnit="nm" PhysicalSizeY="1"/>'
    document = describe_images([facts_of_ome_xml(f"{xml}</Image></OME>", "a.tif")], [], Collection())
    node = find(document["@graph"], "ome:Pixels")
    assert node is not None
    assert (node["ome:physical_size_x_unit"], node["ome:physical_size_y_unit"]) == ("nm", "µm")


def test_an_id_that_is_none_is_not_put_into_an_address() -> None:
    document = describe_images([ImageFacts("a", "1> <x")], [], Collection(), "https://omero.example.org")
    node = find(document["@graph"], "ome:Image")
    assert node is not None
    assert node["@id"].startswith("urn:uuid:")
    checked_turtle(document)


PAIRS = (
    ("Organism", "Homo sapien"),
    ("Organism", "Homo sapiens"),
    ("@id", "http://example.org/"),
    ("note", "<script>alert(1)</script>"),
    ("Organism", "Homo sapiens"),
    ("formula", "=1+1"),
    ("quote", 'a "quoted" \\ backslash\nand a second line\t\u2028'),
    ("empty key is kept", " "),
)


def test_pairs_keep_order_text_and_what_no_vocabulary_knows() -> None:
    images = [ImageFacts("a.tif", key_values=PAIRS)]
    document = describe_images(images, [], Collection())
    node = find(document["@graph"], "ome:Image")
    assert node is not None
    found = [(pair["schema:name"], pair["schema:value"]) for pair in node["schema:additionalProperty"]]
    assert found == list(dict.fromkeys(PAIRS))
    assert "schema:valueReference" not in node["schema:additionalProperty"][0]
    assert node["schema:about"] == [{"@id": "http://purl.obolibrary.org/obo/NCBITaxon_9606"}]
    graph = Graph().parse(data=checked_turtle(document)[0], format="turtle")
    values = {str(value) for value in graph.objects(None, URIRef(SCHEMA + "value"))}
    assert values == {value for _, value in PAIRS}


def test_many_values_in_one_cell_are_one_pair_with_its_terms() -> None:
    found = property_of_pair("Image acquisition: Imaging method", "confocal microscopy; fluorescence microscopy")
    assert found.value == "confocal microscopy; fluorescence microscopy"
    assert [term for term, _ in found.terms] in (["FBbi:00000251", "FBbi:00000246"], [])


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [
        ("key_values_dresden.csv", "Imaging method", "fluorescence microscopy"),
        ("key_values_new_scripts.csv", "Organism", "human"),
        ("key_values_old_scripts.csv", "Note", "<script>alert(1)</script>"),
        ("key_values_omero_metadata.csv", "Temperature", "37.0"),
        ("key_values_tidy.tsv", "Organism", "Homo sapiens"),
        ("metadata.tsv", "Biosample: Organism", "Homo sapiens"),
    ],
)
def test_every_dialect_is_read(file: str, key: str, value: str) -> None:
    rows, named = read_rows(DATA / file, file)
    document = describe_images(named or images_of_files(), rows, Collection())
    turtle, _ = checked_turtle(document)
    graph = Graph().parse(data=turtle, format="turtle")
    pairs = {
        (str(graph.value(pair, URIRef(SCHEMA + "name"))), str(graph.value(pair, URIRef(SCHEMA + "value"))))
        for pair in graph.objects(None, URIRef(SCHEMA + "additionalProperty"))
    }
    assert (key, value) in pairs


def test_tags_are_keywords() -> None:
    rows, named = read_rows(DATA / "key_values_new_scripts.csv", "kv.csv")
    document = describe_images(named, rows, Collection())
    words = [node.get("schema:keywords") for node in document["@graph"] if "ome:Image" in node["@type"]]
    assert words == [["control"], ["drug"]]


def test_batches_join_to_the_same_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = {"Pixels.SizeX": Occurrences(1, 1, ("64",))}
    images = [ImageFacts(f"cell_{n}.tif", str(n), 0, pixels, (("Organism", "human"),)) for n in range(7)]
    document = describe_images(images, [], Collection("Cells"), "https://omero.example.org")
    whole, count = checked_turtle(document)
    monkeypatch.setattr(turtle_module, "IMAGES_AT_ONCE", 2)
    pieces, same_count = checked_turtle(document)
    assert count == same_count
    assert isomorphic(Graph().parse(data=whole, format="turtle"), Graph().parse(data=pieces, format="turtle"))
