"""Time omero-nuclei-measurement of an earlier version of this suite, with its own tools, OMERO sandbox and Galaxy.

`bench_galaxy_lists` runs it for a checkout of version 0.1.0, whose workflow has one job an image:

    python -P benchmarks/earlier_nuclei.py CHECKOUT IMAGES

CHECKOUT has a `.venv` (a link to this one's will do). Images are those of `bench_galaxy_lists`. Prints the seconds from
the workflow's start by the API to its last job, and the number of jobs, as JSON. A first run over four images is not
counted. Modules named `sandbox` and `scripts` are the earlier version's here.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NOW = Path(__file__).resolve().parents[1]
WORKFLOW = "workflows/omero-nuclei-measurement/omero-nuclei-measurement.ga"
WARM = 4
ENDED = {"ok", "error", "paused", "deleted", "skipped"}


def make_images(address: str, name: str, count: int) -> None:
    """Fill a dataset with the images of `bench_galaxy_lists`."""
    command = [sys.executable, "-m", "benchmarks.bench_galaxy_lists", "make", address, name, str(count)]
    environment = {**os.environ, "PYTHONPATH": f"{NOW / 'src'}:{NOW}"}
    subprocess.run(command, cwd=NOW, env=environment, check=True)


def timed(gi: Any, workflow: str, address: str, dataset: str) -> tuple[float, int]:
    """Run the workflow over a dataset; return its seconds and its jobs.

    Raises:
        RuntimeError: A job failed.
    """
    given = {"OMERO server": address, "Dataset": dataset, "Channel": "0"}
    steps = gi.workflows.show_workflow(workflow)["inputs"]
    inputs = {number: given[step["label"]] for number, step in steps.items() if step["label"] in given}
    began = time.perf_counter()
    run = gi.workflows.invoke_workflow(workflow, inputs=inputs, history_name=dataset, inputs_by="step_index")["id"]
    while True:
        time.sleep(0.5)
        state = gi.invocations.show_invocation(run)["state"]
        jobs = gi.invocations.get_invocation_summary(run)["states"]
        ended = sum(count for name, count in jobs.items() if name in ENDED)
        if state not in {"new", "ready", "requires_materialization"} and jobs and ended == sum(jobs.values()):
            break
    seconds = time.perf_counter() - began
    if set(jobs) - {"ok", "skipped"}:
        raise RuntimeError(f"{dataset}: {jobs}")
    return seconds, ended


def measure(checkout: Path, images: int, folder: Path) -> tuple[float, int]:
    """Start the servers of the checkout, and run its workflow over so many images."""
    from bioblend.galaxy import GalaxyInstance

    from sandbox import process, servers
    from sandbox.galaxy import dependencies
    from sandbox.galaxy import server as galaxy_server
    from scripts.set_credentials import OmeroLogin, store_omero_login, tools_that_want_omero

    # Version 0.1.0 asks for readers that no conda channel has; this workflow uses none of them.
    wanted = dependencies.requirement_names
    dependencies.requirement_names = lambda tools_dir: {
        one for one in wanted(tools_dir) if not one.startswith("bioio-")
    }
    omero = servers.start_omero(folder / "omero")
    try:
        os.environ.update(OMERO_USER="root", OMERO_PASSWORD=omero.root_password)
        galaxy = galaxy_server.start(folder / "galaxy", checkout / "tools")
        try:
            gi = GalaxyInstance(galaxy.url, key=galaxy.user_key)
            store_omero_login(gi, OmeroLogin("root", omero.root_password), tools_that_want_omero(gi))
            workflow = gi.workflows.import_workflow_from_local_path(str(checkout / WORKFLOW))["id"]
            for name, count in (("warm", WARM), ("images", images)):
                make_images(omero.address, name, count)
                found = timed(gi, workflow, omero.address, name)
            return found
        finally:
            galaxy_server.stop(galaxy)
    finally:
        process.stop(omero.processes)


if __name__ == "__main__":
    earlier = Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(earlier))
    os.chdir(earlier)
    os.environ["PYTHONPATH"] = str(earlier)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=NOW / ".sandbox") as name:
        print(json.dumps(measure(earlier, int(sys.argv[2]), Path(name))))
