"""The public plate BBBC013 through the workflow plate-screen, on a Galaxy and an OMERO of its own.

`python -m tests.training.studies.screen` prints what comes out; the case study plate-translocation has the numbers.
The plate lies in OMERO with its layout as key-value pairs of the wells, as a user has it. The workflow runs twice: by
the mean of the nuclei, as its example has it, and with a ring around each nucleus, by the ratio of the two.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioblend.galaxy import GalaxyInstance

from sandbox import process
from sandbox import servers as sandbox_servers
from sandbox.galaxy import server as galaxy_server
from scripts.run_workflow import start_run
from scripts.set_credentials import OmeroLogin, store_omero_login, tools_that_want_omero
from scripts.suite_files import ROOT
from scripts.workflow_import import import_workflow
from scripts.workflow_inputs import RunInputs
from scripts.workflow_progress import collect_result, follow_run
from tests.galaxy.seed_omero import PlateWell, save_plate
from tests.training.studies import translocation
from tests.training.studies.data import Study, rows

WORKFLOW = ROOT / "workflows" / "plate-screen" / "plate-screen.ga"
PLATE = "BBBC013"
RATIO, MEAN = f"ring_ratio_{translocation.CHANNELS[0]}", f"mean_{translocation.CHANNELS[0]}"
INPUTS = {
    **{"Plate": PLATE, "Channel": translocation.CHANNELS[1], "Limit": str(translocation.LIMIT)},
    **{"Condition that names controls": "control", "Negative controls": "negative", "Positive controls": "positive"},
}
RING = {"Ring around nuclei": str(translocation.RING), "Features of the profiles": "area_*, mean_*, ring_*"}


@dataclass(frozen=True)
class Site:
    """A Galaxy and an OMERO, and a client of each."""

    gi: GalaxyInstance
    address: str
    session: Any


@contextmanager
def servers(folder: Path) -> Iterator[Site]:
    """Start OMERO and Galaxy, with the login that Galaxy's tools need."""
    import omero
    import omero.clients

    omero_server = sandbox_servers.start_omero(folder / "omero")
    try:
        galaxy = galaxy_server.start(folder / "galaxy", ROOT / "tools")
        try:
            gi = GalaxyInstance(galaxy.url, key=galaxy.user_key)
            login = OmeroLogin("root", omero_server.root_password)
            store_omero_login(gi, login, tools_that_want_omero(gi))
            client = omero.client(host=omero_server.host, port=omero_server.port)
            session = client.createSession("root", omero_server.root_password)
            client.enableKeepAlive(60)
            yield Site(gi, omero_server.address, session)
            client.closeSession()
        finally:
            galaxy_server.stop(galaxy)
    finally:
        process.stop(omero_server.processes)


def put_plate(session: Any) -> None:
    """Put the plate into OMERO, its layout as key-value pairs of the wells."""
    known, wells = translocation.repository(), []
    for well in translocation.WELLS:
        said = zip(("control", "compound", "dose_nM"), translocation.said_of(well), strict=True)
        conditions = {key: value for key, value in said if value}
        wells.append(PlateWell(well, f"{PLATE}_{well}.tif", translocation.pixels_of(known, well), conditions))
    save_plate(session, PLATE, wells, list(translocation.CHANNELS))


def run_workflow(site: Site, given: dict[str, str], folder: Path) -> dict[str, Path]:
    """Run the workflow; return the tables of hits and of the quality of the assay.

    Raises:
        RuntimeError: A job failed.
    """
    workflow = import_workflow(site.gi, WORKFLOW)
    values = {"OMERO server": site.address, **INPUTS, **given}
    invocation = start_run(site.gi, workflow, RunInputs(values, {}), PLATE)
    for _ in follow_run(site.gi, invocation):
        pass
    result = collect_result(site.gi, invocation)
    if result.problems:
        raise RuntimeError(f"{PLATE}: {result.problems}")
    found = {}
    for name, output in (("hits", "Hits"), ("quality", "Quality of the assay")):
        found[name] = folder / f"{given['Feature']}-{name}"
        found[name].write_bytes(site.gi.datasets.download_dataset(result.outputs[output]["id"]))
    return found


def hits_in_omero(session: Any) -> set[str]:
    """Return the wells that have the tag of hits in OMERO."""
    import omero

    hql = "select w.row, w.column from WellAnnotationLink l join l.parent w, TagAnnotation t where l.child.id = t.id"
    found = session.getQueryService().projection(hql, omero.sys.ParametersI())
    return {f"{'ABCDEFGH'[row.val]}{column.val + 1}" for row, column in found}


def numbers_of(tables: dict[str, Path], feature: str) -> dict[str, float]:
    """Return what a run came to."""
    hits = rows(tables["hits"])
    quality = next(row for row in rows(tables["quality"]) if row["feature"] == feature)
    found = [row for row in hits if row["hit"] == "yes"]
    return {
        "z_prime": float(quality["z_prime"]),
        "nuclei": float(sum(int(row["object_count"]) for row in hits)),
        **{f"hits_{name}": float(sum(row["compound"] == name for row in found)) for name in translocation.LEAST_DOSE},
    }


def workflow_numbers(folder: Path) -> dict[str, float]:
    """Run the workflow by both features, see that OMERO has its hits, and return what came out.

    Raises:
        NotReachable: The plate cannot be fetched from here.
        RuntimeError: A job failed, or the wells tagged in OMERO are not the hits.
    """
    translocation.repository()
    (ROOT / ".sandbox").mkdir(exist_ok=True, mode=0o700)
    numbers: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="screen-", dir=ROOT / ".sandbox") as name, servers(Path(name)) as site:
        put_plate(site.session)
        for called, feature, more in (("workflow_mean", MEAN, {}), ("workflow", RATIO, RING)):
            tables = run_workflow(site, {"Feature": feature, **more}, folder)
            numbers |= {f"{called}_{key}": value for key, value in numbers_of(tables, feature).items()}
            hits = {row["well"] for row in rows(tables["hits"]) if row["hit"] == "yes"}
            if hits_in_omero(site.session) != hits:
                raise RuntimeError(f"{feature}: OMERO has the tag on other wells than the hits {sorted(hits)}")
    return numbers


def study(folder: Path) -> Study:
    """Return the case study by the tools, with what came out of the workflow."""
    by_tools = translocation.study(folder)
    return Study(by_tools.numbers | workflow_numbers(folder), by_tools.figures)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as out:
        print(json.dumps(workflow_numbers(Path(out)), indent=1))
