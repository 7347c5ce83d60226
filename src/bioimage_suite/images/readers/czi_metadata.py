"""What the XML text of a CZI says of its images: sizes, names, wavelengths, instrument, date, as Bio-Formats reads it.

Source of the places: ZeissCZIReader of Bio-Formats 7.3.1. A channel's wavelengths are those of its dye in the display
settings, else those of its own; its name is its own, else that of the display settings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.images.model.ome_facts import Fact

MICROMETRES_PER_METRE = 1e6
IMAGE = "Metadata/Information/Image"
INSTRUMENT = "Metadata/Information/Instrument"


@dataclass(frozen=True)
class CziMetadata:
    """What is said of all images of a file.

    Attributes:
        scenes: Name by number; scenes without one are absent.
        channels: Names; empty texts where there is none.
        lengths: Extent of a pixel with its unit by axis.
        interval: Time between two time points with its unit, None where unknown.
        facts: Date, experimenter, objective, microscope, detector and channels.
    """

    scenes: dict[int, str]
    channels: list[str]
    lengths: dict[str, tuple[float | str, str]]
    interval: tuple[float, str] | None
    facts: list[Fact]


def metadata_of(xml: str) -> CziMetadata:
    """Read the text.

    Args:
        xml: Of the root `ImageDocument`; an empty text says nothing.

    Raises:
        xml.etree.ElementTree.ParseError: It is no XML.
    """
    if not xml.strip():
        return CziMetadata({}, [], {}, None, [])
    # expat since 2.4.1 refuses entity bombs, and ElementTree loads no external entity.
    root = ET.fromstring(xml)  # noqa: S314
    channels = root.findall(f"{IMAGE}/Dimensions/Channels/Channel")
    shown = root.findall("Metadata/DisplaySetting/Channels/Channel")
    count = max(len(channels), len(shown))
    pairs = [(_at(channels, number), _at(shown, number)) for number in range(count)]
    facts = [*_facts(root), *(fact for n, (own, display) in enumerate(pairs) for fact in _channel(n, own, display))]
    names = [_attribute(own, "Name") or _attribute(display, "Name") for own, display in pairs]
    return CziMetadata(_scenes(root), names, _lengths(root), _interval(root), facts)


def _scenes(root: ET.Element) -> dict[int, str]:
    """Return the name of each scene, of a well with that of its field before it."""
    found = {}
    for scene in root.iterfind(f"{IMAGE}/Dimensions/S/Scenes/Scene"):
        number, shape = scene.get("Index", ""), scene.find("Shape")
        names = [scene.get("Name"), shape.get("Name") if shape is not None else None]
        if number.isdecimal() and any(names):
            found[int(number)] = "-".join(one for one in names if one)
    return found


def _lengths(root: ET.Element) -> dict[str, tuple[float | str, str]]:
    """Return the extents of a pixel, which the file has in metres; 0 stands for unknown."""
    found: dict[str, tuple[float | str, str]] = {}
    for one in root.iterfind("Metadata/Scaling/Items/Distance"):
        axis, text = one.get("Id", "").lower(), _text(one, "Value")
        number = _number(text)
        if axis in {"x", "y", "z"} and text and number != 0:
            found[axis] = (text, "m") if number is None else (number * MICROMETRES_PER_METRE, "µm")
    return found


def _interval(root: ET.Element) -> tuple[float, str] | None:
    step = _number(_text(root, f"{IMAGE}/Dimensions/T/Positions/Interval/Increment"))
    return (step, "s") if step else None


def _facts(root: ET.Element) -> Iterator[Fact]:
    yield from _known("image", AcquisitionDate=_date(_text(root, f"{IMAGE}/AcquisitionDateAndTime")))
    document, user = "Metadata/Information/Document", "Metadata/Information/User"
    yield from _known("image", Description=_text(root, f"{document}/Description"))
    names = (f"{user}/UserName", f"{user}/DisplayName", f"{document}/UserName")
    yield from _known("image", Experimenter=next(filter(None, (_text(root, one) for one in names)), ""))
    objective = _objective(root)
    if objective is not None:
        yield from _maker("objective", objective)
        yield from _known("objective", **{
            word: _text(objective, word) for word in ("NominalMagnification", "LensNA", "Immersion")})  # fmt: skip
    for subject, path in (("microscope", "Microscopes/Microscope"), ("detector", "Detectors/Detector")):
        found = root.find(f"{INSTRUMENT}/{path}")
        if found is not None:
            yield from _maker(subject, found)


def _objective(root: ET.Element) -> ET.Element | None:
    """Return the objective that the image refers to, else the only one."""
    every = root.findall(f"{INSTRUMENT}/Objectives/Objective")
    reference = root.find(f"{IMAGE}/ObjectiveSettings/ObjectiveRef")
    wanted = _attribute(reference, "Id")
    return next((one for one in every if wanted and one.get("Id") == wanted), every[0] if len(every) == 1 else None)


def _maker(subject: str, found: ET.Element) -> Iterator[Fact]:
    model = _text(found, "Manufacturer/Model") or found.get("Name", "")
    yield from _known(subject, Manufacturer=_text(found, "Manufacturer/Manufacturer"), Model=model)


def _channel(number: int, own: ET.Element | None, display: ET.Element | None) -> Iterator[Fact]:
    subject = f"channel {number}"
    fluor = _text(display, "DyeName") or _text(own, "Fluor")
    mode, contrast = _text(own, "AcquisitionMode"), _text(own, "ContrastMethod")
    yield from _known(subject, Fluor=fluor, AcquisitionMode=mode, ContrastMethod=contrast)
    for word, dye in (("EmissionWavelength", "DyeMaxEmission"), ("ExcitationWavelength", "DyeMaxExcitation")):
        wave = _number(_text(display, dye)) or _number(_text(own, word))
        if wave and wave > 0:
            yield (subject, word, f"{wave:g}", "nm")
    colour = re.fullmatch("#(?:[0-9A-Fa-f]{2})?([0-9A-Fa-f]{6})", _text(display, "Color") or _text(own, "Color"))
    if colour:
        value = int(colour[1], 16) << 8 | 0xFF
        yield (subject, "Color", str(value - (1 << 32) if value >= 1 << 31 else value), "")


def _known(subject: str, **said: str) -> Iterator[Fact]:
    return ((subject, word, text, "") for word, text in said.items() if text)


def _date(text: str) -> str:
    """Return a moment in UTC; one that is none as an empty text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat().replace("+00:00", "Z")


def _at(elements: list[ET.Element], number: int) -> ET.Element | None:
    return elements[number] if number < len(elements) else None


def _attribute(element: ET.Element | None, name: str) -> str:
    return (element.get(name, "") if element is not None else "").strip()


def _text(element: ET.Element | None, path: str) -> str:
    return (element.findtext(path) or "" if element is not None else "").strip()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
