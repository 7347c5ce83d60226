"""Passwords: who has none cannot log in, and who guesses waits, as in OMERO.server."""

import time
from contextlib import suppress

import Glacier2
import Ice
import omero
import pytest
from omero.rtypes import rstring


def try_to_log_in(lab, name: str, password: str) -> float:
    """Seconds until the server says no; the test fails if it says yes."""
    client = omero.client(lab.server.host, lab.server.port)
    began = time.monotonic()
    with pytest.raises((Glacier2.PermissionDeniedException, omero.ClientError)):
        client.createSession(name, password)
    # omero-py 5.23 has two classes SessionNotExistException; which one it expects here depends on earlier imports.
    with suppress(Ice.UserException):
        client.closeSession()
    return time.monotonic() - began


@pytest.mark.parametrize("blank", [None, "", " \t"])
def test_a_password_that_is_none_locks_the_account(lab, root_gateway, blank: str | None):
    # omero-server, ome/security/auth/PasswordUtil.java, preparePassword; ConfigurablePasswordProvider.comparePasswords
    user = lab.user(lab.group())
    admin = root_gateway.getAdminService()
    root_gateway.c.sf.setSecurityPassword(lab.server.root_password)
    admin.changeUserPassword(user, None if blank is None else rstring(blank))
    try_to_log_in(lab, user, lab.password)
    admin.changeUserPassword(user, rstring("open again"))
    client = omero.client(lab.server.host, lab.server.port)
    client.createSession(user, "open again")
    client.closeSession()


def test_users_lock_themselves_out(lab):
    user = lab.user(lab.group())
    gateway = lab.connect(user)
    gateway.c.sf.setSecurityPassword(lab.password)
    gateway.getAdminService().changePassword(rstring(""))
    assert gateway.getUser().getName() == user  # the session goes on
    try_to_log_in(lab, user, lab.password)


def test_a_change_of_a_user_changes_the_password_only_if_asked(lab, root_gateway):
    # AdminImpl.java: updateExperimenter leaves it, updateExperimenterWithPassword sets it whatever it is
    user = lab.user(lab.group())
    admin = root_gateway.getAdminService()
    person = admin.lookupExperimenter(user)
    person.firstName = rstring("New")
    admin.updateExperimenter(person)
    lab.connect(user).close()
    admin.updateExperimenterWithPassword(admin.lookupExperimenter(user), None)
    try_to_log_in(lab, user, lab.password)


def test_the_old_password_must_be_known(lab):
    admin = lab.connect(lab.user(lab.group())).getAdminService()
    with pytest.raises(omero.SecurityViolation, match="Old password is invalid"):
        admin.changePasswordWithOldPassword(rstring("wrong"), rstring("new"))


def test_who_guesses_passwords_waits_and_others_do_not(lab):
    # ome/security/auth/LoginAttemptListener.java; omero.security.login_failure_throttle_count=1, ..._time=3000
    user, other = (lab.user(lab.group()) for _ in range(2))
    assert try_to_log_in(lab, user, "wrong") < 2.5
    assert try_to_log_in(lab, user, "wrong") > 2.9
    assert try_to_log_in(lab, other, "wrong") < 2.5
    client = omero.client(lab.server.host, lab.server.port)
    began = time.monotonic()
    client.createSession(user, lab.password)  # the right password is taken at once, and ends the count
    assert time.monotonic() - began < 2.5
    client.closeSession()
    assert try_to_log_in(lab, user, "wrong") < 2.5


def test_a_client_that_joins_a_session_by_its_key_changes_no_password(lab):
    # omero-server, ome/logic/AdminImpl.java: @RolesAllowed({"user", "HasPassword"})
    user = lab.user(lab.group())
    client = omero.client(lab.server.host, lab.server.port)
    client.createSession(user, lab.password)
    joined = client.createClient(True)
    service = joined.sf.getAdminService()
    for change in (
        lambda: service.changePassword(rstring("x")),
        lambda: service.changeUserPassword(user, rstring("x")),
    ):
        with pytest.raises(omero.SecurityViolation, match="A password is needed"):
            change()
    with pytest.raises(omero.SecurityViolation):
        joined.sf.setSecurityPassword("wrong")
    joined.sf.setSecurityPassword(lab.password)
    service.changePassword(rstring("y"))
    client.sf.getAdminService().changePassword(rstring("z"))
    joined.closeSession()
    client.closeSession()
