"""An OME-Zarr in one file, `.ozx`: a folder packed into it, or groups and arrays written straight into it.

RFC-9 (https://ngff.openmicroscopy.org/rfc/9/) specifies a zip without compression whose first entry is the metadata of
the root, and whose central directory lists all metadata first, top level first.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from zarr.core.buffer import Buffer
    from zarr.storage import StorePath

METADATA = {"zarr.json", ".zgroup", ".zattrs", ".zarray"}


def pack(folder: Path, archive: Path, version: str = "0.5") -> None:
    """Pack an OME-Zarr folder into one `.ozx` file.

    Args:
        folder: The OME-Zarr; its content is at the root of the archive.
        archive: File to write.
        version: Version that the archive's comment names.
    """
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda p: _place(p.relative_to(folder)))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED, allowZip64=True) as out:
        for path in files:
            entry = _entry(path.relative_to(folder).as_posix())
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, out.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        out.comment = _comment(version)


class ArchiveWriter:
    """Writer of an `.ozx` file without a folder: a plate of 384 wells is thousands of files, which take long to make.

        with ArchiveWriter(path) as archive:
            write_plate(archive.root, plate)
            archive.store_metadata()
            with PyramidWriter(archive.root / "A/1/0", image) as writer:
                writer.write(plane)
                archive.store_chunks()

    zarr writes into a dictionary in memory; `store_chunks` moves what it has written to the file, so that memory holds
    the chunks of one call and all metadata.
    """

    def __init__(self, path: Path, version: str = "0.5") -> None:
        """Create the file.

        Args:
            path: File to write; it is removed if the block ends with an exception.
            version: Version that the archive's comment names.
        """
        from zarr.storage import MemoryStore, StorePath

        self._path, self._version = path, version
        self._entries = _Entries()
        self._stored: dict[str, bytes] = {}
        self.root: StorePath = StorePath(MemoryStore(self._entries))
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True)

    def __enter__(self) -> ArchiveWriter:
        """Return the writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left and the central directory; remove the file after an exception."""
        try:
            if kind is None:
                self.store_chunks()
                self.store_metadata()
                self._zip.filelist.sort(key=lambda entry: _place(PurePosixPath(entry.filename)))
                self._zip.comment = _comment(self._version)
        finally:
            self._zip.close()
            if kind is not None:
                self._path.unlink(missing_ok=True)

    def add(self, name: str, content: bytes) -> None:
        """Write a file that is no part of a group or array, such as the OME-XML."""
        self._zip.writestr(_entry(name), content)

    def store_chunks(self) -> None:
        """Move all chunks to the file, in the order of their names: zarr compresses several at once, in any order."""
        for name in sorted(self._entries.take_chunks()):
            self.add(name, self._entries.pop(name).to_bytes())

    def store_metadata(self) -> None:
        """Write the metadata that zarr has written so far; it may not change any more.

        Raises:
            ValueError: Metadata changed after it was stored.
        """
        for name in sorted(self._entries, key=lambda name: _place(PurePosixPath(name))):
            content = self._entries[name].to_bytes()
            if self._stored.setdefault(name, content) is content:
                self.add(name, content)
            elif self._stored[name] != content:
                raise ValueError(f"{self._path.name}: {name} changed after it was stored")


class _Entries(dict[str, "Buffer"]):
    """What zarr has written, by name, with a list of the chunks: looking for them among all metadata takes long."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: set[str] = set()

    def __setitem__(self, name: str, content: Buffer) -> None:
        if name.rpartition("/")[2] not in METADATA:
            self._chunks.add(name)
        super().__setitem__(name, content)

    def take_chunks(self) -> set[str]:
        """Return the names of the chunks that were written since the last call."""
        chunks, self._chunks = self._chunks & self.keys(), set()
        return chunks


def _entry(name: str) -> zipfile.ZipInfo:
    # A fixed date, so that the same image gives the same file.
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    return entry


def _comment(version: str) -> bytes:
    return json.dumps({"ome": {"version": version, "zipFile": {"centralDirectory": {"jsonFirst": True}}}}).encode()


def _place(path: Path | PurePosixPath) -> tuple[bool, int, tuple[str, ...]]:
    """Return the place of a file in the central directory: metadata first, by level, then all else."""
    is_metadata = path.name in METADATA
    return not is_metadata, len(path.parts) if is_metadata else 0, path.parts
