"""Quantities of stain: amounts, stained area and intensity classes of the tissue in an image and in each region.

The contribution of a pixel depends only on its colour. So the image is read once to count its distinct colours, and
estimates, thresholds and sums are computed exactly from these: a slide of 400 million pixels has some hundred thousand
colours. Only regions need the pixels again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.in_order import in_order
from bioimage_suite.staining.vectors import Stains, optical_density_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bioimage_suite.images.model.image_file import ImageFile

TILE = 1024  # edge of a tile, px
# For up to as many pixels, sorting the colours takes less time than compiling the loop that counts them.
SORTED_PIXELS = 1 << 23
COLOURS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Palette:
    """The distinct colours of an image.

    Attributes:
        colours: (k, 3) uint8 red, green, blue.
        counts: (k,) int64 number of pixels of each.
    """

    colours: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True)
class StainOptions:
    """Stains, white and thresholds of tissue and stained pixels.

    Attributes:
        stains: The stains.
        white: (3,) values of unstained background in red, green and blue.
        tissue: Least mean optical density of the three colours of tissue.
        levels: (stains, 3) least amounts of weakly, moderately and strongly stained pixels, ascending.
    """

    stains: Stains
    white: np.ndarray
    tissue: float
    levels: np.ndarray


@dataclass(frozen=True)
class Quantities:
    """Sums over an image or over each of its regions, row by row.

    Attributes:
        region: (k,) label of the region; 0 for the whole image.
        pixels: (k,) number of pixels.
        tissue: (k,) number of pixels of tissue.
        amount: (k, stains) sum of the amounts over tissue.
        above: (k, stains, 3) number of pixels of tissue at or above each level.
        positive_amount: (k, stains) sum of the amounts over pixels at or above the first level.
    """

    region: np.ndarray
    pixels: np.ndarray
    tissue: np.ndarray
    amount: np.ndarray
    above: np.ndarray
    positive_amount: np.ndarray


def tiles_of(image: ImageFile) -> Iterator[tuple[slice, slice]]:
    """Yield the rows and columns of tiles that cover the image."""
    for y in range(0, image.size_y, TILE):
        for x in range(0, image.size_x, TILE):
            yield slice(y, min(y + TILE, image.size_y)), slice(x, min(x + TILE, image.size_x))


def colour_of(image: ImageFile, rows: slice, columns: slice) -> np.ndarray:
    """Return the (Y, X, 3) colours of a region (first time point and z-plane) as they look on white.

    So transparent pixels, such as those outside of a scan, are white, which is unstained background.
    """
    if image.read_interleaved is None or tuple(image.channels)[3:] != ("Alpha",):
        return image.read_colour(0, 0, rows, columns)
    pixels = image.read_interleaved(0, 0, rows, columns)
    alpha = pixels[..., 3:].astype(np.uint16)
    array: np.ndarray = ((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return array


def palette_of(image: ImageFile) -> Palette:
    """Count the colours of an image (first time point and z-plane), tile by tile."""
    if image.size_y * image.size_x <= SORTED_PIXELS:
        parts = [_codes(colour_of(image, *block)).ravel() for block in tiles_of(image)]
        codes, counts = np.unique(np.concatenate(parts), return_counts=True)
    else:
        totals = np.zeros(1 << 24, np.uint32)
        add = _compiled_counter()
        # The next tile is read while one is counted: decompression takes most of the time.
        with ThreadPoolExecutor(1) as reader:
            tiles = (partial(colour_of, image, *tile) for tile in tiles_of(image))
            for pixels in in_order(reader, tiles, ahead=1):
                add(np.ascontiguousarray(pixels), totals)
        codes = np.flatnonzero(totals).astype(np.uint32)
        counts = totals[codes]
    colours = np.stack([codes >> 16, (codes >> 8) & 255, codes & 255], axis=-1).astype(np.uint8)
    return Palette(colours, counts.astype(np.int64))


def _codes(pixels: np.ndarray) -> np.ndarray:
    """Return each (..., 3) colour as one number, 0xRRGGBB."""
    wide = pixels.astype(np.uint32)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


def _compiled_counter() -> Callable[[np.ndarray, np.ndarray], None]:
    """Return a compiled function that adds the colours of (Y, X, 3) uint8 pixels to 2**24 totals."""
    import numba

    # Explicit types: it is compiled once here, not for each type of input. Without Python's lock the next tile can be
    # read at the same time.
    @numba.njit(["void(uint8[:, :, ::1], uint32[::1])"], nogil=True)
    def add(pixels: np.ndarray, totals: np.ndarray) -> None:
        for y in range(pixels.shape[0]):
            for x in range(pixels.shape[1]):
                red, green, blue = np.uint32(pixels[y, x, 0]), np.uint32(pixels[y, x, 1]), pixels[y, x, 2]
                totals[(red << 16) | (green << 8) | blue] += np.uint32(1)

    counter: Callable[[np.ndarray, np.ndarray], None] = add
    return counter


def separate(colours: np.ndarray, options: StainOptions) -> tuple[np.ndarray, np.ndarray]:
    """Compute the amounts of the stains and the mean optical density of colours.

    Args:
        colours: (..., 3) uint8 red, green, blue.
        options: Options with the stains and the white.

    Returns:
        (..., stains) float32 amounts, not below 0; and (...) float32 mean optical density.
    """
    density = densities(colours, options.white)
    separation = options.stains.separation[:, : len(options.stains.names)].astype(np.float32)
    return np.maximum(density @ separation, 0), density.mean(axis=-1)


def densities(colours: np.ndarray, white: np.ndarray) -> np.ndarray:
    """Return the (..., 3) float32 optical densities of (..., 3) uint8 colours."""
    return np.stack([optical_density_table(float(white[k]))[colours[..., k]] for k in range(3)], axis=-1)


def white_of(palette: Palette) -> np.ndarray:
    """Return the (3,) values that 1 % of the pixels exceed: unstained background, if the image has any."""
    levels = [np.bincount(palette.colours[:, k], palette.counts, 256) for k in range(3)]
    return np.array([np.searchsorted(np.cumsum(one), 0.99 * one.sum()) for one in levels], float)


def quantify(palette: Palette, options: StainOptions) -> Quantities:
    """Compute the quantities of the whole image."""
    total = np.zeros((1, 2 + 5 * len(options.stains.names)))
    for start in range(0, len(palette.counts), COLOURS_AT_ONCE):
        part = slice(start, start + COLOURS_AT_ONCE)
        counts = palette.counts[part]
        total += _sums(palette.colours[part], counts, np.zeros(len(counts), np.int64), 1, options)
    return _as_quantities(np.zeros(1), total, options)


def quantify_regions(image: ImageFile, regions: ImageFile, options: StainOptions) -> Quantities:
    """Compute the quantities of each region in a label map of the same size."""
    found = [np.zeros((0, 3 + 5 * len(options.stains.names)))]
    for block in tiles_of(image):
        labels = regions.read_region(0, 0, 0, *block)
        marked = labels > 0
        ids, index = np.unique(labels[marked], return_inverse=True)
        colours = colour_of(image, *block)[marked]
        sums = _sums(colours, np.ones(len(colours)), index, len(ids), options)
        found.append(np.column_stack([ids, sums]))
    table = np.concatenate(found)
    ids, index = np.unique(table[:, 0], return_inverse=True)
    sums = np.stack([np.bincount(index, column, len(ids)) for column in table[:, 1:].T], axis=-1)
    return _as_quantities(ids, sums, options)


def _sums(colours: np.ndarray, counts: np.ndarray, group: np.ndarray, groups: int, options: StainOptions) -> np.ndarray:
    """Return the sums of each group: pixels, tissue, and for each stain amount, pixels above levels, positive amount.

    Args:
        colours: (k, 3) uint8 red, green, blue.
        counts: (k,) number of pixels of each.
        group: (k,) index of the group of each.
        groups: Number of groups.
        options: Stains, white and thresholds.

    Returns:
        (groups, 2 + 5 * stains) float64, which holds whole numbers exactly up to 2**53.
    """
    amounts, density = separate(colours, options)

    def total(weights: np.ndarray) -> np.ndarray:
        return np.bincount(group, weights, groups)

    tissue = counts * (density >= options.tissue)
    columns = [total(counts), total(tissue)]
    for stain, levels in enumerate(options.levels):
        amount = amounts[:, stain].astype(np.float64)
        above = [tissue * (amount >= level) for level in levels]
        columns += [total(tissue * amount), *map(total, above), total(above[0] * amount)]
    return np.stack(columns, axis=-1)


def _as_quantities(region: np.ndarray, sums: np.ndarray, options: StainOptions) -> Quantities:
    by_stain = sums[:, 2:].reshape(len(sums), len(options.stains.names), 5)
    counts = np.rint(sums[:, :2]).astype(np.int64)
    return Quantities(
        region.astype(np.int64), counts[:, 0], counts[:, 1], by_stain[..., 0],
        np.rint(by_stain[..., 1:4]).astype(np.int64), by_stain[..., 4],
    )  # fmt: skip


def otsu(values: np.ndarray, counts: np.ndarray, bins: int = 512) -> float:
    """Return Otsu's threshold: the upper edge of the last bin of the lower class; NaN if all values are equal.

    Otsu N (1979) IEEE Trans Syst Man Cybern 9, 62-66, doi:10.1109/TSMC.1979.4310076, on equal bins from 0 to the
    largest value.

    Args:
        values: (k,) values of 0 or more.
        counts: (k,) number of times each occurs.
        bins: Number of bins.
    """
    some = counts > 0
    if not some.any() or values[some].max() <= values[some].min():
        return float("nan")
    count, edges = np.histogram(values[some], bins, (0.0, float(values[some].max())), weights=counts[some])
    middle = (edges[:-1] + edges[1:]) / 2
    below, sum_below = np.cumsum(count)[:-1], np.cumsum(count * middle)[:-1]
    above, sum_above = count.sum() - below, (count * middle).sum() - sum_below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sum_below / below - sum_above / above) ** 2
    return float(edges[1:-1][int(np.nanargmax(between))])
