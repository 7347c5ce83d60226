"""Errors that end the run of a tool: one clear line and a non-zero exit code."""

import errno

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers of a full disk: no space left, quota reached, or file larger than this process may write."""


class UserError(Exception):
    """An error that the user can correct. The message names the object, the value and the remedy."""


def note_outcome(error: BaseException, outcome: str) -> None:
    """Note at the error that ends a run what becomes of what it has made; "" if it stays as the run reports it."""
    error.__dict__["outcome"] = outcome


def outcome_of(error: BaseException, usual: str) -> str:
    """Return what becomes of what a failed run has made: what was noted, or else what is usual."""
    return str(error.__dict__.get("outcome", usual))
