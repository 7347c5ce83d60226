"""Original files of images, by fileset: found, downloaded and checked against OMERO's checksums."""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.files.restrictions import refused_download
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.reconnect import Connection, is_broken
from bioimage_suite.omero.session import Session


@dataclass(frozen=True)
class OriginalFile:
    """A file in OMERO: `name` is its path within the fileset, `size` in bytes, `checksum` by OMERO's `algorithm`."""

    file_id: int
    name: str
    size: int
    algorithm: str | None
    checksum: str | None


@dataclass(frozen=True)
class Fileset:
    """Files that were imported together, in OMERO's order (the first is the one to open), and the images they hold."""

    fileset_id: int
    files: tuple[OriginalFile, ...]
    images: tuple[int, ...]


class _Rolling:
    """An Adler-32 or CRC-32 of zlib with the interface of hashlib.

    OMERO writes the lowest byte first, as Guava's HashCode (omero-common: CRC32ChecksumProviderImplTest.java).
    """

    def __init__(self, function: Callable[[bytes, int], int], start: int) -> None:
        self._function, self._value = function, start

    def update(self, data: bytes) -> None:
        self._value = self._function(data, self._value)

    def hexdigest(self) -> str:
        return (self._value & 0xFFFFFFFF).to_bytes(4, "little").hex()


_ALGORITHMS: dict[str, Callable[[], Any]] = {
    "SHA1-160": lambda: hashlib.sha1(usedforsecurity=False),
    "MD5-128": lambda: hashlib.md5(usedforsecurity=False),
    "Adler-32": lambda: _Rolling(zlib.adler32, 1),
    "CRC-32": lambda: _Rolling(zlib.crc32, 0),
}
"""Checksum functions by OMERO's name (ChecksumAlgorithm). Murmur hashes are not checked; the size always is."""


def load_filesets(session: Session, fileset_ids: Sequence[int]) -> list[Fileset]:
    """Load filesets with their files and all images they hold, ordered by id; two queries per 1,000 filesets.

    Raises:
        UserError: A file's path in OMERO leads out of its fileset.
    """
    images: dict[int, list[int]] = {}
    files: dict[int, list[list[Any]]] = {}
    wanted = sorted(set(fileset_ids))
    for ids in batches(wanted):
        hql = "select i.fileset.id, i.id from Image i where i.fileset.id in (:ids) order by i.id"
        for fileset_id, image_id in session.rows(hql, ids=ids):
            images.setdefault(fileset_id, []).append(image_id)
        hql = (
            "select f.id, o.id, o.path, o.name, o.size, h.value, o.hash from FilesetEntry e join e.fileset f "
            "join e.originalFile o left outer join o.hasher h where f.id in (:ids) order by e.id"
        )
        for row in session.rows(hql, ids=ids):
            files.setdefault(row[0], []).append(row[1:])
    return [Fileset(number, tuple(_named(files.get(number, []))), tuple(images.get(number, ()))) for number in wanted]


def download(connection: Connection, file: OriginalFile, target: IO[bytes]) -> str:
    """Download a file to an open stream; resume at the same byte when the connection breaks.

    Returns:
        How the file was checked: the algorithm, or "size" where OMERO has no checksum that this tool can compute.

    Raises:
        UserError: OMERO cannot deliver the file or does not allow its download, or the bytes differ from those that
            were imported.
    """
    digest = _ALGORITHMS[file.algorithm]() if file.algorithm in _ALGORITHMS and file.checksum else None
    received = 0
    for block in _blocks(connection, file):
        target.write(block)
        received += len(block)
        if digest is not None:
            digest.update(block)
    if received != file.size:
        raise UserError(f"file {file.file_id} {file.name!r}: OMERO sent {received} of {file.size} bytes. Run again.")
    if digest is None:
        return "size"
    if digest.hexdigest() != (file.checksum or "").lower():
        raise UserError(
            f"file {file.file_id} {file.name!r}: its {file.algorithm} is {digest.hexdigest()}, but {file.checksum} in "
            "OMERO. Run again; if it stays so, the file in OMERO is damaged."
        )
    return file.algorithm or ""


def _blocks(connection: Connection, file: OriginalFile) -> Iterator[bytes]:
    position, store, opened = 0, None, -1
    try:
        while position < file.size:
            number = connection.number
            used = opened == number
            try:
                if not used:
                    store = connection.session.client.getSession().createRawFileStore()
                    store.setFileId(file.file_id)
                    opened = number
                assert store is not None
                block = _read(store, file, position, connection.block)
            except UserError:
                if not used:
                    raise
                # Ice repeats a call by itself where the line broke, and meets the store as the server empties it.
                opened = -1
                continue
            except Exception as error:
                if not is_broken(error):
                    raise
                connection.renew(number, error)
                continue
            if not block:
                return
            connection.progress()
            position += len(block)
            yield block
    finally:
        with suppress(Exception):  # The server itself closes the stores of a lost connection.
            if store is not None:
                store.close()


def _read(store: Any, file: OriginalFile, position: int, most: int) -> bytes:
    import omero

    try:
        found: bytes = store.read(position, min(most, file.size - position))
    except omero.SecurityViolation as error:
        raise refused_download(error, f"file {file.file_id} {file.name!r}") from error
    except (omero.ResourceError, omero.ApiUsageException, omero.InternalException, omero.ValidationException) as error:
        reason = error.message or type(error).__name__
        raise UserError(
            f"file {file.file_id} {file.name!r}: OMERO cannot deliver it ({reason}). Look for it on the server."
        ) from error
    return found


def _named(rows: Sequence[Sequence[Any]]) -> Iterator[OriginalFile]:
    """Yield the files of a fileset, each named by its path below the deepest folder that contains all of them."""
    paths = [PurePosixPath(row[1] or "", row[2]) for row in rows]
    shared = _shared_folder(paths)
    for row, path in zip(rows, paths, strict=True):
        name = path.relative_to(shared)
        if ".." in name.parts or name.is_absolute():
            raise UserError(f"file {row[0]} {path}: its path in OMERO leads out of its fileset. Leave the image out.")
        yield OriginalFile(row[0], str(name), int(row[3] or 0), row[4], row[5])


def _shared_folder(paths: Sequence[PurePosixPath]) -> PurePosixPath:
    shared = paths[0].parent if paths else PurePosixPath()
    while any(shared not in path.parents for path in paths):
        shared = shared.parent
    return shared
