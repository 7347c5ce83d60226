"""TIFF, OME-TIFF (one or several files, with pyramids) and ImageJ TIFF, read with tifffile."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import logging
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.omero.image_files.description import (
    ChannelDescription,
    ImageFileError,
    Quantity,
    SeriesDescription,
)
from sandbox.omero.image_files.ome_xml import OmeDocument, OmeImage, read_ome_xml
from sandbox.omero.image_files.series_reader import SeriesReader, pixel_type_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TIFF_SUFFIXES = (".tif", ".tiff", ".tf2", ".tf8", ".btf", ".svs", ".lsm", ".stk", ".flex", ".qptiff", ".ndpi")
# ImageJ writes units as its users type them.
IMAGEJ_UNITS = {
    "micron": "µm",
    "microns": "µm",
    "um": "µm",
    "µm": "µm",
    "\\u00b5m": "µm",
    "nm": "nm",
    "mm": "mm",
    "cm": "cm",
    "m": "m",
    "pixel": "pixel",
}
# Micrometres of the TIFF ResolutionUnit 1 (none), 2 (inch) and 3 (centimetre), as Bio-Formats takes them.
RESOLUTION_UNITS_UM = {1: 1.0, 2: 25400.0, 3: 10000.0}
INCH, CENTIMETRE = 2, 3
WHITE_IS_ZERO = 0  # PhotometricInterpretation


def open_tiff(path: Path, companion: str | None = None) -> tuple[list[SeriesReader], list[Path]]:
    """Open a TIFF file of any kind.

    Args:
        path: The file.
        companion: The OME-XML, if it is in a file of its own.

    Returns:
        Its images, and the files that they are stored in.

    Raises:
        ImageFileError: The file is broken, truncated, or of a kind that OMERO cannot store.
    """
    import tifffile

    with _complaints() as complaints:
        try:
            tiff = tifffile.TiffFile(path, omexml=companion)
        except Exception as error:  # struct.error, ValueError, TiffFileError, ... for broken files
            raise ImageFileError(f"{path.name}: not a readable TIFF file: {error}") from error
        readers, files = _open_series(tiff, path, companion)
    if complaints:
        for reader in readers:
            reader.close()
        raise ImageFileError(f"{path.name}: the file is broken or truncated: {complaints[0]}")
    return readers, files


@contextlib.contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect tifffile's log messages about invalid offsets: it goes on without the pages that it cannot find."""
    found: list[str] = []
    thread = threading.get_ident()

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = record.getMessage()
            if record.thread == thread and re.search(r"invalid (page |value )?offset", message):
                found.append(re.sub(r"<[^>]*>", "", message).strip())

    collector, log = Collector(logging.ERROR), logging.getLogger("tifffile")
    log.addHandler(collector)
    try:
        yield found
    finally:
        log.removeHandler(collector)


def _open_series(tiff: Any, path: Path, companion: str | None) -> tuple[list[SeriesReader], list[Path]]:
    try:
        document = read_ome_xml(tiff.ome_metadata) if tiff.is_ome and tiff.ome_metadata else None
        if document is not None and document.refused:
            tiff.close()
            tiff, document = _without_ome(path), None
        if document is not None and document.metadata_file and companion is None:
            return _open_with_companion(tiff, path, document)
        files = _files(path, document)
        series = list(tiff.series)
        if not series:
            raise ImageFileError(f"{path.name}: the TIFF file has no image")
        closer = _SharedClose(tiff, len(series))
        readers = []
        for number, one in enumerate(series):
            _check_complete(one, path)
            image = document.images[number] if document and number < len(document.images) else None
            readers.append(_reader(tiff, one, image, path, closer))
        return readers, files
    except ImageFileError:
        tiff.close()
        raise
    except Exception as error:
        tiff.close()
        raise ImageFileError(f"{path.name}: broken TIFF file: {error}") from error


def _without_ome(path: Path) -> Any:
    """Open an OME-TIFF as plain TIFF."""
    import tifffile

    return tifffile.TiffFile(path, is_ome=False)


