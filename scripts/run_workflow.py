r"""Run a workflow on a Galaxy server, once or for each row of a table, and show a progress bar until it ends.

    export GALAXY_URL=https://galaxy.example.org GALAXY_API_KEY=...
    python -m scripts.run_workflow workflows/omero-nuclei-measurement/omero-nuclei-measurement.ga \
        --input "OMERO server=omero.example.org" --input "Dataset=Plate 7" --input "Channel=DAPI" --download results/

`--table runs.tsv` runs it once for each row; its column names are the input labels of the workflow, its cells texts, or
paths for inputs that take files. `--file LABEL=PATH` uploads a file first; for a list, the files of a folder, or each
file of a repeated `--file`. Ctrl-C leaves the run in Galaxy and says how to follow it again by `--resume`. The exit
code is 0 if every run succeeded, 1 if a run failed, 2 if an argument is wrong or Galaxy cannot be asked, 130 after
Ctrl-C.
"""

import argparse
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bioblend import ConnectionError as GalaxyConnectionError
from bioblend.galaxy import GalaxyInstance

from scripts.galaxy_connection import ScriptError, connect_from_environment
from scripts.workflow_import import Workflow, import_workflow
from scripts.workflow_inputs import (
    RunInputs,
    assigned_files,
    assigned_values,
    check_inputs,
    read_runs,
    upload_inputs,
    with_row,
)
from scripts.workflow_outputs import download_outputs
from scripts.workflow_progress import RunResult, collect_result, show_progress

# A question that meets no answer is asked again, for two minutes: the run goes on meanwhile.
ASK_TIMES, ASK_AGAIN_SECONDS = 24, 5


@dataclass(frozen=True)
class Options:
    """How runs are started and followed.

    Attributes:
        cache: Take results of equal earlier jobs.
        stop_on_failure: Cancel a run when a job fails, and start no further run.
        download: Folder for the outputs; None to leave them in Galaxy.
    """

    cache: bool = False
    stop_on_failure: bool = False
    download: Path | None = None


@dataclass(frozen=True)
class Total:
    """What all runs came to."""

    runs: int = 0
    failed_runs: int = 0
    jobs: int = 0
    failed_jobs: int = 0
    files: int = 0

    def plus(self, result: RunResult, files: int) -> "Total":
        """Return the total with one more run."""
        return Total(
            self.runs + 1,
            self.failed_runs + (not result.succeeded),
            self.jobs + result.jobs,
            self.failed_jobs + result.failed,
            self.files + files,
        )


def start_run(gi: GalaxyInstance, workflow: Workflow, given: RunInputs, history_name: str, cache: bool = False) -> str:
    """Start one run in a history of its own.

    Args:
        gi: Connection to the server.
        workflow: An imported workflow.
        given: Texts and files by input label.
        history_name: Name for the new history.
        cache: Take results of equal earlier jobs.

    Returns:
        Id of the invocation.

    Raises:
        ScriptError: A label is not an input of the workflow, a required input is missing, a file does not exist, or
            Galaxy refuses the run.
    """
    check_inputs(given, workflow.inputs)
    history_id = gi.histories.create_history(history_name)["id"]
    values = {**given.values, **upload_inputs(gi, history_id, given.files, workflow.inputs)}
    try:
        invocation = gi.workflows.invoke_workflow(
            workflow.id,
            inputs=values,
            history_id=history_id,
            inputs_by="name",
            require_exact_tool_versions=False,
            use_cached_job=cache,
        )
    except GalaxyConnectionError as error:
        raise ScriptError(f"Workflow {workflow.id}: did not start. Galaxy says: {error.body!s}") from None
    return str(invocation["id"])


def run_workflow(
    gi: GalaxyInstance, workflow: Workflow, values: Mapping[str, str], files: Mapping[str, tuple[Path, ...]], title: str
) -> RunResult:
    """Run an imported workflow once, show a progress bar, and return how it ended."""
    invocation_id = start_run(gi, workflow, RunInputs(dict(values), dict(files)), title)
    show_progress(gi, invocation_id, title)
    return collect_result(gi, invocation_id)


def follow(gi: GalaxyInstance, invocation_id: str, title: str, options: Options, again: str) -> RunResult:
    """Follow a run to its end.

    Args:
        gi: Connection to the server.
        invocation_id: The run.
        title: What it is called.
        options: How it is followed.
        again: Command that follows it again.

    Raises:
        ScriptError: Galaxy did not answer any more.
        KeyboardInterrupt: The user pressed Ctrl-C; the run goes on.
    """
    try:
        show_progress(gi, invocation_id, title, options.stop_on_failure)
        return collect_result(gi, invocation_id)
    except KeyboardInterrupt:
        print(f"The run goes on in Galaxy. Follow it by:\n  {again}", file=sys.stderr)
        raise
    except (GalaxyConnectionError, OSError) as error:
        said = getattr(error, "status_code", None) or type(error).__name__
        raise ScriptError(
            f"Galaxy: does not answer any more ({said}). The run goes on; follow it by:\n  {again}"
        ) from None


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="scripts.run_workflow"
    )
    parser.add_argument("workflow", type=Path, nargs="?", help="a .ga file")
    parser.add_argument("--input", action="append", default=[], metavar="LABEL=VALUE", help="a text input")
    parser.add_argument(
        "--file", action="append", default=[], metavar="LABEL=PATH",
        help="a file to upload, or a folder; several for a list",
    )  # fmt: skip
    parser.add_argument("--table", type=Path, help="tab-separated: a header of input labels, one run a row")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="begin with row N of the table")
    parser.add_argument("--resume", metavar="ID", help="follow this invocation again instead of starting a run")
    parser.add_argument("--cache", action="store_true", help="take results of equal jobs that ran before")
    parser.add_argument("--stop-on-failure", action="store_true", help="cancel a run when one of its jobs fails")
    parser.add_argument("--history", help="name of the new history (default: the workflow's file name)")
    parser.add_argument("--download", type=Path, metavar="FOLDER", help="save the labelled outputs here")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run a workflow with the arguments of the command line; the text of this module explains the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = make_parser().parse_args(words)
    started = time.monotonic()
    try:
        total = run_all(arguments, words)
    except ScriptError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    print(
        f"{total.runs} runs, {total.failed_runs} failed; {total.jobs} jobs, {total.failed_jobs} failed; "
        f"{total.files} files saved; {time.monotonic() - started:.0f} s"
    )
    return 1 if total.failed_runs else 0


