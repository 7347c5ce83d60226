"""Profiles of workflows and their runs: a crate that names one is held to its rules, by this project's own shapes."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from bioimage_suite.fair.crates.checks import check_document
from bioimage_suite.fair.crates.reading import Crate
from bioimage_suite.fair.crates.validation import guess_profile, validate_crate
from bioimage_suite.fair.crates.workflow_profiles import workflow_profile
from tests.unit.fair.made_crates import entity, errors

RUN = "https://w3id.org/ro/wfrun"
PROFILES = [f"{RUN}/process/0.5", f"{RUN}/workflow/0.5", f"{RUN}/provenance/0.5"]
TESTING, WORKFLOW = "https://w3id.org/ro/wftest/0.1", "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
    "https://w3id.org/ro/terms/test",
]
TOOL = {"name": "a tool", "url": "https://example.org/", "version": "1"}


def ref(*identifiers: str) -> Any:
    found = [{"@id": identifier} for identifier in identifiers]
    return found[0] if len(found) == 1 else found


def planned() -> list[dict[str, Any]]:
    """A workflow of one step, with its tool, parameters and tests."""
    both = {"sourceParameter": ref("#in"), "targetParameter": ref("#out")}
    step = {"position": "1", "workExample": ref("#tool"), "connection": ref("#link")}
    return [
        {"@id": "w.ga", "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"], "name": "w"},
        {"@id": "#language", "@type": "ComputerLanguage", **TOOL},
        {"@id": "#in", "@type": "FormalParameter", "name": "in", "additionalType": "File", "workExample": ref("a.tif")},
        {"@id": "#out", "@type": "FormalParameter", "name": "out", "additionalType": "File"},
        {"@id": "#tool", "@type": "SoftwareApplication", "input": ref("#in"), "output": ref("#out"), **TOOL},
        {"@id": "#step", "@type": "HowToStep", **step},
        {"@id": "#link", "@type": "ParameterConnection", **both},
        {"@id": "#tests", "@type": "TestSuite", "instance": ref("#instance"), "definition": ref("t.yml")},
        {"@id": "#instance", "@type": "TestInstance", "url": "https://ci.example.org/", "resource": "r/1"},
        {"@id": "t.yml", "@type": ["File", "TestDefinition"], "conformsTo": ref("#engine"), "engineVersion": ">=0.7"},
        {"@id": "https://w3id.org/ro/terms/test#GithubService", "@type": "TestService", "name": "GitHub"},
    ]


def done() -> list[dict[str, Any]]:
    """A run of that workflow."""
    memory = {"name": "memory", "propertyID": "https://example.org/m", "value": "1"}
    return [
        {"@id": "#engine", "@type": "SoftwareApplication", **TOOL},
        {"@id": "#run", "@type": "CreateAction", "name": "run", "instrument": ref("w.ga"), "object": ref("a.tif")},
        {"@id": "#tool-run", "@type": "CreateAction", "instrument": ref("#tool"), "resourceUsage": ref("#memory")},
        {"@id": "#memory", "@type": "PropertyValue", **memory},
        {"@id": "#control", "@type": "ControlAction", "instrument": ref("#step"), "object": ref("#tool-run")},
        {"@id": "#organize", "@type": "OrganizeAction", "instrument": ref("#engine")},
        {"@id": "a.tif", "@type": "File", "name": "a.tif"},
    ]


def good() -> dict[str, Any]:
    """A crate of a run of a workflow of one step, with its tests, that follows all five profiles."""
    root = {"name": "a run", "description": "of a workflow", "datePublished": "2026-11-30"}
    graph: list[dict[str, Any]] = [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": ref("./")},
        {"@id": "./", "@type": "Dataset", **root},
        *({"@id": profile, "@type": "CreativeWork", "name": profile, "version": "0.5"} for profile in PROFILES),
        *planned(),
        *done(),
    ]
    document = {"@context": CONTEXT, "@graph": graph}
    entity(document, "ro-crate-metadata.json")["conformsTo"] = ref("https://w3id.org/ro/crate/1.1", WORKFLOW, TESTING)
    more = {
        "./": {"license": "CC0", "mainEntity": ref("w.ga"), "conformsTo": ref(*PROFILES)},
        "w.ga": {"programmingLanguage": ref("#language"), "hasPart": ref("#tool"), "step": ref("#step")},
        "#organize": {"result": ref("#run"), "object": ref("#control")},
        "#instance": {"runsOn": ref("https://w3id.org/ro/terms/test#GithubService")},
    }
    entity(document, "w.ga").update(input=ref("#in"), output=ref("#out"), connection=ref("#link"))
    entity(document, "./").update(hasPart=ref("w.ga", "a.tif", "t.yml"), mentions=ref("#run", "#tests"))
    for identifier, said in more.items():
        entity(document, identifier).update(said)
    return document


def test_a_crate_that_follows_all_profiles_has_no_error_and_none_is_unchecked():
    findings = check_document(good(), "c", "base")
    assert [one for one in findings if one.level != "warning"] == []
    assert guess_profile(good()) == "provenance-run"


def without(identifier: str, key: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: entity(document, identifier).pop(key)


def with_(identifier: str, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: entity(document, identifier).update({key: value})


BROKEN = [
    (without("#run", "instrument"), "the tool that was run as instrument"),
    (with_("#run", "instrument", ref("a.tif")), "the tool that was run as instrument"),
    (with_(PROFILES[0], "@type", "Thing"), "profiles that the graph describes as CreativeWork"),
    (without("./", "mainEntity"), "the main workflow as mainEntity"),
    (with_("#run", "instrument", ref("#tool")), "an action that has the main workflow as instrument"),
    (with_("w.ga", "@type", ["File", "ComputationalWorkflow", "HowTo"]), "the types File, SoftwareSourceCode and"),
    (without("w.ga", "programmingLanguage"), "the language of the main workflow"),
    (with_("w.ga", "input", ref("a.tif")), "a FormalParameter as each input and output"),
    (without("#in", "additionalType"), "an additionalType"),
    (with_("#in", "workExample", ref("#engine")), "data or a PropertyValue as workExample"),
    (without("w.ga", "hasPart"), "its tools in hasPart"),
    (with_("w.ga", "@type", ["File", "SoftwareSourceCode", "ComputationalWorkflow"]), "the type HowTo too"),
    (with_("w.ga", "connection", ref("#in")), "a ParameterConnection as connection"),
    (with_("#tool", "output", ref("a.tif")), "a FormalParameter as each input and output"),
    (with_("#tool-run", "instrument", ref("#engine")), "an action that has this tool as instrument"),
    (with_("#tool-run", "resourceUsage", ref("a.tif")), "a PropertyValue as resourceUsage"),
    (without("#memory", "propertyID"), "a propertyID, which says what was used"),
    (without("w.ga", "step"), "a ComputationalWorkflow that has this step"),
    (without("#step", "workExample"), "its tool as workExample"),
    (with_("#step", "position", "first"), "a whole number as position"),
    (with_("#control", "instrument", ref("#tool")), "the step of the workflow as instrument"),
    (without("#control", "object"), "the run of the step's tool as object"),
    (without("#organize", "instrument"), "the workflow engine as instrument"),
    (without("#organize", "result"), "the run of the workflow as result"),
    (without("#organize", "object"), "the ControlActions of the steps as object"),
    (without("#link", "sourceParameter"), "a FormalParameter as sourceParameter"),
    (without("#link", "targetParameter"), "a FormalParameter as targetParameter"),
    (with_("./", "mentions", ref("#run")), "its TestSuites in mentions"),
    (with_("#tests", "instance", ref("t.yml")), ""),
    (without("#instance", "runsOn"), "a TestService as runsOn"),
    (with_("#instance", "url", ref("https://ci.example.org/")), "the address of the service as url, a text"),
    (without("#instance", "resource"), "the address of the tests at the service"),
    (with_("t.yml", "@type", "TestDefinition"), "the type File beside TestDefinition"),
    (without("t.yml", "conformsTo"), "the test engine as conformsTo"),
    (without("t.yml", "engineVersion"), "the version of the test engine"),
]


@pytest.mark.parametrize(
    ("break_it", "expected"), BROKEN, ids=[f"{n} {said[:40]}" for n, (_, said) in enumerate(BROKEN)]
)
def test_each_rule_refuses_its_mutant(break_it: Callable[[dict[str, Any]], None], expected: str):
    document = good()
    break_it(document)
    found = {one.expected for one in errors(check_document(document, "c", "base"))}
    assert any(one.startswith(expected) for one in found) if expected else not found


def test_a_suite_needs_an_instance_or_a_definition():
    document = good()
    del entity(document, "#tests")["instance"], entity(document, "#tests")["definition"]
    assert [one.expected for one in errors(check_document(document, "c", "base"))] == [
        "a TestInstance as instance or a TestDefinition as definition"
    ]


def test_a_rule_along_a_path_without_a_name_is_said_of_its_entity():
    document = good()
    del entity(document, "w.ga")["step"]
    found = errors(check_document(document, "c", "base"))
    expected = "a ComputationalWorkflow that has this step"
    assert [(one.column, one.found, one.expected) for one in found] == [("#step", "missing", expected)]


def test_a_profile_that_is_asked_for_must_be_named_and_followed():
    document = good()
    entity(document, "./")["conformsTo"] = ref(PROFILES[0])
    found = errors(validate_crate(Crate("c", deepcopy(document), (), None, {}), "provenance-run", with_roc=False))
    assert [one.expected for one in found] == ["the address of Provenance Run Crate with its version"]
    assert errors(validate_crate(Crate("c", document, (), None, {}), "base", with_roc=False)) == []


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (f"{RUN}/process/0.4", "process-run"),
        (f"{RUN}/process", "process-run"),
        (f"{RUN}/processes/1", ""),
        (TESTING, "workflow-testing"),
        ("http://w3id.org/workflowhub/workflow-ro-crate", "workflow"),
        ("https://w3id.org/ro/crate/1.2", ""),
    ],
)
def test_profiles_are_known_by_addresses_of_any_version(address: str, name: str):
    assert workflow_profile(address) == name


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_types_of_each_version_of_the_context_count(version: str):
    document = good()
    document["@context"] = [f"https://w3id.org/ro/crate/{version}/context", *CONTEXT[1:]]
    entity(document, "ro-crate-metadata.json")["conformsTo"] = ref(f"https://w3id.org/ro/crate/{version}", WORKFLOW)
    for profile in PROFILES:
        entity(document, profile)["@type"] = ["CreativeWork", "Profile"]
    assert errors(check_document(document, "c", "base")) == []
    entity(document, "w.ga")["input"] = ref("a.tif")
    assert [one.expected for one in errors(check_document(document, "c", "base"))] == [
        "a FormalParameter as each input and output"
    ]
