"""Crates that others published: their mistakes are mended and told, nothing is fetched."""

import json
import zipfile
from copy import deepcopy
from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.crates.checks import check_crate
from bioimage_suite.fair.crates.reading import mend, read_crate
from tests.unit.fair.made_crates import DATA, crate, errors, of_type


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


@pytest.mark.parametrize("data", [b"[]", b"3", b"{}", b"not json", b"PK\x03\x04"])
def test_what_is_no_crate_is_told(tmp_path: Path, data: bytes):
    (tmp_path / "c").write_bytes(data)
    said = ""
    try:
        read = read_crate(tmp_path / "c", "c")
    except UserError as error:
        said = str(error)
    if said:
        assert "c: " in said or "c, line" in said
    else:
        assert errors(check_crate(read, "base"))


def test_a_crate_in_a_bag_is_read(tmp_path: Path):
    """The payload of a bag (BagIt) is the crate, as RO-Crate's appendix on packaging has it."""
    document = crate("general")
    files = [one["@id"] for one in of_type(document, "File") if not one["@id"].startswith("#")]
    with zipfile.ZipFile(tmp_path / "bag.zip", "w") as bag:
        bag.writestr("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
        bag.writestr("data/ro-crate-metadata.json", json.dumps(document))
        for file in files[1:]:
            bag.writestr(f"data/{file}", "")
        bag.writestr(files[0], "beside the payload, so not in the crate")
    found = errors(check_crate(read_crate(tmp_path / "bag.zip", "bag"), "general"))
    assert [(one.column, one.found) for one in found] == [(files[0], "no such file in the zip")]


def test_a_folder_called_data_is_no_bag(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as packed:
        packed.writestr("data/ro-crate-metadata.json", json.dumps(crate("general")))
    with pytest.raises(UserError, match=r"holds no ro-crate-metadata\.json"):
        read_crate(tmp_path / "c.zip", "c")
