"""Numbered objects from a foreground mask: connected components, watershed of touching objects, size, border.

Works by bands of rows. A component belongs to the band with its first pixel, and a band is read down to the end of its
components. So bands of any height give the same labels, and memory is bounded by a band.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.in_order import in_order
from bioimage_suite.core.scratch import release
from bioimage_suite.images.model.bands import LEAST_ROWS, RowReader, bands, rows_of
from bioimage_suite.segmentation import foreground_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LEFT, TOP, WIDTH, HEIGHT, AREA = range(5)  # columns of cv2.connectedComponentsWithStats
# Least difference of two heights for the watershed, px: far below what a distance in pixels can tell apart, far above
# the errors of float32. A power of two, so that the multiples are exact.
HEIGHT_STEP = 1 / 1024
FIRST_REACH = 64  # rows that a window is read beyond its band at first, about the height of a usual object
MARGINS = 3  # least rows of a band in margins, as those above and below are computed again with the next bands
WINDOW_PIXELS = 1 << 24  # most pixels of a band because of its margins
SEED_ROWS = 64  # rows of a window in which seeds are searched at once


@dataclass(frozen=True)
class SplitOptions:
    """How foreground becomes objects.

    Attributes:
        seeds: Maxima of `distance` (to the background), `intensity` (of the smoothed image), in a volume of `both` (the
            distance times the intensity, from DIM to DIM + 1 in each component), or `none`: do not split.
        seed_distance: Least distance in rows or in columns between two seeds of a component, px.
        seed_smoothing: Standard deviation of the Gaussian over the distances to the background, px.
        min_area: Area in pixels below which objects are removed.
        max_area: Area in pixels above which objects are removed; None keeps them.
        clear_border: Whether objects that touch the image's border are removed.
    """

    seeds: str = "distance"
    seed_distance: int = 7
    seed_smoothing: float = 1.0
    min_area: int = 20
    max_area: int | None = None
    clear_border: bool = False

    def check(self) -> None:
        """Reject values out of range.

        Raises:
            UserError: An option is out of range; the message names it and its limits.
        """
        if self.seeds not in ("distance", "intensity", "both", "none"):
            raise UserError(f"Seeds {self.seeds!r} are unknown. Choose distance, intensity or none.")
        if not 1 <= self.seed_distance <= 1000:
            raise UserError(f"Seed distance {self.seed_distance}: must lie between 1 and 1000 pixels.")
        if not 0 <= self.seed_smoothing <= 100:
            raise UserError(f"Seed smoothing {self.seed_smoothing}: must lie between 0 and 100 pixels.")
        if self.min_area < 0:
            raise UserError(f"Minimum area {self.min_area}: must not be negative.")
        if self.max_area is not None and self.max_area < max(1, self.min_area):
            raise UserError(f"Maximum area {self.max_area}: must not be less than the minimum area {self.min_area}.")

    def least_rows(self, width: int) -> int:
        """Return the least rows of a band of a plane with `width` columns."""
        return max(LEAST_ROWS, min(MARGINS * self.margin, WINDOW_PIXELS // max(1, width)))

    @property
    def margin(self) -> int:
        """Return the number of rows around a component that its seeds depend on.

        Smoothing and the search for maxima read distances within a reach r, also in neighbouring components. There the
        distance to the background is at most that to the gap between both, sqrt(2) r.
        """
        reach = foreground_mask.gaussian_radius(self.seed_smoothing) + self.seed_distance
        return math.ceil((1 + math.sqrt(2)) * reach) + 2


@dataclass(frozen=True)
class LabelledRows:
    """A window of a plane: its rows from `top`, with the components found in them.

    Attributes:
        top: Row of the plane that is row 0 here.
        labels: (rows, X) int32 component numbers of cv2.
        stats: (components, 5) int32 box and area of cv2.
        owned: Numbers of the components that belong to the band, in the order of their first pixel.
        seeds: (seeds, 2) rows and columns by number, for each component that has more than one.
        heights: Returns the heights of a crop for the watershed.
    """

    top: int
    labels: np.ndarray
    stats: np.ndarray
    owned: np.ndarray
    seeds: dict[int, np.ndarray] = field(default_factory=dict)
    heights: Callable[[slice, slice], np.ndarray] | None = None


def label_bands(
    mask: np.ndarray, options: SplitOptions, first_label: int, intensity: RowReader | None = None
) -> Iterator[np.ndarray]:
    """Number the objects of a plane.

    Pixels that share an edge are connected. A seed is a foreground pixel whose height is the maximum of the square of
    2 * seed_distance + 1 pixels around it; of equal ones closer than seed_distance the first in reading order counts
    (skimage.feature.peak_local_max with the mask as labels). A component with several seeds is divided by
    skimage.segmentation.watershed; any other is one object. Labels have no gaps; they follow the order of the first
    pixels of the components, and of the seeds in a component.

    Args:
        mask: (Y, X) bool foreground.
        options: How to split and what to keep.
        first_label: Label of the first object.
        intensity: Returns rows of the smoothed image; needed for seeds by intensity.

    Yields:
        (rows, X) int32 bands that together make the plane.
    """
    if options.seeds == "distance" and foreground_mask.is_all(mask):  # no background to which there could be a distance
        options = replace(options, seeds="none")

    def prepare(band: tuple[int, int]) -> LabelledRows:
        window = complete_window(mask, *band, options.margin, options.min_area)
        window = _with_seeds(mask, window, options, intensity)
        release(mask)
        return window

    shape = (mask.shape[0], mask.shape[1])
    least = options.least_rows(shape[1])
    windows = prepared_windows(shape, prepare, least)
    return joined_bands(shape, _all_numbered(windows, shape, options, first_label), least)


def _all_numbered(
    windows: Iterable[LabelledRows], shape: tuple[int, int], options: SplitOptions, first_label: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the first row and the labels of each window; labels continue from window to window."""
    for window in windows:
        top, (labels, first_label) = window.top, _numbered(window, shape, options, first_label)
        del window  # Its arrays are large, and the next ones are being made.
        yield top, labels
        del labels


