"""OIB and OIF of Olympus FluoView by oiffile: one TIFF a plane in an OLE file or a folder, with settings as text.

What the settings mean: FV1000Reader of Bio-Formats; Olympus gives its description to nobody.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.arrays import ArrayImage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bioimage_suite.images.model.ome_facts import Fact
    from bioimage_suite.images.model.series import Reading

PLANE = re.compile(r"[a-z]+\d*_((?:[A-Z]\d+)+)\.tif")  # not s_C001-R001.tif, a picture of the field
Settings = dict[str, dict[str, Any]]


def read_oib(path: Path, name: str, _reading: Reading) -> ArrayImage:
    """Open a file; spectral channels count as channels.

    Raises:
        UserError: It is an OLE file of another program.
        ValueError: Planes are missing.
    """
    from oiffile import CompoundFile, OifFile

    if "OibInfo.txt" not in CompoundFile(path).files():
        raise UserError(f"Image {name}: it is an OLE file, but no OIB of Olympus. Export it as OME-TIFF.")
    return _image(OifFile(path), "OIB")


def read_oif(path: Path, name: str, _reading: Reading) -> ArrayImage:
    """Open the text of settings; the planes lie in a folder beside it, `<its name>.files`.

    Raises:
        UserError: The folder is not there, or none of its files is a plane.
        ValueError: Planes are missing.
    """
    from oiffile import OifFile

    if path.suffix.lower() != ".oif" or not path.with_name(f"{path.name}.files").is_dir():
        raise UserError(
            f"Image {name}: an OIF, whose planes are in other files. Give it with all files of the folder beside it to "
            "convert_image (files that form one image), or both as one zip file."
        )
    file = OifFile(path)
    if not any(PLANE.fullmatch(_last_part(one)) for one in file.glob()):
        raise UserError(
            f"Image {name}: an OIF, but no file given with it is one of its planes (such as s_C001Z001.tif). "
            "Give all files of its folder, under their own names."
        )
    return _image(file, "OIF")


def _last_part(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _image(file: Any, form: str) -> ArrayImage:
    settings: Settings = file.mainfile
    planes = Planes(file)
    t, c, z = planes.shape[:3]
    reference = settings.get("Reference Image Parameter", {})
    lengths: dict[str, tuple[float | str, str]] = {
        axis: (float(reference[key]), "µm")
        for axis, key in (("x", "WidthConvertValue"), ("y", "HeightConvertValue"))
        if key in reference
    }
    steps = {axis: _step(settings, axis.upper(), count) for axis, count in (("z", z), ("t", t))}
    if steps["z"]:
        lengths["z"] = (steps["z"], "µm")
    channels = [one for one in _numbered(settings, "GUI Channel {} Parameters", 1) if int(one.get("CH Activate", 0))]
    names = tuple(str(one.get("CH Name", "")) or None for one in channels)
    return ArrayImage(
        form, planes, "TCZYX", planes.dtype, channels=names if len(names) == c else (), lengths=lengths,
        interval=(steps["t"], "s") if steps["t"] else None, facts=_facts(settings, channels[:c]),
        notes=tuple(_missing(settings, {"Z": z, "T": t})),
    )  # fmt: skip


class Planes:
    """The planes of a file as one array, (T, C, Z, Y, X); the last plane that was decoded is kept.

    Attributes:
        shape: Of the array.
        dtype: Of the pixels.
    """

    def __init__(self, file: Any) -> None:
        """Find the file of each plane by its name, `s_C002Z001T010.tif`."""
        self._file = file
        self._names: dict[tuple[int, int, int], str] = {}
        found = [(match[1], one) for one in file.glob() if (match := PLANE.fullmatch(_last_part(one)))]
        places = [({letter: int(n) for letter, n in re.findall(r"([A-Z])(\d+)", code)}, one) for code, one in found]
        others = sorted({letter for place, _ in places for letter in place} - {"T", "Z"})
        most = {letter: max(place.get(letter, 1) for place, _ in places) for letter in [*others, "T", "Z"]}
        for place, one in places:
            channel = 0
            for letter in others:
                channel = channel * most[letter] + place.get(letter, 1) - 1
            self._names[place.get("T", 1) - 1, channel, place.get("Z", 1) - 1] = one
        sizes = (most["T"], math.prod(most[letter] for letter in others), most["Z"])
        if not places or len(self._names) < math.prod(sizes):
            raise ValueError(f"{len(self._names)} of its {math.prod(sizes)} planes are in it")
        self._last: tuple[str, np.ndarray] | None = None
        first = self._plane((0, 0, 0))
        self.shape = (*sizes, *first.shape)
        self.dtype = first.dtype

    def __getitem__(self, key: tuple[int | slice, ...]) -> Any:
        """Return a region of a plane: numbers of a time point, channel and z-plane, then two slices."""
        t, c, z, *region = key
        assert isinstance(t, int)
        assert isinstance(c, int)
        assert isinstance(z, int)
        return self._plane((t, c, z))[tuple(region)]

    def _plane(self, place: tuple[int, int, int]) -> np.ndarray:
        name = self._names[place]
        if self._last is None or self._last[0] != name:
            pixels = np.atleast_2d(self._file.asarray(name))
            if pixels.ndim != 2:
                raise ValueError(f"its plane {name} has the shape {pixels.shape}")
            self._last = name, pixels
        return self._last[1]


def _numbered(settings: Settings, title: str, first: int) -> list[dict[str, Any]]:
    """Return the sections `title` with the numbers from `first` on."""
    found: list[dict[str, Any]] = []
    while title.format(first + len(found)) in settings:
        found.append(settings[title.format(first + len(found))])
    return found


def _missing(settings: Settings, found: dict[str, int]) -> Iterator[str]:
    """Yield a sentence for each axis of which the settings promise more, as where an acquisition was stopped."""
    for axis in _numbered(settings, "Axis {} Parameters Common", 0):
        code, promised = str(axis.get("AxisCode")), int(axis.get("MaxSize", 0))
        if code in found and promised > found[code]:
            yield f"its settings promise {promised} places along {code}, and it has planes of {found[code]}"


def _step(settings: Settings, code: str, count: int) -> float | None:
    """Return the distance of two planes in µm, or of two time points in s; the file has them in nm and ms."""
    for axis in _numbered(settings, "Axis {} Parameters Common", 0):
        if axis.get("AxisCode") == code and count > 1:
            extent = abs(float(axis.get("EndPosition", 0)) - float(axis.get("StartPosition", 0)))
            return extent / (count - 1) / 1000 or None
    return None


def _facts(settings: Settings, channels: list[dict[str, Any]]) -> list[Fact]:
    """Return date, wavelengths and dyes."""
    common = settings.get("Acquisition Parameters Common", {})
    lasers = _numbered(settings, "Laser {} Parameters", 0)
    words = ("ImageCaptureDate", "ImageCaputreDate")  # the second is Olympus' own
    dates = [str(one[word]) for one in (common, *lasers) for word in words if word in one]
    found: list[Fact] = []
    if dates and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", dates[0].strip("'")):
        found.append(("image", "AcquisitionDate", dates[0].strip("'").replace(" ", "T"), ""))
    for number, one in enumerate(channels):
        for name in ("EmissionWavelength", "ExcitationWavelength"):
            if float(one.get(name, 0)) > 0:
                found.append((f"channel {number}", name, f"{float(one[name]):g}", "nm"))
        if one.get("DyeName"):
            found.append((f"channel {number}", "Fluor", str(one["DyeName"]), ""))
    return found
