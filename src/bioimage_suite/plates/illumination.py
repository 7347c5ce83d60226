"""Correction of uneven illumination, from the images of a plate themselves.

The definition is our own. All fields of a plate see the same illumination and have different content, so the median of
each pixel over the fields shows the illumination alone, the more so where objects are left out:

1. Each plane is reduced to at most 128 x 128 pixels by the mean of blocks, the offset of the camera is subtracted, and
   the plane is divided by its mean: bright fields weigh as much as dark ones. Planes without light are left out.
2. The flat field is the median over planes, smoothed by a Gaussian.
3. Pixels of a plane that differ from the flat field by more than 3 x 1.4826 MAD of the plane (at least 5 %) belong to
   objects. Step 2 is done again without them, with planes that are divided by their median level; four times in all.
   Where background is no light at all (a median of 0) there is nothing to leave out, and step 2 stands.
4. The flat field is divided by its mean. A corrected pixel is (pixel - offset) / flat field + offset, with the flat
   field interpolated between the pixels of step 2, rounded for whole numbers, and limited to the range of the type.

Why not BaSiC (Peng et al. 2017, doi:10.1038/ncomms14836): basicpy 2.0.0 needs torch and a scipy below 1.13, which
cannot stand beside the suite's; openhcs-basicpy 1.3.1, which goes on with 1.2.0, installs with jax, 700 MB in all, but
no channel of conda has it, from which tools get their packages. Median and largest error of the flat field of made
fields of 128 x 128 pixels with 25 bright cells each (2026-11-30): of 10 fields 0.25 % and 1.3 % here, 0.13 % and 2.0 %
with it; of 20 fields 0.27 % and 1.3 %, 0.10 % and 1.8 %; of 100 fields 0.27 % and 0.9 %, 0.10 % and 1.7 %. It takes 10
to 40 s a channel, this one 1 to 7 s.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bioimage_suite.images.model.image_file import ImageFile

SIDE = 128
"""Longest side of what a flat field is computed from, in pixels."""
LEAST_IMAGES, FEW_IMAGES = 3, 10
MOST_PLANES = 400
"""Most planes that a flat field is computed from; of more, as many are taken at even distances."""
MOST_SMOOTHING = 0.5
"""Largest width of the Gaussian that smooths a flat field, as a share of the longer side of the image."""
_BAND = 256
_ROUNDS, _LIMIT, _LEAST_LIMIT = 4, 3 * 1.4826, 0.05


@dataclass(frozen=True)
class FlatField:
    """The illumination of one channel.

    Attributes:
        values: (y, x) float64 with the mean 1, of at most `SIDE` pixels along each axis.
        shape: Rows and columns of the images.
        offset: Grey level without light.
        planes: Number of planes that it was computed from.
    """

    values: np.ndarray
    shape: tuple[int, int]
    offset: float
    planes: int

    @property
    def spread(self) -> float:
        """Return the largest value by the smallest one: 1 is even illumination."""
        return float(self.values.max() / self.values.min())

    def region(self, rows: slice, columns: slice) -> np.ndarray:
        """Return (rows, columns) float64 of the flat field at the size of the images, bilinear between its pixels."""
        down = _weights(rows, self.shape[0], self.values.shape[0])
        across = _weights(columns, self.shape[1], self.values.shape[1])
        return np.asarray(down @ self.values @ across.T)


def _weights(pixels: slice, length: int, count: int) -> np.ndarray:
    """Return the (pixels, count) weights of linear interpolation between the centres of `count` blocks of a length."""
    places = np.clip((np.arange(pixels.start, pixels.stop) + 0.5) * count / length - 0.5, 0, count - 1)
    low = np.minimum(places.astype(np.int64), max(count - 2, 0))
    weights = np.zeros((len(places), count))
    at = np.arange(len(places))
    weights[at, low] = 1 - (places - low)
    if count > 1:
        weights[at, low + 1] = places - low
    return weights


def reduced(image: ImageFile, t: int, c: int, z: int, side: int = SIDE) -> np.ndarray:
    """Return a plane as (y, x) float64 of at most `side` pixels along each axis: means of blocks, read in bands."""
    rows, columns = (_edges(size, side) for size in (image.size_y, image.size_x))
    sums = np.zeros((len(rows) - 1, len(columns) - 1))
    for first in range(0, len(rows) - 1, max(_BAND * len(rows) // image.size_y, 1)):
        last = min(first + max(_BAND * len(rows) // image.size_y, 1), len(rows) - 1)
        band = image.read_region(t, c, z, slice(int(rows[first]), int(rows[last])), slice(0, image.size_x))
        across = np.add.reduceat(band.astype(np.float64), columns[:-1], axis=1)
        sums[first:last] = np.add.reduceat(across, rows[first:last] - rows[first], axis=0)
    return np.asarray(sums / np.outer(np.diff(rows), np.diff(columns)))


def _edges(size: int, side: int) -> np.ndarray:
    return np.rint(np.linspace(0, size, min(size, side) + 1)).astype(np.int64)


def estimate(images: Sequence[ImageFile], channel: int, offset: float, smoothing: float) -> FlatField:
    """Compute the flat field of a channel from all images.

    Args:
        images: Images of the same size.
        channel: Index of the channel.
        offset: Grey level of a pixel without light.
        smoothing: Standard deviation of the Gaussian, as a share of the longer side of the image.

    Raises:
        UserError: Fewer than three planes have light, the flat field has a place without any, or the smoothing is not
            above 0 and at most 0.5.
    """
    if not 0 < smoothing <= MOST_SMOOTHING:
        raise UserError(f"smoothing {smoothing:g}: it must be above 0 and at most {MOST_SMOOTHING}. Give such a share.")
    places = [(image, t, z) for image in images for t in range(image.size_t) for z in range(image.size_z)]
    step = max(len(places) / MOST_PLANES, 1)
    chosen = [places[int(number * step)] for number in range(int(len(places) / step))]
    planes = list(_even_planes(chosen, channel, offset))
    label = images[0].channel_label(channel)
    if len(planes) < LEAST_IMAGES:
        raise UserError(
            f"channel {label}: {len(planes)} of {len(chosen)} planes are brighter than the offset {offset:g}, at least "
            f"{LEAST_IMAGES} are needed. Give more images, or a lower offset."
        )
    flat = _flat_of(np.stack(planes), smoothing * max(planes[0].shape))
    if not flat.min() > 0:
        raise UserError(
            f"channel {label}: a part of its images is darker than the offset {offset:g} in most of them. Give a lower "
            "offset."
        )
    return FlatField(flat / flat.mean(), (images[0].size_y, images[0].size_x), offset, len(planes))


def _flat_of(planes: np.ndarray, sigma: float) -> np.ndarray:
    """Return the (y, x) flat field of (n, y, x) planes with the mean 1, without the pixels of objects."""
    flat = _smoothed(np.median(planes, axis=0), sigma)
    for _ in range(_ROUNDS):
        if not flat.min() > 0:
            break
        even = planes / flat
        level = np.median(even, axis=(1, 2), keepdims=True)
        lit = level[:, 0, 0] > 0
        if lit.sum() < LEAST_IMAGES:
            break
        away = np.abs(even[lit] / level[lit] - 1)
        limit = np.maximum(_LIMIT * np.median(away, axis=(1, 2), keepdims=True), _LEAST_LIMIT)
        middle = _median_without(planes[lit] / level[lit], away > limit)
        known = ~np.isnan(middle)
        if known.mean() < 0.5:
            break
        # Where objects lie in each plane, the shape found before goes on.
        middle[~known] = flat[~known] * np.median(middle[known] / flat[known])
        better = _smoothed(middle, sigma)
        if not better.min() > 0:  # Background is too near to the offset to tell more than noise.
            break
        flat = better
    return flat


def _median_without(planes: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """Return the (y, x) medians of (n, y, x) planes without pixels of objects; NaN where none is left."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(np.where(objects, np.nan, planes), axis=0))


