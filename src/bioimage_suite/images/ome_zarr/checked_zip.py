"""A Zarr in a zip file of which no member takes more memory than the directory of the zip declares.

zarr unpacks a member at one stroke, so that a zip bomb, which may declare a few bytes, takes all memory before its end.

Import this module only where a Zarr is opened: it imports zarr.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.storage import ZipStore

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype


class CheckedZipStore(ZipStore):
    """The store of zarr, with bounded reading of what is compressed."""

    def _get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        if not self._is_open:
            self._sync_open()
        member = self._zf.NameToInfo.get(key)
        if member is None or member.compress_type == zipfile.ZIP_STORED:
            return super()._get(key, prototype, byte_range)
        with self._zf.open(member) as stream:
            data = stream.read(member.file_size)
        return prototype.buffer.from_bytes(data[_part(byte_range)])


def _part(wanted: ByteRequest | None) -> slice:
    if isinstance(wanted, RangeByteRequest):
        return slice(wanted.start, wanted.end)
    if isinstance(wanted, OffsetByteRequest):
        return slice(wanted.offset, None)
    if isinstance(wanted, SuffixByteRequest):
        return slice(-wanted.suffix, None) if wanted.suffix else slice(0)
    return slice(None)
