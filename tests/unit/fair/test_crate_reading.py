"""Crates that others published: their mistakes are mended and told, nothing is fetched."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.crates.checks import check_crate, check_document
from bioimage_suite.fair.crates.reading import Crate, mend, read_crate
from bioimage_suite.fair.crates.terms import offline_context
from bioimage_suite.fair.crates.validation import validate_crate
from tests.unit.fair.made_crates import DATA, crate, errors


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


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/context", "file:///etc/passwd", "https://example.org/context"])
def test_contexts_are_never_fetched(address: str, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
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
