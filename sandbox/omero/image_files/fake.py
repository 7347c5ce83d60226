"""Images that exist only in the name of a file, as OME's tests make them: `cells&sizeX=64&sizeZ=3&plates=1.fake`.

Names and pixels as in Bio-Formats 8 (loci/formats/in/FakeReader.java): a pixel is its column; the boxes of 10 x 10
pixels at the upper left hold the numbers of series, plane, z, c and t. Keys that are not listed here are refused.
A file `<name>.fake.ini` beside it may have a section `[GlobalMetadata]`, whose pairs become original metadata.
"""

from __future__ import annotations

import configparser
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.omero.image_files.description import (
    AcquisitionDescription,
    ChannelDescription,
    FieldDescription,
    ImageFileError,
    PlateDescription,
    Quantity,
    SeriesDescription,
)
from sandbox.omero.image_files.series_reader import SeriesReader, numpy_type_of

if TYPE_CHECKING:
    from pathlib import Path

FAKE_SUFFIX, COMPANION_SUFFIX = ".fake", ".ini"
GLOBAL_SECTION = "GlobalMetadata"
BOX = 10
SIZES = {"sizeX": 512, "sizeY": 512, "sizeZ": 1, "sizeC": 1, "sizeT": 1}
PLATES = ("plates", "plateRows", "plateCols", "fields", "plateAcqs")
NUMBERS = {**SIZES, "series": 1, "screens": 0, **dict.fromkeys(PLATES, 0)}
TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float", "double")
LENGTHS = ("physicalSizeX", "physicalSizeY", "physicalSizeZ")
MOST_SERIES, LARGEST_SIDE = 10_000, 100_000


@dataclass(frozen=True)
class FakeName:
    """What a name asks for."""

    name: str
    numbers: dict[str, int]
    pixel_type: str
    lengths: dict[str, float]
    global_metadata: tuple[tuple[str, str], ...] = ()


def fake_files(path: Path) -> list[Path]:
    """Return the file and, where there is one, its companion."""
    companion = path.with_name(path.name + COMPANION_SUFFIX)
    return [path, companion] if companion.is_file() else [path]


def _read_companion(path: Path) -> tuple[tuple[str, str], ...]:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(path.read_text("utf-8"))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ImageFileError(f"{path.name}: {error}") from None
    unknown = [name for name in parser.sections() if name != GLOBAL_SECTION]
    if unknown:
        raise ImageFileError(f"{path.name}: the section {unknown[0]} is not understood here")
    return tuple(parser.items(GLOBAL_SECTION)) if parser.has_section(GLOBAL_SECTION) else ()


def read_name(path: Path) -> FakeName:
    """Return what the name of a file asks for.

    Raises:
        ImageFileError: A key is unknown, or its value is none.
    """
    name, *pairs = path.name[: -len(FAKE_SUFFIX)].split("&")
    numbers, lengths, pixel_type = dict(NUMBERS), {}, "uint8"
    for pair in filter(None, pairs):  # omero.testlib writes "a&&plates=1"
        key, _, value = pair.partition("=")
        try:
            if key in numbers:
                numbers[key] = _whole(value)
            elif key in LENGTHS:
                lengths[key] = float(value)
            elif key == "pixelType" and value in TYPES:
                pixel_type = value
            else:
                raise ValueError
        except ValueError:
            raise ImageFileError(f"{path.name}: {pair} is not understood here") from None
    for axis in SIZES:
        if not 0 < numbers[axis] <= LARGEST_SIDE:
            raise ImageFileError(f"{path.name}: {axis}={numbers[axis]} is no size")
    *_, last = fake_files(path)
    return FakeName(name, numbers, pixel_type, lengths, _read_companion(last) if last != path else ())


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def open_fake(path: Path) -> tuple[list[SeriesReader], tuple[PlateDescription, ...]]:
    """Return the images that the name of a file asks for, and their plates.

    Raises:
        ImageFileError: The name is not understood, or asks for too many images.
    """
    asked = read_name(path)
    plates = _plates(asked, path)
    count = sum(len(plate.fields) for plate in plates) if plates else asked.numbers["series"]
    if not 0 < count <= MOST_SERIES:
        raise ImageFileError(f"{path.name}: {count} images; 1 to {MOST_SERIES} are possible")
    return [_series(asked, number, path) for number in range(count)], plates


