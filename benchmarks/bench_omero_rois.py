"""Compare omero_import_rois with omero-py and one `saveAndReturnObject` for each ROI: 10,000 polygons on one image.

`python -m benchmarks.bench_omero_rois` prints the figures; `make bench` collects `records()`. All sides are whole
processes that use the same OMERO sandbox on this machine over TLS. All read the same label map and trace its objects
with the same function. The tool also checks the label map against the image, marks each ROI and writes its tables. The
alternative is measured in two forms: as OMERO's documentation shows it (ome/openmicroscopy,
`examples/Training/python/ROIs.py`: BlitzGateway and `roi.setImage(image._obj)`), and with as little as omero-py needs.
At the end all images must have the same polygons. OMERO.server in Java needs another time for a call, but there too it
is one round trip for each ROI on one side, and one for a thousand ROIs on the other.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measuring import Record, figure, part_of, run_process
from scripts.suite_files import tool_script

GRID, PITCH = 100, 40  # 100 x 100 objects, one every 40 pixels.
COUNT = GRID * GRID
SIDE = GRID * PITCH
REPEATS = 6


def make_input(folder: Path, address: str, password: str) -> None:
    """Write the label map and the tool's configurations, and create the images."""
    import numpy as np
    import omero
    import tifffile

    rows, columns = np.mgrid[:PITCH, :PITCH]
    labels = np.zeros((SIDE, SIDE), np.uint16)
    for number in range(COUNT):
        y, x = (PITCH * place for place in divmod(number, GRID))
        radius = 8 + number % 8
        disc = (rows - 20) ** 2 + (columns - 20) ** 2 * (1 + number % 3 / 4) <= radius**2
        labels[y : y + PITCH, x : x + PITCH][disc] = number + 1
    tifffile.imwrite(folder / "labels.tif", labels, compression="zlib")
    client = _connect(address, password)
    kind = omero.model.PixelsTypeI()
    kind.value = omero.rtypes.rstring("uint16")
    service = client.getSession().getPixelsService()
    names = [*(f"ours{number}" for number in range(REPEATS)), "documented", "bare"]
    images = [service.createImage(SIDE, SIDE, 1, 1, [0], kind, name, "").val for name in names]
    client.closeSession()
    for number, image in enumerate(images[:REPEATS]):
        config = {
            "omero_host": address,
            "label_maps": {"element_identifier": f"Image_{image}_ours", "source_path": str(folder / "labels.tif")},
            "match": {"source": "identifier"},
            **{"roi_name": "objects", "shape": "auto"},
        }
        (folder / f"config{number}.json").write_text(json.dumps(config))
    (folder / "images.json").write_text(json.dumps(images))


def draw_as_documented(folder: Path, address: str, password: str) -> None:
    """Import as OMERO's documentation shows: with BlitzGateway, each ROI linked to the loaded image."""
    from omero.gateway import BlitzGateway

    host, _, port = address.rpartition(":")
    connection = BlitzGateway("root", password, host=host, port=int(port))
    connection.connect()
    image = connection.getObject("Image", json.loads((folder / "images.json").read_text())[-2])
    _draw(folder, connection.getUpdateService(), image._obj)
    connection.close()


def draw_one_by_one(folder: Path, address: str, password: str) -> None:
    """Import with as little as omero-py needs: no gateway, each ROI linked to the image by its id."""
    import omero

    client = _connect(address, password)
    image = omero.model.ImageI(json.loads((folder / "images.json").read_text())[-1], False)
    _draw(folder, client.getSession().getUpdateService(), image)
    client.closeSession()


def _draw(folder: Path, update: Any, image: Any) -> None:
    """Trace the outlines of the label map, and save each as a ROI with a call of its own."""
    import omero
    import tifffile
    from omero.rtypes import rint, rstring

    from bioimage_suite.omero.rois.label_shapes import Polygon, plane_shapes

    found = plane_shapes(tifffile.imread(folder / "labels.tif"), "auto")
    outlines = [one.shape.points for one in found if isinstance(one.shape, Polygon)]
    for number, points in enumerate(outlines, 1):
        roi, shape = omero.model.RoiI(), omero.model.PolygonI()
        shape.points = rstring(" ".join(f"{x:g},{y:g}" for x, y in points))
        shape.textValue, shape.theZ, shape.theT = rstring(str(number)), rint(0), rint(0)
        roi.setImage(image)
        roi.addShape(shape)
        update.saveAndReturnObject(roi)


