"""The table of what a tool did, object by object: written also when the run fails."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from object_table import write_table

AT_WORK = "at work"
Row = dict[str, Any]


@contextmanager
def object_report(path: Path, columns: Sequence[str]) -> Iterator[list[Row]]:
    """Write the rows that the caller puts into the list, one an object; what a row lacks is empty.

    If the run fails, everything that it made is taken back (that is the caller's part), and the rows say so: the object
    whose `status` is `AT_WORK` has failed, those with another status are "taken back", those without one "not done".

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
            status = row.get("status")
            reason = str(error) or type(error).__name__
            row["status"] = f"failed: {reason}" if status == AT_WORK else "taken back" if status else "not done"
        _write(path, columns, rows)
        raise
    _write(path, columns, rows)


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
