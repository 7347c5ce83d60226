"""Profiles of workflows and their runs: a crate that names one is held to its rules, by this project's own shapes."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from bioimage_suite.fair.crates.checks import check_document
from bioimage_suite.fair.crates.named_profiles import named_profile
from bioimage_suite.fair.crates.reading import Crate
from bioimage_suite.fair.crates.validation import guess_profile, validate_crate
from tests.unit.fair.made_crates import entity, errors
from tests.unit.fair.made_runs import CONTEXT, PROFILES, RUN, TESTING, WORKFLOW, good, ref


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
    assert named_profile(address) == name


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
