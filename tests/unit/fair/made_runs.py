"""A crate of a run of a workflow, with its tests, that follows all profiles of workflows and their runs."""

from typing import Any

from tests.unit.fair.made_crates import entity

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
