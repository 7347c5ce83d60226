"""Crates that are made pass; each with one required thing less fails; other people's mistakes are told."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from build_crate import main as build_main
from hypothesis import given
from hypothesis import strategies as st
from validate_crate import main as validate_main

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.outputs import complete_file
from bioimage_suite.core.untrusted_files import safe_relative_path
from bioimage_suite.fair.crates import roc_validator
from bioimage_suite.fair.crates.checks import check_crate, check_document, check_file_list
from bioimage_suite.fair.crates.general import zenodo_json
from bioimage_suite.fair.crates.package import (
    PRODUCTS,
    Package,
    make_package,
    package_path,
    place_images,
    read_study,
    write_package,
)
from bioimage_suite.fair.crates.package_files import idr_library, pagetab_tsv
from bioimage_suite.fair.crates.reading import Crate, mend, read_crate
from bioimage_suite.fair.crates.run_provenance import read_workflow_run
from bioimage_suite.fair.crates.study import REQUIRED_FIELDS, Study
from bioimage_suite.fair.crates.terms import offline_context
from bioimage_suite.fair.crates.validation import guess_profile, validate_crate
from bioimage_suite.fair.metadata.checks import validate
from bioimage_suite.fair.metadata.image_facts import ImageFacts, read_images
from bioimage_suite.fair.metadata.table import MetadataValue, read_metadata_table
from bioimage_suite.tables.key_value_dialects import read_dialect
from bioimage_suite.tables.reader import Finding, read_text_table

DATA = Path(__file__).resolve().parents[3] / "test-data" / "fair"
NAMES = ["cells_a.ome.tiff", "cells_b.ome.tiff"]
FILES = [(DATA / name, name) for name in NAMES]
VALUES = read_metadata_table(DATA / "metadata.tsv", "metadata")
needs_roc = pytest.mark.skipif(not roc_validator.installed(), reason="roc-validator is optional")


def study(product: str, values: list[MetadataValue] = VALUES, annotations: bool = True) -> Study:
    results = [(DATA / "image_table.tsv", "cells_a.tsv")]
    made = FILES[:1] if annotations else []
    return read_study(values, list(read_images(FILES)), files=FILES, annotations=made, results=results, product=product)


def crate(product: str) -> dict[str, Any]:
    """A crate of one's own to break."""
    return json.loads(_crate_text(product))


@cache
def _crate_text(product: str) -> str:
    run = read_workflow_run(DATA / "workflow_run.crate.zip", "run") if product == "general" else None
    document = make_package(product, study(product), run=run).crate
    assert document is not None
    return json.dumps(document)


def errors(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level == "error"]


def entity(document: dict[str, Any], identifier: str) -> dict[str, Any]:
    return next(part for part in document["@graph"] if part["@id"] == identifier)


def root(document: dict[str, Any]) -> dict[str, Any]:
    return entity(document, entity(document, "ro-crate-metadata.json")["about"]["@id"])


