"""DeltaVision files by the package mrc: pixels, sizes, wavelengths and objective. Channels have no names."""

from __future__ import annotations

import math
import struct
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

Header = dict[str, Any]


READABLE_MODES = {0, 1, 2, 4, 6, 7}
"""Of pixels: uint8, int16, float32, complex64, uint16, int32; not 3 (complex of two int16) and 5 (packed 4 bits)."""


class DeltaVisionFile:
    """An open file, as the readers of other formats show theirs: one scene, axes, pixels of a plane, metadata.

    Attributes:
        scenes: The one image.
        dims: `order`, the axes as letters, and `shape`, their lengths.
        metadata: `header`, the main header by the names of mrc.
    """

    scenes = ("Image:0",)

    def __init__(self, path: Path) -> None:
        """Open a file; its pixels are mapped to memory, not read.

        Raises:
            ValueError: The file is shorter than its header says.
        """
        from mrc import DVFile

        self._file = DVFile(str(path))
        self._sizes: dict[str, int] = self._file.sizes
        self.dims = SimpleNamespace(order="".join(self._sizes), shape=tuple(self._sizes.values()))
        self.metadata: dict[str, Header] = self._file.metadata

    def set_scene(self, _scene: int) -> None:
        """Do nothing: there is one scene."""

    def get_image_data(self, _order: str, **at: int | slice) -> np.ndarray:
        """Return a region of a plane, (Y, X); `at` has a place on T, C and Z and slices of Y and X."""
        pixels: np.ndarray = self._file.data[tuple(at[axis] for axis in self._sizes)]
        return pixels

    @property
    def physical_pixel_sizes(self) -> SimpleNamespace:
        """Return X, Y and Z in micrometres; 0 where unknown."""
        size = self._file.voxel_size
        return SimpleNamespace(X=size.x, Y=size.y, Z=size.z)

    @property
    def channel_names(self) -> list[str]:
        """Return `excitation/emission` in nm from the first plane of each channel; empty texts where unknown."""
        if self._file.ext_hdr is None:
            return [""] * self._sizes["C"]
        slowest_first = "".join(axis for axis in self._sizes if axis not in "YX")
        stride = math.prod(self._sizes[axis] for axis in slowest_first[slowest_first.index("C") + 1 :])
        frames = [self._file.ext_hdr.frame(number * stride) for number in range(self._sizes["C"])]
        return [f"{one.exWavelen:.0f}/{one.emWavelen:.0f}" for one in frames]


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