def check(folder: Path, address: str, password: str) -> None:
    """Check that all images have the same 10,000 polygons.

    Raises:
        RuntimeError: They have not.
    """
    import omero

    client = _connect(address, password)
    query = client.getSession().getQueryService()
    found = []
    for image in json.loads((folder / "images.json").read_text()):
        hql = f"select p.points, p.textValue, p.theZ, p.theT from Polygon p where p.roi.image.id = {image}"
        rows = query.projection(hql, omero.sys.ParametersI())
        found.append(sorted(tuple(omero.rtypes.unwrap(value) for value in row) for row in rows))
    client.closeSession()
    if len(found[0]) != COUNT or any(one != found[0] for one in found):
        raise RuntimeError(f"{[len(one) for one in found]} polygons: the two sides did not draw the same")


def records() -> list[Record]:
    """Start a sandbox, measure, and return the figures."""
    from sandbox.omero.launch import running_server

    with tempfile.TemporaryDirectory() as name, running_server(Path(name) / "data") as server:
        folder, address = Path(name), f"{server.host}:{server.port}"
        os.environ |= {"OMERO_USER": "root", "OMERO_PASSWORD": server.root_password}
        run_process(part_of(__file__, "make_input", folder, address))
        # Half of the runs before the other sides and half after: these take a minute, in which the load may change.
        first = [run_process(_command(folder, number)) for number in range(0, REPEATS, 2)]
        documented = run_process(part_of(__file__, "draw_as_documented", folder, address))
        bare = run_process(part_of(__file__, "draw_one_by_one", folder, address))
        first += [run_process(_command(folder, number)) for number in range(1, REPEATS, 2)]
        again = [run_process(_command(folder, number)) for number in range(REPEATS)]
        run_process(part_of(__file__, "check", folder, address))
    seconds = statistics.median(one.seconds for one in first)
    replacing = statistics.median(one.seconds for one in again)
    peak = max(one.peak_mib for one in [*first, *again])
    other, documented_way = "omero-py 5.23: one saveAndReturnObject a ROI", "the same, as OMERO's documentation has it"
    return [
        figure(f"omero_import_rois: {COUNT:,} polygons, in place of as many", replacing, "s"),
        figure(f"omero_import_rois: first {COUNT:,} polygons", seconds, "s"),
        figure(f"omero_import_rois: {COUNT:,} polygons, speed", bare.seconds / seconds, "x", ">= 10", other),
        figure(f"omero_import_rois: {COUNT:,} polygons one by one", bare.seconds, "s", "", other),
        figure(
            f"omero_import_rois: {COUNT:,} polygons, speed beside the documented way",
            *(documented.seconds / seconds, "x", "", documented_way),
        ),
        figure(f"omero_import_rois: {COUNT:,} polygons, memory", peak, "MiB"),
    ]


def _command(folder: Path, number: int) -> list[str]:
    """Return the command of the tool, as in Galaxy, for one of its images."""
    tool = str(tool_script("omero_import_rois"))
    files = {"config": f"config{number}.json", "output": "output", "rois": "rois"}
    return [sys.executable, tool, *(part for name, file in files.items() for part in (f"--{name}", str(folder / file)))]


def _connect(address: str, password: str) -> Any:
    import omero.clients

    host, _, port = address.rpartition(":")
    client = omero.clients.BaseClient(host=host, port=int(port))
    client.createSession("root", password)
    return client


if __name__ == "__main__":
    if len(sys.argv) > 1:
        globals()[sys.argv[1]](Path(sys.argv[2]), sys.argv[3], os.environ["OMERO_PASSWORD"])
    else:
        for record in records():
            print(record)
