"""Pixels of a TIFF series by region, whatever the order of its axes.

A series is one array with a letter for each axis; its pages hold the last axes of it. Where pixels follow each other
without gaps the array is mapped; else tiles or strips are decoded, if a page is a picture of rows and columns, or the
whole array is, if its pages are cut otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.in_order import threads_allowed
from bioimage_suite.core.scratch import moved_to_disk, release

if TYPE_CHECKING:
    import tifffile

# Bytes of an array whose pages are no pictures: to read one plane all of it is decoded, once.
WHOLE_ARRAY_LIMIT = 1 << 30
# Bytes of a region from which on threads save more time than their start costs (0.3 ms each, more on a busy machine).
WORTH_THREADS = 1 << 22

# Bytes of a decoded tile or strip from which on it is kept on disk when a region needs a part of it, and how many are.
LARGE_SEGMENT = 1 << 26
MOST_KEPT = 8

Place = dict[str, int | slice]  # by axis; T, C and Z are numbers, S a number or a slice, Y and X slices
Reader = Callable[[Place], np.ndarray]


def region_reader(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, axes: str, shape: tuple[int, ...] | None = None,
    own: Mapping[int, tifffile.TiffPage] | None = None,
) -> Reader:  # fmt: skip
    """Choose how regions are read.

    Args:
        tiff: The open file.
        series: Full resolution of an image in it.
        axes: A letter for each axis of `series.shape`: `TCZYXS`; others are of length 1.
        shape: Lengths that split an axis of the series, for a file without gaps.
        own: Pages by number in the series that are stored in another way than its first.

    Returns:
        A function from a place to a (Y, X) array, or to (Y, X, S) where the place has a slice of S.

    Raises:
        ValueError: The pages are no pictures, and the array is too large to decode whole.
    """
    if series.dataoffset is not None:
        return lambda place: _ordered(_mapped(tiff, series).reshape(shape or series.shape), axes, place)
    inside = _page_axes(series, axes)
    sample_axis = _sample_axis(series.keyframe.axes, inside)
    if sample_axis is not None:
        return _page_reader(series, axes[: len(axes) - len(inside)], sample_axis, own or {})
    if own:
        raise ValueError(f"its axes {axes} are cut into pages of {inside}, which are stored in several ways")
    if series.nbytes > WHOLE_ARRAY_LIMIT:
        raise ValueError(f"its axes {axes} are cut into pages of {inside}, which only smaller files may be")
    whole: list[np.ndarray] = []

    def read(place: Place) -> np.ndarray:
        if not whole:
            whole.append(series.asarray())
        return _ordered(whole[0], axes, place)

    return read


def _mapped(tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> np.ndarray:
    """Map the array of a file without gaps: only what is used is read.

    It is mapped anew for each region, so that what was read once does not stay in memory.
    """
    dtype = np.dtype(tiff.byteorder + series.dtype.char)
    mapped: np.ndarray = tiff.filehandle.memmap_array(dtype, series.shape, series.dataoffset or 0)
    return mapped


def _ordered(array: np.ndarray, axes: str, place: Place) -> np.ndarray:
    """Cut a region out of an array and bring it into the order Y, X, S, in the byte order of this machine."""
    region = array[tuple(place.get(axis, 0) for axis in axes)]
    left = [axis for axis in axes if isinstance(place.get(axis, 0), slice)]
    region = region.transpose([left.index(axis) for axis in "YXS" if axis in left])
    return np.ascontiguousarray(region, region.dtype.newbyteorder("="))


def _page_axes(series: tifffile.TiffPageSeries, axes: str) -> str:
    """Return the last letters of the axes: those that lie within a page."""
    size = math.prod(series.keyframe.shape)
    count = 0
    while math.prod(series.shape[len(axes) - count :]) < size:
        count += 1
    # An image of one row: the page has the axis all the same.
    while count < len(series.keyframe.axes) and count < len(axes) and series.shape[len(axes) - count - 1] == 1:
        count += 1
    return axes[len(axes) - count :]


def _sample_axis(page_axes: str, inside: str) -> str | None:
    """Return the axis of a page's samples, empty if it has one sample; None if the page is no picture of rows."""
    if len(page_axes) != len(inside):
        return None
    if page_axes == "YX":
        return "" if inside == "YX" else None
    if page_axes == "YXS":
        return inside[2] if inside[:2] == "YX" else None
    if page_axes == "SYX":
        return inside[0] if inside[1:] == "YX" else None
    return None


def _page_reader(
    series: tifffile.TiffPageSeries, outside: str, sample_axis: str, own: Mapping[int, tifffile.TiffPage]
) -> Reader:
    lengths = dict(zip(outside, series.shape, strict=False))
    kept = LargeSegments()

    def read(place: Place) -> np.ndarray:
        if "S" in outside and isinstance(place["S"], slice):
            return np.stack([read({**place, "S": one}) for one in range(lengths["S"])[place["S"]]], axis=-1)
        number = 0
        for axis in outside:
            at = place.get(axis, 0)
            assert isinstance(at, int)
            number = number * lengths[axis] + at
        rows, columns = place["Y"], place["X"]
        assert isinstance(rows, slice)
        assert isinstance(columns, slice)
        page = own.get(number) or series.pages[number]
        pixels = read_segments(page, place.get(sample_axis, 0), rows, columns, kept)
        # A file that keeps no samples together is asked for all samples of a pixel: there is one.
        return pixels[..., None] if isinstance(place.get("S", 0), slice) and pixels.ndim == 2 else pixels

    return read