def _plates(asked: FakeName, path: Path) -> tuple[PlateDescription, ...]:
    """Return the plates in Bio-Formats' order: those of the first screen first, each screen with as many."""
    screens = asked.numbers["screens"]
    if not screens and not any(asked.numbers[key] for key in PLATES):
        return ()
    plates, *sizes = (max(1, asked.numbers[key]) for key in PLATES)
    if math.prod((max(1, screens), plates, *sizes)) > MOST_SERIES:
        raise ImageFileError(f"{path.name}: more than {MOST_SERIES} images")
    return tuple(
        _plate(number, sizes, f"Screen Name {number // plates}" if screens else None)
        for number in range(max(1, screens) * plates)
    )


def _plate(number: int, sizes: list[int], screen: str | None) -> PlateDescription:
    rows, columns, fields, runs = sizes
    acquisitions = tuple(AcquisitionDescription(n, f"PlateAcquisition Name {number * runs + n}") for n in range(runs))
    return PlateDescription(
        f"Plate Name {number}",
        tuple(_letters(row) for row in range(rows)),
        tuple(str(column + 1) for column in range(columns)),
        acquisitions,
        tuple(
            FieldDescription(row, column, run)
            for row in range(rows)
            for column in range(columns)
            for run in range(runs)
            for _ in range(fields)
        ),
        screen,
    )


def _letters(row: int) -> str:
    return (_letters(row // 26 - 1) if row >= 26 else "") + chr(ord("A") + row % 26)


def _series(asked: FakeName, number: int, path: Path) -> SeriesReader:
    size = [asked.numbers[axis] for axis in SIZES]
    x, y, z, c, t = size
    description = SeriesDescription(
        asked.name if number == 0 else f"{asked.name} {number + 1}",
        x,
        y,
        z,
        c,
        t,
        asked.pixel_type,
        channels=(ChannelDescription(),) * c,
        level_sizes=((x, y),),
        tile_size=(x, y),
        physical_size_x=_length(asked, "X"),
        physical_size_y=_length(asked, "Y"),
        physical_size_z=_length(asked, "Z"),
        global_metadata=asked.global_metadata,
    )
    array = _FakeArray((t, c, z, y, x), numpy_type_of(asked.pixel_type), number)
    return SeriesReader(description, [array], "TCZYX", path)


def _length(asked: FakeName, axis: str) -> Quantity | None:
    value = asked.lengths.get(f"physicalSize{axis}")
    return Quantity(value, "µm") if value is not None else None


@dataclass(frozen=True)
class _FakeArray:
    """Pixels that are made when they are read."""

    shape: tuple[int, ...]
    dtype: np.dtype
    series: int

    def __getitem__(self, index: Any) -> np.ndarray:
        t, c, z, rows, columns = index
        _, channels, depth, _, width = self.shape
        lowest = np.iinfo(self.dtype).min if self.dtype.kind == "i" else 0
        row = _wrapped(lowest + np.arange(width)[columns], self.dtype)
        y = np.arange(self.shape[3])[rows]
        made = np.tile(row, (len(y), 1))
        # The plane's number in the order XYZCT.
        boxes = (self.series, z + depth * (c + channels * t), z, c, t)
        x = np.arange(width)[columns]
        for number, value in enumerate(boxes):
            inside = np.ix_(y < BOX, x // BOX == number)
            made[inside] = _wrapped(np.array(value), self.dtype)
        return made


def _wrapped(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return values as the lowest bytes of a type, as Bio-Formats writes them."""
    return values.astype(np.int64).astype(dtype)
