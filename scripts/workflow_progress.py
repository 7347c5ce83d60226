"""How far a run of a workflow is, and how it ended: every job of it counted by Galaxy, whatever their number."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bioblend.galaxy import GalaxyInstance
from tqdm import tqdm

JOB_DONE = {"ok", "error", "deleted", "paused", "skipped", "failed", "stopped"}
JOB_FAILED = {"error", "deleted", "paused", "failed", "stopped"}
INVOCATION_ENDED = {"scheduled", "completed", "failed", "cancelled"}
INVOCATION_FAILED = {"failed", "cancelled"}
PAGE = 500  # jobs in one answer; Galaxy gives no more
MESSAGES = 20  # failed jobs whose message is fetched and shown


@dataclass(frozen=True)
class StepProgress:
    """Jobs of one step of a run.

    Attributes:
        label: What the step is called: its label, or its number.
        states: Number of its jobs by Galaxy's state.
        complete: Whether Galaxy has made all of its jobs.
    """

    label: str
    states: Counter[str]
    complete: bool


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        steps: Each step that has jobs, those of subworkflows too.
        state: State of the invocation.
        scheduled: Whether Galaxy has scheduled the run and all its subworkflows, or has given up.
    """

    steps: tuple[StepProgress, ...]
    state: str
    scheduled: bool

    @property
    def states(self) -> Counter[str]:
        """Return the number of jobs by state."""
        return sum((step.states for step in self.steps), Counter())

    @property
    def failed(self) -> int:
        """Return the number of failed jobs."""
        return sum(count for state, count in self.states.items() if state in JOB_FAILED)

    @property
    def ended(self) -> bool:
        """Return whether nothing more will happen: all is scheduled and done, or the run was given up."""
        if self.state in INVOCATION_FAILED:
            return True
        return self.scheduled and all(step.complete and set(step.states) <= JOB_DONE for step in self.steps)


@dataclass(frozen=True)
class RunResult:
    """Result of one run of a workflow.

    Attributes:
        invocation_id: Galaxy's id of the run.
        history_id: Galaxy's id of the history that holds its results.
        problems: Text of each failed job or message; empty if the run succeeded.
        outputs: Galaxy's ids by the label of the workflow output: `{"label": {"id", "src"}}`.
        jobs: Number of its jobs.
        failed: Number of its jobs that failed.
    """

    invocation_id: str
    history_id: str
    problems: list[str]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    jobs: int = 0
    failed: int = 0

    @property
    def succeeded(self) -> bool:
        """Return whether no job of the run failed."""
        return not self.problems


def invocation_tree(gi: GalaxyInstance, invocation_id: str) -> list[dict[str, Any]]:
    """Return an invocation and those of its subworkflows, outermost first."""
    invocation = gi.invocations.show_invocation(invocation_id)
    children = [
        step["subworkflow_invocation_id"] for step in invocation["steps"] if step.get("subworkflow_invocation_id")
    ]
    return [invocation, *(one for child in children for one in invocation_tree(gi, child))]


def read_progress(gi: GalaxyInstance, invocation_id: str) -> Progress:
    """Ask Galaxy for the number of jobs of each step by state; it counts them itself, so thousands cost no more."""
    tree = invocation_tree(gi, invocation_id)
    labels = {}
    for invocation in tree:
        for step in invocation["steps"]:
            for source in (step.get("job_id"), step.get("implicit_collection_jobs_id")):
                labels[source] = step.get("workflow_step_label") or f"step {step['order_index'] + 1}"
    # An invocation's answer holds the steps of its subworkflows too, or not, by the version of Galaxy.
    summaries = {
        (summary["model"], summary["id"]): summary
        for invocation in tree
        for summary in gi.invocations.get_invocation_step_jobs_summary(invocation["id"])
    }
    steps = tuple(
        StepProgress(labels.get(key[1], "step"), Counter(summary["states"]), summary["populated_state"] != "new")
        for key, summary in summaries.items()
    )
    return Progress(steps, tree[0]["state"], all(one["state"] in INVOCATION_ENDED for one in tree))


def follow_run(gi: GalaxyInstance, invocation_id: str, poll_seconds: float = 1.0) -> Iterator[Progress]:
    """Yield how far a run is until it has ended.

    The number of jobs grows while Galaxy schedules steps that run once for each element of a list.
    """
    while True:
        progress = read_progress(gi, invocation_id)
        yield progress
        if progress.ended:
            return
        time.sleep(poll_seconds)


