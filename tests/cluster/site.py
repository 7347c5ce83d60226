"""What the tests of this folder do with a Galaxy and its cluster: start runs there, wait, look at what came out."""

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import omero
from bioblend.galaxy import GalaxyInstance

from sandbox.process import Process
from sandbox.servers import Cluster
from sandbox.state import OmeroServer
from scripts.run_workflow import start_run
from scripts.workflow_import import import_workflow
from scripts.workflow_inputs import RunInputs
from scripts.workflow_progress import RunResult, collect_result, follow_run
from tests.galaxy.seed_omero import USER
from tests.run import REPORTS, ROOT

SESSIONS = 2
"""OMERO sessions that jobs may hold open at once."""
NUCLEI = tuple(
    ROOT / "test-data" / f"nuclei_{row}_{side}.ome.tiff" for row in ("upper", "lower") for side in ("left", "right")
)


@dataclass(frozen=True)
class Site:
    """What runs: a Galaxy with its cluster, an OMERO with the images of `seed_omero`."""

    folder: Path
    omero: OmeroServer
    cluster: Cluster
    gi: GalaxyInstance
    started: list[Process]
    """Ended with the site: what a test starts again belongs here."""


def keep_logs(folder: Path) -> None:
    REPORTS.mkdir(parents=True, exist_ok=True)
    for part in ("galaxy", "slurm", "pulsar"):
        for log in (folder / part).glob("*.log"):
            shutil.copy(log, REPORTS / f"cluster-{part}-{log.name}")


def wait(what: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def start(site: Site, workflow: str, place: str, given: RunInputs) -> str:
    """Start a run at a place: its history is named for it."""
    return start_run(site.gi, import_workflow(site.gi, ROOT / f"workflows/{workflow}/{workflow}.ga"), given, place)


def finish(site: Site, invocation: str) -> RunResult:
    for _ in follow_run(site.gi, invocation):
        pass
    return collect_result(site.gi, invocation)


def start_nuclei(site: Site, place: str) -> str:
    """Start the workflow from OMERO to OMERO on the images of `seed_omero`."""
    given = RunInputs({"OMERO server": site.omero.address, "Dataset": "nuclei", "Channel": "DAPI"}, {})
    return start(site, "omero-nuclei-measurement", place, given)


def measure_nuclei(site: Site, place: str) -> RunResult:
    """Run it to its end."""
    return finish(site, start_nuclei(site, place))


def start_signal(site: Site, place: str) -> str:
    return start(site, "signal-intensity", place, RunInputs({"Channel": "Nuclei"}, {"Images": NUCLEI}))


def table_of(site: Site, result: RunResult) -> str:
    """Return the one table of all measurements of a run."""
    return str(
        site.gi.datasets.download_dataset(result.outputs["All measurements"]["id"], require_ok_state=False), "utf-8"
    )


def probe(site: Site, place: str, **inputs: int) -> dict[str, Any]:
    """Start the probe in a history of this place; return its job."""
    history = site.gi.histories.create_history(place)["id"]
    return dict(site.gi.tools.run_tool(history, "cluster_probe", inputs)["jobs"][0])


def export(site: Site, place: str, image: str) -> dict[str, Any]:
    """Start the export of one image of OMERO; return its job."""
    target = {"source": "typed", "kind": "image", "by": "name", "objects": image}
    return omero_job(site, place, "omero_export_images", {"target": target})


def omero_job(site: Site, place: str, tool: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Start a tool with the stored login, in a history of this place; return its first job."""
    return dict(omero_run(site, place, tool, inputs)["jobs"][0])


def omero_run(site: Site, place: str, tool: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Start a tool with the stored login, in a history of this place; return what Galaxy says: jobs, outputs, lists."""
    gi = site.gi
    found = gi.tools.show_tool(tool)
    login = gi.users.get_credentials_for_tool(gi.users.get_current_user()["id"], tool, found["version"])
    history = gi.histories.create_history(place)["id"]
    given = inputs | {"omero_host": site.omero.address}
    return dict(gi.tools.run_tool(history, tool, given, input_format="21.01", credentials_context=login))


def tables_of_parts(site: Site, dataset: str, size: int) -> str:
    """Find the images of a dataset in OMERO and cut their table into parts; return the id of the list of tables."""
    target = {"source": "typed", "kind": "dataset", "by": "name", "objects": dataset}
    found = omero_job(site, "slurm", "omero_find", {"target": target})
    assert ended(site, found)["state"] == "ok"
    table = next(iter(of_admin(site, found)["outputs"].values()))["id"]
    history = site.gi.histories.create_history("slurm")["id"]
    cut = site.gi.tools.run_tool(history, "cut_list", {"table": {"src": "hda", "id": table}, "size": size})
    assert ended(site, cut["jobs"][0])["state"] == "ok"
    return str(cut["output_collections"][0]["id"])


def ended(site: Site, job: dict[str, Any], seconds: float = 120) -> dict[str, Any]:
    """Wait for a job, and return what Galaxy says of it."""
    wait(lambda: site.gi.jobs.get_state(job["id"]) in {"ok", "error", "deleted"}, seconds)
    return of_admin(site, job)


def of_admin(site: Site, job: dict[str, Any]) -> dict[str, Any]:
    """Return all that Galaxy says of a job, its number in Slurm too."""
    admin = GalaxyInstance(site.cluster.galaxy.url, key=site.cluster.galaxy.admin_key)
    return dict(admin.jobs.show_job(job["id"], full_details=True))


def is_running(site: Site, job: dict[str, Any]) -> bool:
    """Return whether Galaxy knows that a job runs."""
    return str(site.gi.jobs.get_state(job["id"])) == "running"


def slurm_says(site: Site, command: str, *arguments: str) -> str:
    """Run a command of Slurm."""
    called = [f"{site.cluster.slurm.commands}/{command}", *arguments]
    return subprocess.run(called, capture_output=True, text=True, check=True, timeout=30).stdout


def output_of(site: Site, job: dict[str, Any]) -> str:
    """Return the text of a job's first output."""
    made = next(iter(of_admin(site, job)["outputs"].values()))
    return str(site.gi.datasets.download_dataset(made["id"], require_ok_state=False), "utf-8")


def message_of(site: Site, job: dict[str, Any]) -> str:
    """Return what a person reads at the job's first output."""
    made = next(iter(of_admin(site, job)["outputs"].values()))
    return str(site.gi.datasets.show_dataset(made["id"])["misc_info"])


def import_labels(site: Site, result: RunResult, times: int) -> None:
    """Import the label maps of a run to OMERO, by as many jobs at once as asked for, and wait for them."""
    maps = result.outputs["Label maps"]
    # Not beside their images, which a later run exports all.
    place = {"by": "name", "dataset": "cluster labels", "create": True}
    inputs = {
        "label_maps": {"values": [{"src": "hdca", "id": maps["id"]}]}, "labels_name": "cluster", "place": place
    }  # fmt: skip
    jobs = [omero_job(site, "slurm", "omero_import_labels", inputs) for _ in range(times)]
    assert [ended(site, job)["state"] for job in jobs] == ["ok"] * times


def open_sessions(site: Site) -> int:
    """Return how many sessions the test user has open in OMERO."""
    client = omero.client(host=site.omero.host, port=site.omero.port)
    try:
        query = client.createSession("root", site.omero.root_password).getQueryService()
        text = f"select count(s) from Session s where s.closed is null and s.owner.omeName = '{USER}'"
        return int(query.projection(text, None, {"omero.group": "-1"})[0][0].val)
    finally:
        client.closeSession()
