"""Label maps in TIFF files, read one plane at a time."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from bioimage_suite.omero.objects import ImageRecord


@dataclass(frozen=True)
class LabelMapFile:
    """A label map on disk: `size_x` .. `size_t` in pixels, z-planes and time points."""

    identifier: str
    path: Path
    size_x: int
    size_y: int
    size_z: int
    size_t: int


def describe_label_map(identifier: str, path: Path) -> LabelMapFile:
    """Read the sizes of a label map and check that the file is a label map.

    Raises:
        UserError: The file is not a TIFF, has pixels that are not whole numbers, colour or several channels, or axes
            other than T, Z, Y, X.
    """
    import tifffile

    try:
        with _damage_is_an_error(), tifffile.TiffFile(path) as file:
            series = file.series[0]
            sizes, dtype = dict(zip(series.axes, series.shape, strict=True)), series.dtype
            if dtype is None or len(file.series) != 1:
                raise UserError(f"label map {identifier}: the file holds several images. Split it.")
    except (tifffile.TiffFileError, OSError, ValueError, IndexError) as error:
        raise UserError(f"label map {identifier}: not a readable TIFF ({error}). Make it again.") from None
    if dtype.kind not in "uib":
        raise UserError(f"label map {identifier}: pixels are {dtype}, but labels are whole numbers. Segment it first.")
    odd = [axis for axis, size in sizes.items() if axis not in "TZYX" and size > 1]
    if odd or "X" not in sizes or "Y" not in sizes:
        raise UserError(
            f"label map {identifier}: its axes are {series.axes} with sizes {series.shape}; a label map has one "
            "channel and the axes T, Z, Y, X. Save it as OME-TIFF."
        )
    return LabelMapFile(identifier, path, sizes["X"], sizes["Y"], sizes.get("Z", 1), sizes.get("T", 1))


def check_sizes(file: LabelMapFile, image: "ImageRecord") -> None:
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


@contextmanager
def _damage_is_an_error() -> Iterator[None]:
    """Raise a ValueError for what tifffile only logs: a tag that points beyond the end of the file."""
    found: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger, listener = logging.getLogger("tifffile"), Listener(logging.ERROR)
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)
    if found:
        raise ValueError(f"damaged or cut short: {found[0]}")


def read_planes(file: LabelMapFile) -> Iterator[tuple[int, int, "np.ndarray"]]:
    """Yield (z, t, labels) of each plane, ordered by time point and then z; memory holds one plane at a time.

    `labels` is an integer array (rows, columns); a boolean map becomes uint8 with 0 and 1.

    Raises:
        UserError: The file ends early, or a label is negative.
    """
    import numpy as np
    import tifffile

    with tifffile.TiffFile(file.path) as tiff:
        series = tiff.series[0]
        order = [axis for axis in series.axes if axis in "TZ"]
        try:
            # Maps the file itself where possible, else decodes into a temporary file.
            planes = series.asarray(out="memmap").reshape(-1, file.size_y, file.size_x)
        except Exception as error:
            # tifffile and the codecs raise many kinds of errors for damaged data; none is a defect of this tool.
            raise UserError(
                f"label map {file.identifier}: the file is damaged or cut short ({error}). Make it again."
            ) from error
        counts = {"T": file.size_t, "Z": file.size_z}
        places = [dict(zip(order, place, strict=True)) for place in product(*(range(counts[axis]) for axis in order))]
        by_time = sorted((place.get("T", 0), place.get("Z", 0), number) for number, place in enumerate(places))
        for t, z, number in by_time:
            plane = planes[number]
            if plane.dtype.kind == "i" and plane.min(initial=0) < 0:
                raise UserError(f"label map {file.identifier}: label {plane.min()} is negative. Use 0 for background.")
            yield z, t, plane.astype(np.uint8) if plane.dtype.kind == "b" else plane
