import socket
import threading
import time

import omero
import omero.clients
import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero import watchdog
from bioimage_suite.omero.session import open_session, parse_address, read_credentials
from tests.omero.tool_support import CuttingProxy, Lab


def key_is_open(lab: Lab, key: str) -> bool:
    client = omero.client(host=lab.host, port=lab.port)
    try:
        client.joinSession(key).detachOnDestroy()
    except Exception:
        return False
    finally:
        client.closeSession()
    return True


def test_an_opened_session_works_in_the_default_group_and_is_closed(lab: Lab):
    with open_session(lab.address) as session:
        assert (session.user_name, session.group_name) == (lab.user, lab.group)
        key = session.client.getSessionId()
    assert not key_is_open(lab, key)


def test_it_is_closed_after_an_error_too(lab: Lab):
    keys = []

    def work() -> None:
        with open_session(lab.address) as session:
            keys.append(session.client.getSessionId())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert not key_is_open(lab, keys[0])


def test_a_session_given_by_key_wins_and_stays_open(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    key = lab.client.getSessionId()
    monkeypatch.setenv("OMERO_SESSION_KEY", key)
    monkeypatch.setenv("OMERO_PASSWORD", "wrong")
    for _ in range(2):
        with open_session(lab.address) as session:
            assert session.user_name == lab.user
    assert key_is_open(lab, key)
    assert lab.rows("select count(p) from Project p") == [[0]]


def test_it_works_over_plain_tcp(lab: Lab, omero_server):
    with open_session(f"tcp://{lab.host}:{omero_server.tcp_port}") as session:
        assert session.user_name == lab.user


class RecordingProxy(CuttingProxy):
    """Keeps what clients send."""

    def __init__(self, host: str, port: int) -> None:
        self.heard = bytearray()
        super().__init__(host, port)

    def passing(self, data: bytes, from_client: bool) -> None:
        if from_client:
            self.heard += data


@pytest.mark.parametrize("protocol", ["ws", "wss"])
def test_it_works_over_websockets_and_over_nothing_else(lab: Lab, omero_server, protocol):
    """The proxy stands for a firewall that lets one port through; through it go login, calls, services and a delete."""

    way = RecordingProxy(lab.host, getattr(omero_server, f"{protocol}_port"))
    dataset = lab.container("Dataset", "d")
    try:
        with open_session(f"{protocol}://{way.address}/omero-{protocol}") as session:
            assert session.user_name == lab.user
            assert session.rows("select d.id from Dataset d") == [[dataset]]
            store = session.client.getSession().createRawFileStore()
            assert store.getFileId() is None
            for service in (session.query, store):
                # To open a connection for a proxy would hold Python back, and so the proxy of this test.
                connection = service.ice_getCachedConnection().getInfo()
                assert type(connection).__name__ == {"ws": "WSConnectionInfo", "wss": "WSSConnectionInfo"}[protocol]
                assert f"{connection.remotePort}" == way.address.partition(":")[2]
            store.close()
            session.delete({"Dataset": [dataset]})
            assert session.rows("select count(d) from Dataset d") == [[0]]
    finally:
        way.cut()
    request = bytes(way.heard).startswith(f"GET /omero-{protocol} HTTP/1.1".encode())
    assert request == (protocol == "ws")  # wss is encrypted from the first byte
    assert lab.password.encode() not in way.heard or protocol == "ws"


def test_a_session_stays_alive_while_a_tool_is_busy_elsewhere(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    """With an idle time of four seconds in the place of OMERO's ten minutes."""
    monkeypatch.setattr(watchdog, "ASK_SECONDS", 1)
    with open_session(lab.address) as session:
        shorten(lab, session.client.getSessionId(), seconds=4)
        time.sleep(8)
        assert session.rows("select count(p) from Project p") == [[0]]
    monkeypatch.setattr(watchdog, "ASK_SECONDS", 3600)

    def work() -> None:
        with open_session(lab.address) as session:
            shorten(lab, session.client.getSessionId(), seconds=1)
            time.sleep(2)
            session.rows("select count(p) from Project p")

    with pytest.raises(UserError, match="the session ended while the tool was at work"):
        work()


def shorten(lab: Lab, key: str, seconds: int) -> None:
    """As the server's administrator might do: let the session end after so many idle seconds."""
    request = omero.cmd.UpdateSessionTimeoutRequest(session=key, timeToIdle=omero.rtypes.rlong(1000 * seconds))
    handle = lab.root.getSession().submit(request)
    while handle.getResponse() is None:
        time.sleep(0.05)
    assert not isinstance(handle.getResponse(), omero.cmd.ERR)
    handle.close()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"OMERO_PASSWORD": "wrong-secret"}, "wrong password, or no user"),
        ({"OMERO_USER": "nobody-at-all"}, "wrong password, or no user 'nobody-at-all'"),
        (
            {"OMERO_SESSION_KEY": "00000000-dead-beef-0000-000000000000"},
            "the session key was not accepted. It has expired",
        ),
        ({"OMERO_PASSWORD": ""}, "a user name without a password given"),
        ({"OMERO_USER": ""}, "a password without a user name given"),
        ({"OMERO_USER": "", "OMERO_PASSWORD": ""}, "OMERO credentials: none given"),
    ],
)
def test_refused_credentials_are_named_but_never_shown(lab: Lab, monkeypatch, environment, message):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=message) as error, open_session(lab.address):
        pass
    assert "wrong-secret" not in str(error.value)
    assert "dead-beef" not in str(error.value)
    assert lab.password not in str(error.value)


