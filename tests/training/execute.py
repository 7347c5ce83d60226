"""Do on a Galaxy what the hands-on boxes of a tutorial say, and compare the numbers of its solutions."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioblend import ConnectionError as GalaxyConnectionError
from bioblend.galaxy import GalaxyInstance

from scripts.suite_files import ADDRESS
from scripts.workflow_import import import_workflow
from tests.run import ROOT
from tests.training.by_hand import fill_by_hand, run_and_wait
from tests.training.by_pages import build_list, open_tool, start_workflow, upload_addresses
from tests.training.checks import CheckError, Table, agrees, compute, parse_check, read_table
from tests.training.form import FormError, fill, placed
from tests.training.tutorial import (
    CODE,
    Answer,
    CodeStep,
    ImportStep,
    Parameter,
    Picture,
    Reference,
    Step,
    ToolStep,
    Tutorial,
    WorkflowStep,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

ENDED = ("ok", "error", "deleted", "deleted_new", "failed", "paused")
PAUSE = 0.5
WORKFLOWS = f"{ADDRESS}docs/training/"
FILES = "files"
"""In a check: what code wrote, by a pattern of paths."""
STEP_SECONDS = 600.0
CODE_SECONDS = 3600.0
"""Of a busy machine, on which Galaxy alone needed twenty minutes to start for `make course`."""


class RunError(Exception):
    """A step that could not be done, or did not end well."""


@dataclass(frozen=True)
class Made:
    """A dataset or list in the history: Galaxy's kind (`hda`, `hdca`), id, name of the output, and name shown."""

    kind: str
    id: str
    output: str
    shown: str

    @property
    def tail(self) -> str:
        """Return what its name ends in, such as `label maps` of `Export labels: label maps`."""
        return self.shown.rpartition(": ")[2]


@dataclass
class Run:
    """One run of a tutorial in a history of its own.

    Attributes:
        gi: Connection of the user who learns.
        history: Id of the history.
        live: What stands for a word of the text on this machine: the address of OMERO for `omero.example.org`.
        files: File by the beginning of addresses that the tutorial imports.
        training: Folder that paths of workflows start from.
        folder: The learner's folder, where code is run.
        page: A browser that is logged in, with the history as its own, in which all is done by hand; None to ask
            Galaxy's API for it.
        environment: What the learner has exported, beside address and key of Galaxy.
        made: Outputs by the title of their step; a step that is done again replaces its outputs.
        imported: Datasets and lists by name.
    """

    gi: GalaxyInstance
    history: str
    live: Mapping[str, str]
    files: Mapping[str, Path]
    training: Path
    folder: Path
    page: "Page | None" = None
    environment: Mapping[str, str] = field(default_factory=dict)
    made: dict[str, list[Made]] = field(default_factory=dict)
    imported: dict[str, Made] = field(default_factory=dict)

    def find(self, reference: Reference) -> Made:
        """Return the dataset or list that a text names.

        Raises:
            RunError: No step with this title ran, or it has no such output.
        """
        if not reference.title:
            if reference.name not in self.imported:
                raise RunError(f"{reference.name!r} was not imported; there are: {', '.join(self.imported)}")
            return self.imported[reference.name]
        outputs = self.made.get(reference.title)
        if not outputs:
            raise RunError(f"no step {reference.title!r} ran before; there are: {', '.join(self.made)}")
        found = [one for one in outputs if reference.name in (one.output, one.tail, one.shown)]
        if not found and len(outputs) == 1 and reference.name == "output":
            found = outputs
        if len(found) != 1:
            names = ", ".join(sorted({one.tail for one in outputs}))
            raise RunError(f"{reference.title!r} has {len(found)} outputs {reference.name!r}; it has: {names}")
        return found[0]


def do_step(run: Run, step: Step) -> None:
    """Do one step and wait for its end.

    Raises:
        RunError: It could not be done, or a job failed.
    """
    if isinstance(step, ImportStep):
        _import(run, step)
    elif isinstance(step, CodeStep):
        run_code(run, step)
    elif isinstance(step, WorkflowStep):
        _run_workflow(run, step)
    else:
        _run_tool(run, step)


