"""What a TIFF says of its image beside the pixels: names of channels, physical sizes, time between frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from bioimage_suite.core.texts import whole_number
from bioimage_suite.core.units import DEFAULT_LENGTH, DEFAULT_TIME, LENGTH
from bioimage_suite.images.model.calibration import pixel_sizes, time_step
from bioimage_suite.images.model.image_file import PhysicalSize, sample_names

if TYPE_CHECKING:
    import tifffile

    from bioimage_suite.images.tiff.dialects import Dialect

# A resolution in inches is one of printing (72, 300, 1200 dots) but where a pixel is smaller than that, in µm.
PRINTED_PIXEL = 10.0
MICROMETRES = {2: 25_400.0, 3: 10_000.0}  # TIFF's ResolutionUnit: inch, centimetre


@dataclass(frozen=True)
class Said:
    """Metadata of a file.

    Attributes:
        channels: Name of each channel, None where it has none; empty where the file says nothing of channels.
        physical_size: Extent of a pixel by axis; unknown ones are absent.
        time_increment: Time between frames, None where unknown.
    """

    channels: tuple[str | None, ...] = ()
    physical_size: dict[str, PhysicalSize] | None = None
    time_increment: PhysicalSize | None = None


def read_metadata(tiff: tifffile.TiffFile, xml: str | None, dialect: Dialect | None, notes: list[str]) -> Said:
    """Read OME-XML, ImageJ's description, a maker's tags or the resolution, the first that is there.

    Args:
        tiff: The open file.
        xml: OME-XML of the image that is read alone.
        dialect: What a maker's file says.
        notes: Gets a sentence for each value that is left out.
    """
    if xml:
        return _of_ome(xml, notes)
    if dialect:
        return Said(
            tuple(name or None for name in dialect.channels),
            pixel_sizes(dialect.lengths, notes),
            time_step(dialect.interval, "s", notes),
        )
    if tiff.is_imagej and tiff.imagej_metadata:
        return _of_imagej(tiff, notes)
    return Said(physical_size=_of_resolution(tiff, notes))


def _of_ome(xml: str, notes: list[str]) -> Said:
    # expat since 2.4.1 refuses entity bombs, and ElementTree loads no external entity.
    pixels = ET.fromstring(xml).find(".//{*}Pixels")  # noqa: S314
    if pixels is None:
        return Said()
    given = {
        axis.lower(): (value, pixels.get(f"PhysicalSize{axis}Unit", DEFAULT_LENGTH))
        for axis in "XYZ"
        if (value := pixels.get(f"PhysicalSize{axis}")) is not None
    }
    step = time_step(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", DEFAULT_TIME), notes)
    names: list[str | None] = []
    for channel in pixels.findall("{*}Channel"):
        samples, given_name = samples_of(channel), channel.get("Name")
        if samples == 1:
            names.append(given_name)
        else:
            names.extend(f"{given_name} {one}" if given_name else one for one in sample_names(samples))
    return Said(tuple(names), pixel_sizes(given, notes), step)


def samples_of(channel: ET.Element) -> int:
    """Return how many samples of a pixel a Channel element stands for; 1 where it does not say, or not in numbers."""
    return max(1, whole_number(channel.get("SamplesPerPixel", "")) or 1)


def _of_imagej(tiff: tifffile.TiffFile, notes: list[str]) -> Said:
    """ImageJ keeps pixels per unit in the resolution tags, the units and the z step in its description."""
    said: dict[str, Any] = tiff.imagej_metadata or {}
    unit = str(said.get("unit", "")).strip()
    units = {axis: str(said.get(f"{axis}unit", unit)).strip() for axis in "xyz"}
    given = {axis: (size, units[axis]) for axis, size in _resolution(tiff).items()}
    if said.get("spacing"):
        # Negative where the stage went down; 0 stands for none.
        given["z"] = (abs(float(said["spacing"])), units["z"])
    given = {axis: one for axis, one in given.items() if one[1] and LENGTH.symbol(one[1]) != "pixel"}
    _leave_out_printing(given, notes)
    step = time_step(said.get("finterval"), str(said.get("tunit", "s")) or "s", notes)
    return Said((), pixel_sizes(given, notes), step)


def _leave_out_printing(given: dict[str, tuple[float, str]], notes: list[str]) -> None:
    """Take sizes in inches as unknown where they are those of printing: ImageJ makes them of a resolution for it."""
    printed = [axis for axis in "xy" if axis in given and LENGTH.symbol(given[axis][1]) == "in"
               and given[axis][0] * MICROMETRES[2] >= PRINTED_PIXEL]  # fmt: skip
    if not printed:
        return
    size, unit = given[printed[0]]
    notes.append(f"its pixel size of {size:g} {unit} is one of printing, not of a microscope; it is taken as unknown")
    # The distance of planes in inches is no better known: ImageJ writes 1 where nobody set it.
    for axis in [*printed, *(axis for axis in given if axis == "z" and LENGTH.symbol(given[axis][1]) == "in")]:
        del given[axis]


def _of_resolution(tiff: tifffile.TiffFile, notes: list[str]) -> dict[str, PhysicalSize]:
    """Physical sizes by the resolution tags of a TIFF that says no more, where they are not made for printing."""
    tag = tiff.pages.first.tags.get("ResolutionUnit")
    unit = int(tag.value) if tag else 2
    if unit not in MICROMETRES:
        return {}
    sizes = {axis: size * MICROMETRES[unit] for axis, size in _resolution(tiff).items()}
    # One pixel a centimetre is what writers put where they know nothing.
    sizes = {axis: size for axis, size in sizes.items() if size < (PRINTED_PIXEL if unit == 2 else 10_000)}
    return pixel_sizes({axis: (size, "µm") for axis, size in sizes.items()}, notes)


def _resolution(tiff: tifffile.TiffFile) -> dict[str, float]:
    """Return the units per pixel along x and y by the resolution tags, as far as they are numbers above 0."""
    found = {}
    for axis, name in (("x", "XResolution"), ("y", "YResolution")):
        tag = tiff.pages.first.tags.get(name)
        if tag is None or not isinstance(tag.value, tuple) or len(tag.value) != 2:
            continue
        numerator, denominator = tag.value
        if numerator > 0 and denominator > 0:
            found[axis] = denominator / numerator
    return found
