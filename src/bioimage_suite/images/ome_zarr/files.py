"""The files of Zarr groups and arrays, written without the library: its calls wait for a thread of its own.

A plate is thousands of small files: with zarr's calls most of the time passed in waiting. What is written is what
zarr 3.1.6 writes, by the specifications of Zarr 2 (https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html) and
Zarr 3 (https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html). A place is a folder on the disk, or one in an
archive (`archive.ArchivePlace`).
"""

from __future__ import annotations

import json
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bioimage_suite.core.in_order import in_order, threads_allowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

LEVEL = 3  # of compression
BITSHUFFLE = 2  # the number of it in Blosc
ABSENT = (1 << 64) - 1
"""Offset and length of a chunk that a shard does not have."""


class Place(Protocol):
    """A folder or a file, on the disk or in an archive."""

    def __truediv__(self, name: str, /) -> Place:
        """Return what has this path in the folder."""
        ...

    def write_bytes(self, data: bytes, /) -> object:
        """Write the file."""
        ...


def write_file(file: Place, content: bytes) -> None:
    """Write a file; its folder is made where it is missing."""
    try:
        file.write_bytes(content)
    except FileNotFoundError:
        if not isinstance(file, Path):
            raise
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def write_group(folder: Place, attributes: Mapping[str, Any], version: str) -> None:
    """Write a group; the version is that of OME-Zarr: 0.4 is in Zarr 2, 0.5 in Zarr 3."""
    if version == "0.4":
        write_file(folder / ".zattrs", _json(attributes))
        write_file(folder / ".zgroup", _json({"zarr_format": 2}))
    else:
        write_file(folder / "zarr.json", _json({"attributes": attributes, "zarr_format": 3, "node_type": "group"}))


