"""omero_import_rois: 10,000 polygons on one image, beside omero-py with one `saveAndReturnObject` for each ROI.

`python -m benchmarks.bench_omero_rois` prints the figures; `make bench` collects `records()`. Both sides are whole
processes, from start to exit, against the same OMERO sandbox on this machine over TLS. The tool reads a label map,
traces its objects, checks it against the image, marks each ROI and writes its tables; the other side has the outlines
ready and only draws them, as scripts commonly do. At the end both sides have the same polygons. OMERO.server in Java
answers a call in another time, but it too has one round trip a ROI on the one side and one for a thousand on the other.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, Record, figure, part_of, run_process

GRID, PITCH = 100, 40  # 100 x 100 objects, one every 40 pixels.
COUNT = GRID * GRID
SIDE = GRID * PITCH
REPEATS = 3


def make_input(folder: Path, address: str, password: str) -> None:
    """Write the label map, its outlines for the other side, and the tool's configuration; make the two images."""
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
    sys.path.insert(0, str(ROOT / "tools" / "omero"))
    from label_shapes import Polygon, plane_shapes

    outlines = [one.shape.points for one in plane_shapes(labels, "auto") if isinstance(one.shape, Polygon)]
    (folder / "outlines.json").write_text(json.dumps(outlines))
    client = _connect(address, password)
    kind = omero.model.PixelsTypeI()
    kind.value = omero.rtypes.rstring("uint16")
    service = client.getSession().getPixelsService()
    images = [service.createImage(SIDE, SIDE, 1, 1, [0], kind, name, "").val for name in ("ours", "theirs")]
    client.closeSession()
    config = {
        "omero_host": address,
        "label_maps": {"element_identifier": f"Image_{images[0]}_ours", "source_path": str(folder / "labels.tif")},
        "match": {"source": "identifier"},
        **{"roi_name": "objects", "shape": "auto"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "images.json").write_text(json.dumps(images))


def draw_one_by_one(folder: Path, address: str, password: str) -> None:
    """Draw the outlines on the second image, one call a ROI."""
    import omero
    from omero.rtypes import rint, rstring

    outlines = json.loads((folder / "outlines.json").read_text())
    image = json.loads((folder / "images.json").read_text())[1]
    client = _connect(address, password)
    update = client.getSession().getUpdateService()
    for number, points in enumerate(outlines, 1):
        roi, shape = omero.model.RoiI(), omero.model.PolygonI()
        shape.points = rstring(" ".join(f"{x:g},{y:g}" for x, y in points))
        shape.textValue, shape.theZ, shape.theT = rstring(str(number)), rint(0), rint(0)
        roi.image = omero.model.ImageI(image, False)
        roi.addShape(shape)
        update.saveAndReturnObject(roi)
    client.closeSession()


def check(folder: Path, address: str, password: str) -> None:
    """Both images must have the same 10,000 polygons."""
    import omero

    client = _connect(address, password)
    query = client.getSession().getQueryService()
    found = []
    for image in json.loads((folder / "images.json").read_text()):
        hql = f"select p.points, p.textValue, p.theZ, p.theT from Polygon p where p.roi.image.id = {image}"
        rows = query.projection(hql, omero.sys.ParametersI())
        found.append(sorted(tuple(omero.rtypes.unwrap(value) for value in row) for row in rows))
    client.closeSession()
    if len(found[0]) != COUNT or found[0] != found[1]:
        raise RuntimeError(f"{len(found[0])} and {len(found[1])} polygons: the two sides did not draw the same")


def records() -> list[Record]:
    """Measure."""
    from sandbox.omero.launch import running_server

    with tempfile.TemporaryDirectory() as name, running_server(Path(name) / "data") as server:
        folder, address = Path(name), f"{server.host}:{server.port}"
        os.environ |= {"OMERO_USER": "root", "OMERO_PASSWORD": server.root_password}
        run_process(part_of(__file__, "make_input", folder, address))
        command = [sys.executable, str(ROOT / "tools" / "omero" / "omero_import_rois.py")]
        for argument in ("config", "output", "rois"):
            command += [f"--{argument}", str(folder / (f"{argument}.json" if argument == "config" else argument))]
        ours = [run_process(command) for _ in range(REPEATS)]
        theirs = run_process(part_of(__file__, "draw_one_by_one", folder, address))
        ours += [run_process(command) for _ in range(REPEATS)]
        run_process(part_of(__file__, "check", folder, address))
    seconds = statistics.median(one.seconds for one in ours[1:])  # the first has nothing to replace
    peak = max(one.peak_mib for one in ours)
    other = "omero-py 5.23: one saveAndReturnObject a ROI"
    return [
        figure(f"omero_import_rois: {COUNT:,} polygons, in place of as many", seconds, "s"),
        figure(f"omero_import_rois: first {COUNT:,} polygons", ours[0].seconds, "s"),
        figure(f"omero_import_rois: {COUNT:,} polygons, speed", theirs.seconds / ours[0].seconds, "x", ">= 10", other),
        figure(f"omero_import_rois: {COUNT:,} polygons one by one", theirs.seconds, "s", "", other),
        figure(f"omero_import_rois: {COUNT:,} polygons, memory", peak, "MiB"),
    ]


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
