"""Provenance of results: the Workflow Run Crate that Galaxy exports for an invocation (`rocrate.zip`)."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import without_suffix
from bioimage_suite.core.untrusted_files import ANY_SIZE, MAX_JSON_BYTES, open_zip, parse_json, read_member
from bioimage_suite.fair.crates.checks import check_document
from bioimage_suite.fair.products.entities import path_id, refs
from bioimage_suite.fair.products.study import DepositedImage, ResultFile, Study
from bioimage_suite.fair.terms.json_ld import DESCRIPTOR, Entity, by_id, ids, root_id, types
from bioimage_suite.tables.sheets import Finding

RUN_PATH = "provenance/workflow-run.crate.zip"
RUN_ACTION = "#workflow-run"


@dataclass(frozen=True)
class RunFile:
    """A file that a run read or made: its name, and size and CRC-32 where the crate holds the file (else -1)."""

    name: str
    size_bytes: int = -1
    crc: int = -1


@dataclass(frozen=True)
class WorkflowRun:
    """A workflow run: the file of its crate and the crate's metadata; texts may be empty.

    `findings` is what the crate itself does wrong by RO-Crate's rules.
    """

    source: Path
    size_bytes: int
    profiles: tuple[str, ...]
    workflow_name: str
    workflow_url: str
    start: str
    end: str
    inputs: tuple[RunFile, ...] = ()
    outputs: tuple[RunFile, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def title(self) -> str:
        """Name of the run for people."""
        return f"Run of {self.workflow_name}"

    def read(self, file: DepositedImage | ResultFile) -> bool:
        """Return whether the run read a file of the package."""
        return _among(self.inputs, file)

    def made(self, file: DepositedImage | ResultFile) -> bool:
        """Return whether the run made a file of the package."""
        return _among(self.outputs, file)


def _among(known: Sequence[RunFile], file: DepositedImage | ResultFile) -> bool:
    """Return whether a file is one of a run's, by its content where the crate holds files, else by its name.

    Galaxy's crate names a dataset as the history does; an element of a list may have another name there.
    """
    names = {file.name, without_suffix(file.name)}
    if any(one.crc < 0 and {one.name, without_suffix(one.name)} & names for one in known):
        return True
    same_size = [one.crc for one in known if one.crc >= 0 and one.size_bytes == file.size_bytes]
    return bool(same_size and file.source) and _crc(file.source) in same_size


@cache
def _crc(path: Path | None) -> int:
    """Return the CRC-32 of a file, as zip has it."""
    crc = 0
    if path:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                crc = zlib.crc32(block, crc)
    return crc


def read_workflow_run(path: Path, name: str) -> WorkflowRun:
    """Read the metadata of a Workflow Run Crate, of any size: nothing but the metadata is unpacked.

    Args:
        path: Path of the zip.
        name: Display name of the zip.

    Raises:
        UserError: The file is not a zip, is harmful, or is not the crate of a workflow run.
    """
    with open_zip(path, name, ANY_SIZE) as archive:
        document = parse_json(read_member(archive, DESCRIPTOR, name, MAX_JSON_BYTES), f"{name}/{DESCRIPTOR}")
        members = {
            member.filename: RunFile(member.filename, member.file_size, member.CRC) for member in archive.infolist()
        }
    entities = by_id(document.get("@graph") if isinstance(document, dict) else None)
    root = entities.get(root_id(entities) or "./", {})
    workflow = entities.get(next(iter(ids(root.get("mainEntity"))), ""), {})
    if "ComputationalWorkflow" not in types(workflow):
        raise UserError(
            f"workflow run {name}: its crate names no ComputationalWorkflow. Export the invocation as RO-Crate."
        )
    action = next((entity for entity in entities.values() if "CreateAction" in types(entity)), None)
    if action is None:
        raise UserError(
            f"workflow run {name}: its crate has the workflow but no run of it (CreateAction). "
            "Export the invocation, not the workflow."
        )
    url = workflow.get("url")
    return WorkflowRun(
        source=path,
        size_bytes=path.stat().st_size,
        profiles=tuple(filter(None, ids(root.get("conformsTo")))),
        workflow_name=str(workflow.get("name") or "Workflow"),
        workflow_url=url if isinstance(url, str) else "",
        start=str(action.get("startTime") or ""),
        end=str(action.get("endTime") or ""),
        inputs=tuple(_run_files(action.get("object"), entities, members)),
        outputs=tuple(_run_files(action.get("result"), entities, members)),
        findings=tuple(item for item in check_document(document, name, "base") if item.level == "error"),
    )


def _run_files(value: Any, entities: Mapping[str, Entity], members: Mapping[str, RunFile]) -> Iterator[RunFile]:
    """Yield the files behind references of an action; a Collection stands for the files that it has."""
    waiting, seen = ids(value), set()
    while waiting:
        identifier = waiting.pop(0)
        entity = entities.get(identifier, {})
        if identifier in seen:
            continue
        seen.add(identifier)
        if "Collection" in types(entity) or "Dataset" in types(entity):
            waiting += ids(entity.get("hasPart"))
        elif "File" in types(entity):
            packed = members.get(unquote(identifier.removeprefix("./")))
            yield replace(packed, name=str(entity.get("name") or "")) if packed else RunFile(str(entity.get("name")))


def run_actions(study: Study, run: WorkflowRun) -> list[Entity]:
    """Return the workflow and its run, with those files of the study that the run really read and made."""
    made = [*study.results, *(study.annotations.files if study.annotations else ())]
    # RO-Crate 1.2 asks that a workflow is a file and source code too; the file itself is inside the run's crate.
    workflow: Entity = {
        "@id": "#workflow",
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": run.workflow_name,
    }
    if run.workflow_url:
        workflow["url"] = run.workflow_url
    action: Entity = {"@id": RUN_ACTION, "@type": "CreateAction", "name": run.title, "instrument": {"@id": "#workflow"}}
    linked = {
        "object": refs(path_id(image.path) for image in study.images if run.read(image)),
        "result": refs(path_id(file.path) for file in made if run.made(file)),
    }
    action |= {key: found for key, found in linked.items() if found}
    action |= {key: time for key, time in (("startTime", run.start), ("endTime", run.end)) if time}
    return [workflow, action]


def run_summary(study: Study, run: WorkflowRun) -> str:
    """Return in one line how many files of the study the run knows, and what is wrong with its crate."""
    made = [*study.results, *(study.annotations.files if study.annotations else ())]
    read, written = sum(map(run.read, study.images)), sum(map(run.made, made))
    text = f"{run.title}: read {read:,} of {len(study.images):,} images, made {written:,} of {len(made):,} other files"
    wrong = [f"{item.column}: {item.found}, expected {item.expected}" for item in run.findings[:3]]
    return text + (f"; its crate breaks rules of RO-Crate ({len(run.findings):,}): {'; '.join(wrong)}" if wrong else "")


def run_file(run: WorkflowRun) -> list[Entity]:
    """Return the file of the run's crate, and the profiles that it follows."""
    file: Entity = {
        "@id": RUN_PATH,
        "@type": "File",
        "name": run.title,
        "contentSize": str(run.size_bytes),
        "encodingFormat": "application/zip",
    }
    if run.profiles:
        file["conformsTo"] = refs(run.profiles)
    profiles = [
        {"@id": profile, "@type": ["CreativeWork", "Profile"], "name": profile.rpartition("wfrun/")[2]}
        for profile in run.profiles
    ]
    return [file, *profiles]