@dataclass(frozen=True)
class ArrayFiles:
    """The files of an array, compressed with Blosc; a chunk of zeros has none.

    Attributes:
        folder: Folder of the array.
        version: Version of the OME-Zarr.
        axes: A letter for each axis.
        shape: Length of each axis.
        dtype: numpy type of the elements.
        chunks: Length of a chunk along each axis.
        shards: Length of a shard along each axis, whole chunks; None for a file for each chunk. Only in 0.5.
    """

    folder: Place
    version: str
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None = None

    def write_metadata(self) -> None:
        """Write the description of the array."""
        fill: Any = [0.0, 0.0] if self.dtype.kind == "c" else self.dtype.type(0).item()
        if self.version == "0.4":
            compressor = {"id": "blosc", "cname": "zstd", "clevel": LEVEL, "shuffle": BITSHUFFLE, "blocksize": 0}
            described = {
                "shape": self.shape, "chunks": self.chunks, "dtype": self.dtype.str, "fill_value": fill, "order": "C",
                "filters": None, "dimension_separator": "/", "compressor": compressor, "zarr_format": 2,
            }  # fmt: skip
            write_file(self.folder / ".zattrs", _json({}))
            write_file(self.folder / ".zarray", _json(described))
            return
        described = {
            "shape": self.shape,
            "data_type": self.dtype.name,
            "chunk_grid": _configured("regular", chunk_shape=self.shards or self.chunks),
            "chunk_key_encoding": _configured("default", separator="/"),
            "fill_value": fill,
            "codecs": self._codecs(),
            "attributes": {},
            "dimension_names": list(self.axes),
            "zarr_format": 3,
            "node_type": "array",
            "storage_transformers": [],
        }
        write_file(self.folder / "zarr.json", _json(described))

    def write(self, origin: tuple[int, ...], pixels: np.ndarray) -> None:
        """Write whole chunks or shards.

        Args:
            origin: Place of the first element: the begin of a chunk, or of a shard.
            pixels: Elements up to the end of a chunk or shard, or of the array.
        """
        edges = self.shards or self.chunks
        for index, content in zip(
            _grid(pixels.shape, edges), self._shards(pixels) if self.shards else self._chunks(pixels), strict=True
        ):
            if content is not None:
                at = "/".join(str(first // edge + n) for first, edge, n in zip(origin, edges, index, strict=True))
                write_file(self.folder / (at if self.version == "0.4" else f"c/{at}"), content)

    def _codecs(self) -> list[dict[str, Any]]:
        little = {"name": "bytes", "configuration": {"endian": "little"}}
        plain = little if self.dtype.itemsize > 1 else {"name": "bytes"}
        blosc = _configured(
            "blosc", typesize=self.dtype.itemsize, cname="zstd", clevel=LEVEL, shuffle="bitshuffle", blocksize=0
        )
        if not self.shards:
            return [plain, blosc]
        index = [little, {"name": "crc32c"}]
        return [
            _configured(
                "sharding_indexed", chunk_shape=self.chunks, codecs=[plain, blosc], index_codecs=index,
                index_location="end",
            )
        ]  # fmt: skip

    def _chunks(self, pixels: np.ndarray) -> Iterator[bytes | None]:
        """Yield the compressed chunks of pixels in order."""
        parts = [_part(pixels, index, self.chunks) for index in _grid(pixels.shape, self.chunks)]
        if len(parts) == 1:  # The start of a thread takes longer than a small chunk.
            yield self._chunk(parts[0])
            return
        with ThreadPoolExecutor(threads_allowed()) as pool:
            yield from in_order(pool, (partial(self._chunk, part) for part in parts), threads_allowed())

    def _chunk(self, pixels: np.ndarray) -> bytes | None:
        """Return a compressed chunk; one at the end of an axis is filled up with zeros. None for zeros alone."""
        import numpy as np
        from numcodecs import Blosc, blosc

        if not pixels.any():
            return None
        blosc.use_threads = False  # Threads of its own, which it has in the main thread, write its blocks in any order.
        dtype = self.dtype if self.version == "0.4" else self.dtype.newbyteorder("<")
        if pixels.shape == self.chunks:
            whole = np.ascontiguousarray(pixels, dtype)
        else:
            whole = np.zeros(self.chunks, dtype)
            whole[tuple(slice(length) for length in pixels.shape)] = pixels
        return Blosc("zstd", LEVEL, BITSHUFFLE).encode(whole)  # type: ignore[no-any-return]

    def _shards(self, pixels: np.ndarray) -> Iterator[bytes | None]:
        assert self.shards
        return (self._shard(_part(pixels, index, self.shards)) for index in _grid(pixels.shape, self.shards))

    def _shard(self, pixels: np.ndarray) -> bytes | None:
        """Return the chunks of a shard, then offset and length of each, then the checksum of these."""
        import google_crc32c

        assert self.shards
        found = dict(zip(_grid(pixels.shape, self.chunks), self._chunks(pixels), strict=True))
        parts: list[bytes] = []
        places: list[int] = []
        size = 0
        for index in _grid(self.shards, self.chunks):
            content = found.get(index)
            if content is None:
                places += (ABSENT, ABSENT)
                continue
            places += (size, len(content))
            parts.append(content)
            size += len(content)
        if not parts:
            return None
        table = struct.pack(f"<{len(places)}Q", *places)
        return b"".join([*parts, table, struct.pack("<I", google_crc32c.value(table))])


def _grid(shape: tuple[int, ...], edges: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the index of each chunk that an array of this shape needs."""
    return product(*(range(-(-length // edge)) for length, edge in zip(shape, edges, strict=True)))


def _part(pixels: np.ndarray, index: tuple[int, ...], edges: tuple[int, ...]) -> np.ndarray:
    """Return the chunk of this index, a shorter one at the end of an axis."""
    return pixels[tuple(slice(n * edge, (n + 1) * edge) for n, edge in zip(index, edges, strict=True))]


def _configured(name: str, **configuration: Any) -> dict[str, Any]:
    return {"name": name, "configuration": configuration}


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode()
