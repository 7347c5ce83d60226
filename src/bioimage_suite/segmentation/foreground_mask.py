"""Foreground of a plane from its grey values: background, smoothing, threshold and holes, by bands of rows.

Every filter also reads a halo around its band, so that the result does not depend on the cuts between bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.scratch import on_disk, release
from bioimage_suite.images.model.bands import RowReader, bands, rows_of
from bioimage_suite.segmentation.isolated_pieces import fill_holes, flip_isolated
from bioimage_suite.segmentation.threshold_methods import GLOBAL_METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHED_BYTES = 1 << 28  # a smoothed plane of up to as many bytes is kept in memory, a larger one computed each time
FLOAT_BINS = 65_536  # bins of a histogram of other types than uint8 and uint16
LOCAL_METHODS = ("local_mean", "local_otsu")
METHODS = (*GLOBAL_METHODS, *LOCAL_METHODS, "hysteresis", "manual")
FLOOR = "li"  # the method of the threshold below which the local methods find nothing by default


@dataclass(frozen=True)
class ForegroundOptions:
    """How foreground is separated from background.

    Attributes:
        background_radius: Half the edge of the square of the white top-hat, px; 0 keeps the background.
        smoothing_sigma: Standard deviation of the Gaussian, px; 0 does not smooth.
        method: One of METHODS.
        manual_threshold: Grey level for `manual`, and the high one for `hysteresis`; brighter pixels are foreground.
        low_threshold: The low grey level for `hysteresis`: brighter pixels are foreground where they are connected to
            pixels above the high one. None, also for the high one, takes both of Multi-Otsu with three classes.
        local_size: Edge of the square of the local methods, px, odd; None follows the size of the objects.
        local_offset: Grey levels that the local methods subtract from the threshold of the square. None for 0, where
            foreground must also be brighter than the threshold of the whole plane by FLOOR, so that noise of the
            background is none.
        fill_holes: Whether background enclosed by foreground becomes foreground.
        top: For dark objects, whose pixels are replaced by `top - pixel` (see `dark_objects`): messages give levels of
            the image as it was. None if objects are bright.
    """

    background_radius: int = 0
    smoothing_sigma: float = 1.0
    method: str = "li"
    manual_threshold: float | None = None
    local_size: int | None = None
    local_offset: float | None = None
    fill_holes: bool = True
    low_threshold: float | None = None
    top: float | None = None

    def shown(self, level: float) -> float:
        """Return a grey level as the image has it, before it was inverted for dark objects."""
        return level if self.top is None else self.top - level

    def check(self) -> None:
        """Reject values out of range.

        Raises:
            UserError: An option is out of range; the message names it and its limits.
        """
        if self.method not in METHODS:
            raise UserError(f"Threshold method {self.method!r} is unknown. Choose one of {', '.join(METHODS)}.")
        if self.method == "manual" and self.manual_threshold is None:
            raise UserError("Threshold method manual: no grey level was given. Set the manual threshold.")
        low, high = self.low_threshold, self.manual_threshold
        if self.method == "hysteresis" and low is not None and high is not None and low > high:
            bound = "below" if self.top is None else "above"
            raise UserError(
                f"Grey levels of hysteresis {self.shown(low):g} and {self.shown(high):g}: the first, of the dim parts, "
                f"must be {bound} the second, of the cores. Exchange them."
            )
        if self.local_size is not None and (self.local_size < 3 or self.local_size % 2 == 0):
            raise UserError(f"Local size {self.local_size}: must be an odd number of at least 3 pixels.")
        if not 0 <= self.smoothing_sigma <= 100:
            raise UserError(f"Smoothing sigma {self.smoothing_sigma}: must lie between 0 and 100 pixels.")
        if not 0 <= self.background_radius <= 1000:
            raise UserError(f"Background radius {self.background_radius}: must lie between 0 and 1000 pixels.")


def gaussian_radius(sigma: float) -> int:
    """Return the radius at which a Gaussian is cut off: four standard deviations, as in scipy and scikit-image."""
    return int(4 * sigma + 0.5)


def smoothed_rows(
    read_rows: RowReader, height: int, options: ForegroundOptions, first: int, last: int, *, rounded: bool = True
) -> np.ndarray:
    """Return rows first..last-1 after background subtraction and smoothing.

    Background: white top-hat with a square, skimage.morphology.white_tophat(image, footprint_rectangle).
    Smoothing: skimage.filters.gaussian(mode="nearest", truncate=4), rounded back to the pixel type of integers.

    Args:
        read_rows: Returns rows of the plane, as finite numbers.
        height: Rows of the whole plane.
        options: Options with radius and sigma.
        first: First row.
        last: Row after the last.
        rounded: Whether smoothed integers are rounded to their type; a volume is smoothed along z before that.

    Returns:
        (last - first, X) array: uint8 and uint16 keep their type, every other type becomes float32.
    """
    import cv2

    halo = gaussian_radius(options.smoothing_sigma) + 2 * options.background_radius
    top, bottom = max(0, first - halo), min(height, last + halo)
    rows = read_rows(top, bottom)
    kept = rows.dtype if rows.dtype in (np.uint8, np.uint16) else np.dtype(np.float32)
    rows = np.ascontiguousarray(rows, kept)
    if options.background_radius:
        edge = 2 * options.background_radius + 1
        square = cv2.getStructuringElement(cv2.MORPH_RECT, (edge, edge))
        rows = cv2.morphologyEx(rows, cv2.MORPH_TOPHAT, square)
    if options.smoothing_sigma > 0:
        edge = 2 * gaussian_radius(options.smoothing_sigma) + 1
        rows = cv2.GaussianBlur(
            rows.astype(np.float32), (edge, edge), options.smoothing_sigma, borderType=cv2.BORDER_REPLICATE
        )
        rows = np.rint(rows, out=rows).astype(kept) if rounded and kept != np.float32 else rows
    return rows[first - top : last - top]


def smoothed_plane(read_rows: RowReader, height: int, width: int, options: ForegroundOptions) -> RowReader:
    """Return a reader of `smoothed_rows`: from memory if the whole plane fits, else band by band."""
    first_band, *others = bands(height, width)
    rows = smoothed_rows(read_rows, height, options, *first_band)
    if not others:
        return rows_of(rows)
    if height * width * rows.itemsize > CACHED_BYTES:
        return lambda first, last: smoothed_rows(read_rows, height, options, first, last)
    plane = np.empty((height, width), rows.dtype)
    plane[: len(rows)] = rows
    for first, last in others:
        plane[first:last] = smoothed_rows(read_rows, height, options, first, last)
    return rows_of(plane)


def has_grey_levels(dtype: np.dtype) -> bool:
    """Return whether smoothing keeps this pixel type, so that a histogram has one bin for each grey level."""
    return dtype.kind == "u" and dtype.itemsize <= 2


def limits(read_smoothed: RowReader, height: int, width: int) -> tuple[float, float]:
    """Return the smallest and largest value of a smoothed plane."""
    ends = [(float(rows.min()), float(rows.max())) for rows in (read_smoothed(*band) for band in bands(height, width))]
    return min(low for low, _ in ends), max(high for _, high in ends)


def histogram(
    read_smoothed: RowReader, height: int, width: int, between: tuple[float, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the histogram of a smoothed plane: one bin per grey level of 8 and 16 bit, else 65,536 equal bins.

    Args:
        read_smoothed: Returns rows of the plane.
        height: Rows of the plane.
        width: Columns of the plane.
        between: Limits of the equal bins; None for the smallest and the largest value.

    Returns:
        (N,) int64 pixels per bin, and the (N,) grey level of each bin (its centre).
    """
    import cv2

    smoothed = (read_smoothed(*band) for band in bands(height, width))
    first = next(smoothed)
    if first.dtype.kind == "u":
        bins = 1 << (8 * first.itemsize)
        counts = np.zeros(bins, np.int64)
        for rows in _chain(first, smoothed):
            # calcHist counts in float32, which is exact below 2^24 pixels; a band has fewer.
            counts += cv2.calcHist([np.ascontiguousarray(rows)], [0], None, [bins], [0, bins])[:, 0].astype(np.int64)
        return counts, np.arange(bins)
    low, high = between or limits(read_smoothed, height, width)
    if low == high:
        return np.array([height * width]), np.array([low])
    edges = np.linspace(low, high, FLOAT_BINS + 1)
    counts = np.zeros(FLOAT_BINS, np.int64)
    for band in bands(height, width):
        counts += np.histogram(read_smoothed(*band), FLOAT_BINS, (low, high))[0]
    return counts, (edges[:-1] + edges[1:]) / 2


