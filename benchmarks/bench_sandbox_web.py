"""Measure OMERO.web on the sandbox: its tree of a large dataset, the grid of a large plate, thumbnails.

`python -m benchmarks.bench_sandbox_web` prints the figures; `make bench` collects `records()`. One dataset has 5,000
images, one plate 1,536 wells with an image each (16 x 16 pixels). Times are those of whole answers over HTTP to a
client on the same machine, after one that fills the caches: medians of REPEATS. Thumbnails (96 pixels) are asked for by
six connections at once, as a browser does, each image once. Their rate depends on what else runs on the machine, so
the processor time of a thumbnail is given beside it: 40 ms make 50 a second on two cores. The goals are the project's
own. OMERO, OMERO.web and the client share the machine; there is no OMERO.server here to compare with.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import OWN_GOAL, Record, figure, processor_seconds, resident_mib

if TYPE_CHECKING:
    import requests

IMAGES, ROWS, COLUMNS, REPEATS = 5_000, 32, 48, 3
THUMBNAILS, CONNECTIONS = 300, 6
SIDE = 16


def fill(client: Any) -> tuple[int, int, list[int]]:
    """Save the dataset with its images and the plate with its wells; return their ids, and those of some images."""
    import omero
    from omero.rtypes import rint, rstring

    update, query = client.sf.getUpdateService(), client.sf.getQueryService()
    enums = [query.findByString(kind, "value", value) for kind, value in
             (("PixelsType", "uint8"), ("DimensionOrder", "XYZCT"))]  # fmt: skip
    dataset, plate = omero.model.DatasetI(), omero.model.PlateI()
    dataset.name, plate.name = rstring("large"), rstring("1536 wells")
    dataset_id, plate_id = (update.saveAndReturnObject(one).id.val for one in (dataset, plate))

    def new_image(name: str) -> Any:
        image, pixels = omero.model.ImageI(), omero.model.PixelsI()
        image.name = rstring(name)
        pixels.sizeX = pixels.sizeY = rint(SIDE)
        pixels.sizeZ = pixels.sizeC = pixels.sizeT = rint(1)
        pixels.pixelsType, pixels.dimensionOrder, pixels.sha1 = *enums, rstring("none")
        channel = omero.model.ChannelI()
        channel.logicalChannel = omero.model.LogicalChannelI()
        pixels.addChannel(channel)
        image.addPixels(pixels)
        return image

    images: list[int] = []
    for first in range(0, IMAGES, 500):
        batch = [new_image(f"image {number}.tif") for number in range(first, first + 500)]
        for image in batch:
            image.linkDataset(omero.model.DatasetI(dataset_id, False))
        images += update.saveAndReturnIds(batch)
    for row in range(ROWS):
        wells = []
        for column in range(COLUMNS):
            well, sample = omero.model.WellI(), omero.model.WellSampleI()
            well.row, well.column, well.plate = rint(row), rint(column), omero.model.PlateI(plate_id, False)
            sample.image = new_image(f"{row} {column}")
            well.addWellSample(sample)
            wells.append(well)
        update.saveArray(wells)
    write_pixels(client, images[:THUMBNAILS])
    return dataset_id, plate_id, images[:THUMBNAILS]


def write_pixels(client: Any, images: list[int]) -> None:
    """Give images a gradient."""
    import omero

    hql = "select p.id from Pixels p where p.image.id in (:ids)"
    found = client.sf.getQueryService().projection(hql, omero.sys.ParametersI().addIds(images))
    store = client.sf.createRawPixelsStore()
    for [number] in found:
        store.setPixelsId(number.val, False)
        store.setPlane(bytes(range(SIDE * SIDE)), 0, 0, 0)
        store.save()
    store.close()


def log_in(url: str, password: str) -> requests.Session:
    """Return a session of OMERO.web for root."""
    import requests

    session = requests.Session()
    session.get(f"{url}/webclient/login/", timeout=60)
    headers = {"Referer": url, "X-CSRFToken": str(session.cookies["csrftoken"])}
    form = {"username": "root", "password": password, "server": "1"}
    session.post(f"{url}/webclient/login/", data=form, headers=headers, timeout=60).raise_for_status()
    return session


def measured(session: requests.Session, name: str, address: str, count: int) -> list[Record]:
    """Measure the answer of an address that lists `count` things."""

    def ask() -> float:
        start = time.perf_counter()
        answer = session.get(address, timeout=300)
        seconds = time.perf_counter() - start
        answer.raise_for_status()
        if answer.text.count('"id"') < count:
            raise RuntimeError(f"{address}: {answer.text.count(chr(34) + 'id' + chr(34))} of {count} are listed")
        return seconds

    ask()
    return [figure(name, statistics.median(ask() for _ in range(REPEATS)), "s", "<= 2", OWN_GOAL)]


def thumbnails(session: requests.Session, url: str, images: list[int]) -> float:
    """Return how many thumbnails come in a second."""
    own = threading.local()

    def fetch(image: int) -> None:
        if not hasattr(own, "session"):
            import requests

            own.session = requests.Session()
            own.session.cookies.update(session.cookies)
        answer = own.session.get(f"{url}/webclient/render_thumbnail/size/96/{image}/", timeout=60)
        answer.raise_for_status()
        if not answer.content.startswith(b"\xff\xd8"):
            raise RuntimeError(f"image {image}: its thumbnail is no JPEG")

    fetch(images[0])
    start = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(fetch, images))
    return len(images) / (time.perf_counter() - start)


def with_children(pid: int) -> list[int]:
    """Return a process and its children: gunicorn's master has a worker."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def measured_thumbnails(session: requests.Session, url: str, images: list[int], servers: list[int]) -> list[Record]:
    """Measure rate and processor time of thumbnails."""
    before = sum(map(processor_seconds, servers))
    rate = thumbnails(session, url, images)
    spent = (sum(map(processor_seconds, servers)) - before) / len(images)
    return [
        figure("OMERO.web: thumbnails, 6 connections", rate, "1/s", ">= 50", OWN_GOAL),
        figure("OMERO.web: processor time of a thumbnail, both servers", spent * 1e3, "ms", "<= 40", OWN_GOAL),
    ]


def records() -> list[Record]:
    """Start OMERO and OMERO.web, measure, and return the figures."""
    import omero.clients

    from sandbox import process
    from sandbox.omero.launch import running_server
    from sandbox.omero_web import server as omero_web

    with tempfile.TemporaryDirectory() as scratch, running_server(Path(scratch) / "omero") as server:
        client = omero.clients.BaseClient(host=server.host, port=server.port)
        client.createSession("root", server.root_password)
        dataset, plate, images = fill(client)
        client.closeSession()
        web = omero_web.start(Path(scratch) / "web", (server.host, server.port))
        try:
            omero_web.wait(web, Path(scratch) / "web")
            session = log_in(web.url, server.root_password)
            tree = f"{web.url}/webclient/api/images/?id={dataset}&page=0&group=0&experimenter_id=-1"
            grid = f"{web.url}/webgateway/plate/{plate}/0/"
            return [
                *measured(session, f"OMERO.web: tree of a dataset of {IMAGES} images", tree, IMAGES),
                *measured(session, f"OMERO.web: grid of a plate of {ROWS * COLUMNS} wells", grid, ROWS * COLUMNS),
                *measured_thumbnails(session, web.url, images, [server.pid, *with_children(web.processes[0].pid)]),
                figure("OMERO.web: memory of the OMERO sandbox then", resident_mib(server.pid), "MiB"),
            ]  # fmt: skip
        finally:
            process.stop(web.processes)


if __name__ == "__main__":
    print(json.dumps(records(), indent=1))
