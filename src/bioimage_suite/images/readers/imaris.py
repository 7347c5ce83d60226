"""Imaris 5.5 (`.ims`, HDF5) by h5py: blocks are decoded as they are asked for.

Layout: https://imaris.oxinst.com/open/view/imaris5-5-file-format (Imaris5FileFormat). Attributes are arrays of letters.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.own_hdf5 import refuse_other_files
from bioimage_suite.images.readers.arrays import ArrayImage

if TYPE_CHECKING:
    from pathlib import Path

    from bioimage_suite.images.model.ome_facts import Fact
    from bioimage_suite.images.model.series import Reading

LEVEL = "DataSet/ResolutionLevel 0"


def read_imaris(path: Path, name: str, _reading: Reading) -> ArrayImage:
    """Open the full resolution of a file.

    Raises:
        UserError: It is of another program, or a part of it is in another file.
        ValueError: It is not as the format demands.
    """
    import h5py

    file = h5py.File(path, "r")
    refuse_other_files(file, f"Image {name}")
    if LEVEL not in file or "DataSetInfo/Image" not in file:
        raise UserError(
            f"Image {name}: it is an HDF5 file, but not of Imaris: it has no group DataSetInfo/Image. "
            "Save it as OME-TIFF or OME-Zarr."
        )
    pixels = Blocks(file[LEVEL])
    channels = [_words(file.get(f"DataSetInfo/Channel {n}")) for n in range(pixels.shape[1])]
    image = _words(file["DataSetInfo/Image"])
    facts: list[Fact] = []
    for number, said in enumerate(channels):
        for ours, theirs in (("Emission", "LSMEmissionWavelength"), ("Excitation", "LSMExcitationWavelength")):
            if _number(said.get(theirs, "")) > 0:
                facts.append((f"channel {number}", f"{ours}Wavelength", f"{_number(said[theirs]):g}", "nm"))
    date = _date(image.get("RecordingDate", ""))
    facts += [("image", "AcquisitionDate", date.isoformat(timespec="seconds"), "")] if date else []
    step = _time_step(_words(file.get("DataSetInfo/TimeInfo")), pixels.shape[0])
    return ArrayImage(
        "Imaris", pixels, "TCZYX", pixels.dtype, channels=tuple(said.get("Name") or None for said in channels),
        lengths=_lengths(image, pixels.shape), interval=(step, "s") if step else None, facts=facts,
        notes=pixels.notes,
    )  # fmt: skip


class Blocks:
    """The arrays of all time points and channels as one, (T, C, Z, Y, X); each is padded to whole blocks.

    Attributes:
        shape: Without what pads it.
        notes: A sentence for each axis along which more is there than the file states.
        dtype: Of the pixels.
    """

    def __init__(self, level: Any) -> None:
        """Find the arrays of a resolution level, and their true size."""
        times = sum(one.startswith("TimePoint ") for one in level)
        channels = sum(one.startswith("Channel ") for one in level["TimePoint 0"])
        first = level["TimePoint 0/Channel 0"]
        said = _words(first)
        stored = first["Data"].shape
        true = [int(_number(said.get(f"ImageSize{axis}", ""), size)) for axis, size in zip("ZYX", stored, strict=True)]
        if any(size > most for size, most in zip(true, stored, strict=True)):
            raise ValueError(f"its arrays are {stored}, smaller than the {true} that it states")
        # Arrays end with a whole block; what lies behind that is no padding.
        blocks = first["Data"].chunks or stored
        cut = [
            axis for axis, *sizes in zip("ZYX", true, stored, blocks, strict=True) if sizes[1] - sizes[0] >= sizes[2]
        ]
        self.notes = tuple(
            f"its arrays are larger along {axis} than the size that it states, which is read" for axis in cut
        )
        self.shape = (times, channels, *true)
        self.dtype = np.dtype(first["Data"].dtype)
        self._level = level

    def __getitem__(self, key: tuple[int | slice, ...]) -> Any:
        """Return a region: numbers of a time point and a channel, then numbers or slices."""
        return self._level[f"TimePoint {key[0]}/Channel {key[1]}/Data"][key[2:]]


def _words(group: Any) -> dict[str, str]:
    """Return the attributes of a group as texts."""
    found = {}
    for name, value in group.attrs.items() if group is not None else ():
        letters = np.asarray(value)
        if letters.dtype.kind in "SO":
            parts = letters.ravel().tolist()
            text = "".join(part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts)
            found[name] = text.rstrip("\0").strip()
        else:
            found[name] = str(letters.ravel()[0]) if letters.size else ""
    return found


def _number(text: str, other: float = 0.0) -> float:
    try:
        return float(text)
    except ValueError:
        return other


def _lengths(image: dict[str, str], shape: tuple[int, ...]) -> dict[str, tuple[float | str, str]]:
    """Return the extent of a pixel: that of the whole image by the number of pixels."""
    found: dict[str, tuple[float | str, str]] = {}
    for number, axis in enumerate("xyz"):
        ends = [_number(image.get(f"Ext{end}{number}", ""), np.nan) for end in ("Min", "Max")]
        size = abs(ends[1] - ends[0]) / shape[4 - number]
        if np.isfinite(size) and size > 0:
            found[axis] = (size, image.get("Unit") or "um")
    return found


def _time_step(said: dict[str, str], times: int) -> float | None:
    """Return the mean time between two time points in seconds."""
    dates = [_date(said.get(f"TimePoint{number + 1}", "")) for number in (0, times - 1)]
    if times < 2 or dates[0] is None or dates[1] is None:
        return None
    return (dates[1] - dates[0]).total_seconds() / (times - 1)


def _date(text: str) -> datetime | None:
    found = re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?", text)
    try:
        return datetime.fromisoformat(found[0]) if found else None
    except ValueError:
        return None