def _import(run: Run, step: ImportStep) -> None:
    if run.page:
        _import_by_hand(run, run.page, step)
        return
    elements = []
    for address in step.addresses:
        start = next((one for one in run.files if address.startswith(one)), None)
        if start is None:
            raise RunError(f"{address}: no file of this repository. It begins with none of: {', '.join(run.files)}")
        file = run.files[start] / address.removeprefix(start)
        made = run.gi.tools.upload_file(str(file), run.history, file_name=file.name)["outputs"][0]
        run.imported[file.name] = Made("hda", made["id"], file.name, file.name)
        elements.append({"name": file.name, "id": made["id"], "src": "hda"})
    for element in elements:
        _wait(lambda id=element["id"]: run.gi.datasets.show_dataset(id)["state"], f"import of {element['name']}")
    if step.list_name:
        description = {"collection_type": "list", "name": step.list_name, "element_identifiers": elements}
        made = run.gi.histories.create_dataset_collection(run.history, description)
        run.imported[step.list_name] = Made("hdca", made["id"], step.list_name, step.list_name)


def _import_by_hand(run: Run, page: "Page", step: ImportStep) -> None:
    """Import files and make a list of them on Galaxy's pages."""
    names = [address.rpartition("/")[2] for address in step.addresses]
    upload_addresses(page, [_here(run, address) for address in step.addresses])
    if step.list_name:
        build_list(page, names, step.list_name)
    kinds = {"dataset": "hda", "dataset_collection": "hdca"}
    for one in run.gi.histories.show_history(run.history, contents=True):
        kind = kinds[one["history_content_type"]]
        run.imported[one["name"]] = Made(kind, one["id"], one["name"], one["name"])


def _here(run: Run, text: str) -> str:
    """Return a text with this machine's words in place of those that stand for them."""
    for word, live in run.live.items():
        text = text.replace(word, live)
    return text