def prepared_windows(
    shape: tuple[int, ...], prepare: Callable[[tuple[int, int]], LabelledRows], least: int = LEAST_ROWS
) -> Iterator[LabelledRows]:
    """Yield the window of each band of a plane; a thread prepares one ahead, as OpenCV releases Python's lock.

    Args:
        shape: Rows and columns of the plane.
        prepare: Returns the window of a band.
        least: Least rows of a band.
    """
    with ThreadPoolExecutor(1) as thread:
        yield from in_order(thread, (partial(prepare, band) for band in bands(shape[0], shape[1], least)), ahead=1)


def joined_bands(
    shape: tuple[int, ...], numbered: Iterable[tuple[int, np.ndarray]], least: int = LEAST_ROWS
) -> Iterator[np.ndarray]:
    """Yield a plane in bands, from the labels of the components that begin in each band.

    Args:
        shape: Rows and columns of the plane.
        numbered: For each band, the row where its window begins and the window's (rows, X) int32 labels.
        least: Least rows of a band.

    Yields:
        (rows, X) int32 bands.
    """
    height, width = shape
    carried = np.zeros((0, width), np.int32)
    for (first, last), (top, whole) in zip(bands(height, width, least), numbered, strict=True):
        labels = whole[first - top :]
        if len(carried) > len(labels):  # an earlier component reaches further down than this window
            labels = np.concatenate([labels, np.zeros((len(carried) - len(labels), width), np.int32)])
        labels[: len(carried)] += carried
        yield labels[: last - first]
        carried = labels[last - first :].copy()
        del labels, whole  # before the next window is taken


