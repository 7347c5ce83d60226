"""Images of a LIF of Leica: its headers by the package liffile, pixels mapped from the file by the strides in them.

Axes become those of Bio-Formats 7.3.1 (LIFReader), in the order in which the file names them: where y is missing or
comes later, z or time makes the rows of a plane; axes that no image here has, as the wavelengths of a lambda scan,
count as time points, or as z-planes where the file has a z of one plane. Each tile of a mosaic is an image.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.units import micrometres
from bioimage_suite.images.model.series import choose_series
from bioimage_suite.images.readers.arrays import ArrayImage, state_of

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from bioimage_suite.images.model.ome_facts import Fact
    from bioimage_suite.images.model.series import Reading

AXES = {1: "X", 2: "Y", 3: "Z", 4: "T", 5: "L", 10: "M"}
"""By `DimID`: `L` are the wavelengths of emission, `M` the tiles; rotations, loops and the like have other numbers."""
OTHER = "?"
COLOURS = {"red": 0xFF0000, "green": 0x00FF00, "blue": 0x0000FF, "cyan": 0x00FFFF, "magenta": 0xFF00FF,
           "yellow": 0xFFFF00}  # fmt: skip
SAMPLES = {1: 0, 2: 1, 3: 2}  # ChannelTag: red, green, blue


@dataclass(frozen=True)
class Dimension:
    """An axis of an image.

    Attributes:
        letter: Of `AXES`.
        length: Number of elements.
        step: From one element to the next, 0 where unknown.
        unit: Of the step.
        stride: Bytes from one element to the next.
    """

    letter: str
    length: int
    step: float
    unit: str
    stride: int


@dataclass(frozen=True)
class LifChannel:
    """A channel, or a sample of a colour pixel.

    Attributes:
        name: As shown.
        colour: Name of its look-up table.
        tag: 0 grey, 1 red, 2 green, 3 blue.
        offset: Bytes before its first pixel.
        dtype: Of its pixels.
    """

    name: str
    colour: str
    tag: int
    offset: int
    dtype: np.dtype


@dataclass
class Layout:
    """What the axes of a file are in an image of time, channel, z, y and x.

    Attributes:
        columns: The axis along a row.
        rows: The axis that makes the rows, None where there is one row.
        times: Axes that count as time points, the slowest first.
        planes: Axes that count as z-planes.
        tiles: The axis of a mosaic.
    """

    columns: Dimension
    rows: Dimension | None = None
    times: list[Dimension] = field(default_factory=list)
    planes: list[Dimension] = field(default_factory=list)
    tiles: Dimension | None = None


def layout_of(dimensions: list[Dimension]) -> Layout:
    """Say what each axis is.

    Args:
        dimensions: In the order of the file's header.

    Raises:
        ValueError: There is no x.
    """
    columns = next((one for one in dimensions if one.letter == "X"), None)
    if columns is None:
        raise ValueError("the image has no axis x")
    found, odd = Layout(columns), []
    for one in dimensions:
        if one.letter in "YZT" and found.rows is None:
            found.rows = one
        elif one.letter == "Y":
            # A stack of sections along z or time, where y is the slowest to change.
            (found.planes if found.rows and found.rows.letter == "Z" else found.times).append(one)
        elif one.letter in "ZT":
            (found.planes if one.letter == "Z" else found.times).append(one)
        elif one.letter == "M":
            found.tiles = one
        elif one.letter != "X":
            odd.append(one)
    rows_of_z = found.rows is not None and found.rows.letter == "Z"
    one_plane = (rows_of_z and not found.planes) or [one.length for one in found.planes] == [1]
    along = found.planes if one_plane else found.times
    along += odd
    for axes in (found.times, found.planes):
        axes.sort(key=lambda axis: axis.stride, reverse=True)
    return found


class LifPlanes:
    """The pixels of an image as (T, C, Z, Y, X), those of a colour picture with S behind.

    Attributes:
        shape: Length of each axis.
        dtype: Of the pixels.
    """

    def __init__(self, data: np.ndarray, channels: list[LifChannel], layout: Layout, tile: int, samples: int) -> None:
        """Note where what lies.

        Args:
            data: Bytes of the image's block.
            channels: In the order of their offsets; of a colour picture red, green, blue of one after the other.
            layout: Of the axes.
            tile: Index in the mosaic.
            samples: Of a pixel: 3 of a colour.
        """
        self._data, self._layout = data, layout
        self._offsets = [one.offset for one in channels[::samples]]
        self._step = channels[1].offset - channels[0].offset if samples > 1 else channels[0].dtype.itemsize
        self._start = tile * layout.tiles.stride if layout.tiles else 0
        self.dtype = channels[0].dtype
        rows = layout.rows.length if layout.rows else 1
        self.shape = (
            _length(layout.times), len(self._offsets), _length(layout.planes), rows, layout.columns.length,
            *((samples,) if samples > 1 else ()),
        )  # fmt: skip

    def __getitem__(self, key: tuple[int | slice, ...]) -> Any:
        """Return a region; numpy refuses one that is not within the block."""
        t, c, z, *region = key
        layout = self._layout
        start = self._start + self._offsets[int(c)] + _place(t, layout.times) + _place(z, layout.planes)  # type: ignore[arg-type]
        rows = layout.rows.stride if layout.rows else 0
        strides = (rows, layout.columns.stride, self._step)[: len(region)]
        plane: np.ndarray = np.ndarray(self.shape[3:], self.dtype, self._data, start, strides)
        return plane[tuple(region)]


def _length(axes: list[Dimension]) -> int:
    return int(np.prod([axis.length for axis in axes], dtype=int))


def _place(number: int, axes: list[Dimension]) -> int:
    """Return the bytes before a time point or z-plane, which may be that of several axes."""
    split = np.unravel_index(number, [axis.length for axis in axes]) if axes else ()
    return sum(int(one) * axis.stride for one, axis in zip(split, axes, strict=True))


def read_lif(path: Path, name: str, reading: Reading) -> ArrayImage:
    """Read an image of a file, or a tile of a mosaic.

    Args:
        path: The file.
        name: Name of the image in messages.
        reading: Which image.

    Raises:
        UserError: None was chosen of several, or it has lifetimes of photons, not pixels.
        ValueError: Or another error of the package, where the file is damaged.
    """
    found = _listing(path, state_of(path))
    if not found.images:
        raise UserError(f"Image {name}: there is no image in the LIF file. Export it again.")
    number, tile = found.places[choose_series(found.names, reading.series, name)]
    image = found.images[number]
    if image.is_flim:
        raise UserError(f"Image {name}: {image.path} has lifetimes of photons, no pixels. Choose another `series`.")
    block = image.memory_block
    data = np.memmap(path, np.uint8, "r", block.offset, (block.size,))
    facts = _facts(image.xml_element, found.document, image.timestamps)
    return _described(_description(image), data, tile, found.names, facts)


@dataclass(frozen=True)
class LifHeader:
    """What the header of a file says.

    Attributes:
        document: The whole of it.
        images: Of the package.
        places: Index of the image and, in a mosaic, of the tile, of each that can be chosen.
        names: What they are called.
    """

    document: Element
    images: list[Any]
    places: list[tuple[int, int]]
    names: tuple[str, ...]


@lru_cache(maxsize=1)
def _listing(path: Path, _state: tuple[int, ...]) -> LifHeader:
    """Read the header of a file, which the images of a file are opened by one after the other, once."""
    from liffile import LifFile

    with LifFile(path) as file:
        images = list(file.images)
        tiles = [_tiles(one) for one in images]
        places = [(number, tile) for number, count in enumerate(tiles) for tile in range(count)]
        names = [images[number].path + (f" tile {tile}" if tiles[number] > 1 else "") for number, tile in places]
        return LifHeader(file.xml_element, images, places, tuple(names))


def _description(image: Any) -> Element:
    found: Element | None = image.xml_element.find("./Data/Image")
    if found is None:
        raise ValueError("an image without a description")
    return found


def _tiles(image: Any) -> int:
    if image.is_flim:
        return 1
    return next((one.length for one in _dimensions(_description(image)) if one.letter == "M"), 1)


def _described(said: Element, data: np.ndarray, tile: int, names: tuple[str, ...], facts: list[Fact]) -> ArrayImage:
    dimensions = _dimensions(said)
    channels, layout = _channels(said), layout_of(dimensions)
    samples = 3 if len(channels) % 3 == 0 and layout.columns.stride == 3 * channels[0].dtype.itemsize else 1
    channels = _red_first(channels) if samples == 3 else channels
    pixels = LifPlanes(data, channels, layout, tile, samples)
    rows = layout.rows.letter if layout.rows else ""
    lengths = {"x": layout.columns}
    lengths |= {"y": layout.rows} if layout.rows and rows != "T" else {}
    lengths |= {"z": layout.planes[0]} if [one.letter for one in layout.planes] in (["Z"], ["Y"]) else {}
    steps = [one for one in layout.times if one.length > 1]
    interval = (steps[0].step, steps[0].unit) if [one.letter for one in steps] == ["T"] and steps[0].step else None
    colours = [
        (f"channel {number}", "Color", str(_signed(COLOURS[one.colour.lower()])), "")
        for number, one in enumerate(channels)
        if samples == 1 and one.colour.lower() in COLOURS
    ]
    return ArrayImage(
        "LIF", pixels, "TCZYXS"[: len(pixels.shape)], pixels.dtype, channels=_names(channels, samples),
        lengths={axis: _micrometres(one) for axis, one in lengths.items() if one.step}, interval=interval,
        facts=facts + colours, notes=(*_notes(layout), *_left(dimensions, channels, len(data))), series=names,
        stored_axes=_stored(layout, len(channels)),
    )  # fmt: skip


def _left(dimensions: list[Dimension], channels: list[LifChannel], there: int) -> list[str]:
    """Return a sentence where the block of an image has at least a row more than its axes tell of."""
    last = max(one.offset + one.dtype.itemsize for one in channels)
    left = there - last - sum((axis.length - 1) * axis.stride for axis in dimensions)
    row = max(axis.length * axis.stride for axis in dimensions if axis.letter == "X")
    return [f"{left:,} bytes behind the pixels that its axes tell of are not read"] if left >= row else []


def _notes(layout: Layout) -> list[str]:
    notes = []
    letters = {one.letter for one in (*layout.times, *layout.planes)}
    rows = layout.rows.letter if layout.rows else ""
    if rows in {"Z", "T"} and "Y" not in letters:
        what = "z-planes" if rows == "Z" else "time points"
        notes.append(f"it was scanned in x without y; the rows of a plane are {what}, as Bio-Formats takes them")
    elif rows in {"Z", "T"}:
        what = "z" if rows == "Z" else "time"
        notes.append(f"it was scanned in x and {what}, one y after the other; the rows of a plane are {what}, as "
                     "Bio-Formats takes them")  # fmt: skip
    for letter, what in (("L", "wavelengths of its lambda scan"), (OTHER, "elements of an axis without a name here")):
        into = next((name for name, axes in (("z-planes", layout.planes), ("time points", layout.times))
                     if any(one.letter == letter for one in axes)), "")  # fmt: skip
        if into:
            notes.append(f"the {what} are taken as {into}, as Bio-Formats does")
    return notes


def _stored(layout: Layout, channels: int) -> str:
    axes = [*layout.times, *layout.planes, *([layout.rows] if layout.rows else []), layout.columns]
    letters = "".join(one.letter for one in axes if one.length > 1 or one.letter in "XY")
    return ("C" if channels > 1 else "") + letters


def _micrometres(axis: Dimension) -> tuple[float, str]:
    """Return the extent of a pixel; a stage may have gone down, so that z steps are negative."""
    step = abs(axis.step) if axis.letter == "Z" else axis.step
    length = micrometres(step, axis.unit)
    return (step, axis.unit) if length is None else (length, "µm")


def _dimensions(said: Element) -> list[Dimension]:
    found = []
    for one in said.iterfind("./ImageDescription/Dimensions/DimensionDescription"):
        count = int(one.get("NumberOfElements", 0))
        step = float(one.get("Length") or 0) / (count - 1) if count > 1 else 0.0
        letter = AXES.get(int(one.get("DimID", 0)), OTHER)
        found.append(Dimension(letter, count, step, one.get("Unit", ""), int(one.get("BytesInc") or 0)))
    if any(one.length < 1 or one.stride < 0 for one in found):
        raise ValueError("an axis of the image has no elements, or a stride below 0")
    return found


def _channels(said: Element) -> list[LifChannel]:
    """Return the channels by their offsets."""
    details: dict[str, Element] = {}
    for one in said.iter("WideFieldChannelInfo"):
        details.setdefault(one.get("LUT", ""), one)
    found = []
    for one in said.iterfind("./ImageDescription/Channels/ChannelDescription"):
        colour = one.get("LUTName", "")
        detail = details.get(colour)
        name = colour
        if detail is not None:
            name = "--".join(detail.get(key, "") for key in ("LUT", "ContrastingMethodName", "FluoCubeName"))
        found.append(
            LifChannel(name, colour, int(one.get("ChannelTag") or 0), int(one.get("BytesInc") or 0), _dtype(one))
        )
    if not found:
        raise ValueError("the image has no channels")
    if len({one.dtype for one in found}) > 1:
        raise ValueError("the pixels of its channels are of different types")
    return sorted(found, key=lambda one: one.offset)


def _dtype(channel: Element) -> np.dtype:
    """Return the type of pixels by `DataType` (0 whole numbers, 1 floating point) and bits."""
    bits = int(channel.get("Resolution", 0))
    size = next((size for size in (8, 16, 32, 64) if 0 < bits <= size), 0)
    return np.dtype(f"<{'f' if channel.get('DataType') == '1' else 'u'}{size // 8}")


def _red_first(channels: list[LifChannel]) -> list[LifChannel]:
    """Order the samples of each colour pixel from red to blue: by their tags, else backwards, as Bio-Formats does."""
    found: list[LifChannel] = []
    for at in range(0, len(channels), 3):
        three = channels[at : at + 3]
        tagged = sorted(one.tag for one in three) == [1, 2, 3]
        found += sorted(three, key=lambda one: SAMPLES[one.tag]) if tagged else three[::-1]
    return found


def _names(channels: list[LifChannel], samples: int) -> tuple[str | None, ...]:
    if samples == 1:
        return tuple(one.name or None for one in channels)
    return ("Red", "Green", "Blue") if len(channels) == 3 else (None,) * len(channels)


def _signed(colour: int) -> int:
    """Return a colour as OME's signed 32-bit number with full alpha."""
    value = colour << 8 | 0xFF
    return value - (1 << 32) if value >= 1 << 31 else value


def _facts(image: Element, file: Element, timestamps: np.ndarray | None) -> list[Fact]:
    """Return the objective, and the first time that is noted of a plane."""
    facts: list[Fact] = []
    if timestamps is not None and len(timestamps) and timestamps[0] > np.datetime64(0, "s"):
        facts.append(("image", "AcquisitionDate", f"{timestamps[0].astype('datetime64[ms]')}Z", ""))
    wanted = (("Model", "ObjectiveName"), ("NominalMagnification", "Magnification"),
              ("LensNA", "NumericalAperture"), ("Immersion", "Immersion"))  # fmt: skip
    settings = (one for root in (image, file) for one in root.iter() if str(one.tag).startswith("ATL"))
    setting = next((one for one in settings if one.get("ObjectiveName")), None)
    if setting is not None:
        facts += [("objective", label, setting.get(key, ""), "") for label, key in wanted if setting.get(key)]
    return facts
