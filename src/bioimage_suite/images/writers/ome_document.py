"""OME-XML (2016-06) for a file to write: the source's own document with the new layout, or a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.ome_xml import OME
from bioimage_suite.images.model.ome_facts import add_facts
from bioimage_suite.images.tiff.metadata import samples_of
from bioimage_suite.images.writers.display_settings import NAMESPACE, ChannelDisplay
from bioimage_suite.images.writers.label_maps import ome_sizes
from bioimage_suite.images.writers.ome_schema import NotOmeError, made_valid, upgraded
from bioimage_suite.images.writers.tiff_output import uuid_of

if TYPE_CHECKING:
    from bioimage_suite.images.model.image_file import ImageFile

PIXEL_TYPES = {
    "bool": "uint8", "uint8": "uint8", "uint16": "uint16", "uint32": "uint32", "int8": "int8", "int16": "int16",
    "int32": "int32", "float32": "float", "float64": "double", "complex64": "complex", "complex128": "double-complex",
}  # fmt: skip
# Elements that refer to images other than the one that is kept.
CONTAINERS = ("Project", "Dataset", "Folder", "Plate", "Screen")


def new_ome_xml(image: ImageFile) -> str:
    """Return OME-XML with the known metadata of an image whose file has none."""
    from tifffile import OmeXml

    shape = (image.size_t, image.size_c, image.size_z, image.size_y, image.size_x)
    metadata = {"Name": image.name, "Channel": {"Name": image.channel_labels()}, **ome_sizes(image)}
    document = OmeXml(UUID=uuid_of(f"{image.name} {shape}"))
    planes = image.size_t * image.size_c * image.size_z
    stored = (planes, 1, 1, image.size_y, image.size_x, 1)
    document.addimage(dtype=image.dtype, shape=shape, storedshape=stored, axes="TCZYX", **metadata)
    return str(document.tostring(declaration=True))


def ome_document(image: ImageFile, displays: tuple[ChannelDisplay, ...], *, samples: int, in_tiff: bool) -> str:
    """Return the OME-XML of the one image of a new file.

    All other metadata of the source's document are kept as far as they are valid: instrument, objective, dates,
    wavelengths, annotations. Notes on what is left out go to standard output.

    Args:
        image: The source.
        displays: Display settings of its channels.
        samples: Channels in one pixel of the new file: 3 or 4 for colour pictures, else 1.
        in_tiff: Whether the pixels are in the TIFF with this document, in the order x, y, z, c, t.

    Raises:
        UserError: The image has names that no document can hold.
    """
    root = _own_document(image)
    if root is not None:
        try:
            return _completed(root, image, displays, samples, in_tiff)
        except NotOmeError as error:
            print(f"NOTE: Image {image.name}: its OME-XML cannot be kept ({error}).", flush=True)
        except RecursionError:
            print(f"NOTE: Image {image.name}: its OME-XML cannot be kept (nested too deep).", flush=True)
    try:
        # expat since 2.4.1 refuses entity bombs, and this document is made here.
        return _completed(ET.fromstring(new_ome_xml(image)), image, displays, samples, in_tiff)  # noqa: S314
    except NotOmeError as error:
        raise UserError(
            f"Image {image.name[:80]}: the names in it fit into no OME-XML ({error}). Shorten those of its channels."
        ) from error


def _completed(
    root: ET.Element, image: ImageFile, displays: tuple[ChannelDisplay, ...], samples: int, in_tiff: bool
) -> str:
    """Put the layout of the new file into a document, and make it valid.

    Raises:
        NotOmeError: It cannot be.
    """
    shape = (image.size_t, image.size_c, image.size_z, image.size_y, image.size_x)
    root.set("UUID", f"urn:uuid:{uuid_of(f'{image.name} {shape} converted')}")
    root.attrib.pop("Creator", None)
    first = root.find(f"{{{OME}}}Image")
    assert first is not None
    first.set("Name", image.name)
    pixels = first.find(f"{{{OME}}}Pixels")
    assert pixels is not None
    _set_layout(pixels, image)
    _set_channels(pixels, image, displays, samples)
    add_facts(root, first, image.details.get("facts", ()))
    _set_pixel_data(pixels, shape[0] * shape[1] // samples * shape[2], in_tiff)
    _set_windows(root, first, displays)
    ET.register_namespace("", OME)
    return _valid(ET.tostring(root, encoding="unicode"), image.name)


def _valid(xml: str, name: str) -> str:
    """Return a document without what the schema does not allow, and print what that is.

    Raises:
        NotOmeError: It cannot be made valid.
    """
    xml, left_out = made_valid(xml)
    if left_out:
        listed = "; ".join(left_out[:10]) + ("; and more" if len(left_out) > 10 else "")
        print(
            f"NOTE: Image {name}: left out of its OME-XML because the schema does not allow it: {listed}.", flush=True
        )
    return xml


def _without_faults(xml: str, name: str) -> str:
    """Return a source's document, valid unless its layout is not: that is replaced later."""
    try:
        return _valid(xml, name)
    except NotOmeError:
        return xml


