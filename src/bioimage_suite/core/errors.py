"""Errors that end the run of a tool: one clear line and a non-zero exit code."""

import errno

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers of a full disk: no space left, quota reached, or file larger than this process may write."""


class UserError(Exception):
    """An error that the user can correct. The message names the object, the value and the remedy."""
