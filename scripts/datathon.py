"""Three tasks with data and hidden truth, and a table of who is how far.

Everybody works in a history named `Datathon` and hands in by naming a dataset: `segmentation`, a label map; `tracking`,
a zip in the layout of the Cell Tracking Challenge; `metadata`, a filled template. The newest dataset of each name is
scored by the workflow `datathon-scoring`, in the teacher's account, where the truth stays.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from bioblend import ConnectionError as GalaxyConnectionError
from bioblend.galaxy import GalaxyInstance

from sandbox.process import ROOT
from scripts.galaxy_connection import ScriptError
from scripts.workflow_import import import_workflow
from scripts.workflow_progress import collect_result, show_progress

DATA = ROOT / "test-data"
WORKFLOW = ROOT / "workflows" / "datathon-scoring" / "datathon-scoring.ga"
HISTORY = "Datathon"
SCORING = "Datathon: scores"
"""The teacher's history with the last scoring."""
PAGE = "datathon"
Rows = list[dict[str, str]]


def score_segmentation(rows: Rows) -> float:
    """Return F1 at an intersection over union of 0.5."""
    return float(rows[0]["f1_0.5"])


def score_tracking(rows: Rows) -> float:
    """Return LNK: the share of right links, which TRA hides where all objects are found."""
    return float(rows[0]["LNK"])


def score_metadata(rows: Rows) -> float:
    """Return the mean completeness of REMBI's modules over all images, from 0 to 1; only valid values count."""
    return fmean(float(value) / 100 for row in rows for name, value in row.items() if name.endswith("(%)") and value)


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        name: What a dataset is named to hand it in.
        title: For people.
        data: What everybody gets.
        handed_in: Input of the workflow that takes what was handed in, one element for each person.
        scores: Output of the workflow with a table for each person.
        first: Output of its first step, which fails where something cannot be read.
        score: Gives the score, from 0 to 1, of the rows of a person's table.
    """

    name: str
    title: str
    data: tuple[Path, ...]
    handed_in: str
    scores: str
    first: str
    score: Callable[[Rows], float]


TASKS = (
    Task(
        "segmentation", "find the nuclei", (DATA / "nuclei.ome.tiff",),
        "Label maps", "Scores of label maps", "Scores of label maps", score_segmentation,
    ),
    Task(
        "tracking", "follow the cells", (DATA / "moving_cells.ome.tiff",),
        "Tracks", "Scores of tracks", "Scores of tracks", score_tracking,
    ),
    Task(
        "metadata", "describe the images", (DATA / "fair" / "cells_a.ome.tiff", DATA / "fair" / "cells_b.ome.tiff"),
        "Descriptions", "Scores of descriptions", "Checked descriptions", score_metadata,
    ),
)  # fmt: skip
TRUTH = {
    "True label map": (DATA / "nuclei_truth.ome.tiff", "ome.tiff"),
    "True tracks": (DATA / "moving_cells_truth.zip", "zip"),
}
DESCRIBED = "Described images"


def handed_in(gi: GalaxyInstance, name: str) -> str | None:
    """Return the id of the newest dataset of a name in the person's history of the datathon."""
    found = [
        one["id"]
        for history in gi.histories.get_histories(name=HISTORY)
        for one in gi.histories.show_history(history["id"], contents=True, visible=True, deleted=False)
        if one["name"] == name and one.get("state") == "ok" and one["history_content_type"] == "dataset"
    ]
    return found[-1] if found else None


def leaderboard(teacher: GalaxyInstance, people: Mapping[str, GalaxyInstance]) -> str:
    """Return a Markdown table of scores, the best mean first; what cannot be scored says why below it.

    Args:
        teacher: Account in which the scoring runs; what was scored before is deleted there.
        people: Account of each person, by name.

    Raises:
        ScriptError: The workflow did not start, or was given up.
    """
    found = {task.name: {name: handed_in(gi, task.name) for name, gi in people.items()} for task in TASKS}
    for old in teacher.histories.get_histories(name=SCORING):
        teacher.histories.delete_history(old["id"], purge=True)
    outputs = _run(teacher, {name: {who: one for who, one in own.items() if one} for name, own in found.items()})
    scores: dict[str, dict[str, float]] = {person: {} for person in people}
    notes = []
    for task in TASKS:
        show = teacher.dataset_collections.show_dataset_collection
        tables, first = (datasets_by_person(show(outputs[label]["id"])) for label in (task.scores, task.first))
        for person, dataset in found[task.name].items():
            readable = first.get(person, {}).get("state") == "ok" and _rows(teacher, first[person]["id"])
            if readable and tables.get(person, {}).get("state") == "ok":
                scores[person][task.name] = task.score(_rows(teacher, tables[person]["id"]))
            elif dataset:
                notes.append(f"{person}, {task.name}: {_reason(teacher, first.get(person))}")
    return table_of(scores, notes)