def _own_document(image: ImageFile) -> ET.Element | None:
    """Return the source's document with its first image only; None if it has none in this schema."""
    xml = image.details.get("ome_xml")
    if not xml:
        return None
    try:
        # expat since 2.4.1 refuses entity bombs, and ElementTree loads no external entity.
        root = ET.fromstring(_without_faults(upgraded(str(xml)), image.name))  # noqa: S314
    except (NotOmeError, ET.ParseError) as error:
        print(f"NOTE: Image {image.name}: its OME-XML cannot be kept ({error}).", flush=True)
        return None
    images = root.findall(f"{{{OME}}}Image")
    if not images or images[0].find(f"{{{OME}}}Pixels") is None:
        return None
    for one in [*images[1:], *(found for name in CONTAINERS for found in root.findall(f"{{{OME}}}{name}"))]:
        root.remove(one)
    return root


def _set_layout(pixels: ET.Element, image: ImageFile) -> None:
    for axis in "XYZCT":
        pixels.set(f"Size{axis}", str(getattr(image, f"size_{axis.lower()}")))
    pixels.set("DimensionOrder", "XYZCT")
    pixels.set("Type", PIXEL_TYPES.get(image.dtype.name, image.dtype.name))
    for attribute in ("BigEndian", "Interleaved", "SignificantBits"):
        pixels.attrib.pop(attribute, None)
    for name in ("PhysicalSizeX", "PhysicalSizeY", "PhysicalSizeZ", "TimeIncrement"):
        pixels.attrib.pop(name, None)
        pixels.attrib.pop(f"{name}Unit", None)
    for name, value in ome_sizes(image).items():
        pixels.set(name, str(value))


def _set_channels(pixels: ET.Element, image: ImageFile, displays: tuple[ChannelDisplay, ...], samples: int) -> None:
    """Write one element for each channel, or one for the samples of a colour picture; keep known attributes."""
    own = pixels.findall(f"{{{OME}}}Channel")
    source = [one for one in own for _ in range(samples_of(one))]
    kept = own if len(own) == len(source) == image.size_c and samples == 1 else []
    for one in own:
        pixels.remove(one)
    for number in range(image.size_c if samples == 1 else 1):
        attributes = dict(source[number].attrib) if len(source) == image.size_c else {}
        attributes |= {"ID": f"Channel:0:{number}", "SamplesPerPixel": str(samples)}
        if samples == 1:
            name, color = image.channels[number], displays[number].color
            attributes |= {"Name": name} if name else {}
            attributes |= {"Color": str(_signed(color))} if color else {}
        else:
            attributes.pop("Color", None)
            attributes.pop("Name", None)
        element = kept[number] if kept else ET.Element(f"{{{OME}}}Channel")
        element.attrib.clear()
        element.attrib.update(attributes)
        pixels.insert(number, element)


def _signed(color: str) -> int:
    """Return six hexadecimal digits as OME's signed 32-bit number with full alpha."""
    value = int(color + "FF", 16)
    return value - (1 << 32) if value >= 1 << 31 else value


def _set_pixel_data(pixels: ET.Element, planes: int, in_tiff: bool) -> None:
    for name in ("BinData", "TiffData", "MetadataOnly"):
        for one in pixels.findall(f"{{{OME}}}{name}"):
            pixels.remove(one)
    data = ET.Element(f"{{{OME}}}TiffData", IFD="0", PlaneCount=str(planes))
    pixels.insert(len(pixels.findall(f"{{{OME}}}Channel")), data if in_tiff else ET.Element(f"{{{OME}}}MetadataOnly"))


def _set_windows(root: ET.Element, image: ET.Element, displays: tuple[ChannelDisplay, ...]) -> None:
    """Write intensity windows as a map annotation: OME-XML has no element for them."""
    annotations = root.find(f"{{{OME}}}StructuredAnnotations")
    for old in root.findall(f".//{{{OME}}}MapAnnotation[@Namespace='{NAMESPACE}']"):
        assert annotations is not None
        annotations.remove(old)
        for reference in image.findall(f"{{{OME}}}AnnotationRef[@ID='{old.get('ID')}']"):
            image.remove(reference)
    windows = {n: f"{one.start:.17g} {one.end:.17g}" for n, one in enumerate(displays)
               if one.start is not None and one.end is not None}  # fmt: skip
    if not windows:
        return
    if annotations is None:
        annotations = ET.Element(f"{{{OME}}}StructuredAnnotations")
        root.insert(list(root).index(image) + 1, annotations)
    identifier = "Annotation:BioimageSuiteDisplay"
    entry = ET.SubElement(annotations, f"{{{OME}}}MapAnnotation", ID=identifier, Namespace=NAMESPACE)
    values = ET.SubElement(entry, f"{{{OME}}}Value")
    for number, text in windows.items():
        ET.SubElement(values, f"{{{OME}}}M", K=f"window {number}").text = text
    ET.SubElement(image, f"{{{OME}}}AnnotationRef", ID=identifier)
