r"""Run a workflow on a Galaxy server, once or for each row of a table, and show a progress bar until it ends.

    export GALAXY_URL=https://galaxy.example.org GALAXY_API_KEY=...
    python -m scripts.run_workflow workflows/omero-nuclei-measurement/omero-nuclei-measurement.ga \
        --input "OMERO server=omero.example.org" --input "Dataset=Plate 7" --input "Channel=DAPI" --download results/

`--table runs.tsv` runs it once for each row; its column names are the input labels of the workflow. `--file LABEL=PATH`
uploads a file first, or the files of a folder as a list. The exit code is 0 if every run succeeded, 1 if a run failed,
2 if an argument is wrong.
"""

import argparse
import csv
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioblend import ConnectionError as GalaxyConnectionError
from bioblend.galaxy import GalaxyInstance
from tqdm import tqdm

from scripts.galaxy_connection import ScriptError, connect_from_environment

JOB_DONE = {"ok", "error", "deleted", "paused", "skipped", "failed", "stopped"}
JOB_FAILED = {"error", "deleted", "paused", "failed", "stopped"}
INVOCATION_ENDED = {"scheduled", "completed", "failed", "cancelled"}
INVOCATION_FAILED = {"failed", "cancelled"}


@dataclass(frozen=True)
class Job:
    """One job of a run, with its state in Galaxy."""

    id: str
    state: str


@dataclass(frozen=True)
class RunResult:
    """Result of one run of a workflow.

    Attributes:
        invocation_id: Galaxy's id of the run.
        history_id: Galaxy's id of the history that holds its results.
        problems: Text of each failed job or message; empty if the run succeeded.
        outputs: Galaxy's ids by the label of the workflow output: `{"label": {"id", "src"}}`.
    """

    invocation_id: str
    history_id: str
    problems: list[str]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        """Return whether no job of the run failed."""
        return not self.problems


def parse_assignment(text: str) -> tuple[str, str]:
    """Split `LABEL=VALUE` at its first equals sign.

    Raises:
        ScriptError: There is no equals sign, or nothing before it.
    """
    label, equals, value = text.partition("=")
    if not equals or not label.strip():
        raise ScriptError(f"Input {text!r}: is not LABEL=VALUE. Write it as --input 'Dataset=Plate 7'.")
    return label.strip(), value


