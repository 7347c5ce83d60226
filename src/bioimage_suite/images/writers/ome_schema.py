"""Makes an OME-XML document one of the current schema (2016-06): older ones are upgraded, what is invalid goes.

Bio-Formats opens an OME-TIFF whose document is invalid as a plain TIFF, without any dimension: one wrong value of
some vendor's would cost everything else. The schema and the upgrades are those that ome-types brings.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.core.ome_xml import OME
from bioimage_suite.core.units import LENGTH, TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

# Without these there is no document left.
INDISPENSABLE = ("OME", "Image", "Pixels", "TiffData", "MetadataOnly")
MAX_PASSES = 100  # the schema names only the first of several misplaced children at a time


class NotOmeError(ValueError):
    """A document that cannot be made valid."""


def upgraded(xml: str) -> str:
    """Return a document in the current schema.

    Args:
        xml: OME-XML of this or an older schema.

    Raises:
        NotOmeError: It is no OME-XML, of an unknown schema, or no XML at all.
    """
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise NotOmeError("it declares a document type, which OME-XML never does")
    if f'"{OME}"' in xml.partition("<Image")[0]:
        return xml
    from ome_types._conversion import ensure_2016

    try:
        tree: etree._ElementTree = ensure_2016(xml.encode(), as_tree=True)
        return _text(tree.getroot())
    except Exception as error:  # lxml and ome-types raise errors of many kinds
        raise NotOmeError(" ".join(str(error).split())[:200]) from error


def made_valid(xml: str) -> tuple[str, list[str]]:
    """Return a document without what the schema does not allow.

    Args:
        xml: OME-XML of the current schema.

    Returns:
        The valid document, and what was changed or left out, each once.

    Raises:
        NotOmeError: It is no XML, or something that cannot be left out is invalid.
    """
    from lxml import etree

    try:
        root = etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.LxmlError as error:
        raise NotOmeError(" ".join(str(error).split())[:200]) from error
    _translate_units(root)
    said = list(_drop_foreign(root))
    _sort_children(root)
    schema = _schema()
    for _ in range(MAX_PASSES):
        if schema.validate(root):
            return _text(root), list(dict.fromkeys(said))
        prefixes = {prefix: uri for one in root.iter() for prefix, uri in one.nsmap.items() if prefix}
        places = [(_place(root, error, prefixes), error) for error in _one_for_each_place(schema.error_log)]
        said += [_drop(element, error) for element, error in places if element is not None]
    raise NotOmeError(f"{len(schema.error_log)} values do not fit the schema")


@cache
def _schema_file() -> Path:
    # The package is not imported: its classes take a second of work.
    found = find_spec("ome_types")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "ome-2016-06.xsd"


@cache
def _schema() -> etree.XMLSchema:
    from lxml import etree

    return etree.XMLSchema(etree.parse(_schema_file()))


@cache
def _order() -> dict[str, dict[str, int]]:
    """Return the place of each child in the schema's sequences, by the name of its parent."""
    from lxml import etree

    xsd = "{http://www.w3.org/2001/XMLSchema}"
    found: dict[str, dict[str, int]] = {}
    for element in etree.parse(_schema_file()).getroot().iterchildren(f"{xsd}element"):
        children = [one.get("name") or one.get("ref") for one in element.iter(f"{xsd}element") if one is not element]
        if not any(True for _ in element.iter(f"{xsd}extension")):
            found[element.get("name")] = {str(name): place for place, name in enumerate(children)}
    return found


def _sort_children(root: etree._Element) -> None:
    """Bring children into the order that the schema wants and that few writers by hand keep."""
    for parent in root.iter(f"{{{OME}}}*"):
        order = _order().get(_name(parent), {})
        places = [order.get(_name(child), -1) for child in parent]
        if places != sorted(places) and -1 not in places:
            parent[:] = sorted(parent, key=lambda child: order[_name(child)])


def _translate_units(root: etree._Element) -> None:
    """Write units of lengths and times with the schema's symbols."""
    for element in root.iter(f"{{{OME}}}*"):
        for name, unit in element.attrib.items():
            if not name.endswith("Unit") or unit in LENGTH.units or unit in TIME.units:
                continue
            symbol = (TIME if re.match("Time|DeltaT|Exposure", name) else LENGTH).symbol(unit)
            if symbol:
                element.set(name, symbol)


def _drop_foreign(root: etree._Element) -> Iterator[str]:
    """Remove a vendor's own elements and attributes; what stands in an XMLAnnotation may be of anybody."""
    free = {child for value in root.iter(f"{{{OME}}}XMLAnnotation") for child in value.iter()}
    for element in list(root.iter()):
        parent = element.getparent()
        if element in free or not isinstance(element.tag, str) or parent is None:
            continue
        if not element.tag.startswith(f"{{{OME}}}") and str(parent.tag).startswith(f"{{{OME}}}"):
            parent.remove(element)
            yield f"{_name(element)} is an element of its writer's own"


def _one_for_each_place(errors: etree._ListErrorLog) -> Iterator[etree._LogEntry]:
    """Pick the first error of each attribute or element: the schema's facets and types complain one after the other."""
    seen = set()
    for error in errors:
        place = (error.path or error.message, _attribute(error.message))
        if place not in seen:
            seen.add(place)
            yield error


def _attribute(message: str) -> str | None:
    found = re.search(r"attribute '([^']+)'", message)
    return found[1] if found and "required but missing" not in message else None


def _drop(element: etree._Element, error: etree._LogEntry) -> str:
    """Remove the attribute or the element that is invalid; a value whose unit is invalid goes with it.

    Returns:
        What was removed.

    Raises:
        NotOmeError: The document would be empty without it.
    """
    attribute = _attribute(error.message)
    if attribute is not None:
        value = element.attrib.pop(attribute, "")
        if attribute.endswith("Unit"):
            element.attrib.pop(attribute.removesuffix("Unit"), None)
        return f"{attribute.rpartition('}')[2]} {value!r} of {_name(element)}"
    parent = element.getparent()
    if parent is None or _name(element) in INDISPENSABLE:
        raise NotOmeError(" ".join(error.message.replace(f"{{{OME}}}", "").split())[:200])
    parent.remove(element)
    text = " ".join((element.text or "").split())[:60]
    return f"{_name(element)} {text!r}" if text else f"{_name(element)} of {_name(parent)}"


def _place(root: etree._Element, error: etree._LogEntry, prefixes: dict[str, str]) -> etree._Element | None:
    """Find the element of an error; of a reference that leads nowhere the schema tells name and value only."""
    if error.path:
        return next(iter(root.xpath(error.path, namespaces=prefixes)), None)
    found = re.match(r"Element '([^']+)'.*key-sequence \['([^']*)'\]", error.message)
    return next((one for one in root.iter(found[1]) if found[2] in one.attrib.values()), None) if found else None


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(root: etree._Element) -> str:
    from lxml import etree

    return '<?xml version="1.0" encoding="UTF-8"?>' + str(etree.tostring(root, encoding="unicode"))
