"""What must not bring the server down, and what must not be lost."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import Ice
import omero
import omero.clients
import pytest
from omero.rtypes import rint, rlist, rlong, rstring

from sandbox.omero.launch import running_server
from tests.omero.lab import connect

ANSWERS = (omero.ServerError, Ice.ObjectNotExistException, Ice.UserException)
SECONDS = 10  # far above what any call takes, far below what a test may wait for a hang


def call(proxy, name, arguments):
    """Call an operation; True when it answered properly (values of the wrong type may not even leave the client)."""
    started = time.monotonic()
    try:
        getattr(proxy.ice_invocationTimeout(SECONDS * 1000), name)(*arguments)
    except ANSWERS:
        pass
    except (
        ValueError,
        TypeError,
        AttributeError,
        Ice.MarshalException,
        OverflowError,
        UnicodeError,
        Ice.UnknownException,
    ):
        # The client's own marshalling.
        pass
    assert time.monotonic() - started < SECONDS, f"{name}{arguments} hung"


@pytest.fixture
def client(lab):
    made = omero.client(lab.server.host, lab.server.port)
    made.createSession(lab.user(lab.group()), lab.password)
    yield made
    made.closeSession()


@pytest.mark.parametrize(
    "thing",
    [
        lambda: omero.model.ImageI(10**12, True),
        lambda: omero.model.ImageAnnotationLinkI(),
        lambda: omero.model.PixelsTypeI(),
        lambda: omero.model.EventI(),
        lambda: omero.model.ChannelI(5, False),
    ],
)
def test_odd_objects_are_refused_or_saved(gateway, thing):
    call(gateway.c.sf.getUpdateService(), "saveAndReturnObject", [thing()])
    assert gateway.getEventContext().userName


def test_circular_graph_is_saved(gateway):
    project, dataset = omero.model.ProjectI(), omero.model.DatasetI()
    project.name, dataset.name = rstring("p"), rstring("d")
    project.linkDataset(dataset)
    saved = gateway.getUpdateService().saveAndReturnObject(dataset)
    assert saved.linkedProjectList()[0].name.val == "p"


def test_closed_service_and_handle(client):
    store = client.getSession().createRawFileStore()
    store.close()
    with pytest.raises(Ice.ObjectNotExistException):
        store.size()
    handle = client.getSession().submit(omero.cmd.Delete2(targetObjects={"Image": [10**9]}))
    handle.close()
    with pytest.raises(Ice.ObjectNotExistException):
        handle.getStatus()
    assert isinstance(
        client.submit(omero.cmd.Delete2(targetObjects={}), failonerror=False).getResponse(), omero.cmd.Response
    )


def test_extreme_queries(client):
    parameters = omero.sys.ParametersI()
    query, text = client.getSession().getQueryService(), "select i from Image i where i.id in (:ids) and i.id < :x"
    parameters.map = {"ids": rlist([rlong(i) for i in range(1000)]), "x": rlong(2**62)}
    assert query.findAllByQuery(text, parameters) == []
    parameters.map["ids"] = rlist([rint(i) for i in range(1000)])  # Hibernate takes no ints for ids
    with pytest.raises(omero.ServerError, match="Integer cannot be cast"):
        query.findAllByQuery(text, parameters)
    deep = "not (" * 3000 + "i.id = 1" + ")" * 3000
    for condition in (deep, "i.id = " + "9" * 400, "i.name = '\0'", "i.id in (" + "1," * 70_000 + "1)"):
        call(query, "findAllByQuery", [f"select i from Image i where {condition}", None])


def test_random_bytes_on_both_ports(omero_server, client):
    generator = random.Random(7)
    for port in (omero_server.port, omero_server.tcp_port):
        for size in (1, 14, 100, 5000):
            with socket.create_connection((omero_server.host, port), timeout=5) as connection:
                connection.sendall(generator.randbytes(size))
        with socket.create_connection((omero_server.host, port), timeout=5) as connection:
            # An Ice header that announces two gigabytes.
            connection.sendall(b"IceP\x01\x00\x01\x00\x00\x00" + (2**31 - 1).to_bytes(4, "little") + b"x" * 100)
    assert client.getSession().getConfigService().getVersion()


def test_fifty_clients_at_once(lab):
    user, failures, names = lab.user(lab.group()), [], []

    def work(number: int) -> None:
        try:
            client = omero.client(lab.server.host, lab.server.port)
            session = client.createSession(user, lab.password)
            made = omero.model.DatasetI()
            made.name = rstring(f"d{number}")
            session.getUpdateService().saveObject(made)
            names.append(len(session.getQueryService().findAllByQuery("from Dataset", None)))
            client.closeSession()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert max(names) <= 50
    rows = lab.connect(user).getQueryService().projection("select count(distinct d.name) from Dataset d", None)
    assert rows[0][0].val == 50


WRITER = """
import sys, omero, omero.clients
from omero.rtypes import rstring
client = omero.client(sys.argv[1], int(sys.argv[2]))
update = client.createSession("root", sys.argv[3]).getUpdateService()
n = 0
while True:
    project = omero.model.ProjectI(); project.name = rstring(f"p{n}")
    for i in range(5):
        dataset = omero.model.DatasetI(); dataset.name = rstring(f"p{n}-{i}"); project.linkDataset(dataset)
    update.saveObject(project)
    print(n, flush=True)
    n += 1