def _open_with_companion(tiff: Any, path: Path, document: OmeDocument) -> tuple[list[SeriesReader], list[Path]]:
    tiff.close()
    companion = path.with_name(Path(document.metadata_file or "").name)
    if not companion.is_file():
        raise ImageFileError(f"{path.name}: its metadata file {companion.name} is missing")
    readers, files = open_tiff(path, companion.read_text("utf-8"))
    return readers, [companion, *files]


def _files(path: Path, document: OmeDocument | None) -> list[Path]:
    names = document.file_names if document else ()
    files = [path.with_name(Path(name).name) for name in names]
    missing = [file.name for file in files if not file.is_file()]
    # A renamed OME-TIFF still has its old name inside: if that is the only name, it means this file.
    if missing and len(files) == 1:
        return [path]
    if missing:
        raise ImageFileError(f"{path.name}: files of this OME-TIFF are missing: {', '.join(sorted(missing))}")
    return [path, *(file for file in files if file != path)]


class _SharedClose:
    """Closes the file when the last of its images is closed."""

    def __init__(self, tiff: Any, users: int) -> None:
        self.tiff, self.users, self.lock = tiff, users, threading.Lock()

    def __call__(self) -> None:
        with self.lock:
            self.users -= 1
            if self.users == 0:
                self.tiff.close()


def _check_complete(series: Any, path: Path) -> None:
    """Raise ImageFileError for a file cut off within its pixel data: it opens, but segments end behind its end."""
    for level in series.levels:
        for page in level.pages:
            if page is None:
                continue
            size = page.parent.filehandle.size
            ends = (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False) if n)
            if max(ends, default=0) > size:
                raise ImageFileError(f"{path.name}: the file is truncated: pixel data end beyond byte {size}")
            if not page.dataoffsets:
                raise ImageFileError(f"{path.name}: a page has no pixel data")


def _plane_axes(series: Any, path: Path) -> tuple[str, dict[str, int]]:
    """Return the axes in the letters of `SeriesReader`, and the size of each.

    Axes that OMERO does not know (a plain stack of pages is `I` or `Q`) become time points, as in
    Bio-Formats, or focal planes where time is taken.
    """
    letters, sizes = [], {"T": 1, "C": 1, "Z": 1, "S": 1, "Y": 1, "X": 1}
    shape, axes = series.get_shape(False), series.get_axes(False)
    taken = {axis for axis, size in zip(axes, shape, strict=True) if size > 1}
    for axis, size in zip(axes, shape, strict=True):
        letter = axis
        if axis not in sizes:
            if size == 1:
                letters.append("?")
                continue
            free = next((a for a in "TZ" if a not in taken), None)
            if free is None:
                raise ImageFileError(f"{path.name}: axes {axes} do not fit into X, Y, Z, C and T")
            letter = free
            taken.add(free)
        if size == 1 and letter in letters:
            letters.append("?")
            continue
        if letter in letters:  # an axis of length one came before the real one
            letters[letters.index(letter)] = "?"
        letters.append(letter)
        sizes[letter] = size
    return "".join(letters), sizes


def _reader(tiff: Any, series: Any, image: OmeImage | None, path: Path, closer: _SharedClose) -> SeriesReader:
    import zarr

    axes, sizes = _plane_axes(series, path)
    levels = [zarr.open_array(series.aszarr(level=i, squeeze=False), mode="r") for i in range(len(series.levels))]
    y, x = axes.index("Y"), axes.index("X")
    page = series.keyframe
    description = SeriesDescription(
        name=image.name if image else None,
        size_x=sizes["X"],
        size_y=sizes["Y"],
        size_z=sizes["Z"],
        size_c=sizes["C"] * sizes["S"],
        size_t=sizes["T"],
        pixel_type=pixel_type_of(series.dtype, path),
        level_sizes=tuple((level.shape[x], level.shape[y]) for level in levels),
        tile_size=(page.tilewidth, page.tilelength) if page.is_tiled else (sizes["X"], page.rowsperstrip),
    )
    if image is not None:
        description = _with_ome(description, image, sizes["S"])
    elif tiff.is_imagej:
        description = _with_imagej(description, tiff)
    else:
        description = _with_tags(description, tiff)
    inverted = page.photometric == WHITE_IS_ZERO and series.dtype.kind in "iub"
    return SeriesReader(description, levels, axes, path, closer, inverted)


