"""Arrays in temporary files, for what does not fit in memory."""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator


def on_disk(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return an array of zeros in a temporary file, which is deleted with the array.

    Raises:
        OSError: The disk has no room for it. The file takes its room at once: where a mapped file first takes it when
            it is written, a full disk ends the process with SIGBUS and without a word.
    """
    with tempfile.TemporaryFile() as file:
        os.posix_fallocate(file.fileno(), 0, max(1, math.prod(shape) * np.dtype(dtype).itemsize))
        return np.memmap(file, dtype, "r+", shape=shape)


def release(array: np.ndarray) -> None:
    """Let go of the memory of an array on disk; its values stay in the file, and are read again when they are used.

    What was read or written of a mapped file counts as memory of the process until the system needs it elsewhere, so
    that a loop over a large one seems to hold it all. An array in memory stays as it is.
    """
    mapped = getattr(array, "_mmap", None)
    if isinstance(mapped, mmap.mmap):
        mapped.madvise(mmap.MADV_DONTNEED)


def planes_in_turn(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield array[0], array[1], ..., so that of an array on disk only one is in memory, read or written."""
    for plane in array:
        yield plane
        release(array)