def _run(teacher: GalaxyInstance, found: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    """Score in a new history of the teacher; return the workflow's outputs by label."""
    history = teacher.histories.create_history(SCORING)["id"]
    given: dict[str, Any] = {label: _upload(teacher, history, *file) for label, file in TRUTH.items()}
    images = {file.name: _upload(teacher, history, file, "ome.tiff")["id"] for file in TASKS[-1].data}
    given[DESCRIBED] = _list(teacher, history, DESCRIBED, images)
    for task in TASKS:
        given[task.handed_in] = _list(teacher, history, task.handed_in, found[task.name])
    workflow = import_workflow(teacher, WORKFLOW)
    try:
        invocation = teacher.workflows.invoke_workflow(workflow.id, given, history_id=history, inputs_by="name")["id"]
    except GalaxyConnectionError as error:
        raise ScriptError(f"Workflow {WORKFLOW.stem}: did not start. Galaxy says: {error.body!s}") from None
    show_progress(teacher, invocation, "Scoring")
    result = collect_result(teacher, invocation)
    if not result.outputs:
        raise ScriptError(f"Workflow {WORKFLOW.stem}: " + "; ".join(result.problems))
    return result.outputs


def _upload(gi: GalaxyInstance, history: str, file: Path, kind: str) -> dict[str, str]:
    made = gi.tools.upload_file(str(file), history, file_name=file.name, file_type=kind)["outputs"][0]
    return {"src": "hda", "id": made["id"]}


def _list(gi: GalaxyInstance, history: str, name: str, datasets: Mapping[str, str]) -> dict[str, str]:
    """Make a list of copies of datasets, which may be other people's, by the names of its elements."""
    elements = [{"name": who, "id": dataset, "src": "hda"} for who, dataset in datasets.items()]
    description = {"collection_type": "list", "name": name, "element_identifiers": elements}
    made = gi.histories.create_dataset_collection(history, description)
    return {"src": "hdca", "id": made["id"]}


def datasets_by_person(shown: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the datasets of a list, as Galaxy shows it, by person; of a list of a person's own its one dataset."""
    return {one["element_identifier"]: _inmost(one["object"]) for one in shown["elements"]}


def _inmost(made: dict[str, Any]) -> dict[str, Any]:
    return _inmost(made["elements"][0]["object"]) if made.get("elements") else made


def _rows(gi: GalaxyInstance, dataset: str) -> Rows:
    text = gi.datasets.download_dataset(dataset).decode()
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def _reason(gi: GalaxyInstance, dataset: Mapping[str, Any] | None) -> str:
    """Return what the tool said of something that it could not read."""
    if dataset is None:
        return "Galaxy did not score it"
    job = gi.datasets.show_dataset(dataset["id"])["creating_job"]
    said = gi.jobs.show_job(job, full_details=True)
    lines = (said.get("tool_stderr") or said.get("stderr") or "").strip().splitlines()
    if lines:
        return lines[-1].removeprefix("ERROR: ")
    return f"{said['tool_id']} {'finds nothing in it' if said['state'] == 'ok' else 'ended as ' + said['state']}"


def table_of(scores: Mapping[str, Mapping[str, float]], notes: list[str]) -> str:
    """Return the table; a task that was not handed in counts as 0."""
    names = [task.name for task in TASKS]
    means = {person: sum(own.values()) / len(names) for person, own in scores.items()}
    lines = [f"| place | who | {' | '.join(names)} | mean |", "|" + "---|" * (len(names) + 3)]
    for place, person in enumerate(sorted(means, key=lambda one: (-means[one], one)), start=1):
        cells = [f"{scores[person][name]:.3f}" if name in scores[person] else "" for name in names]
        lines.append(f"| {place} | {person} | {' | '.join(cells)} | {means[person]:.3f} |")
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)]).rstrip() + "\n"


def publish(gi: GalaxyInstance, table: str) -> str:
    """Put the table into a page of Galaxy that everybody can read; return its address."""
    content = f"# Datathon\n\n{table}"
    known = [one for one in gi.make_get_request(f"{gi.url}/pages").json() if one["slug"] == PAGE]
    if known:
        page = known[0]["id"]
        gi.make_post_request(
            f"{gi.url}/pages/{page}/revisions", payload={"content": content, "content_format": "markdown"}
        )
    else:
        payload = {"title": "Datathon", "slug": PAGE, "content": content, "content_format": "markdown"}
        page = gi.make_post_request(f"{gi.url}/pages", payload=payload)["id"]
    gi.make_put_request(f"{gi.url}/pages/{page}/publish")
    return f"{gi.base_url}/published/page?id={page}"