def _chain(first: np.ndarray, others: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from others


def foreground_mask(
    read_smoothed: RowReader, height: int, width: int, options: ForegroundOptions, threshold: float
) -> np.ndarray:
    """Separate foreground from background on a whole plane.

    A pixel is foreground if its smoothed value is greater than the threshold. For the local methods, which need a
    `local_size`, see `_above_local_mean` and `_above_local_otsu`; without a `local_offset` it must also be greater than
    the threshold. For hysteresis it is greater than `low_threshold`, and a path joins it to one above the threshold.

    Returns:
        (Y, X) bool array; that of a large plane is on disk (`core.scratch`).
    """
    mask = (on_disk if height * width > CACHED_BYTES // 2 else np.zeros)((height, width), np.uint8)
    ends = _limits(read_smoothed, height, width) if options.method == "local_otsu" else (0.0, 0.0)
    for first, last in bands(height, width):
        if options.method == "local_mean":
            mask[first:last] = _above_local_mean(read_smoothed, height, options, first, last)
        elif options.method == "local_otsu":
            mask[first:last] = _above_local_otsu(read_smoothed, height, options, (first, last), ends)
        if options.method == "hysteresis":
            mask[first:last] = read_smoothed(first, last) > options.low_threshold
        elif options.method not in LOCAL_METHODS:
            mask[first:last] = read_smoothed(first, last) > threshold
        elif options.local_offset is None:
            mask[first:last] &= read_smoothed(first, last) > threshold
        release(mask)
    if options.method == "hysteresis":  # as skimage.filters.apply_hysteresis_threshold, by edges
        flip_isolated(mask, 1, lambda first, last: [read_smoothed(first, last) > threshold])
    if options.fill_holes:
        fill_holes(mask)
    return mask.view(bool)


def is_all(mask: np.ndarray) -> bool:
    """Say whether a (Y, X) bool mask has no background."""
    for first, last in bands(*mask.shape):
        if not mask[first:last].all():
            return False
        release(mask)
    return True


def _square(options: ForegroundOptions) -> tuple[int, float]:
    """Return edge and offset of the local methods."""
    assert options.local_size is not None
    return options.local_size, options.local_offset or 0.0


def _above_local_mean(
    read_smoothed: RowReader, height: int, options: ForegroundOptions, first: int, last: int
) -> np.ndarray:
    """Return the pixels above the mean of their square minus the offset; the border is reflected.

    Equals skimage.filters.threshold_local(method="mean"); sums are exact, so a flat image has no foreground.
    """
    import cv2

    edge, offset = _square(options)
    top, bottom = max(0, first - edge // 2), min(height, last + edge // 2)
    rows = read_smoothed(top, bottom).astype(np.float64)
    sums = cv2.boxFilter(rows, cv2.CV_64F, (edge, edge), normalize=False, borderType=cv2.BORDER_REFLECT)
    above = rows * edge**2 > sums - offset * edge**2
    return above[first - top : last - top]


def _limits(read_smoothed: RowReader, height: int, width: int) -> tuple[float, float]:
    """Return what becomes 0 and 255 for local Otsu: the limits of the type for 8 bit, else of the values."""
    if read_smoothed(0, 1).dtype == np.uint8:
        return 0.0, 255.0
    return limits(read_smoothed, height, width)


def _above_local_otsu(
    read_smoothed: RowReader,
    height: int,
    options: ForegroundOptions,
    rows_wanted: tuple[int, int],
    ends: tuple[float, float],
) -> np.ndarray:
    """Return the pixels above Otsu's threshold of their square (its part in the image) minus the offset.

    Equals skimage.filters.rank.otsu with 256 levels between `ends`. A square of one level has no foreground.
    """
    import cv2
    from skimage.filters.rank import otsu

    (edge, offset), (first, last) = _square(options), rows_wanted
    top, bottom = max(0, first - edge // 2), min(height, last + edge // 2)
    rows = read_smoothed(top, bottom)
    low, high = ends
    if low == high:
        return np.zeros((last - first, rows.shape[1]), bool)
    levels = rows if rows.dtype == np.uint8 else np.rint((rows - low) * (255 / (high - low))).astype(np.uint8)
    square = np.ones((edge, edge), np.uint8)
    threshold = otsu(levels, square)
    # At the border OpenCV uses no pixel from outside, like the rank filter.
    varied = cv2.dilate(levels, square) > cv2.erode(levels, square)
    above = varied & (levels > threshold - offset * 255 / (high - low))
    array: np.ndarray = above[first - top : last - top]
    return array
