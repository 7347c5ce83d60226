"""Compare omero_export_images with a loop of ezomero and tifffile; measure large images, omero_find, and start-up.

`python -m benchmarks.bench_omero_outward` prints the figures; `make bench` collects `records()`. Both sides use an
OMERO sandbox on the same machine, which does the same work for both and takes one of the cores.

Export: 200 images of 1024 x 1024 pixels, 3 channels, 8 bit, camera noise around a pattern. The loop of ezomero writes
one uncompressed TIFF for each image and nothing else. The tool writes OME-TIFF (uncompressed too, since it compresses
only what shrinks to half its size), OME-XML and the metadata table, and checks each image against OMERO's checksum.
Both are whole processes. The exported pixels are compared.

Start-up: from the start of the process to the first call to the server, beside `python -c "import omero.gateway"`. The
slowest of the tools that need only a target counts.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import OWN_GOAL, ROOT, Record, figure, part_of, run_process
from scripts.suite_files import tool_script, tool_xml

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGES, SIDE = 200, 1024
LARGE, TILE = 20_000, 1000
MANY = 20_000
AT_ONCE = 1000
STARTING = ("find", "export_images", "export_labels", "export_rois", "export_table", "get_annotations")
EZOMERO = "ezomero get_image + tifffile"


def main_of(tool: str, *arguments: object) -> list[str]:
    """Return the command that runs a tool."""
    return [sys.executable, str(tool_script(f"omero_{tool}")), *map(str, arguments)]


def write_config(path: Path, address: str, dataset: int, **more: Any) -> Path:
    """Write the configuration of a tool, and return its path."""
    target = {"source": "typed", "kind": "dataset", "by": "id", "objects": str(dataset)}
    path.write_text(json.dumps({"omero_host": address, "target": target, **more}))
    return path


def connect(address: str) -> Any:
    """Return a client of the sandbox, logged in as the user of the environment."""
    import omero.clients

    host, _, port = address.rpartition(":")
    client = omero.clients.BaseClient(host=host, port=int(port))
    client.createSession(os.environ["OMERO_USER"], os.environ["OMERO_PASSWORD"])
    client.enableKeepAlive(60)
    return client


def new_dataset(client: Any) -> int:
    """Create a dataset, and return its id."""
    import omero

    dataset = omero.model.DatasetI()
    dataset.name = omero.rtypes.rstring("benchmark")
    return int(client.sf.getUpdateService().saveAndReturnObject(dataset).id.val)


def new_image(client: Any, dataset: int, shape: tuple[int, int], pixel_type: str, write: Callable[[Any], None]) -> int:
    """Create an image in a dataset, and return its id.

    Args:
        client: Open client.
        dataset: Id of the dataset.
        shape: Number of channels, side in pixels.
        pixel_type: Pixel type of OMERO.
        write: Function that writes the pixels to an open RawPixelsStore.
    """
    import omero

    kind = client.sf.getTypesService().getEnumeration("PixelsType", pixel_type)
    channels, size = shape
    image = client.sf.getPixelsService().createImage(size, size, 1, 1, list(range(channels)), kind, "im", "").val
    pixels = client.sf.getQueryService().findByQuery(f"from Pixels p where p.image.id = {image}", None).id.val
    store = client.sf.createRawPixelsStore()
    store.setPixelsId(pixels, True)
    write(store)
    store.save()
    store.close()
    link = omero.model.DatasetImageLinkI()
    link.parent, link.child = omero.model.DatasetI(dataset, False), omero.model.ImageI(image, False)
    client.sf.getUpdateService().saveObject(link)
    return int(image)


def plane(number: int, channel: int) -> Any:
    """Return the pixels of one channel of an image: noise around a pattern, (SIDE, SIDE), uint8."""
    import numpy as np

    rows, columns = np.mgrid[:SIDE, :SIDE]
    noisy = np.random.default_rng(channel).poisson(90 + 40 * np.sin(columns / 90 + channel) * np.cos(rows / 70))
    return np.roll(noisy.clip(0, 255).astype(np.uint8), 7 * number, axis=0)


def make_images(address: str) -> None:
    """Create the images of the export; print the ids of the dataset and of the images."""
    import numpy as np

    client = connect(address)
    dataset, base = new_dataset(client), [plane(0, channel) for channel in range(3)]
    images = []
    for number in range(IMAGES):

        def write(store: Any, number: int = number) -> None:
            for channel, pixels in enumerate(base):
                store.setPlane(np.roll(pixels, 7 * number, axis=0).tobytes(), 0, channel, 0)

        images.append(new_image(client, dataset, (3, SIDE), "uint8", write))
    client.closeSession()
    print(json.dumps([dataset, images]))


def make_large(address: str) -> None:
    """Create one large 16-bit image; print the id of its dataset."""
    import numpy as np

    client = connect(address)
    noise = np.random.default_rng(3).poisson(500, (TILE, TILE)).astype(">u2").tobytes()

    def write(store: Any) -> None:
        for y in range(0, LARGE, TILE):
            for x in range(0, LARGE, TILE):
                store.setTile(noise, 0, 0, 0, x, y, TILE, TILE)

    dataset = new_dataset(client)
    new_image(client, dataset, (1, LARGE), "uint16", write)
    client.closeSession()
    print(dataset)


def empty_images(client: Any, dataset: int, count: int) -> None:
    """Save images of 64 x 64 px without pixel data into a dataset, `AT_ONCE` a call."""
    import omero
    from omero.rtypes import rint, rstring

    types, update = client.sf.getTypesService(), client.sf.getUpdateService()
    kind, order = types.getEnumeration("PixelsType", "uint8"), types.getEnumeration("DimensionOrder", "XYZCT")
    for start in range(0, count, AT_ONCE):
        batch = []
        for number in range(start, start + AT_ONCE):
            image, pixels = omero.model.ImageI(), omero.model.PixelsI()
            image.name = rstring(f"im_{number}.tif")
            pixels.sizeX = pixels.sizeY = rint(64)
            pixels.sizeZ = pixels.sizeC = pixels.sizeT = rint(1)
            pixels.pixelsType, pixels.dimensionOrder, pixels.sha1 = kind, order, rstring("none")
            image.addPixels(pixels)
            image.linkDataset(omero.model.DatasetI(dataset, False))
            batch.append(image)
        update.saveAndReturnIds(batch)


def make_many(address: str) -> None:
    """Create many images without pixels; print the id of their dataset."""
    client = connect(address)
    dataset = new_dataset(client)
    empty_images(client, dataset, MANY)
    client.closeSession()
    print(dataset)


def with_ezomero(address: str, folder: str, images: list[int]) -> None:
    """Fetch each image with ezomero, and write it as TIFF."""
    import ezomero
    import tifffile

    host, _, port = address.rpartition(":")
    user, password = os.environ["OMERO_USER"], os.environ["OMERO_PASSWORD"]
    connection = ezomero.connect(user, password, host=host, port=int(port), group="", secure=True)
    Path(folder).mkdir(exist_ok=True)
    for image_id in images:
        _, pixels = ezomero.get_image(connection, image_id)
        tifffile.imwrite(Path(folder) / f"{image_id}.tif", pixels)
    connection.close()


def same(ours: str, theirs: str) -> None:
    """Print the number of images that have equal pixels."""
    import numpy as np
    import tifffile

    count = 0
    for path in Path(ours).iterdir():
        image_id = path.name.split("_")[1]
        # ezomero's axes are T, Z, Y, X, C.
        other = np.moveaxis(tifffile.imread(Path(theirs) / f"{image_id}.tif").reshape(SIDE, SIDE, 3), -1, 0)
        count += int(np.array_equal(tifffile.imread(path), other))
    print(count)


def seconds_to_first_call(command: list[str], folder: Path, listener: socket.socket) -> float:
    """Return the seconds until a tool calls the server.

    That is its second connection: the first only tests whether the port is open.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        listener.settimeout(60)
        for _ in range(2):
            listener.accept()[0].close()
        return time.perf_counter() - start
    finally:
        process.kill()
        process.wait()


