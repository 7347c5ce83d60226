"""Logging in, joining, leaving, changing groups."""

import subprocess
import sys
import time
from contextlib import suppress

import Glacier2
import Ice
import omero
import omero.clients
import pytest
from omero.gateway import BlitzGateway
from omero.rtypes import rstring


@pytest.mark.parametrize("secure", [True, False])
def test_connect_and_join(lab, secure):
    user = lab.user(lab.group())
    first = lab.connect(user, secure=secure)
    assert first.isSecure() is secure
    second = BlitzGateway(host=lab.server.host, port=lab.server.port)
    assert second.connect(sUuid=first.getEventContext().sessionUuid)
    assert second.getUser().getName() == user
    second.close(hard=False)
    assert first.getUser().getName() == user


def test_wrong_password_and_unknown_user(lab):
    user = lab.user(lab.group())
    for name, password in ((user, "wrong"), ("nobody", "wrong"), ("root", "")):
        client = omero.client(lab.server.host, lab.server.port)
        with pytest.raises((Glacier2.PermissionDeniedException, omero.ClientError)):
            client.createSession(name, password)
        # omero-py 5.23 has two classes SessionNotExistException; which one it expects here depends on earlier imports.
        with suppress(Ice.UserException):
            client.closeSession()


def test_session_ends_with_its_client(lab):
    client = omero.client(lab.server.host, lab.server.port)
    key = client.createSession(lab.user(lab.group()), lab.password).getSessionService()
    uuid = client.getSessionId()
    assert key.getSession(uuid).uuid.val == uuid
    client.closeSession()
    with pytest.raises(omero.RemovedSessionException):
        lab.root.c.sf.getSessionService().getSession(uuid)


def test_detached_session_outlives_its_client(lab):
    client = omero.client(lab.server.host, lab.server.port)
    client.createSession(lab.user(lab.group()), lab.password).detachOnDestroy()
    uuid = client.getSessionId()
    client.closeSession()
    again = omero.client(lab.server.host, lab.server.port)
    again.joinSession(uuid)
    assert again.killSession() == 1
    with pytest.raises(Glacier2.PermissionDeniedException):
        omero.client(lab.server.host, lab.server.port).joinSession(uuid)


SILENT = """
import sys, time, omero, omero.clients
client = omero.client(sys.argv[1], int(sys.argv[2]))
client.createSession(sys.argv[3], sys.argv[4]).createRawFileStore()
print(client.getSessionId(), flush=True)
time.sleep(600)
"""


def test_session_ends_with_a_client_that_dies_without_a_word(lab):
    arguments = [lab.server.host, str(lab.server.port), lab.user(lab.group()), lab.password]
    client = subprocess.Popen([sys.executable, "-c", SILENT, *arguments], stdout=subprocess.PIPE, text=True)
    uuid = client.stdout.readline().strip()
    service = lab.root.c.sf.getSessionService()
    assert service.getReferenceCount(uuid) == 1
    client.kill()
    client.wait()
    deadline = time.monotonic() + 60

    def ask_until_it_is_gone():
        while time.monotonic() < deadline:
            service.getReferenceCount(uuid)
            time.sleep(0.05)

    with pytest.raises(omero.RemovedSessionException):
        ask_until_it_is_gone()


def test_calls_on_a_closed_session_fail(lab):
    client = omero.client(lab.server.host, lab.server.port)
    query = client.createSession(lab.user(lab.group()), lab.password).getQueryService()
    session = omero.model.SessionI()
    session.uuid = rstring(client.getSessionId())
    lab.root.c.sf.getSessionService().closeSession(session)
    with pytest.raises(Ice.ObjectNotExistException):
        query.find("Image", 1)
    client.closeSession()


def test_session_times_out(lab):
    user = lab.user(lab.group())
    principal = omero.sys.Principal(name=user, group=None, eventType="Test", umask=None)
    made = lab.root.c.sf.getSessionService().createSessionWithTimeouts(principal, 1, 600_000)
    with pytest.raises(Glacier2.PermissionDeniedException):
        omero.client(lab.server.host, lab.server.port).joinSession(made.uuid.val)


def test_sudo(lab, gateway):
    user = gateway.getUser().getName()
    acting = lab.root.suConn(user)
    assert acting.getUser().getName() == user
    assert acting.getEventContext().sudoerName.val == "root"
    acting.close()
    assert gateway.suConn(lab.user(lab.group())) is None


def test_group_switching(lab):
    first, second = lab.group(), lab.group()
    gateway = lab.connect(lab.user(first, second))
    assert gateway.getGroupFromContext().getName() == first
    admin = gateway.getAdminService()
    other = admin.lookupGroup(second).id.val
    gateway.setGroupForSession(other)
    assert gateway.getEventContext().groupId == other
    assert gateway.setGroupForSession(0) is False
    names = {g.getName() for g in gateway.getGroupsMemberOf()}
    assert {first, second} <= names


def test_password_change(lab):
    user = lab.user(lab.group())
    gateway = lab.connect(user)
    admin = gateway.getAdminService()
    with pytest.raises(omero.SecurityViolation):
        admin.changePasswordWithOldPassword(rstring("wrong"), rstring("new"))
    admin.changePasswordWithOldPassword(rstring(lab.password), rstring("new"))
    again = BlitzGateway(user, "new", host=lab.server.host, port=lab.server.port)
    assert again.connect()
    again.close()
