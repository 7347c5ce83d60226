"""Measure pixels in the OMERO sandbox: tiles written and read, import, thumbnails, and memory for a large image.

`python -m benchmarks.bench_sandbox_pixels` prints the figures; `make bench` collects `records()`. There is one
client on the same machine, over TLS, the default of omero-py. There is no OMERO.server here to compare with.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import OWN_GOAL, Record, figure, peak_mib, resident_mib

if TYPE_CHECKING:
    from collections.abc import Callable

TILE = 512
SIDE = 4096
LARGE = 30000


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that an action took, and its result."""
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def tiles(side: int) -> list[tuple[int, int, int, int]]:
    """Return the tiles (x, y, width, height) of a square plane, in pixels."""
    return [
        (x, y, min(TILE, side - x), min(TILE, side - y)) for y in range(0, side, TILE) for x in range(0, side, TILE)
    ]


def bench_tiles(client: Any) -> list[Record]:
    """Write an image of 4096 x 4096 pixels, 16 bit, by tile; read it by tile and by plane."""
    import numpy as np
    import omero

    kind = omero.model.PixelsTypeI()
    kind.value = omero.rtypes.rstring("uint16")
    service = client.sf.getPixelsService()
    image = service.createImage(SIDE, SIDE, 1, 1, [0], kind, "tiles", "").val
    pixels = client.sf.getQueryService().findByQuery(f"from Pixels p where p.image.id = {image}", None).id.val
    store = client.sf.createRawPixelsStore()
    store.setPixelsId(pixels, True)
    data = np.random.default_rng(0).integers(0, 65535, TILE * TILE, dtype=np.uint16).tobytes()
    megabytes = SIDE * SIDE * 2 / 1e6
    written, _ = timed(lambda: [store.setTile(data, 0, 0, 0, *tile) for tile in tiles(SIDE)])
    read, _ = timed(lambda: [store.getTile(0, 0, 0, *tile) for tile in tiles(SIDE)])
    plane, _ = timed(lambda: store.getPlane(0, 0, 0))
    store.close()
    return [
        figure(f"sandbox: tiles of {TILE} written", megabytes / written, "MB/s"),
        figure(f"sandbox: tiles of {TILE} read", megabytes / read, "MB/s"),
        figure(f"sandbox: a plane of {SIDE} x {SIDE} read", megabytes / plane, "MB/s"),
    ]


def write_large(path: Path) -> None:
    """Write a pyramid of 30,000 x 30,000 pixels, uint8, zlib: one tile of noise, repeated."""
    import zlib

    import numpy as np
    import tifffile

    noise = np.random.default_rng(1).integers(0, 50, (TILE, TILE), dtype=np.uint8)
    tile = zlib.compress(noise.tobytes(), 1)
    with tifffile.TiffWriter(path, bigtiff=True, ome=True) as writer:
        side = LARGE
        for level in range(6):
            count = (-(-side // TILE)) ** 2
            options: dict[str, Any] = {"subifds": 5, "metadata": {"axes": "YX"}} if level == 0 else {"subfiletype": 1}
            writer.write(
                (tile for _ in range(count)),
                shape=(side, side),
                dtype=np.uint8,
                tile=(TILE, TILE),
                compression="zlib",
                **options,
            )
            side = -(-side // 2)


def bench_large(client: Any, folder: Path, pid: int) -> list[Record]:
    """Import a large pyramid; read a thousand of its tiles and its thumbnail."""
    from omero.rtypes import rint

    from sandbox.omero.client_import import import_files

    path = folder / "large.ome.tif"
    write_large(path)
    imported, [image] = timed(lambda: import_files(client, [path]))
    pixels = client.sf.getQueryService().findByQuery(f"from Pixels p where p.image.id = {image}", None).id.val
    store = client.sf.createRawPixelsStore()
    store.setPixelsId(pixels, True)
    chosen = tiles(LARGE)[:: len(tiles(LARGE)) // 1000][:1000]
    read, sizes = timed(lambda: sum(len(store.getTile(0, 0, 0, *tile)) for tile in chosen))
    store.close()
    thumbnails = client.sf.createThumbnailStore()
    thumbnails.setPixelsId(pixels)
    thumbnail, _ = timed(lambda: thumbnails.getThumbnailByLongestSide(rint(96)))
    thumbnails.close()
    return [
        figure(f"sandbox: import of a {LARGE} x {LARGE} pyramid ({path.stat().st_size / 1e6:.0f} MB)", imported, "s"),
        figure(f"sandbox: its tiles of {TILE} read, decompressed", sizes / 1e6 / read, "MB/s"),
        figure("sandbox: its thumbnail", thumbnail * 1e3, "ms"),
        figure("sandbox: largest memory of the server", peak_mib(pid), "MiB", "<= 500", OWN_GOAL),
    ]


def records() -> list[Record]:
    """Start a sandbox, measure, and return the figures."""
    from sandbox.omero.launch import running_server

    with tempfile.TemporaryDirectory() as scratch, running_server(Path(scratch) / "data") as server:
        import omero.clients

        client = omero.clients.BaseClient(host=server.host, port=server.port)
        client.createSession("root", server.root_password)
        try:
            rest = figure("sandbox: memory of the server at rest", resident_mib(server.pid), "MiB")
            return [rest, *bench_tiles(client), *bench_large(client, Path(scratch), server.pid)]
        finally:
            client.closeSession()


if __name__ == "__main__":
    print(json.dumps(records(), indent=1))
