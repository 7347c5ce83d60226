"""A look through a crate's document before anything is made of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from bioimage_suite.core.damage import reading
from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.transfer.crate import DOCUMENT, Manifest
from bioimage_suite.omero.transfer.document import FIELDS, SHAPES, fill_object, read_annotation, read_roi, read_rois

DESCRIBED = tuple(kind for kind in FIELDS if kind not in (*SHAPES, "Roi"))
"""Classes of the elements that become objects of their own, besides ROIs and annotations."""
SIZES = tuple(f"Size{axis}" for axis in "XYZCT")


def check_document(head: Element, document: Path, manifest: Manifest) -> None:
    """Convert everything in a document once: what cannot be made is said before anything is made.

    Args:
        head: From `document.read_head`.
        document: The OME-XML file, for its ROIs.
        manifest: Of the crate.

    Raises:
        UserError: An id is none, a reference leads to nothing, a value is not of its field's type, or an attached
            file is not in the crate.
    """
    import omero.model  # noqa: F401 (what fails in it is no fault of the crate)

    with reading(f"crate, {DOCUMENT}", "Pack the crate again."):
        known = set()
        for one in head.iterfind("StructuredAnnotations/*"):
            known.add(_number(one))
            read_annotation(one)
            if one.find("BinaryFile") is not None and _number(one) not in manifest.attachments:
                raise UserError(f"crate: the file of annotation {_number(one)} is not in it. Pack the crate again.")
        for part in head:
            if part.tag == "StructuredAnnotations":  # A tag set may have more members than the crate.
                [_number(one) for one in part.iter("AnnotationRef")]
            else:
                _check_references(part.iter(), known)
        for one in head.iter():
            if one.tag in DESCRIBED:
                _number(one)
                fill_object(_new(one.tag), one, one.tag)
            if one.tag == "Pixels":
                [int(one.get(name, 0)) for name in SIZES]
            if one.tag == "Channel":
                int(one.get("Color", "0")).to_bytes(4, "big", signed=True)
        for roi in read_rois(document):
            _number(roi)
            read_roi(roi)
            _check_references(roi.iter(), known)


def _check_references(elements: Iterable[Element], known: set[int]) -> None:
    for one in elements:
        if one.tag == "AnnotationRef" and _number(one) not in known:
            raise UserError(f"crate: it refers to annotation {_number(one)}, which it lacks. Pack the crate again.")


def _number(element: Element) -> int:
    """Return the number of an ID such as "Image:51"."""
    return int(str(element.get("ID")).partition(":")[2])


def _new(kind: str) -> Any:
    import omero.model

    return getattr(omero.model, f"{kind}I")()
