"""Metadata of images, plates and display settings in OME-Zarr 0.4 and 0.5, as plain values.

Specifications: https://ngff.openmicroscopy.org/0.4/ and https://ngff.openmicroscopy.org/0.5/
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.units import LENGTH, TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

VERSIONS = ("0.4", "0.5")


@dataclass(frozen=True)
class ZarrChannel:
    """Name and display settings of a channel.

    Attributes:
        label: Name of the channel; None leaves it out.
        color: Six hexadecimal digits, red first.
        start: Intensity shown as black; None for the smallest of the pixels.
        end: Intensity shown in full colour; None for the largest of the pixels.
        active: Whether a viewer shows the channel initially.
    """

    label: str | None = None
    color: str = "FFFFFF"
    start: float | None = None
    end: float | None = None
    active: bool = True


@dataclass(frozen=True)
class ZarrImage:
    """Description of a multiscale image to write.

    Attributes:
        name: Name of the image.
        axes: Some of `tczyx`, in this order; always with y and x.
        shape: Length of each axis.
        dtype: numpy type of the pixels.
        scale: Extent of a pixel (or time step) by axis; 1 where absent.
        units: Unit by axis, as OME's symbol or NGFF's name.
        channels: One for each channel; if empty, no display settings are written.
        is_labels: Whether this is a label map of the image two folders above; implies `nearest`.
        nearest: Whether smaller levels take one of four pixels instead of their mean.
    """

    name: str
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype
    scale: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[ZarrChannel, ...] = ()
    is_labels: bool = False
    nearest: bool = False

    def size(self, axis: str) -> int:
        """Return the length of an axis, 1 if the image does not have it."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1


@dataclass(frozen=True)
class Plate:
    """A plate of wells; the fields of a well are the images `<row>/<column>/<field>`, with `<field>` from 0.

    Attributes:
        name: Name of the plate.
        rows: Names of the rows (letters and digits), from the top.
        columns: Names of the columns, from the left.
        fields: Number of fields by row and column; a well without an image is absent.
    """

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    fields: Mapping[tuple[str, str], int]


def multiscale(image: ZarrImage, levels: int) -> dict[str, Any]:
    """Return one entry of `multiscales` with `levels` levels, each half as large in y and x as the one before."""
    kinds = {"t": "time", "c": "channel"}
    axes = []
    for name in image.axes:
        unit = (TIME if name == "t" else LENGTH).ngff(image.units.get(name))
        axes.append({"name": name, "type": kinds.get(name, "space"), **({"unit": unit} if unit else {})})
    return {
        "name": image.name,
        "axes": axes,
        "datasets": [
            {"path": str(number), "coordinateTransformations": _transformations(image, 2**number)}
            for number in range(levels)
        ],
        "type": "nearest" if image.is_labels or image.nearest else "mean",
    }


def _transformations(image: ZarrImage, factor: int) -> list[dict[str, Any]]:
    """Return the scale of a level and the translation to the centre of its first pixel."""
    scale = {axis: float(image.scale.get(axis, 1.0)) for axis in image.axes}
    found: list[dict[str, Any]] = [
        {"type": "scale", "scale": [value * (factor if axis in "yx" else 1) for axis, value in scale.items()]}
    ]
    if factor > 1:
        shift = [value * (factor - 1) / 2 if axis in "yx" else 0.0 for axis, value in scale.items()]
        found.append({"type": "translation", "translation": shift})
    return found


def display(image: ZarrImage, extremes: dict[int, tuple[float, float]]) -> dict[str, Any]:
    """Return the display settings (`omero`); a window that the image does not set is taken from its pixels.

    Args:
        image: The image with its channels.
        extremes: Smallest and largest value by channel.
    """
    import numpy as np

    channels = []
    for number, channel in enumerate(image.channels):
        low, high = extremes.get(number, (0.0, 1.0))
        start = low if channel.start is None else channel.start
        end = high if channel.end is None else channel.end
        if image.dtype.kind in "iu":
            bounds = (float(np.iinfo(image.dtype).min), float(np.iinfo(image.dtype).max))
        else:
            bounds = (min(low, start), max(high, end))
        # A constant channel has no range, and viewers divide by the range.
        window = {"min": bounds[0], "max": bounds[1], "start": start, "end": end if end > start else start + 1}
        entry: dict[str, Any] = {
            "active": channel.active, "coefficient": 1.0, "color": channel.color, "family": "linear",
            "inverted": False, "window": window,
        }  # fmt: skip
        channels.append(entry if channel.label is None else {"label": channel.label, **entry})
    depth = {"defaultT": 0, "defaultZ": image.size("z") // 2}
    return {"name": image.name, "channels": channels, "rdefs": {**depth, "model": "color"}}


def versioned(name: str, value: Any) -> Any:
    """Add the version to one part of 0.4 metadata, where each part has its own; 0.5 has one for all."""
    if name == "multiscales":
        return [{"version": "0.4", **one} for one in value]
    return {"version": "0.4", **value} if isinstance(value, dict) else value


def pixel_scale(multiscale: Mapping[str, Any], dataset: Mapping[str, Any], count: int) -> list[float]:
    """Return the extent of a pixel along each axis: the scale of a level times that of all levels.

    Args:
        multiscale: The description of an image.
        dataset: One of its levels.
        count: Axes of the image.

    Returns:
        So many numbers, NaN for what is no number.

    Raises:
        ValueError: There is no scale, or other transformations than scales and translations. The message goes on
            after "what should give the size of its pixels".
    """
    scales = [*_scales(dataset, count), *_scales(multiscale, count)]
    if not scales:
        raise ValueError("has no scale")
    return [math.prod(factors) for factors in zip(*scales, strict=True)]


def _scales(owner: Mapping[str, Any], count: int) -> list[list[float]]:
    found = owner.get("coordinateTransformations") or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("is no list of transformations")
    scales = []
    for one in found:
        kind, values = one.get("type"), one.get("scale")
        if kind in {"translation", "identity"}:
            continue
        if kind != "scale":
            raise ValueError(f"is a transformation {kind!r}, none of scale and translation")
        if not isinstance(values, list) or len(values) != count:
            raise ValueError(f"is the scale {values!r} and not {count} numbers")
        scales.append([float(value) if type(value) in {int, float} else math.nan for value in values])
    return scales
