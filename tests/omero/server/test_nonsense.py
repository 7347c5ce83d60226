"""Nonsense to every operation of every service: each answers with an OMERO exception, and the server lives on.

Which operations there are, and of what types their parameters, is read from omero-py itself (slice_signatures.py), so
that nothing is left out. Nonsense comes from an administrator: nobody else gets as far.
"""

import contextlib
import functools
import random
import struct
import time

import Ice
import omero
import omero.clients
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omero.rtypes import rint, rlist, rlong, rmap, rstring

from sandbox.omero.launch import running_server
from tests.omero.every_service import NOT_MADE, SECONDS, Person, method, new_table, pixels_of, proxy_of, what_is_wrong
from tests.omero.nonsense import UNKNOWN, Nonsense, requests
from tests.omero.slice_signatures import INTERFACES, signatures

CAN_BE_EMPTY = tuple(f"omero.api.{n}" for n in ("RawFileStore", "RawPixelsStore", "RenderingEngine", "ThumbnailStore"))
ENDING = ("close", "destroy", "delete")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("nonsense")) as server:
        client = omero.client(server.host, server.port)
        client.createSession("root", server.root_password)
        client.enableKeepAlive(60)
        yield server, client
        assert client.getSession().getAdminService().getEventContext().isAdmin, "the server is no longer there"
        client.closeSession()


@pytest.fixture
def person(root):
    made = Person(*root)
    with made.stack:
        yield made


@pytest.fixture(scope="module")
def somebody(root):
    made = Person(*root)
    with made.stack:
        yield made


@pytest.mark.parametrize(
    ("interface", "empty"), [*((i, False) for i in INTERFACES if i not in NOT_MADE), *((i, True) for i in CAN_BE_EMPTY)]
)
def test_every_operation_answers_to_nonsense(person, interface, empty):
    proxy, nonsense, found = proxy_of(interface, person.client, empty), Nonsense(person.client), []
    for operation in sorted(signatures().operations[interface], key=lambda name: (name in ENDING, name)):
        for arguments in nonsense.calls(interface, operation, random.Random(operation)):
            wrong = what_is_wrong(interface, lambda: method(proxy, operation)(*arguments))  # noqa: B023
            if wrong == "gone":
                person.come_back()
                proxy, wrong = proxy_of(interface, person.client, empty), ""
            if wrong:
                found.append(f"{operation}{arguments!r:.500}: {wrong:.500}")
    assert not found, "\n".join(found)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_operation_answers_to_any_nonsense(somebody, data):
    """Combinations that the list above does not have."""
    nonsense, interface = Nonsense(somebody.client), data.draw(st.sampled_from(sorted({*INTERFACES} - NOT_MADE)))
    operation = data.draw(st.sampled_from(sorted(set(signatures().operations[interface]) - {*ENDING})))
    kinds = signatures().operations[interface][operation]
    arguments = [data.draw(st.sampled_from(nonsense.values(kind))) for kind in kinds]
    somebody.come_back()
    proxy = proxy_of(interface, somebody.client)
    assert what_is_wrong(interface, lambda: method(proxy, operation)(*arguments)) in {"", "gone"}


@pytest.mark.parametrize("interface", sorted(NOT_MADE))
def test_what_is_not_there_says_so(person, interface):
    with pytest.raises(omero.ApiUsageException, match="not supported"):
        proxy_of(interface, person.client)


