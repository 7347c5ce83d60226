"""When sessions of the OMERO sandbox end, and how passwords are kept. No clock runs: its readings are moved."""

import contextlib

import omero.clients  # noqa: F401 (before sandbox modules that record the model would import it)
import pytest

from sandbox.omero.database.seed import seed
from sandbox.omero.database.transactions import Database
from sandbox.omero.database.users import check_password, hash_password, password_matches, set_password
from sandbox.omero.server import sessions
from sandbox.omero.server.sessions import Sessions


class Open:
    """A stateful service that remembers that it was closed."""

    interface = "omero.api.RawFileStore"

    def __init__(self):
        self.name, self.client, self.closed = "", "", 0
        self.lock = contextlib.nullcontext()

    def released(self):
        self.closed += 1


@pytest.fixture
def database(tmp_path):
    made = Database(tmp_path / "omero.sqlite")
    made.create_tables()
    with made.write() as tx:
        seed(tx, "root")
    yield made
    made.close()


@pytest.fixture
def opened(database):
    return Sessions(database)


def later(session, seconds):
    """Let time pass for a session."""
    session.last_used -= seconds
    session.born -= seconds


def closed_rows(database):
    with database.read() as tx:
        return [row["closed"] for row in tx.find("Session")]


def test_an_idle_session_ends(opened, database):
    session = opened.create(0, 0, 1, time_to_idle=5000)
    later(session, 4)
    assert opened.find(session.uuid) is session
    later(session, 2)
    assert opened.find(session.uuid) is None
    assert all(closed_rows(database))


def test_use_keeps_a_session_alive_but_looking_does_not(opened):
    session = opened.create(0, 0, 1, time_to_idle=5000)
    for _ in range(3):
        later(session, 4)
        assert opened.use(session.uuid) is session
    later(session, 4)
    assert opened.find(session.uuid) is session
    later(session, 4)
    assert opened.find(session.uuid) is None


def test_a_life_has_an_end_even_when_used(opened):
    session = opened.create(0, 0, 1, time_to_idle=5000, time_to_live=9000)
    for _ in range(2):
        later(session, 4)
        assert opened.use(session.uuid) is session
    later(session, 4)
    assert opened.use(session.uuid) is None


def test_nought_is_for_ever(opened):
    session = opened.create(0, 0, 1, time_to_idle=0, time_to_live=0)
    later(session, 10**9)
    assert opened.use(session.uuid) is session


def test_the_sweep_closes_what_timed_out_with_its_services(opened, database):
    old, young = (opened.create(0, 0, 1, time_to_idle=5000) for _ in range(2))
    services = Open(), Open()
    for session, service in zip((old, young), services, strict=True):
        session.add("service", service, servant=service)
    later(old, 6)
    opened.sweep()
    assert opened.all() == [young]
    assert [service.closed for service in services] == [1, 0]
    assert sorted(map(bool, closed_rows(database))) == [False, True]


def test_a_session_outlives_all_clients_but_the_last(opened):
    session = opened.create(0, 0, 1)
    session.clients |= {"a", "b"}
    opened.leave(session, "a")
    assert opened.find(session.uuid) is session
    opened.leave(session, "b")
    assert opened.find(session.uuid) is None


def test_a_client_takes_only_its_own_services_along(opened):
    session = opened.create(0, 0, 1)
    session.clients |= {"a", "b"}
    services = {client: Open() for client in session.clients}
    for client, service in services.items():
        service.client = client
        session.add(client, service, servant=service)
    opened.leave(session, "a")
    assert {client: service.closed for client, service in services.items()} == {"a": 1, "b": 0}


def test_a_service_that_cannot_be_closed_keeps_nothing_else_open(opened, database):
    session = opened.create(0, 0, 1)
    session.clients.add("a")
    broken, sound = Open(), Open()
    broken.released = lambda: 1 / 0
    for name, service in (("broken", broken), ("sound", sound)):
        service.client = "a"
        session.add(name, service, servant=service)
    opened.leave(session, "a")
    assert (opened.all(), sound.closed) == ([], 1)
    assert all(closed_rows(database))


def test_sessions_of_an_earlier_life_are_closed(opened, database):
    opened.create(0, 0, 1)
    assert closed_rows(database) == [None]
    Sessions(database)
    assert all(closed_rows(database))


def test_passwords_are_hashed_with_a_salt_of_their_own(database):
    first, second = hash_password("s3cret"), hash_password("s3cret")
    assert first.startswith("scrypt$")
    assert "s3cret" not in first
    assert first != second
    assert password_matches("s3cret", first)
    assert not password_matches("S3cret", first)
    with database.write() as tx:
        set_password(tx, 0, "one")
        set_password(tx, 0, "two")
    with database.read() as tx:
        assert check_password(tx, 0, "two")
        assert not check_password(tx, 0, "one")
        assert not check_password(tx, 1, "")


def test_the_idle_time_of_omero(opened):
    assert opened.create(0, 0, 1).time_to_idle == sessions.TIME_TO_IDLE == 600_000
