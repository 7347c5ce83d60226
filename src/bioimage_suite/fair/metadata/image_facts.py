"""Facts of one image from its OME-XML."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import name_in_identifier, parse_image_identifier, without_suffix
from bioimage_suite.fair.metadata.zarr_facts import zarr_ome_xml, zarr_values

LIGHT_SOURCES = {"Laser", "Arc", "Filament", "LightEmittingDiode", "GenericExcitationSource"}
# More than a hundred distinct values are no use to a reader; the number of filled places is still exact.
_KEPT_VALUES = 100
# Placeholder values without information.
_EMPTY_WORDS = {
    "",
    "other",
    "unknown",
    "n/a",
    "na",
    "nan",
    "none",
    "null",
    "-",
    "?",
    "unspecified",
    "not specified",
    "tbd",
}
# A size, wavelength or aperture of 0 was not measured (OME writers put 0 for an unknown value).
_NOT_ZERO = re.compile(r"Size[XYZCT]|Wavelength|LensNA|Magnification|ExposureTime|TimeIncrement|WorkingDistance")


@dataclass(frozen=True)
class Occurrences:
    """Values of a field at all its places in an image; `Channel.Name`, for instance, has one place per channel.

    Attributes:
        places: Number of places.
        filled: Number of places with a meaningful value.
        values: First distinct meaningful values.
    """

    places: int
    filled: int
    values: tuple[str, ...]


@dataclass(frozen=True)
class ImageFacts:
    """Facts of one image.

    Attributes:
        name: Display name: the dataset's name in Galaxy, or OMERO's name.
        image_id: OMERO's id, or empty.
        size_bytes: Size of its file, 0 when there is no file.
        fields: `Element.Field` (OME's names) to its occurrences.
        key_values: (key, value) of the image's map annotations, in order.
        aliases: Other names of the image.
    """

    name: str
    image_id: str = ""
    size_bytes: int = 0
    fields: Mapping[str, Occurrences] = field(default_factory=dict)
    key_values: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()

    def first(self, name: str) -> str:
        """Return the first value of `Element.Field`, or empty text."""
        found = self.fields.get(name)
        return found.values[0] if found and found.values else ""

    def names(self) -> tuple[str, ...]:
        """Return all names of this image, most reliable first: its own, that without suffix, and OMERO's."""
        found = [self.name, *self.aliases, without_suffix(self.name)]
        found += [name_in_identifier(name) for name in (self.name, without_suffix(self.name))]
        return tuple(dict.fromkeys(name for name in found if name))


def is_packed_zarr(path: Path) -> bool:
    """Return whether a file begins like a zip; the only images that are zips are packed OME-Zarr."""
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


def meaningful(name: str, value: str) -> bool:
    """Return whether a value is informative: not empty, not `Other` or `Unknown`, and not an impossible 0."""
    text = value.strip()
    if text.casefold() in _EMPTY_WORDS:
        return False
    if _NOT_ZERO.search(name) and not name.endswith("Unit"):
        try:
            return float(text) > 0
        except ValueError:
            return False
    return True


def read_images(files: Iterable[tuple[Path, str]]) -> Iterator[ImageFacts]:
    """Read the facts of each OME-TIFF (one page's description) or packed OME-Zarr (its JSON), never the pixels.

    A TIFF without OME-XML yields its sizes only.

    Raises:
        UserError: A file is neither a TIFF nor an OME-Zarr, or its metadata cannot be read.
    """
    import tifffile

    for path, name in files:
        if is_packed_zarr(path):
            yield _zarr_facts(path, name)
            continue
        try:
            with tifffile.TiffFile(path) as tiff:
                page = tiff.pages.first
                description = page.description if "<OME" in page.description[:2000] else ""
                plain = {"Pixels.SizeX": str(page.imagewidth), "Pixels.SizeY": str(page.imagelength)}
        # tifffile raises errors of many kinds on broken files: its own, struct's, type and arithmetic errors
        except Exception as error:
            raise UserError(
                f"image {name}: not a readable TIFF ({error}). Convert it to OME-TIFF or OME-Zarr first."
            ) from error
        size = path.stat().st_size
        if description:
            yield facts_of_ome_xml(description, name, size)
        else:
            yield ImageFacts(
                name, omero_id(name), size, {key: Occurrences(1, 1, (text,)) for key, text in plain.items()}
            )


def _zarr_facts(path: Path, name: str) -> ImageFacts:
    """Read the facts of an OME-Zarr, and of its OME-XML: instrument, dates, wavelengths, key-value pairs."""
    fields = {key: occurrences(key, found) for key, found in zarr_values(path, name).items()}
    xml = zarr_ome_xml(path, name)
    facts = facts_of_ome_xml(xml, name) if xml else ImageFacts(name, omero_id(name))
    return replace(facts, size_bytes=path.stat().st_size, fields={**facts.fields, **fields})


def facts_of_ome_xml(xml: str, name: str, size_bytes: int = 0) -> ImageFacts:
    """Collect the facts of the first image of an OME-XML document.

    Args:
        xml: OME-XML (2016-06 or older; namespaces are ignored).
        name: Display name of the image.
        size_bytes: Size of the image's file.

    Raises:
        UserError: The text is not XML, or has a DOCTYPE (needed to declare entities, as in an entity bomb).
    """
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise UserError(
            f"image {name}: its OME-XML declares a DOCTYPE, which OME-XML never does. Write the file again."
        )
    try:
        root = ElementTree.fromstring(xml)  # noqa: S314  (entities, the danger that S314 means, are refused above)
    except ElementTree.ParseError as error:
        raise UserError(f"image {name}: its OME-XML is broken ({error}). Write the file again.") from error
    image = next((node for node in root if _tag(node) == "Image"), None)
    collected: dict[str, list[str]] = {}
    if image is not None:
        for node in image.iter():
            _collect(node, _element_name(_tag(node)), collected)
        _collect_instrument(root, image, collected)
    date = "" if image is None else next((node.text or "" for node in image if _tag(node) == "AcquisitionDate"), "")
    collected["Image.AcquisitionDate"] = [date]
    # An element without the attribute counts as a place without a value.
    fields = {
        key: occurrences(key, values, len(collected.get(key.partition(".")[0] + ".", ())))
        for key, values in collected.items()
    }
    return ImageFacts(name, omero_id(name), size_bytes, fields, tuple(_map_annotations(root)))


def _tag(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _element_name(tag: str) -> str:
    return "LightSource" if tag in LIGHT_SOURCES else tag


def _collect(node: ElementTree.Element, element: str, collected: dict[str, list[str]]) -> None:
    for attribute, value in node.attrib.items():
        collected.setdefault(f"{element}.{attribute.rpartition('}')[2]}", []).append(value)
    collected.setdefault(f"{element}.", []).append(node.get("ID", "1"))


def _collect_instrument(root: ElementTree.Element, image: ElementTree.Element, collected: dict[str, list[str]]) -> None:
    """Collect the instrument that the image refers to, or the only one, and the objective in use."""
    instruments = {node.get("ID"): node for node in root if _tag(node) == "Instrument"}
    used = {node.get("ID") for node in image.iter() if node.get("ID")}
    chosen = [node for identifier, node in instruments.items() if identifier in used] or list(instruments.values())[:1]
    for instrument in chosen:
        parts = [node for node in instrument.iter() if node is not instrument]
        for part in parts:
            element = _element_name(_tag(part))
            same = [other for other in parts if _element_name(_tag(other)) == element]
            referred = [other for other in same if other.get("ID") in used]
            if part in (referred or same):
                _collect(part, element, collected)
        for element in ("Microscope", "Detector", "LightSource"):
            texts = [_model(part) for part in parts if _element_name(_tag(part)) == element]
            collected[f"Instrument.{element}"] = texts or [""]


def _model(part: ElementTree.Element) -> str:
    return " ".join(text for text in (part.get("Manufacturer"), part.get("Model")) if text)


def occurrences(name: str, values: list[str], places: int = 0) -> Occurrences:
    """Count the meaningful values; `places` is the number of places if it is larger than that of the values."""
    filled = [value.strip() for value in values if meaningful(name, value)]
    return Occurrences(max(places, len(values)), len(filled), tuple(dict.fromkeys(filled))[:_KEPT_VALUES])


def _map_annotations(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for annotation in root.iter():
        if _tag(annotation) == "MapAnnotation":
            for pair in annotation.iter():
                if _tag(pair) == "M" and pair.get("K"):
                    yield str(pair.get("K")), (pair.text or "").strip()


def omero_id(name: str) -> str:
    """Return the id in a name given by the export from OMERO, such as `Image_12_cells.tif`; else empty text."""
    number = parse_image_identifier(name)
    return "" if number is None else str(number)
