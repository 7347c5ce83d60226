"""Pixels out of OMERO, tile by tile, with a bounded number of requests on their way."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from omero_image_details import ImageDetails
from omero_session import Session
from tool_errors import UserError

if TYPE_CHECKING:
    import numpy as np

TILE = 1024  # Pixels on a side: at 16 bit 2 MB a request, far below Ice's limit for a message.
THREADS = 4  # Pixel stores open on the server at once.
WINDOW = 16  # Tiles on their way or waiting to be written.

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


@dataclass(frozen=True)
class Tile:
    """A rectangle of one plane; x, y, width, height in pixels."""

    image: ImageDetails
    z: int
    c: int
    t: int
    x: int
    y: int
    width: int
    height: int


def pixel_dtype(image: ImageDetails) -> "np.dtype":
    """The numpy dtype, in native byte order, that holds the image's pixels exactly.

    A "bit" takes a byte, as on the wire.

    Raises:
        UserError: A pixel type that OMERO does not define.
    """
    import numpy as np

    if image.pixel_type not in _DTYPES:
        raise UserError(f"image {image.image_id} {image.name!r}: pixel type {image.pixel_type!r} is not supported.")
    return np.dtype(_DTYPES[image.pixel_type])


def image_tiles(image: ImageDetails, side: int) -> Iterator[Tile]:
    """All tiles of an image in the order of a TIFF with axes TCZYX."""
    for t, c, z in product(range(image.size_t), range(image.size_c), range(image.size_z)):
        for y, x in product(range(0, image.size_y, side), range(0, image.size_x, side)):
            width, height = min(side, image.size_x - x), min(side, image.size_y - y)
            yield Tile(image, z, c, t, x, y, width, height)


def fetch_tiles(session: Session, tiles: Iterable[Tile]) -> Iterator["np.ndarray"]:
    """Fetch tiles with several requests in flight and yield them in order, each (height, width) in native byte order.

    At most `WINDOW` tiles are held at once, and `THREADS` pixel stores are open on the server.

    Raises:
        UserError: The server cannot deliver the pixels of an image.
    """
    stores = _Stores(session)
    pool = ThreadPoolExecutor(THREADS)
    waiting: deque[Future] = deque()
    try:
        for tile in tiles:
            waiting.append(pool.submit(stores.read, tile))
            if len(waiting) >= WINDOW:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        stores.close()


class _Stores:
    """One RawPixelsStore a thread, because a store works on one image and one request at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._mine = threading.local()
        self._all: list[Any] = []

    def read(self, tile: Tile) -> "np.ndarray":
        import numpy as np
        import omero

        image = tile.image
        dtype = pixel_dtype(image)
        try:
            store = self._store(image.pixels_id)
            data = store.getTile(tile.z, tile.c, tile.t, tile.x, tile.y, tile.width, tile.height)
        except (omero.ResourceError, omero.ApiUsageException, omero.InternalException, omero.ValidationException) as e:
            raise UserError(
                f"image {image.image_id} {image.name!r}: OMERO cannot deliver its pixels "
                f"({e.message or type(e).__name__}). Open the image in OMERO; if it does not show, leave it out."
            ) from e
        if len(data) != tile.width * tile.height * dtype.itemsize:
            raise UserError(f"image {image.image_id} {image.name!r}: OMERO sent {len(data)} bytes for a tile {tile}.")
        # OMERO sends pixels big-endian.
        return np.frombuffer(data, dtype.newbyteorder(">")).reshape(tile.height, tile.width).astype(dtype)

    def _store(self, pixels_id: int) -> Any:
        if not hasattr(self._mine, "store"):
            self._mine.store = self._session.client.getSession().createRawPixelsStore()
            self._mine.pixels_id = None
            self._all.append(self._mine.store)
        if self._mine.pixels_id != pixels_id:
            self._mine.store.setPixelsId(pixels_id, False)
            self._mine.pixels_id = pixels_id
        return self._mine.store

    def close(self) -> None:
        for store in self._all:
            with suppress(Exception):  # The server closes what a lost connection leaves.
                store.close()
