"""TIFF of every kind (OME, ImageJ, BigTIFF, makers' own) for `image_file`: metadata when opened, pixels by region."""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.image_file import ImageFile, PhysicalSize, checked_physical_size, sample_names
from bioimage_suite.images.tiff_dialects import Dialect, dialect_of

if TYPE_CHECKING:
    import numpy as np
    import tifffile


def open_tiff(path: Path, name: str) -> ImageFile:
    """Open the first series of a TIFF file; of a pyramid, the full resolution.

    Args:
        path: The file.
        name: Name of the image in messages.

    Raises:
        UserError: The file is damaged, truncated or incomplete, or has axes other than time, channel, z, y and x.
    """
    import tifffile

    try:
        with _logged_errors() as errors:
            tiff = tifffile.TiffFile(path)
            series = tiff.series[0]
            sizes, leading = _axes(series, name)
            _check_complete(tiff, series, name)
            dialect = dialect_of(tiff)
        if errors:
            raise ValueError(errors[0])
    except (tifffile.TiffFileError, struct.error, ValueError, IndexError, KeyError, TypeError, OSError) as error:
        raise UserError(f"Image {name}: the TIFF file is damaged or cut short ({error}). Upload it again.") from error
    samples = sizes["S"]
    channels, physical_size, time_increment = _metadata(tiff, sizes, dialect, name)
    read = _reader(tiff, series, sizes, leading, name)
    return ImageFile(
        name=name, size_t=sizes["T"], size_c=sizes["C"] * samples, size_z=sizes["Z"], size_y=sizes["Y"],
        size_x=sizes["X"], dtype=series.dtype.newbyteorder("="), channels=channels, physical_size=physical_size,
        time_increment=time_increment, read_region=lambda t, c, z, rows, columns: read(t, c, z, (rows, columns), None),
        # The samples of an LSM pixel are channels, not colours.
        read_interleaved=None if samples == 1 or "S" in leading or series.kind == "lsm" else (
            lambda t, z, rows, columns: read(t, 0, z, (rows, columns), slice(None))),
        details={"format": dialect.name if dialect else _format(tiff), "facts": dialect.facts if dialect else [],
                 "axes": series.axes, "series": len(tiff.series), "levels": len(series.levels),
                 "ome_xml": tiff.ome_metadata, "imagej": tiff.imagej_metadata},
    )  # fmt: skip


@contextmanager
def _logged_errors() -> Iterator[list[str]]:
    """Yield a list that collects errors which tifffile only logs, such as pages beyond the end of the file."""
    logger = logging.getLogger("tifffile")
    errors: list[str] = []
    collector = logging.Handler(logging.ERROR)
    collector.emit = lambda record: errors.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(collector)
    try:
        yield errors
    finally:
        logger.removeHandler(collector)


def _format(tiff: tifffile.TiffFile) -> str:
    return "OME-TIFF" if tiff.is_ome else "ImageJ TIFF" if tiff.is_imagej else "TIFF"


def _axes(series: tifffile.TiffPageSeries, name: str) -> tuple[dict[str, int], str]:
    """Map each axis to T, C, Z, Y, X or S (samples of a pixel).

    Returns:
        Length by axis, and the axes before Y in the order of the file.

    Raises:
        UserError: More than one axis is unknown, or there is an unknown one besides z.
    """
    axes, shape = series.axes, series.shape
    if series.kind == "lsm" and series.keyframe.samplesperpixel > 1:
        axes = axes.replace("C", "S")  # a page of an LSM holds a plane of each channel
    unknown = [axis for axis in axes if axis not in "TCZYXS"]
    # tifffile calls the pages of a plain multi-page TIFF an axis without a meaning (I: sequence, Q: other).
    if len(unknown) == 1 and "Z" not in axes:
        axes = axes.replace(unknown[0], "Z")
    elif unknown:
        raise UserError(
            f"Image {name}: its axes are {axes} with the lengths {shape}; only T, C, Z, Y, X are understood. "
            "Convert it to an OME-TIFF with named axes."
        )
    if "Y" not in axes or "X" not in axes or math.prod(shape) == 0:
        raise UserError(f"Image {name}: its axes {axes} have the lengths {shape}, which is not an image.")
    sizes = dict.fromkeys("TCZYXS", 1) | dict(zip(axes, shape, strict=True))
    return sizes, axes[: axes.index("Y")]