def _with_ome(description: SeriesDescription, image: OmeImage, samples: int) -> SeriesDescription:
    channels = tuple(channel for channel in image.channels for _ in range(samples))
    if len(channels) != description.size_c:
        channels = (*channels, *[ChannelDescription()] * description.size_c)[: description.size_c]
    values = {f.name: getattr(image, f.name) for f in dataclasses.fields(image)}
    return dataclasses.replace(description, **{**values, "channels": channels})


def _resolution_unit(page: Any) -> int:
    """Return the ResolutionUnit; TIFF's default is the inch."""
    return int(page.tags["ResolutionUnit"].value) if "ResolutionUnit" in page.tags else INCH


def _resolution_um(page: Any, tag: str) -> Quantity | None:
    unit_um = RESOLUTION_UNITS_UM.get(_resolution_unit(page))
    if unit_um is None or tag not in page.tags:
        return None
    numerator, denominator = page.tags[tag].value
    return Quantity(unit_um * denominator / numerator, "µm") if numerator and denominator else None


def _with_tags(description: SeriesDescription, tiff: Any) -> SeriesDescription:
    page = tiff.pages.first
    date = None
    if "DateTime" in page.tags:
        try:
            date = datetime.datetime.strptime(str(page.tags["DateTime"].value), "%Y:%m:%d %H:%M:%S").replace(
                tzinfo=datetime.UTC
            )
        except ValueError:
            date = None
    return dataclasses.replace(
        description,
        channels=(ChannelDescription(),) * description.size_c,
        physical_size_x=_resolution_um(page, "XResolution"),
        physical_size_y=_resolution_um(page, "YResolution"),
        acquisition_date=date,
        description=None if tiff.is_shaped else (page.description or None),
    )


def _with_imagej(description: SeriesDescription, tiff: Any) -> SeriesDescription:
    metadata: dict[str, Any] = tiff.imagej_metadata or {}
    page = tiff.pages.first
    # As Bio-Formats 7.3.1 has it: the number is in micrometres by ResolutionUnit, and gets ImageJ's unit all the same.
    unit = IMAGEJ_UNITS.get(str(metadata.get("unit", "")).lower(), "µm")
    unit = "µm" if _resolution_unit(page) == CENTIMETRE else unit

    def size(tag: str) -> Quantity | None:
        found = _resolution_um(page, tag)
        return Quantity(found.value, unit) if found else None

    spacing, interval = metadata.get("spacing"), metadata.get("finterval")
    ranges = list(metadata.get("Ranges") or ())
    windows: list[tuple[float, float] | None] = [
        (float(low), float(high)) for low, high in zip(ranges[::2], ranges[1::2], strict=False)
    ]
    if not windows and description.size_c == 1 and {"min", "max"} <= metadata.keys():
        windows = [(float(metadata["min"]), float(metadata["max"]))]
    windows += [None] * (description.size_c - len(windows))
    return dataclasses.replace(
        description,
        dimension_order="XYCZT",
        channels=tuple(ChannelDescription(window=window) for window in windows[: description.size_c]),
        physical_size_x=size("XResolution"),
        physical_size_y=size("YResolution"),
        physical_size_z=Quantity(abs(float(spacing)), "µm") if spacing else None,
        time_increment=Quantity(float(interval), "s") if interval is not None else None,
        description=str(metadata["Info"]) if "Info" in metadata else None,
        original_metadata=tuple((str(key), str(value)) for key, value in metadata.items() if key != "LUTs"),
    )
