"""Measure listing and searching 20,000 images in the OMERO sandbox with the calls of BlitzGateway and with HQL.

`python -m benchmarks.bench_sandbox_listing` prints the figures; `make bench` collects `records()`. There are four
datasets of 5,000 images, each image with pixels and two channels; every tenth image has a tag. Times are those of a
client on the same machine over TLS, with the construction of its Python objects: medians of REPEATS. The goals are the
project's own: 100 ms for a page, 2 s for a dataset of 5,000 images. Processor time is reported too, because it depends
less than wall time on what else the machine does. There is no OMERO.server here to compare with.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import OWN_GOAL, Record, figure, processor_seconds, resident_mib

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGES, DATASETS, AT_ONCE, REPEATS = 20_000, 4, 500, 7


def new_image(number: int, dataset: int, tag: int, enums: dict[str, Any]) -> Any:
    """Return an unsaved image with pixels and two channels, linked to a dataset, every tenth to a tag."""
    import omero
    from omero.rtypes import rint, rstring

    image, pixels = omero.model.ImageI(), omero.model.PixelsI()
    image.name = rstring(f"image-{number:05}.tiff")
    pixels.sizeX = pixels.sizeY = rint(512)
    pixels.sizeZ = pixels.sizeT = rint(1)
    pixels.sizeC, pixels.sha1 = rint(2), rstring("unknown")
    pixels.pixelsType, pixels.dimensionOrder = enums["PixelsType"], enums["DimensionOrder"]
    pixels.physicalSizeX = pixels.physicalSizeY = omero.model.LengthI(0.1, omero.model.enums.UnitsLength.MICROMETER)
    for name in ("DAPI", "GFP"):
        channel, logical = omero.model.ChannelI(), omero.model.LogicalChannelI()
        logical.name, channel.logicalChannel = rstring(name), logical
        pixels.addChannel(channel)
    image.addPixels(pixels)
    image.linkDataset(omero.model.DatasetI(dataset, False))
    if number % 10 == 0:
        image.linkAnnotation(omero.model.TagAnnotationI(tag, False))
    return image


def fill(client: Any) -> tuple[list[int], int, float]:
    """Save the images with their project, datasets and tag.

    Returns:
        Ids of the datasets, id of the tag, images saved per second.
    """
    import omero
    from omero.rtypes import rstring

    update, query = client.sf.getUpdateService(), client.sf.getQueryService()
    values = {"PixelsType": "uint16", "DimensionOrder": "XYZCT"}
    enums = {name: query.findByString(name, "value", value) for name, value in values.items()}
    project, tag = omero.model.ProjectI(), omero.model.TagAnnotationI()
    project.name, tag.textValue = rstring("listing"), rstring("every tenth")
    for number in range(DATASETS):
        dataset = omero.model.DatasetI()
        dataset.name = rstring(f"dataset {number}")
        project.linkDataset(dataset)
    project = update.saveAndReturnObject(project)
    datasets = sorted(dataset.id.val for dataset in project.linkedDatasetList())
    tag_id = update.saveAndReturnObject(tag).id.val
    start = time.perf_counter()
    for first in range(0, IMAGES, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        update.saveArray([new_image(n, datasets[n * DATASETS // IMAGES], tag_id, enums) for n in numbers])
    return datasets, tag_id, IMAGES / (time.perf_counter() - start)


def pages(gateway: Any, datasets: list[int], tag: int) -> dict[str, Callable[[], object]]:
    """Return the calls that fill one screen of a client, by their title."""
    import omero

    query, some = gateway.getQueryService(), {"dataset": datasets[1], "limit": 100}
    by_id = omero.sys.ParametersI().addId(tag)
    not_in = "select count(i) from Image i where i.id not in (select l.child.id from DatasetImageLink l)"
    tagged = "select i.id from Image i join i.annotationLinks l where l.child.id = :id"

    def objects(kind: str, **options: Any) -> Callable[[], object]:
        return lambda: list(gateway.getObjects(kind, opts=options))

    return {
        "projects": lambda: list(gateway.listProjects()),
        "datasets": objects("Dataset"),
        "100 images of a dataset by name": objects("Image", order_by="lower(obj.name)", offset=200, **some),
        "100 of all images": objects("Image", order_by="obj.id", offset=10_000, limit=100),
        "100 images with pixels and channels": objects("Image", load_pixels=True, load_channels=True, **some),
        "images outside of datasets": objects("Image", orphaned=True),
        "one image": lambda: gateway.getObject("Image", 777),
        "an image by name": lambda: list(gateway.getObjects("Image", attributes={"name": "image-15000.tiff"})),
        "number of images in a dataset": lambda: gateway.getObject("Dataset", datasets[1]).countChildren(),
        "count of all images": lambda: query.projection("select count(i) from Image i", None),
        "count of those in no dataset": lambda: query.projection(not_in, None),
        "2,000 ids by tag": lambda: query.projection(tagged, by_id),
        "search by name": lambda: list(gateway.searchObjects(["Image"], "image-1999*")),
    }


def whole_datasets(gateway: Any, dataset: int) -> dict[str, Callable[[], object]]:
    """Return the ways to list all images of a dataset of 5,000 images, by their title."""

    def objects(**options: Any) -> Callable[[], object]:
        return lambda: list(gateway.getObjects("Image", opts={"dataset": dataset, **options}))

    return {
        "getObjects": objects(),
        "listChildren": lambda: list(gateway.getObject("Dataset", dataset).listChildren()),
        "getObjects with pixels": objects(load_pixels=True),
    }


def measured(name: str, unit: str, goal: str, action: Callable[[], object], pid: int) -> list[Record]:
    """Measure a call REPEATS times, after one call that fills the caches of both sides.

    Returns:
        Figures of the median wall time, and of the mean processor time of the server and of the client.
    """
    action()
    scale, times = {"s": 1.0, "ms": 1e3}[unit], []
    server, client = processor_seconds(pid), time.process_time()
    for _ in range(REPEATS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    server, client = processor_seconds(pid) - server, time.process_time() - client
    return [
        figure(name, statistics.median(times) * scale, unit, goal, OWN_GOAL),
        figure(f"{name}, processor time of the server", server / REPEATS * scale, unit),
        figure(f"{name}, processor time of the client", client / REPEATS * scale, unit),
    ]


def records() -> list[Record]:
    """Start a sandbox, measure, and return the figures."""
    from sandbox.omero.launch import running_server

    with tempfile.TemporaryDirectory() as scratch, running_server(Path(scratch)) as server:
        from omero.gateway import BlitzGateway

        gateway = BlitzGateway("root", server.root_password, host=server.host, port=server.port)
        if not gateway.connect():
            raise RuntimeError(f"no connection to the sandbox: {gateway.getLastError()}")
        try:
            datasets, tag, rate = fill(gateway.c)
            found = [figure("sandbox: images saved with pixels and channels", rate, "images/s")]
            for name, action in pages(gateway, datasets, tag).items():
                found += measured(f"sandbox, {IMAGES} images: {name}", "ms", "<= 100", action, server.pid)
            for name, action in whole_datasets(gateway, datasets[1]).items():
                place = f"sandbox: a dataset of {IMAGES // DATASETS} images by {name}"
                found += measured(place, "s", "<= 2", action, server.pid)
            found.append(figure("sandbox: memory after these listings", resident_mib(server.pid), "MiB"))
        finally:
            gateway.close()
    return found


if __name__ == "__main__":
    print(json.dumps(records(), indent=1))
