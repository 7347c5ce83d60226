"""Label maps in TIFF files, read plane by plane."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from tool_errors import UserError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class LabelMapFile:
    """An opened label map's description: `size_x` .. `size_t` in pixels, planes and time points."""

    identifier: str
    path: Path
    size_x: int
    size_y: int
    size_z: int
    size_t: int


def describe_label_map(identifier: str, path: Path) -> LabelMapFile:
    """Read the sizes of a label map and check that it is one.

    Raises:
        UserError: Not a TIFF, no whole numbers, colour or several channels, or axes other than T, Z, Y, X.
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


@contextmanager
def _damage_is_an_error() -> Iterator[None]:
    """Tifffile only logs a tag that points beyond the end of the file, and reads on without it."""
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
    """Yield (z, t, labels) of each plane, labels as (rows, columns) of integers; memory holds one plane at a time.

    Raises:
        UserError: The file ends early, or a label is negative.
    """
    import numpy as np
    import tifffile

    with tifffile.TiffFile(file.path) as tiff:
        series = tiff.series[0]
        order = [axis for axis in series.axes if axis in "TZ"]
        try:
            # Maps the file itself where it can, else decodes into a temporary one.
            planes = series.asarray(out="memmap").reshape(-1, file.size_y, file.size_x)
        except Exception as error:
            # tifffile and the codecs raise many kinds for damaged data; none of them is a defect of this tool.
            raise UserError(
                f"label map {file.identifier}: the file is damaged or cut short ({error}). Make it again."
            ) from error
        counts = {"T": file.size_t, "Z": file.size_z}
        places = product(*(range(counts[axis]) for axis in order))
        for plane, place in zip(planes, places, strict=True):
            if plane.dtype.kind == "i" and plane.min(initial=0) < 0:
                raise UserError(f"label map {file.identifier}: label {plane.min()} is negative. Use 0 for background.")
            where = dict(zip(order, place, strict=True))
            yield where.get("Z", 0), where.get("T", 0), plane.astype(np.uint8) if plane.dtype.kind == "b" else plane
