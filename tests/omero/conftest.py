"""A running OMERO sandbox, and clients of it.

The server is one process for each xdist worker. Every `gateway` is a new user, alone in a new group: what one test
makes, no other test sees.
"""

import os
import subprocess
import sys
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.omero.launch import RunningServer, running_server


@pytest.fixture(scope="session")
def omero_server(tmp_path_factory) -> RunningServer:
    address = os.environ.get("OMERO_TEST_ADDRESS")
    if address:  # a real OMERO.server, as .github/workflows/ci.yml starts one
        host, _, port = address.rpartition(":")
        yield RunningServer(host, int(port), 0, os.environ["OMERO_TEST_ROOT_PASSWORD"], 0)
        return
    with running_server(tmp_path_factory.mktemp("omero")) as server:
        yield server


def connect(server: RunningServer, user: str, password: str, **options):
    """A connected BlitzGateway; the caller closes it."""
    from omero.gateway import BlitzGateway

    gateway = BlitzGateway(user, password, host=server.host, port=server.port, **options)
    assert gateway.connect(), gateway.getLastError()
    return gateway


@pytest.fixture(scope="session")
def root_gateway(omero_server):
    """The administrator; in use by all tests, so leave its group as it is."""
    gateway = connect(omero_server, "root", omero_server.root_password)
    gateway.c.enableKeepAlive(60)
    yield gateway
    gateway.close()


@dataclass
class Lab:
    """Users and groups for one test."""

    server: RunningServer
    root: object
    password: str = "s3cret"
    stack: ExitStack = field(default_factory=ExitStack)

    def group(self, permissions: str = "rw----") -> str:
        import omero
        from omero.rtypes import rstring

        group = omero.model.ExperimenterGroupI()
        group.name = rstring(f"group-{uuid.uuid4()}")
        group.details.permissions = omero.model.PermissionsI(permissions)
        self.root.getAdminService().createGroup(group)
        return group.name.val

    def user(self, *groups: str, leads: bool = False) -> str:
        import omero
        from omero.rtypes import rbool, rstring

        admin = self.root.getAdminService()
        user = omero.model.ExperimenterI()
        user.omeName = rstring(f"user-{uuid.uuid4()}")
        user.firstName, user.lastName, user.ldap = rstring("Ada"), rstring("Test"), rbool(False)
        found = [admin.lookupGroup(name) for name in groups]
        user_id = admin.createExperimenterWithPassword(user, rstring(self.password), found[0], found)
        if leads:
            admin.setGroupOwner(found[0], omero.model.ExperimenterI(user_id, False))
        return user.omeName.val

    def connect(self, user: str, **options):
        gateway = connect(self.server, user, self.password, **options)
        self.stack.callback(gateway.close)
        return gateway


@pytest.fixture
def lab(omero_server, root_gateway):
    made = Lab(omero_server, root_gateway)
    with made.stack:
        yield made


@pytest.fixture
def gateway(lab):
    return lab.connect(lab.user(lab.group("rwra--")))


@dataclass
class Command:
    """The `omero` command, logged in as somebody, in a process of its own."""

    environment: dict

    def __call__(self, *arguments: str, check: bool = True, stdin: str = "") -> str:
        # `omero` itself refuses to run as root, which it checks in its script, not in its code.
        code = "import sys, omero.cli; sys.exit(omero.cli.argv(['omero', *sys.argv[1:]]))"
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            input=stdin,
            timeout=120,
        )
        if check:
            assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout if check else f"{done.returncode} {done.stdout} {done.stderr}"


@pytest.fixture
def command(lab, gateway, tmp_path):
    """The command line of the same user as `gateway`."""
    return log_in(lab, gateway.getUser().getName(), tmp_path)


def log_in(lab: Lab, user: str, folder: Path, password: str | None = None) -> Command:
    made = Command(os.environ | {"OMERO_USERDIR": str(folder / f"omero-{user}"), "PYTHONWARNINGS": "ignore"})
    address = f"{user}@{lab.server.host}:{lab.server.port}"
    made("login", address, "-w", password or lab.password)
    return made
