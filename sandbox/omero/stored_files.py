"""Where the bytes of an object lie under the server's files folder, and their checksums.

OriginalFile/<id>              files that clients upload by RawFileStore, and tables
Pixels/<id>                    pixels that clients write
ManagedRepository/<path>/...   imported files, under the path and name that their OriginalFile has
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

MANAGED_REPOSITORY = "ManagedRepository"
CHUNK = 1 << 20
MAX_NAME_BYTES = 255  # of a file name on every file system in use


class UnsafePathError(ValueError):
    """A path that leads out of its repository, or that no file can have."""


def repository_folder(files: Path) -> Path:
    """Return the folder of imported files."""
    return files / MANAGED_REPOSITORY


def repository_uuid(server: Any) -> str:
    """The uuid of the managed repository, which OriginalFile.repo has for imported files."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{server.uuid}/ManagedRepository"))


def pixels_path(files: Path, pixels_id: int) -> Path:
    """Return the file of pixels that clients write."""
    return files / "Pixels" / str(pixels_id)


def original_file_path(files: Path, row: Mapping[str, Any]) -> Path:
    """Return the file that an OriginalFile row stands for.

    Raises:
        UnsafePathError: Its path leads out of the repository.
    """
    if row["repo"]:
        return repository_path(files, f"{row['path'] or ''}/{row['name']}")
    return files / "OriginalFile" / str(row["id"])


def repository_path(files: Path, name: str) -> Path:
    """Return the place of a name (parts separated by slashes) in the managed repository.

    Raises:
        UnsafePathError: It leads out of the repository.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in name:
        raise UnsafePathError(f"{name}: leads out of the repository")
    return repository_folder(files).joinpath(*parts)


def safe_parts(client_path: str) -> list[str]:
    """Return the parts of a path as a client gave it, in the way it may be named here.

    Raises:
        UnsafePathError: A part is longer than a file's name may be.
    """
    parts = [part for part in client_path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    for part in parts:
        if len(part.encode()) > MAX_NAME_BYTES:
            raise UnsafePathError(f"{part[:40]}...: longer than {MAX_NAME_BYTES} bytes")
    return [part.replace(":", "_").replace("\0", "_") for part in parts] or ["unnamed"]


def repository_names(client_paths: list[str]) -> list[list[str]]:
    """Return the parts of the names that a fileset's files get below the fileset's own folder.

    One file keeps its name. Several keep their places relative to each other, and the name of the folder
    that they have in common, which is the name of the image for OME-Zarr.
    """
    split = [safe_parts(path) for path in client_paths]
    if len(split) == 1:
        return [split[0][-1:]]
    common = 0
    shortest = min(len(parts) for parts in split)
    while common < shortest - 1 and len({parts[common] for parts in split}) == 1:
        common += 1
    return [parts[max(0, common - 1) :] for parts in split]


def _sha1() -> Any:
    return hashlib.sha1(usedforsecurity=False)


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


class _Rolling:
    """Adler-32 and CRC-32 with the interface of hashlib."""

    def __init__(self, function: Callable[[bytes, int], int], start: int) -> None:
        self.function, self.value = function, start

    def update(self, data: bytes) -> None:
        self.value = self.function(data, self.value)

    def hexdigest(self) -> str:
        return f"{self.value & 0xFFFFFFFF:08x}"


class _Size:
    """OMERO's File-Size-64 with the interface of hashlib."""

    def __init__(self) -> None:
        self.size = 0

    def update(self, data: bytes) -> None:
        self.size += len(data)

    def hexdigest(self) -> str:
        return f"{self.size:016x}"


class _Murmur:
    """Murmur3 with the interface of hashlib; the bytes in Guava's order, in which OMERO writes them."""

    def __init__(self, name: str) -> None:
        import mmh3

        self.hasher = getattr(mmh3, name)()

    def update(self, data: bytes) -> None:
        self.hasher.update(data)

    def hexdigest(self) -> str:
        return self.hasher.digest().hex()


CHECKSUMS: dict[str, Callable[[], Any]] = {
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
        KeyError: The algorithm is not offered.
    """
    digest = CHECKSUMS[algorithm]()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def remove_repository_folder(files: Path, prefix: str) -> None:
    """Remove a fileset's folder with all files, and the folders above it that are empty then."""
    root = repository_folder(files)
    folder = repository_path(files, prefix)
    shutil.rmtree(folder, ignore_errors=True)
    remove_empty_parents(folder.parent, root)


def remove_empty_parents(folder: Path, root: Path) -> None:
    """Remove a folder and the folders above it, up to the root, as long as they are empty."""
    while folder != root and folder.is_relative_to(root):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
