"""OME-XML (schema 2016-06) that describes images: sizes, channels, instrument, key-value pairs, tags."""

import uuid
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from bioimage_suite.core.ome_xml import OME, valid_text
from bioimage_suite.omero.images.details import Channel, ImageDetails
from bioimage_suite.omero.images.instruments import Instrument, Length

_SCHEMA = f"{OME} {OME}/ome.xsd"


def ome_xml(images: Sequence[ImageDetails], source: str, *, in_tiff: bool) -> str:
    """Describe images as an OME-XML document; planes are ordered by z, then channel, then time.

    Args:
        images: The images as they are in the file; a TIFF holds one.
        source: Unique name of the images across servers; gives the document's UUID, so that the same images give the
            same document.
        in_tiff: Whether the document is part of the TIFF with the planes, rather than a file of its own.
    """
    root = Element(
        "OME",
        {
            "xmlns": OME,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": _SCHEMA,
            "UUID": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, source)}",
            "Creator": "Bioimage Suite for Galaxy",
        },
    )
    for number, image in enumerate(images):
        if image.instrument:
            _add_instrument(root, number, image.instrument)
    elements = [_add_image(root, number, image, in_tiff) for number, image in enumerate(images)]
    _add_annotations(root, list(zip(elements, images, strict=True)))
    return '<?xml version="1.0" encoding="UTF-8"?>' + tostring(root, encoding="unicode")


def _add_instrument(root: Element, number: int, instrument: Instrument) -> None:
    element = SubElement(root, "Instrument", ID=f"Instrument:{number}")
    for place, part in enumerate(instrument.parts):
        made = SubElement(element, part.kind)
        if part.kind != "Microscope":
            made.set("ID", f"{part.kind}:{number}:{place}")
        for name, value in part.attributes.items():
            if isinstance(value, Length):
                _set_length(made, name, value)
            elif value != "Unknown":  # OMERO's value, which OME's enumerations lack.
                made.set(name, valid_text(str(value)))


def _add_image(root: Element, number: int, image: ImageDetails, in_tiff: bool) -> Element:
    element = SubElement(root, "Image", ID=f"Image:{number}", Name=valid_text(image.name))
    if image.acquired:
        SubElement(element, "AcquisitionDate").text = image.acquired.strftime("%Y-%m-%dT%H:%M:%S")
    if image.description:
        SubElement(element, "Description").text = valid_text(image.description)
    if image.instrument:
        SubElement(element, "InstrumentRef", ID=f"Instrument:{number}")
        if image.instrument.objective is not None:
            SubElement(element, "ObjectiveSettings", ID=f"Objective:{number}:{image.instrument.objective}")
    _add_pixels(element, number, image, in_tiff)
    return element


def _add_pixels(parent: Element, number: int, image: ImageDetails, in_tiff: bool) -> None:
    element = SubElement(
        parent,
        "Pixels",
        ID=f"Pixels:{number}",
        DimensionOrder="XYZCT",
        Type="uint8" if image.pixel_type == "bit" else image.pixel_type,
        SizeX=str(image.size_x),
        SizeY=str(image.size_y),
        SizeZ=str(image.size_z),
        SizeC=str(image.size_c),
        SizeT=str(image.size_t),
    )
    for axis, length in (("X", image.physical_x), ("Y", image.physical_y), ("Z", image.physical_z)):
        _set_length(element, f"PhysicalSize{axis}", length)
    _set_length(element, "TimeIncrement", image.time_step)
    for place, channel in enumerate(image.channels):
        _add_channel(element, f"Channel:{number}:{place}", channel)
    if in_tiff:
        SubElement(element, "TiffData", IFD="0", PlaneCount=str(image.size_z * image.size_c * image.size_t))
    else:
        SubElement(element, "MetadataOnly")


def _add_channel(parent: Element, identifier: str, channel: Channel) -> None:
    element = SubElement(parent, "Channel", ID=identifier, SamplesPerPixel="1")
    values: dict[str, Any] = {"Name": channel.name, "Color": channel.color, "Fluor": channel.fluor}
    for name, value in values.items():
        if value is not None:
            element.set(name, valid_text(str(value)))
    _set_length(element, "EmissionWavelength", channel.emission)
    _set_length(element, "ExcitationWavelength", channel.excitation)


def _add_annotations(root: Element, images: Sequence[tuple[Element, ImageDetails]]) -> None:
    if not any(image.key_values or image.tags for _, image in images):
        return
    parent = SubElement(root, "StructuredAnnotations")
    count = 0
    for image_element, image in images:
        made = []
        for tag in image.tags:
            made.append(SubElement(parent, "TagAnnotation"))
            SubElement(made[-1], "Value").text = valid_text(tag)
        for key_values in image.key_values:
            made.append(SubElement(parent, "MapAnnotation"))
            if key_values.namespace:
                made[-1].set("Namespace", valid_text(key_values.namespace))
            value = SubElement(made[-1], "Value")
            for key, text in key_values.pairs:
                SubElement(value, "M", K=valid_text(key)).text = valid_text(text)
        for element in made:
            element.set("ID", f"Annotation:{count}")
            # OME-XML requires the references of an image after its pixels.
            SubElement(image_element, "AnnotationRef", ID=f"Annotation:{count}")
            count += 1


def _set_length(element: Element, name: str, length: Length | None) -> None:
    if length is not None:
        element.set(name, repr(float(length.value)))
        element.set(f"{name}Unit", length.symbol)
