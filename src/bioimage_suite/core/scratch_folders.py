"""Folders for temporary files, which go also if the run that made them was killed: with the next run beside them."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "bioimage-suite-"
LOCK = "lock"
UNLOCKED_SECONDS = 3600.0
"""Age from which a folder without a lock is taken for that of a run that was killed while it made the folder."""


@contextmanager
def scratch_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield an empty folder that is deleted at the end of the block.

    Each has a file that its process keeps locked, and the system unlocks it when the process dies, however that
    happens. So the next run finds folders in `parent` whose process is gone, and deletes them.

    Args:
        parent: Where to make it; None is the system's folder for temporary files.
    """
    place = Path(parent if parent is not None else tempfile.gettempdir())
    _remove_dead(place)
    outer = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    try:
        with (outer / f"{LOCK}.new").open("wb") as lock:
            with suppress(OSError):  # A file system without locks.
                fcntl.flock(lock, fcntl.LOCK_EX)
                (outer / f"{LOCK}.new").rename(outer / LOCK)  # Under this name it is never seen unlocked.
            folder = outer / "files"
            folder.mkdir()
            yield folder
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def _remove_dead(place: Path) -> None:
    """Delete the folders of this user whose process is gone."""
    for outer in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # Another run may be at it too.
            about = outer.lstat()
            if about.st_uid != os.getuid() or not outer.is_dir() or outer.is_symlink():
                continue
            if (outer / LOCK).exists():
                with (outer / LOCK).open("rb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(outer, ignore_errors=True)
            elif time.time() - about.st_mtime > UNLOCKED_SECONDS:
                shutil.rmtree(outer, ignore_errors=True)