def complete_window(mask: np.ndarray, first: int, last: int, margin: int, min_area: int) -> LabelledRows:
    """Label the rows around a band, down to the end of all components that begin in it.

    Args:
        mask: (Y, X) bool foreground.
        first: First row of the band.
        last: Row after the last.
        margin: Rows to read above the band and below its components.
        min_area: Area in pixels below which components are left out.
    """
    import cv2

    height = mask.shape[0]
    top, reach = max(0, first - margin), margin + FIRST_REACH
    while True:
        bottom = min(height, last + reach)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(
            np.ascontiguousarray(mask[top:bottom]).view(np.uint8), connectivity=4
        )
        begins = stats[:, TOP] + top
        mine = (begins >= first) & (begins < last)
        mine[0] = False
        ends = (stats[:, TOP] + stats[:, HEIGHT])[mine].max(initial=0) + top
        if bottom == height or ends + margin <= bottom:
            # Components below the minimum cannot contain an object, so the watershed can skip them.
            mine &= stats[:, AREA] >= min_area
            labels = labels[: max(int(ends) + margin, last) - top]
            return LabelledRows(top, labels, stats, _in_reading_order(labels, stats, np.flatnonzero(mine)))
        reach = max(2 * reach, int(ends) + margin - last)
        del labels  # before the larger ones are made


