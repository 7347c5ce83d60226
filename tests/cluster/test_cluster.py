"""Galaxy's jobs on Slurm and on Pulsar: the same results, and nothing lost when something of the cluster goes."""

import os
import signal
import time

import pytest

from sandbox import process
from sandbox.cluster import pulsar, slurm
from sandbox.setup.slurm import is_installed
from tests.cluster.site import (
    SESSIONS,
    Site,
    ended,
    export,
    finish,
    import_labels,
    is_running,
    measure_nuclei,
    message_of,
    of_admin,
    omero_run,
    open_sessions,
    output_of,
    probe,
    slurm_says,
    start_nuclei,
    start_signal,
    table_of,
    tables_of_parts,
    wait,
)
from tests.galaxy.secret_watch import files_with
from tests.galaxy.seed_omero import PASSWORD
from tests.galaxy.two_at_once import counts_in_omero

pytestmark = pytest.mark.skipif(not is_installed(), reason="no Slurm here: python3 -m sandbox.setup slurm says why")
PLACES = ("slurm", "pulsar")


@pytest.mark.parametrize("place", PLACES)
def test_the_probe_runs(site: Site, place: str):
    assert ended(site, probe(site, place, seconds=0))["state"] == "ok"
    assert ended(site, probe(site, place, code=3))["state"] == "error"


def test_nuclei_are_measured_there_and_go_back_to_omero(site: Site):
    found = []
    for place in PLACES:
        result = measure_nuclei(site, place)
        assert result.problems == []
        found.append(counts_in_omero(site.omero))
    assert found[0] == found[1]
    assert found[0]["Roi"] > 3


def test_signals_are_the_same_there(site: Site):
    tables = []
    for place in PLACES:
        result = finish(site, start_signal(site, place))
        assert result.problems == []
        tables.append(table_of(site, result))
    assert tables[0] == tables[1]
    assert tables[0].count("\n") > 100


def test_no_login_is_in_the_logs_of_pulsar_or_in_the_addresses_it_was_asked_for(site: Site):
    """After the runs above: among them jobs of OMERO tools on Pulsar."""
    folder = site.folder / "pulsar"
    assert "/submit" in (folder / pulsar.REQUESTS).read_text()
    assert files_with(PASSWORD.encode(), [folder]) == set()
    assert PASSWORD not in (site.folder / "galaxy" / "galaxy.log").read_text(errors="replace")


def test_a_job_that_slurm_kills_for_memory_has_failed(site: Site):
    job = ended(site, probe(site, "slurm", megabytes=2500, seconds=30))
    assert (job["state"], job["exit_code"]) == ("error", 137)
    assert "exceeded memory limit" in job["job_stderr"]


def test_a_job_that_somebody_cancels_has_failed(site: Site):
    job = probe(site, "slurm", seconds=90)
    wait(lambda: is_running(site, job))
    slurm_says(site, "scancel", of_admin(site, job)["external_id"])
    job = ended(site, job)
    assert (job["state"], job["exit_code"]) == ("error", 137)


def test_nothing_is_lost_when_the_nodes_daemon_is_killed(site: Site):
    kept = probe(site, "slurm", seconds=40)
    invocation = start_signal(site, "slurm")
    wait(lambda: is_running(site, kept))
    file = site.folder / "slurm" / "slurmd.pid"
    first = int(file.read_text())
    os.kill(first, signal.SIGKILL)
    result = finish(site, invocation)
    assert result.problems == []
    assert table_of(site, result).count("\n") > 100
    assert ended(site, kept)["state"] == "ok"
    assert int(file.read_text()) != first


def test_nothing_is_lost_while_the_controller_is_away(site: Site):
    """Galaxy takes a squeue that fails for the end of all jobs, also of those that have hardly begun."""
    kept = probe(site, "slurm", seconds=15)
    wait(lambda: is_running(site, kept))
    process.stop(site.cluster.slurm.processes[1:2])
    late = probe(site, "slurm", seconds=0)
    time.sleep(8)
    assert site.gi.jobs.get_state(kept["id"]) == "running"
    site.started.append(slurm.start_daemon(site.folder / "slurm", "controller"))
    for job in (kept, late):
        assert ended(site, job)["state"] == "ok"
        assert output_of(site, job) == "begun\ndone\n"


