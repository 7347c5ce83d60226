"""Metadata that makers of TIFF files store in their own tags: Aperio SVS, MetaMorph, Zeiss LSM, electron microscopes.

tifffile parses the tags; this module converts them to sizes, channel names and facts for `image_info`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tifffile

    from bioimage_suite.images.model.ome_facts import Fact


@dataclass(frozen=True)
class Dialect:
    """Metadata of a maker's TIFF.

    Attributes:
        name: Name of the format in `image_info`.
        lengths: Extent of a pixel with its unit by axis `x`, `y`, `z`; unknown ones are left out.
        interval: Seconds between two time points, None where unknown.
        channels: Names of the channels, empty for channels without one; an empty list if the file has no names.
        facts: Other metadata.
    """

    name: str
    lengths: dict[str, tuple[float, str]] = field(default_factory=dict)
    interval: float | None = None
    channels: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)


def dialect_of(tiff: tifffile.TiffFile) -> Dialect | None:
    """Recognise a maker's TIFF; return None for any other."""
    if tiff.is_svs:
        return _aperio(tiff)
    if tiff.is_lsm:
        return _zeiss(tiff.lsm_metadata or {})
    if tiff.is_stk:
        return _metamorph(tiff.stk_metadata or {})
    if tiff.is_metaseries:
        return _metaseries(tiff.metaseries_metadata or {})
    if tiff.is_fei:
        return _fei(tiff.fei_metadata or {})
    if tiff.is_sem:
        return _zeiss_sem(tiff.sem_metadata or {})
    return None


def _facts(*wanted: tuple[str, str, Any]) -> list[Fact]:
    return [(subject, word, f"{value:g}" if isinstance(value, float) else str(value), "")
            for subject, word, value in wanted if value not in (None, "")]  # fmt: skip


def _aperio(tiff: tifffile.TiffFile) -> Dialect:
    """Read an SVS description: `MPP` is micrometres per pixel, `AppMag` the magnification of the scan."""
    from tifffile.tifffile import svs_description_metadata

    said = svs_description_metadata(tiff.pages.first.description)
    size = said.get("MPP")
    # Dates have the American format and the local time of the scanner.
    date = _iso(f"{said.get('Date', '')} {said.get('Time', '')}", "%m/%d/%y %H:%M:%S")
    facts = _facts(
        ("image", "AcquisitionDate", date),
        ("objective", "NominalMagnification", said.get("AppMag")),
        ("microscope", "Manufacturer", "Aperio"),
        ("microscope", "Model", said.get("ScanScope ID")),
    )
    return Dialect("Aperio SVS", {axis: (size, "µm") for axis in "xy" if size is not None}, facts=facts)


def _metamorph(said: dict[str, Any]) -> Dialect:
    """Read a stack of MetaMorph: pixels have a calibration, planes a distance in µm if all have the same.

    Each plane has a wavelength, by which a channel is known, and a time.
    """
    unit = str(said.get("CalibrationUnits", ""))
    given = {axis: float(said.get(f"{axis.upper()}Calibration", 0)) for axis in "xy"}
    lengths = {axis: (size, unit) for axis, size in given.items() if size and unit not in ("", "pixel", "pixels")}
    distances = {float(one) for one in said.get("ZDistance", ())}
    if len(distances) == 1 and distances != {0.0}:
        lengths["z"] = (abs(distances.pop()), "µm")
    created = [datetime.fromisoformat(str(one)[:26]) for one in said.get("DatetimeCreated", ())]
    facts = _facts(("image", "AcquisitionDate", created[0].isoformat(timespec="seconds") if created else None))
    waves = list(dict.fromkeys(float(wave) for wave in said.get("Wavelengths", ())))
    # 0 and 1 stand for brightfield and unknown.
    facts += [(f"channel {n}", "EmissionWavelength", f"{wave:g}", "nm") for n, wave in enumerate(waves) if wave > 1]
    frames = created[:: max(1, len(waves))]
    steps = [(late - early).total_seconds() for early, late in pairwise(frames)]
    interval = sum(steps) / len(steps) if steps and min(steps) > 0 and distances <= {0.0} else None
    return Dialect("MetaMorph STK", lengths, interval, facts=facts)


