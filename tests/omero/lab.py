"""Users and groups of a server, and clients that are logged in as them."""

import os
import subprocess
import sys
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.omero.launch import RunningServer


def connect(server: RunningServer, user: str, password: str, **options):
    """A connected BlitzGateway; the caller closes it."""
    from omero.gateway import BlitzGateway

    gateway = BlitzGateway(user, password, host=server.host, port=server.port, **options)
    assert gateway.connect(), gateway.getLastError()
    return gateway


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


def log_in(lab: Lab, user: str, folder: Path, password: str | None = None) -> Command:
    made = Command(os.environ | {"OMERO_USERDIR": str(folder / f"omero-{user}"), "PYTHONWARNINGS": "ignore"})
    address = f"{user}@{lab.server.host}:{lab.server.port}"
    made("login", address, "-w", password or lab.password)
    return made
