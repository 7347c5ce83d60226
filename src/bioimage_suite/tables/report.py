"""The report of a run: a table with one row per object, which is also written when the run fails."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from bioimage_suite.core.errors import UserError, outcome_of
from bioimage_suite.tables.object_table import write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

Cells = dict[str, Any]
"""Cells of a row by column."""
Thing = TypeVar("Thing")

ROOM_BYTES = 64_000
"""What a report holds of the disk from its begin, enough for some three hundred rows; it grows by as much."""
ROW_BYTES = 200
"""What a row may get beside the cells that it begins with: ids, its status."""
_AT_WORK = "at work"
_FAILED = "failed: "


class Row:
    """The row of one object: its cells, and how far the run is with it.

    A row begins as not done. It is at work between `begin` and `done` or `failed`.

    Attributes:
        cells: The cells except `status`.
    """

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self._status: str | None = cells.pop("status", None)

    @property
    def status(self) -> str | None:
        """Return the text of the column `status`; None for an object that is not done."""
        return self._status

    def fill(self, /, **cells: Any) -> None:
        """Set cells."""
        self.cells |= cells

    def begin(self) -> None:
        """Mark the object as at work: if the run fails now, it fails at this object."""
        self._status = _AT_WORK

    def done(self, status: str, /, **cells: Any) -> None:
        """Mark the object as done and set cells.

        Args:
            status: What was done, such as "imported".
            cells: Cells to set.
        """
        self._status = status
        self.cells |= cells

    def failed(self, reason: object) -> None:
        """Mark the object as failed."""
        self._status = f"{_FAILED}{reason}"

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Mark the object as at work within the block; afterwards it is as before unless the block set a status."""
        before = self._status
        self.begin()
        yield
        if self._status == _AT_WORK:
            self._status = before

    def end(self, error: BaseException) -> None:
        """Set the status of the row in a run that failed."""
        if self._status == _AT_WORK:
            # A cancelled job ends with SystemExit, which carries only a number.
            self.failed("stopped" if isinstance(error, SystemExit) else str(error) or type(error).__name__)
        elif not (self._status or "").startswith(_FAILED):
            self._status = (outcome_of(error, "taken back") or self._status) if self._status else "not done"


class Report(AbstractContextManager["Report"]):
    r"""The rows of all objects of a run, written as a table when the block ends; missing cells are empty.

    If the block fails, the caller undoes everything that it made, and the column `status` says so: "failed: <reason>"
    for an object at work, "taken back" for one that was done (or what `core.errors.note_outcome` noted), "not done" for
    the others.

    Attributes:
        columns: Columns of the table, including `status`; may be set until the end. Without any, no table is written.
        rows: The rows so far.

    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "report.tsv")
    >>> with Report(path, ("name", "status")) as report:
    ...     report.add(name="a").done("written")
    >>> path.read_text()
    'name\tstatus\na\twritten\n'
    """

    def __init__(
        self, path: Path, columns: Sequence[str] = (), *, exact: bool = False, keeps_room: bool = False
    ) -> None:
        """Begin a report.

        Args:
            path: The table.
            columns: See above.
            exact: As for `write_table`.
            keeps_room: Hold room for the table on the disk, for runs that cannot take back what they have done when
                the table is written.
        """
        self.columns = columns
        self._exact = exact
        self.rows: list[Row] = []
        self._path = path
        self._room = path.with_name(f"{path.name}.room") if keeps_room else None
        self._held = self._needed = 0

    def __enter__(self) -> Report:
        """Hold the room.

        Raises:
            OSError: The disk is full.
        """
        if self._room:
            try:
                self._hold(ROOM_BYTES)
            except BaseException:
                self._give_room()
                raise
        return self

    def _hold(self, size: int) -> None:
        """Hold so many bytes for the table, if room is kept at all."""
        while self._room and self._held < size:
            with self._room.open("ab") as stream:
                stream.write(bytes(ROOM_BYTES))
            self._held += ROOM_BYTES

    def _give_room(self) -> None:
        if self._room:
            self._room.unlink(missing_ok=True)

    def add(self, /, **cells: Any) -> Row:
        """Add a row that is not done, or has the status given as a cell; return it.

        Raises:
            OSError: Room is kept, and the disk is full.
        """
        self._needed += ROW_BYTES + sum(len(str(cell).encode(errors="replace")) for cell in cells.values())
        self._hold(self._needed)
        row = Row(cells)
        self.rows.append(row)
        return row

    def take_rows(self) -> list[Row]:
        """Remove and return all rows, to be replaced by rows of other objects."""
        rows, self.rows = self.rows, []
        return rows

    def for_each(self, things: Iterable[Thing], do: Callable[[Thing, Row], None]) -> None:
        """Call a function for the object of each row; continue after a failure, so that the rows name all that fail.

        Args:
            things: The objects, one per row.
            do: Takes an object and its row, which is at work during the call.

        Raises:
            UserError: The first failure, with the number of further failures.
        """
        errors = []
        for row, thing in zip(self.rows, things, strict=True):
            try:
                with row.at_work():
                    do(thing, row)
            except UserError as error:
                row.failed(error)
                errors.append(error)
        if len(errors) > 1:
            raise UserError(f"{errors[0]} {len(errors) - 1} more failed: the column status says why.") from errors[0]
        if errors:
            raise errors[0]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the table."""
        self._give_room()
        if error is not None:
            for row in self.rows:
                row.end(error)
        if self.columns:
            write_table(self._path, self.columns, (self._texts(row) for row in self.rows), exact=self._exact)

    def _texts(self, row: Row) -> list[Any]:
        return [row.status if column == "status" else row.cells.get(column) for column in self.columns]


@contextmanager
def at_work(rows: Iterable[Row]) -> Iterator[None]:
    """Mark rows as at work within the block; afterwards each is as before unless the block set a status."""
    with ExitStack() as stack:
        for row in rows:
            stack.enter_context(row.at_work())
        yield
