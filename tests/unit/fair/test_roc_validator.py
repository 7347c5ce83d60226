"""What roc-validator says of crates."""

import json
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from bioimage_suite.core.apart import run_apart
from bioimage_suite.fair.crates import named_profiles, roc_validator
from bioimage_suite.fair.crates.reading import read_crate
from bioimage_suite.fair.crates.terms import GIDE_CONTEXT
from bioimage_suite.fair.crates.validation import validate_crate
from tests.unit.fair.made_crates import crate, entity, errors, root

needs_roc = pytest.mark.skipif(not roc_validator.installed(), reason="roc-validator is optional")


@needs_roc
@pytest.mark.slow
@pytest.mark.parametrize("product", ["gide", "bia", "general"])
def test_crates_that_are_made_pass_roc_validator(product: str):
    document = crate(product)
    assert roc_validator.roc_findings(document, root(document)["@id"], "crate") == ([], frozenset())


@needs_roc
@pytest.mark.slow
def test_roc_validator_is_believed_only_when_a_canary_fails(monkeypatch: pytest.MonkeyPatch):
    document = crate("gide")
    broken = deepcopy(document)
    root(broken).pop("name")
    assert errors(roc_validator.roc_findings(broken, root(broken)["@id"], "c")[0])
    # A fault that is no shape's, such as one of the context, proves nothing: terms may have been read or not.
    for said in ([], [("ro-crate-1.2", "", "the context is not that of 1.2")]):
        monkeypatch.setattr(roc_validator, "_issues", lambda *_, said=said: said)
        found = roc_validator.roc_findings(document, root(document)["@id"], "c")[0]
        assert [one.suggestion for one in found] == ["its answer is not used"]


def refused_canaries(cache: Path) -> list[list[roc_validator.Issue]]:
    """What is said of canaries of each version, with files and without."""
    # One process for all: the queries of the rules are parsed once.
    from bioimage_suite.fair.crates.prepared_queries import prepare_queries

    prepare_queries()
    made = [
        (version, roc_validator._canary(f"https://w3id.org/ro/crate/{version}/context", place, version))
        for version in ("1.1", "1.2", "1.3")
        for place in ("./", "https://example.org/x/")
    ]
    return [
        roc_validator._issues(roc_validator._validator(one, f"ro-crate-{version}", cache), one) for version, one in made
    ]


@needs_roc
@pytest.mark.slow
def test_a_canary_lacks_a_licence_alone():
    for issues in run_apart(refused_canaries, roc_validator._loaded_cache()):
        ((_, entity, message),) = issues
        assert entity in ("./", "https://example.org/x/")
        assert "MUST have a `license`" in message


@needs_roc
@pytest.mark.slow
def test_without_terms_the_canary_is_not_refused_for_its_licence():
    document = crate("gide") | {"@context": {"x": "http://x/"}}
    found, _ = roc_validator.roc_findings(document, root(document)["@id"], "c")
    assert [(one.level, one.suggestion) for one in found] == [("warning", "its answer is not used")]


PROCESS_RUN, TERMS = "https://w3id.org/ro/wfrun/process/0.5", "https://w3id.org/ro/terms/workflow-run/context"


def run_crate(**said: object) -> dict[str, Any]:
    """A crate of a run, as the profile Process Run Crate asks for it where `said` names its program."""
    document = crate("general")
    document["@context"] = [*document["@context"], TERMS]
    root(document)["conformsTo"] = {"@id": PROCESS_RUN}
    root(document)["mentions"] = {"@id": "#run"}
    # The run that the crate holds names the profile too.
    assert entity(document, PROCESS_RUN)["@type"] == ["CreativeWork", "Profile"]
    document["@graph"] += [
        {"@id": "#run", "@type": "CreateAction", "name": "a run", **said},
        {
            "@id": "#program",
            "@type": "SoftwareApplication",
            "name": "a program",
            "version": "1",
            "url": "https://example.org/",
        },
    ]
    return document


