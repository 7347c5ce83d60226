"""Display settings of channels: colours and intensity windows as image files store them.

OME-Zarr (`omero`) and ImageJ (look-up tables and ranges) store both. OME-XML stores only the colour: there this suite
writes the window to a map annotation with the namespace `NAMESPACE`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from bioimage_suite.core.texts import whole_number
from bioimage_suite.images.tiff.metadata import samples_of

if TYPE_CHECKING:
    from bioimage_suite.images.model.image_file import ImageFile

NAMESPACE = "github.com/bioimage-suite-galaxy/display"
# Colours of channels without one in the file: blue first, as most first channels are a nuclear stain.
COLOURS = ("0000FF", "00FF00", "FF0000", "FF00FF", "00FFFF", "FFFF00", "FFFFFF")
SAMPLE_COLOURS = {"Red": "FF0000", "Green": "00FF00", "Blue": "0000FF"}


@dataclass(frozen=True)
class ChannelDisplay:
    """Display settings of a channel.

    Attributes:
        color: Six hexadecimal digits, red first; None where the file has none.
        start: Intensity shown as black, None where unknown.
        end: Intensity shown in full colour, None where unknown.
        active: Whether a viewer shows the channel initially.
    """

    color: str | None = None
    start: float | None = None
    end: float | None = None
    active: bool = True


def channel_displays(image: ImageFile) -> tuple[ChannelDisplay, ...]:
    """Return the display settings of each channel as in the file; values that the file does not set are None."""
    details = image.details
    if details.get("omero"):
        found = [_of_zarr(channel) for channel in details["omero"].get("channels", [])]
    elif details.get("ome_xml"):
        found = _of_ome_xml(str(details["ome_xml"]))
    elif any(name == "Color" for _, name, *_ in details.get("facts", ())):
        colours = {subject: value for subject, name, value, _ in details["facts"] if name == "Color"}
        found = [ChannelDisplay(_digits(colours.get(f"channel {number}", ""))) for number in range(image.size_c)]
    elif details.get("imagej"):
        found = _of_imagej(details["imagej"], image.size_c)
    else:
        found = []
    if len(found) != image.size_c:
        found = [ChannelDisplay()] * image.size_c
    colour_pixels = image.size_c >= 3 and all(name in {*SAMPLE_COLOURS, "Alpha"} for name in image.channels)
    if colour_pixels and image.dtype.itemsize == 1:
        # The samples of a colour picture are shown as they are, not stretched to the range of their values.
        found = [replace(one, start=0.0, end=255.0) if one.start is None else one for one in found]
    return tuple(found)


def with_colours(image: ImageFile, displays: tuple[ChannelDisplay, ...]) -> tuple[ChannelDisplay, ...]:
    """Return the settings with a colour for every channel: grey for a single one, else those of `COLOURS` in turn."""
    single = image.size_c == 1
    return tuple(
        one
        if one.color
        else replace(
            one,
            color="FFFFFF"
            if single
            else SAMPLE_COLOURS.get(image.channels[number] or "", COLOURS[number % len(COLOURS)]),
        )
        for number, one in enumerate(displays)
    )


def _of_zarr(channel: dict[str, Any]) -> ChannelDisplay:
    window = channel.get("window")
    limits = window if isinstance(window, dict) else {}
    color = str(channel.get("color") or "").lstrip("#").upper()
    return ChannelDisplay(
        color if re.fullmatch("[0-9A-F]{6}", color) else None,
        _intensity(limits.get("start")),
        _intensity(limits.get("end")),
        bool(channel.get("active", True)),
    )


def _intensity(value: Any) -> float | None:
    """Return a grey value of a file; None for what is no finite number."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _of_ome_xml(xml: str) -> list[ChannelDisplay]:
    # expat since 2.4.1 refuses entity bombs, and ElementTree loads no external entity.
    root = ET.fromstring(xml)  # noqa: S314
    pixels = root.find(".//{*}Pixels")
    found: list[ChannelDisplay] = []
    for channel in pixels.findall("{*}Channel") if pixels is not None else []:
        digits = _digits(channel.get("Color", ""))
        samples = samples_of(channel)
        found += [ChannelDisplay(digits if samples == 1 else None)] * samples
    for annotation in root.iterfind(f".//{{*}}MapAnnotation[@Namespace='{NAMESPACE}']"):
        for entry in annotation.iterfind(".//{*}M"):
            number, limits = whole_number(entry.get("K", "").removeprefix("window ")), (entry.text or "").split()
            if number is not None and number < len(found) and len(limits) == 2:
                start, end = map(_intensity, limits)
                found[number] = replace(found[number], start=start, end=end)
    return found


def _digits(colour: str) -> str | None:
    """Return red, green and blue of OME's signed 32-bit number, which has alpha behind."""
    return f"{int(colour) & 0xFFFFFFFF:08X}"[:6] if re.fullmatch(r"-?[0-9]{1,10}", colour) else None


def _of_imagej(metadata: dict[str, Any], size_c: int) -> list[ChannelDisplay]:
    given = metadata.get("Ranges")
    ranges = [_intensity(value) for value in given] if isinstance(given, (tuple, list)) else []
    if len(ranges) != 2 * size_c and "min" in metadata and "max" in metadata:
        ranges = [_intensity(metadata["min"]), _intensity(metadata["max"])] * size_c
    limits = (
        list(zip(ranges[0::2], ranges[1::2], strict=False)) if len(ranges) == 2 * size_c else [(None, None)] * size_c
    )
    # A look-up table is (3, 256); its last colour is that of the brightest pixels.
    tables = [table for table in metadata.get("LUTs") or [] if getattr(table, "shape", ())[:1] == (3,)]
    colours: list[str | None] = ["".join(f"{int(value):02X}" for value in table[:, -1]) for table in tables]
    colours = colours if len(colours) == size_c else [None] * size_c
    return [ChannelDisplay(color, *limit) for color, limit in zip(colours, limits, strict=True)]
