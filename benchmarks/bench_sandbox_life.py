"""Measure the OMERO sandbox under load: a day of sessions, fifty clients at once, nonsense to all operations.

`python -m benchmarks.bench_sandbox_life` prints the figures; `make bench` collects `records()`. A day of sessions is
one each minute; each leaves two services open. Memory and open files of the server are compared before and after,
without the first hundred sessions. The nonsense is that of test_nonsense.py, sent by an administrator;
each answer must come within a second. There is no OMERO.server here to compare with.
"""

from __future__ import annotations

import functools
import json
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import OWN_GOAL, Record, figure, resident_mib

SESSIONS, BEFORE, AT_ONCE = 1440, 100, 50


def session(server: Any) -> None:
    """Log in, open two services, and leave without closing them."""
    import omero.clients

    client = omero.clients.BaseClient(host=server.host, port=server.port)
    opened = client.createSession("root", server.root_password)
    opened.createRawFileStore()
    opened.createSearchService()
    client.closeSession()


def open_files(pid: int) -> int:
    """Return the number of files and connections that a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def bench_day(server: Any) -> list[Record]:
    """Open a day's sessions one after another; measure memory and open files of the server."""
    for _ in range(BEFORE):
        session(server)
    memory, files, start = resident_mib(server.pid), open_files(server.pid), time.perf_counter()
    for _ in range(SESSIONS):
        session(server)
    seconds = time.perf_counter() - start
    name = f"sandbox: {SESSIONS} sessions one after another"
    return [
        figure(f"{name}: memory more than before", resident_mib(server.pid) - memory, "MiB", "<= 20", OWN_GOAL),
        figure(f"{name}: open files more than before", open_files(server.pid) - files, "", "<= 10", OWN_GOAL),
        figure(f"{name}: each", seconds / SESSIONS * 1e3, "ms"),
    ]


def bench_at_once(server: Any) -> list[Record]:
    """Log in with fifty clients at the same time."""
    threads = [threading.Thread(target=session, args=(server,)) for _ in range(AT_ONCE)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [figure(f"sandbox: {AT_ONCE} clients log in and leave at once", time.perf_counter() - start, "s")]


def bench_nonsense(server: Any) -> list[Record]:
    """Call every operation of every service with nonsense, as an administrator."""
    import omero.clients

    from tests.omero import every_service
    from tests.omero.nonsense import Nonsense
    from tests.omero.slice_signatures import INTERFACES, signatures

    client = omero.clients.BaseClient(host=server.host, port=server.port)
    client.createSession("root", server.root_password)
    person, times = every_service.Person(server, client), []
    with person.stack:
        nonsense = Nonsense(person.client)
        for interface in sorted(set(INTERFACES) - every_service.NOT_MADE):
            proxy = every_service.proxy_of(interface, person.client)
            for operation in sorted(signatures().operations[interface]):
                for arguments in nonsense.calls(interface, operation, random.Random(operation)):
                    call = functools.partial(every_service.method(proxy, operation), *arguments)
                    start = time.perf_counter()
                    answer = every_service.what_is_wrong(interface, call)
                    times.append(time.perf_counter() - start)
                    if answer == "gone":  # closed by this nonsense
                        person.come_back()
                        proxy = every_service.proxy_of(interface, person.client)
    client.closeSession()
    places = [figure(f"sandbox: calls of nonsense to {len(INTERFACES)} interfaces", len(times), "")]
    return [*places, figure("sandbox: slowest answer to calls of nonsense", max(times), "s", "<= 1", OWN_GOAL)]


def records() -> list[Record]:
    """Start a sandbox, measure, and return the figures."""
    from sandbox.omero.launch import running_server

    with tempfile.TemporaryDirectory() as scratch, running_server(Path(scratch)) as server:
        return [*bench_day(server), *bench_at_once(server), *bench_nonsense(server)]


if __name__ == "__main__":
    print(json.dumps(records(), indent=1))