def _check_complete(tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, name: str) -> None:
    """Reject a file whose pixels end early, before anything is computed from it."""
    size = tiff.filehandle.size
    if series.dataoffset is not None:
        end = series.dataoffset + series.nbytes
        if end > size:
            raise UserError(_truncated(name, end, size))
        return
    for number, page in enumerate(series.pages):
        if page is None:
            raise UserError(
                f"Image {name}: plane {number} of {len(series.pages)} is not in this file. An OME-TIFF of several "
                "files must be joined into one, a file cut short uploaded again."
            )
        end = max((o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=True) if n), default=0)
        # In a series over several files each plane has its own handle.
        size = page.parent.filehandle.size
        if end > size or not page.dataoffsets:
            raise UserError(_truncated(name, end, size))


def _truncated(name: str, end: int, size: int) -> str:
    return f"Image {name}: the TIFF file is cut short: pixels should reach byte {end}, it has {size}. Upload it again."


def _reader(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, sizes: dict[str, int], leading: str, name: str
) -> Callable[[int, int, int, tuple[slice, slice], slice | None], np.ndarray]:
    """Return a reader of regions: directly from the file if pixels are contiguous, else by tile or strip.

    Returns:
        Function of (t, c, z, (rows, columns), samples) that returns a (Y, X) array, or for a slice of samples a
        (Y, X, S) array.
    """
    import tifffile

    def read(t: int, c: int, z: int, region: tuple[slice, slice], samples: slice | None) -> np.ndarray:
        channel, sample = divmod(c, sizes["S"])
        wanted = samples or sample
        at = {"T": t, "C": channel, "Z": z, "S": sample}
        rows, columns = region
        try:
            if series.dataoffset is not None:
                first = _ravel(leading, at, sizes) * sizes["Y"]
                interleaved = 1 if "S" in leading else sizes["S"]
                lines = _read_contiguous(tiff, series, slice(first + rows.start, first + rows.stop), interleaved)
                return lines[:, columns, 0 if "S" in leading else wanted]
            keyframe = series.keyframe
            if keyframe.imagedepth > 1:
                raise ValueError("pages of more than one z-plane (ImageDepth) are not supported")
            outside = [axis for axis in leading if not (axis == "S" and keyframe.planarconfig == 2)]
            page = series.pages[_ravel(outside, at, sizes)]
            return _read_segments(page, wanted, rows, columns)
        except (tifffile.TiffFileError, ValueError, RuntimeError, OSError) as error:
            raise UserError(
                f"Image {name}: the pixels at t={t}, c={c}, z={z} cannot be read ({error}). "
                "The file is damaged, or its compression is unknown: upload it again or convert it to OME-TIFF."
            ) from error

    return read


def _ravel(axes: list[str] | str, at: dict[str, int], sizes: dict[str, int]) -> int:
    """Return the index of a plane for axes in this order, the last one running fastest."""
    index = 0
    for axis in axes:
        index = index * sizes[axis] + at[axis]
    return index


def _read_contiguous(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, lines: slice, interleaved: int
) -> np.ndarray:
    """Map lines, counted over all planes, from the file as (lines, X, interleaved samples)."""
    import numpy as np

    width = series.shape[series.axes.index("X")]
    dtype = np.dtype(tiff.byteorder + series.dtype.char)
    line_bytes = width * interleaved * dtype.itemsize
    first = (series.dataoffset or 0) + lines.start * line_bytes
    mapped = tiff.filehandle.memmap_array(dtype, (lines.stop - lines.start, width, interleaved), first)
    return np.asarray(mapped).astype(dtype.newbyteorder("="), copy=False)


