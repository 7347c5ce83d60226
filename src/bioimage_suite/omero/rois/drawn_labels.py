"""Label maps drawn from regions of interest."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.writers.tiff_output import Checksum, identify_tiff, needs_bigtiff, resolution_tags, uuid_of
from bioimage_suite.omero.images.ome_tiff import pieces, tile_side
from bioimage_suite.omero.rois.geometry import AREAS, row_span, shape_pixels
from bioimage_suite.omero.rois.shapes import RoiShape, roi_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np

    from bioimage_suite.omero.images.details import ImageDetails


LARGEST_UINT16 = 65535


BAND = 1024  # Rows drawn at once, and side of the file's tiles: memory never holds a whole plane of a slide.


class LabelMap:
    """A label map drawn from shapes, one band of rows at a time, with counts of what could not be drawn.

    `overlap` says which ROI keeps a pixel that two ROIs cover: "first" (the lower id), "last", or "error".
    """

    def __init__(self, image: ImageDetails, shapes: Sequence[RoiShape], overlap: str) -> None:
        self.image, self.overlap = image, overlap
        self.labels = roi_labels(shapes)
        self.side = tile_side(image, BAND)
        self.overlap_px = 0
        self._areas = [(shape, *row_span(shape)) for shape in shapes if shape.kind in AREAS]
        self._missing = {shape.shape_id for shape in shapes}

    @property
    def not_drawn(self) -> int:
        """Return the number of shapes without a pixel: lines, labels, or outside the image or between pixel centres."""
        return len(self._missing)

    @property
    def dtype(self) -> np.dtype:
        """Return uint16, or int32 if a label needs it."""
        import numpy as np

        return np.dtype(np.int32 if max(self.labels.values(), default=0) > LARGEST_UINT16 else np.uint16)

    def tiles(self) -> Iterator[np.ndarray]:
        """Yield tiles (rows, columns) of at most `side` x `side` pixels in the order T, Z, Y, X.

        Raises:
            UserError: Two ROIs share a pixel and `overlap` is "error".
        """
        image = self.image
        for t, z, top in product(range(image.size_t), range(image.size_z), range(0, image.size_y, self.side)):
            band = self._band(z, t, top)
            for left in range(0, image.size_x, self.side):
                yield band[:, left : left + self.side]

    def _band(self, z: int, t: int, top: int) -> np.ndarray:
        import numpy as np

        image = self.image
        band = np.zeros((min(self.side, image.size_y - top), image.size_x), self.dtype)
        for shape, first, last in self._areas:
            if shape.z not in (None, z) or shape.t not in (None, t) or last <= top or first >= top + len(band):
                continue
            label = self.labels[shape.roi_id]
            x, y, pixels = shape_pixels(shape, len(band), image.size_x, top)
            if pixels.any():
                self._missing.discard(shape.shape_id)
            area = band[y : y + pixels.shape[0], x : x + pixels.shape[1]]
            shared = pixels & (area != 0) & (area != label)
            count = int(shared.sum())
            if count and self.overlap == "error":
                others = sorted({int(number) for number in area[shared]})
                raise UserError(
                    f"image {image.image_id} {image.name!r}: ROI {shape.roi_id} (label {label}) shares {count} pixels "
                    f"with label {others[0]} in plane z {z}, t {t}. Choose who keeps them."
                )
            self.overlap_px += count
            area[pixels & ~shared if self.overlap == "first" else pixels] = label
        return band


def write_label_map(path: Path, label_map: LabelMap) -> None:
    """Write a label map as OME-TIFF, axes TZYX, with the image's physical sizes; memory holds one band of rows."""
    import tifffile

    image, side, dtype = label_map.image, label_map.side, label_map.dtype
    shape, checksum = (image.size_t, image.size_z, image.size_y, image.size_x), Checksum()
    metadata: dict[str, Any] = {"axes": "TZYX", "Name": image.name, "UUID": uuid_of(f"{image.name} {shape} drawn")}
    for axis, length in (("X", image.physical_x), ("Y", image.physical_y), ("Z", image.physical_z)):
        if length is not None:
            metadata |= {f"PhysicalSize{axis}": length.value, f"PhysicalSize{axis}Unit": length.symbol}
    with tifffile.TiffWriter(path, ome=True, bigtiff=needs_bigtiff(math.prod(shape) * dtype.itemsize)) as file:
        parts, cut = pieces(label_map.tiles(), side, [shape[2:]])
        file.write(
            checksum.over(parts),
            shape=shape,
            dtype=dtype,
            **cut,
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 1},
            maxworkers=1,
            metadata=metadata,
            **resolution_tags(image.micrometres("x"), image.micrometres("y")),
        )
    identify_tiff(path, checksum.value)
