"""An OME-Zarr in one file, `.ozx`: a folder packed into it, or groups and arrays written straight into it.

RFC-9 (https://ngff.openmicroscopy.org/rfc/9/) specifies a zip without compression whose first entry is the metadata of
the root, and whose central directory lists all metadata first, top level first.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

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
        with PyramidWriter(archive.root / "A/1/0", image) as writer:
            writer.write(plane)
    """

    def __init__(self, path: Path, version: str = "0.5") -> None:
        """Create the file; the metadata of the root is what must be written first.

        Args:
            path: File to write; it is removed if the block ends with an exception.
            version: Version that the archive's comment names.
        """
        self._path, self._version = path, version
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True)

    @property
    def root(self) -> ArchivePlace:
        """The folder that holds everything."""
        return ArchivePlace(self)

    def __enter__(self) -> ArchiveWriter:
        """Return the writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the central directory; remove the file after an exception."""
        try:
            if kind is None:
                self._zip.filelist.sort(key=lambda entry: _place(PurePosixPath(entry.filename)))
                self._zip.comment = _comment(self._version)
        finally:
            self._zip.close()
            if kind is not None:
                self._path.unlink(missing_ok=True)

    def add(self, name: str, content: bytes) -> None:
        """Write a file, each once.

        Raises:
            ValueError: It was written before.
        """
        if name in self._zip.NameToInfo:
            raise ValueError(f"{self._path.name}: {name} was written before")
        self._zip.writestr(_entry(name), content)


@dataclass(frozen=True)
class ArchivePlace:
    """A folder or file in an archive that is being written."""

    archive: ArchiveWriter
    path: str = ""

    def __truediv__(self, name: str) -> ArchivePlace:
        """Return what has this path in the folder."""
        return ArchivePlace(self.archive, f"{self.path}/{name}" if self.path else name)

    def write_bytes(self, data: bytes) -> None:
        """Write the file."""
        self.archive.add(self.path, data)


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
