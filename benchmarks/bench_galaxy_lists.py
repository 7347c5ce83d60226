"""Measure a whole run of omero-nuclei-measurement on a Galaxy: images as lists, beside a job an image and a script.

Images are shifted copies of the test image of nuclei (512 x 512, uint16) in the OMERO sandbox. A Galaxy of its own runs
the workflow from its start by the API to its last job: export, segmentation, measurement, overview, ROIs and table back
into OMERO. Beside it, in the same run and on the same servers:

- the same steps with one job an image: the list is not cut, and the two tools are mapped over it;
- the workflow of version 0.1.0, which has one job an image, with its own tools, sandbox and Galaxy
  (`earlier_nuclei.py`), where the environment variable BIOIMAGE_BENCH_EARLIER names a checkout of it;
- a plain Python script with omero-py, scipy and scikit-image (`plain_nuclei.py`), one process a core, with the same
  steps. It writes no OME metadata, checks nothing, and a second run would double everything.

Memory: of a job, the sum over its processes (proportional set size, so that shared pages count once), looked at twice a
second; of Galaxy, the resident memory of its web server and its Celery. A first run over four images is not counted: it
loads what servers load once. `python -m benchmarks.bench_galaxy_lists [IMAGES [MANY]]` prints the figures (MANY 0: only
IMAGES); `make bench` collects `records()`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench_omero_outward import connect, new_image
from benchmarks.measuring import OWN_GOAL, ROOT, Record, figure, part_of, resident_mib, run_process
from sandbox.supervise import children_of, descendants_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioblend.galaxy import GalaxyInstance

    from sandbox.galaxy.server import GalaxyServer
    from scripts.workflow_progress import RunResult

IMAGES, MANY, WARM = 200, 1000, 4
WORKFLOW = ROOT / "workflows" / "omero-nuclei-measurement" / "omero-nuclei-measurement.ga"
PAUSE = 0.5


def make_images(address: str, name: str, count: int) -> None:
    """Create a dataset with shifted copies of the test image; no two have the same pixels."""
    import numpy as np
    import omero
    import tifffile

    source = tifffile.imread(ROOT / "test-data" / "nuclei.ome.tiff")
    client = connect(address)
    dataset = omero.model.DatasetI()
    dataset.name = omero.rtypes.rstring(name)
    dataset_id = client.sf.getUpdateService().saveAndReturnObject(dataset).id.val
    for number in range(count):
        pixels = np.roll(source, (number * 7, number * 11), (0, 1)).astype(">u2").tobytes()

        def write(store: Any, pixels: bytes = pixels) -> None:
            store.setPlane(pixels, 0, 0, 0)

        new_image(client, dataset_id, (1, len(source)), "uint16", write)
    client.closeSession()


def one_job_an_image(content: dict[str, Any]) -> dict[str, Any]:
    """Return the workflow with its tools mapped over the list, as before it was cut into parts."""
    made: dict[str, Any] = json.loads(json.dumps(content))
    steps = {step["tool_id"] or step["label"]: step for step in made["steps"].values()}
    export, segment, measure = steps["omero_export_images"], steps["segment_objects"], steps["measure_objects"]
    images = {"id": export["id"], "output_name": "images"}
    maps, tables = ({"id": step["id"], "output_name": "output"} for step in (segment, measure))
    for step, given in ((segment, {"image": images}), (measure, {"image": images, "labels": maps})):
        state = json.loads(step["tool_state"])
        state |= {"many": {"kind": "one", "__current_case__": 0}}
        state |= {name: {"__class__": "ConnectedValue"} for name in given}
        kept = {name: one for name, one in step["input_connections"].items() if not name.startswith("many|")}
        step |= {"tool_state": json.dumps(state), "input_connections": kept | given}
        step["outputs"] = [{"name": "output", "type": "input"}]
    state = json.loads(export["tool_state"])
    state["format"]["part_size"] = None
    export["tool_state"] = json.dumps(state)
    del export["input_connections"]["format|part_size"]
    whole = {export["id"]: images, segment["id"]: maps, measure["id"]: tables}
    gone = {step["id"]: whole[step["input_connections"]["input"]["id"]] for step in made["steps"].values()
            if step["tool_id"] == "__APPLY_RULES__"}  # fmt: skip
    for step in made["steps"].values():
        for name, source in step["input_connections"].items():
            step["input_connections"][name] = dict(gone.get(source["id"]) or source)
    return renumbered(made, set(gone))


def renumbered(content: dict[str, Any], gone: set[int]) -> dict[str, Any]:
    """Return a workflow without some steps: Galaxy wants numbers without holes."""
    kept = [step for step in content["steps"].values() if step["id"] not in gone]
    numbers = {step["id"]: number for number, step in enumerate(kept)}
    for step in kept:
        step["id"] = numbers[step["id"]]
        for source in step["input_connections"].values():
            source["id"] = numbers[source["id"]]
        # The labels of those that are gone: these had the joined lists.
        labels = {"segment_objects": "Label maps", "measure_objects": "Measurements"}
        if step["tool_id"] in labels:
            named = {"output_name": "output", "label": labels[step["tool_id"]], "uuid": str(uuid.uuid4())}
            step["workflow_outputs"] = [named]
    return {**content, "name": "one job an image", "comments": [], "steps": {str(step["id"]): step for step in kept}}


@dataclass
class Memory:
    """Largest memory seen, in MiB: of one job, and of Galaxy's own processes together."""

    job: float = 0.0
    galaxy: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)


