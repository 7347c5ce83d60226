"""A workflow of a `.ga` file in Galaxy: imported once, with the inputs that it asks for."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioblend.galaxy import GalaxyInstance

from scripts.galaxy_connection import ScriptError

KINDS = {"data_input": "dataset", "data_collection_input": "list", "parameter_input": "value"}


@dataclass(frozen=True)
class WorkflowInput:
    """One input of a workflow.

    Attributes:
        label: Its label, by which a value is given.
        kind: "value" (text or number), "dataset" or "list".
        required: Whether a run needs a value for it.
    """

    label: str
    kind: str
    required: bool


@dataclass(frozen=True)
class Workflow:
    """A workflow that Galaxy holds.

    Attributes:
        id: Galaxy's id.
        inputs: What it asks for, in the order of its steps.
    """

    id: str
    inputs: tuple[WorkflowInput, ...]


def import_workflow(gi: GalaxyInstance, path: Path) -> Workflow:
    """Upload a `.ga` file, or find the copy that an earlier call uploaded.

    A copy is found by a tag that holds the checksum of the file, so that a file that was changed is imported anew.

    Raises:
        ScriptError: The file cannot be read, or the server lacks a tool that it uses.
    """
    content, text = _read(path)
    missing = missing_tools(tool_ids(content), {tool["id"] for tool in gi.tools.get_tools()})
    if missing:
        raise ScriptError(f"Workflow {path}: this Galaxy lacks {', '.join(missing)}. Install the suite first.")
    tag = _tag(text)
    known = [one["id"] for one in gi.workflows.get_workflows() if tag in one.get("tags", ()) and not one.get("deleted")]
    if not known:
        known = [gi.workflows.import_workflow_dict(content)["id"]]
        gi.workflows.update_workflow(known[0], tags=[*content.get("tags", ()), tag])
    return Workflow(str(known[0]), inputs_of(content))


def tag_of(path: Path) -> str:
    """Return the tag by which Galaxy's copy of a `.ga` file is found."""
    return _tag(path.read_bytes())


def _tag(text: bytes) -> str:
    return f"ga:{hashlib.sha256(text).hexdigest()[:16]}"


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        text = path.read_bytes()
        content = json.loads(text)
    except (OSError, ValueError) as error:
        raise ScriptError(f"Workflow {path}: cannot be read ({error}). Name a .ga file.") from None
    if not isinstance(content, dict) or not isinstance(content.get("steps"), dict):
        raise ScriptError(f"Workflow {path}: is JSON without steps of a workflow. Name a .ga file.")
    return content, text


def inputs_of(content: dict[str, Any]) -> tuple[WorkflowInput, ...]:
    """Return the inputs of a workflow as its `.ga` file describes them."""
    inputs = []
    for step in content["steps"].values():
        if step["type"] in KINDS:
            state = json.loads(step.get("tool_state") or "{}")
            required = not state.get("optional") and state.get("default") is None
            label = step.get("label") or f"step {step['id'] + 1}"
            inputs.append(WorkflowInput(label, KINDS[step["type"]], required))
    return tuple(inputs)


def tool_ids(content: dict[str, Any]) -> set[str]:
    """Return the ids of all tools of a workflow, those of its subworkflows too."""
    found = set()
    for step in content["steps"].values():
        if step.get("tool_id"):
            found.add(str(step["tool_id"]))
        if step.get("subworkflow"):
            found |= tool_ids(step["subworkflow"])
    return found


def missing_tools(wanted: Collection[str], installed: Collection[str]) -> list[str]:
    """Return which tools Galaxy would not find, sorted.

    Galaxy takes another version of a tool of a Tool Shed (`.../repos/OWNER/REPOSITORY/TOOL/VERSION`), and finds such a
    tool by its short id too (galaxy.tool_util.toolbox.base, `get_tool`).
    """
    known = {_without_version(one) for one in installed} | {_without_version(one).split("/")[-1] for one in installed}
    return sorted(one for one in wanted if _without_version(one) not in known)


def _without_version(tool_id: str) -> str:
    return tool_id.rpartition("/")[0] if "/repos/" in tool_id else tool_id
