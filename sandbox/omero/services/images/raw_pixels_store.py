"""RawPixelsStore: planes, tiles and other pieces of an image's pixels, big-endian."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.omero import errors
from sandbox.omero.image_files import ImageFileError
from sandbox.omero.objects.access import load_objects, require_edit
from sandbox.omero.repository.pixel_store import PENDING_SHA1, StoredPixels, channel_minmax, sha1_of_pixels
from sandbox.omero.services.images.pyramid import MAX_MESSAGE_BYTES, PyramidService

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# For larger pixels the checksum would make the client's `close` too slow (half a second for 0.5 GB).
MAX_DIGEST_BYTES = 1 << 29
MAX_ARRAY_BYTES = (1 << 31) - 1  # of Java (RomioPixelBuffer.safeLongToInteger)


@contextlib.contextmanager
def bad_values_named() -> Iterator[None]:
    """Translate the errors of the pixel files into OMERO's."""
    try:
        yield
    except (IndexError, ValueError, TypeError) as error:
        if isinstance(error, ImageFileError):
            raise errors.resource(str(error)) from error
        raise errors.api_usage(str(error)) from error
    except OSError as error:
        raise errors.resource(f"The pixels cannot be stored or read: {error}") from error


class RawPixelsStore(PyramidService):
    """The service that reads and writes pieces of pixels."""

    interface = "omero.api.RawPixelsStore"
    writes = True
    modified = False

    def setPixelsId(self, pixels_id: int, _bypass: bool, current: Any) -> None:
        """Switch to other pixels."""
        self._save(current)
        self.open_pixels(pixels_id, current)
        try:
            self.require_ready()
        except Exception:
            self.released()  # as RawPixelsBean.setPixelsId: the next call tries again
            raise

    def getPixelsId(self, _current: Any) -> int:
        """Return the id of the pixels in use."""
        self.opened()
        assert self.pixels is not None
        pixels_id: int = self.pixels["id"]
        return pixels_id

    def getPixelsPath(self, _current: Any) -> str:
        """Refuse: a path on the server means nothing to a client."""
        raise errors.security("Paths on the server are not disclosed")

    def prepare(self, pixels_ids: list[int], current: Any) -> None:
        """Do nothing: there is nothing to prepare."""

    # Sizes and offsets, in bytes.

    def getPlaneSize(self, _current: Any) -> int:
        """Return the number of bytes of a plane."""
        return self.opened().shape.plane_bytes

    def getRowSize(self, _current: Any) -> int:
        """Return the number of bytes of a row."""
        return self.opened().shape.row_bytes

    def getStackSize(self, _current: Any) -> int:
        """Return the number of bytes of all focal planes of a channel."""
        return self.opened().shape.stack_bytes

    def getTimepointSize(self, _current: Any) -> int:
        """Return the number of bytes of all channels of a time point."""
        return self.opened().shape.timepoint_bytes

    def getTotalSize(self, _current: Any) -> int:
        """Return the number of bytes of all pixels."""
        return self.opened().shape.total_bytes

    def getRowOffset(self, y: int, z: int, c: int, t: int, _current: Any) -> int:
        """Return the byte offset of a row."""
        shape = self.opened().shape
        with bad_values_named():
            shape.check_region(0, y, shape.size_x, 1)
            return shape.plane_offset(z, c, t) + y * shape.row_bytes

    def getPlaneOffset(self, z: int, c: int, t: int, _current: Any) -> int:
        """Return the byte offset of a plane."""
        with bad_values_named():
            return self.opened().shape.plane_offset(z, c, t)

    def getStackOffset(self, c: int, t: int, current: Any) -> int:
        """Return the byte offset of a channel."""
        return self.getPlaneOffset(0, c, t, current)

    def getTimepointOffset(self, t: int, current: Any) -> int:
        """Return the byte offset of a time point."""
        return self.getPlaneOffset(0, 0, t, current)

    # Reading.

    def _within_limit(self, size: int, what: str) -> None:
        if size > MAX_MESSAGE_BYTES:
            raise errors.api_usage(
                f"{what} has {size} bytes, more than one message takes ({MAX_MESSAGE_BYTES}): use getTile"
            )

    def _tile(self, z: int, c: int, t: int, x: int, y: int, w: int, h: int) -> bytes:
        source = self.opened()
        self._within_limit(w * h * source.shape.wire_type.itemsize, "The region")
        with bad_values_named():
            tile = source.read_tile(self.level, z, c, t, x, y, w, h)
            return tile.astype(source.shape.wire_type, copy=False).tobytes()

    def getTile(self, z: int, c: int, t: int, x: int, y: int, w: int, h: int, _current: Any) -> bytes:
        """Return a region of a plane."""
        return self._tile(z, c, t, x, y, w, h)

    def getPlane(self, z: int, c: int, t: int, _current: Any) -> bytes:
        """Return a whole plane, in the size in use; refuse one that is too large with OMERO's two exceptions."""
        source = self.opened()
        width, height = source.level_sizes[self.level]
        size = width * height * source.shape.wire_type.itemsize
        if size > MAX_ARRAY_BYTES:
            raise errors.api_usage(f"Converting Long {size} to Integer is an overflow. Use getTile.")
        if size > MAX_MESSAGE_BYTES:
            raise errors.beyond_message(size, MAX_MESSAGE_BYTES)
        return self._tile(z, c, t, 0, 0, width, height)

    def getRow(self, y: int, z: int, c: int, t: int, _current: Any) -> bytes:
        """Return one row."""
        return self._tile(z, c, t, 0, y, self.opened().level_sizes[self.level][0], 1)

    def getCol(self, x: int, z: int, c: int, t: int, _current: Any) -> bytes:
        """Return one column."""
        return self._tile(z, c, t, x, 0, 1, self.opened().level_sizes[self.level][1])

    def getStack(self, c: int, t: int, _current: Any) -> bytes:
        """Return all focal planes of a channel."""
        shape = self.opened().shape
        return self._cube((0, 0, 0, c, t), (shape.size_x, shape.size_y, shape.size_z, 1, 1))

    def getTimepoint(self, t: int, _current: Any) -> bytes:
        """Return all channels of a time point."""
        shape = self.opened().shape
        return self._cube((0, 0, 0, 0, t), (shape.size_x, shape.size_y, shape.size_z, shape.size_c, 1))

    def getHypercube(self, offset: Sequence[int], size: Sequence[int], step: Sequence[int], _current: Any) -> bytes:
        """Return a block in x, y, z, c and t, every `step`-th of each; x runs fastest."""
        for name, values in (("offset", offset), ("size", size), ("step", step)):
            if values is None or len(values) != 5:
                raise errors.api_usage(f"{name} has to have five values: x, y, z, c, t")
        return self._cube(tuple(offset), tuple(size), tuple(step))

    def _cube(self, offset: Sequence[int], size: Sequence[int], step: Sequence[int] = (1, 1, 1, 1, 1)) -> bytes:
        shape = self.opened().shape
        if min(size) < 1 or min(step) < 1:
            raise errors.api_usage("size and step have to be at least 1")
        item = shape.wire_type.itemsize
        counts = [-(-extent // every) for extent, every in zip(size, step, strict=True)]
        total = item
        for count in counts:
            total *= count
        self._within_limit(total, "The block")
        x, y, z, c, t = offset
        for name, start, extent, limit in zip(
            "zct", offset[2:], size[2:], (shape.size_z, shape.size_c, shape.size_t), strict=True
        ):
            if start < 0 or start + extent > limit:
                raise errors.api_usage(f"{name}={start}..{start + extent - 1} is outside 0..{limit - 1}")
        source, parts = self.opened(), []
        with bad_values_named():
            for time in range(t, t + size[4], step[4]):
                for channel in range(c, c + size[3], step[3]):
                    for plane in range(z, z + size[2], step[2]):
                        tile = source.read_tile(self.level, plane, channel, time, x, y, size[0], size[1])
                        parts.append(tile[:: step[1], :: step[0]].astype(shape.wire_type).tobytes())
        return b"".join(parts)

    def getPlaneRegion(self, z: int, c: int, t: int, count: int, offset: int, _current: Any) -> bytes:
        """Return `count` pixels of a plane, from the `offset`-th on."""
        shape = self.opened().shape
        if count < 0 or offset < 0 or offset + count > shape.size_x * shape.size_y:
            raise errors.api_usage(f"{count} pixels from {offset} on are not inside the plane")
        first, last = offset // shape.size_x, -(-(offset + count) // shape.size_x)
        if count == 0:
            return b""
        rows = self._tile(z, c, t, 0, first, shape.size_x, last - first)
        item = shape.wire_type.itemsize
        start = (offset - first * shape.size_x) * item
        return rows[start : start + count * item]

    def getRegion(self, size: int, offset: int, _current: Any) -> bytes:
        """Return bytes of all pixels in the order XYZCT."""
        self._within_limit(size, "The region")
        with bad_values_named():
            return self._writable().read_bytes(offset, size)

    # Writing.

    def _writable(self) -> StoredPixels:
        source = self.opened()
        if not isinstance(source, StoredPixels):
            raise errors.api_usage("These pixels come from an imported file: they are read by plane or tile only")
        return source

    def _editable(self, current: Any) -> StoredPixels:
        source = self._writable()
        assert self.pixels is not None
        require_edit(self.context(current), "Pixels", self.pixels)
        self.modified = True
        return source

    def setTile(self, data: bytes, z: int, c: int, t: int, x: int, y: int, w: int, h: int, current: Any) -> None:
        """Write a region of a plane."""
        source = self._editable(current)
        with bad_values_named():
            source.write_tile(data, z, c, t, x, y, w, h)

    def setPlane(self, data: bytes, z: int, c: int, t: int, current: Any) -> None:
        """Write a plane."""
        shape = self.opened().shape
        self.setTile(data, z, c, t, 0, 0, shape.size_x, shape.size_y, current)

    def setRow(self, data: bytes, y: int, z: int, c: int, t: int, current: Any) -> None:
        """Write a row."""
        self.setTile(data, z, c, t, 0, y, self.opened().shape.size_x, 1, current)

    def setStack(self, data: bytes, _z: int, c: int, t: int, current: Any) -> None:
        """Write all focal planes of a channel."""
        self._set_bytes(self.getStackOffset(c, t, current), data, self.opened().shape.stack_bytes, current)

    def setTimepoint(self, data: bytes, t: int, current: Any) -> None:
        """Write all channels of a time point."""
        offset = self.getTimepointOffset(t, current)
        self._set_bytes(offset, data, self.opened().shape.timepoint_bytes, current)

    def setRegion(self, size: int, offset: int, data: bytes, current: Any) -> None:
        """Write bytes of all pixels in the order XYZCT."""
        self._set_bytes(offset, data, size, current)

    def _set_bytes(self, offset: int, data: bytes, size: int, current: Any) -> None:
        source = self._editable(current)
        if len(data) != size:
            raise errors.api_usage(f"{len(data)} bytes given where {size} are expected")
        with bad_values_named():
            source.write_bytes(offset, data)

    # Facts about the pixels.

    def getByteWidth(self, _current: Any) -> int:
        """Return the number of bytes of a pixel."""
        return self.opened().shape.wire_type.itemsize

    def isSigned(self, _current: Any) -> bool:
        """Return whether pixels may be negative."""
        return self.opened().shape.wire_type.kind != "u"

    def isFloat(self, _current: Any) -> bool:
        """Return whether pixels are floating point numbers."""
        return self.opened().shape.wire_type.kind == "f"

    def calculateMessageDigest(self, _current: Any) -> bytes:
        """Return the SHA-1 of all pixels."""
        with bad_values_named():
            return sha1_of_pixels(self.opened())

    def findMinMax(self, channels: Sequence[int], _current: Any) -> dict[int, list[float]]:
        """Return minimum and maximum of channels; of a pyramid, those of its smallest size."""
        source = self.opened()
        with bad_values_named():
            found = channel_minmax(source, len(source.level_sizes) - 1)
            return {c: list(found[c]) for c in self._channels(channels)}

    def getHistogram(
        self, channels: Sequence[int], bins: int, global_range: bool, plane: Any, _current: Any
    ) -> dict[int, list[int]]:
        """Return the number of pixels of a plane in each of `bins` equal parts of the channel's range."""
        source = self.opened()
        if not 1 <= bins <= 1 << 16:
            raise errors.api_usage(f"binCount {bins} is not in 1..65536")
        z, t = (plane.z, plane.t) if plane is not None else (0, 0)
        level = len(source.level_sizes) - 1
        width, height = source.level_sizes[level]
        result = {}
        with bad_values_named():
            extremes = channel_minmax(source, level) if global_range else None
            for c in self._channels(channels):
                tile: np.ndarray = source.read_tile(level, z, c, t, 0, 0, width, height)
                span = extremes[c] if extremes else (float(tile.min()), float(tile.max()))
                result[c] = [int(n) for n in np.histogram(tile, bins, span)[0]]
        return result

    def _channels(self, channels: Sequence[int] | None) -> list[int]:
        count = self.opened().shape.size_c
        chosen = list(channels) if channels else list(range(count))
        for c in chosen:
            if not 0 <= c < count:
                raise errors.api_usage(f"c={c} is outside 0..{count - 1}")
        return chosen

    # The end.

    def _save(self, current: Any) -> bool:
        if not self.modified or self.pixels is None or self.source is None:
            return False
        small = self.source.shape.total_bytes <= MAX_DIGEST_BYTES
        digest = sha1_of_pixels(self.source).hex() if small else PENDING_SHA1
        with self.server.database.write(self.context(current)) as tx:
            if tx.get("Pixels", self.pixels["id"]) is not None:
                tx.update("Pixels", self.pixels["id"], sha1=digest)
        self.modified = False
        return True

    def save(self, current: Any) -> Any:
        """Record the checksum of what was written; return the Pixels, or None if nothing was written."""
        if not self._save(current):
            return None
        assert self.pixels is not None
        return load_objects(self.server.database, self.context(current), "Pixels", [self.pixels["id"]])[0]

    def close(self, current: Any = None) -> None:
        """Save, and end the service."""
        try:
            self._save(current)
        finally:
            super().close(current)
