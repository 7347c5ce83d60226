"""Arrays in temporary files, for what does not fit in memory."""

from __future__ import annotations

import tempfile

import numpy as np


def on_disk(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return an array of zeros in a temporary file, which is deleted with the array."""
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype, "w+", shape=shape)
