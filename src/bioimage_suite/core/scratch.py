"""Arrays in temporary files, for what does not fit in memory."""

from __future__ import annotations

import mmap
import tempfile

import numpy as np


def on_disk(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return an array of zeros in a temporary file, which is deleted with the array."""
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype, "w+", shape=shape)


def release(array: np.ndarray) -> None:
    """Let go of the memory of an array on disk; its values stay in the file, and are read again when they are used.

    What was read or written of a mapped file counts as memory of the process until the system needs it elsewhere, so
    that a loop over a large one seems to hold it all. An array in memory stays as it is.
    """
    mapped = getattr(array, "_mmap", None)
    if isinstance(mapped, mmap.mmap):
        mapped.madvise(mmap.MADV_DONTNEED)