@pytest.mark.skipif("BIOIMAGE_TEST_LONG_ABSENCE" not in os.environ, reason="takes six minutes")
def test_a_controller_that_stays_away_fails_new_jobs_only_and_a_rerun_completes(site: Site):
    kept = probe(site, "slurm", seconds=30)
    wait(lambda: is_running(site, kept))
    process.stop(site.cluster.slurm.processes[1:2])
    late = probe(site, "slurm", seconds=0)
    lost = ended(site, late, seconds=400)
    assert lost["state"] == "error"
    assert "failure submitting job" in message_of(site, lost)
    assert site.gi.jobs.get_state(kept["id"]) == "running"
    site.started.append(slurm.start_daemon(site.folder / "slurm", "controller"))
    assert ended(site, kept)["state"] == "ok"
    assert output_of(site, kept) == "begun\ndone\n"
    assert ended(site, probe(site, "slurm", seconds=0))["state"] == "ok"


def test_a_pulsar_that_is_away_fails_its_jobs_and_a_rerun_completes(site: Site):
    process.stop(site.cluster.pulsar.processes)
    lost = ended(site, probe(site, "pulsar", seconds=0))
    assert lost["state"] == "error"
    assert f"Pulsar {site.cluster.pulsar.url}: cannot be reached" in message_of(site, lost)
    assert "run it again" in message_of(site, lost)
    again = pulsar.start(site.folder / "pulsar", site.folder / "suite" / "tools", [site.folder / "galaxy"])
    site.started.extend(again.processes)
    assert again.url == site.cluster.pulsar.url
    assert ended(site, probe(site, "pulsar", seconds=0))["state"] == "ok"


def test_parallel_exports_hold_no_more_sessions_than_slurm_has_licences(site: Site):
    images = ("cell_1.tif", "cell_2.tif", "stack.tif", "nuclei_upper_left.ome.tiff", "cell_1.tif")
    jobs = [export(site, "slurm", image) for image in images]
    seen = []
    while any(site.gi.jobs.get_state(job["id"]) not in {"ok", "error"} for job in jobs):
        seen.append(open_sessions(site))
        time.sleep(0.3)
    assert [ended(site, job)["state"] for job in jobs] == ["ok"] * len(jobs)
    assert 1 <= max(seen) <= SESSIONS


def test_a_dataset_is_exported_in_parts_by_parallel_jobs(site: Site):
    tables = tables_of_parts(site, "nuclei", size=1)
    target = {"source": "table", "table": {"batch": True, "values": [{"src": "hdca", "id": tables}]}}
    started = omero_run(site, "slurm", "omero_export_images", {"target": target})
    assert [ended(site, job)["state"] for job in started["jobs"]] == ["ok"] * 2
    [images] = [one for one in started["implicit_collections"] if one["output_name"] == "images"]
    made = site.gi.dataset_collections.show_dataset_collection(images["id"])
    names = [[image["element_identifier"] for image in part["object"]["elements"]] for part in made["elements"]]
    assert [len(part) for part in names] == [1, 1]
    assert {name.split("_", 2)[2] for [name] in names} == {"cell_1.tif", "cell_2.tif"}


def test_parallel_imports_leave_what_one_leaves(site: Site):
    """ROIs and tables of two runs at once; label maps of two jobs at once."""
    result = measure_nuclei(site, "slurm")
    import_labels(site, result, times=1)
    expected = counts_in_omero(site.omero)
    runs = [start_nuclei(site, "slurm") for _ in range(2)]
    assert [finish(site, run).problems for run in runs] == [[], []]
    import_labels(site, result, times=2)
    assert counts_in_omero(site.omero) == expected
