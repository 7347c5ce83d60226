"""Tables, by OMERO's own implementation (omero.tables over PyTables), with this server's sessions and files."""

from __future__ import annotations

import ast
import contextlib
import threading
import uuid
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.commands.execute import execute
from sandbox.omero.commands.run import Run
from sandbox.omero.repository.checksums import checksum
from sandbox.omero.server.servant import StatefulService

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sandbox.omero.access.context import Context

PASSED_ON = (
    "getOriginalFile",
    "getHeaders",
    "getNumberOfRows",
    "getMetadata",
    "getAllMetadata",
    "addColumn",
    "setMetadata",
    "setAllMetadata",
)
# A string or array column of this size takes a megabyte a row; PyTables itself accepts any size.
MAX_COLUMN_SIZE = 1 << 20
LONGEST_CONDITION = 10_000


def check_condition(condition: str) -> None:
    """Check that a condition costs no more than reading the rows does.

    PyTables and numexpr leave a part without columns to Python, however large its value is: `n > 9**9**9` would keep
    the whole server busy for hours.

    Raises:
        omero.ApiUsageException: The condition is missing, too long, not an expression, or has such a part.
    """
    if not condition or len(condition) > LONGEST_CONDITION:
        raise errors.api_usage(f"A condition of at most {LONGEST_CONDITION} characters is needed")
    try:
        parts = list(ast.walk(ast.parse(condition.strip(), mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise errors.api_usage(f"Bad condition: {condition[:1000]}: {error}") from error
    known = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name, ast.Constant)
    for part in parts:
        if isinstance(part, ast.expr) and not isinstance(part, known):
            raise errors.api_usage(f"Bad condition: {ast.unparse(part)[:1000]} is not understood")
        if isinstance(part, ast.BinOp) and _may_grow(part):
            raise errors.api_usage(f"Bad condition: write {ast.unparse(part)[:1000]} as a plain value")


def _may_grow(operation: ast.BinOp) -> bool:
    """Return whether an operation with short operands can have a result of any size."""
    if isinstance(operation.op, ast.Pow | ast.LShift):
        return not any(isinstance(below, ast.Name) for below in ast.walk(operation))
    sides = (operation.left, operation.right)
    return any(isinstance(side, ast.Constant) and isinstance(side.value, str | bytes) for side in sides)


class _Surroundings:
    """The parts of OMERO's server context and session that `omero.tables.TableI` uses."""

    communicator = None

    def __init__(self, writable: bool) -> None:
        self.writable = writable
        self.stop_event = threading.Event()

    def getAdminService(self) -> _Surroundings:
        """Return this object, which also answers the one question about permissions."""
        return self

    def canUpdate(self, _target: Any, _ctx: Any = None) -> bool:
        """Return whether the caller may write to the table."""
        return self.writable


class Table(StatefulService):
    """One open table. All handles on a file share its storage, kept in HDFLIST; HDF5 allows one thread at a time."""

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
        if name in PASSED_ON:
            method: Callable[..., Any] = getattr(self.__dict__["table"], name)
            return method
        raise AttributeError(name)

    # OMERO's code passes these arguments on to PyTables unchecked, which takes a negative start as a request for
    # two thousand million rows. So they are checked first.

    def initialize(self, columns: Sequence[Any], current: Any) -> None:
        """Set the table's columns."""
        self._check_given(columns)
        for column in columns:
            size = getattr(column, "size", None)
            if size is not None and not 1 <= size <= MAX_COLUMN_SIZE:
                raise errors.api_usage(f"Size {size} of column {column.name} is not in 1..{MAX_COLUMN_SIZE}")
        self.table.initialize(columns, current)

    def addData(self, columns: Sequence[Any], current: Any) -> None:
        """Append rows."""
        self._check_given(columns)
        expected = [column.ice_id() for column in self.table.getHeaders(current)]
        if [column.ice_id() for column in columns] != expected:
            raise errors.api_usage(f"The table's columns are {', '.join(expected)}")
        if len({column.getsize() for column in columns}) > 1:
            raise errors.api_usage("The columns have different numbers of rows")
        self.table.addData(columns, current)

    def update(self, data: Any, current: Any) -> None:
        """Change cells."""
        if data is None:
            raise errors.api_usage("No data given")
        self._check_given(data.columns)
        self._check_rows(data.rowNumbers)
        self.table.update(data, current)

    def read(self, columns: Sequence[int], start: int, stop: int, current: Any) -> Any:
        """Return rows `start` to `stop` (excluded); all rows for 0 and 0."""
        self._check_columns(columns, current)
        self._check_range(start, stop, 1)
        return self.table.read(columns, start, min(stop, self.table.getNumberOfRows()), current)

    def readCoordinates(self, rows: Sequence[int], current: Any) -> Any:
        """Return the rows with these numbers."""
        self._check_rows(rows)
        return self.table.readCoordinates(rows, current)

    def slice(self, columns: Sequence[int], rows: Sequence[int], current: Any) -> Any:
        """Return these columns of these rows; all if none are named."""
        if columns:
            self._check_columns(columns, current)
        if rows:
            self._check_rows(rows)
        return self.table.slice(columns, rows, current)

    def getWhereList(self, condition: str, variables: Any, start: int, stop: int, step: int, current: Any) -> list[int]:
        """Return the numbers of the rows that meet a condition."""
        import omero

        check_condition(condition)
        self._check_range(start, stop, step)
        try:
            rows: list[int] = self.table.getWhereList(condition, variables, start, stop, step, current)
            return rows
        except omero.InternalException as error:  # PyTables or numexpr reject the condition
            raise errors.api_usage(f"The condition cannot be evaluated: {condition[:1000]}") from error

    @staticmethod
    def _check_given(columns: Sequence[Any] | None) -> None:
        if not columns or any(column is None for column in columns):
            raise errors.api_usage("Columns are needed, none of which may be null")

    @staticmethod
    def _check_range(start: int, stop: int, step: int) -> None:
        if min(start, stop, step) < 0:
            raise errors.api_usage(f"Rows {start} to {stop} in steps of {step}: none may be negative")

    def _check_columns(self, columns: Sequence[int] | None, current: Any) -> None:
        count = len(self.table.getHeaders(current))
        if not columns or min(columns) < 0 or max(columns) >= count:
            raise errors.api_usage(f"Columns {columns} are not among 0..{count - 1}")

    def _check_rows(self, rows: Sequence[int] | None) -> None:
        count = self.table.getNumberOfRows()
        if not rows or min(rows) < 0 or max(rows) >= count:
            raise errors.api_usage(f"The row numbers are not all among 0..{count - 1}")

    def delete(self, current: Any) -> None:
        """Delete the table with its file."""
        import omero

        self.table.assert_write()
        file_id = self.table.file_obj.id.val
        self.close(current)
        run = Run(self.server, self.context(current))
        with self.server.database.write(run.context) as tx:
            execute(run, tx, omero.cmd.Delete2(targetObjects={"OriginalFile": [file_id]}))
        run.finish()

    def released(self) -> None:
        """Close the storage when this is its last handle, and record size and checksum of the file."""
        table = self.table
        if table is None or table._closed:
            return
        modified = table.can_write and table.storage.modified()
        table._closed = True
        with contextlib.suppress(FileNotFoundError):  # it asks for the file's size, and the table may be deleted
            table.cleanup()
        if modified and self.path.is_file():
            self._describe(table.file_obj.id.val)

    def _describe(self, file_id: int) -> None:
        size, digest = self.path.stat().st_size, checksum(self.path)
        with self.server.database.write(self.caller) as tx:
            if tx.get("OriginalFile", file_id) is not None:
                hasher = tx.enum("ChecksumAlgorithm", "SHA1-160")
                tx.update("OriginalFile", file_id, size=size, hash=digest, hasher=hasher)