@needs_roc
@pytest.mark.slow
def test_the_rules_of_a_profile_that_roc_validator_has_are_checked():
    good, bad = run_crate(instrument={"@id": "#program"}), run_crate()
    assert roc_validator.roc_findings(good, root(good)["@id"], "c") == ([], frozenset({PROCESS_RUN}))
    found, checked = roc_validator.roc_findings(bad, root(bad)["@id"], "c")
    assert {one.expected for one in found} == {"process-run-crate-0.5 at REQUIRED level"}
    assert checked == {PROCESS_RUN}


@needs_roc
@pytest.mark.slow
def test_what_roc_validator_checks_is_not_said_to_be_unchecked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # A later roc-validator may have profiles that this tool has not.
    monkeypatch.delitem(named_profiles.NAMED_PROFILES, "isa")
    document = crate("general")
    isa = "https://github.com/nfdi4plants/isa-ro-crate-profile"
    root(document)["conformsTo"] = {"@id": isa}
    document["@graph"].append({"@id": isa, "@type": ["CreativeWork", "Profile"], "name": "ISA RO-Crate"})
    (tmp_path / "ro-crate-metadata.json").write_text(json.dumps(document))
    opened = read_crate(tmp_path / "ro-crate-metadata.json", "c")
    alone, both = (validate_crate(opened, "base", with_roc) for with_roc in (False, True))
    assert [one.found for one in alone if one.column == "conformsTo"] == [isa]
    assert not [one for one in both if one.column == "conformsTo"]


@pytest.mark.parametrize("version", ["1.0", "1.2-DRAFT", "1.4-DRAFT"])
def test_a_version_without_rules_is_no_fault_of_the_crate(tmp_path: Path, version: str):
    document = crate("general")
    document["@context"] = f"https://w3id.org/ro/crate/{version}/context"
    (tmp_path / "ro-crate-metadata.json").write_text(json.dumps(document))
    found = validate_crate(read_crate(tmp_path / "ro-crate-metadata.json", "c"), "base", with_roc=True)
    assert [one.level for one in found if one.column == "roc-validator"] == ["note"]


@needs_roc
@pytest.mark.slow
def test_a_context_by_the_address_of_gide_is_read():
    document = crate("gide")
    document["@context"] = GIDE_CONTEXT
    assert roc_validator.roc_findings(document, root(document)["@id"], "c")[0] == []


def refused_without(tmp_path: Path) -> list[tuple[str, str, str]]:
    """What is said of the validator for a crate without a licence, whose fault must still be found."""
    document = crate("general")
    root(document).pop("license")
    (tmp_path / "ro-crate-metadata.json").write_text(json.dumps(document))
    found = validate_crate(read_crate(tmp_path / "ro-crate-metadata.json", "c"), "base", with_roc=True)
    assert [one.expected for one in errors(found)] == ["a license"]
    return [(one.level, one.found, one.suggestion) for one in found if one.column == "roc-validator"]


@needs_roc
def test_a_validator_that_cannot_be_loaded_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "rocrate_validator"]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "rocrate_validator").mkdir()
    (tmp_path / "rocrate_validator" / "__init__.py").write_text("raise TypeError('made for another Python')")
    monkeypatch.syspath_prepend(tmp_path)
    assert refused_without(tmp_path) == [("warning", "failed: TypeError: made for another Python", "it is not counted")]


@needs_roc
def test_a_package_that_the_validator_lacks_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    roc_validator._cache_folder.cache_clear()
    monkeypatch.setitem(sys.modules, "requests_cache", None)
    ((level, found, counted),) = refused_without(tmp_path)
    assert (level, counted) == ("warning", "it is not counted")
    assert "requests_cache" in found


def test_a_validator_that_is_not_there_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(roc_validator, "find_spec", lambda _: None)
    assert [(level, found) for level, found, _ in refused_without(tmp_path)] == [("note", "is not installed")]