def own_share_mib(pid: int) -> float:
    """Return the memory of a process in MiB, shared pages divided among those who share them."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return 0.0


@contextmanager
def watched(galaxy: GalaxyServer) -> Iterator[Memory]:
    """Watch the memory of Galaxy and its jobs during the block."""
    seen = Memory()
    thread = threading.Thread(target=_watch, args=(galaxy, seen), daemon=True)
    thread.start()
    yield seen
    seen.ended.set()
    thread.join()


def _watch(galaxy: GalaxyServer, seen: Memory) -> None:
    while not seen.ended.wait(PAUSE):
        # Each supervisor has one child, the server; a job is a group of processes of its own.
        servers = [pid for supervisor in galaxy.processes for pid in children_of(supervisor.pid)]
        jobs: dict[int, float] = {}
        with suppress(OSError, StopIteration):
            seen.galaxy = max(seen.galaxy, sum(map(resident_mib, servers)))
        groups = {os.getpgid(server) for server in servers}
        for pid in {pid for server in servers for pid in descendants_of(server)}:
            with suppress(OSError):  # It has ended meanwhile.
                group = os.getpgid(pid)
                if group not in groups:
                    jobs[group] = jobs.get(group, 0.0) + own_share_mib(pid)
        seen.job = max([seen.job, *jobs.values()])


@dataclass(frozen=True)
class Site:
    """The servers, and what a run needs."""

    gi: GalaxyInstance
    galaxy: GalaxyServer
    address: str


@dataclass(frozen=True)
class Run:
    """One run of a workflow: seconds, jobs, memory, rows of its table of measurements."""

    seconds: float
    jobs: int
    memory: Memory
    objects: int


def timed_run(site: Site, file: Path, values: dict[str, str], title: str) -> tuple[RunResult, float, Memory]:
    """Run a workflow file from its start by the API to its last job; return its result, its seconds and the memory.

    Raises:
        RuntimeError: A job of it failed.
    """
    from scripts.run_workflow import start_run
    from scripts.workflow_import import import_workflow
    from scripts.workflow_inputs import RunInputs
    from scripts.workflow_progress import collect_result, follow_run

    workflow = import_workflow(site.gi, file)
    with watched(site.galaxy) as memory:
        began = time.perf_counter()
        invocation = start_run(site.gi, workflow, RunInputs(values, {}), title)
        for _ in follow_run(site.gi, invocation):
            pass
        seconds = time.perf_counter() - began
    result = collect_result(site.gi, invocation)
    if result.problems:
        raise RuntimeError(f"{title}: {result.problems}")
    return result, seconds, memory


def run(site: Site, content: dict[str, Any], dataset: str, folder: Path) -> Run:
    """Run a workflow over a dataset.

    Raises:
        RuntimeError: A job of it failed.
    """
    file = folder / "workflow.ga"
    file.write_text(json.dumps(content))
    given = {"OMERO server": site.address, "Dataset": dataset, "Channel": "0"}
    result, seconds, memory = timed_run(site, file, given, dataset)
    table = site.gi.datasets.download_dataset(result.outputs["All measurements"]["id"])
    return Run(seconds, result.jobs, memory, table.count(b"\n") - 1)


@contextmanager
def servers(folder: Path) -> Iterator[Site]:
    """Start OMERO and Galaxy, with the login that Galaxy's tools need."""
    from bioblend.galaxy import GalaxyInstance

    from sandbox import process
    from sandbox import servers as sandbox_servers
    from sandbox.galaxy import server as galaxy_server
    from scripts.set_credentials import OmeroLogin, store_omero_login, tools_that_want_omero

    omero = sandbox_servers.start_omero(folder / "omero")
    try:
        os.environ.update(OMERO_USER="root", OMERO_PASSWORD=omero.root_password)
        galaxy = galaxy_server.start(folder / "galaxy", ROOT / "tools")
        try:
            gi = GalaxyInstance(galaxy.url, key=galaxy.user_key)
            store_omero_login(gi, OmeroLogin("root", omero.root_password), tools_that_want_omero(gi))
            yield Site(gi, galaxy, omero.address)
        finally:
            galaxy_server.stop(galaxy)
    finally:
        process.stop(omero.processes)