def _in_reading_order(labels: np.ndarray, stats: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Sort components by the row, then the column of their first pixel."""
    columns = np.empty(len(numbers), np.int64)
    for i, (number, box) in enumerate(zip(numbers, stats[numbers], strict=True)):
        row = labels[box[TOP], box[LEFT] : box[LEFT] + box[WIDTH]]
        columns[i] = box[LEFT] + (row == number).argmax()
    array: np.ndarray = numbers[np.lexsort((columns, stats[numbers, TOP]))]
    return array


def _with_seeds(
    mask: np.ndarray, window: LabelledRows, options: SplitOptions, intensity: RowReader | None
) -> LabelledRows:
    """Return the window with the seeds of its own components and the heights to flood."""
    if options.seeds == "none" or not len(window.owned):
        return window
    landscape, heights = _landscape(mask, window, options, intensity)
    return replace(window, seeds=_seeds(landscape, window, options.seed_distance), heights=heights)


def _numbered(
    window: LabelledRows, shape: tuple[int, int], options: SplitOptions, first_label: int
) -> tuple[np.ndarray, int]:
    """Assign labels to the window's own components.

    Returns:
        (rows, X) int32 labels, 0 outside of the band's own objects, and the next free label.
    """
    lut = np.zeros(len(window.stats), np.int32)
    parts: list[tuple[tuple[slice, slice], np.ndarray, np.ndarray]] = []
    for number in window.owned.tolist():
        left, top, across, down, area = window.stats[number].tolist()
        if number not in window.seeds or window.heights is None:
            box = (top + window.top, left, top + window.top + down, left + across)
            if _is_kept(area, box, shape, options):
                lut[number], first_label = first_label, first_label + 1
            continue
        crop = (slice(top, top + down), slice(left, left + across))
        inside = window.labels[crop] == number
        divided = _watershed(window.heights(*crop), inside, window.seeds[number] - (top, left))
        new = _kept_parts(divided, (top + window.top, left), shape, options, first_label)
        first_label += int((new > 0).sum())
        parts.append((crop, inside, new[divided]))
    labels = window.labels
    for first in range(0, len(labels), SEED_ROWS):  # in place, as two windows take most of the memory
        labels[first : first + SEED_ROWS] = np.take(lut, labels[first : first + SEED_ROWS])
    for crop, inside, divided in parts:
        np.copyto(labels[crop], divided, where=inside)
    return labels, first_label


def _landscape(
    mask: np.ndarray, window: LabelledRows, options: SplitOptions, intensity: RowReader | None
) -> tuple[RowReader, Callable[[slice, slice], np.ndarray]]:
    """Return heights whose maxima are seeds: smoothed distance to the background, or smoothed intensity.

    Returns:
        A reader of the window's rows as float32 heights, and a function that returns the exact heights of a crop for
        the watershed. They are whole multiples of HEIGHT_STEP: otherwise the last bits of floats would decide where
        the dividing lines run.
    """
    rows, _ = window.labels.shape
    inside = np.ascontiguousarray(mask[window.top : window.top + rows])
    if options.seeds == "intensity" and intensity is not None:
        grey = np.full(inside.shape, -np.inf, np.float32)
        np.copyto(grey, intensity(window.top, window.top + rows), where=inside, casting="same_kind")
        return rows_of(grey), lambda down, across: grey[down, across]
    distance = _distance(inside.view(np.uint8), window)
    radius = foreground_mask.gaussian_radius(options.seed_smoothing)

    def smooth(first: int, last: int) -> np.ndarray:
        top = max(0, first - radius)
        part = _smoothed(distance[top : last + radius], options.seed_smoothing)[first - top : last - top]
        product: np.ndarray = part * inside[first:last]
        return product

    def exact(down: slice, across: slice) -> np.ndarray:
        top, left = max(0, down.start - radius), max(0, across.start - radius)
        part = distance[top : down.stop + radius, left : across.stop + radius].astype(np.float64)
        part = _smoothed(np.sqrt(np.rint(part * part)), options.seed_smoothing)
        part = part[down.start - top : down.stop - top, across.start - left : across.stop - left]
        return in_steps(part)

    return smooth, exact


def in_steps(heights: np.ndarray) -> np.ndarray:
    """Return heights rounded to multiples of HEIGHT_STEP."""
    return np.rint(heights / HEIGHT_STEP) * HEIGHT_STEP


def _distance(foreground: np.ndarray, window: LabelledRows) -> np.ndarray:
    """Return the Euclidean distance of each foreground pixel to the background in the window, (rows, X) float32.

    The nearest background of a pixel is beside its own component, so the box of the component with a margin of one
    pixel is enough. If components cover little of the plane, this is four times as fast as the whole plane.
    """
    import cv2

    rows, width = foreground.shape
    boxes = window.stats[1:]
    if 2 * int(boxes[:, WIDTH].astype(np.int64) @ boxes[:, HEIGHT]) > foreground.size:
        distance: np.ndarray = cv2.distanceTransform(foreground, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    else:
        distance = np.zeros(foreground.shape, np.float32)
        for number, (left, top, across, down, _) in enumerate(boxes.tolist(), 1):
            if top < rows:
                crop = (slice(max(0, top - 1), min(rows, top + down + 1)),
                        slice(max(0, left - 1), min(width, left + across + 1)))  # fmt: skip
                part = cv2.distanceTransform(foreground[crop], cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
                np.copyto(distance[crop], part, where=window.labels[crop] == number)
    # The last bit of OpenCV's result depends on the surrounding rows; squared distances are whole numbers.
    np.square(distance, out=distance)
    array: np.ndarray = np.sqrt(np.rint(distance, out=distance), out=distance)
    return array


def _smoothed(heights: np.ndarray, sigma: float) -> np.ndarray:
    """Return heights smoothed by a Gaussian, with the cut-off and border of skimage.filters.gaussian."""
    import cv2

    if sigma == 0:
        return heights
    edge = 2 * foreground_mask.gaussian_radius(sigma) + 1
    return cv2.GaussianBlur(heights, (edge, edge), sigma, borderType=cv2.BORDER_REPLICATE)


def _seeds(landscape: RowReader, window: LabelledRows, distance: int) -> dict[int, np.ndarray]:
    """Return the seeds of each component with more than one: (seeds, 2) rows and columns in reading order."""
    at, height = _maxima(landscape, window, distance)
    component = window.labels.ravel()[at]
    order = np.lexsort((at, -height, component))
    at, component = at[order], component[order]
    if not len(at):  # every maximum has a higher one in a neighbouring component within the distance
        return {}
    starts = np.flatnonzero(np.r_[True, component[1:] != component[:-1]])
    seeds = {}
    for first, last in zip(starts, [*starts[1:], len(at)], strict=True):
        if last - first == 1:
            continue
        points = np.stack(np.divmod(at[first:last], window.labels.shape[1]), axis=1)
        points = spaced(points, distance)
        if len(points) > 1:
            seeds[int(component[first])] = points[np.lexsort((points[:, 1], points[:, 0]))]
    return seeds


def _maxima(landscape: RowReader, window: LabelledRows, distance: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of owned components that are highest within a distance: flat index, and height."""
    import cv2

    square = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * distance + 1, 2 * distance + 1))
    is_owned = np.zeros(len(window.stats), bool)
    is_owned[window.owned] = True
    boxes = window.stats[window.owned]
    rows, width = window.labels.shape
    end = int((boxes[:, TOP] + boxes[:, HEIGHT]).max())
    found, heights = [], []
    for first in range(int(boxes[:, TOP].min()), end, SEED_ROWS):
        last = min(first + SEED_ROWS, end)
        top, bottom = max(0, first - distance), min(rows, last + distance)
        around = landscape(top, bottom)
        here = slice(first - top, last - top)
        at = np.flatnonzero(cv2.dilate(around, square)[here] == around[here])
        at = at[is_owned[window.labels[first:last].ravel()[at]]]
        found.append(at + first * width)
        heights.append(around[here].ravel()[at])
    return np.concatenate(found), np.concatenate(heights)