def read_runs(path: Path) -> list[dict[str, str]]:
    """Read a tab-separated table of runs: a header of input labels, then one run a row.

    Raises:
        ScriptError: The file is missing, has no rows, or a row has more or fewer cells than the header.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            rows = [row for row in csv.reader(handle, delimiter="\t") if row]
    except OSError as error:
        raise ScriptError(f"Table {path}: cannot be read ({error.strerror}). Check the path.") from None
    if len(rows) < 2:
        raise ScriptError(f"Table {path}: has no runs. It needs a header of input labels and a row for each run.")
    header = rows[0]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise ScriptError(
                f"Table {path}, line {number}: has {len(row)} cells, the header has {len(header)}. Separate by tabs."
            )
    return [dict(zip(header, row, strict=True)) for row in rows[1:]]


def import_workflow(gi: GalaxyInstance, path: Path) -> str:
    """Upload a `.ga` file and return its id in Galaxy.

    Raises:
        ScriptError: The file cannot be read, or the server lacks a tool that it uses.
    """
    try:
        workflow = gi.workflows.import_workflow_from_local_path(str(path))
    except (OSError, ValueError) as error:
        raise ScriptError(f"Workflow {path}: cannot be read ({error}). Name a .ga file.") from None
    installed = {tool["id"] for tool in gi.tools.get_tools()}
    steps = gi.workflows.show_workflow(workflow["id"])["steps"].values()
    missing = sorted({step["tool_id"] for step in steps if step.get("tool_id")} - installed)
    if missing:
        raise ScriptError(f"Workflow {path}: this Galaxy lacks {', '.join(missing)}. Install the suite first.")
    return str(workflow["id"])


def start_run(
    gi: GalaxyInstance, workflow_id: str, inputs: dict[str, str], files: dict[str, Path], history_name: str
) -> tuple[str, str]:
    """Start one run in a history of its own.

    Args:
        gi: Connection to the server.
        workflow_id: Id of an imported workflow.
        inputs: Text values by input label.
        files: Files to upload, by input label; the files of a folder become a list, in the order of their names.
        history_name: Name for the new history.

    Returns:
        Ids of the invocation and of the history.

    Raises:
        ScriptError: A label is not an input of the workflow, a required input is missing, or a file does not exist.
    """
    labels = {entry["label"] for entry in gi.workflows.show_workflow(workflow_id)["inputs"].values()}
    for label in [*inputs, *files]:
        if label not in labels:
            raise ScriptError(f"Input {label!r}: the workflow has no such input. It has: {', '.join(sorted(labels))}.")
    for label, path in files.items():
        if not path.exists():
            raise ScriptError(f"Input {label!r}: there is no file {path}. Check the path.")
    history_id = gi.histories.create_history(history_name)["id"]
    values: dict[str, Any] = dict(inputs)
    for label, path in files.items():
        values[label] = _upload_list(gi, history_id, label, path) if path.is_dir() else _upload(gi, history_id, path)
    try:
        invocation = gi.workflows.invoke_workflow(
            workflow_id,
            inputs=values,
            history_id=history_id,
            inputs_by="name",
            require_exact_tool_versions=False,
        )
    except GalaxyConnectionError as error:
        raise ScriptError(f"Workflow {workflow_id}: did not start. Galaxy says: {error.body!s}") from None
    return invocation["id"], history_id


def _upload(gi: GalaxyInstance, history_id: str, path: Path) -> dict[str, str]:
    upload = gi.tools.upload_file(str(path), history_id)
    return {"id": upload["outputs"][0]["id"], "src": "hda"}


def _upload_list(gi: GalaxyInstance, history_id: str, label: str, folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    if not files:
        raise ScriptError(f"Input {label!r}: folder {folder} has no files. Name a folder with files.")
    elements = [{"name": file.name, **_upload(gi, history_id, file)} for file in files]
    description = {"collection_type": "list", "name": label, "element_identifiers": elements}
    collection = gi.histories.create_dataset_collection(history_id, description)
    return {"id": collection["id"], "src": "hdca"}


def list_jobs(gi: GalaxyInstance, invocation_id: str) -> list[Job]:
    """List every job of a run that Galaxy has made so far, subworkflows included."""
    jobs = gi.jobs.get_jobs(invocation_id=invocation_id)
    return [Job(job["id"], job["state"]) for job in jobs]


def follow_run(gi: GalaxyInstance, invocation_id: str, poll_seconds: float = 1.0) -> Iterator[Counter[str]]:
    """Yield the number of jobs by state until the run has ended.

    A run has ended when Galaxy has scheduled all its steps, or has given up, and all its jobs are done. The number of
    jobs grows while Galaxy schedules steps that run once for each element of a list.
    """
    while True:
        state = gi.invocations.show_invocation(invocation_id)["state"]
        states = Counter(job.state for job in list_jobs(gi, invocation_id))
        yield states
        if state in INVOCATION_FAILED or (state in INVOCATION_ENDED and set(states) <= JOB_DONE):
            return
        time.sleep(poll_seconds)


def show_progress(gi: GalaxyInstance, invocation_id: str, title: str) -> None:
    """Show a progress bar on standard error until the run has ended."""
    with tqdm(desc=title, unit="job", total=0, mininterval=0.5, dynamic_ncols=True) as bar:
        for states in follow_run(gi, invocation_id):
            bar.total = sum(states.values())
            bar.n = sum(count for state, count in states.items() if state in JOB_DONE)
            failed = sum(count for state, count in states.items() if state in JOB_FAILED)
            bar.set_postfix_str(f"running {states['running']}, failed {failed}", refresh=True)


def collect_result(gi: GalaxyInstance, invocation_id: str, history_id: str) -> RunResult:
    """Return the labelled outputs of an ended run, and the error message of each failed job."""
    invocation = gi.invocations.show_invocation(invocation_id)
    problems = []
    for job in list_jobs(gi, invocation_id):
        if job.state in JOB_FAILED:
            details = gi.jobs.show_job(job.id, full_details=True)
            said = _error_message(details.get("tool_stderr") or details.get("stderr") or "")
            problems.append(f"{details['tool_id']}: job {job.state}. {said}".strip())
    problems += [f"workflow: {message['reason']}" for message in invocation.get("messages", []) if _is_failure(message)]
    if invocation["state"] in INVOCATION_FAILED and not problems:
        problems.append(f"workflow: {invocation['state']}")
    outputs = {**invocation["outputs"], **invocation["output_collections"]}
    return RunResult(invocation_id, history_id, problems, outputs)


def _error_message(stderr: str) -> str:
    """Return the standard error from the last `ERROR:` on, as the tools of this suite print it; else its last lines."""
    lines = stderr.strip().splitlines()
    errors = [number for number, line in enumerate(lines) if line.startswith("ERROR:")]
    return "\n".join(lines[errors[-1] :] if errors else lines[-3:])


def _is_failure(message: dict[str, Any]) -> bool:
    return message["reason"] not in {"workflow_output_not_found"}


def download_outputs(gi: GalaxyInstance, result: RunResult, folder: Path) -> list[Path]:
    """Save each labelled output of a run as `<label>.<ext>`, or as `<label>/<element>.<ext>` for a list.

    Returns:
        Paths of the written files.
    """
    written = []
    for label, output in result.outputs.items():
        if output["src"] == "hda":
            written.append(_download(gi, output["id"], folder / _safe_name(label)))
        else:
            for element in gi.dataset_collections.show_dataset_collection(output["id"])["elements"]:
                stem = folder / _safe_name(label) / _safe_name(element["element_identifier"])
                written.append(_download(gi, element["object"]["id"], stem))
    return written


def _download(gi: GalaxyInstance, dataset_id: str, stem: Path) -> Path:
    extension = gi.datasets.show_dataset(dataset_id)["file_ext"]
    path = stem.parent / f"{stem.name.removesuffix('.' + extension)}.{extension}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if extension == "html":
        # Galaxy's download packs a page into a zip (26.1), as if it had further files; its raw view is the page.
        page = gi.make_get_request(f"{gi.url}/datasets/{dataset_id}/display", params={"raw": "true"})
        page.raise_for_status()
        path.write_bytes(page.content)
    else:
        gi.datasets.download_dataset(dataset_id, file_path=str(path), use_default_filename=False)
    return path


def _safe_name(text: str) -> str:
    return re.sub(r"[^\w.-]+", "_", text).strip("._") or "output"


def run_workflow(
    gi: GalaxyInstance, workflow_id: str, inputs: dict[str, str], files: dict[str, Path], title: str
) -> RunResult:
    """Run an imported workflow once, show a progress bar, and return how it ended."""
    invocation_id, history_id = start_run(gi, workflow_id, inputs, files, title)
    try:
        show_progress(gi, invocation_id, title)
    except KeyboardInterrupt:
        gi.invocations.cancel_invocation(invocation_id)
        raise
    return collect_result(gi, invocation_id, history_id)


def main(argv: list[str] | None = None) -> int:
    """Run a workflow with the arguments of the command line; the text of this module explains the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="scripts.run_workflow"
    )
    parser.add_argument("workflow", type=Path, help="a .ga file")
    parser.add_argument("--input", action="append", default=[], metavar="LABEL=VALUE", help="a text input")
    parser.add_argument(
        "--file", action="append", default=[], metavar="LABEL=PATH", help="a file to upload, or a folder"
    )
    parser.add_argument("--table", type=Path, help="tab-separated: a header of input labels, one run a row")
    parser.add_argument("--history", help="name of the new history (default: the workflow's file name)")
    parser.add_argument("--download", type=Path, metavar="FOLDER", help="save the labelled outputs here")
    arguments = parser.parse_args(argv)
    try:
        inputs = dict(parse_assignment(text) for text in arguments.input)
        files = {label: Path(path) for label, path in (parse_assignment(text) for text in arguments.file)}
        runs = [{**inputs, **row} for row in read_runs(arguments.table)] if arguments.table else [inputs]
        gi = connect_from_environment()
        workflow_id = import_workflow(gi, arguments.workflow)
        failed = 0
        for number, values in enumerate(runs, start=1):
            title = arguments.history or arguments.workflow.stem
            title = f"{title} {number}/{len(runs)}" if len(runs) > 1 else title
            result = run_workflow(gi, workflow_id, values, files, title)
            failed += not result.succeeded
            _report(
                gi,
                title,
                result,
                arguments.download and arguments.download / (str(number) if len(runs) > 1 else ""),
            )
    except ScriptError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted: the run was cancelled.", file=sys.stderr)
        return 130
    return 1 if failed else 0


def _report(gi: GalaxyInstance, title: str, result: RunResult, folder: Path | None) -> None:
    print(f"{title}: {'succeeded' if result.succeeded else 'FAILED'}")
    print(f"  {gi.base_url}/histories/view?id={result.history_id}")
    for problem in result.problems:
        print(f"  {problem}", file=sys.stderr)
    if folder and result.succeeded:
        for path in download_outputs(gi, result, folder):
            print(f"  {path}")


if __name__ == "__main__":
    sys.exit(main())
