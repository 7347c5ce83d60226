"""PageTab and file lists of the BioImage Archive, as its reader (ro-crate-ingest) takes them."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from bioimage_suite.fair.products.pagetab import pagetab, pagetab_files, pagetab_tsv
from tests.unit.fair.made_crates import VALUES, study, value


def _sections(section: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield section
    for part in section.get("subsections", ()):
        yield from _sections(part)


def _texts(section: dict[str, Any], name: str) -> list[str]:
    return [attribute["value"] for attribute in section["attributes"] if attribute["name"] == name]


def _of_type(kind: str, *more: Any) -> list[dict[str, Any]]:
    document = pagetab(study("bia", [*VALUES, *more]), "json", "S-BIAD1")
    return [section for section in _sections(document["section"]) if section["type"] == kind]


def test_a_file_list_says_what_differs_and_what_no_section_says():
    texts = pagetab_files(study("bia"))
    rows = list(csv.DictReader(io.StringIO(texts["file_lists/component_1.tsv"]), delimiter="\t"))
    # The two images differ in their biosample (the drug), not in how they were taken; a pixel size is each image's own.
    assert rows == [
        {"Files": "images/cells_a.ome.tiff", "Biosample": "Homo sapiens cells in culture", "Pixel size X": "0.65 µm"},
        {"Files": "images/cells_b.ome.tiff", "Biosample": "Homo sapiens cells in culture 2", "Pixel size X": "0.65 µm"},
    ]


def test_a_file_list_of_annotations_has_sizes_and_the_source_image():
    listed = json.loads(pagetab_files(study("bia"))["file_lists/annotations.json"])
    assert [(file["path"], file["type"], file["attributes"]) for file in listed] == [
        ("annotations/cells_a.ome.tiff", "file", [{"name": "Source Image", "value": "images/cells_a.ome.tiff"}])
    ]
    assert listed[0]["size"] > 0


def test_every_section_has_an_accession_of_its_own():
    document = pagetab(study("bia"), "json")
    accessions = [section["accno"] for section in _sections(document["section"])]
    assert len(set(accessions)) == len(accessions)
    assert {"Study-1", "Biosample-2", "Organism-1", "Study Component-1", "Annotations-1", "o1"} <= set(accessions)
    assert "accno" not in document


def test_the_table_names_the_parent_of_each_part():
    text = pagetab_tsv(pagetab(study("bia"), "tsv", "S-BIAD1"))
    assert text.startswith("Submission\tS-BIAD1\n")
    assert "\nOrganism\tOrganism-1\tBiosample-1\nScientific name\tHomo sapiens\n" in text
    assert "\nFile List\tfile_lists/component_1.tsv\n" in text
    assert "\nBiosample\tBiosample-1\nTitle\t" in text


def test_keywords_are_called_as_the_reader_expects():
    assert _texts(_of_type("Study")[0], "Keywords") == ["nuclei", "test"]


def test_a_sample_has_one_attribute_of_each_kind_of_variable():
    """The archive's reader refuses a sample with two."""
    sample = _of_type("Biosample", value("image", "*", "biosample.intrinsic_variables", "i", "strain X"))[0]
    assert _texts(sample, "Intrinsic variable") == ["strain X; Cell line: HeLa cell (CLO:0003684)"]


def test_channels_stand_in_the_specimen():
    specimen = _of_type("Specimen")[0]
    assert _texts(specimen, "Channel content") == ["DAPI", "GFP"]
    assert _texts(specimen, "Channel biological entity") == ["nucleus", "actin"]
    assert "Channels: DAPI (nucleus); GFP (actin)." in _texts(specimen, "Sample preparation protocol")[0]


def test_image_analysis_and_correlation_are_sections_that_components_name():
    found = [value("image", "*", f"{key}", key, f"the {key}") for key in ("analysis.overview", "correlation.alignment")]
    associated = _of_type("Associations", *found)[0]
    for kind in ("Image analysis", "Image correlation"):
        assert _texts(associated, kind) == _texts(_of_type(kind, *found)[0], "Title")
    assert _texts(_of_type("Image correlation", *found)[0], "Spatial and temporal alignment") == [
        "the correlation.alignment"
    ]


def test_a_grant_has_its_agency_and_a_result_its_list():
    funding = _of_type("Funding", value("image", "*", "study.grants", "g", "ERC-1, European Research Council"))[0]
    assert _texts(funding, "Agency") == ["European Research Council"]
    assert _texts(funding, "grant_id") == ["ERC-1"]
    assert [_texts(part, "File List") for part in _of_type("Study Component")] == [
        ["file_lists/component_1.json"],
        ["file_lists/results.json"],
    ]