def of_type(document: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    for part in document["@graph"]:
        if kind in (part["@type"] if isinstance(part["@type"], list) else [part["@type"]]):
            yield part


# Crates that are made


@pytest.mark.parametrize("product", ["gide", "bia", "general"])
def test_crates_that_are_made_have_no_error_and_no_warning(product: str):
    findings = check_document(crate(product), "crate", product)
    assert [finding for finding in findings if finding.level != "note"] == []


@needs_roc
@pytest.mark.slow
@pytest.mark.parametrize("product", ["gide", "bia", "general"])
def test_crates_that_are_made_pass_roc_validator(product: str):
    document = crate(product)
    assert roc_validator.roc_findings(document, root(document)["@id"], "crate") == []


@pytest.mark.parametrize("product", ["bia", "general"])
def test_packages_hold_what_they_describe(tmp_path: Path, product: str):
    package = make_package(product, study(product))
    write_package(tmp_path / "p.zip", package)
    read = read_crate(tmp_path / "p.zip", "p.zip")
    assert errors(check_crate(read, product)) == []
    assert read.files is not None
    assert {"images/cells_a.ome.tiff", "images/cells_b.ome.tiff", "annotations/cells_a.ome.tiff"} <= read.files
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        assert archive.read("images/cells_a.ome.tiff") == (DATA / "cells_a.ome.tiff").read_bytes()


def test_the_same_input_gives_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        write_package(tmp_path / name, make_package("general", study("general")))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_package_that_fails_leaves_nothing(tmp_path: Path):
    with pytest.raises(FileNotFoundError), complete_file(tmp_path / "p.zip") as path:
        write_package(path, Package(None, {"a": "b"}, {"gone": tmp_path / "gone"}))
    assert list(tmp_path.iterdir()) == []


def test_gide_names_organisms_and_methods_in_the_root():
    found = root(crate("gide"))
    assert {"@id": "http://purl.obolibrary.org/obo/NCBITaxon_9606"} in found["about"]
    assert {"@id": "http://purl.obolibrary.org/obo/FBbi_00000246"} in found["measurementMethod"]
    assert [author["@id"] for author in found["author"]] == [
        "https://orcid.org/0000-0002-1825-0097",
        "#person-Roe%2C%20Richard",
    ]


def test_annotations_are_described_with_mifa_and_linked_to_their_image():
    found = entity(crate("general"), "annotations/cells_a.ome.tiff")
    assert found["isBasedOn"] == {"@id": "images/cells_a.ome.tiff"}
    assert found["additionalType"] == "segmentation_mask"
    assert next(of_type(crate("bia"), "bia:AnnotationMethod"))["methodType"] == ["segmentation_mask"]


def test_a_workflow_run_is_linked():
    document = crate("general")
    action = next(of_type(document, "CreateAction"))
    assert {"@id": "annotations/cells_a.ome.tiff"} in action["result"]
    assert action["startTime"] == "2026-01-20T10:00:00Z"
    assert entity(document, "#workflow")["url"] == "https://example.org/workflows/nuclei"
    assert root(document)["mentions"] == {"@id": action["@id"]}


def test_a_zip_that_is_no_workflow_run_is_refused(tmp_path: Path):
    write_package(tmp_path / "p.zip", make_package("general", study("general")))
    with pytest.raises(UserError, match="names no ComputationalWorkflow"):
        read_workflow_run(tmp_path / "p.zip", "p.zip")


def test_bia_file_lists_and_pagetab():
    texts = make_package("bia", study("bia"), "S-BIAD1").texts
    rows = list(csv.DictReader(io.StringIO(texts["file_lists/component_1.tsv"]), delimiter="\t"))
    # Only columns that vary: the two images differ in their biosample (the drug), not in how they were taken.
    assert rows == [
        {"Files": "images/cells_a.ome.tiff", "Biosample": "Homo sapiens cells in culture"},
        {"Files": "images/cells_b.ome.tiff", "Biosample": "Homo sapiens cells in culture 2"},
    ]
    listed = json.loads(texts["file_lists/annotations.json"])
    assert listed == [
        {
            "path": "annotations/cells_a.ome.tiff",
            "attributes": [{"name": "source_image", "value": "images/cells_a.ome.tiff"}],
        }
    ]
    page_tab = json.loads(texts["pagetab.json"])
    assert page_tab["accno"] == "S-BIAD1"
    kinds = [section["type"] for section in page_tab["section"]["subsections"]]
    assert kinds == [
        "Author",
        "Author",
        "organization",
        "Biosample",
        "Biosample",
        "Specimen",
        "Image acquisition",
        "Study Component",
        "Annotations",
    ]
    assert texts["pagetab.tsv"] == pagetab_tsv(page_tab)
    assert "Organism\t\ts1\nScientific name\tHomo sapiens\n" in texts["pagetab.tsv"]


def test_a_size_that_nobody_knows_is_not_said_to_be_0():
    images = [ImageFacts(name) for name in NAMES]
    known = read_study(VALUES, images, files=[], annotations=[], results=[], product="bia")
    rows = list(csv.DictReader(io.StringIO(make_package("bia", known).texts["file_list.tsv"]), delimiter="\t"))
    assert [row["size_in_bytes"] for row in rows] == ["", ""]
    document = make_package("gide", known).crate
    assert document is not None
    assert [part["value"] for part in of_type(document, "QuantitativeValue")] == [2]
    assert root(document)["size"] == [{"@id": "#size-files"}]
    assert not errors(check_document(document, "crate", "gide"))


def test_idr_files():
    texts = make_package("idr", study("idr"), "idr0999").texts
    assert "Study Organism Term Accession\tNCBITaxon_9606\n" in texts["idr0999-study.txt"]
    assert "Study Person Last Name\tDoe\tRoe\n" in texts["idr0999-study.txt"]
    assert texts["experimentA/idr0999-experimentA-filePaths.tsv"].startswith(
        "Dataset:name:Nuclei\timages/cells_a.ome.tiff\n"
    )


def test_idr_library_has_a_row_a_well():
    wells = [value("image", name, "", key, text) for name in NAMES for key, text in (("Plate", "P1"), ("Well", "A1"))]
    rows = idr_library(
        study("idr", [*[v for v in VALUES if v.field != "biosample.extrinsic_variables"], *wells])
    ).splitlines()
    assert rows[0].startswith("Plate\tWell\t")
    assert len(rows) == 2
    assert rows[1].startswith("P1\tA1\tHomo sapiens")


def value(kind: str, name: str, field: str, key: str, text: str) -> MetadataValue:
    return MetadataValue(kind, "", name, field, key, text, "", "", text, "", "t", 1, "A")


def test_zenodo_json_escapes_html():
    title = [v for v in VALUES if v.field != "study.description"]
    text = "<script>alert(1)</script> and more than 25 letters"
    made = zenodo_json(study("general", [*title, value("image", "*", "study.description", "d", text)]))
    assert made["description"] == "<p>&lt;script&gt;alert(1)&lt;/script&gt; and more than 25 letters</p>"
    assert made["license"] == "cc-zero"
    assert made["creators"][0] == {
        "name": "Doe, Jane",
        "affiliation": "University of Nowhere",
        "orcid": "0000-0002-1825-0097",
    }


@pytest.mark.parametrize(
    ("product", "field"), [(product, field) for product, fields in REQUIRED_FIELDS.items() for field in fields]
)
def test_each_required_field_is_asked_for(product: str, field: str):
    values = [found for found in VALUES if found.field != field]
    with pytest.raises(UserError, match="needs more") as caught:
        study(product, values)
    assert "missing for" in str(caught.value)


@pytest.mark.parametrize("field", ["annotation.overview", "annotation.type", "annotation.method"])
def test_annotations_must_be_described(field: str):
    values = [found for found in VALUES if found.field != field]
    with pytest.raises(UserError, match="needs more"):
        study("gide", values)
    assert study("gide", values, annotations=False).annotations is None


def test_an_annotation_of_no_image_is_refused():
    with pytest.raises(UserError, match=r"annotation other\.tif: no image has this name"):
        read_study(
            VALUES,
            list(read_images(FILES)),
            files=FILES,
            annotations=[(FILES[0][0], "other.tif")],
            results=[],
            product="gide",
        )


@pytest.mark.parametrize("name", ["../evil.tif", "a/../../b.tif", "/etc/passwd", "a//b", "..\\x"])
def test_names_that_climb_out_of_the_package_are_refused(name: str):
    with pytest.raises(UserError, match="would leave the package"):
        package_path("images", name)


@given(st.text(min_size=1, max_size=30))
def test_any_name_is_refused_or_stays_inside(name: str):
    try:
        path = package_path("images", name)
    except UserError:
        return
    assert safe_relative_path(path) is not None
    assert path.startswith("images/")


def test_two_images_with_one_path_are_refused():
    images = [ImageFacts("a:1.tif"), ImageFacts("a;1.tif")]
    with pytest.raises(UserError, match=r"a:1\.tif and a;1\.tif: both would be images/a_1\.tif"):
        place_images(images, [])


# Canaries: one required thing less, and the crate must fail

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
    ("bia", "bia:RembiDataset", "name"),
    ("bia", "bia:RembiDataset", "description"),
    ("bia", "bia:RembiDataset", "associatedBiologicalEntity"),
    ("bia", "bia:RembiDataset", "associatedSpecimen"),
    ("bia", "bia:RembiDataset", "associatedSpecimenImagingPreparationProtocol"),
    ("bia", "bia:RembiDataset", "associatedImageAcquisitionProtocol"),
    ("bia", "bia:MifaDataset", "associatedAnnotationMethod"),
    ("bia", "bia:BioSample", "name"),
    ("bia", "bia:BioSample", "description"),
    ("bia", "bia:BioSample", "organismClassification"),
    ("bia", "bia:Taxon", "scientificName"),
    ("bia", "bia:SpecimenImagingPreparationProtocol", "name"),
    ("bia", "bia:SpecimenImagingPreparationProtocol", "description"),
    ("bia", "bia:ImageAcquisitionProtocol", "name"),
    ("bia", "bia:ImageAcquisitionProtocol", "description"),
    ("bia", "bia:ImageAcquisitionProtocol", "imagingInstrumentDescription"),
    ("bia", "bia:ImageAcquisitionProtocol", "imagingMethodName"),
    ("bia", "bia:Specimen", "biologicalEntity"),
    ("bia", "bia:Specimen", "imagingPreparationProtocol"),
    ("bia", "bia:AnnotationMethod", "name"),
    ("bia", "bia:AnnotationMethod", "description"),
    ("bia", "bia:AnnotationMethod", "methodType"),
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
    ("old", "new", "column"),
    [
        ("type", "kind", "type"),
        ("images/cells_b", "images/cells_a", "file_path"),
        ("images/cells_b", "../cells_b", "file_path"),
        ("#dataset-Nuclei/", "#other/", "dataset"),
        ("http://bia/Image", "http://bia/Other", "type"),
        ("cells_a.ome.tiff\tcells_a.ome.tiff\t", "cells_a.ome.tiff\tother\t", "source_image_label"),
    ],
)
def test_bia_file_lists_are_checked(old: str, new: str, column: str):
    text = make_package("bia", study("bia")).texts["file_list.tsv"]
    assert errors(check_file_list(crate("bia"), text.encode(), "c")) == []
    assert old in text
    assert column in {
        finding.column for finding in errors(check_file_list(crate("bia"), text.replace(old, new).encode(), "c"))
    }


