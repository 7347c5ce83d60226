"""Run the round trip on one machine: images in OMERO, a workflow in Galaxy, ROIs and tables back in OMERO. `make demo`.

The demo starts an OMERO sandbox with OMERO.web, and a Galaxy (or uses those that `make up` started), imports real
images of nuclei into OMERO, runs the workflow on each dataset, reads the ROIs and table rows back from OMERO, and
compares their numbers with the measurement tables. The servers keep running for a closer look; `make down` stops them.
"""

import contextlib
import csv
import secrets
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bioblend.galaxy import GalaxyInstance
from omero.gateway import BlitzGateway

from sandbox import servers, state
from sandbox.galaxy.pages import tell
from sandbox.omero.client_import import import_files
from sandbox.private_file import write_private
from sandbox.process import ROOT, SandboxError
from sandbox.state import OmeroServer, Sandbox
from scripts.demo_check import CameBack, read_what_came_back
from scripts.demo_images import PROJECT, put_demo_images
from scripts.examples import make_histories, publish_workflows
from scripts.galaxy_connection import ScriptError, connect
from scripts.omero_file_source import store_omero_source
from scripts.omero_users import OmeroUser, gateway_of, make_user
from scripts.run_workflow import start_run
from scripts.set_credentials import OmeroLogin, store_omero_login, tools_that_want_omero
from scripts.workflow_import import Workflow, import_workflow
from scripts.workflow_inputs import RunInputs
from scripts.workflow_outputs import download_outputs
from scripts.workflow_progress import RunResult, collect_result, show_progress

WORKFLOW = ROOT / "workflows" / "omero-nuclei-measurement" / "omero-nuclei-measurement.ga"
USER, GROUP = "demo", "demo-lab"
LOGIN_FILE = "demo_password"


@dataclass(frozen=True)
class DatasetOutcome:
    """Result of the workflow on one dataset: its measurements, what OMERO holds afterwards, and its report."""

    name: str
    measured: dict[int, int]
    """Number of segmented objects by image id, from the measurement tables."""
    came_back: list[CameBack]
    report: Path | None
    dataset_id: int = 0

    @property
    def problems(self) -> list[str]:
        """Return one line for each image whose counts in OMERO and in its table differ, and for a missing report."""
        wrong = [
            f"image {back.image_id} of {self.name!r}: {self.measured.get(back.image_id, 0)} objects measured, but "
            f"{back.roi_count} ROIs and {back.table_row_count} table rows in OMERO"
            for back in self.came_back
            if not self.measured.get(back.image_id, 0) == back.roi_count == back.table_row_count
        ]
        if self.report is None or not self.report.read_bytes().startswith(b"<!DOCTYPE html>"):
            wrong.append(f"report of {self.name!r}: {f'{self.report} is not an HTML page' if self.report else 'none'}")
        return wrong


def demo_password(folder: Path) -> str:
    """Return the password of the demo's user, a random one that is kept in the sandbox's folder."""
    file = folder / LOGIN_FILE
    if not file.exists():
        write_private(file, secrets.token_urlsafe(12))
    return file.read_text()


def make_demo_user(server: OmeroServer, password: str) -> None:
    """Create the demo's user and group unless they exist."""
    make_user(server, OmeroUser(USER, "Demo", "User", GROUP, "rwra--"), password)


def demo_gateway(server: OmeroServer, password: str) -> contextlib.AbstractContextManager[BlitzGateway]:
    """Open a connection to OMERO as the demo's user; leaving the block closes it."""
    return gateway_of(server, USER, password)


def count_measured(paths: list[Path]) -> dict[int, int]:
    """Count the rows of each image in the downloaded measurement tables, whose file names carry the image id."""
    counts = {}
    for path in paths:
        if path.parent.name == "Measurements":
            image_id = int(path.name.split("_")[1])
            with path.open(newline="", encoding="utf-8") as handle:
                counts[image_id] = sum(1 for _ in csv.reader(handle, delimiter="\t")) - 1
    return counts


