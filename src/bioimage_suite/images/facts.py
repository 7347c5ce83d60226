"""The metadata of an image file as a list of facts: object, property, value, unit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image, open_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bioimage_suite.images.model.image_file import ImageFile
    from bioimage_suite.images.model.series import Reading

FACT_COLUMNS = ("image", "object", "property", "value", "unit")


@dataclass(frozen=True)
class Fact:
    """One property of an image file.

    Attributes:
        object: The object that has it: `image`, `pixels`, `channel 0`, `objective`, `microscope`.
        property: Name of the property in OME's terms.
        value: Value in the file, as text.
        unit: Unit of the value, empty where it has none.
    """

    object: str
    property: str
    value: str
    unit: str = ""


# Attributes of OME-XML 2016-06 beyond those of Pixels: object, element, attribute, attribute of the unit with default.
OME_FACTS = (
    ("objective", "Objective", "Manufacturer", None, ""),
    ("objective", "Objective", "Model", None, ""),
    ("objective", "Objective", "NominalMagnification", None, ""),
    ("objective", "Objective", "LensNA", None, ""),
    ("objective", "Objective", "Immersion", None, ""),
    ("microscope", "Microscope", "Manufacturer", None, ""),
    ("microscope", "Microscope", "Model", None, ""),
    ("detector", "Detector", "Manufacturer", None, ""),
    ("detector", "Detector", "Model", None, ""),
)
CHANNEL_FACTS = (
    ("Fluor", None, ""),
    ("EmissionWavelength", "EmissionWavelengthUnit", "nm"),
    ("ExcitationWavelength", "ExcitationWavelengthUnit", "nm"),
    ("ContrastMethod", None, ""),
    ("AcquisitionMode", None, ""),
    ("Color", None, ""),
)


def image_facts(image: ImageFile) -> list[Fact]:
    """Collect the metadata of the file; properties that it does not set are left out.

    Args:
        image: The opened image.
    """
    details = image.details
    facts = [Fact("image", "Format", str(details.get("format", ""))), Fact("image", "Name", image.name)]
    facts += [
        Fact("image", name, str(details[key])) for name, key in (("ResolutionLevels", "levels"),) if key in details
    ]
    facts.insert(2, Fact("image", "Series", str(len(details["series"]))))
    facts += [Fact("pixels", "Axes", str(details["axes"]))] if "axes" in details else []
    facts += [
        Fact("pixels", f"Size{axis}", str(getattr(image, f"size_{axis.lower()}")), "px" if axis in "XY" else "")
        for axis in "XYZCT"
    ]
    facts.append(Fact("pixels", "Type", image.dtype.name))
    facts += [
        Fact("pixels", f"PhysicalSize{axis.upper()}", f"{size.value:g}", size.unit)
        for axis, size in sorted(image.physical_size.items())
    ]
    if image.time_increment:
        facts.append(Fact("pixels", "TimeIncrement", f"{image.time_increment.value:g}", image.time_increment.unit))
    facts += [Fact(f"channel {i}", "Name", name) for i, name in enumerate(image.channels) if name]
    facts += list(_ome_facts(details.get("ome_xml")))
    # Add facts of the maker's own metadata that its translation to OME-XML lacks.
    said = {(fact.object, fact.property) for fact in facts}
    return facts + [Fact(*one) for one in details.get("facts", []) if one[:2] not in said]


def _ome_facts(xml: str | None) -> Iterator[Fact]:
    """Yield what OME-XML says about the acquisition, instrument and channels of the first image."""
    if not xml:
        return
    # expat since 2.4.1 refuses entity bombs, and ElementTree loads no external entity.
    root = ET.fromstring(xml)  # noqa: S314
    image = root.find("{*}Image")
    if image is None:
        return
    for element in ("AcquisitionDate", "Description"):
        found = image.find(f"{{*}}{element}")
        if found is not None and (found.text or "").strip():
            yield Fact("image", element, " ".join((found.text or "").split()))
    instrument = _referred(root, image, "InstrumentRef", "Instrument")
    for subject, element, attribute, unit, default in OME_FACTS:
        owner = instrument.find(f"{{*}}{element}") if instrument is not None else None
        if element == "Objective":
            owner = _referred(root, image, "ObjectiveSettings", "Objective")
        if owner is not None and owner.get(attribute):
            yield Fact(subject, attribute, owner.get(attribute, ""), owner.get(unit, default) if unit else "")
    for number, channel in enumerate(image.findall("{*}Pixels/{*}Channel")):
        for attribute, unit, default in CHANNEL_FACTS:
            if channel.get(attribute):
                value = channel.get(attribute, "")
                yield Fact(f"channel {number}", attribute, value, channel.get(unit, default) if unit else "")


def _referred(root: ET.Element, image: ET.Element, reference: str, element: str) -> ET.Element | None:
    """Return the element that the image refers to; without a reference, the only one of the document."""
    found = image.find(f"{{*}}{reference}")
    every = list(root.iter(f"{{{root.tag[1:].partition('}')[0]}}}{element}"))
    if found is None:
        return every[0] if len(every) == 1 else None
    return next((one for one in every if one.get("ID") == found.get("ID")), None)


def open_all(path: Path, name: str | None, reading: Reading) -> list[ImageFile]:
    """Open the image that was chosen, or every image of the file."""
    if reading.series != "":
        return [open_image(path, name, reading)]
    return open_images(path, name, reading)


def titles(images: list[ImageFile]) -> list[str]:
    """Return the column `image`: the name; of several images of a file also the index and name of each."""
    if len(images) == 1:
        return [images[0].name]
    return [f"{one.name} [{number}: {one.details['series'][number]}]" for number, one in enumerate(images)]


def fact_rows(title: str, facts: list[Fact]) -> Iterator[list[str]]:
    """Yield the rows of the table of facts, each on one line: see `FACT_COLUMNS`."""
    for fact in facts:
        yield [" ".join(text.split()) for text in (title, *asdict(fact).values())]


def nested(facts: list[Fact]) -> dict[str, dict[str, object]]:
    """Return facts by object and property, as JSON has them."""
    found: dict[str, dict[str, object]] = {}
    for fact in facts:
        entry: object = {"value": fact.value, "unit": fact.unit} if fact.unit else fact.value
        found.setdefault(fact.object, {})[fact.property] = entry
    return found


def ome_xml(images: list[ImageFile]) -> str:
    """Return the file's own OME-XML, or for other formats a new one with the same metadata.

    Raises:
        UserError: It has several images and no OME-XML of its own.
    """
    image = images[0]
    if len(images) > 1 and not image.details.get("document"):
        raise UserError(
            f"Image {image.name}: it holds {len(images)} images and no OME-XML. Choose one as `series` to have its own."
        )
    own = image.details.get("document") if len(images) > 1 else image.details.get("ome_xml")
    if own:
        return str(own)
    from bioimage_suite.images.writers.ome_document import new_ome_xml

    return new_ome_xml(image)