def bench_start(folder: Path, repeats: int = 5) -> list[Record]:
    """Measure the start-up of tools and the import of omero.gateway."""
    gateway, tools = [], {tool: [] for tool in STARTING}  # type: ignore[var-annotated]
    for _ in range(repeats):
        gateway.append(run_process([sys.executable, "-c", "import omero.gateway"]).seconds)
        for tool in STARTING:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                address = f"127.0.0.1:{listener.getsockname()[1]}"
                more = {"of": "images", "types": [], "form": {}, "labels_name": "n", "missing": "skip"}
                config = write_config(folder / "start.json", address, 1, table_name="t", **more)
                outputs = [f"--{name}={folder / name}" for name in _outputs(tool)]
                command = main_of(tool, "--config", config, *outputs)
                tools[tool].append(seconds_to_first_call(command, folder, listener))
    medians = {tool: statistics.median(values) for tool, values in tools.items()}
    slowest = max(medians, key=lambda tool: medians[tool])
    compared = 'python -c "import omero.gateway"'
    ratio = medians[slowest] / statistics.median(gateway)
    return [
        figure("OMERO tools: start to the first call, slowest of them", ratio, "x", "<= 1.5", compared),
        figure("OMERO tools: start to the first call", medians[slowest], "s", "", compared),
    ]


