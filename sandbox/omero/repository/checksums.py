"""OMERO's checksum algorithms, and the checksum of a file.

Numbers of 32 and 64 bits are written with their lowest byte first, as Guava's HashCode does (omero-common,
ome/util/checksum: FileSizeChecksumProviderImpl.java, and the expected values in CRC32-, Adler32- and
FileSizeChecksumProviderImplTest.java).
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHUNK = 1 << 20


class Digest(Protocol):
    """The interface of a checksum algorithm, as in hashlib."""

    def update(self, data: bytes, /) -> None:
        """Take more data."""

    def hexdigest(self) -> str:
        """Return the checksum so far: hexadecimal, lower case."""


def _sha1() -> Digest:
    return hashlib.sha1(usedforsecurity=False)


def _md5() -> Digest:
    return hashlib.md5(usedforsecurity=False)


class _Rolling:
    """Adler-32 and CRC-32 with the interface of hashlib."""

    def __init__(self, function: Callable[[bytes, int], int], start: int) -> None:
        self.function, self.value = function, start

    def update(self, data: bytes) -> None:
        self.value = self.function(data, self.value)

    def hexdigest(self) -> str:
        return (self.value & 0xFFFFFFFF).to_bytes(4, "little").hex()


class _Size:
    """OMERO's File-Size-64 with the interface of hashlib."""

    def __init__(self) -> None:
        self.size = 0

    def update(self, data: bytes) -> None:
        self.size += len(data)

    def hexdigest(self) -> str:
        return self.size.to_bytes(8, "little").hex()


class _Murmur:
    """Murmur3 with the interface of hashlib; the bytes are in Guava's order, as OMERO writes them."""

    def __init__(self, name: str) -> None:
        import mmh3

        self.hasher = getattr(mmh3, name)()

    def update(self, data: bytes) -> None:
        self.hasher.update(data)

    def hexdigest(self) -> str:
        digest: bytes = self.hasher.digest()
        return digest.hex()


CHECKSUMS: dict[str, Callable[[], Digest]] = {
    "SHA1-160": _sha1,
    "MD5-128": _md5,
    "Murmur3-128": lambda: _Murmur("mmh3_x64_128"),
    "Murmur3-32": lambda: _Murmur("mmh3_32"),
    "CRC-32": lambda: _Rolling(zlib.crc32, 0),
    "Adler-32": lambda: _Rolling(zlib.adler32, 1),
    "File-Size-64": _Size,
}
"""OMERO's checksum algorithms (ChecksumAlgorithm), the preferred first (omero.checksum.supported)."""


def checksum(path: Path, algorithm: str = "SHA1-160") -> str:
    """Return the checksum of a file as OMERO writes it: hexadecimal, lower case.

    Raises:
        KeyError: There is no such algorithm.
    """
    digest = CHECKSUMS[algorithm]()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()
