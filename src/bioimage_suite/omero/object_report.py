"""The report of a tool, one row per object, which is also written when the run fails."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from bioimage_suite.core.errors import UserError
from bioimage_suite.tables.object_table import write_table

AT_WORK = "at work"
FAILED = "failed: "
Row = dict[str, Any]
Thing = TypeVar("Thing")


@contextmanager
def object_report(path: Path, columns: Sequence[str]) -> Iterator[list[Row]]:
    """Yield a list of rows, one per object, and write it as a table at the end; missing cells are empty.

    If the run fails, the caller undoes everything that it made, and the rows say so: the `status` `AT_WORK` becomes
    `FAILED` with the reason, another status "taken back", no status "not done". A status that begins with `FAILED`
    is kept.

    Args:
        path: Table to write.
        columns: Its columns, including `status`; the caller may fill the list until the end. If it is empty, nothing
            is written.

    Yields:
        The rows, to be filled.
    """
    rows: list[Row] = []
    try:
        yield rows
    except BaseException as error:
        for row in rows:
            status = row.get("status") or ""
            # A cancelled job ends with SystemExit, which carries only a number.
            reason = "stopped" if isinstance(error, SystemExit) else str(error) or type(error).__name__
            if not status.startswith(FAILED):
                row["status"] = f"{FAILED}{reason}" if status == AT_WORK else "taken back" if status else "not done"
        _write(path, columns, rows)
        raise
    _write(path, columns, rows)


def do_each(rows: Iterable[Row], things: Iterable[Thing], do: Callable[[Thing, Row], None]) -> None:
    """Call a function for each object; continue after a failure, so that the rows name all objects that fail.

    Args:
        rows: One row per object.
        things: The objects.
        do: Takes an object and its row. The row's status is `AT_WORK` during the call; the earlier status is restored
            afterwards unless `do` sets another one.

    Raises:
        UserError: The first failure, with the number of further failures.
    """
    errors = []
    for row, thing in zip(rows, things, strict=True):
        before, row["status"] = row.get("status"), AT_WORK
        try:
            do(thing, row)
        except UserError as error:
            row["status"] = f"{FAILED}{error}"
            errors.append(error)
        if row["status"] == AT_WORK:
            row["status"] = before
    if len(errors) > 1:
        raise UserError(f"{errors[0]} {len(errors) - 1} more failed: the column status says why.") from errors[0]
    if errors:
        raise errors[0]


@contextmanager
def at_work(rows: Iterable[Row]) -> Iterator[None]:
    """Set the status of rows to `AT_WORK` within the block; restore it afterwards unless the block fails."""
    chosen = [(row, row.get("status")) for row in rows]
    for row, _ in chosen:
        row["status"] = AT_WORK
    yield
    for row, status in chosen:
        row["status"] = status


def _write(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    if columns:
        write_table(path, columns, ([row.get(column) for column in columns] for row in rows))