def _outputs(tool: str) -> tuple[str, ...]:
    """Return the names of a tool's required outputs, from the command in its XML."""
    import re

    text = tool_xml(f"omero_{tool}").read_text()
    command = text[text.index("<command") : text.index("</command>")]
    return tuple(name for name in re.findall(r"--([a-z]+) ", command) if name != "config")


def bench_export(address: str, folder: Path, repeats: int = 3) -> list[Record]:
    """Measure the export of many images, both sides in turns."""
    dataset, images = json.loads(_printed(part_of(__file__, "images", address)))
    config = write_config(folder / "export.json", address, dataset)
    ours, theirs = folder / "ours", folder / "theirs"
    pairs = []
    for _ in range(repeats):
        tool = run_process(main_of("export_images", "--config", config, "--folder", ours, "--metadata", folder / "m"))
        other = run_process(part_of(__file__, "ezomero", address, theirs, json.dumps(images)))
        pairs.append((other.seconds / tool.seconds, tool.seconds, other.seconds, tool.peak_mib, other.peak_mib))
    speedup, wall, other_wall, memory, other_memory = (statistics.median(values) for values in zip(*pairs, strict=True))
    equal = float(_printed(part_of(__file__, "same", ours, theirs)))
    name = f"omero_export_images {IMAGES} images {SIDE}x{SIDE}x3"
    return [
        figure(f"{name}: speedup", speedup, "x", ">= 4", EZOMERO),
        figure(f"{name}: same images", equal, "images", f">= {IMAGES}", EZOMERO),
        figure(f"{name}: wall", wall, "s", "", EZOMERO),
        figure(f"{name}: other wall", other_wall, "s", "", EZOMERO),
        figure(f"{name}: memory", memory, "MiB", "", EZOMERO),
        figure(f"{name}: other memory", other_memory, "MiB", "", EZOMERO),
    ]


def bench_large(address: str, folder: Path) -> list[Record]:
    """Measure peak memory and time of the export of a large image with its pyramid."""
    dataset = int(_printed(part_of(__file__, "large", address)))
    found = []
    for kind in ("ome_tiff", "ome_zarr"):
        form = {"kind": kind, "compression": "auto", "version": "0.5", "plates": False}
        config = write_config(folder / f"{kind}.json", address, dataset, format=form)
        arguments = ("--config", config, "--folder", folder / kind, "--metadata", folder / "m")
        cost = run_process(main_of("export_images", *arguments))
        name = f"omero_export_images {LARGE}x{LARGE} 16 bit, {kind}"
        found += [figure(f"{name}: memory", cost.peak_mib, "MiB", "<= 600", OWN_GOAL)]
        found += [figure(f"{name}: wall", cost.seconds, "s", "", OWN_GOAL)]
        for path in (folder / kind).iterdir():
            path.unlink()
    return found


def bench_find(address: str, folder: Path, repeats: int = 3) -> list[Record]:
    """Measure omero_find on many images, as a whole process."""
    dataset = int(_printed(part_of(__file__, "many", address)))
    config = write_config(folder / "find.json", address, dataset)
    command = main_of("find", "--config", config, "--output", folder / "found.tsv")
    costs = [run_process(command) for _ in range(repeats)]
    rows = sum(1 for _ in (folder / "found.tsv").open()) - 1
    return [
        figure(f"omero_find {MANY} images: wall", statistics.median(c.seconds for c in costs), "s", "<= 3", OWN_GOAL),
        figure(f"omero_find {MANY} images: found", rows, "images", f">= {MANY}", OWN_GOAL),
    ]


def _printed(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.splitlines()[-1]


def records() -> list[Record]:
    """Start a sandbox, measure, and return the figures."""
    from sandbox.omero.launch import running_server

    with tempfile.TemporaryDirectory() as name, running_server(Path(name) / "data") as server:
        folder, address = Path(name), f"{server.host}:{server.port}"
        os.environ |= {"OMERO_USER": "root", "OMERO_PASSWORD": server.root_password, "GALAXY_SLOTS": "2"}
        return [
            *bench_start(folder),
            *bench_find(address, folder),
            *bench_export(address, folder),
            *bench_large(address, folder),
        ]


PARTS: dict[str, Callable[..., None]] = {
    "images": make_images,
    "large": make_large,
    "many": make_many,
    "ezomero": lambda address, folder, images: with_ezomero(address, folder, json.loads(images)),
    "same": same,
}

if __name__ == "__main__":
    if len(sys.argv) > 1:
        PARTS[sys.argv[1]](*sys.argv[2:])
    else:
        print(json.dumps(records(), indent=1))
