"""An image or label map as a small OME-Zarr 0.4 in memory, to embed in a web page.

The format is OME-Zarr 0.4 (Zarr 2) because every Vitessce since 2023 reads it; chunks are compressed with zlib, which
browsers' Zarr readers have built in.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.vitessce.config import ChannelStyle
from bioimage_suite.images.model.bands import bands
from bioimage_suite.images.model.image_file import ImageFile
from bioimage_suite.images.model.series import Reading
from bioimage_suite.images.readers.opening import open_image, open_own_labels
from bioimage_suite.images.writers.label_maps import as_label_map, check_label_map

_CHUNK = 256
# Levels are halved until they fit on a screen.
_SMALLEST_LEVEL = 512
# Blue, green, red, ... as OMERO shows channels without a colour; a single channel is grey.
_COLOURS = ("0000FF", "00FF00", "FF0000", "FF00FF", "00FFFF", "FFFF00")
_TYPES = {
    "uint8": "|u1",
    "uint16": "<u2",
    "uint32": "<u4",
    "int8": "|i1",
    "int16": "<i2",
    "int32": "<i4",
    "float32": "<f4",
}


@dataclass(frozen=True)
class ViewerImage:
    """Pixels for a viewer.

    Attributes:
        name: Display name.
        pixels: Array with axes TCZYX.
        shrunk: Factor of downsampling in x and y.
        physical_um: Physical size of a pixel of the array in micrometres for x, y, z where known.
        channels: Names of all channels, or empty.
    """

    name: str
    pixels: np.ndarray
    shrunk: int
    physical_um: Mapping[str, float]
    channels: tuple[str, ...]


def load_picture(path: Path, name: str, max_bytes: int, *, labels: bool = False, shrunk: int = 0) -> ViewerImage:
    """Read an image, downsampled in x and y by a power of two until it fits.

    Args:
        path: An image in any form that `open_image` reads.
        name: Display name of the image.
        max_bytes: Largest size of the pixels in bytes, before compression.
        labels: Whether the image is a label map, whose pixels are sampled, not averaged, and returned as uint32.
        shrunk: Exact factor of downsampling; 0 chooses it from `max_bytes`.

    Raises:
        UserError: The image cannot be read or shown, or is too large even after downsampling.
    """
    # Of several images the first: a page shows one.
    image = open_image(path, name, Reading(series=0))
    series = image.details.get("series", ())
    if len(series) > 1:
        print(f"NOTE: Image {name}: it holds {len(series)} images; the first, {series[0]!r}, is shown.", flush=True)
    return _picture(image, name, max_bytes, labels=labels, shrunk=shrunk)


def load_own_labels(path: Path, name: str, max_bytes: int, shrunk: int) -> ViewerImage | None:
    """Read the label map that an OME-Zarr brings along, the first of several; None if there is none.

    Args:
        path: The image, in any form that `open_image` reads.
        name: Display name of the image.
        max_bytes: As in `load_picture`.
        shrunk: Exact factor of downsampling.

    Raises:
        UserError: As `load_picture`.
    """
    found = open_own_labels(path, name)
    if len(found) > 1:
        names = ", ".join(repr(one.name) for one in found[1:])
        print(f"NOTE: Image {name}: of its label maps the first, {found[0].name!r}, is shown, not {names}.", flush=True)
    return _picture(found[0], f"{name} ({found[0].name})", max_bytes, labels=True, shrunk=shrunk) if found else None


def _picture(image: ImageFile, name: str, max_bytes: int, *, labels: bool, shrunk: int) -> ViewerImage:
    """Return the pixels of an image that is open: see `load_picture`."""
    if image.dtype.kind not in "buif":
        raise UserError(f"image {name}: has {image.dtype} pixels, which cannot be shown. Convert them to numbers.")
    if labels:
        image = as_label_map(image, carried=True)
        check_label_map(image)
    shape = (image.size_t, image.size_c, image.size_z, image.size_y, image.size_x)
    step = shrunk or _step(shape, 4 if labels else image.dtype.itemsize, max_bytes, name)
    physical = {axis: size for axis in "xyz" if (size := image.micrometres(axis))}
    channels = tuple(channel for channel in image.channels if channel)
    return ViewerImage(
        name,
        _shrink(image, step, labels=labels),
        step,
        {axis: size * (step if axis in "xy" else 1) for axis, size in physical.items()},
        channels if len(channels) == image.size_c else (),
    )


def _step(shape: Sequence[int], itemsize: int, max_bytes: int, name: str) -> int:
    step = 1
    t, c, z, y, x = shape
    while t * c * z * ceil(y / step) * ceil(x / step) * itemsize > max_bytes:
        step *= 2
        if min(y, x) // step < 32:
            raise UserError(
                f"image {name}: {t * c * z} planes are too many for a page of {max_bytes:,} bytes. Give fewer planes."
            )
    return step


def _shrink(image: ImageFile, step: int, *, labels: bool) -> np.ndarray:
    """Return all planes, a pixel for each block of step x step, in the order T, C, Z; read by bands of rows."""
    rows, columns = ceil(image.size_y / step), ceil(image.size_x / step)
    small: list[np.ndarray] = []
    for t, c, z in np.ndindex(image.size_t, image.size_c, image.size_z):
        read = image.plane_reader(t, c, z)
        every = bands(rows, step * step * columns, 1)
        small.append(
            np.concatenate(
                [
                    _blocks(read(first * step, min(last * step, image.size_y)), step, labels=labels)
                    for first, last in every
                ]
            )
        )
    return np.stack(small).reshape(image.size_t, image.size_c, image.size_z, rows, columns)


def _blocks(band: np.ndarray, step: int, *, labels: bool) -> np.ndarray:
    """Return the mean of each block of a band, of labels its first pixel; edge pixels fill the blocks at far edges."""
    if labels:
        return band[::step, ::step].astype(np.uint32)
    if step == 1:
        return _shown(band)
    height, width = band.shape
    padded = np.pad(band, ((0, -height % step), (0, -width % step)), mode="edge")
    blocks = padded.reshape(-1, step, padded.shape[1] // step, step).mean(axis=(1, 3), dtype=np.float64)
    return _shown((np.rint(blocks) if band.dtype.kind in "ui" else blocks).astype(band.dtype))


def _shown(plane: np.ndarray) -> np.ndarray:
    """Convert a plane to a data type that WebGL viewers support."""
    if plane.dtype.kind == "b":
        return plane.astype(np.uint8)
    if plane.dtype.kind == "f" or plane.dtype.itemsize > 4:
        return plane.astype(np.float32)
    return plane.astype(plane.dtype.newbyteorder("="), copy=False)


def zarr_files(picture: ViewerImage, *, labels: bool = False) -> dict[str, bytes]:
    """Write a picture as the files of an OME-Zarr 0.4 image with a pyramid.

    Args:
        picture: The picture.
        labels: Whether coarser levels are sampled, not averaged.

    Returns:
        Content by path. Chunks of zeros are left out, because a missing chunk means zeros.
    """
    levels = [picture.pixels]
    while min(levels[-1].shape[-2:]) > _SMALLEST_LEVEL:
        levels.append(_halved(levels[-1], labels=labels))
    files = {".zgroup": b'{"zarr_format": 2}', ".zattrs": _json(_attributes(picture, len(levels), labels=labels))}
    for number, level in enumerate(levels):
        files |= {f"{number}/{key}": data for key, data in _array_files(level)}
    return files


def _halved(pixels: np.ndarray, *, labels: bool) -> np.ndarray:
    if labels:
        return pixels[..., ::2, ::2]
    rows, columns = (size // 2 * 2 for size in pixels.shape[-2:])
    even = pixels[..., :rows, :columns].astype("float64")
    mean = (even[..., ::2, ::2] + even[..., 1::2, ::2] + even[..., ::2, 1::2] + even[..., 1::2, 1::2]) / 4
    small: np.ndarray = mean.astype(pixels.dtype)
    return small


def _array_files(pixels: np.ndarray) -> Iterator[tuple[str, bytes]]:
    dtype = _TYPES[pixels.dtype.name]
    chunks = (1, 1, 1, min(_CHUNK, pixels.shape[-2]), min(_CHUNK, pixels.shape[-1]))
    described = {
        "zarr_format": 2,
        "shape": pixels.shape,
        "chunks": chunks,
        "dtype": dtype,
        "compressor": {"id": "zlib", "level": 6},
        "fill_value": 0,
        "order": "C",
        "filters": None,
        "dimension_separator": "/",
    }
    yield ".zarray", _json(described)
    counts = [ceil(size / chunk) for size, chunk in zip(pixels.shape, chunks, strict=True)]
    for index in np.ndindex(*counts):
        start = [place * chunk for place, chunk in zip(index, chunks, strict=True)]
        part = pixels[tuple(slice(first, first + chunk) for first, chunk in zip(start, chunks, strict=True))]
        if part.any():
            # Zarr stores chunks at the edge with their full size.
            whole = np.zeros(chunks, dtype)
            whole[tuple(slice(0, size) for size in part.shape)] = part
            yield "/".join(map(str, index)), zlib.compress(whole.tobytes(), 6)


def _attributes(picture: ViewerImage, levels: int, *, labels: bool) -> dict[str, Any]:
    axes: list[dict[str, str]] = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [
        {"name": axis, "type": "space"} | ({"unit": "micrometer"} if axis in picture.physical_um else {})
        for axis in "zyx"
    ]
    datasets = []
    for number in range(levels):
        scale = [1.0, 1.0, picture.physical_um.get("z", 1.0)]
        scale += [picture.physical_um.get(axis, 1.0) * 2**number for axis in "yx"]
        datasets.append({"path": str(number), "coordinateTransformations": [{"type": "scale", "scale": scale}]})
    channels = (
        [{"label": "labels", "color": "FFFFFF", "window": _window(picture.pixels)}] if labels else _channels(picture)
    )
    rendering = {"model": "color", "defaultT": 0, "defaultZ": picture.pixels.shape[2] // 2}
    return {
        "multiscales": [{"version": "0.4", "name": picture.name, "axes": axes, "datasets": datasets}],
        "omero": {"name": picture.name, "channels": channels, "rdefs": rendering},
    }


def shown_channels(picture: ViewerImage) -> tuple[ChannelStyle, ...]:
    """Return the display settings of the channels: colours, and ranges of `_window`."""
    return tuple(
        ChannelStyle(
            (int(channel["color"][:2], 16), int(channel["color"][2:4], 16), int(channel["color"][4:], 16)),
            (channel["window"]["start"], channel["window"]["end"]),
        )
        for channel in _channels(picture)
    )


def _channels(picture: ViewerImage) -> list[dict[str, Any]]:
    count = picture.pixels.shape[1]
    names = picture.channels or tuple(f"Channel {number}" for number in range(1, count + 1))
    return [
        {
            "label": name,
            "color": "FFFFFF" if count == 1 else _COLOURS[number % len(_COLOURS)],
            "active": True,
            "window": _window(picture.pixels[:, number]),
        }
        for number, name in enumerate(names)
    ]


def _window(pixels: np.ndarray) -> dict[str, float]:
    """Return the display range, from the 0.1st to the 99.9th percentile, so that hot pixels do not darken the image."""
    start, end = np.percentile(pixels, (0.1, 99.9))
    low, high = float(pixels.min()), float(pixels.max())
    return {"min": low, "max": max(high, low + 1), "start": float(start), "end": max(float(end), float(start) + 1)}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