def run_all(arguments: argparse.Namespace, words: list[str]) -> Total:
    """Do what the command line says.

    Args:
        arguments: The parsed command line.
        words: The command line itself, for the command that continues it.
    """
    if not arguments.workflow and not arguments.resume:
        raise ScriptError("Workflow: none is named. Name a .ga file, or an invocation by --resume.")
    given = RunInputs(assigned_values(arguments.input), assigned_files(arguments.file))
    rows = read_runs(arguments.table) if arguments.table else [{}]
    if not 1 <= arguments.first <= len(rows):
        raise ScriptError(f"--first {arguments.first}: the table has {len(rows)} rows. Give the number of one of them.")
    options = Options(arguments.cache, arguments.stop_on_failure, arguments.download)
    gi = connect_from_environment()
    if arguments.resume:
        _check_known(gi, arguments.resume)
    gi.max_get_attempts, gi.get_retry_delay = ASK_TIMES, ASK_AGAIN_SECONDS
    workflow = import_workflow(gi, arguments.workflow) if arguments.workflow else None
    runs = _planned(given, rows, workflow, arguments)
    total = Total()
    for number, run in enumerate(runs[arguments.first - 1 :], start=arguments.first):
        name = arguments.history or (arguments.workflow or Path(f"Run {arguments.resume}")).stem
        title = f"{name} {number}/{len(runs)}" if len(runs) > 1 else name
        if number == arguments.first and arguments.resume:
            invocation_id = arguments.resume
        elif workflow:
            invocation_id = start_run(gi, workflow, run, title, options.cache)
        else:
            break
        result = follow(gi, invocation_id, title, options, _again(words, invocation_id, number, len(runs)))
        total = total.plus(result, _report(gi, title, result, _folder(options.download, number, len(runs))))
        if options.stop_on_failure and not result.succeeded:
            break
    return total


def _check_known(gi: GalaxyInstance, invocation_id: str) -> None:
    """Refuse an invocation that Galaxy does not know or does not show: asked again, it would still not know it."""
    try:
        gi.invocations.show_invocation(invocation_id)
    except GalaxyConnectionError as error:
        raise ScriptError(
            f"--resume {invocation_id}: Galaxy knows no run of yours with this id ({error.status_code}). "
            "Give the id that was printed when the run was interrupted."
        ) from None


def _planned(
    given: RunInputs, rows: list[dict[str, str]], workflow: Workflow | None, arguments: argparse.Namespace
) -> list[RunInputs]:
    """Return what each run is given; refuse what the workflow cannot take before the first one starts."""
    if not workflow:
        return [given]
    folder = arguments.table.parent if arguments.table else Path()
    runs = [with_row(given, row, workflow.inputs, folder) for row in rows]
    for run in runs[arguments.first - (0 if arguments.resume else 1) :]:
        check_inputs(run, workflow.inputs)
    return runs


def _folder(download: Path | None, number: int, runs: int) -> Path | None:
    return download / str(number) if download and runs > 1 else download


def _again(words: list[str], invocation_id: str, number: int, runs: int) -> str:
    """Return the command that follows a run again and goes on with the rows after it."""
    kept, skip = [], False
    for word in words:
        if not skip and word not in ("--resume", "--first") and not word.startswith(("--resume=", "--first=")):
            kept.append(word)
        skip = word in ("--resume", "--first")
    more = ["--resume", invocation_id, *(["--first", str(number)] if runs > 1 else [])]
    return shlex.join(["python", "-m", "scripts.run_workflow", *kept, *more])


def _report(gi: GalaxyInstance, title: str, result: RunResult, folder: Path | None) -> int:
    """Print how a run ended and save its outputs; return the number of saved files."""
    print(f"{title}: {'succeeded' if result.succeeded else 'FAILED'}, {result.jobs} jobs")
    print(f"  {gi.base_url}/histories/view?id={result.history_id}")
    for problem in result.problems:
        print(f"  {problem}", file=sys.stderr)
    written, missing = download_outputs(gi, result, folder) if folder else ([], [])
    for path in written:
        print(f"  {path}")
    for one in missing:
        print(f"  not made: {one}", file=sys.stderr)
    return len(written)


if __name__ == "__main__":
    sys.exit(main())
