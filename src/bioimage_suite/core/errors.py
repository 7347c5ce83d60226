"""Errors that end the run of a tool: one clear line and a non-zero exit code."""

import errno
import re

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PARTLY_WRITTEN = re.compile(r"\d+ requested and \d+ written")


class UserError(Exception):
    """An error that the user can correct. The message names the object, the value and the remedy."""


def is_disk_full(error: BaseException | None) -> bool:
    """Say whether an error tells of a full disk: no space left, quota reached, or a file larger than is allowed.

    `numpy.ndarray.tofile`, with which tifffile writes, raises an OSError without a number.

    >>> is_disk_full(OSError("8388608 requested and 12288 written")), is_disk_full(OSError(errno.EACCES, "no"))
    (True, False)
    """
    if not isinstance(error, OSError):
        # lxml, with which openpyxl writes, has errors of its own.
        return type(error).__name__ == "SerialisationError" and "ENOSPC" in str(error)
    return error.errno in _DISK_FULL or (error.errno is None and bool(_PARTLY_WRITTEN.search(str(error))))


def note_outcome(error: BaseException, outcome: str) -> None:
    """Note at the error that ends a run what becomes of what it has made; "" if it stays as the run reports it."""
    error.__dict__["outcome"] = outcome


def outcome_of(error: BaseException, usual: str) -> str:
    """Return what becomes of what a failed run has made: what was noted, or else what is usual."""
    return str(error.__dict__.get("outcome", usual))
