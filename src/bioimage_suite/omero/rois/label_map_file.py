"""Label maps in image files, read one plane at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch import release
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.images.writers.label_maps import as_label_map, check_label_map

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

    from bioimage_suite.images.model.image_file import ImageFile
    from bioimage_suite.omero.objects import ImageRecord


@dataclass(frozen=True)
class LabelMapFile:
    """A label map on disk: `size_x` .. `size_t` in pixels, z-planes and time points; its pixels are integers."""

    identifier: str
    labels: ImageFile

    @property
    def size_x(self) -> int:
        """Return the number of columns."""
        return self.labels.size_x

    @property
    def size_y(self) -> int:
        """Return the number of rows."""
        return self.labels.size_y

    @property
    def size_z(self) -> int:
        """Return the number of z-planes."""
        return self.labels.size_z

    @property
    def size_t(self) -> int:
        """Return the number of time points."""
        return self.labels.size_t


def describe_label_map(identifier: str, path: Path, *, carried: bool = False) -> LabelMapFile:
    """Read the sizes of a label map and check that the file is a label map.

    Args:
        identifier: Name of the label map.
        path: Its file.
        carried: Its pixels are only stored, no objects are made of them (see `as_label_map`).

    Raises:
        UserError: The file is no image, holds several, or has several channels; or it looks like an image of grey
            values and is not `carried`.
    """
    labels = as_label_map(open_image(path, identifier), carried=carried)
    check_label_map(labels)
    return LabelMapFile(identifier, labels)


def check_sizes(file: LabelMapFile, image: ImageRecord) -> None:
    """Check that a label map has the sizes of an image; one plane may stand for all planes (a projection).

    Raises:
        UserError: The sizes differ.
    """
    fits = (file.size_x, file.size_y) == (image.size_x, image.size_y)
    if not fits or file.size_z not in (1, image.size_z) or file.size_t not in (1, image.size_t):
        raise UserError(
            f"label map {file.identifier}: its size (x {file.size_x}, y {file.size_y}, z {file.size_z}, "
            f"t {file.size_t}) is not that of image {image.image_id} {image.image_name!r} (x {image.size_x}, "
            f"y {image.size_y}, z {image.size_z}, t {image.size_t}). Use the label map that was made from this image."
        )


def _lowest(plane: np.ndarray) -> int:
    """Return the lowest label of a plane, which may lie on disk."""
    from bioimage_suite.images.model.bands import bands

    found = 0
    for first, last in bands(*plane.shape):
        found = min(found, int(plane[first:last].min(initial=0)))
        release(plane)
    return found


def read_planes(file: LabelMapFile) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (z, t, labels) of each plane, ordered by time point and then z; a large one lies on disk.

    `labels` is an integer array (rows, columns); a boolean map becomes uint8 with 0 and 1.

    Raises:
        UserError: The file ends early, or a label is negative or no whole number.
    """
    import numpy as np

    for t in range(file.size_t):
        for z in range(file.size_z):
            plane = file.labels.read_plane(t, 0, z)
            lowest = _lowest(plane) if plane.dtype.kind == "i" else 0
            if lowest < 0:
                raise UserError(f"label map {file.identifier}: label {lowest} is negative. Use 0 for background.")
            yield z, t, plane.astype(np.uint8) if plane.dtype.kind == "b" else plane