"""


def test_kill_9_loses_nothing_confirmed_and_leaves_nothing_half_made(tmp_path):
    with running_server(tmp_path) as server:
        arguments = [sys.executable, "-c", WRITER, server.host, str(server.port), server.root_password]
        writer = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        confirmed = [int(writer.stdout.readline()) for _ in range(20)]
        os.kill(server.pid, signal.SIGKILL)
        confirmed += [int(line) for line in writer.stdout.read().split()]
        writer.kill()
        writer.wait()
    with running_server(tmp_path) as server:
        gateway = connect(server, "root", server.root_password)
        rows = gateway.getQueryService().projection("select p.name, size(p.datasetLinks) from Project p", None)
        found = {name.val: size.val for name, size in rows}
        loose = gateway.getQueryService().projection(
            "select count(d) from Dataset d where d.projectLinks is empty", None
        )
        gateway.close()
    assert {f"p{n}" for n in confirmed} <= set(found)
    assert set(found.values()) == {5}
    assert loose[0][0].val == 0


TABLE_WRITER = """
import sys, omero, omero.clients, omero.grid
client = omero.client(sys.argv[1], int(sys.argv[2]))
table = client.createSession("root", sys.argv[3]).sharedResources().newTable(0, "crash.h5")
def columns(values):
    texts = [f"x{v}" for v in values]
    return [omero.grid.LongColumn("n", "", values), omero.grid.StringColumn("s", "", 9, texts)]
table.initialize(columns([]))
print(table.getOriginalFile().id.val, flush=True)
n = 0
while True:
    table.addData(columns(list(range(n * 1000, (n + 1) * 1000))))
    n += 1
    print(n, flush=True)
"""


def test_kill_9_during_table_writes_loses_no_row_that_was_confirmed(tmp_path):
    with running_server(tmp_path) as server:
        arguments = [sys.executable, "-c", TABLE_WRITER, server.host, str(server.port), server.root_password]
        writer = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        file_id, *confirmed = (int(writer.stdout.readline()) for _ in range(8))
        os.kill(server.pid, signal.SIGKILL)
        confirmed += [int(line) for line in writer.stdout.read().split()]
        writer.kill()
        writer.wait()
    with running_server(tmp_path) as server:
        gateway = connect(server, "root", server.root_password)
        table = gateway.c.sf.sharedResources().openTable(omero.model.OriginalFileI(file_id, False))
        rows = table.getNumberOfRows()
        numbers, texts = (column.values for column in table.read([0, 1], 0, rows).columns)
        assert rows >= confirmed[-1] * 1000
        assert rows % 1000 == 0
        assert numbers == list(range(rows))
        assert texts == [f"x{n}" for n in numbers]
        table.addData([omero.grid.LongColumn("n", "", [-1]), omero.grid.StringColumn("s", "", 9, ["after"])])
        assert table.getWhereList('s == "after"', None, 0, rows + 1, 1) == [rows]
        gateway.close()


def test_restart_keeps_everything_and_sigterm_is_clean(tmp_path):
    with running_server(tmp_path, root_password="unlikely-5ecret") as server:
        gateway = connect(server, "root", "unlikely-5ecret")
        made = omero.model.MapAnnotationI()
        made.setMapValue([omero.model.NamedValue("a", "1")])
        made = gateway.getUpdateService().saveAndReturnObject(made)
        endpoint = json.loads((tmp_path / "endpoint.json").read_text())
        assert (endpoint["port"], endpoint["pid"]) == (server.port, server.pid)
        again = subprocess.run(
            [sys.executable, "-m", "sandbox.omero", "--data", str(tmp_path), "--port", "0"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert again.returncode == 1
        assert "another OMERO sandbox" in again.stderr
        gateway.close()
    assert not (tmp_path / "endpoint.json").exists()
    with running_server(tmp_path, root_password="ignored") as server:
        gateway = connect(server, "root", "unlikely-5ecret")
        assert gateway.getObject("Annotation", made.id.val).getValue() == [("a", "1")]
        gateway.close()
    assert oct((tmp_path / "server.key").stat().st_mode & 0o777) == "0o600"
    stored = (tmp_path / "omero.sqlite").read_bytes()
    assert b"scrypt$" in stored
    assert b"unlikely-5ecret" not in stored


def test_server_ends_with_its_parent(tmp_path):
    code = (
        "from sandbox.omero.launch import running_server\n"
        f"with running_server({str(tmp_path)!r}) as server:\n"
        "    print(server.pid, flush=True)\n"
        "    input()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and Path(f"/proc/{pid}").exists():
        time.sleep(0.2)
    assert not Path(f"/proc/{pid}").exists()


def test_coming_and_going_leaves_nothing_behind(tmp_path):
    """On a server of its own: what other tests made a shared one hold moves its memory by more than the bound."""

    def come_and_go() -> None:
        client = omero.client(server.host, server.port)
        session = client.createSession("root", server.root_password)
        session.createRawFileStore()
        session.createSearchService()
        client.closeSession()

    def size() -> tuple[int, int]:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{server.pid}/status").read_text().splitlines())
        return int(status["VmRSS"].split()[0]), len(list(Path(f"/proc/{server.pid}/fd").iterdir()))

    with running_server(tmp_path) as server:
        for _ in range(40):
            come_and_go()
        memory, files = size()
        for _ in range(60):
            come_and_go()
        more_memory, more_files = size()
    assert more_files <= files + 10
    assert more_memory <= memory + 20_000  # kB