def spaced(points: np.ndarray, distance: int | tuple[int, ...]) -> np.ndarray:
    """Drop each point closer than `distance` along every axis to an earlier point of the list."""
    kept: list[np.ndarray] = []
    while len(points):
        kept.append(points[0])
        points = points[(np.abs(points - points[0]) >= distance).any(axis=1)]
    return np.array(kept)


def _watershed(heights: np.ndarray, inside: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Divide one component between its seeds: (Y, X) int32, from 1 in the order of the seeds, 0 outside.

    This calls the kernel of skimage.segmentation.watershed(-heights, markers, mask=inside): the public function costs
    a third of a second for imports and a quarter of a millisecond per component. The version of scikit-image is fixed,
    and a test compares both.
    """
    from skimage.segmentation._watershed_cy import watershed_raveled

    # Pad by one pixel, so that no neighbour lies beyond the border.
    image, mask = np.pad(-heights.astype(np.float64), 1), np.pad(inside, 1)
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(seeds.T + 1)] = np.arange(1, len(seeds) + 1)
    width = mask.shape[1]
    watershed_raveled(
        image.ravel(),
        np.flatnonzero(markers),
        np.array([-width, -1, 1, width], np.intp),
        mask.ravel().view(np.int8),
        np.array([width, 1], np.intp),
        0.0,
        markers.ravel(),
        False,
    )
    return markers[1:-1, 1:-1]


def _kept_parts(
    divided: np.ndarray, origin: tuple[int, int], shape: tuple[int, int], options: SplitOptions, first_label: int
) -> np.ndarray:
    """Return the label of each part of a divided component, 0 if its size or the border removes it."""
    import cv2

    count = int(divided.max())
    areas = np.bincount(divided.ravel(), minlength=count + 1)
    new = np.zeros(count + 1, np.int32)
    for part in range(1, count + 1):
        box = (0, 0, 0, 0)
        if options.clear_border:
            left, top, across, down = cv2.boundingRect((divided == part).view(np.uint8))
            box = (origin[0] + top, origin[1] + left, origin[0] + top + down, origin[1] + left + across)
        if _is_kept(int(areas[part]), box, shape, options):
            new[part], first_label = first_label, first_label + 1
    return new


def _is_kept(area: int, box: tuple[int, int, int, int], shape: tuple[int, int], options: SplitOptions) -> bool:
    """Return whether an object of this area and box stays.

    The box is first row, first column, and row and column after the last.
    """
    if area < options.min_area or (options.max_area is not None and area > options.max_area):
        return False
    touches = box[0] == 0 or box[1] == 0 or box[2] == shape[0] or box[3] == shape[1]
    return not (options.clear_border and touches)
