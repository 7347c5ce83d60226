"""Conversion of OMERO objects to OME-XML and back: containers, images, annotations, ROIs with all shapes.

OME-XML (2016-06) has an element for each of them; attributes have the names of OMERO's fields, except those in
`RENAMED`. ROIs come last in the document, so that it is written and read one page of ROIs at a time.
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.ome_xml import OME, valid_text
from bioimage_suite.omero.annotations.annotations import ANNOTATION_VALUES
from bioimage_suite.omero.rois.shapes import TRANSFORM

RENAMED = {"textValue": "Text", "defaultSample": "FieldIndex", "posX": "PositionX", "posY": "PositionY"}
FIELDS: dict[str, tuple[str, ...]] = {
    "Project": ("name",),
    "Dataset": ("name",),
    "Screen": (
        *("name", "type", "protocolIdentifier", "protocolDescription", "reagentSetIdentifier"),
        "reagentSetDescription",
    ),
    "Plate": (
        *("name", "status", "externalIdentifier", "columnNamingConvention", "rowNamingConvention", "wellOriginX"),
        *("wellOriginY", "rows", "columns", "defaultSample"),
    ),
    "PlateAcquisition": ("name", "startTime", "endTime", "maximumFieldCount"),
    "Well": ("row", "column", "externalDescription", "externalIdentifier", "type"),
    "WellSample": ("posX", "posY", "timepoint"),
    "Image": ("name",),
    "Roi": ("name",),
    "Rectangle": ("x", "y", "width", "height"),
    "Mask": ("x", "y", "width", "height"),
    "Ellipse": ("x", "y", "radiusX", "radiusY"),
    "Point": ("x", "y"),
    "Label": ("x", "y"),
    "Line": ("x1", "y1", "x2", "y2", "markerStart", "markerEnd"),
    "Polyline": ("points", "markerStart", "markerEnd"),
    "Polygon": ("points",),
}
"""The transferred fields of each class, besides description, links and, for shapes, `SHAPE_FIELDS`."""
SHAPES = ("Rectangle", "Mask", "Ellipse", "Point", "Label", "Line", "Polyline", "Polygon")
SHAPE_FIELDS = (
    *("textValue", "theZ", "theT", "theC", "locked", "fillColor", "fillRule", "strokeColor", "strokeWidth"),
    *("strokeDashArray", "fontFamily", "fontSize", "fontStyle"),
)
BLOCK = 1 << 20  # Bytes per read.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def object_element(thing: Any, kind: str, *, number: int | None = None) -> Element:
    """Convert an OMERO object to an element with ID, the fields of `FIELDS` and the description.

    Args:
        thing: The object, loaded.
        kind: Its class, a key of `FIELDS`.
        number: Id to write; by default that of the object.
    """
    label = "ROI" if kind == "Roi" else "Shape" if kind in SHAPES else kind
    element = Element("ROI" if kind == "Roi" else kind, ID=f"{label}:{thing.id.val if number is None else number}")
    for field in (*FIELDS[kind], *(SHAPE_FIELDS if kind in SHAPES else ())):
        _write_field(element, RENAMED.get(field, field[0].upper() + field[1:]), getattr(thing, field))
    add_description(element, thing)
    return element


def add_description(element: Element, thing: Any) -> None:
    """Add the description, if OMERO has one."""
    text = getattr(thing, "description", None)
    if text is not None and text.val:
        SubElement(element, "Description").text = text.val


def fill_object(thing: Any, element: Element, kind: str) -> Any:
    """Set the fields and description of a new OMERO object from its element; return the object.

    Raises:
        UserError: A value is not of its field's type.
    """
    from omero.rtypes import rstring

    for field in (*FIELDS[kind], *(SHAPE_FIELDS if kind in SHAPES else ())):
        read_field(thing, field, element, RENAMED.get(field, field[0].upper() + field[1:]))
    description = element.findtext("Description")
    if description:
        thing.description = rstring(description)
    return thing


def annotation_element(annotation: Any, number: int | None = None) -> Element:
    """Convert an annotation to an element with its value; a FileAnnotation's element has no file yet.

    Raises:
        UserError: OME-XML has no element for this kind of annotation.
    """
    kind = type(annotation).__name__.removesuffix("I")
    if kind not in ANNOTATION_VALUES and kind not in ("MapAnnotation", "FileAnnotation", "ListAnnotation"):
        raise UserError(f"annotation {annotation.id.val}: {kind} cannot travel. Remove it from the object first.")
    name = "XMLAnnotation" if kind == "XmlAnnotation" else kind
    element = Element(name, ID=f"Annotation:{annotation.id.val if number is None else number}")
    if annotation.ns is not None and annotation.ns.val:
        element.set("Namespace", annotation.ns.val)
    add_description(element, annotation)
    if kind == "MapAnnotation":
        value = SubElement(element, "Value")
        for pair in annotation.getMapValue() or ():
            SubElement(value, "M", K=pair.name or "").text = pair.value or ""
    elif kind in ANNOTATION_VALUES:
        value = SubElement(element, "Value")
        if kind == "XmlAnnotation":  # As text: parsing and writing it again would change characters.
            value = SubElement(value, "text", xmlns="")
        value.text = _text_of(getattr(annotation, ANNOTATION_VALUES[kind]))
    return element


def read_annotation(element: Element) -> Any:
    """Convert an element to a new annotation of omero.model; a FileAnnotation has no file yet.

    Raises:
        UserError: The element is not an annotation, or a value has the wrong type.
    """
    import omero.model
    from omero.rtypes import rstring

    kind = "XmlAnnotation" if element.tag == "XMLAnnotation" else element.tag
    if kind not in ANNOTATION_VALUES and kind not in ("MapAnnotation", "FileAnnotation", "ListAnnotation"):
        raise UserError(f"OME-XML: {element.tag} is not an annotation that this tool knows. Pack the crate again.")
    made = getattr(omero.model, f"{kind}I")()
    if element.get("Namespace"):
        made.ns = rstring(element.get("Namespace"))
    if element.findtext("Description"):
        made.description = rstring(element.findtext("Description"))
    if kind == "MapAnnotation":
        made.mapValue = [omero.model.NamedValue(m.get("K", ""), m.text or "") for m in element.iterfind("Value/M")]
    elif kind in ANNOTATION_VALUES:
        field = ANNOTATION_VALUES[kind]
        value = element.find("Value/text" if kind == "XmlAnnotation" else "Value")
        text = "" if value is None else value.text or ""
        setattr(made, field, typed_value(made, field, text, element))
    return made


def annotation_content(element: Element) -> str:
    """Return the content that makes two annotations equal: kind, namespace, description and value, without the id."""
    bare = Element(element.tag, {name: value for name, value in element.attrib.items() if name == "Namespace"})
    bare.extend(child for child in element if child.tag != "AnnotationRef")
    for file in bare.iter("External"):
        file.attrib.pop("href", None)
    return ElementTree.canonicalize(ElementTree.tostring(bare, encoding="unicode"))


def roi_element(roi: Any, refs: Sequence[int], shape_refs: dict[int, list[int]]) -> Element:
    """Convert a ROI to an element with its shapes, ordered by id.

    Args:
        roi: The ROI, loaded with shapes and their transforms.
        refs: Ids of its annotations.
        shape_refs: Ids of the annotations of its shapes, by shape id.

    Raises:
        UserError: OME-XML has no element for a shape.
    """
    element = object_element(roi, "Roi")
    union = Element("Union")
    for shape in sorted((one for one in roi.copyShapes() if one is not None), key=lambda one: one.id.val):
        kind = type(shape).__name__.removesuffix("I")
        if kind not in SHAPES:
            raise UserError(f"ROI {roi.id.val}: its shape {shape.id.val} is a {kind}, which cannot travel. Redraw it.")
        drawn = object_element(shape, kind)
        for place in ("TheZ", "TheT", "TheC"):  # Some clients write "all planes" as -1; OME-XML omits the attribute.
            if int(drawn.get(place, 0)) < 0:
                drawn.attrib.pop(place)
        if shape.transform is not None:
            values = {name.upper(): _text_of(getattr(shape.transform, name)) for name in TRANSFORM}
            SubElement(drawn, "Transform", values)
        add_refs(drawn, "AnnotationRef", "Annotation", shape_refs.get(shape.id.val, ()))
        if kind == "Mask":
            # Depending on its version, Ice returns bytes as signed numbers or as bytes.
            bits = base64.b64encode(bytes(byte & 255 for byte in shape.bytes or ())).decode()
            SubElement(drawn, "BinData", BigEndian="false", Length=str(len(bits))).text = bits
        union.append(drawn)
    element.insert(0, union)
    description = element.find("Description")
    if description is not None:  # OME-XML requires it to be last.
        element.remove(description)
    add_refs(element, "AnnotationRef", "Annotation", refs)
    if description is not None:
        element.append(description)
    return element


def read_roi(element: Element) -> Any:
    """Convert an element to a new ROI of omero.model with its shapes, not yet linked to image and annotations.

    Raises:
        UserError: This tool does not know a shape, or a value has the wrong type.
    """
    import omero.model

    roi = fill_object(omero.model.RoiI(), element, "Roi")
    for drawn in element.iterfind("Union/*"):
        if drawn.tag not in SHAPES:
            raise UserError(f"OME-XML, {element.get('ID')}: {drawn.tag} is not a shape that this tool knows.")
        shape = fill_object(getattr(omero.model, f"{drawn.tag}I")(), drawn, drawn.tag)
        transform = drawn.find("Transform")
        if transform is not None:
            shape.transform = omero.model.AffineTransformI()
            for name in TRANSFORM:
                read_field(shape.transform, name, transform, name.upper())
        if drawn.tag == "Mask":
            shape.bytes = base64.b64decode(drawn.findtext("BinData") or "")
        roi.addShape(shape)
    return roi


def add_refs(element: Element, tag: str, kind: str, ids: Iterable[int]) -> None:
    """Add references such as `<ImageRef ID="Image:12"/>`."""
    for number in ids:
        SubElement(element, tag, ID=f"{kind}:{number}")


def refs_of(element: Element, tag: str) -> list[str]:
    """Return the IDs in the references of an element, in order."""
    return [str(one.get("ID")) for one in element.iterfind(tag)]


def element_bytes(element: Element) -> bytes:
    """Serialise an element to UTF-8 that an XML parser reads back exactly, except characters that XML cannot hold."""
    text = ElementTree.tostring(element, encoding="unicode", short_empty_elements=True)
    # A parser turns a carriage return that is not escaped into a line feed.
    return valid_text(text).replace("\r", "&#13;").encode()


@contextmanager
def new_document(path: Path, head: Sequence[Element]) -> Iterator[Callable[[bytes], object]]:
    """Write an OME-XML document.

    Args:
        path: File to make.
        head: All elements except the ROIs.

    Yields:
        A function that writes a ROI as `element_bytes` returns it.
    """
    with path.open("wb") as file:
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<OME xmlns="{OME}">\n'.encode())
        for element in head:
            file.write(element_bytes(element) + b"\n")
        yield lambda roi: file.write(roi + b"\n")
        file.write(b"</OME>\n")


def read_head(path: Path) -> Element:
    """Read everything of a document except the ROIs; tags lose their namespace.

    Raises:
        UserError: Not XML, not OME-XML, or a document type declaration (which could exhaust memory).
    """
    for tag, root in _parsed(path):
        if tag == "OME":
            return root
    raise UserError(f"{path.name}: it holds no OME element. Pack the crate again.")


def read_rois(path: Path) -> Iterator[Element]:
    """Yield the ROIs of a document; memory holds one at a time."""
    for tag, element in _parsed(path):
        if tag == "ROI":
            yield element


def _parsed(path: Path) -> Iterator[tuple[str, Element]]:
    """Yield (tag, element) of each ROI, which is then removed, and finally of the document without ROIs."""
    parser: Any = ElementTree.XMLPullParser(("start", "end"))
    root: Element | None = None
    depth, last = 0, b""
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                if any(word in last[-len(word) :] + block for word in (b"<!DOCTYPE", b"<!ENTITY")):
                    raise UserError(f"{path.name}: a document type is not allowed in it. Pack the crate again.")
                last = block
                parser.feed(block)
                for event, element in parser.read_events():
                    depth += 1 if event == "start" else -1
                    root = element if root is None else root
                    if event == "end":
                        element.tag = element.tag.rpartition("}")[2]
                    if event == "end" and depth == 1 and element.tag == "ROI" and root is not None:
                        yield "ROI", element
                        root.remove(element)
        parser.close()
    except ElementTree.ParseError as error:
        raise UserError(f"{path.name}: not XML ({error}). Pack the crate again.") from None
    if root is not None:
        yield root.tag, root


def _write_field(element: Element, name: str, value: Any) -> None:
    if value is None:
        return
    if hasattr(value, "getSymbol"):  # a quantity
        element.set(name, _text_of(value.getValue()))
        element.set(f"{name}Unit", value.getSymbol())
        return
    text = _text_of(value)
    if text:
        element.set(name, text)


def _text_of(value: Any) -> str:
    """Format an OMERO value, wrapped or plain, as XML text; numbers keep every digit."""
    from omero.rtypes import RTimeI, unwrap

    if isinstance(value, RTimeI):
        moment = _EPOCH + timedelta(milliseconds=value.val)
        return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
    plain = unwrap(value)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, float):
        return repr(plain).removesuffix(".0").replace("inf", "INF").replace("nan", "NaN")
    return "" if plain is None else str(plain)


def read_field(thing: Any, field: str, element: Element, name: str) -> None:
    """Set a field of an OMERO object from an attribute, if the element has it."""
    text = element.get(name)
    if text is not None:
        setattr(thing, field, typed_value(thing, field, text, element, element.get(f"{name}Unit")))


def typed_value(thing: Any, field: str, text: str, element: Element, unit: str | None = None) -> Any:
    """Convert text to the type of an OMERO object's field.

    Raises:
        UserError: The text is not a value of the field's type.
    """
    from omero.model import LengthI
    from omero.model.enums import UnitsLength
    from omero.rtypes import rbool, rdouble, rint, rlong, rtime

    wrapper = getattr(thing._field_info, field).wrapper
    try:
        if unit is not None:
            name = next(name for name, symbol in LengthI.SYMBOLS.items() if symbol == unit)
            return LengthI(float(text), getattr(UnitsLength, name))
        if wrapper is rtime:
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return rtime((moment - _EPOCH) // timedelta(milliseconds=1))
        if wrapper is rbool:
            return rbool({"true": True, "1": True, "false": False, "0": False}[text])
        if wrapper in (rint, rlong):
            return wrapper(int(text))
        return rdouble(float(text)) if wrapper is rdouble else wrapper(text)
    except (ValueError, KeyError, StopIteration, OverflowError):
        raise UserError(
            f"OME-XML, {element.get('ID') or element.tag}: {text!r} is no value of {field}. Pack the crate again."
        ) from None
