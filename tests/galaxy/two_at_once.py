"""Two runs of a workflow at once on the same images end in OMERO as one: planemo runs each workflow alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import omero
from bioblend.galaxy import GalaxyInstance

from sandbox.state import OmeroServer
from scripts.run_workflow import start_run
from scripts.workflow_import import Workflow, import_workflow
from scripts.workflow_inputs import RunInputs
from scripts.workflow_progress import RunResult, collect_result, follow_run
from tests.galaxy.seed_omero import PASSWORD, USER

WORKFLOW = "omero-nuclei-measurement"
DATASET, CHANNEL = "nuclei", "DAPI"
COUNTED = (
    *("Project", "Dataset", "Image", "Fileset", "Roi", "Shape", "OriginalFile", "Annotation"),
    *("DatasetAnnotationLink", "ImageAnnotationLink", "RoiAnnotationLink", "DatasetImageLink"),
)
RUNS = 2


def check_two_at_once(gi: GalaxyInstance, server: OmeroServer, files: list[str]) -> bool:
    """Run the workflow that measures nuclei alone, then twice at once, and say whether OMERO holds the same.

    Args:
        gi: Connection as the user who runs it.
        server: The OMERO server that has the images of `seed_omero`.
        files: Workflows' .ga files; without that of the workflow nothing is checked.
    """
    for file in (Path(file) for file in files if Path(file).stem == WORKFLOW):
        workflow = import_workflow(gi, file)
        with _session(server) as session:
            problems = [problem for result in _run(gi, server, workflow, 1) for problem in result.problems]
            expected = _counts(session)
            problems += [problem for result in _run(gi, server, workflow, RUNS) for problem in result.problems]
            found = _counts(session)
        problems += [
            f"{name}: {found[name]} in OMERO after {RUNS} runs at once, {expected[name]} after one"
            for name in COUNTED
            if found[name] != expected[name]
        ]
        print(f"{WORKFLOW} ({RUNS} runs at once): {'failed' if problems else 'passed'}", *problems, sep="\n  ")
        return not problems
    return True


def _run(gi: GalaxyInstance, server: OmeroServer, workflow: Workflow, times: int) -> list[RunResult]:
    inputs = {"OMERO server": server.address, "Dataset": DATASET, "Channel": CHANNEL}
    given = RunInputs(inputs, {})
    started = [start_run(gi, workflow, given, f"{WORKFLOW} at once {number}") for number in range(times)]
    for invocation in started:
        for _ in follow_run(gi, invocation):
            pass
    return [collect_result(gi, invocation) for invocation in started]


@contextmanager
def _session(server: OmeroServer) -> Iterator[Any]:
    client = omero.client(host=server.host, port=server.port)
    try:
        yield client.createSession(USER, PASSWORD)
    finally:
        client.closeSession()


def counts_in_omero(server: OmeroServer) -> dict[str, int]:
    """Return how many objects of each kind the test user sees."""
    with _session(server) as session:
        return _counts(session)


def _counts(session: Any) -> dict[str, int]:
    query = session.getQueryService()
    found = {name: query.projection(f"select count(o) from {name} o", None, None) for name in COUNTED}
    return {name: rows[0][0].val for name, rows in found.items()}
