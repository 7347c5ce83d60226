"""Codecs of Zarr for files of strangers: chunks unpack to no more than they may hold.

A chunk of a few kilobytes can unpack to gigabytes: gzip, zlib, bz2 and lzma are unpacked up to a bound and not further;
what zstd, lz4 and blosc unpack to is read from their headers first. Of Zarr 3 the bound is what the array says that a
chunk holds, of Zarr 2 a gigabyte.

Import this module only where a Zarr is opened: it imports zarr.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import math
import zlib
from typing import TYPE_CHECKING, Any

import numcodecs
import zarr
from numcodecs.compat import ensure_bytes, ndarray_copy
from zarr.codecs import GzipCodec, ZstdCodec

from bioimage_suite.images.ome_zarr.checked_blosc import MAX_DECODED, use_checked_blosc

if TYPE_CHECKING:
    from zarr.core.array_spec import ArraySpec
    from zarr.core.buffer import Buffer

ROOM = 1 << 10
"""Bytes that a chunk may have beside its items: checksums of other codecs."""
ZSTD_BLOCK = 1 << 17
"""Bytes that a block of zstd unpacks to, at most (RFC 8878, 3.1.1.2.4)."""
ZSTD_MAGIC, ZSTD_SKIPPED = 0xFD2FB528, 0x184D2A50


def read_bounded(stream: io.BufferedIOBase, bound: int) -> bytes:
    """Read what is unpacked, at most so many bytes.

    Raises:
        ValueError: There is more, or the data end too early or are damaged.
    """
    try:
        found = stream.read(bound + 1)
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise ValueError(f"a chunk cannot be unpacked: {error}") from error
    if len(found) > bound:
        raise ValueError(f"a chunk of the array unpacks to more than {bound:,} bytes")
    return found


def unzip_zlib(data: bytes, bound: int) -> bytes:
    """Unpack zlib to at most so many bytes.

    Raises:
        ValueError: As `read_bounded`.
    """
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(data, bound + 1)
    except zlib.error as error:
        raise ValueError(f"a chunk cannot be unpacked: {error}") from error
    if len(found) > bound:
        raise ValueError(f"a chunk of the array unpacks to more than {bound:,} bytes")
    if not unpacking.eof:
        raise ValueError("a chunk cannot be unpacked: it ends too early")
    return found


def zstd_size(data: bytes) -> int:
    """Return the bytes that a chunk of zstd unpacks to, at most (RFC 8878, 3.1.1).

    They are those that its frames state; of a frame that states none, those of its blocks if each were full.

    Raises:
        ValueError: The data are no frames of zstd, or end within one.
    """
    at, found = 0, 0
    while at < len(data):
        magic = int.from_bytes(_taken(data, at, 4), "little")
        if magic & ~0xF == ZSTD_SKIPPED:
            at += 8 + int.from_bytes(_taken(data, at + 4, 4), "little")
            continue
        if magic != ZSTD_MAGIC:
            raise ValueError("a chunk of zstd does not begin as one")
        said, at, checksum = _zstd_header(data, at + 4)
        at, blocks = _after_blocks(data, at)
        at += 4 * checksum
        found += blocks * ZSTD_BLOCK if said is None else said
    return found


def _taken(data: bytes, at: int, count: int) -> bytes:
    part = data[at : at + count]
    if len(part) < count:
        raise ValueError("a chunk of zstd ends too early")
    return part


def _zstd_header(data: bytes, at: int) -> tuple[int | None, int, bool]:
    """Return the size that a frame states, if it does, where its blocks begin, and whether a checksum follows them."""
    flags = _taken(data, at, 1)[0]
    alone = bool(flags & 0x20)  # one segment: no size of a window, and the frame states its size
    at += 1 + (not alone) + (0, 1, 2, 4)[flags & 3]
    length = (int(alone), 2, 4, 8)[flags >> 6]
    size = int.from_bytes(_taken(data, at, length), "little") + (256 if length == 2 else 0)
    return size if length else None, at + length, bool(flags & 4)


def _after_blocks(data: bytes, at: int) -> tuple[int, int]:
    """Return where the blocks of a frame end, and how many they are."""
    count, last = 0, False
    while not last:
        header = int.from_bytes(_taken(data, at, 3), "little")
        last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        at += 3 + (1 if kind == 1 else size)  # the second kind is one byte, repeated
        count += 1
    return at, count


def check_zstd(data: bytes, bound: int) -> None:
    """Refuse a chunk of zstd that may unpack to more bytes.

    Raises:
        ValueError: It may, or it is damaged.
    """
    size = zstd_size(data)
    if size > max(bound, ZSTD_BLOCK):
        raise ValueError(f"a chunk of the array unpacks to {size:,} bytes, not {bound:,}")


def chunk_bound(spec: ArraySpec) -> int:
    """Return the bytes that a chunk of Zarr 3 holds, with room for checksums."""
    return math.prod(spec.shape) * spec.dtype.to_native_dtype().itemsize + ROOM


class CheckedGZip(numcodecs.GZip):  # type: ignore[misc]
    """Gzip of Zarr 2."""

    codec_id = "gzip"

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Unpack at most a gigabyte."""
        with gzip.GzipFile(fileobj=io.BytesIO(ensure_bytes(buf))) as stream:
            return ndarray_copy(read_bounded(stream, MAX_DECODED), out)


