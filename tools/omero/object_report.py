"""The table of what a tool did, object by object: written also when the run fails."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from object_table import write_table
from tool_errors import UserError

AT_WORK = "at work"
FAILED = "failed: "
Row = dict[str, Any]
Thing = TypeVar("Thing")


@contextmanager
def object_report(path: Path, columns: Sequence[str]) -> Iterator[list[Row]]:
    """Write the rows that the caller puts into the list, one an object; what a row lacks is empty.

    If the run fails, everything that it made is taken back (that is the caller's part), and the rows say so: the object
    whose `status` is `AT_WORK` has failed, those with another status are "taken back", those without one "not done".
    A status that begins with `FAILED` stays.

    Args:
        path: Table to write.
        columns: Its columns, `status` among them; a list may be filled until the end. Without any nothing is written.

    Yields:
        The rows, to be filled.
    """
    rows: list[Row] = []
    try:
        yield rows
    except BaseException as error:
        for row in rows:
            status = row.get("status") or ""
            # A job that is cancelled leaves by SystemExit, which knows a number only.
            reason = "stopped" if isinstance(error, SystemExit) else str(error) or type(error).__name__
            if not status.startswith(FAILED):
                row["status"] = f"{FAILED}{reason}" if status == AT_WORK else "taken back" if status else "not done"
        _write(path, columns, rows)
        raise
    _write(path, columns, rows)


def do_each(rows: Iterable[Row], things: Iterable[Thing], do: Callable[[Thing, Row], None]) -> None:
    """Do something for each object; where one fails go on with the next, so that the rows name all that fail.

    Args:
        rows: One row a thing.
        things: The objects.
        do: Gets an object and its row, which is `AT_WORK` meanwhile and afterwards as before unless `do` says more.

    Raises:
        UserError: The first failure, and how many more there are.
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
    """Say of rows that they are at work; once that is done, they are as before."""
    chosen = [(row, row.get("status")) for row in rows]
    for row, _ in chosen:
        row["status"] = AT_WORK
    yield
    for row, status in chosen:
        row["status"] = status


def _write(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    if columns:
        write_table(path, columns, ([row.get(column) for column in columns] for row in rows))
