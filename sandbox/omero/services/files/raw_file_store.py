"""RawFileStore: the bytes of an OriginalFile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.objects.access import load_objects, readable_row, require_edit
from sandbox.omero.objects.restrictions import is_restricted
from sandbox.omero.repository.checksums import checksum
from sandbox.omero.repository.stored_files import UnsafePathError, original_file_path
from sandbox.omero.server.servant import StatefulService
from sandbox.omero.services.images.pyramid import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from pathlib import Path

# A sparse file of a terabyte takes no space, but its checksum would take hours.
LARGEST_GAP = 1 << 30


class RawFileStore(StatefulService):
    """One file to read and write; `save` and `close` record its size and checksum."""

    interface = "omero.api.RawFileStore"
    row: dict[str, Any] | None = None
    path: Path | None = None
    read_only = False
    modified = False
    _readable = False
    _file: int | None = None

    def setFileId(self, file_id: int, current: Any) -> None:
        """Switch to another file. Imported files can be read, not written."""
        context = self.context(current)
        with self.server.database.read(context) as tx:
            row = readable_row(tx, context, "OriginalFile", file_id)
        self._save(current)
        try:
            self.use(row, original_file_path(self.server.files, row), read_only=bool(row["repo"]))
        except UnsafePathError as error:
            raise errors.security(str(error)) from error

    def use(self, row: dict[str, Any], path: Path, *, read_only: bool) -> None:
        """Switch to a file whose row and path are known."""
        self.released()
        self.row, self.path, self.read_only, self._readable = row, path, read_only, False

    def _opened(self, *, create: bool = False) -> int:
        if self.path is None:
            raise errors.api_usage("This service has no file: call setFileId first")
        if self._file is None:
            if not create and not self.path.is_file():
                raise errors.resource(f"OriginalFile {self._id()} has no content yet")
            try:
                flags = os.O_RDONLY
                if create or not self.read_only:
                    flags = os.O_RDWR | (os.O_CREAT if create else 0)
                if create:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(self.path, flags, 0o600)
            except OSError as error:
                raise errors.resource(f"OriginalFile {self._id()} cannot be opened: {error.strerror}") from error
        return self._file

    def _id(self) -> int:
        assert self.row is not None
        file_id: int = self.row["id"]
        return file_id

    def _writable(self, current: Any) -> int:
        if self.row is None:
            raise errors.api_usage("This service has no file: call setFileId first")
        if self.read_only:
            raise errors.security(f"OriginalFile {self._id()} belongs to an imported image and is read-only")
        require_edit(self.context(current), "OriginalFile", self.row)
        descriptor = self._opened(create=True)
        self.modified = True
        return descriptor

    def getFileId(self, _current: Any) -> Any:
        """Return the id of the file in use, or None."""
        from omero.rtypes import rlong

        return None if self.row is None else rlong(self._id())

    def exists(self, _current: Any) -> bool:
        """Return whether the file has content, even if it is empty."""
        if self.path is None:
            raise errors.api_usage("This service has no file: call setFileId first")
        return self.path.is_file()

    def size(self, _current: Any) -> int:
        """Return the number of bytes of the file."""
        return os.fstat(self._opened()).st_size

    def _require_download(self, current: Any) -> None:
        """Raise omero.SecurityViolation if the file may not be downloaded; RawFileBean.java checks it at `read`."""
        if self._readable or self.row is None:
            return
        context = self.context(current)
        with self.server.database.read(context) as tx:
            if is_restricted(tx, context, "OriginalFile", self.row):
                raise errors.security(f"Download is restricted for ome.model.core.OriginalFile:Id_{self._id()}")
        self._readable = True

    def read(self, position: int, length: int, current: Any) -> bytes:
        """Return bytes from a position on; fewer than asked for at the end of the file."""
        if position < 0 or not 0 <= length <= MAX_MESSAGE_BYTES:
            raise errors.api_usage(
                f"Cannot read {length} bytes from {position} on: at most {MAX_MESSAGE_BYTES} fit into a message"
            )
        self._require_download(current)
        return os.pread(self._opened(), length, position)

    def write(self, data: bytes, position: int, length: int, current: Any) -> None:
        """Write the first `length` bytes of `data` at a position."""
        if position < 0 or not 0 <= length <= len(data or b""):
            raise errors.api_usage(f"Cannot write {length} of {len(data or b'')} bytes at {position}")
        descriptor = self._writable(current)
        size = os.fstat(descriptor).st_size
        if position > size + LARGEST_GAP:
            raise errors.api_usage(f"Cannot write at {position}: the file has {size} bytes")
        view = memoryview(data)[:length]
        try:
            while view:
                written = os.pwrite(descriptor, view, position)
                view, position = view[written:], position + written
        except OSError as error:
            raise errors.resource(f"OriginalFile {self._id()} cannot be written: {error.strerror}") from error

    def truncate(self, length: int, current: Any) -> bool:
        """Cut the file; return False where it is shorter already."""
        if length < 0:
            raise errors.api_usage(f"Cannot truncate to {length} bytes")
        descriptor = self._writable(current)
        if os.fstat(descriptor).st_size < length:
            return False
        os.ftruncate(descriptor, length)
        return True

    def _save(self, current: Any) -> bool:
        if not self.modified or self.path is None:
            return False
        size, digest = self.path.stat().st_size, checksum(self.path)
        with self.server.database.write(self.context(current)) as tx:
            if tx.get("OriginalFile", self._id()) is not None:  # it may be deleted by now
                hasher = tx.enum("ChecksumAlgorithm", "SHA1-160")
                tx.update("OriginalFile", self._id(), size=size, hash=digest, hasher=hasher)
        self.modified = False
        return True

    def save(self, current: Any) -> Any:
        """Record size and checksum; return the OriginalFile, or None if nothing was written."""
        if not self._save(current):
            return None
        return load_objects(self.server.database, self.context(current), "OriginalFile", [self._id()])[0]

    def released(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def close(self, current: Any = None) -> None:
        """Save, and end the service."""
        try:
            self._save(current)
        finally:
            super().close(current)