def response(handle):
    deadline = time.monotonic() + SECONDS
    while (found := handle.getResponse()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def test_every_request_gets_an_answer(person):
    found = []
    for request in [None, *requests()]:
        answer = response(person.come_back().submit(request))
        kind = answer.parameters["type"] if isinstance(answer, omero.cmd.ERR) else ""
        if answer is None or (kind and not issubclass(getattr(omero, kind, object), omero.ServerError)):
            found.append(f"{request!r:.300}: {answer!r:.500}")
    assert not found, "\n".join(found)


def test_a_request_in_a_group_of_others_is_refused_by_its_handle(person):
    answer = response(person.client.getSession().submit(omero.cmd.Delete2(), {"omero.group": str(UNKNOWN)}))
    assert isinstance(answer, omero.cmd.ERR)
    assert "No such group" in answer.parameters["message"]


def assert_gone(interface, proxy, nonsense):
    for operation in signatures().operations[interface]:
        arguments = next(nonsense.calls(interface, operation, random.Random(0)))
        wrong = what_is_wrong(interface, functools.partial(method(proxy, operation), *arguments))
        assert wrong == "gone", f"{interface}.{operation}: {wrong or 'answers'}"


@pytest.mark.parametrize("interface", [
    "omero.api.Exporter", "omero.api.RawFileStore", "omero.api.RawPixelsStore", "omero.api.RenderingEngine",
    "omero.api.Search", "omero.api.ThumbnailStore", "omero.grid.ImportProcess", "omero.grid.Table", "omero.cmd.Handle",
])  # fmt: skip
def test_nothing_of_a_closed_handle_answers(person, interface):
    proxy = proxy_of(interface, person.client)
    proxy.close()
    assert_gone(interface, proxy, Nonsense(person.client))


def test_nothing_of_a_closed_session_answers(person):
    client = person.join()
    gone = {i: proxy_of(i, client) for i in INTERFACES if i not in {*NOT_MADE, "Glacier2.Router"}}
    client.getSession().getSessionService().closeSession(_session(client))
    nonsense = Nonsense(person.client)
    for interface, proxy in gone.items():
        assert_gone(interface, proxy, nonsense)


def _session(client):
    made = omero.model.SessionI()
    made.uuid = rstring(client.getSessionId())
    return made


# --- what no client library sends: wrong types, too few and too many arguments, promises of gigabytes -----------------

RAW = (
    b"", b"\0", b"\xff", b"\xff\xff\xff\xff\x7f", b"\xff" * 40, b"\x01" * 40, b"\0" * 400,
    b"\x02ab" * 20, b"\xff\xff\xff\xff\x7f" + b"x" * 100, b"\x01\x1a::omero::model::Nothing\0\0",
)  # fmt: skip


def invoke_raw(proxy, operation, payload):
    """Send arguments as bytes, behind a correct head."""
    encapsulation = struct.pack("<i", 6 + len(payload)) + b"\x01\x00" + payload
    proxy.ice_invocationTimeout(SECONDS * 1000).ice_invoke(operation, Ice.OperationMode.Normal, encapsulation)


def raw_answer(proxy, operation, payload):
    # Ice's own answers to bytes that are not the arguments, before any service is asked.
    refusals = (
        Ice.UnknownException,
        Ice.UnknownLocalException,
        Ice.ObjectNotExistException,
        Ice.OperationNotExistException,
    )
    with contextlib.suppress(*refusals):
        invoke_raw(proxy, operation, payload)


@pytest.mark.parametrize("interface", [i for i in INTERFACES if i not in NOT_MADE])
def test_wrong_bytes_as_arguments(person, interface):
    proxy = proxy_of(interface, person.client)
    for operation in [*sorted(signatures().operations[interface]), "nothing", "", "ice_isA", "ä" * 300]:
        for payload in RAW:
            raw_answer(proxy, operation, payload)
    person.come_back()
    assert person.client.getSession().getConfigService().getVersion()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_bytes_as_arguments(root, data):
    _, client = root
    interface = data.draw(st.sampled_from(["omero.api.IQuery", "omero.api.IUpdate", "omero.api.IAdmin"]))
    operation = data.draw(st.sampled_from(sorted(signatures().operations[interface])))
    raw_answer(proxy_of(interface, client), operation, data.draw(st.binary(max_size=60)))


# --- kept from what was found --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["_and", "_or", "_not"])
def test_operations_named_as_keywords_answer(person, operation):
    """They hung: IcePy looks for `and_async`, not for `_and_async`."""
    search = person.client.getSession().createSearchService()
    with pytest.raises(omero.ApiUsageException):
        getattr(search.ice_invocationTimeout(SECONDS * 1000), operation)()


@pytest.mark.parametrize("text", ["x" * 70_000, "a " * 3000, "a OR " * 3000])
def test_search_for_too_much(person, text):
    search = person.client.getSession().createSearchService()
    search.onlyType("Image")
    with pytest.raises(omero.ApiUsageException, match="at most"):
        search.byFullText(text)


def test_unknown_and_unloaded_users_and_groups(person):
    admin = person.client.getSession().getAdminService()
    group, nobody = omero.model.ExperimenterGroupI(1, False), omero.model.ExperimenterI(UNKNOWN, False)
    for attempt in (
        lambda: admin.addGroupOwners(group, [nobody]),
        lambda: admin.setGroupOwner(group, nobody),
        lambda: admin.setAdminPrivileges(nobody, []),
        lambda: admin.deleteExperimenter(nobody),
        lambda: admin.updateExperimenter(nobody),
        lambda: admin.createSystemUser(nobody),
        lambda: admin.createGroup(group),
        lambda: admin.updateGroup(group),
        lambda: admin.getAdminsWithPrivileges([None]),
        lambda: admin.getAdminsWithPrivileges([omero.model.AdminPrivilegeI(1, False)]),
        lambda: admin.getAdminsWithPrivileges([omero.model.AdminPrivilegeI()]),
    ):
        with pytest.raises(omero.ApiUsageException):
            attempt()


def test_root_stays_administrator(person):
    admin = person.client.getSession().getAdminService()
    zero = omero.model.ExperimenterI(0, False)
    with pytest.raises(omero.ValidationException):
        admin.removeGroups(zero, [omero.model.ExperimenterGroupI(0, False)])
    with pytest.raises(omero.SecurityViolation):
        admin.setAdminPrivileges(zero, [])


def test_somebody_who_owns_things_is_not_deleted(person):
    session = person.client.getSession()
    pixels_of(session)
    admin = person.root.getSession().getAdminService()
    with pytest.raises(omero.ValidationException):
        admin.deleteExperimenter(omero.model.ExperimenterI(person.user_id, False))
    assert admin.getExperimenter(person.user_id).omeName.val == person.name


def test_sessions_in_unknown_groups(person):
    service = person.client.getSession().getSessionService()
    with pytest.raises(omero.SecurityViolation):
        service.createUserSession(0, 0, "nothing")
    with pytest.raises(omero.SecurityViolation):
        service.createSessionWithTimeouts(omero.sys.Principal("root", "nothing", "x", None), 0, 1)
    with pytest.raises(omero.SecurityViolation):
        person.client.getSession().setSecurityPassword("wrong")


def test_values_beyond_their_range(person):
    query, parameters = person.client.getSession().getQueryService(), omero.sys.ParametersI()
    fitting = {"a": rlong(2**63 - 1), "b": rlong(-(2**63)), "c": rstring("\1")}
    text = "select i.id from Image i where i.id = :a or i.id = :b or i.name = :c"
    parameters.map = fitting
    assert query.projection(text, parameters) == []
    for refused in ({"a": rint(2**31 - 1)}, {"c": rstring("\0")}):  # Hibernate takes no int for an id
        parameters.map = fitting | refused
        with pytest.raises(omero.ServerError, match=r"Integer cannot be cast|invalid byte sequence"):
            query.projection(text, parameters)


def endless_list():
    made = rlist([])
    made._val.append(made)
    return made


def deep_list():
    made = rlist([])
    for _ in range(2000):
        made = rlist([made])
    return made


@pytest.mark.parametrize("make", [endless_list, deep_list, lambda: rmap({"a": rlist([])}), lambda: rlist([rmap({})])])
def test_parameters_within_themselves_and_of_no_use(person, make):
    """Python's own depth of recursion, and its JSON, told of themselves."""
    value, parameters = make(), omero.sys.ParametersI()
    parameters.map = {"x": value}
    query = person.client.getSession().getQueryService()
    for text in ("select i.id from Image i where i.id in (:x)", "select i.id from Image i where i.id = :x"):
        with pytest.raises((omero.ApiUsageException, omero.QueryException)):
            query.projection(text, parameters)
    if isinstance(value._val, list):
        value._val.clear()  # else nobody ever frees it


@pytest.mark.parametrize("condition", ["a > 9**9**9", "a == '%999999999s' % a", "a > " + "-" * 9000 + "1", "a > b"])
def test_conditions_of_tables_that_never_end(person, condition):
    """They kept all clients waiting: numexpr has Python compute what is constant in a condition."""
    table = new_table(person.client.getSession())
    with pytest.raises(omero.ApiUsageException):
        table.ice_invocationTimeout(SECONDS * 1000).getWhereList(condition, None, 0, 3, 1)
    assert table.getWhereList("a > 2 - 1", None, 0, 3, 1) == [1, 2]
    table.close()


def test_a_chain_of_objects_that_is_too_long(person):
    """Ice reads objects within objects by recursion: 3,000 annotations linked one to the next ended the server."""
    first = last = omero.model.CommentAnnotationI()
    for _ in range(2100):
        following = omero.model.CommentAnnotationI()
        last.linkAnnotation(following)
        last = following
    with pytest.raises(Ice.UnknownLocalException, match="class graph depth"):
        person.client.getSession().getUpdateService().saveObject(first)
    wide = omero.model.DatasetI()
    wide.name = rstring("of many")
    for _ in range(500):
        wide.linkAnnotation(omero.model.CommentAnnotationI())
    saved = person.client.getSession().getUpdateService().saveAndReturnObject(wide)
    assert saved.sizeOfAnnotationLinks() == 500