def _read_segments(page: Any, sample: int | slice, rows: slice, columns: slice) -> np.ndarray:
    """Decode the tiles or strips of a page that touch the region, on all cores; one sample, or all of a slice."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    y0, y1, x0, x1 = rows.start, rows.stop, columns.start, columns.stop
    keyframe = page.keyframe
    step_y = keyframe.tilelength if keyframe.is_tiled else keyframe.rowsperstrip
    step_x = keyframe.tilewidth if keyframe.is_tiled else keyframe.imagewidth
    down, across = -(-keyframe.imagelength // step_y), -(-keyframe.imagewidth // step_x)
    separate = keyframe.planarconfig == 2 and keyframe.samplesperpixel > 1
    first = sample * down * across if separate and isinstance(sample, int) else 0
    indices = [
        first + row * across + column
        for row in range(y0 // step_y, -(-y1 // step_y))
        for column in range(x0 // step_x, -(-x1 // step_x))
    ]
    several = () if isinstance(sample, int) else (keyframe.samplesperpixel,)
    out = np.zeros((y1 - y0, x1 - x0, *several), keyframe.dtype)
    jpeg = {"jpegtables": page.jpegtables, "jpegheader": keyframe.jpegheader} if keyframe.compression in {6, 7} else {}

    def place(encoded: tuple[bytes | None, int]) -> None:
        segment, (_, _, y, x, _), shape = keyframe.decode(*encoded, _fullsize=False, **jpeg)
        if segment is None:
            return  # TIFF: a tile of zero bytes is a sparse tile, all zero
        ya, yb, xa, xb = max(y, y0), min(y + shape[1], y1), max(x, x0), min(x + shape[2], x1)
        pixels = segment[0, ya - y : yb - y, xa - x : xb - x, 0 if separate else sample]
        out[ya - y0 : yb - y0, xa - x0 : xb - x0] = pixels

    offsets = [page.dataoffsets[i] for i in indices]
    counts = [page.databytecounts[i] for i in indices]
    encoded = page.parent.filehandle.read_segments(offsets, counts, indices=indices, flat=True)
    if len(indices) == 1:
        place(next(encoded))
    else:
        with ThreadPoolExecutor() as threads:
            list(threads.map(place, encoded))
    return out


def _metadata(
    tiff: tifffile.TiffFile, sizes: dict[str, int], dialect: Dialect | None, name: str
) -> tuple[tuple[str | None, ...], dict[str, PhysicalSize], PhysicalSize | None]:
    """Return channel names, physical sizes and time increment from OME-XML, ImageJ's description or makers' tags."""
    count = sizes["C"] * sizes["S"]
    unnamed = sample_names(count) if sizes["C"] == 1 else (None,) * count
    if tiff.is_ome and tiff.ome_metadata:
        return _ome_metadata(tiff.ome_metadata, sizes, unnamed, name)
    if dialect:
        lengths = {axis: checked_physical_size(name, axis, *length) for axis, length in dialect.lengths.items()}
        names = tuple(one or None for one in dialect.channels) if len(dialect.channels) == count else unnamed
        return names, lengths, PhysicalSize(dialect.interval, "s") if dialect.interval else None
    if tiff.is_imagej and tiff.imagej_metadata:
        physical_size, time_increment = _imagej_sizes(tiff, name)
        return unnamed, physical_size, time_increment
    return unnamed, {}, None


def _ome_metadata(
    xml: str, sizes: dict[str, int], unnamed: tuple[str | None, ...], name: str
) -> tuple[tuple[str | None, ...], dict[str, PhysicalSize], PhysicalSize | None]:
    # expat since 2.4.1 refuses entity bombs, and ElementTree loads no external entity.
    pixels = ET.fromstring(xml).find(".//{*}Pixels")  # noqa: S314
    if pixels is None:
        return unnamed, {}, None
    physical_size = {
        axis.lower(): checked_physical_size(name, axis.lower(), value, pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        for axis in "XYZ"
        if (value := pixels.get(f"PhysicalSize{axis}")) is not None
    }
    increment = pixels.get("TimeIncrement")
    try:
        time_increment = PhysicalSize(float(increment), pixels.get("TimeIncrementUnit", "s")) if increment else None
    except ValueError as error:
        raise UserError(
            f"Image {name}: the time between frames (TimeIncrement) is {increment!r}, which is no number. "
            "Correct the metadata, or remove it."
        ) from error
    names: list[str | None] = []
    for channel in pixels.findall("{*}Channel"):
        samples = int(channel.get("SamplesPerPixel", "1"))
        given = channel.get("Name")
        if samples == 1:
            names.append(given)
        else:
            names.extend(f"{given} {s}" if given else s for s in sample_names(samples))
    count = sizes["C"] * sizes["S"]
    return (tuple(names) if len(names) == count else unnamed), physical_size, time_increment


def _imagej_sizes(tiff: tifffile.TiffFile, name: str) -> tuple[dict[str, PhysicalSize], PhysicalSize | None]:
    """Return the sizes of an ImageJ TIFF: x and y from the resolution tags, unit and z step from its description."""
    metadata = tiff.imagej_metadata or {}
    unit = str(metadata.get("unit", "")).strip()
    sizes = {}
    if unit and unit not in {"pixel", "pixels", "inch"}:
        unit = {"\\u00B5m": "µm", "um": "µm", "micron": "µm", "microns": "µm", "\u03bcm": "µm"}.get(unit, unit)
        tags = tiff.pages.first.tags
        for axis, tag in (("x", "XResolution"), ("y", "YResolution")):
            if tag in tags and tags[tag].value[0]:
                numerator, denominator = tags[tag].value
                sizes[axis] = checked_physical_size(name, axis, denominator / numerator, unit)
        if "spacing" in metadata:
            sizes["z"] = checked_physical_size(name, "z", metadata["spacing"], unit)
    interval = metadata.get("finterval")
    increment = PhysicalSize(float(interval), str(metadata.get("tunit", "s"))) if interval else None
    return sizes, increment
