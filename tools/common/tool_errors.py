"""How a tool ends a run it cannot finish: one clear line and a non-zero exit."""

import errno
import gc
import sys
from collections.abc import Callable

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""No space left, a quota reached, or a file larger than this process may write."""


class UserError(Exception):
    """What the user can mend. The message names the object, the value and the remedy."""


def run_tool(main: Callable[[], int | None]) -> None:
    """Run a tool's `main` and leave the process with its exit code.

    Args:
        main: Does the work; returns an exit code or None for success.

    Raises:
        SystemExit: Always. 0 for success, 1 with one line `ERROR: ...` on standard error for a `UserError`.
            The same for a disk that is full. Any other exception keeps its traceback: it is a defect of the tool.
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
    # At its end the interpreter looks for garbage among all objects several times: with omero-py that takes 0.2 s.
    gc.freeze()
    sys.exit(code or 0)
