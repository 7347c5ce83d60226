"""Read a region of an OME-Zarr image (0.4 or 0.5) over HTTP: only the chunks that overlap it are transferred.

Sources: OME-Zarr 0.4 and 0.5 (ngff.openmicroscopy.org): `multiscales`, `omero.channels`, axes with units.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.units import micrometres
from bioimage_suite.fair.archives.http import Web
from bioimage_suite.images.ome_zarr.metadata import pixel_scale

if TYPE_CHECKING:
    import numpy as np
    import zarr

AXES = "tczyx"
MAX_CHUNK_BYTES = 512 * 1024 * 1024
_RANGE = re.compile(r"(\d*):(\d*)")


@dataclass(frozen=True)
class Level:
    """One resolution of an image.

    Attributes:
        path: Path of its array within the image.
        scale: Pixel size by axis, in the axis's unit; empty where it is unknown.
    """

    path: str
    scale: Mapping[str, float]


@dataclass(frozen=True)
class RemoteImage:
    """Metadata of an OME-Zarr image.

    Attributes:
        name: Its name, or the last part of its address.
        axes: Names of its axes in order, from `t c z y x`.
        units: Units by axis, for the axes that have one.
        levels: Resolutions, from full resolution down.
        channels: Channel labels, or empty.
    """

    name: str
    axes: str
    units: Mapping[str, str]
    levels: tuple[Level, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True)
class RemoteRegion:
    """Pixels of an image.

    Attributes:
        pixels: Array with the image's axes, in native byte order.
        axes: Names of the axes.
        bounds: First index and end (exclusive) of each axis, at the level that was read.
        physical_um: Physical size of a pixel in micrometres for x, y, z where known.
        channels: Labels of the region's channels.
    """

    pixels: "np.ndarray"
    axes: str
    bounds: Mapping[str, tuple[int, int]]
    physical_um: Mapping[str, float]
    channels: tuple[str, ...]


def open_remote(web: Web, address: str, limit: int) -> "zarr.Group":
    """Open the group of an image for reading.

    Args:
        web: Limits of the requests.
        address: Address of the image: the folder that holds `.zattrs` or `zarr.json`.
        limit: Largest number of bytes to transfer.

    Raises:
        UserError: The address holds no Zarr group, or the server does not answer.
    """
    import zarr

    from bioimage_suite.fair.archives.remote_store import RemoteStore
    from bioimage_suite.images.ome_zarr.checked_codecs import use_checked_codecs

    use_checked_codecs()
    try:
        return zarr.open_group(RemoteStore(web, address, limit), mode="r")
    except (FileNotFoundError, zarr.errors.GroupNotFoundError, zarr.errors.ContainsArrayError) as error:
        raise UserError(
            f"image {address}: no Zarr group there. Give the address of an image, as .../image.zarr."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"image {address}: its Zarr metadata cannot be read ({type(error).__name__}).") from error


def bytes_travelled(group: "zarr.Group") -> int:
    """Return how many bytes were transferred from a group of `open_remote`."""
    from bioimage_suite.fair.archives.remote_store import RemoteStore

    store = group.store
    assert isinstance(store, RemoteStore)
    return store.travelled


def read_image(group: "zarr.Group", address: str) -> RemoteImage:
    """Read the metadata of an image.

    Raises:
        UserError: The group is a plate or a collection, or its metadata has no first multiscale image.
    """
    attributes: dict[str, Any] = dict(group.attrs)
    ome: Any = attributes.get("ome", attributes)
    if isinstance(ome, dict) and "plate" in ome:
        raise UserError(f"image {address}: a plate. Give the address of one field, as .../plate.zarr/A/1/0.")
    try:
        multiscale = ome["multiscales"][0]
        named = [axis if isinstance(axis, dict) else {"name": axis} for axis in multiscale["axes"]]
        axes = "".join(str(axis["name"]).lower() for axis in named)
        levels = tuple(_level(multiscale, dataset, axes) for dataset in multiscale["datasets"])
        channels = tuple(str(channel.get("label", "")) for channel in (ome.get("omero") or {}).get("channels", []))
        units = {str(axis["name"]).lower(): str(axis["unit"]) for axis in named if axis.get("unit")}
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"image {address}: no OME-Zarr image (multiscales are missing or broken).") from error
    ordered = len(set(axes)) == len(axes) and set(axes) <= set(AXES) and {"y", "x"} <= set(axes)
    if not ordered or axes != "".join(axis for axis in AXES if axis in axes) or not levels:
        raise UserError(
            f"image {address}: axes {axes!r} are not understood. They must be of t, c, z, y, x in this order."
        )
    return RemoteImage(str(multiscale.get("name") or address.rpartition("/")[2]), axes, units, levels, channels)


def _level(multiscale: Mapping[str, Any], dataset: Mapping[str, Any], axes: str) -> Level:
    try:
        scale = dict(zip(axes, pixel_scale(multiscale, dataset, len(axes)), strict=True))
    except ValueError:
        scale = {}  # Pixels without a size are pixels all the same.
    return Level(str(dataset["path"]), scale)


def parse_bounds(texts: Mapping[str, str]) -> dict[str, tuple[int | None, int | None]]:
    """Read the ranges that the user typed.

    Args:
        texts: Axis to `first:end`, counted from 0, `end` exclusive; either or both may be left out.

    Raises:
        UserError: A range is not of that form, or empty.

    >>> parse_bounds({"x": "10:20", "y": ":5", "z": ""})
    {'x': (10, 20), 'y': (None, 5)}
    """
    bounds = {}
    for axis, text in texts.items():
        match = _RANGE.fullmatch(text.replace(" ", ""))
        if text.strip() and not match:
            raise UserError(f"range of {axis} {text!r}: not of the form first:end. Write for instance 0:512.")
        if match and text.strip():
            first, end = (int(part) if part else None for part in match.groups())
            if end is not None and end <= (first or 0):
                raise UserError(f"range of {axis} {text!r}: is empty. The end is not included and must be larger.")
            bounds[axis] = (first, end)
    return bounds


def read_region(
    group: "zarr.Group", image: RemoteImage, bounds: Mapping[str, tuple[int | None, int | None]], level: int, limit: int
) -> RemoteRegion:
    """Read a region at a level.

    Args:
        group: Group of `open_remote`.
        image: Metadata of `read_image`.
        bounds: Axis to first and end in pixels of the full resolution; None means the image's edge.
        level: Resolution level, 0 for full resolution. Bounds are scaled to it and widened to whole pixels.
        limit: Largest size of the region in bytes.

    Raises:
        UserError: The level or axis does not exist, the region is outside of the image or too large, or chunks
            cannot be read.
    """
    import numpy as np
    import zarr

    _refuse_unknown(image, bounds, level)
    try:
        array = _array(group, image, level)
        full = _array(group, image, 0).shape
        placed = _scaled(bounds, image.axes, full, array.shape)
        sizes = [end - first for first, end in placed.values()]
        if prod(sizes) * array.dtype.itemsize > limit:
            raise UserError(
                f"region {format_bounds(placed)}: {prod(sizes) * array.dtype.itemsize:,} bytes, "
                f"at most {limit:,} are read. Give a smaller region or a coarser level."
            )
        region = tuple(slice(first, end) for first, end in placed.values())
        pixels = np.asarray(array[region], array.dtype.newbyteorder("="))
    except (ValueError, KeyError, TypeError, RuntimeError, zarr.errors.BaseZarrError) as error:
        raise UserError(
            f"image {image.name}: level {level} cannot be read ({type(error).__name__}). It may be damaged."
        ) from error
    channels = image.channels
    if "c" in placed:
        channels = _channels_within(image, full, placed["c"])
    return RemoteRegion(pixels, image.axes, placed, _physical(image, level), channels)


def _refuse_unknown(image: RemoteImage, axes: Iterable[str], level: int) -> None:
    if not 0 <= level < len(image.levels):
        raise UserError(f"level {level}: the image has levels 0 to {len(image.levels) - 1}. Choose one of them.")
    unknown = set(axes) - set(image.axes)
    if unknown:
        raise UserError(f"range of {min(unknown)}: the image has axes {', '.join(image.axes)} only. Leave it empty.")


def _channels_within(image: RemoteImage, full: Sequence[int], bounds: tuple[int, int]) -> tuple[str, ...]:
    """Return the labels of some channels; none where there are more or fewer labels than channels."""
    return image.channels[slice(*bounds)] if len(image.channels) == full[image.axes.index("c")] else ()


def _array(group: "zarr.Group", image: RemoteImage, level: int) -> "zarr.Array[Any]":
    import zarr

    array = group[image.levels[level].path]
    if not isinstance(array, zarr.Array) or array.ndim != len(image.axes) or array.dtype.kind not in "uif":
        raise UserError(f"image {image.name}: level {level} is no array of numbers with axes {image.axes}.")
    if prod(array.chunks) * array.dtype.itemsize > MAX_CHUNK_BYTES:
        raise UserError(
            f"image {image.name}: its chunks unpack to more than {MAX_CHUNK_BYTES:,} bytes each. They are not read."
        )
    return array


def _scaled(
    bounds: Mapping[str, tuple[int | None, int | None]], axes: str, full: Sequence[int], shape: Sequence[int]
) -> dict[str, tuple[int, int]]:
    placed = {}
    for axis, size, here in zip(axes, full, shape, strict=True):
        first, end = bounds.get(axis, (None, None))
        first, end = first or 0, size if end is None else end
        if end > size:
            raise UserError(f"range of {axis} {first}:{end}: the image ends at {size}. Give a smaller range.")
        if first >= size:
            raise UserError(f"range of {axis} {first}:{end}: begins behind the image's end at {size}.")
        placed[axis] = (first * here // size, max(ceil(end * here / size), first * here // size + 1))
    return placed


def format_bounds(bounds: Mapping[str, tuple[int, int]]) -> str:
    """Write bounds as `x 0:512, y 0:512`."""
    return ", ".join(f"{axis} {first}:{end}" for axis, (first, end) in bounds.items())


def _physical(image: RemoteImage, level: int) -> dict[str, float]:
    scale = image.levels[level].scale
    sizes = {axis: micrometres(scale[axis], image.units.get(axis)) for axis in "xyz" if axis in scale}
    return {axis: size for axis, size in sizes.items() if size and size > 0}
