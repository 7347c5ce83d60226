"""Checks of crates: those that are made pass, and each with one required thing less fails."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimage_suite.fair.crates.bia_file_list import check_file_list
from bioimage_suite.fair.crates.checks import check_crate, check_document
from bioimage_suite.fair.crates.reading import Crate, mend
from bioimage_suite.fair.crates.terms import offline_context, ro_crate_terms
from bioimage_suite.fair.crates.validation import guess_profile
from bioimage_suite.fair.products.package import (
    make_package,
)
from bioimage_suite.tables.sheets import Finding
from tests.unit.fair.made_crates import NAMES, crate, entity, errors, of_type, root, study


@pytest.mark.parametrize("product", ["gide", "bia", "general"])
def test_crates_that_are_made_have_no_error_and_no_warning(product: str):
    findings = check_document(crate(product), "crate", product)
    assert [finding for finding in findings if finding.level != "note"] == []


ROOT_ALWAYS = ("name", "description", "license", "datePublished")
CANARIES: list[tuple[str, str, str]] = [
    *(("general", "root", key) for key in ROOT_ALWAYS),
    *(("gide", "root", key) for key in (*ROOT_ALWAYS, "author", "publisher", "about", "measurementMethod")),
    *(("bia", "root", key) for key in (*ROOT_ALWAYS, "author", "hasPart", "accessionId")),
    *((product, "descriptor", key) for product in ("gide", "bia", "general") for key in ("conformsTo", "about")),
    ("gide", "Person", "name"),
    ("gide", "Organization", "name"),
    ("gide", "DefinedTerm", "name"),
    ("gide", "Taxon", "scientificName"),
    ("gide", "BioSample", "name"),
    ("gide", "BioSample", "description"),
    ("gide", "LabProtocol", "name"),
    ("gide", "LabProtocol", "description"),
    ("gide", "QuantitativeValue", "value"),
    ("gide", "QuantitativeValue", "unitCode"),
    ("gide", "QuantitativeValue", "unitText"),
    ("bia", "bia:Dataset", "name"),
    ("bia", "bia:BioSample", "description"),
    ("bia", "bia:SpecimenImagingPreparationProtocol", "name"),
    ("bia", "bia:SpecimenImagingPreparationProtocol", "description"),
    ("bia", "bia:ImageAcquisitionProtocol", "name"),
    ("bia", "bia:ImageAcquisitionProtocol", "description"),
    ("bia", "bia:ImageAcquisitionProtocol", "imagingInstrumentDescription"),
    ("bia", "bia:Specimen", "biologicalEntity"),
    ("bia", "bia:Specimen", "imagingPreparationProtocol"),
    ("bia", "bia:AnnotationMethod", "name"),
    ("bia", "bia:AnnotationMethod", "description"),
    ("bia", "bia:FileList", "tableSchema"),
]


@pytest.mark.parametrize(("product", "kind", "key"), CANARIES)
def test_a_canary_without_a_required_property_fails(product: str, kind: str, key: str):
    document = crate(product)
    if kind == "root":
        victim = root(document)
    elif kind == "descriptor":
        victim = entity(document, "ro-crate-metadata.json")
    else:
        victim = next(of_type(document, kind))
    del victim[key]
    assert errors(check_document(document, "crate", product))


def _break(change: Callable[[dict[str, Any]], object]) -> list[Finding]:
    document = crate("gide")
    change(document)
    return errors(check_document(document, "crate", "gide"))


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "no context": lambda d: d.pop("@context"),
    "no graph": lambda d: d.pop("@graph"),
    "an empty graph": lambda d: d["@graph"].clear(),
    "no descriptor": lambda d: d["@graph"].pop(0),
    "a graph of text": lambda d: d["@graph"].append("x"),
    "an entity without an id": lambda d: d["@graph"].append({"@type": "Person"}),
    "an entity without a type": lambda d: d["@graph"].append({"@id": "#x"}),
    "an id twice": lambda d: d["@graph"].append({"@id": "#size-files", "@type": "Thing"}),
    "a blank in an id": lambda d: d["@graph"].append({"@id": "#a b", "@type": "Thing"}),
    "a nested entity": lambda d: root(d).update(author={"@type": "Person", "name": "x"}),
    "a root that is no Dataset": lambda d: root(d).update({"@type": "Thing"}),
    "a root that is no address": lambda d: (root(d).update({"@id": "#x"}), d["@graph"][0].update(about={"@id": "#x"})),
    "two publishers": lambda d: root(d).update(
        publisher=[root(d)["publisher"], {"@id": "#organization-University%20of%20Nowhere"}]
    ),
    "two dates": lambda d: root(d).update(datePublished=["2026-01-01", "2026-01-02"]),
    "a date in words": lambda d: root(d).update(datePublished="next spring"),
    "an author that nothing describes": lambda d: root(d)["author"].append({"@id": "#nobody"}),
    "no organism in the root": lambda d: root(d).update(
        about=[ref for ref in root(d)["about"] if "NCBITaxon" not in ref["@id"]]
    ),
    "no method in the root": lambda d: root(d).update(
        measurementMethod=[ref for ref in root(d)["measurementMethod"] if "FBbi" not in ref["@id"]]
    ),
    "software without a version": lambda d: d["@graph"].append(
        {"@id": "https://example.org/x", "@type": "SoftwareApplication", "name": "x", "url": "https://example.org/x"}
    ),
    "a script that is no file": lambda d: d["@graph"].append({"@id": "#x", "@type": "SoftwareSourceCode", "name": "x"}),
    "a file that is no part": lambda d: d["@graph"].append({"@id": "x.tif", "@type": "File"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_crates_fail(name: str):
    assert _break(BROKEN[name])


def test_the_closure_rule_names_what_the_root_lacks():
    document = crate("gide")
    document["@graph"].append(
        {"@id": "http://purl.obolibrary.org/obo/NCBITaxon_10090", "@type": "Taxon", "scientificName": "Mus musculus"}
    )
    next(of_type(document, "BioSample"))["taxonomicRange"].append(
        {"@id": "http://purl.obolibrary.org/obo/NCBITaxon_10090"}
    )
    found = errors(check_document(document, "crate", "gide"))
    assert [finding.expected for finding in found] == ["http://purl.obolibrary.org/obo/NCBITaxon_10090 in about too"]


@pytest.mark.parametrize(
    ("kind", "key", "term"),
    [
        ("LabProtocol", "measurementTechnique", "http://www.ebi.ac.uk/efo/EFO_0003789"),
        ("BioSample", "hasCellLine", "http://purl.obolibrary.org/obo/CLO_0000001"),
    ],
)
def test_a_term_that_is_no_facet_of_the_search_may_be_missing_in_the_root(kind: str, key: str, term: str):
    document = crate("gide")
    document["@graph"].append({"@id": term, "@type": "DefinedTerm", "name": "a term"})
    next(part for part in of_type(document, kind) if key in part)[key].append({"@id": term})
    findings = check_document(document, "crate", "gide")
    assert errors(findings) == []
    holder = "measurementMethod" if kind == "LabProtocol" else "about"
    assert f"{term} in {holder} too" in [finding.expected for finding in findings if finding.level == "warning"]


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("../evil.tif", "a path inside the crate"),
        ("/etc/passwd", "a path inside the crate"),
        ("%2e%2e/x", "a path inside the crate"),
        ("gone.tif", "every file that is described"),
    ],
)
def test_files_of_a_zip_must_be_in_it(identifier: str, expected: str):
    document = crate("general")
    document["@graph"].append({"@id": identifier, "@type": "File"})
    root(document)["hasPart"].append({"@id": identifier})
    files = frozenset(f"{folder}/{name}" for folder in ("images", "annotations") for name in NAMES)
    extra = frozenset({"results/cells_a.tsv", "provenance/workflow-run.crate.zip"})
    found = errors(check_crate(Crate("c", document, (), files | extra, {}), "general"))
    assert [(finding.column, finding.expected[: len(expected)]) for finding in found] == [(identifier, expected)]


@pytest.mark.parametrize(
    ("identifier", "files", "there"),
    [
        ("plots/", ["plots/a.png"], True),
        ("plots", ["plots/deeper/a.png"], True),
        ("./my%20plots/", ["my plots/a.png"], True),
        ("plots/", ["plots/"], True),  # an empty folder has a member of its own
        ("plots/", ["plots.png"], False),
        ("plots/", [], False),
        ("https://example.org/plots/", [], True),
        ("#plots", [], True),
    ],
)
def test_folders_of_a_zip_must_be_in_it(identifier: str, files: list[str], there: bool):
    document = crate("general")
    document["@graph"].append({"@id": identifier, "@type": "Dataset", "name": "Plots"})
    root(document)["hasPart"].append({"@id": identifier})
    known = {one["@id"] for one in of_type(document, "File")}
    found = errors(check_crate(Crate("c", document, (), frozenset({*known, *files}), {}), "general"))
    assert [one.column for one in found] == ([] if there else [identifier])


@pytest.mark.parametrize(("said", "named"), [("my plot.png", "my%20plot.png"), ("my%20plot.png", "my plot.png")])
def test_a_blank_and_its_code_are_one_file(said: str, named: str):
    document = crate("general") | {"@context": "https://w3id.org/ro/crate/1.1/context"}
    entity(document, "ro-crate-metadata.json")["conformsTo"] = {"@id": "https://w3id.org/ro/crate/1.1"}
    document["@graph"].append({"@id": said, "@type": "File", "name": "a plot"})
    assert "hasPart of the root, direct or by folders" in {
        one.expected for one in check_document(document, "c", "base")
    }
    root(document)["hasPart"].append({"@id": named})
    assert "hasPart of the root, direct or by folders" not in {
        one.expected for one in check_document(document, "c", "base")
    }


@pytest.mark.parametrize(
    ("descriptor", "context", "refused"),
    [
        ("1.2", "1.2", False),
        ("1.2", "1.1", True),
        ("1.2", "1.3-DRAFT", True),
        ("1.3", "1.2", True),
        ("1.3", "1.3", False),
        ("1.1", "1.2", False),  # 1.1 asks for a context of RO-Crate, and names no version
        ("1.2-DRAFT", "1.2-DRAFT", False),
    ],
)
def test_the_context_is_that_of_the_descriptors_version(descriptor: str, context: str, refused: bool):
    document = crate("general")
    document["@context"][0] = f"https://w3id.org/ro/crate/{context}/context"
    entity(document, "ro-crate-metadata.json")["conformsTo"] = {"@id": f"https://w3id.org/ro/crate/{descriptor}"}
    found = [one.found for one in errors(check_document(document, "c", "base")) if one.column == "@context"]
    assert found == ([f"https://w3id.org/ro/crate/{context}/context"] if refused else [])


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        ("type", "kind", "kind"),
        ("images/cells_b", "images/cells_a", "file_path"),
        ("images/cells_b", "../cells_b", "file_path"),
        ("#dataset-Nuclei/", "#other/", "dataset"),
        ("http://bia/Image", "http://bia/Other", "associated_source_image"),
        ("\timages/cells_a.ome.tiff\t", "\tother\t", "associated_source_image"),
    ],
)
def test_bia_file_lists_are_checked(old: str, new: str, column: str):
    text = make_package("bia", study("bia")).texts["file_list.tsv"]
    assert errors(check_file_list(crate("bia"), {"file_list.tsv": text.encode()}, "c")) == []
    assert old in text
    changed = {"file_list.tsv": text.replace(old, new).encode()}
    assert column in {finding.column for finding in errors(check_file_list(crate("bia"), changed, "c"))}


KEYS = st.sampled_from(["@id", "@type", "@graph", "about", "x"])


@given(
    st.recursive(
        st.none() | st.text(max_size=5),
        lambda parts: st.lists(parts, max_size=3) | st.dictionaries(KEYS, parts, max_size=4),
    )
)
def test_no_document_breaks_the_checks(document: object):
    wrapped = (
        document
        if isinstance(document, dict)
        else {"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": document}
    )
    mended, _ = mend(wrapped, "c")
    assert errors(check_document(mended, "c", "base"))


@pytest.mark.parametrize("product", ["gide", "bia", "general"])
def test_the_profile_is_found_out(product: str):
    assert guess_profile(crate(product)) == {"general": "base"}.get(product, product)


def test_a_profile_that_is_not_known_here_is_said_to_be_unchecked():
    document = crate("general")
    address = "https://w3id.org/5s-crate/0.4"
    root(document)["conformsTo"] = {"@id": address}
    document["@graph"].append({"@id": address, "@type": ["CreativeWork", "Profile"], "name": "Five Safes RO-Crate"})
    found = check_document(document, "c", "base")
    assert [(one.level, one.found, one.suggestion) for one in found if one.column == "conformsTo"] == [
        ("note", address, "the rules of this profile are not checked")
    ]
    assert errors(found) == []


def test_a_thumbnail_is_a_plain_file():
    document = crate("general")
    file = next(of_type(document, "File"))["@id"]
    root(document)["thumbnail"] = {"@id": file}
    assert errors(check_document(document, "c", "base")) == []
    root(document)["thumbnail"] = {"@id": root(document)["author"][0]["@id"]}
    assert [one.expected for one in errors(check_document(document, "c", "base"))] == ["a File as thumbnail"]


NEWER: dict[str, Callable[[dict[str, Any]], object]] = {
    "a property without a term": lambda d: root(d).update(colour="blue"),
    "a folder that is no part": lambda d: d["@graph"].append({"@id": "data/", "@type": "Dataset"}),
    "a citation that is no address": lambda d: root(d).update(citation={"@id": "../paper.html"}),
    "a profile without its version": lambda d: root(d).update(conformsTo={"@id": "https://w3id.org/ro/crate"}),
    "a profile that nothing describes": lambda d: root(d).update(conformsTo={"@id": "https://example.org/profile"}),
    "a publisher that is no organisation": lambda d: root(d).update(publisher={"@id": "images/cells_a.ome.tiff"}),
    "a script without a name": lambda d: (
        d["@graph"].append({"@id": "x.py", "@type": ["File", "SoftwareSourceCode"]}),
        root(d)["hasPart"].append({"@id": "x.py"}),
    ),
    "a workflow that is no file": lambda d: d["@graph"].append(
        {"@id": "#w", "@type": ["SoftwareSourceCode", "ComputationalWorkflow"], "name": "w"}
    ),
    "a type of https": lambda d: root(d).update({"@type": ["Dataset", "https://schema.org/Dataset"]}),
    "an identifier without a value": lambda d: (
        d["@graph"].append({"@id": "#doi", "@type": "PropertyValue", "name": "doi"}),
        root(d).update(identifier={"@id": "#doi"}),
    ),
}


@pytest.mark.parametrize("name", NEWER)
def test_what_ro_crate_1_2_forbids_is_an_error(name: str):
    document = crate("general")
    NEWER[name](document)
    assert errors(check_document(document, "c", "base"))


def test_a_crate_without_files_describes_those_of_the_web():
    document = crate("gide")
    document["@graph"].append({"@id": "image.tif", "@type": "File", "name": "x"})
    root(document)["hasPart"] = [{"@id": "image.tif"}]
    assert "an address: a crate without files describes those of the web" in {
        finding.expected for finding in errors(check_document(document, "c", "gide"))
    }


def test_each_version_of_ro_crate_has_its_own_terms():
    workflow = {version: ro_crate_terms(version)["ComputationalWorkflow"] for version in ("1.1", "1.2", "1.3")}
    assert workflow["1.1"] == workflow["1.2"] == "https://bioschemas.org/ComputationalWorkflow"
    assert workflow["1.3"] == "https://bioschemas.org/terms/ComputationalWorkflow"
    assert "MolecularEntity" not in ro_crate_terms("1.1")
    document = crate("general")
    document["@context"][0] = "https://w3id.org/ro/crate/1.3/context"
    entity(document, "ro-crate-metadata.json")["conformsTo"] = {"@id": "https://w3id.org/ro/crate/1.3"}
    assert errors(check_document(document, "c", "base")) == []


@pytest.mark.parametrize(
    "address", ["https://w3id.org/ro/terms/workflow-run/context", "https://w3id.org/ro/terms/test"]
)
def test_published_contexts_are_known_offline(address: str):
    terms, unknown = offline_context(["https://w3id.org/ro/crate/1.1/context", address])
    assert unknown == []
    assert terms["TestSuite" if address.endswith("test") else "sha1"].startswith("https://w3id.org/ro/terms/")