@pytest.mark.usefixtures("lab")
def test_an_unknown_host_and_a_closed_port_are_told_apart(free_port: int):
    with pytest.raises(UserError, match=r"no-such-host.invalid: unknown host"), open_session("no-such-host.invalid"):
        pass
    with (
        pytest.raises(UserError, match=rf"127.0.0.1:{free_port}: cannot connect"),
        open_session(f"127.0.0.1:{free_port}"),
    ):
        pass


@pytest.mark.usefixtures("lab")
def test_another_server_is_not_taken_for_omero():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"220 mail.example.org ESMTP\r\n")

        threading.Thread(target=greet, daemon=True).start()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(UserError, match="something else than OMERO answers there"), open_session(address):
            pass


def test_the_group_is_chosen_by_name_or_id_for_every_service(lab: Lab):
    dataset = lab.container("Dataset", "mine")
    [[group_id]] = lab.rows(f"select g.id from ExperimenterGroup g where g.name = '{lab.group}'")
    for group in (lab.group, str(group_id)):
        with open_session(lab.address, group) as session:
            assert session.group_id == group_id
            assert session.rows("select d.id from Dataset d") == [[dataset]]


def test_unknown_and_foreign_groups_are_refused_with_those_one_has(lab: Lab):
    with (
        pytest.raises(UserError, match="there is none of this name or id") as error,
        open_session(lab.address, "nowhere"),
    ):
        pass
    assert lab.group in str(error.value)
    with pytest.raises(UserError, match="is not a member"), open_session(lab.address, "system"):
        pass


def test_a_broken_connection_is_a_clear_error(proxy: CuttingProxy):
    def work() -> None:
        with open_session(proxy.address) as session:
            proxy.cut()
            session.rows("select p.id from Project p")

    with pytest.raises(UserError, match="the connection broke while the tool was at work"):
        work()


def test_a_session_that_ends_is_a_clear_error(lab: Lab):
    def work() -> None:
        with open_session(lab.address) as session:
            lab.client.closeSession()
            killer = omero.client(host=lab.host, port=lab.port)
            killer.joinSession(session.client.getSessionId())
            killer.killSession()
            session.rows("select p.id from Project p")

    with pytest.raises(UserError, match=r"the session ended|the connection broke"):
        work()


def test_credentials_never_show_in_a_repr():
    credentials = read_credentials({"OMERO_USER": "me", "OMERO_PASSWORD": "pw-1234"})
    assert "pw-1234" not in repr(credentials)
    assert "pw-1234" not in str(credentials)


def test_addresses_are_parsed_before_anything_is_contacted():
    with pytest.raises(UserError, match="not an address"):
        parse_address("http//what is this")
