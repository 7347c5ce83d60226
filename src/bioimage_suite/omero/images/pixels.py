"""Download of pixels from OMERO as tiles, with a bounded number of requests in flight, across broken connections."""

import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.images.details import ImageDetails
from bioimage_suite.omero.images.views import Tile
from bioimage_suite.omero.reconnect import Connection, is_broken
from bioimage_suite.omero.session import Session
from bioimage_suite.omero.waiting import PixelsWait

if TYPE_CHECKING:
    import numpy as np

TILE = 1024  # Side in pixels: at 16 bit 2 MB per request, far below Ice's limit for a message.
THREADS = 4  # Pixel stores open on the server at once.
WINDOW = 16  # Tiles in flight or waiting to be written.

_DTYPES = {
    "bit": "u1",
    "int8": "i1",
    "uint8": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "float": "f4",
    "double": "f8",
    "complex": "c8",
    "double-complex": "c16",
}


def pixel_dtype(image: ImageDetails) -> "np.dtype":
    """Return the numpy dtype, in native byte order, that holds the image's pixels exactly.

    A "bit" takes one byte, as in OMERO's messages.

    Raises:
        UserError: OMERO does not define the pixel type.
    """
    import numpy as np

    if image.pixel_type not in _DTYPES:
        raise UserError(f"image {image.image_id} {image.name!r}: pixel type {image.pixel_type!r} is not supported.")
    return np.dtype(_DTYPES[image.pixel_type])


def level_sizes(session: Session, image: ImageDetails) -> list[tuple[int, int]]:
    """Return (columns, rows) of each resolution level of an image in OMERO, the full size first.

    Raises:
        UserError: OMERO does not get the image ready, see `PixelsWait`.
    """
    store = session.client.getSession().createRawPixelsStore()
    try:
        shown = f"image {image.image_id} {image.name!r}"
        PixelsWait(time.sleep).until_ready(lambda: store.setPixelsId(image.pixels_id, False), shown)
        return [(one.sizeX, one.sizeY) for one in store.getResolutionDescriptions()]
    finally:
        store.close()


def fetch_tiles(session: Session, tiles: Iterable[Tile]) -> Generator["np.ndarray", None, None]:
    """Fetch tiles with several requests in flight and yield them in order, each (height, width) in native byte order.

    At most `WINDOW` tiles are held at once, and `THREADS` pixel stores are open on the server. If the connection
    breaks, it is opened again and missing tiles are requested again; pixels that OMERO still prepares are waited for.

    Raises:
        UserError: The server cannot deliver the pixels of an image.
    """
    stores = _Stores(Connection(session))
    pool = ThreadPoolExecutor(THREADS)
    waiting: deque[Future[np.ndarray]] = deque()
    try:
        for tile in tiles:
            waiting.append(pool.submit(stores.read, tile))
            if len(waiting) >= WINDOW:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        stores.stop()
        pool.shutdown(cancel_futures=True)
        stores.close()


def project(tiles: Iterator["np.ndarray"], count: int, how: str) -> Iterator["np.ndarray"]:
    """Project each group of `count` consecutive tiles to one of the same shape and dtype; `how` is "max" or "mean".

    The mean of whole numbers is computed in 64-bit floating point and rounded, halves to the even neighbour.
    """
    import numpy as np

    for first in tiles:
        if how == "max":
            made = first.copy()
            for tile in islice(tiles, count - 1):
                np.maximum(made, tile, out=made)
            yield made
            continue
        total = first.astype(np.float64)
        for tile in islice(tiles, count - 1):
            total += tile
        total /= count
        yield (np.rint(total) if first.dtype.kind in "iu" else total).astype(first.dtype)


class _Stores:
    """One RawPixelsStore per thread, because a store serves one image and one request at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._wait = PixelsWait(connection.wait)
        self._mine = threading.local()
        self._all: list[Any] = []

    def read(self, tile: Tile) -> "np.ndarray":
        import numpy as np

        image = tile.image
        dtype = pixel_dtype(image)
        data = self._wait.until_ready(lambda: self._request(tile), f"image {image.image_id} {image.name!r}")
        if len(data) != tile.width * tile.height * dtype.itemsize:
            raise UserError(f"image {image.image_id} {image.name!r}: OMERO sent {len(data)} bytes for a tile {tile}.")
        # OMERO sends pixels big-endian.
        return np.frombuffer(data, dtype.newbyteorder(">")).reshape(tile.height, tile.width).astype(dtype)

    def _request(self, tile: Tile) -> bytes:
        """Request the bytes of a tile, over a new connection if this one breaks; then only rows that are missing."""
        width = tile.width * pixel_dtype(tile.image).itemsize
        found, row = [], 0
        while row < tile.height:
            number, rows = self._connection.number, min(tile.height - row, max(1, self._connection.block // width))
            try:
                found.append(self._fetch(replace(tile, y=tile.y + row, height=rows), number))
            except Exception as error:
                if not is_broken(error):
                    raise
                self._connection.renew(number, error)
                continue
            self._connection.progress()
            row += rows
        return b"".join(found)

    def _fetch(self, tile: Tile, connection: int) -> bytes:
        import omero

        image, mine = tile.image, self._mine
        used = getattr(mine, "connection", None) == connection and mine.pixels == (image.pixels_id, tile.level)
        try:
            store = self._store(connection, image.pixels_id, tile.level)
            found: bytes = store.getTile(tile.z, tile.c, tile.t, tile.x, tile.y, tile.width, tile.height)
        except (omero.ResourceError, omero.ApiUsageException, omero.InternalException, omero.ValidationException) as e:
            mine.connection = None
            if used:
                # Ice repeats a call by itself where the line broke, and meets the store as the server empties it.
                return self._fetch(tile, connection)
            raise UserError(
                f"image {image.image_id} {image.name!r}: OMERO cannot deliver its pixels "
                f"({e.message or type(e).__name__}). Open the image in OMERO; if it does not show, leave it out."
            ) from e
        return found

    def _store(self, connection: int, pixels_id: int, level: int) -> Any:
        mine = self._mine
        if getattr(mine, "connection", None) != connection:
            mine.store = self._connection.session.client.getSession().createRawPixelsStore()
            mine.connection, mine.pixels = connection, None
            self._all.append(mine.store)
        if mine.pixels != (pixels_id, level):
            mine.pixels = None
            mine.store.setPixelsId(pixels_id, False)
            if level:
                # OMERO counts levels from the smallest.
                mine.store.setResolutionLevel(mine.store.getResolutionLevels() - 1 - level)
            mine.pixels = (pixels_id, level)
        return mine.store

    def stop(self) -> None:
        """Stop all waiting for a new connection, or for pixels."""
        self._connection.stop()

    def close(self) -> None:
        for store in self._all:
            with suppress(Exception):  # The server itself closes the stores of a lost connection.
                store.close()
        self._connection.close()
