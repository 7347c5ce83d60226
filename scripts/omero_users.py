"""Users and groups of an OMERO sandbox, made by its root, and connections as one of them."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rbool, rstring, unwrap

from sandbox.state import OmeroServer
from scripts.galaxy_connection import ScriptError


@dataclass(frozen=True)
class OmeroUser:
    """A user with a group of their own.

    Attributes:
        name: Login.
        first_name: For people to read.
        last_name: For people to read.
        group: Name of the group.
        permissions: Of the group, as OMERO writes them: `rw----` is private.
    """

    name: str
    first_name: str
    last_name: str
    group: str
    permissions: str = "rw----"


def make_user(server: OmeroServer, user: OmeroUser, password: str) -> None:
    """Create a user and the user's group unless the user exists."""
    client = omero.client(host=server.host, port=server.port)
    try:
        admin = client.createSession("root", server.root_password).getAdminService()
        if user.name in {unwrap(one.omeName) for one in admin.lookupExperimenters()}:
            return
        group = omero.model.ExperimenterGroupI()
        group.name, group.ldap = rstring(user.group), rbool(False)
        group.details.permissions = omero.model.PermissionsI(user.permissions)
        group_ids = [admin.createGroup(group), admin.getSecurityRoles().userGroupId]
        groups = [omero.model.ExperimenterGroupI(group_id, False) for group_id in group_ids]
        person = omero.model.ExperimenterI()
        person.omeName, person.ldap = rstring(user.name), rbool(False)
        person.firstName, person.lastName = rstring(user.first_name), rstring(user.last_name)
        admin.createExperimenterWithPassword(person, rstring(password), groups[0], groups)
    finally:
        client.closeSession()


@contextlib.contextmanager
def gateway_of(server: OmeroServer, name: str, password: str) -> Iterator[BlitzGateway]:
    """Open a connection to OMERO as a user; leaving the block closes it.

    Raises:
        ScriptError: OMERO does not accept the user.
    """
    gateway = BlitzGateway(name, password, host=server.host, port=server.port, secure=True)
    if not gateway.connect():
        raise ScriptError(
            f"OMERO {server.address}: does not accept the user {name!r}. Run `make clean`, then start again."
        )
    try:
        yield gateway
    finally:
        gateway.close()