class CheckedZlib(numcodecs.Zlib):  # type: ignore[misc]
    """Zlib of Zarr 2."""

    codec_id = "zlib"

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Unpack at most a gigabyte."""
        return ndarray_copy(unzip_zlib(ensure_bytes(buf), MAX_DECODED), out)


class CheckedBZ2(numcodecs.BZ2):  # type: ignore[misc]
    """Bz2 of Zarr 2."""

    codec_id = "bz2"

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Unpack at most a gigabyte."""
        with bz2.BZ2File(io.BytesIO(ensure_bytes(buf))) as stream:
            return ndarray_copy(read_bounded(stream, MAX_DECODED), out)


class CheckedLZMA(numcodecs.LZMA):  # type: ignore[misc]
    """Lzma of Zarr 2."""

    codec_id = "lzma"

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Unpack at most a gigabyte."""
        data = io.BytesIO(ensure_bytes(buf))
        with lzma.LZMAFile(data, format=self.format, filters=self.filters) as stream:
            return ndarray_copy(read_bounded(stream, MAX_DECODED), out)


class CheckedZstd(numcodecs.Zstd):  # type: ignore[misc]
    """Zstd of Zarr 2."""

    codec_id = "zstd"

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Unpack what takes at most a gigabyte."""
        check_zstd(ensure_bytes(buf), MAX_DECODED)
        return super().decode(buf, out)


class CheckedLZ4(numcodecs.LZ4):  # type: ignore[misc]
    """Lz4 of Zarr 2, whose first four bytes are the size of what it unpacks to."""

    codec_id = "lz4"

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Unpack what takes at most a gigabyte."""
        size = int.from_bytes(ensure_bytes(buf)[:4], "little")
        if size > MAX_DECODED:
            raise ValueError(f"a chunk of the array unpacks to {size:,} bytes, not {MAX_DECODED:,}")
        return super().decode(buf, out)


class CheckedGzipCodec(GzipCodec):
    """Gzip of Zarr 3."""

    def _decode_sync(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer:
        with gzip.GzipFile(fileobj=io.BytesIO(chunk_bytes.to_bytes())) as stream:
            return chunk_spec.prototype.buffer.from_bytes(read_bounded(stream, chunk_bound(chunk_spec)))


class CheckedZstdCodec(ZstdCodec):
    """Zstd of Zarr 3."""

    def _decode_sync(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer:
        check_zstd(chunk_bytes.to_bytes(), chunk_bound(chunk_spec))
        return super()._decode_sync(chunk_bytes, chunk_spec)


@functools.cache
def use_checked_codecs() -> None:
    """Let zarr decode by these classes from now on, in this process."""
    use_checked_blosc()
    checked = (CheckedGZip, CheckedZlib, CheckedBZ2, CheckedLZMA, CheckedZstd, CheckedLZ4)
    for codec in checked:
        numcodecs.register_codec(codec)
    for name, found in (("gzip", CheckedGzipCodec), ("zstd", CheckedZstdCodec)):
        zarr.registry.register_codec(name, found)
        zarr.config.set({f"codecs.{name}": f"{found.__module__}.{found.__qualname__}"})
