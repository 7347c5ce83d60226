"""Pixels of CZI files whose planes are mosaics of tiles, as slide scanners write them, stitched region by region.

BioIO returns single tiles or a whole stitched plane in memory; aicspylibczi, the library it uses, stitches regions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Place = tuple[int, int, int, int]  # t, c, z, sample of a pixel


def open_mosaic(path: Path, scene: int) -> tuple[tuple[int, int], Callable[[Place, slice, slice], np.ndarray]]:
    """Open a scene of a mosaic.

    Args:
        path: The CZI file.
        scene: Index of the scene.

    Returns:
        Numbers of rows and columns of the stitched plane, and a function that returns a (Y, X) array for a place, rows
        and columns. Pixels outside all tiles are 0.
    """
    from aicspylibczi import CziFile

    file = CziFile(path)
    # CZI counts scenes on the axis S and samples of a pixel on A.
    box = file.get_mosaic_scene_bounding_box(scene) if "S" in file.dims else file.get_mosaic_bounding_box()
    known = set(file.dims)

    def read(place: Place, rows: slice, columns: slice) -> np.ndarray:
        t, c, z, sample = place
        size = (columns.stop - columns.start, rows.stop - rows.start)
        where = {axis: at for axis, at in (("T", t), ("C", c), ("Z", z)) if axis in known}
        region = (box.x + columns.start, box.y + rows.start, *size)
        pixels = file.read_mosaic(region=region, scale_factor=1.0, **where)
        if "A" in known:
            pixels = pixels[..., sample]
        return pixels.reshape(pixels.shape[-2:])

    return (box.h, box.w), read
