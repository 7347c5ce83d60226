"""Arrays in temporary files, for what does not fit in memory."""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

IN_MEMORY = 1 << 28  # most bytes of a plane that is kept in memory; a larger one lies on disk, or is read by rows
MOVED_BYTES = 1 << 26  # most bytes of an array that are in memory twice while it is moved to disk


def on_disk(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return an array of zeros in a temporary file, which is deleted with the array.

    Raises:
        OSError: The disk has no room for it. The file takes its room at once: where a mapped file first takes it when
            it is written, a full disk ends the process with SIGBUS and without a word.
    """
    import numpy as np

    with tempfile.TemporaryFile() as file:
        os.posix_fallocate(file.fileno(), 0, max(1, math.prod(shape) * np.dtype(dtype).itemsize))
        return np.memmap(file, dtype, "r+", shape=shape)


def array_of(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return an array of zeros, on disk where it has more than IN_MEMORY bytes.

    Raises:
        OSError: As `on_disk`.
    """
    import numpy as np

    large = math.prod(shape) * np.dtype(dtype).itemsize > IN_MEMORY
    return on_disk(shape, dtype) if large else np.zeros(shape, dtype)


def release(array: np.ndarray) -> None:
    """Let go of the memory of an array on disk; its values stay in the file, and are read again when they are used.

    What was read or written of a mapped file counts as memory of the process until the system needs it elsewhere, so
    that a loop over a large one seems to hold it all. An array in memory stays as it is.
    """
    mapped = getattr(array, "_mmap", None)
    if isinstance(mapped, mmap.mmap):
        mapped.madvise(mmap.MADV_DONTNEED)


def moved_to_disk(array: np.ndarray) -> np.ndarray:
    """Return the same values in a temporary file, which is deleted with the array; of it little is in memory.

    Args:
        array: In memory, with one axis or more.

    Raises:
        OSError: The disk has no room for it.
    """
    moved = on_disk(array.shape, array.dtype)
    step = max(1, MOVED_BYTES // max(1, array.nbytes // max(1, len(array))))
    for first in range(0, len(array), step):
        moved[first : first + step] = array[first : first + step]
        release(moved)
    return moved


def planes_in_turn(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield array[0], array[1], ..., so that of an array on disk only one is in memory, read or written."""
    for plane in array:
        yield plane
        release(array)