def compare(site: Site, images: int, folder: Path) -> tuple[Run, list[Record]]:
    """Run the three ways over as many images; return the run as lists, and the figures.

    Raises:
        RuntimeError: They found different numbers of objects.
    """
    content = json.loads(WORKFLOW.read_text())
    for name, count in (("warm", WARM), ("lists", images), ("single", images)):
        run_process(part_of(__file__, "make", site.address, name, count))
    run(site, content, "warm", folder)
    lists = run(site, content, "lists", folder)
    print(f"lists: {lists}", file=sys.stderr, flush=True)
    maps = folder / "maps"
    maps.mkdir()
    script = run_process([sys.executable, "-m", "benchmarks.plain_nuclei", site.address, "lists", str(maps)])
    print(f"script: {script}", file=sys.stderr, flush=True)
    single = run(site, one_job_an_image(content), "single", folder)
    print(f"single: {single}", file=sys.stderr, flush=True)
    counts = {"lists": lists.objects, "single": single.objects, "script": int((maps / "objects").read_text())}
    if counts["lists"] != counts["single"] or abs(counts["script"] / counts["lists"] - 1) > 0.05:
        raise RuntimeError(f"different numbers of objects: {counts}")
    what = f"omero-nuclei-measurement on Galaxy, {images} images as lists"
    return lists, [
        figure(f"{what}: time", lists.seconds, "s"),
        figure(f"{what}: jobs", lists.jobs, ""),
        figure(f"{what}, beside one job an image", single.seconds / lists.seconds, "x", "", "the same Galaxy"),
        figure(f"{what}: time, as a share of a plain script's", lists.seconds / script.seconds, "x", "<= 1.5",
               "omero-py and scikit-image 0.26, one process a core"),
    ]  # fmt: skip


def beside_earlier(lists: Run, images: int) -> list[Record]:
    """Run the workflow of version 0.1.0, where a checkout of it is named; return the figure."""
    checkout = os.environ.get("BIOIMAGE_BENCH_EARLIER")
    if not checkout:
        return []
    command = [sys.executable, "-P", str(ROOT / "benchmarks" / "earlier_nuclei.py"), checkout, str(images)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    seconds, jobs = json.loads(done.stdout.splitlines()[-1])
    print(f"version 0.1.0: {seconds:.1f} s, {jobs} jobs", file=sys.stderr, flush=True)
    what = f"omero-nuclei-measurement on Galaxy, {images} images as lists, beside version 0.1.0"
    return [figure(what, seconds / lists.seconds, "x", ">= 8", f"its own tools and Galaxy, {jobs} jobs")]


def records(images: int = IMAGES, many: int = MANY) -> list[Record]:
    """Measure, and return the figures."""
    (ROOT / ".sandbox").mkdir(exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / ".sandbox") as name, servers(Path(name)) as site:
        lists, found = compare(site, images, Path(name))
        memory = lists.memory
        if many:
            run_process(part_of(__file__, "make", site.address, "many", many))
            larger = run(site, json.loads(WORKFLOW.read_text()), "many", Path(name))
            print(f"many: {larger}", file=sys.stderr, flush=True)
            what = f"omero-nuclei-measurement on Galaxy, {many} images"
            found.append(figure(f"{what}: time, as a multiple of {images}", larger.seconds / lists.seconds, "x",
                                f"<= {5.5 * many / images / 5:g}", OWN_GOAL))  # fmt: skip
            found.append(figure(f"{what}: Galaxy's own memory, beside that for {images}",
                                larger.memory.galaxy / memory.galaxy, "x", "<= 1.2", OWN_GOAL))  # fmt: skip
            memory = max(memory, larger.memory, key=lambda one: one.job)
        what = "omero-nuclei-measurement on Galaxy: memory of its largest job"
        found.append(figure(what, memory.job, "MiB", "<= 572", OWN_GOAL))  # 600 MB
    return found + beside_earlier(lists, images)


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make_images(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        print(json.dumps(records(*map(int, sys.argv[1:])), indent=1))