# Crates that others published


def test_known_misspellings_are_tolerated_and_told():
    found = check_crate(read_crate(DATA / "gide_misspelt.jsonld", "c"), "gide")
    assert errors(found) == []
    told = {finding.found for finding in found if finding.level == "warning"}
    assert {"type QuantitiveValue", "type Organisation", "seeAlso as rdf:seeAlso", "empty lists: keywords"} <= told
    assert {"X-1-ro-crate-metadata.json", "obo:NCBITaxon_9606"} <= told


def test_nothing_is_lost_when_a_crate_is_mended():
    good = json.loads((DATA / "gide_good.jsonld").read_text())
    mended = read_crate(DATA / "gide_misspelt.jsonld", "c").document
    for part in mended["@graph"]:
        if part.get("keywords") == []:
            del part["keywords"]
    assert mended == good


def test_a_document_that_is_mended_is_not_changed_itself():
    document = json.loads((DATA / "gide_misspelt.jsonld").read_text())
    before = deepcopy(document)
    mend(document, "c")
    assert document == before


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


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/context", "file:///etc/passwd", "https://example.org/context"])
def test_contexts_are_never_fetched(address: str, monkeypatch: pytest.MonkeyPatch):
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("something was to be opened")

    monkeypatch.setattr("urllib.request.OpenerDirector.open", refuse)
    document = crate("gide")
    document["@context"].append(address)
    document["@context"].append({"@import": address, "x": {"@id": "http://x/", "@context": address}})
    document["@graph"][1]["@context"] = address
    found = check_document(document, "c", "gide")
    assert {finding.found for finding in found if finding.column == "@context"} == {address, "@import", "x"}
    terms, _ = offline_context(document["@context"])
    assert address not in json.dumps(terms)
    assert "asked" in validate_crate(Crate("c", document, (), None, {}), "gide", with_roc=True)[-1].expected


