"""DeltaVision files by the package mrc: pixels, sizes, wavelengths and objective. Channels have no names."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.arrays import ArrayImage, planes_left

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from bioimage_suite.images.model.series import Reading

Header = dict[str, Any]
HEADER_BYTES = 1024

READABLE_MODES = {0, 1, 2, 4, 6, 7}
"""Of pixels: uint8, int16, float32, complex64, uint16, int32; not 3 (complex of two int16) and 5 (packed 4 bits)."""
OTHER_MODES = {3: "complex numbers of two 16-bit integers", 5: "packed numbers of 4 bits"}


class FromBelow:
    """Pixels whose rows are read from the last to the first: a file has its origin in the lower left corner.

    The package mrc leaves them so; Bio-Formats and OMERO show the last one on top.

    Attributes:
        shape: Length of each axis, the last two Y and X.
    """

    def __init__(self, data: np.ndarray) -> None:
        """Take the array as the file has it."""
        self._data = data
        self.shape = data.shape

    def __getitem__(self, key: tuple[int | slice, ...]) -> Any:
        """Return a region of a plane; rows and columns are slices with start and stop."""
        *place, rows, columns = key
        assert isinstance(rows, slice)
        height = self.shape[-2]
        return self._data[(*place, slice(height - rows.stop, height - rows.start), columns)][..., ::-1, :]


def read_dv(path: Path, name: str, _reading: Reading) -> ArrayImage:
    """Read a file; its pixels are mapped to memory.

    Args:
        path: The file.
        name: Name of the image in messages.
        _reading: A file holds one image.

    Raises:
        UserError: Its pixels are of a type that its readers take for another.
        ValueError: The file is shorter than its header says.
    """
    from mrc import DVFile

    _check_mode(path, name)
    file = DVFile(str(path))
    sizes: dict[str, int] = file.sizes
    header: Header = file.metadata["header"]
    names = channel_names(header, _read_names(file))
    size = file.voxel_size
    notes = planes_left(path.stat().st_size - _pixels_start(path), file.data.shape, file.data.dtype.itemsize)
    return ArrayImage(
        "DeltaVision", FromBelow(file.data), "".join(sizes), file.data.dtype,
        channels=tuple(one or None for one in names),
        lengths={axis: (float(one), "µm") for axis, one in (("x", size.x), ("y", size.y), ("z", size.z)) if one},
        facts=facts(header, names), notes=notes,
    )  # fmt: skip


def _check_mode(path: Path, name: str) -> None:
    with path.open("rb") as stream:
        mode = pixel_mode(stream.read(128))
    if mode not in READABLE_MODES:
        raise UserError(
            f"Image {name}: the pixels of the DeltaVision file are {OTHER_MODES.get(mode, 'of no known type')} (mode "
            f"{mode}), which its readers take for others. Save the magnitude as 32-bit floating point, or 16-bit "
            "integers, in the maker's program."
        )


def _read_names(file: Any) -> list[str]:
    """Return `excitation/emission` in nm from the first plane of each channel; empty texts where unknown."""
    sizes: dict[str, int] = file.sizes
    if file.ext_hdr is None:
        return [""] * sizes["C"]
    slowest_first = "".join(axis for axis in sizes if axis not in "YX")
    stride = math.prod(sizes[axis] for axis in slowest_first[slowest_first.index("C") + 1 :])
    frames = [file.ext_hdr.frame(number * stride) for number in range(sizes["C"])]
    return [f"{one.exWavelen:.0f}/{one.emWavelen:.0f}" for one in frames]


def _pixels_start(path: Path) -> int:
    """Return where the pixels begin: behind the header, and the extended one of as many bytes as it says."""
    with path.open("rb") as stream:
        start = stream.read(128)
    order = "<" if start[96:98] == b"\xa0\xc0" else ">"
    return HEADER_BYTES + int(struct.unpack_from(f"{order}i", start, 92)[0])


def pixel_mode(start: bytes) -> int:
    """Return the number of the pixels' type by the first bytes of a file."""
    order = "<" if start[96:98] == b"\xa0\xc0" else ">"
    (mode,) = struct.unpack_from(f"{order}i", start, 12)
    return int(mode)


def channel_names(header: Header, read: list[str]) -> list[str]:
    """Return the names `excitation/emission` in nm where they are reliable; else empty texts.

    The excitation is only in the extended header, whose layout differs between programs; it is reliable if the extended
    header gives the same emission as the main header.

    Args:
        header: Main header.
        read: Names of the channels by the extended header.
    """
    waves = _waves(header, len(read))
    return [name if wave and name.endswith(f"/{wave}") else "" for name, wave in zip(read, waves, strict=True)]


def facts(header: Header, channels: list[str]) -> list[tuple[str, str, str, str]]:
    """Return the wavelengths and the objective as (object, property, value, unit).

    Args:
        header: Main header.
        channels: Names of the channels from `channel_names`.
    """
    from mrc.lenses import D as LENSES

    found = []
    for number, (name, wave) in enumerate(zip(channels, _waves(header, len(channels)), strict=True)):
        found += [(f"channel {number}", "EmissionWavelength", str(wave), "nm")] if wave else []
        found += [(f"channel {number}", "ExcitationWavelength", name.partition("/")[0], "nm")] if name else []
    lens: dict[str, Any] = dict(LENSES.get(header["lens_num"], {}))
    wanted = (("Model", "name"), ("NominalMagnification", "magnification"), ("LensNA", "lensNA"),
              ("Immersion", "immersion"))  # fmt: skip
    return found + [("objective", label, str(lens[key]), "") for label, key in wanted if key in lens]


def _waves(header: Header, channels: int) -> list[int]:
    """Return the emission of each channel in nm; 0 where unknown, as for all channels after the fifth."""
    waves = [max(0, header[f"wave{number}"]) for number in range(1, 6)]
    return [*waves, *[0] * channels][:channels]
