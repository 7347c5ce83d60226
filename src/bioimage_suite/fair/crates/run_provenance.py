"""Provenance of results: the Workflow Run Crate that Galaxy exports for an invocation (`rocrate.zip`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.untrusted_files import MAX_JSON_BYTES, open_zip, parse_json, read_member
from bioimage_suite.fair.terms.json_ld import DESCRIPTOR, Entity, by_id, ids, root_id, types

RUN_PATH = "provenance/workflow-run.crate.zip"


@dataclass(frozen=True)
class WorkflowRun:
    """A workflow run: the file of its crate and the crate's metadata; texts may be empty."""

    source: Path
    size_bytes: int
    profiles: tuple[str, ...]
    workflow_name: str
    workflow_url: str
    start: str
    end: str

    @property
    def title(self) -> str:
        """Name of the run for people."""
        return f"Run of {self.workflow_name}"


def read_workflow_run(path: Path, name: str) -> WorkflowRun:
    """Read the metadata of a Workflow Run Crate.

    Args:
        path: Path of the zip.
        name: Display name of the zip.

    Raises:
        UserError: The file is not a zip, is harmful, or is not the crate of a workflow run.
    """
    with open_zip(path, name) as archive:
        document = parse_json(read_member(archive, DESCRIPTOR, name, MAX_JSON_BYTES), f"{name}/{DESCRIPTOR}")
    entities = by_id(document.get("@graph") if isinstance(document, dict) else None)
    root = entities.get(root_id(entities) or "./", {})
    workflow = entities.get(next(iter(ids(root.get("mainEntity"))), ""), {})
    if "ComputationalWorkflow" not in types(workflow):
        raise UserError(
            f"workflow run {name}: its crate names no ComputationalWorkflow. Export the invocation as RO-Crate."
        )
    action = next((entity for entity in entities.values() if "CreateAction" in types(entity)), {})
    return WorkflowRun(
        source=path,
        size_bytes=path.stat().st_size,
        profiles=tuple(filter(None, ids(root.get("conformsTo")))),
        workflow_name=str(workflow.get("name") or "Workflow"),
        workflow_url=str(workflow.get("url") or "") if isinstance(workflow.get("url"), str) else "",
        start=str(action.get("startTime") or ""),
        end=str(action.get("endTime") or ""),
    )


def run_entities(run: WorkflowRun, inputs: Sequence[str], outputs: Sequence[str]) -> tuple[list[Entity], str]:
    """Describe the run by three entities: its crate as a file, the workflow as a work, the run as an action.

    Args:
        run: The run.
        inputs: Ids of the input images.
        outputs: Ids of the output files.

    Returns:
        Entities, the file first, and the id of the action.
    """
    file: Entity = {
        "@id": RUN_PATH,
        "@type": "File",
        "name": run.title,
        "contentSize": str(run.size_bytes),
        "encodingFormat": "application/zip",
    }
    if run.profiles:
        file["conformsTo"] = [{"@id": profile} for profile in run.profiles]
    # RO-Crate 1.2 requires a version and an address of a SoftwareApplication, which the crate of a run may lack, and a
    # file of SoftwareSourceCode, which is inside that crate.
    workflow: Entity = {"@id": "#workflow", "@type": "CreativeWork", "name": run.workflow_name}
    if run.workflow_url:
        workflow["url"] = run.workflow_url
    action: Entity = {
        "@id": "#workflow-run",
        "@type": "CreateAction",
        "name": run.title,
        "instrument": {"@id": "#workflow"},
        "object": [{"@id": identifier} for identifier in inputs],
        "result": [{"@id": identifier} for identifier in outputs],
        "subjectOf": {"@id": RUN_PATH},
    }
    action |= {key: time for key, time in (("startTime", run.start), ("endTime", run.end)) if time}
    profiles = [
        {"@id": profile, "@type": "CreativeWork", "name": profile.rpartition("wfrun/")[2]} for profile in run.profiles
    ]
    return [file, workflow, action, *profiles], "#workflow-run"