@pytest.mark.parametrize("product", ["gide", "bia", "general"])
def test_the_profile_is_found_out(product: str):
    assert guess_profile(crate(product)) == {"general": "base"}.get(product, product)


@needs_roc
@pytest.mark.slow
def test_roc_validator_is_believed_only_when_a_canary_fails(monkeypatch: pytest.MonkeyPatch):
    document = crate("gide")
    broken = deepcopy(document)
    root(broken).pop("name")
    assert errors(roc_validator.roc_findings(broken, root(broken)["@id"], "c"))
    monkeypatch.setattr(roc_validator, "_issues", lambda document, version: [])
    assert [f.suggestion for f in roc_validator.roc_findings(document, root(document)["@id"], "c")] == [
        "its answer is not used"
    ]


@pytest.mark.parametrize("data", [b"[]", b"3", b"{}", b"not json", b"PK\x03\x04"])
def test_what_is_no_crate_is_told(tmp_path: Path, data: bytes):
    (tmp_path / "c").write_bytes(data)
    try:
        read = read_crate(tmp_path / "c", "c")
    except UserError as error:
        assert "c: " in str(error) or "c, line" in str(error)
    else:
        assert errors(check_crate(read, "base"))


# The programs


def _list(path: Path, names: list[str]) -> Path:
    path.write_text(json.dumps([{"path": str(DATA / name), "name": name} for name in names]))
    return path


