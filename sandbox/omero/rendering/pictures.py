"""Turn planes into pictures as OMERO's rendering engine does: quantise each channel, colour it, add up.

Definitions follow `omeis.providers.re` of OMERO.server: the quantum definition maps the channel's window to the
codomain (0 to 255) by a family of curves, the RGB model adds the coloured channels and clips, the greyscale
model shows the first active channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Color = tuple[int, int, int, int]
"""Red, green, blue, alpha."""
MAX_ACTIVE_CHANNELS = 3  # RenderingSettingsImpl: no more are active after a reset
# ColorsFactory: emission wavelength in nm (first, last) and colour.
EMISSION_COLORS = (
    (400.0, 500.0, (0, 0, 255, 255)),
    (500.0, 560.0, (0, 255, 0, 255)),
    (560.0, 700.0, (255, 0, 0, 255)),
)
INDEX_COLORS = ((255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255))
WHITE = (255, 255, 255, 255)
GREY = (128, 128, 128, 255)


@dataclass(frozen=True)
class ChannelRendering:
    """How one channel is shown.

    Attributes:
        active: Whether it is shown at all.
        start: Value that is shown as black.
        end: Value that is shown as full colour.
        color: Red, green, blue, alpha.
        family: Curve: linear, polynomial, exponential or logarithmic.
        coefficient: The curve's exponent.
        reverse: Whether dark and bright are swapped.
        lookup_table: Name of a lookup table, kept for the client; the channel is still shown in `color`.
    """

    active: bool
    start: float
    end: float
    color: tuple[int, int, int, int]
    family: str = "linear"
    coefficient: float = 1.0
    reverse: bool = False
    lookup_table: str = ""


@dataclass(frozen=True)
class Rendering:
    """How an image is shown.

    Attributes:
        channels: One entry a channel.
        greyscale: Whether the first active channel is shown in grey.
        default_z: Focal plane that is shown first.
        default_t: Time point that is shown first.
        codomain: Darkest and brightest output value.
        bit_resolution: Number of output values minus one.
    """

    channels: tuple[ChannelRendering, ...]
    greyscale: bool = False
    default_z: int = 0
    default_t: int = 0
    codomain: tuple[int, int] = (0, 255)
    bit_resolution: int = 255


def channel_colors(own: Sequence[Color | None], wavelengths: Sequence[float | None]) -> list[Color]:
    """Return the colours of an image's channels: their own, by wavelength, or by position.

    Where only some have a colour or wavelength, the others are white. As omero-renderer's ColorsFactory.getColor and,
    for the latter, RenderingSettingsImpl.resetChannelBindings and ChannelProcessor (omero-server, omero-blitz).

    Args:
        own: Each channel's own colour.
        wavelengths: Of emission in nm, one entry a channel.
    """
    known = [one is not None or wave is not None for one, wave in zip(own, wavelengths, strict=True)]
    found: list[Color] = []
    for index, (color, wave) in enumerate(zip(own, wavelengths, strict=True)):
        by_range = (shown for first, last, shown in EMISSION_COLORS if wave is not None and first <= wave < last)
        default = INDEX_COLORS[index % 3] if known[index] or not any(known) else WHITE
        found.append(color or next(by_range, default))
    return found


def _curve(values: np.ndarray, family: str, coefficient: float) -> np.ndarray:
    if family == "polynomial":
        return values**coefficient
    if family == "exponential":
        scaled: np.ndarray = np.exp(values**coefficient - 255.0**coefficient)  # the plain one overflows
        return scaled
    if family == "logarithmic":
        logarithm: np.ndarray = np.log(np.maximum(values, 1.0))
        return logarithm
    return values


def quantize(plane: np.ndarray, channel: ChannelRendering, codomain: tuple[int, int] = (0, 255)) -> np.ndarray:
    """Map pixel values to the codomain.

    Args:
        plane: Pixel values, any shape and real type.
        channel: Window and curve.
        codomain: Output for the window's start and end.

    Returns:
        uint8 array of the same shape: values at or below `start` become `codomain[0]`, at or above `end`
        `codomain[1]`, in between rounded along the curve.
    """
    if plane.dtype.kind in "iu" and plane.dtype.itemsize <= 2 and plane.size > 1 << 8 * plane.dtype.itemsize:
        # A lookup table of all values is faster than computing every pixel.
        limits = np.iinfo(plane.dtype)
        values = np.arange(limits.min, limits.max + 1, dtype=np.int32)
        return quantize(values, channel, codomain)[plane.astype(np.int32) - limits.min]
    low, high = codomain
    span = channel.end - channel.start
    values = np.nan_to_num(plane.astype(np.float64), nan=channel.start)
    # As in Quantization_8_16_bit the curve is applied to values scaled to 0..255.
    position = np.clip((values - channel.start) / span, 0.0, 1.0) if span > 0 else (values > channel.start) * 1.0
    scaled = position * 255.0
    if channel.family == "linear":
        fraction = position
    else:
        ends = _curve(np.array([0.0, 255.0]), channel.family, channel.coefficient)
        fraction = (_curve(scaled, channel.family, channel.coefficient) - ends[0]) / (ends[1] - ends[0])
    result: np.ndarray = np.rint(low + fraction * (high - low))
    if channel.reverse:
        result = low + high - result
    return result.astype(np.uint8)


def render(planes: dict[int, np.ndarray], rendering: Rendering) -> np.ndarray:
    """Render the planes of the active channels into one picture.

    Args:
        planes: Pixel values by channel index, each of shape (h, w); those of inactive channels are not needed.
        rendering: How to show them.

    Returns:
        Array of shape (h, w, 3), uint8: red, green, blue.
    """
    shape = next(iter(planes.values())).shape
    picture = np.zeros((*shape, 3), np.float32)
    for index, channel in enumerate(rendering.channels):
        if not channel.active or index not in planes:
            continue
        values = quantize(planes[index], channel, rendering.codomain)
        if rendering.greyscale:
            return np.repeat(values[..., None], 3, axis=-1)
        weights = np.array(channel.color[:3], np.float32) * (channel.color[3] / 255.0 / 255.0)
        picture += values[..., None].astype(np.float32) * weights
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def active_channels(rendering: Rendering) -> list[int]:
    """Return the channels whose planes `render` needs."""
    active = [index for index, channel in enumerate(rendering.channels) if channel.active]
    return active[:1] if rendering.greyscale else active


def to_jpeg(picture: np.ndarray, quality: float) -> bytes:
    """Encode a picture as JPEG; quality is OMERO's compression level, 0 to 1."""
    import io

    from PIL import Image

    output = io.BytesIO()
    Image.fromarray(picture).save(output, "JPEG", quality=max(1, min(95, round(quality * 100))))
    return output.getvalue()