def _smoothed(values: np.ndarray, sigma: float) -> np.ndarray:
    """Return values after a Gaussian; beyond the border they go on along their slope, which stays as it is."""
    from scipy.ndimage import gaussian_filter

    width = [min(int(np.ceil(3 * sigma)), size - 1) for size in values.shape]
    wide = np.pad(values, [(pad, pad) for pad in width], mode="reflect", reflect_type="odd")
    inside = tuple(slice(pad, pad + size) for pad, size in zip(width, values.shape, strict=True))
    return np.asarray(gaussian_filter(wide, sigma, mode="nearest", truncate=3.0)[inside])


def _even_planes(places: Sequence[tuple[ImageFile, int, int]], channel: int, offset: float) -> Iterator[np.ndarray]:
    """Yield reduced planes with the mean 1; those without light are left out."""
    for image, t, z in places:
        plane = reduced(image, t, channel, z) - offset
        mean = float(plane.mean())
        if np.isfinite(mean) and mean > 0:
            yield plane / mean


def check_alike(images: Sequence[ImageFile]) -> None:
    """Check that all images have the rows, columns and channels of the first one.

    Raises:
        UserError: One has not.
    """
    first = images[0]
    for image in images[1:]:
        for name, what in (("size_y", "rows"), ("size_x", "columns"), ("size_c", "channels")):
            ours, theirs = getattr(first, name), getattr(image, name)
            if ours != theirs:
                raise UserError(
                    f"image {image.name}: it has {theirs} {what}, but {first.name} has {ours}. Correct images of one "
                    "size and one microscope at a time."
                )


def corrected(image: ImageFile, fields: Sequence[FlatField | None]) -> ImageFile:
    """Return an image whose pixels are corrected when they are read, region by region.

    Args:
        image: The image.
        fields: The flat field of each channel; None leaves a channel as it is.
    """

    def read_region(t: int, c: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        pixels = image.read_region(t, c, z, rows, columns)
        field = fields[c]
        if field is None:
            return pixels
        values = (pixels - field.offset) / field.region(rows, columns) + field.offset
        if image.dtype.kind == "f":
            return np.asarray(values, image.dtype)
        limits = np.iinfo(image.dtype)
        return np.asarray(np.clip(np.rint(values), limits.min, limits.max), image.dtype)

    return replace(image, read_region=read_region, read_interleaved=None)
