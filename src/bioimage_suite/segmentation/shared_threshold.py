"""One threshold for all planes of an image or of a list of images, from all their pixels together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.bands import rows_of
from bioimage_suite.images.model.image_file import ImageFile, with_numbers_only
from bioimage_suite.images.model.planes import planes_of, z_step
from bioimage_suite.images.model.series import ONLY_ONE, Reading
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.segmentation import foreground_mask
from bioimage_suite.segmentation.threshold_methods import GLOBAL_METHODS, global_threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import numpy as np

    from bioimage_suite.images.model.bands import RowReader


@dataclass(frozen=True)
class ListedImages:
    """Images that are opened one after the other in each iteration.

    Attributes:
        paths: The files.
        names: Name of each in messages, None for the file's name.
        reading: Which image of each file, and what its pages are.
        change: What is done to each image once it is open, such as `dark_objects.inverted`.
    """

    paths: list[Path]
    names: list[str | None]
    reading: Reading = ONLY_ONE
    change: Callable[[ImageFile], ImageFile] = with_numbers_only

    def __iter__(self) -> Iterator[ImageFile]:
        """Open each image in turn."""
        for path, name in zip(self.paths, self.names, strict=True):
            yield self.change(open_image(path, name, self.reading))


def shared_threshold(
    images: Iterable[ImageFile], channel: str, options: foreground_mask.ForegroundOptions, volume: bool = False
) -> float | None:
    """Return the threshold from the histogram of all planes of all images; None if the method has no histogram.

    The histogram has a bin for each grey level of 8- and 16-bit images. For other types it has
    `foreground_mask.FLOAT_BINS` equal bins from the smallest to the largest value, and images are read twice.

    Args:
        images: Opened images of one pixel type.
        channel: Name or index of the channel.
        options: How foreground is found.
        volume: Whether to smooth in 3D, as the segmentation will.

    Raises:
        UserError: There is no image, or the pixel types differ.
    """
    if options.method not in GLOBAL_METHODS:
        return None
    limits: tuple[float, float] | None = None
    first: ImageFile | None = None
    for image in images:
        first = first or image
        if image.dtype != first.dtype:
            raise UserError(
                f"Image {image.name}: its pixels are {image.dtype}, those of the images before are {first.dtype}. "
                "One threshold for all needs images of one pixel type."
            )
        if not foreground_mask.has_grey_levels(image.dtype):
            ends = [foreground_mask.limits(*one) for one in _smoothed(image, channel, options, volume)]
            ends += [limits] if limits else []
            limits = min(low for low, _ in ends), max(high for _, high in ends)
    if first is None:
        raise UserError("One threshold for all: no image was given. Choose the list of images.")
    total: np.ndarray | None = None
    for image in images:
        for one in _smoothed(image, channel, options, volume):
            counts, levels = foreground_mask.histogram(*one, limits)
            total = counts if total is None else total + counts
    assert total is not None
    return global_threshold(options.method, total, levels)


def _smoothed(
    image: ImageFile, channel: str, options: foreground_mask.ForegroundOptions, volume: bool
) -> Iterator[tuple[RowReader, int, int]]:
    """Yield each smoothed plane, or each volume with its planes stacked along y: reader, rows and columns."""
    c = image.resolve_channel(channel)
    if volume:
        from bioimage_suite.segmentation import volume_objects

        shape = (image.size_z, image.size_y, image.size_x)
        for t in range(image.size_t):
            smoothed = volume_objects.smoothed_volume(
                partial(image.read_plane, t, c), shape, options, z_step(image)
            ).reshape(-1, image.size_x)
            yield rows_of(smoothed), *smoothed.shape
        return
    for t, z in planes_of(image):
        size = (image.size_y, image.size_x)
        yield foreground_mask.smoothed_plane(image.plane_reader(t, c, z), *size, options), *size
