"""What a DeltaVision file says beside its pixels and sizes: wavelengths and objective.

Layout: the package mrc, through which BioIO reads these files. The file has no channel names.
"""

from __future__ import annotations

from typing import Any

Header = dict[str, Any]


def channel_names(header: Header, read: list[str]) -> list[str]:
    """BioIO's names, `excitation/emission` in nm, where they are sure; else empty.

    The excitation stands only in the extended header, whose layout differs between programs; it is sure where the
    emission that it gives is that of the main header.

    Args:
        header: Main header.
        read: What BioIO's reader calls the channels.
    """
    waves = _waves(header, len(read))
    return [name if wave and name.endswith(f"/{wave}") else "" for name, wave in zip(read, waves, strict=True)]


def facts(header: Header, channels: list[str]) -> list[tuple[str, str, str, str]]:
    """Wavelengths and objective: object, property, value, unit.

    Args:
        header: Main header.
        channels: Names of the channels, as `channel_names` gives them.
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
    """Emission of each channel in nm; 0 where it is unknown, as of all channels after the fifth."""
    waves = [max(0, header[f"wave{number}"]) for number in range(1, 6)]
    return [*waves, *[0] * channels][:channels]
