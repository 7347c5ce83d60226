"""What profiles of workflows and their runs recommend: warnings, each for the crate that lacks it, and no error."""

from collections.abc import Callable
from typing import Any

import pytest

from bioimage_suite.fair.crates.checks import check_document
from tests.unit.fair.made_crates import entity, errors
from tests.unit.fair.made_runs import PROFILES, WORKFLOW, good, ref

RUN = {"description": "what was done", "agent": ref("#jane"), "endTime": "2026-11-30T10:00:00.123456Z"}
BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"


def advised() -> dict[str, Any]:
    """A crate that follows all advice."""
    document = good()
    more: dict[str, dict[str, Any]] = {
        "./": {"conformsTo": ref(*PROFILES, WORKFLOW), "mentions": ref("#run", "#tests", "#tool-run", "#many")},
        "w.ga": {"url": "https://example.org/w", "version": "1", "conformsTo": ref(BIOSCHEMAS)},
        "#run": {**RUN, "result": ref("b.tif"), "startTime": "2026-11-30"},
        "#tool-run": {**RUN, "name": "run of the tool", "result": ref("b.tif"), "object": ref("#many")},
        "#tests": {"mainEntity": ref("w.ga")},
        "#memory": {"unitCode": "MB"},
        "a.tif": {"exampleOfWork": ref("#in")},
    }
    document["@graph"] += [
        {"@id": "b.tif", "@type": "File", "name": "b.tif", "exampleOfWork": ref("#out")},
        {"@id": "README.md", "@type": "File", "name": "readme", "about": ref("./"), "encodingFormat": "text/markdown"},
        {"@id": "#many", "@type": "Collection", "name": "images", "mainEntity": ref("a.tif"), "hasPart": ref("a.tif")},
        {"@id": "#jane", "@type": "Person", "name": "Jane Doe"},
        {"@id": "#image", "@type": "ContainerImage", "additionalType": ref("https://w3id.org/ro/terms/workflow-run#SIFImage")},
        {"@id": WORKFLOW, "@type": "CreativeWork", "name": "Workflow RO-Crate", "version": "1.0"},
    ]  # fmt: skip
    entity(document, "#image").update(registry="docker.io", name="an image")
    entity(document, "#tool-run")["containerImage"] = ref("#image")
    entity(document, "./")["hasPart"] = ref("w.ga", "a.tif", "b.tif", "t.yml", "README.md")
    for identifier, said in more.items():
        entity(document, identifier).update(said)
    return document


def test_a_crate_that_follows_all_advice_has_no_finding():
    assert check_document(advised(), "c", "base") == []


def change(identifier: str, **said: Any) -> Callable[[dict[str, Any]], None]:
    """A change of an entity; None takes the property away."""

    def changed(document: dict[str, Any]) -> None:
        found = entity(document, identifier)
        for key, value in said.items():
            found.pop(key, None) if value is None else found.update({key: value})

    return changed


LACKING = [
    (change("./", mentions=ref("#run", "#tests", "#many")), "the run in mentions of the root"),
    (change("#run", name=None), "a name of the run"),
    (change("#run", description=None), "a description of the run"),
    (change("#run", endTime=None), "the endTime of the run in ISO 8601"),
    (change("#run", endTime="this morning"), "the endTime of the run in ISO 8601"),
    (change("#run", startTime="10:00"), "the startTime of the run in ISO 8601"),
    (change("#run", agent=ref("#tool")), "a Person or Organization as agent of the run"),
    (change("#run", result=None), "a result of the run"),
    (change("#run", environment=ref("#tool")), "a PropertyValue as environment of the run"),
    (change("#tool-run", containerImage=ref("#tool")), "a ContainerImage or an address as containerImage"),
    (change("#run", object=ref("#jane")), "a File, Dataset, Collection, CreativeWork or PropertyValue as object"),
    (change("#run", actionStatus="done"), "http://schema.org/CompletedActionStatus or FailedActionStatus as"),
    (change("#run", error="out of memory"), "an error only of a run whose actionStatus is FailedActionStatus"),
    (change("#control", error="x"), "an error only of a run whose actionStatus is FailedActionStatus"),
    (change("#tool", name=None), "a name of the tool"),
    (change("w.ga", url=None), "a url of the tool"),
    (change("w.ga", version=None), "a version of the code"),
    (change("#tool", version=None), "either a version or a softwareVersion of the tool"),
    (change("#tool", softwareVersion="1"), "either a version or a softwareVersion of the tool"),
    (change("#many", hasPart=None), "a Collection with hasPart and mainEntity, in mentions of the root"),
    (change("#many", mainEntity=None), "a Collection with hasPart and mainEntity, in mentions of the root"),
    (change("#image", additionalType=None), "DockerImage or SIFImage as additionalType"),
    (change("#image", registry=None), "the registry of the ContainerImage"),
    (change("#image", name=None), "a name of the ContainerImage"),
    (change("./", conformsTo=ref(*PROFILES)), "the addresses of Process Run Crate and Workflow RO-Crate"),
    (change("./", conformsTo=ref(PROFILES[2], WORKFLOW)), "the addresses of Process Run Crate, Workflow Run Crate"),
    (change("w.ga", environment=ref("#memory")), "a FormalParameter as environment of the workflow"),
    (change("w.ga", environment=ref("#in")), "a PropertyValue that names this parameter as exampleOfWork"),
    (change("#in", name=None), "a name of the parameter"),
    (change("a.tif", exampleOfWork=None), "data or a PropertyValue that names this parameter as exampleOfWork"),
    (change("#memory", exampleOfWork=ref("#in")), "PropertyValue or a kind of DataType, such as Integer"),
    (change("#in", additionalType="Text"), "File as additionalType of the parameter"),
    (change("#many", exampleOfWork=ref("#in")), "Collection as additionalType of the parameter"),
    (change("w.ga", step=None), "its HowToSteps as step"),
    (change("#tool", environment=ref("#memory")), "a FormalParameter as environment of the tool"),
    (lambda document: [change(one, connection=None)(document) for one in ("w.ga", "#step")], "a workflow or step that"),
    (change("#memory", unitCode=None), "a unitCode of what was used"),
    (change("README.md", about=None), "a README.md that has the root as about"),
    (change("README.md", encodingFormat="text/plain"), "text/markdown as encodingFormat of README.md"),
    (change("w.ga", conformsTo=None), "Bioschemas' profile ComputationalWorkflow, 1.0 or later"),
    (change("#tests", mainEntity=None), "the tested workflow as mainEntity"),
]


@pytest.mark.parametrize(
    ("break_it", "expected"), LACKING, ids=[f"{n} {said[:40]}" for n, (_, said) in enumerate(LACKING)]
)
def test_each_piece_of_advice_is_a_warning_of_the_crate_that_lacks_it(
    break_it: Callable[[dict[str, Any]], None], expected: str
):
    document = advised()
    break_it(document)
    found = [one for one in check_document(document, "c", "base") if one.expected.startswith(expected)]
    assert {one.level for one in found} == {"warning"}


@pytest.mark.parametrize(
    "status", ["http://schema.org/FailedActionStatus", ref("http://schema.org/FailedActionStatus")]
)
def test_a_run_that_failed_says_its_error(status: Any):
    document = advised()
    entity(document, "#run").update(error="out of memory", actionStatus=status)
    assert check_document(document, "c", "base") == []


def test_advice_never_refuses_a_crate():
    assert errors(check_document(good(), "c", "base")) == []