class Times:
    """Where the time went: seconds of each part of the demo, in order."""

    def __init__(self) -> None:
        """Start the clock."""
        self.started = self._last = time.monotonic()
        self.parts: dict[str, float] = {}

    def note(self, part: str) -> None:
        """Give the time since the last note to a part."""
        now = time.monotonic()
        self.parts[part], self._last = now - self._last, now

    @property
    def total(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.started

    def __str__(self) -> str:
        """Return one line: seconds and part, in order."""
        return ", ".join(f"{part} {seconds:.0f} s" for part, seconds in self.parts.items())


def run_demo(sandbox: Sandbox, folder: Path, password: str, times: Times) -> list[DatasetOutcome]:
    """Run the round trip on both datasets.

    Args:
        sandbox: Running servers.
        folder: Folder for the outputs of the workflow.
        password: That of the demo's user in OMERO.
        times: Gets what each part took.

    Returns:
        One outcome for each dataset.

    Raises:
        ScriptError: A run of the workflow failed.
    """
    make_demo_user(sandbox.omero, password)
    with demo_gateway(sandbox.omero, password) as gateway:
        image_ids = put_demo_images(gateway, import_files)
        gi = connect(sandbox.galaxy.url, sandbox.galaxy.user_key)
        times.note("images in OMERO")
        login = OmeroLogin(user=USER, password=password)
        store_omero_login(gi, login, tools_that_want_omero(gi))
        store_omero_source(gi, login, sandbox.omero.host, sandbox.omero.port)
        times.note("login in Galaxy")
        workflow = import_workflow(gi, WORKFLOW)
        runs = _start_runs(gi, workflow, sandbox.omero.address, list(image_ids))
        publish_workflows(gi)  # while the jobs run
        outcomes = []
        for number, (name, ids) in enumerate(image_ids.items(), start=1):
            show_progress(gi, runs[name], f"Round trip {number}/{len(image_ids)}")
            result = collect_result(gi, runs[name])
            _require_success(result, name)
            paths, _ = download_outputs(gi, result, folder / f"dataset_{number}")
            dataset_id = gateway.getObject("Dataset", attributes={"name": name}).getId()
            outcomes.append(
                DatasetOutcome(
                    name,
                    count_measured(paths),
                    read_what_came_back(gateway, dataset_id, ids),
                    next((path for path in paths if path.suffix == ".html"), None),
                    dataset_id,
                )
            )
    times.note("workflow on both datasets")
    make_histories(gi)
    tell(folder.parent / "galaxy" / "static", {"dataset": next(iter(image_ids))})
    times.note("examples in Galaxy")
    return outcomes


def _start_runs(gi: GalaxyInstance, workflow: Workflow, omero_address: str, datasets: list[str]) -> dict[str, str]:
    """Start the workflow on each dataset, so that Galaxy is never idle; return the invocations' ids by dataset."""
    started = {}
    for number, name in enumerate(datasets, start=1):
        given = RunInputs({"OMERO server": omero_address, "Dataset": name, "Channel": "0"}, {})
        started[name] = start_run(gi, workflow, given, f"Round trip {number}/{len(datasets)}")
    return started


def _require_success(result: RunResult, name: str) -> None:
    if not result.succeeded:
        raise ScriptError(f"Workflow on dataset {name!r}: " + "; ".join(result.problems))


def summarise(sandbox: Sandbox, outcomes: list[DatasetOutcome], times: Times, *, password: str, folder: Path) -> str:
    """Return a few lines that say what was done and where to look; each secret stands in them once.

    Args:
        sandbox: The running servers.
        outcomes: What became of each dataset.
        times: How long the steps took.
        password: That of the demo's user in OMERO.
        folder: The sandbox's folder, where a file keeps it.
    """
    images = sum(len(outcome.came_back) for outcome in outcomes)
    objects = sum(sum(outcome.measured.values()) for outcome in outcomes)
    web = sandbox.web.url if sandbox.web is not None else ""
    lines = [f"The round trip took {times.total:.0f} s: {images} images, {objects} nuclei found.", f"  {times}", ""]
    for outcome in outcomes:
        rois = sum(back.roi_count for back in outcome.came_back)
        rows = sum(back.table_row_count for back in outcome.came_back)
        lines.append(f"  {outcome.name}: {len(outcome.came_back)} images, {rois} ROIs and {rows} table rows in OMERO")
        lines.append(f"    report  {outcome.report}")
        dataset = f"{web}/webclient/?show=dataset-{outcome.dataset_id}"
        lines.append(f"    images, ROIs and tables in OMERO.web  {dataset}")
    lines += [
        "",
        f"Galaxy  {sandbox.galaxy.url}   login {sandbox.galaxy.user_email}   password {sandbox.galaxy.password}",
        f"OMERO   server {sandbox.omero.address}   login {USER}   password {password}   project {PROJECT!r}",
        f"        in a browser  {web}/webclient/   (OMERO.web, with the same login)",
        "        in Galaxy's upload dialog  Choose from repository, then OMERO",
        f"Scripts export GALAXY_URL={sandbox.galaxy.url} GALAXY_API_KEY={sandbox.galaxy.user_key}",
        f'        export OMERO_USER={USER} OMERO_PASSWORD="$(cat {folder / LOGIN_FILE})"',
        "The servers keep running; `make down` stops them.",
    ]
    return "\n".join(lines)


def main() -> int:
    """Run the demo. Return 0 only if OMERO holds exactly what was measured, 1 if not, 130 after an interruption."""
    # `kill` must stop the servers too, as Ctrl-C does. A shell makes its background processes ignore SIGINT.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    times = Times()
    folder = state.folder_of_sandbox()
    known = state.load(folder)
    ran_before = known is not None and servers.is_up(known)
    finished = False
    try:
        sandbox = servers.up(folder, ROOT / "tools", detached=True)
        password = demo_password(folder)
        times.note("servers")
        outcomes = run_demo(sandbox, folder / "demo", password, times)
        print(summarise(sandbox, outcomes, times, password=password, folder=folder))
        problems = [problem for outcome in outcomes for problem in outcome.problems]
        if not any(outcome.measured for outcome in outcomes):
            problems.append("no object was measured")
        for problem in problems:
            print(f"ERROR: {problem}", file=sys.stderr)
        finished = True
        return 1 if problems else 0
    except (ScriptError, SandboxError) as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    finally:
        if not finished and not ran_before:
            servers.down(folder)


if __name__ == "__main__":
    sys.exit(main())
