"""Puts what a maker's metadata say of an acquisition into an OME-XML document that does not say it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bioimage_suite.core.ome_xml import OME, valid_text

if TYPE_CHECKING:
    from collections.abc import Iterable

Fact = tuple[str, str, str, str]  # object, property, value, unit: words of OME, as `image_info` lists them

OBJECTIVE = ("Manufacturer", "Model", "NominalMagnification", "LensNA", "Immersion")
MICROSCOPE = ("Manufacturer", "Model")
DETECTOR = ("Manufacturer", "Model")
CHANNEL = ("EmissionWavelength", "ExcitationWavelength", "Fluor", "Color", "AcquisitionMode", "ContrastMethod")


def add_facts(root: ET.Element, image: ET.Element, facts: Iterable[Fact]) -> None:
    """Add date, description, experimenter, instrument and what is known of channels; what the document says stays.

    Args:
        root: OME-XML of the schema 2016-06.
        image: The one image in it.
        facts: What is known; facts without a place in the schema are ignored.
    """
    known: dict[str, dict[str, tuple[str, str]]] = {}
    for subject, name, value, unit in facts:
        known.setdefault(subject, {})[name] = (valid_text(value), unit)
    of_image = known.get("image", {})
    if "AcquisitionDate" in of_image and image.find(f"{{{OME}}}AcquisitionDate") is None:
        ET.SubElement(image, f"{{{OME}}}AcquisitionDate").text = of_image["AcquisitionDate"][0].replace(" ", "T")
    if "Description" in of_image and image.find(f"{{{OME}}}Description") is None:
        ET.SubElement(image, f"{{{OME}}}Description").text = of_image["Description"][0]
    if "Experimenter" in of_image and image.find(f"{{{OME}}}ExperimenterRef") is None:
        ET.SubElement(root, f"{{{OME}}}Experimenter", ID="Experimenter:0", UserName=of_image["Experimenter"][0])
        ET.SubElement(image, f"{{{OME}}}ExperimenterRef", ID="Experimenter:0")
    objective = known.get("objective", {})
    if "Description" in objective:
        objective.setdefault("Model", objective["Description"])
    _add_instrument(root, image, objective, known.get("microscope", {}), known.get("detector", {}))
    for number, channel in enumerate(image.iterfind(f"{{{OME}}}Pixels/{{{OME}}}Channel")):
        _set_missing(channel, known.get(f"channel {number}", {}), CHANNEL)


def _add_instrument(
    root: ET.Element,
    image: ET.Element,
    objective: dict[str, tuple[str, str]],
    microscope: dict[str, tuple[str, str]],
    detector: dict[str, tuple[str, str]],
) -> None:
    if not {*objective} & {*OBJECTIVE} and not {*microscope} & {*MICROSCOPE} and not {*detector} & {*DETECTOR}:
        return
    reference = image.find(f"{{{OME}}}InstrumentRef")
    instruments = {one.get("ID"): one for one in root.findall(f"{{{OME}}}Instrument")}
    instrument = instruments.get(reference.get("ID")) if reference is not None else None
    if instrument is None:
        identifier = f"Instrument:{len(instruments)}"
        instrument = ET.SubElement(root, f"{{{OME}}}Instrument", ID=identifier)
        if reference is None:
            reference = ET.SubElement(image, f"{{{OME}}}InstrumentRef")
        reference.set("ID", identifier)
    if microscope and instrument.find(f"{{{OME}}}Microscope") is None:
        _set_missing(ET.SubElement(instrument, f"{{{OME}}}Microscope"), microscope, MICROSCOPE)
    if {*detector} & {*DETECTOR} and instrument.find(f"{{{OME}}}Detector") is None:
        _set_missing(ET.SubElement(instrument, f"{{{OME}}}Detector", ID="Detector:0"), detector, DETECTOR)
    if objective and instrument.find(f"{{{OME}}}Objective") is None:
        made = ET.SubElement(instrument, f"{{{OME}}}Objective", ID="Objective:0")
        _set_missing(made, objective, OBJECTIVE)
        for old in image.findall(f"{{{OME}}}ObjectiveSettings"):
            image.remove(old)
        ET.SubElement(image, f"{{{OME}}}ObjectiveSettings", ID="Objective:0")


def _set_missing(element: ET.Element, said: dict[str, tuple[str, str]], names: Iterable[str]) -> None:
    for name in names:
        if name in said and element.get(name) is None:
            value, unit = said[name]
            element.set(name, value)
            if unit:
                element.set(f"{name}Unit", unit)