def run_code(run: Run, step: CodeStep) -> None:
    """Run code as a learner does who has set the address and key of Galaxy, in the suite's environment.

    Raises:
        RunError: It did not end with 0; with what it wrote.
    """
    code = _here(run, step.code)
    known = {"GALAXY_URL": run.gi.base_url, "GALAXY_API_KEY": str(run.gi.key), "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["bash", "-euc", code] if step.language == "bash" else [sys.executable, "-c", code]
    for name in ("scripts", "workflows", "tools", "src", "test-data"):
        if not (run.folder / name).exists():
            (run.folder / name).symlink_to(ROOT / name)
    try:
        done = subprocess.run(
            command,
            cwd=run.folder,
            env={**os.environ, **known, **run.environment, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CODE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise RunError(f"code did not end in {late.timeout:.0f} s:\n{code}") from None
    if done.returncode != 0:
        raise RunError(f"code ended with {done.returncode}:\n{code}\n{(done.stdout + done.stderr)[-2000:]}")


def do_guide(run: Run, guide: Path) -> list[str]:
    """Run the blocks of `bash` and `python` of a page in their order; return what went wrong."""
    try:
        for found in CODE.finditer(guide.read_text(encoding="utf-8")):
            run_code(run, CodeStep(found[2], found[3]))
    except RunError as error:
        return [f"{guide}: {error}"]
    return []


def _run_tool(run: Run, step: ToolStep) -> None:
    tool = run.gi.tools.show_tool(step.short_id, io_details=True)
    if tool["name"] != step.title:
        raise RunError(f"tool {step.short_id}: is called {tool['name']!r}, the text says {step.title!r}")
    try:
        inputs = fill(tool["inputs"], with_live(step.parameters, run.live), lambda *one: _data(run, *one))
    except FormError as error:
        raise RunError(f"{step.title}: {error}") from None
    if run.page:
        run.made[step.title] = _by_hand(run, run.page, step, tool)
        return
    payload: dict[str, Any] = {"tool_id": tool["id"], "history_id": run.history, "inputs": inputs}
    user = run.gi.users.get_current_user()["id"]
    if context := run.gi.users.get_credentials_for_tool(user, tool["id"], tool["version"]):
        payload["credentials_context"] = context
    try:
        answer = run.gi.make_post_request(f"{run.gi.url}/tools", payload=payload)
    except GalaxyConnectionError as error:
        raise RunError(f"{step.title}: Galaxy refuses the form: {error.body!s}") from None
    for job in answer["jobs"]:
        _wait(lambda id=job["id"]: run.gi.jobs.get_state(id), step.title, run.gi, job["id"])
    lists = [*answer.get("implicit_collections", []), *answer.get("output_collections", [])]
    made = [Made("hdca", one["id"], one["output_name"], one["name"]) for one in lists]
    if not answer.get("implicit_collections"):
        made += [Made("hda", one["id"], one["output_name"], one["name"]) for one in answer["outputs"]]
    run.made[step.title] = made


def _by_hand(run: Run, page: "Page", step: ToolStep, tool: dict[str, Any]) -> list[Made]:
    """Fill the form in the browser, press its button, and return what appears in the history."""
    shown = placed(tool["inputs"], with_live(step.parameters, run.live))
    found = {reference: run.find(reference) for _, parameter in shown for reference in parameter.data}
    names = {reference: f"{made.kind}: {made.shown}" for reference, made in found.items()}
    open_tool(page, run.gi.base_url, step.short_id, step.title)
    fill_by_hand(page, shown, names)
    new = run_and_wait(page, lambda: run.gi.histories.show_history(run.history, contents=True), STEP_SECONDS)
    states = {one["name"]: one.get("state") or one.get("populated_state") for one in new}
    if not new or set(states.values()) != {"ok"}:
        raise RunError(f"{step.title}, by hand: {states or 'nothing came into the history'}")
    lists = [one for one in new if one["history_content_type"] == "dataset_collection"]
    alone = [one for one in new if one["history_content_type"] == "dataset" and one["visible"]]
    kinds = [("hdca", one) for one in lists] + [("hda", one) for one in alone]
    return [Made(kind, one["id"], "", one["name"]) for kind, one in kinds]


def with_live(parameters: tuple[Parameter, ...], live: Mapping[str, str]) -> tuple[Parameter, ...]:
    """Return parameters with this machine's values in place of those that stand for them in the text."""
    return tuple(
        Parameter(
            one.label, tuple(live.get(value, value) for value in one.values), one.data, with_live(one.below, live)
        )
        for one in parameters
    )


def _data(run: Run, parameter: Parameter, place: dict[str, Any]) -> dict[str, Any]:
    """Return Galaxy's value of datasets; a list for a parameter that takes one runs the tool for each element."""
    found = [run.find(reference) for reference in parameter.data]
    values = [{"src": one.kind, "id": one.id} for one in found]
    batch = not place.get("multiple") and (len(found) > 1 or found[0].kind == "hdca")
    return {"batch": batch, "values": values}


def _run_workflow(run: Run, step: WorkflowStep) -> None:
    started = _start_by_hand(run, run.page, step) if run.page else _start_workflow(run, step)
    _wait(lambda: _invocation_state(run.gi, started), step.title)
    invocation = run.gi.invocations.show_invocation(started)
    made = [Made("hda", one["id"], label, label) for label, one in invocation["outputs"].items()]
    made += [Made("hdca", one["id"], label, label) for label, one in invocation["output_collections"].items()]
    run.made[step.title] = made


def _start_workflow(run: Run, step: WorkflowStep) -> str:
    """Import a workflow and run it by Galaxy's API; return the id of the invocation."""
    workflow = import_workflow(run.gi, run.training / step.path)
    values: dict[str, Any] = {}
    for parameter in with_live(step.parameters, run.live):
        if parameter.data:
            found = run.find(parameter.data[0])
            values[parameter.label] = {"src": found.kind, "id": found.id}
        else:
            values[parameter.label] = parameter.values[0]
    started = run.gi.workflows.invoke_workflow(
        workflow.id,
        inputs=values,
        history_id=run.history,
        inputs_by="name",
        require_exact_tool_versions=False,
    )
    return str(started["id"])


def _start_by_hand(run: Run, page: "Page", step: WorkflowStep) -> str:
    """Import a workflow and run it on Galaxy's pages; return the id of the invocation."""
    texts = {one.label: one.values[0] for one in with_live(step.parameters, run.live)}
    start_workflow(page, run.gi.base_url, _here(run, WORKFLOWS + step.path), texts)
    (started,) = run.gi.invocations.get_invocations(history_id=run.history)
    return str(started["id"])


def _invocation_state(gi: GalaxyInstance, invocation: str) -> str:
    state = gi.invocations.show_invocation(invocation)["state"]
    if state in ("cancelled", "failed"):
        return "error"
    states = gi.invocations.get_invocation_summary(invocation)["states"]
    if any(states.get(bad) for bad in ("error", "deleted", "failed", "paused")):
        return "error"
    done = state in ("scheduled", "completed") and states and set(states) == {"ok"}
    return "ok" if done else "running"


def _wait(state_of: Any, what: str, gi: GalaxyInstance | None = None, job: str = "") -> None:
    """Wait until something is `ok`; raise RunError if it ends otherwise, with what a job wrote."""
    end = time.monotonic() + STEP_SECONDS
    while (state := state_of()) not in ENDED and time.monotonic() < end:
        time.sleep(PAUSE)
    if state != "ok":
        said = gi.jobs.show_job(job, full_details=True).get("stderr", "") if gi else ""
        raise RunError(f"{what}: ended as {state!r}. {said.strip()[-2000:]}")


def tables_of(run: Run, made: Made, with_content: bool = True) -> list[Table]:
    """Return a dataset as a table, or each element of a list."""
    ids = [made.id]
    if made.kind == "hdca":
        shown = run.gi.dataset_collections.show_dataset_collection(made.id)
        ids = [element["object"]["id"] for element in shown["elements"]]
    if not with_content:
        return [Table() for _ in ids]
    contents = [run.gi.datasets.download_dataset(one, require_ok_state=False) for one in ids]
    return [read_table(bytes(one).decode()) for one in contents]


def wrong_answer(run: Run, answer: Answer) -> str | None:
    """Compare the number of a solution with what came out; return None if it agrees, else what differs."""
    try:
        check = parse_check(answer.check)
        title, _, name = check.output.partition(": ")
        if title == FILES:
            tables = [read_table(file.read_text()) for file in sorted(run.folder.glob(name))]
        else:
            made = run.find(Reference(name or "output", title))
            tables = tables_of(run, made, check.function != "elements")
        computed = compute(check, tables)
    except (CheckError, RunError) as error:
        return f"line {answer.line}: {answer.question!r}: {error}"
    if agrees(answer.number, computed):
        return None
    return f"line {answer.line}: {answer.question!r}: the text says {answer.number}, {answer.check} is {computed}"


def do_tutorial(run: Run, tutorial: Tutorial, photograph: Callable[[Run, Picture], None] | None = None) -> list[str]:
    """Do all steps, compare the solutions and make the pictures where they stand; return what differs.

    Args:
        run: A new run.
        tutorial: The tutorial.
        photograph: Makes a picture; None for none.

    Raises:
        RunError: A step could not be done.
    """
    wrong = []
    for box in tutorial.boxes:
        for step in box.steps:
            begin = time.monotonic()
            try:
                do_step(run, step)
            except RunError as error:
                raise RunError(f"{tutorial.path}:{box.line}: {error}") from None
            print(f"  {time.monotonic() - begin:4.0f} s  {box.title}", flush=True)
        if box.picture and photograph:
            photograph(run, box.picture)
        wrong += [problem for answer in box.answers if (problem := wrong_answer(run, answer))]
    return wrong