def _metaseries(said: dict[str, Any]) -> Dialect:
    """Read `PlaneInfo`, the metadata of one plane of MetaMorph or an ImageXpress."""
    plane = said.get("PlaneInfo", {})
    unit = {"um": "µm"}.get(plane.get("spatial-calibration-units", ""), plane.get("spatial-calibration-units", ""))
    given = {axis: plane.get(f"spatial-calibration-{axis}") for axis in "xy"}
    known = plane.get("spatial-calibration-state") is not False and unit not in ("", "pixel", "pixels")
    lengths = {axis: (size, unit) for axis, size in given.items() if known and size is not None}
    name = plane.get("_IllumSetting_") or plane.get("image-name")
    date = plane.get("acquisition-time-local")
    facts = _facts(
        ("image", "AcquisitionDate", date.isoformat() if isinstance(date, datetime) else date),
        ("objective", "Model", plane.get("_MagSetting_")),
        ("objective", "LensNA", plane.get("_MagNA_")),
    )
    wavelength = plane.get("wavelength")
    # 0 and 1 stand for brightfield and unknown.
    facts += [("channel 0", "EmissionWavelength", f"{wavelength:g}", "nm")] if wavelength and wavelength > 1 else []
    return Dialect("MetaSeries TIFF", lengths, channels=[name] if name else [], facts=facts)


def _fei(said: dict[str, Any]) -> Dialect:
    """Read the settings of an electron microscope of FEI: pixels in metres."""
    scan, user = said.get("Scan", {}), said.get("User", {})
    given = {axis: scan.get(f"Pixel{side}") for axis, side in (("x", "Width"), ("y", "Height"))}
    lengths = {axis: (size * 1e6, "µm") for axis, size in given.items() if isinstance(size, int | float) and size}
    facts = _facts(
        ("image", "Experimenter", user.get("User")),
        ("microscope", "Manufacturer", "FEI"),
        ("microscope", "Model", said.get("System", {}).get("Type")),
    )
    return Dialect("FEI TIFF", lengths, facts=facts)


def _zeiss_sem(said: dict[str, Any]) -> Dialect:
    """Read the settings of an electron microscope of Zeiss: name, value and unit of each."""
    size: tuple[Any, ...] = said.get("ap_pixel_size") or said.get("ap_image_pixel_size") or ()
    known = len(size) == 3 and isinstance(size[1], int | float) and size[1]
    lengths = {axis: (float(size[1]), str(size[2])) for axis in "xy"} if known else {}
    return Dialect("Zeiss SEM TIFF", lengths, facts=_facts(("microscope", "Manufacturer", "Zeiss")))


def _zeiss(said: dict[str, Any]) -> Dialect:
    """Read LSM metadata: lengths in metres, times in seconds, the start in days since 1899-12-30."""
    lengths = {axis: (float(said[f"VoxelSize{axis.upper()}"]) * 1e6, "µm") for axis in "xyz"
               if said.get(f"VoxelSize{axis.upper()}")}  # fmt: skip
    scan = said.get("ScanInformation") or {}
    start = scan.get("Sample0time")
    date = (datetime(1899, 12, 30) + timedelta(days=start)).isoformat(timespec="seconds") if start else None
    names = list((said.get("ChannelColors") or {}).get("ColorNames", []))
    names = names or [""] * int(said.get("DimensionChannels", 0))
    facts = _facts(
        ("image", "AcquisitionDate", date),
        ("objective", "Model", scan.get("Objective")),
        ("image", "Experimenter", scan.get("User")),
        ("microscope", "Manufacturer", "Zeiss"),
    )
    return Dialect("Zeiss LSM", lengths, float(said.get("TimeIntervall") or 0) or None, names, facts)


def _iso(text: str, form: str) -> str | None:
    try:
        return datetime.strptime(text.strip(), form).isoformat()
    except ValueError:
        return None
