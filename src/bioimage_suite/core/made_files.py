"""Output files that are written together: all of them or none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bioimage_suite.core.errors import DISK_FULL, UserError


@contextmanager
def all_or_nothing() -> Iterator[list[Path]]:
    """Yield a list for the paths of written files; if the block fails, remove these files.

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
