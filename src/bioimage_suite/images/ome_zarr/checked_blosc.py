"""Chunks of Zarr that blosc compressed: the lengths that each states are compared with its bytes before it is decoded.

The decoder trusts these lengths. What is missing of a chunk that was cut short it takes from elsewhere in memory: the
pixels would be wrong without a word. The comparisons are those of `blosc_cbuffer_validate` of c-blosc 1.21, which zarr
does not call. The header (c-blosc, README_CHUNK_FORMAT.rst) has 16 bytes: version, version of the codec, flags, size
of an item, then, little-endian, the bytes of the chunk decoded, of a block, and of the chunk as it is.

Import this module only where a Zarr is opened: it imports zarr.
"""

from __future__ import annotations

import functools
import math
import struct
from typing import TYPE_CHECKING, Any

import numcodecs
import zarr
from zarr.codecs import BloscCodec

if TYPE_CHECKING:
    from zarr.core.array_spec import ArraySpec
    from zarr.core.buffer import Buffer

HEADER = struct.Struct("<BBBBIII")
MAX_DECODED = 1 << 30
COPIED = 0x2  # flag: the bytes follow the header as they are


def check_chunk(chunk: Any, decoded: int | None = None) -> None:
    """Compare the lengths in the header of a chunk with its bytes.

    Args:
        chunk: The bytes, of any kind that has the buffer protocol.
        decoded: Bytes that the chunk has once decoded, where known.

    Raises:
        ValueError: They do not agree, or the chunk would take more than a gigabyte.
    """
    data = memoryview(chunk).cast("B")
    if len(data) < HEADER.size:
        raise ValueError(f"a chunk of blosc has {len(data)} bytes, its header alone has {HEADER.size}")
    _, _, flags, item, whole, block, stored = HEADER.unpack(data[: HEADER.size])
    if stored != len(data):
        raise ValueError(f"a chunk of blosc has {len(data)} bytes, its header says {stored}")
    if whole > MAX_DECODED or (decoded is not None and whole != decoded):
        raise ValueError(f"a chunk of blosc says that it unpacks to {whole:,} bytes, not {decoded or MAX_DECODED:,}")
    if whole and (not item or not 0 < block <= whole):
        raise ValueError(f"a chunk of blosc of {whole} bytes says that it has blocks of {block}")
    if flags & COPIED and stored != whole + HEADER.size:
        raise ValueError(f"a chunk of blosc of {stored} bytes says that it holds {whole} as they are")


class CheckedBlosc(numcodecs.Blosc):  # type: ignore[misc]
    """Blosc of Zarr 2."""

    codec_id = "blosc"

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decode a chunk whose lengths agree."""
        check_chunk(numcodecs.compat.ensure_contiguous_ndarray(buf))
        return super().decode(buf, out)


class CheckedBloscCodec(BloscCodec):
    """Blosc of Zarr 3."""

    def _decode_sync(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer:
        item = chunk_spec.dtype.to_native_dtype().itemsize
        check_chunk(chunk_bytes.as_numpy_array(), math.prod(chunk_spec.shape) * item)
        return super()._decode_sync(chunk_bytes, chunk_spec)


@functools.cache
def use_checked_blosc() -> None:
    """Let zarr decode blosc by these classes from now on, in this process."""
    numcodecs.register_codec(CheckedBlosc)
    zarr.registry.register_codec("blosc", CheckedBloscCodec)
    name = f"{CheckedBloscCodec.__module__}.{CheckedBloscCodec.__qualname__}"
    zarr.config.set({"codecs.blosc": name})