def _run(main: Callable[[list[str]], object], *arguments: object) -> None:
    main([str(argument) for argument in arguments])


@pytest.mark.parametrize("product", PRODUCTS)
def test_build_and_validate(tmp_path: Path, product: str):
    images = _list(tmp_path / "i", NAMES)
    output = tmp_path / "made"
    inputs = ["--metadata", DATA / "metadata.tsv", "--images", images, "--annotations", images, "--with-images"]
    _run(build_main, "--product", product, *inputs, "--crate" if product == "gide" else "--package", output)
    if product == "idr":
        assert zipfile.is_zipfile(output)
        return
    reports = ["--findings", tmp_path / "f", "--report", tmp_path / "r", "--mended", tmp_path / "m"]
    _run(validate_main, "--crate", output, "--on-errors", "fail", *reports)
    assert "No errors." in (tmp_path / "r").read_text()


def test_a_broken_crate_stops_a_workflow(tmp_path: Path):
    reports = ["--findings", tmp_path / "f", "--report", tmp_path / "r"]
    with pytest.raises(UserError, match="expected a license"):
        _run(validate_main, "--crate", DATA / "gide_broken.jsonld", "--on-errors", "fail", *reports)
    assert list(tmp_path.iterdir()) == []


def test_a_general_package_needs_the_images_themselves(tmp_path: Path):
    with pytest.raises(UserError, match="2 have no file"):
        _run(build_main, "--product", "general", "--metadata", DATA / "metadata.tsv", "--package", tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def test_values_of_omero_make_a_crate_too():
    """Rows by OMERO's id find the exported image, whatever its dataset is called."""
    text = (DATA / "template_rembi.csv").read_text().replace("image,", "image,image_id,", 1)
    lines = text.splitlines()
    rows = [lines[0], lines[1].replace("*,", "*,,", 1), lines[2].replace("cells_a.ome.tiff,", "x,11,", 1)]
    values = validate([read_dialect(read_text_table("\n".join(rows).encode(), "t"))], [], ()).values
    facts = [ImageFacts("Image_11_anything.tif", "11")]
    made = read_study(list(values), facts, files=[], annotations=[], results=[], product="bia")
    assert made.images[0].biosample.extrinsic == ("drug A 1 µM",)
