"""Metadata of DeltaVision files beside pixels and sizes: wavelengths and objective.

The layout of the header is that of the package mrc, with which BioIO reads these files. Channels have no names.
"""

from __future__ import annotations

import struct
from typing import Any

Header = dict[str, Any]


READABLE_MODES = {0, 1, 2, 4, 6, 7}
"""Of pixels: uint8, int16, float32, complex64, uint16, int32; not 3 (complex of two int16) and 5 (packed 4 bits)."""


def pixel_mode(start: bytes) -> int:
    """Return the number of the pixels' type by the first bytes of a file."""
    order = "<" if start[96:98] == b"\xa0\xc0" else ">"
    (mode,) = struct.unpack_from(f"{order}i", start, 12)
    return int(mode)


def channel_names(header: Header, read: list[str]) -> list[str]:
    """Return BioIO's names, `excitation/emission` in nm, where they are reliable; else empty texts.

    The excitation is only in the extended header, whose layout differs between programs; it is reliable if the extended
    header gives the same emission as the main header.

    Args:
        header: Main header.
        read: Names of the channels from BioIO's reader.
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
