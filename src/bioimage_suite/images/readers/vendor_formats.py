"""CZI, ND2, LIF and DeltaVision for `image_file` through the readers of BioIO: a scene of a file is a series."""

from __future__ import annotations

import importlib
import logging
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.calibration import pixel_sizes, time_step
from bioimage_suite.images.model.image_file import ImageFile, PhysicalSize
from bioimage_suite.images.model.series import Reading, choose_series
from bioimage_suite.images.readers.deltavision import DeltaVisionFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np


Place = tuple[int, int, int, int]  # t, c, z, sample of a pixel


@dataclass(frozen=True)
class VendorFormat:
    """A file format of a microscope's maker.

    Attributes:
        name: Name in messages and in `image_info`.
        package: Name of the package that reads it, on PyPI.
    """

    name: str
    package: str


VIEW_NAMES = {"V": "view", "B": "block"}  # of a CZI
CZI = VendorFormat("CZI", "bioio-czi")
ND2 = VendorFormat("ND2", "bioio-nd2")
LIF = VendorFormat("LIF", "bioio-lif")
DV = VendorFormat("DeltaVision", "mrc")


def vendor_format(start: bytes) -> VendorFormat | None:
    """Recognise a format by the first 128 bytes of a file; return None for other formats."""
    if start.startswith(b"ZISRAWFILE"):
        return CZI
    # Files of NIS-Elements 2 and later consist of chunks, older ones of JPEG 2000 boxes; a plain JPEG 2000 file begins
    # like the latter.
    if start.startswith((b"\xda\xce\xbe\x0a", b"\x00\x00\x00\x0cjP  ")):
        return ND2
    if start[:4] == b"\x70\x00\x00\x00" and start[8:9] == b"\x2a":
        return LIF
    # The identifier of DeltaVision's variant of MRC, in either byte order.
    if start[96:98] in (b"\xa0\xc0", b"\xc0\xa0"):
        return DV
    return None


