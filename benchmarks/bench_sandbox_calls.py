"""Measure calls per second to the OMERO sandbox with 1, 8 and 24 clients, and its memory at rest and afterwards.

`python -m benchmarks.bench_sandbox_calls` prints the figures; `make bench` collects `records()`. Each client has its
own session and connection (TLS, the default of omero-py) and calls again as soon as it has the answer. The clients are
threads of one process on the same machine and share its cores with the server, so that figures with many clients
describe both together. There is no OMERO.server here to compare with.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Record, figure, processor_seconds, resident_mib

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 4.0
CLIENTS = (1, 8, 24)


def image_in(client: Any) -> int:
    """Return the id of a new image with two channels."""
    import omero

    kind = omero.model.PixelsTypeI()
    kind.value = omero.rtypes.rstring("uint16")
    return int(client.sf.getPixelsService().createImage(512, 512, 1, 1, [0, 1], kind, "calls", "").val)


def nothing(client: Any, _image: int) -> Callable[[], object]:
    """Return a call that reads no data: it measures the protocol and the dispatch only."""
    call: Callable[[], object] = client.sf.getConfigService().getVersion
    return call


def one_object(client: Any, image: int) -> Callable[[], object]:
    """Return a call that loads an image by its id."""
    query = client.sf.getQueryService()
    return lambda: query.get("Image", image)


def a_query(client: Any, image: int) -> Callable[[], object]:
    """Return a call that loads an image with pixels and channels by HQL, as BlitzGateway does."""
    import omero

    query, parameters = client.sf.getQueryService(), omero.sys.ParametersI().addId(image)
    text = (
        "select i from Image i join fetch i.pixels p join fetch p.pixelsType join fetch p.channels c "
        "join fetch c.logicalChannel where i.id = :id"
    )
    return lambda: query.findByQuery(text, parameters)


def a_write(client: Any, image: int) -> Callable[[], object]:
    """Return a call that links a new tag to the image; the tag is on the disk when the call returns."""
    import omero

    update = client.sf.getUpdateService()

    def write() -> object:
        link = omero.model.ImageAnnotationLinkI()
        link.parent, link.child = omero.model.ImageI(image, False), omero.model.TagAnnotationI()
        link.child.textValue = omero.rtypes.rstring("calls")
        return update.saveAndReturnObject(link)

    return write


KINDS = {"without data": nothing, "load an object": one_object, "load a graph by HQL": a_query, "write": a_write}


def calls_a_second(clients: list[Any], make: Callable[[Any, int], Callable[[], object]], image: int) -> tuple[Any, ...]:
    """Let all clients call for SECONDS.

    Returns:
        Calls per second of all clients together, and the 99th percentile of the time of a call in ms.
    """
    times: list[float] = []
    start = threading.Barrier(len(clients) + 1)
    failures: list[Exception] = []

    def work(client: Any) -> None:
        call, mine = make(client, image), []
        start.wait()
        end = time.perf_counter() + SECONDS
        try:
            while (before := time.perf_counter()) < end:
                call()
                mine.append(time.perf_counter() - before)
        except Exception as error:  # raised below: an exception in a thread ends only the thread
            failures.append(error)
        times.extend(mine)

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return len(times) / (time.perf_counter() - began), statistics.quantiles(times, n=100)[-1] * 1e3


def records() -> list[Record]:
    """Start a sandbox, measure, and return the figures."""
    from sandbox.omero.launch import running_server

    found = []
    with tempfile.TemporaryDirectory() as scratch, running_server(Path(scratch)) as server:
        import omero.clients

        found.append(figure("sandbox: memory at rest", resident_mib(server.pid), "MiB"))
        clients = []
        try:
            for _ in range(max(CLIENTS)):
                clients.append(omero.clients.BaseClient(host=server.host, port=server.port))
                clients[-1].createSession("root", server.root_password)
            image = image_in(clients[0])
            for name, make in KINDS.items():
                for count in CLIENTS:
                    before = processor_seconds(server.pid)
                    rate, slowest = calls_a_second(clients[:count], make, image)
                    taken = (processor_seconds(server.pid) - before) / (rate * SECONDS)
                    place = f"sandbox: {name}, {count} client{'s' if count > 1 else ''}"
                    found.append(figure(place, rate, "calls/s"))
                    found.append(figure(f"{place}, 99 % within", slowest, "ms"))
                    found.append(figure(f"{place}, processor time of the server for each", taken * 1e3, "ms"))
        finally:
            for client in clients:
                client.closeSession()
        found.append(figure("sandbox: memory after these calls", resident_mib(server.pid), "MiB"))
    return found


if __name__ == "__main__":
    print(json.dumps(records(), indent=1))