def to_packed_int(picture: np.ndarray) -> np.ndarray:
    """Pack a picture into signed 32-bit integers 0xAARRGGBB, row by row, alpha full."""
    rgb = picture.astype(np.uint32).reshape(-1, 3)
    packed = 0xFF000000 | rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2]
    return packed.astype(np.uint32).view(np.int32)


def longest_side_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Return width and height of a thumbnail by its longest side.

    The other side is cut off to whole pixels, in 32-bit numbers, as in ThumbnailCtx.calculateXYWidths (omero-server).
    """
    ratio = np.float32(longest) / np.float32(max(width, height))
    sides = (longest, int(np.float32(min(width, height)) * ratio))
    return (sides[0], sides[1]) if width > height else (sides[1], sides[0])


def shrink(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a picture to (width, height)."""
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))


def project(planes: Iterable[np.ndarray], kind: str) -> np.ndarray:
    """Project a stack along z.

    Args:
        planes: Planes of one channel, each (h, w), at least one; read one by one, as all may not fit into memory.
        kind: `maximum`, `mean` or `sum`. As in OMERO (ProjectionBean) the result is clipped to the range of
            the pixel type, and a mean of integers is truncated, not rounded.

    Returns:
        The projection in the type of the planes.
    """
    remaining = iter(planes)
    first = next(remaining)
    if kind == "maximum":
        result = first.copy()
        for plane in remaining:
            np.maximum(result, plane, out=result)
        return result
    total, count = first.astype(np.float64), 1
    for plane in remaining:
        total += plane
        count += 1
    if kind == "mean":
        total /= count
    dtype = first.dtype
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        total = np.clip(total, limits.min, limits.max)
    return total.astype(dtype)
