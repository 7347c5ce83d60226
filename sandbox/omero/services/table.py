"""Tables: OMERO's own implementation (omero.tables over PyTables), reached through this server's sessions and files."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.omero.servant import StatefulService
from sandbox.omero.stored_files import checksum

if TYPE_CHECKING:
    from sandbox.omero.context import Context

READ_OPERATIONS = (
    "getOriginalFile",
    "getHeaders",
    "getNumberOfRows",
    "getWhereList",
    "readCoordinates",
    "read",
    "slice",
    "getMetadata",
    "getAllMetadata",
)
WRITE_OPERATIONS = ("initialize", "addColumn", "addData", "update", "setMetadata", "setAllMetadata")


class _Surroundings:
    """The parts of OMERO's server context and session that `omero.tables.TableI` looks at."""

    communicator = None

    def __init__(self, writable: bool) -> None:
        self.writable = writable
        self.stop_event = threading.Event()

    def getAdminService(self) -> _Surroundings:
        """Itself: it also answers the one question about permissions."""
        return self

    def canUpdate(self, target: Any, ctx: Any = None) -> bool:
        """Whether the caller may write to the table."""
        return self.writable


class Table(StatefulService):
    """One open table. All handles on a file share its storage, which HDFLIST keeps; HDF5 knows one thread at a time."""

    interface = "omero.grid.Table"
    table: Any = None

    def open(self, described: Any, path: Path, writable: bool, caller: Context) -> None:
        """Open the table's file.

        Args:
            described: The loaded OriginalFile.
            path: Its file.
            writable: Whether the caller may change it.
            caller: Who writes, for the event.
        """
        from omero.hdfstorageV2 import HDFLIST
        from omero.tables import TableI

        around = _Surroundings(writable)
        self.path, self.caller = path, caller
        self.table = TableI(around, described, str(path), around, HDFLIST, uuid=str(uuid.uuid4()))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in READ_OPERATIONS or name in WRITE_OPERATIONS:
            return getattr(self.__dict__["table"], name)
        raise AttributeError(name)

    def delete(self, current: Any) -> None:
        """Delete the table for good."""
        import omero

        from sandbox.omero.commands.run import Run, execute

        self.table.assert_write()
        file_id = self.table.file_obj.id.val
        self.close(current)
        run = Run(self.server, self.context(current))
        with self.server.database.write(run.context) as tx:
            execute(run, tx, omero.cmd.Delete2(targetObjects={"OriginalFile": [file_id]}))
        run.finish()

    def released(self) -> None:
        """Close the storage when this is its last handle, and write down what became of the file."""
        table = self.table
        if table is None or table._closed:
            return
        modified = table.can_write and table.storage.modified()
        table.cleanup()
        table._closed = True
        if modified and self.path.is_file():
            self._describe(table.file_obj.id.val)

    def _describe(self, file_id: int) -> None:
        size, digest = self.path.stat().st_size, checksum(self.path)
        with self.server.database.write(self.caller) as tx:
            if tx.get("OriginalFile", file_id) is not None:
                hasher = tx.enum("ChecksumAlgorithm", "SHA1-160")
                tx.update("OriginalFile", file_id, size=size, hash=digest, hasher=hasher)
