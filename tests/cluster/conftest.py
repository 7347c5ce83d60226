"""A Galaxy with Slurm, Pulsar and an OMERO for all tests of this folder; `make test-cluster` runs them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bioblend.galaxy import GalaxyInstance

from sandbox import process, servers
from sandbox.state import Sandbox
from tests.cluster.site import SESSIONS, Site, keep_logs
from tests.galaxy.run import OMERO_PLACEHOLDER, copy_suite, fill_data_tables, seed, store_credentials
from tests.run import ROOT

# `make test` leaves this folder out: a second Galaxy beside that of tests/galaxy takes several minutes.
if "BIOIMAGE_TEST_CLUSTER" not in os.environ:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    (ROOT / ".sandbox").mkdir(exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(prefix="c-", dir=ROOT / ".sandbox"))
    started: list[process.Process] = []
    try:
        omero = servers.start_omero(folder / "omero")
        started += omero.processes
        suite = folder / "suite"
        copy_suite(suite, {OMERO_PLACEHOLDER: omero.address})
        probe = suite / "tools" / "probe" / "cluster_probe"
        probe.mkdir(parents=True)
        shutil.copy(Path(__file__).with_name("cluster_probe.xml"), probe)
        seed(omero)
        fill_data_tables(folder / "galaxy" / "tool-data")
        cluster = servers.start_cluster(folder, suite / "tools", omero_sessions=SESSIONS)
        started += cluster.processes
        store_credentials(Sandbox(omero, cluster.galaxy))
        yield Site(folder, omero, cluster, GalaxyInstance(cluster.galaxy.url, key=cluster.galaxy.user_key), started)
    finally:
        process.stop(started)
        keep_logs(folder)
        shutil.rmtree(folder, ignore_errors=True)
