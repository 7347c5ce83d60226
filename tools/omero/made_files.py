"""Files that are made together: all of them or none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tool_errors import DISK_FULL, UserError


@contextmanager
def all_or_nothing() -> Iterator[list[Path]]:
    """Give a list for the paths of files that are made; if the block fails they are removed.

    Raises:
        UserError: The disk is full.
    """
    made: list[Path] = []
    try:
        yield made
    except BaseException as error:
        for path in made:
            path.unlink(missing_ok=True)
        if made and isinstance(error, OSError) and error.errno in DISK_FULL:
            raise UserError(f"disk: full while writing {made[-1].name}. Make room and run again.") from error
        raise
