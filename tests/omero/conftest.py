"""A running OMERO sandbox, and clients of it.

The server is one process for each xdist worker. Every `gateway` is a new user, alone in a new group: what one test
makes, no other test sees.
"""

import os

import pytest

from sandbox.omero.launch import RunningServer, running_server
from tests.omero.lab import Lab, connect, log_in


@pytest.fixture(scope="session")
def omero_server(tmp_path_factory) -> RunningServer:
    address = os.environ.get("OMERO_TEST_ADDRESS")
    if address:  # a real OMERO.server, as .github/workflows/ci.yml starts one
        host, _, port = address.rpartition(":")
        yield RunningServer(host, int(port), 0, os.environ["OMERO_TEST_ROOT_PASSWORD"], 0)
        return
    with running_server(tmp_path_factory.mktemp("omero")) as server:
        _configure(server, os.environ.get("OMERO_TEST_SETTINGS", ""))
        yield server


def _configure(server: RunningServer, settings: str) -> None:
    """Set keys of IConfig, such as "omero.sandbox.answer_ms=5,omero.sandbox.lock_timeout_ms=300": the test mode.

    So the tests of the tools run on a server that is slow and busy (sandbox/omero/server/trials.py).
    """
    if not settings:
        return
    gateway = connect(server, "root", server.root_password)
    for pair in settings.split(","):
        gateway.getConfigService().setConfigValue(*pair.split("=", 1))
    gateway.close()


@pytest.fixture(scope="session")
def root_gateway(omero_server):
    """The administrator; in use by all tests, so leave its group as it is."""
    gateway = connect(omero_server, "root", omero_server.root_password)
    gateway.c.enableKeepAlive(60)
    yield gateway
    gateway.close()


@pytest.fixture
def lab(omero_server, root_gateway):
    made = Lab(omero_server, root_gateway)
    with made.stack:
        yield made


@pytest.fixture
def gateway(lab):
    return lab.connect(lab.user(lab.group("rwra--")))


@pytest.fixture
def command(lab, gateway, tmp_path):
    """The command line of the same user as `gateway`."""
    return log_in(lab, gateway.getUser().getName(), tmp_path)
