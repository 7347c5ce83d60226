"""Dark objects on bright ground: the image is inverted, so that all methods for bright objects serve."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bioimage_suite.images.model.image_file import ImageFile
    from bioimage_suite.segmentation.foreground_mask import ForegroundOptions


def top_of(dtype: np.dtype) -> int:
    """Return the number from which pixels are subtracted: no pixel leaves its type, and no two become one.

    >>> [top_of(np.dtype(one)) for one in ("uint8", "int16", "float32")]
    [255, -1, 0]
    """
    if dtype.kind not in "iu":
        return 0
    limits = np.iinfo(dtype)
    return int(limits.max) + int(limits.min)


def inverted(image: ImageFile) -> ImageFile:
    """Return the image whose pixels are `top - pixel`, of the same type; what was dark is bright."""
    top = top_of(image.dtype)

    def read_region(t: int, c: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        pixels = image.read_region(t, c, z, rows, columns)
        # Inverted bits are `top - pixel` for whole numbers of either sign.
        return np.invert(pixels) if pixels.dtype.kind in "iu" else top - pixels

    return replace(image, read_region=read_region, read_interleaved=None)


def for_inverted(options: ForegroundOptions, dtype: np.dtype) -> ForegroundOptions:
    """Return the options for the inverted image: grey levels of the image become those of the inverted one."""
    top = top_of(dtype)
    manual, low = (None if one is None else top - one for one in (options.manual_threshold, options.low_threshold))
    return replace(options, manual_threshold=manual, low_threshold=low, top=top)
