"""Errors that end the run of a tool: one clear line and a non-zero exit code."""

import errno
import re

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)
_DISK_FAILED = (errno.EIO, errno.ESTALE, errno.EREMOTEIO, errno.ENOTCONN, errno.EHOSTDOWN, errno.ENODEV)
_PARTLY_WRITTEN = re.compile(r"\d+ requested and \d+ written")


class UserError(Exception):
    """An error that the user can correct. The message names the object, the value and the remedy."""


class StartAgainError(UserError):
    """What the run was based on no longer holds, so that it has to begin anew; see `core.tool`."""


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


def machine_fault(error: BaseException | None) -> str:
    """Say what the machine failed at, and what to do; empty where it is not to blame.

    Such an error comes from a sound file: "damaged, upload it again" would send the user the wrong way.

    >>> machine_fault(OSError(errno.EIO, "Input/output error"))
    'the disk or its network failed: [Errno 5] Input/output error. Run again; if it stays, tell who runs the server.'
    >>> machine_fault(OSError(errno.EACCES, "no")), machine_fault(ValueError("EIO"))
    ('', '')
    """
    if is_disk_full(error):
        return f"disk full: {error}. Make room where jobs run, and run the tool again."
    number = error.errno if isinstance(error, OSError) else None
    if number in _TOO_MANY_FILES:
        return f"too many files are open at once: {error}. Give fewer images at a time, or jobs a higher `ulimit -n`."
    if number in _DISK_FAILED:
        return f"the disk or its network failed: {error}. Run again; if it stays, tell who runs the server."
    return ""


def note_outcome(error: BaseException, outcome: str) -> None:
    """Note at the error that ends a run what becomes of what it has made; "" if it stays as the run reports it."""
    error.__dict__["outcome"] = outcome


def outcome_of(error: BaseException, usual: str) -> str:
    """Return what becomes of what a failed run has made: what was noted, or else what is usual.

    It may be noted at a cause: the error of the server that a `UserError` puts into words.

    >>> cause, error = ConnectionError("lost"), UserError("the connection broke")
    >>> note_outcome(cause, "left")
    >>> error.__cause__ = cause
    >>> outcome_of(error, "undone"), outcome_of(UserError("refused"), "undone")
    ('left', 'undone')
    """
    found: BaseException | None = error
    while found is not None and "outcome" not in found.__dict__:
        found = found.__cause__
    return usual if found is None else str(found.__dict__["outcome"])
