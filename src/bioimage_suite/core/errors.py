"""Errors that end the run of a tool: one clear line and a non-zero exit code."""

import errno
import gc
import sys
from collections.abc import Callable

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers of a full disk: no space left, quota reached, or file larger than this process may write."""


class UserError(Exception):
    """An error that the user can correct. The message names the object, the value and the remedy."""


def run_tool(main: Callable[[], int | None]) -> None:
    """Run a tool's `main` and exit the process with its exit code.

    Args:
        main: Function that does the work and returns an exit code, or None for success.

    Raises:
        SystemExit: Always. 0 for success, 1 with one line `ERROR: ...` on standard error for a `UserError` or a full
            disk. Any other exception keeps its traceback: it is a defect of the tool.
    """
    try:
        code = main()
    except UserError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        code = 1
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        print(f"ERROR: disk full: {error}. Make room where jobs run, and run the tool again.", file=sys.stderr)
        code = 1
    # At exit the interpreter searches all objects for garbage several times; with omero-py that takes 0.2 s.
    gc.freeze()
    sys.exit(code or 0)