def show_progress(gi: GalaxyInstance, invocation_id: str, title: str, stop_on_failure: bool = False) -> None:
    """Show a progress bar on standard error until the run has ended.

    Args:
        gi: Connection to the server.
        invocation_id: The run.
        title: What the bar calls it.
        stop_on_failure: Cancel the run as soon as one of its jobs has failed.
    """
    with tqdm(desc=title, unit="job", total=0, mininterval=0.5, dynamic_ncols=True) as bar:
        for progress in follow_run(gi, invocation_id):
            bar.total = sum(progress.states.values())
            bar.n = sum(count for state, count in progress.states.items() if state in JOB_DONE)
            busy = ", ".join(_busy_steps(progress))
            bar.set_postfix_str(f"{busy or 'waiting'}; failed {progress.failed}", refresh=True)
            if stop_on_failure and progress.failed and not progress.ended:
                gi.invocations.cancel_invocation(invocation_id)
                return


def _busy_steps(progress: Progress) -> Iterator[str]:
    """Yield `label done/all` of each step at work, or waiting for a place to run."""
    for step in progress.steps:
        done = sum(count for state, count in step.states.items() if state in JOB_DONE)
        if not step.complete or done < step.states.total():
            yield f"{step.label} {done}/{step.states.total()}"


def collect_result(gi: GalaxyInstance, invocation_id: str) -> RunResult:
    """Return the labelled outputs of an ended run, and what its failed jobs say."""
    progress = read_progress(gi, invocation_id)
    tree = invocation_tree(gi, invocation_id)
    problems = _job_problems(gi, [one["id"] for one in tree], progress) if progress.failed else []
    for one in tree:
        problems += [_told(one, said) for said in one.get("messages", []) if _is_failure(said)]
    if progress.state in INVOCATION_FAILED and not problems:
        problems.append(f"workflow: {progress.state}")
    invocation = tree[0]
    outputs = {**invocation["outputs"], **invocation["output_collections"]}
    total = progress.states.total()
    return RunResult(invocation_id, invocation["history_id"], problems, outputs, total, progress.failed)


def _job_problems(gi: GalaxyInstance, invocations: list[str], progress: Progress) -> list[str]:
    """Say what failed jobs say: jobs with the same message once, with their number."""
    failed = [
        job for one in invocations for state in JOB_FAILED & set(progress.states) for job in _jobs(gi, one, state)
    ]
    said: Counter[str] = Counter()
    for job_id, state in failed[:MESSAGES]:
        details = gi.jobs.show_job(job_id, full_details=True)
        message = _error_message(details.get("tool_stderr") or details.get("stderr") or "")
        said[f"{details['tool_id']}: job {state}. {message}".strip()] += 1
    problems = [text if count == 1 else f"{text} ({count} jobs)" for text, count in said.items()]
    if len(failed) > MESSAGES:
        problems.append(f"{len(failed) - MESSAGES} further jobs failed: see the history")
    return problems


def _jobs(gi: GalaxyInstance, invocation_id: str, state: str) -> Iterator[tuple[str, str]]:
    """Yield id and state of all jobs of an invocation in a state, page by page."""
    offset = 0
    while page := gi.jobs.get_jobs(invocation_id=invocation_id, state=state, limit=PAGE, offset=offset):
        yield from ((job["id"], job["state"]) for job in page)
        if len(page) < PAGE:
            return
        offset += PAGE


def _error_message(stderr: str) -> str:
    """Return the standard error from the last `ERROR:` on, as the tools of this suite print it; else its last lines.

    A job over a list prints a line for each element that failed: then from the first of these on.
    """
    lines = stderr.strip().splitlines()
    errors = [number for number, line in enumerate(lines) if line.startswith("ERROR:")]
    first = errors[-1] if errors else max(0, len(lines) - 3)
    while first - 1 in errors:
        first -= 1
    return "\n".join(lines[first:])


def _told(invocation: dict[str, Any], message: dict[str, Any]) -> str:
    """Return what Galaxy says of an invocation, with the label of the step where it names one."""
    labels = {step["order_index"]: step.get("workflow_step_label") for step in invocation["steps"]}
    index = message.get("workflow_step_id")
    step = "" if index is None else f", step {labels.get(index) or index + 1}"
    details = " ".join(str(message.get("details") or "").split())
    return f"workflow{step}: {message['reason']}{f'. {details}' if details else ''}"


def _is_failure(message: dict[str, Any]) -> bool:
    return message["reason"] not in {"workflow_output_not_found"}