def open_vendor_file(path: Path, name: str, form: VendorFormat, reading: Reading) -> ImageFile:
    """Open a scene of a file in the format of a microscope's maker.

    Args:
        path: The file.
        name: Name of the image in messages.
        form: Format recognised from the first bytes.
        reading: Which of its scenes.

    Raises:
        UserError: The reader is not installed, or it cannot read the file.
    """
    try:
        module = importlib.import_module(form.package.replace("-", "_"))
    except ImportError as error:
        raise UserError(
            f"Image {name}: a {form.name} file, which this tool does not read. Convert it with convert_image first. If "
            f"that is this tool, its environment lacks {form.package}: ask the administrator "
            "(docs/guides/administrators.md), or export the file as OME-TIFF from the maker's program."
        ) from error
    # Readers log what they could not find to standard error; errors that matter are raised here.
    for package in ("bioio_base", form.package.replace("-", "_")):
        logging.getLogger(package).setLevel(logging.CRITICAL + 1)
    if form is DV:
        _check_mode(path, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = DeltaVisionFile(path) if form is DV else module.Reader(path)
            opened = OPENERS.get(form, _open_scene)(reader, path, name, form, reading)
            sizes, samples = opened.sizes, opened.samples
            read = _region_reader(opened.fetch, samples, name, form)
            # Some readers detect a truncated file only when they read pixels.
            pixel = read(sizes["T"] - 1, sizes["C"] * samples - 1, sizes["Z"] - 1, slice(0, 1), slice(0, 1))
            return _described(reader, opened, name=name, form=form, read=read, dtype=pixel.dtype)
    except UserError:
        raise
    except Exception as error:  # each reader raises the exceptions of its own library
        text = " ".join(str(error).split())[:200]
        raise UserError(
            f"Image {name}: the {form.name} file is damaged or cut short ({type(error).__name__}: {text}). "
            "Upload it again, or export it as OME-TIFF from the maker's program."
        ) from error


@dataclass(frozen=True)
class Opened:
    """A scene whose pixels can be read.

    Attributes:
        names: Of all scenes of the file.
        scene: Index of this one.
        axes: Letters as the format has them.
        sizes: Length by axis T, C, Z, Y, X.
        samples: Samples of a pixel.
        fetch: Function from a place, rows and columns to a (Y, X) array.
        rows: Axis of the file that makes the rows: `Y`, or `Z` or `T` where a laser scanned in x alone.
        notes: Sentences on what was assumed.
    """

    names: list[str]
    scene: int
    axes: str
    sizes: dict[str, int]
    samples: int
    fetch: Callable[[Place, slice, slice], np.ndarray]
    rows: str = "Y"
    notes: tuple[str, ...] = ()


def _open_scene(reader: Any, _path: Path, name: str, form: VendorFormat, reading: Reading) -> Opened:
    names = [str(one) for one in reader.scenes]
    scene = choose_series(names, reading.series, name)
    reader.set_scene(scene)
    given = dict(zip(reader.dims.order, reader.dims.shape, strict=True))
    _check_axes(given, "TCZYXS", name, form)
    sizes = {axis: given.get(axis, 1) for axis in "TCZYX"}
    fetch = _plane_reader(reader)
    if form is DV:
        fetch = _upside_down(fetch, sizes["Y"])
    return Opened(names, scene, reader.dims.order, sizes, given.get("S", 1), fetch)


def _open_lif(reader: Any, path: Path, name: str, form: VendorFormat, reading: Reading) -> Opened:
    """Open an image, whatever its laser scanned."""
    from bioimage_suite.images.readers.lif_scans import open_scan

    names = [str(one) for one in reader.scenes]
    scene = choose_series(names, reading.series, name)
    scan = open_scan(path, scene)
    if scan is None:
        return _open_scene(reader, path, name, form, reading)
    reader.set_scene(scene)
    notes = []
    if scan.rows in {"Z", "T"}:
        what = "z-planes" if scan.rows == "Z" else "time points"
        notes.append(f"it was scanned in x without y; the rows of a plane are {what}, as Bio-Formats takes them")
    if "L" in scan.axes:
        what = "z-planes" if scan.rows == "Z" else "time points"
        notes.append(f"the wavelengths of its lambda scan are taken as {what}, as Bio-Formats does")
    return Opened(names, scene, scan.axes, scan.sizes, scan.sizes["S"], scan.fetch, scan.rows, tuple(notes))


def _open_czi(reader: Any, path: Path, name: str, form: VendorFormat, reading: Reading) -> Opened:
    """Open a scene by its pixels: the metadata may name fewer scenes than there are."""
    from bioimage_suite.images.readers.czi_scenes import open_scenes

    file = open_scenes(path)
    images, named, numbers = file.images(), [str(one) for one in reader.scenes], list(file.boxes)
    scenes = named if len(named) == len(numbers) else [f"scene {number}" for number in numbers]
    names = [
        " ".join([scenes[numbers.index(number)], *(f"{VIEW_NAMES[axis]} {at}" for axis, at in view.items())])
        for number, view in images
    ]
    chosen = choose_series(names, reading.series, name)
    number, view = images[chosen]
    if numbers.index(number) < len(named):
        reader.set_scene(numbers.index(number))
    _check_axes(file.lengths, "TCZSHIRVB", name, form)
    _, _, width, height = file.boxes[number]
    sizes = {axis: file.size(axis) for axis in "TCZ"} | {"Y": height, "X": width}
    axes = "".join(
        axis for axis in "VBRIHTCZ" if file.lengths.get(axis, 1) > 1 or (axis in file.lengths and axis in "TCZ")
    )
    fetch = file.reader(number, view)
    return Opened(
        names, numbers.index(number), axes + ("YXS" if file.samples > 1 else "YX"), sizes, file.samples, fetch
    )


def _check_mode(path: Path, name: str) -> None:
    """Refuse the pixels of a DeltaVision file that its readers take for others.

    Raises:
        UserError: Names them.
    """
    from bioimage_suite.images.readers.deltavision import READABLE_MODES, pixel_mode

    with path.open("rb") as stream:
        mode = pixel_mode(stream.read(128))
    if mode not in READABLE_MODES:
        what = {3: "complex numbers of two 16-bit integers", 5: "packed numbers of 4 bits"}.get(
            mode, "of no known type"
        )
        raise UserError(
            f"Image {name}: the pixels of the DeltaVision file are {what} (mode {mode}), which its readers take for "
            "others. Save the magnitude as 32-bit floating point, or 16-bit integers, in the maker's program."
        )


# How the formats are opened that BioIO's common way does not suit.
OPENERS = {CZI: _open_czi, LIF: _open_lif}


def _check_axes(given: dict[str, int], understood: str, name: str, form: VendorFormat) -> None:
    """Refuse a file with an axis that no image here has.

    Raises:
        UserError: Names the axes.
    """
    odd = {axis: length for axis, length in given.items() if axis not in understood and length > 1}
    if odd:
        listed = ", ".join(f"{axis} ({length})" for axis, length in odd.items())
        raise UserError(
            f"Image {name}: the {form.name} file has the axes {listed} beside T, C, Z, Y, X. "
            "Export it as OME-TIFF from the maker's program, tiles (M) stitched."
        )


def _plane_reader(reader: Any) -> Callable[[Place, slice, slice], np.ndarray]:
    """Return a function from a place (t, c, z, sample), rows and columns to a (Y, X) array."""
    known = set(reader.dims.order)

    def fetch(place: Place, rows: slice, columns: slice) -> np.ndarray:
        wanted = {**dict(zip("TCZS", place, strict=True)), "Y": rows, "X": columns}
        pixels: np.ndarray = reader.get_image_data("YX", **{axis: at for axis, at in wanted.items() if axis in known})
        return pixels

    return fetch


def _upside_down(
    fetch: Callable[[Place, slice, slice], np.ndarray], height: int
) -> Callable[[Place, slice, slice], np.ndarray]:
    """Read rows from the last to the first: a DeltaVision file has its origin in the lower left corner.

    Its reader for Python leaves them so; Bio-Formats and OMERO show the last one on top.
    """
    return lambda place, rows, columns: fetch(place, slice(height - rows.stop, height - rows.start), columns)[::-1]


def _region_reader(
    fetch: Callable[[Place, slice, slice], np.ndarray], samples: int, name: str, form: VendorFormat
) -> Callable[[int, int, int, slice, slice], np.ndarray]:
    """Return a reader that counts samples of a colour pixel as channels and raises clear errors."""
    import numpy as np

    def read(t: int, c: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        channel, sample = divmod(c, samples)
        if form is CZI and samples == 3:
            sample = 2 - sample  # CZI stores colours as blue, green, red, and its readers keep this order
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                pixels = np.ascontiguousarray(fetch((t, channel, z, sample), rows, columns))
                return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        except Exception as error:  # each reader raises the exceptions of its own library
            text = " ".join(str(error).split())[:200]
            raise UserError(
                f"Image {name}: the pixels at t={t}, c={c}, z={z} of the {form.name} file cannot be read "
                f"({type(error).__name__}: {text}). The file is damaged or cut short: upload it again."
            ) from error

    return read


def _described(
    reader: Any,
    opened: Opened,
    *,
    name: str,
    form: VendorFormat,
    read: Callable[[int, int, int, slice, slice], np.ndarray],
    dtype: np.dtype,
) -> ImageFile:
    import numpy as np

    sizes, samples = opened.sizes, opened.samples
    lengths = reader.physical_pixel_sizes
    # BioIO returns lengths in micrometres without a unit; 0 stands for unknown in some files.
    notes = list(opened.notes)
    given = {axis: (value, "µm") for axis, value in (("x", lengths.X), ("y", lengths.Y), ("z", lengths.Z)) if value}
    if form is LIF and "z" in given:
        given["z"] = (abs(given["z"][0]), "µm")  # negative where the stage went down
    if opened.rows != "Y":  # along time rows have no length
        given.pop("y", None)
        given |= {"y": given.pop("z")} if opened.rows == "Z" and "z" in given else {}
    physical_size = pixel_sizes(given, notes)
    names = _channel_names(reader)
    facts = _facts(reader)
    if form is DV:
        from bioimage_suite.images.readers import deltavision

        header = reader.metadata["header"]
        names = deltavision.channel_names(header, names)
        facts += deltavision.facts(header, names)
    names = names if len(names) == sizes["C"] else [""] * sizes["C"]
    labels = [
        f"{one} {part}".strip() for one in names for part in (("Red", "Green", "Blue") if samples == 3 else ("",))
    ]
    channels = tuple(label or None for label in labels)

    def read_colour(t: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        return np.stack([read(t, c, z, rows, columns) for c in range(samples)], axis=-1)

    return ImageFile(
        name=name, size_t=sizes["T"], size_c=sizes["C"] * samples, size_z=sizes["Z"], size_y=sizes["Y"],
        size_x=sizes["X"], dtype=dtype, physical_size=physical_size,
        channels=channels if len(channels) == sizes["C"] * samples else (None,) * (sizes["C"] * samples),
        time_increment=_time_increment(reader, notes) if opened.rows != "T" else None,
        read_region=read, notes=tuple(notes),
        read_interleaved=read_colour if samples == 3 and sizes["C"] == 1 else None,
        details={"format": form.name, "axes": opened.axes, "series": opened.names, "levels": 1,
                 "ome_xml": _ome_xml(reader, opened.scene), "facts": facts},
    )  # fmt: skip


def _channel_names(reader: Any) -> list[str]:
    try:
        return [str(one) for one in reader.channel_names or []]
    except Exception:  # of a scene that the metadata do not name
        return []


def _time_increment(reader: Any, notes: list[str]) -> PhysicalSize | None:
    try:
        interval = reader.time_interval
    except Exception:  # some readers raise on a file without times
        return None
    seconds = interval.total_seconds() if hasattr(interval, "total_seconds") else None
    return time_step(seconds, "s", notes)


def _ome_xml(reader: Any, scene: int) -> str | None:
    """Return the reader's translation to OME-XML, reduced to one scene; None if it has none."""
    try:
        document = reader.ome_metadata
        document.images = document.images[scene : scene + 1]
        for image in document.images:
            image.acquisition_date = _in_utc(image.acquisition_date)
        return str(document.to_xml()) if document.images else None
    except Exception:  # the metadata of some files give no valid document; the pixels can be read nevertheless
        return None


def _in_utc(value: Any) -> Any:
    """Return a moment in UTC: a reader gives it in the time zone of this machine. All else stays as it is."""
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def _facts(reader: Any) -> list[tuple[str, str, str, str]]:
    """Return facts from BioIO's common metadata other than sizes: object, property, value, unit."""
    try:
        known = reader.standard_metadata
    except Exception:  # see _ome_xml
        return []
    wanted = (
        ("image", "AcquisitionDate", "imaging_datetime"),
        ("image", "Experimenter", "imaged_by"),
        ("objective", "Description", "objective"),
        ("detector", "Binning", "binning"),
        ("image", "WellRow", "row"),
        ("image", "WellColumn", "column"),
    )
    found = [(subject, label, _in_utc(getattr(known, key, None))) for subject, label, key in wanted]
    facts = [(subject, label, str(value), "") for subject, label, value in found if value not in (None, "")]
    return facts + _leica_objective(reader)


def _leica_objective(reader: Any) -> list[tuple[str, str, str, str]]:
    """Return the objective of a LIF file, which BioIO's common metadata lacks without names of wells."""
    wanted = (("Model", "ObjectiveName"), ("NominalMagnification", "Magnification"),
              ("LensNA", "NumericalAperture"), ("Immersion", "Immersion"))  # fmt: skip
    for element in reader.metadata.iter() if hasattr(reader.metadata, "iter") else ():
        if str(element.tag).startswith("ATL") and element.get("ObjectiveName"):
            return [("objective", label, element.get(key), "") for label, key in wanted if element.get(key)]
    return []
