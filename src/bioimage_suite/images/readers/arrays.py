"""An image whose pixels are one array with a letter for each axis, as small readers of formats give it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.calibration import pixel_sizes, time_step
from bioimage_suite.images.model.image_file import ImageFile, sample_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bioimage_suite.images.model.ome_facts import Fact


class Pixels(Protocol):
    """What a region is cut out of: an array in memory, mapped from a file, or read as it is asked for."""

    shape: tuple[int, ...]

    def __getitem__(self, key: tuple[int | slice, ...]) -> Any:
        """Return a region."""


@dataclass(frozen=True)
class ArrayImage:
    """What a reader found in a file.

    Attributes:
        form: Name of the format in messages and in `image_info`.
        pixels: Array.
        axes: A letter for each of its axes: `TCZYXS`.
        dtype: Of the pixels, in any byte order.
        channels: Names; empty where the file has none.
        lengths: Extent of a pixel with its unit by axis `x`, `y`, `z`, as in the file; unknown ones are absent.
        interval: Time between two time points with its unit.
        facts: Other metadata.
        notes: Sentences on metadata that were left out or assumed.
        series: Names of all images of the file.
        stored_axes: Letters as the format has them, for `image_info`; empty where they are `axes`.
        document: OME-XML of the image that the reader gives.
    """

    form: str
    pixels: Pixels
    axes: str
    dtype: np.dtype
    channels: tuple[str | None, ...] = ()
    lengths: dict[str, tuple[float | str, str]] = field(default_factory=dict)
    interval: tuple[float, str] | None = None
    facts: list[Fact] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    series: tuple[str, ...] = ("",)
    stored_axes: str = ""
    document: str | None = None


def state_of(path: Path) -> tuple[int, ...]:
    """Return what changes with a file: what was read of one is kept under its path and this."""
    state = path.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns


def image_of(found: ArrayImage, name: str) -> ImageFile:
    """Return what a reader found as an image.

    Args:
        found: Array and metadata.
        name: Name of the image in messages.

    Raises:
        UserError: Its axes are not those of an image, or it has no pixels.
    """
    shape, axes = found.pixels.shape, found.axes
    if len(axes) != len(shape) or len(set(axes)) < len(axes) or not {"Y", "X"} <= set(axes) <= set("TCZYXS"):
        raise UserError(
            f"Image {name}: the {found.form} file has {len(shape)} axes ({axes}), of which only T, C, Z, Y, X are "
            "understood. Convert it to an OME-TIFF with named axes."
        )
    sizes = dict.fromkeys("TCZYXS", 1) | dict(zip(axes, shape, strict=True))
    if 0 in shape:
        raise UserError(f"Image {name}: the {found.form} file has no pixels: an axis of it is empty. Export it again.")
    notes = list(found.notes)
    count = sizes["C"] * sizes["S"]
    unnamed = sample_names(count) if sizes["C"] == 1 else (None,) * count
    read = _reader(found, sizes["S"])
    return ImageFile(
        name=name, size_t=sizes["T"], size_c=count, size_z=sizes["Z"], size_y=sizes["Y"], size_x=sizes["X"],
        dtype=found.dtype.newbyteorder("="), channels=found.channels if len(found.channels) == count else unnamed,
        physical_size=pixel_sizes(found.lengths, notes),
        time_increment=time_step(*found.interval, notes) if found.interval else None,
        read_region=read,
        read_interleaved=None if sizes["S"] == 1 or sizes["C"] > 1 else (
            lambda t, z, rows, columns: read(t, None, z, rows, columns)),
        details={"format": found.form, "axes": found.stored_axes or axes, "series": list(found.series), "levels": 1,
                 "facts": found.facts, "ome_xml": found.document},
        notes=tuple(notes),
    )  # fmt: skip


def planes_left(there: int, shape: tuple[int, ...], itemsize: int, *, padded: bool = False) -> tuple[str, ...]:
    """Say what is in a file behind the pixels that its header tells of: with sizes that are too small, it would be cut.

    Args:
        there: Bytes from the first pixel to the end.
        shape: Of the array; its last two axes are a plane.
        itemsize: Bytes of a pixel.
        padded: Whether the format allows other bytes behind the pixels.

    Returns:
        A sentence for `ArrayImage.notes` if whole planes are left, else none; less than a row is no pixels.

    Raises:
        ValueError: The bytes left are no planes, so a size is wrong.
    """
    stated, row = math.prod(shape) * itemsize, shape[-1] * itemsize
    left = there - stated
    if left < row:
        return ()
    if left % (shape[-2] * row):
        if padded:
            return (f"{left:,} bytes behind the pixels that the header tells of are not read",)
        raise ValueError(f"it has {there:,} bytes of pixels, its sizes {shape} ask for {stated:,}")
    planes = left // (shape[-2] * row)
    return (f"bytes of {planes} more of its planes than the header tells of are in it, and are not read",)


def _reader(found: ArrayImage, samples: int) -> Callable[[int, int | None, int, slice, slice], np.ndarray]:
    """Return a reader of regions as (Y, X), or without a channel as (Y, X, samples)."""

    def read(t: int, c: int | None, z: int, rows: slice, columns: slice) -> np.ndarray:
        channel, sample = divmod(c or 0, samples)
        at: dict[str, int | slice] = {"T": t, "C": channel, "Z": z, "Y": rows, "X": columns}
        at["S"] = slice(None) if c is None else sample
        region = np.asarray(found.pixels[tuple(at[axis] for axis in found.axes)])
        left = [axis for axis in found.axes if isinstance(at[axis], slice)]
        region = region.transpose([left.index(axis) for axis in "YXS" if axis in left])
        return np.ascontiguousarray(region, found.dtype.newbyteorder("="))

    return read
