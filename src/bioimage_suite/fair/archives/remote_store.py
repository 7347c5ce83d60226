"""A read-only Zarr store over HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from urllib.parse import quote

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.archives.http import TRANSIENT, ServerError, Web, open_url, read_answer

# Tries of a request; between them pass 1, 2 and 4 seconds, in which a server may start anew.
_TRIES = 4


class RemoteStore(Store):
    """The files below an address, for reading: every request passes `http`.

    Attributes:
        travelled: Number of bytes that were transferred.
    """

    supports_writes = supports_deletes = supports_listing = False

    def __init__(self, web: Web, address: str, limit: int) -> None:
        super().__init__(read_only=True)
        self._web = web
        self._address = address
        self._limit = limit
        self.travelled = 0
        self._away: ServerError | None = None

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def _fetch(self, key: str, byte_range: ByteRequest | None) -> bytes | None:
        for attempt in range(_TRIES):
            if self._away:  # One request has waited long enough; the others of an image shall not wait as long anew.
                raise self._away
            try:
                return self._fetch_once(key, byte_range)
            except ServerError as error:
                if attempt == _TRIES - 1:
                    self._away = error
                    raise
                time.sleep(2.0**attempt)
        return None

    def _fetch_once(self, key: str, byte_range: ByteRequest | None) -> bytes | None:
        url = f"{self._address}/{quote(key)}"
        headers = {"Accept-Encoding": "identity"} | _header(byte_range)
        with open_url(self._web, url, headers=headers) as response:
            # Object stores answer 403 for missing keys when listing is not public.
            if response.status_code in {403, 404}:
                return None
            if response.status_code in TRANSIENT:
                raise ServerError(
                    f"image {self._address}: the server answers status {response.status_code}. Try again later."
                )
            if response.status_code not in {200, 206}:
                raise UserError(f"image {self._address}: the server answers status {response.status_code} to {key}.")
            data = read_answer(self._web, response, self._limit - self.travelled)
        self.travelled += len(data)
        return _cut(data, byte_range) if byte_range and response.status_code == 200 else data

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return a file or a part of it; None where there is no such file."""
        data = await asyncio.to_thread(self._fetch, key, byte_range)
        return None if data is None else prototype.buffer.from_bytes(data)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of files: see `get`."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """Return whether there is such a file."""
        return await asyncio.to_thread(self._fetch, key, None) is not None

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse to write."""
        raise NotImplementedError

    async def delete(self, key: str) -> None:
        """Refuse to delete."""
        raise NotImplementedError

    async def list(self) -> AsyncIterator[str]:
        """Yield nothing: a web server does not list its files."""
        for key in tuple[str, ...]():
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Yield nothing: see `list`."""
        async for key in self.list():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Yield nothing: see `list`."""
        async for key in self.list_prefix(prefix):
            yield key


def _header(byte_range: ByteRequest | None) -> dict[str, str]:
    if isinstance(byte_range, RangeByteRequest):
        return {"Range": f"bytes={byte_range.start}-{byte_range.end - 1}"}
    if isinstance(byte_range, OffsetByteRequest):
        return {"Range": f"bytes={byte_range.offset}-"}
    if isinstance(byte_range, SuffixByteRequest):
        return {"Range": f"bytes=-{byte_range.suffix}"}
    return {}


def _cut(data: bytes, byte_range: ByteRequest) -> bytes:
    """Cut the range out of a whole file: a server may ignore Range requests (RFC 9110, 14.2)."""
    if isinstance(byte_range, RangeByteRequest):
        return data[byte_range.start : byte_range.end]
    if isinstance(byte_range, OffsetByteRequest):
        return data[byte_range.offset :]
    return data[-byte_range.suffix :]