class LargeSegments:
    """The large tiles and strips that were decoded last, on disk.

    A page may be one strip of a gigabyte, which would be decoded anew for each band of rows that is read of it.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._found: dict[tuple[str, int], np.ndarray] = {}

    def find(self, file: str, offset: int) -> np.ndarray | None:
        """Return the segment that begins there, None where it is not kept."""
        segment = self._found.get((file, offset))
        if segment is not None:
            release(segment)
        return segment

    def keep(self, file: str, offset: int, segment: np.ndarray) -> None:
        """Keep a segment; beyond MOST_KEPT, the one that came first goes."""
        for first in list(self._found)[: max(0, len(self._found) + 1 - MOST_KEPT)]:
            self._found.pop(first, None)
        self._found[file, offset] = moved_to_disk(segment)


def read_segments(page: Any, sample: int | slice, rows: slice, columns: slice, kept: LargeSegments) -> np.ndarray:
    """Decode only the tiles or strips of a page that touch the region, on all cores.

    Args:
        page: Of tifffile.
        sample: One sample of a pixel, or a slice of all.
        rows: With start and stop.
        columns: With start and stop.
        kept: Large ones that were decoded before.
    """
    if isinstance(sample, slice) and page.keyframe.planarconfig == 2 and page.keyframe.samplesperpixel > 1:
        every = range(page.keyframe.samplesperpixel)[sample]
        return np.stack([read_segments(page, one, rows, columns, kept) for one in every], axis=-1)
    y0, y1, x0, x1 = rows.start, rows.stop, columns.start, columns.stop
    keyframe = page.keyframe
    step_y = keyframe.tilelength if keyframe.is_tiled else keyframe.rowsperstrip
    step_x = keyframe.tilewidth if keyframe.is_tiled else keyframe.imagewidth
    down, across = -(-keyframe.imagelength // step_y), -(-keyframe.imagewidth // step_x)
    separate = keyframe.planarconfig == 2 and keyframe.samplesperpixel > 1
    first = sample * down * across if separate and isinstance(sample, int) else 0
    indices = [
        first + row * across + column
        for row in range(y0 // step_y, -(-y1 // step_y))
        for column in range(x0 // step_x, -(-x1 // step_x))
    ]
    several = () if isinstance(sample, int) else (keyframe.samplesperpixel,)
    out = np.zeros((y1 - y0, x1 - x0, *several), keyframe.dtype)
    jpeg = {"jpegtables": page.jpegtables, "jpegheader": keyframe.jpegheader} if keyframe.compression in {6, 7} else {}

    handle = page.parent.filehandle
    if handle.closed:  # of a file beside this one that holds other planes of the image: tifffile has closed it
        handle.open()

    def place(segment: np.ndarray, y: int, x: int) -> bool:
        """Copy what lies in the region; say whether that is all of the segment."""
        ya, yb, xa, xb = max(y, y0), min(y + len(segment), y1), max(x, x0), min(x + segment.shape[1], x1)
        pixels = segment[ya - y : yb - y, xa - x : xb - x, 0 if separate else sample]
        out[ya - y0 : yb - y0, xa - x0 : xb - x0] = pixels
        return bool(pixels.nbytes == segment.nbytes)

    def decode(encoded: tuple[bytes | None, int]) -> None:
        segment, (_, _, y, x, _), shape = keyframe.decode(*encoded, _fullsize=False, **jpeg)
        if segment is None:
            return  # TIFF: a tile of zero bytes is a sparse tile, all zero
        segment = segment[0, : shape[1], : shape[2]]
        if not place(segment, y, x) and segment.nbytes > LARGE_SEGMENT:
            kept.keep(handle.path, page.dataoffsets[encoded[1]], segment)

    missing = []
    for index in indices:
        known = kept.find(handle.path, page.dataoffsets[index]) if page.databytecounts[index] else None
        if known is None:
            missing.append(index)
        else:
            row, column = divmod(index - first, across)
            place(known, row * step_y, column * step_x)
    counts = [page.databytecounts[i] for i in missing]
    # One without bytes has no place: tifffile 2026 would give its place to those after it.
    offsets = [page.dataoffsets[i] if count else 0 for i, count in zip(missing, counts, strict=True)]
    encoded = handle.read_segments(offsets, counts, indices=missing, flat=True)
    if len(missing) <= 1 or out.nbytes < WORTH_THREADS or threads_allowed() == 1:
        for one in encoded:
            decode(one)
    else:
        with ThreadPoolExecutor(threads_allowed()) as threads:
            list(threads.map(decode, encoded))
    return out
