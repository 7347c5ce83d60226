"""Finds the OME-XML that says which image the pages of an OME-TIFF are.

An OME-TIFF names itself in `TiffData/UUID`, and a set of files keeps its document in one of them. Where a file was
renamed, or stands without the others of its set, libraries fall back to a stack of pages; that is another image.
Rules: https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html and what Bio-Formats 7.3.1 does.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from pathlib import Path

PLACES = ("TiffData", "BinData", "MetadataOnly")
"""Children of `Pixels` that say where its planes are."""


MOST_PLANES = 10_000_000

MODULO = "openmicroscopy.org/omero/dimension/modulo"
HIDDEN_MODULO = f"{MODULO}-hidden"
"""Namespace of annotations that split time, channel or z, for example in lifetimes: for Bio-Formats they stay one axis.

https://docs.openmicroscopy.org/ome-model/6.3.1/developers/6d-7d-and-8d-storage.html
"""


GALAXY_FILE = re.compile(r"dataset_.+\.dat")
"""What Galaxy calls the files of all its users, which may lie beside each other."""


class ElsewhereError(ValueError):
    """The pages belong to an image that this file alone does not hold."""


@dataclass(frozen=True)
class FileOfSet:
    """A file that holds planes.

    Attributes:
        uuid: Its identity.
        name: How its writer called it.
    """

    uuid: str
    name: str


def check_sizes(xml: str, pixels: int) -> None:
    """Refuse an OME-XML whose sizes are no numbers, or ask for more planes than a file can have: a list is made of all.

    Args:
        xml: The document.
        pixels: Of the first page.

    Raises:
        ValueError: It is so.
    """
    for one in _parsed(xml).iter():
        if not one.tag.endswith("Pixels"):
            continue
        said = {f"Size{axis}": one.get(f"Size{axis}") for axis in "XYCZT"}
        wrong = next((name for name, size in said.items() if not (size or "").strip().isdecimal()), None)
        if wrong:
            raise ValueError(f"its OME-XML gives {said[wrong]!r} as {wrong}")
        planes = math.prod(int(size or 0) for size in said.values()) // max(pixels, 1)
        if planes > MOST_PLANES:
            raise ValueError(f"its OME-XML asks for {planes:,} planes of {pixels:,} pixels")


def document_of_pages(xml: str, path: Path) -> str | None:
    """Return the OME-XML to read the pages of a file by, None where its own will do.

    Args:
        xml: What stands in the file.
        path: The file.

    Raises:
        ElsewhereError: The document, or the planes that it tells of, are in other files.
    """
    root = _parsed(xml)
    pointer = root.find("{*}BinaryOnly")
    if pointer is not None:
        document = _companion(pointer, path)
        root = _parsed(document)
        return (_text(root) if _keep_beside(root, path) else document).replace(MODULO, HIDDEN_MODULO)
    changed = _keep_beside(root, path)
    changed = _without_places(root) or changed or MODULO in xml
    files = _files(root)
    own = root.get("UUID")
    if len(files) != 1 or own == files[0].uuid or files[0].name.casefold() == path.name.casefold():
        return _text(root) if changed else None
    if own is not None:
        raise ElsewhereError(
            f"its planes are in the file {files[0].name!r} of an OME-TIFF of several files, of which this is one"
        )
    # Nothing but the name tells the file, and it was renamed.
    for data in root.iter():
        for uuid in data.findall("{*}UUID") if data.tag.endswith("}TiffData") else ():
            data.remove(uuid)
    return _text(root)


def document_of_set(xml: str, path: Path) -> tuple[str, Path]:
    """Return a document that stands alone, whose files are beside it, and one of these files with its pixels.

    Args:
        xml: The document.
        path: Its file.

    Raises:
        ElsewhereError: None of the files that it names is there.
    """
    root = _parsed(xml)
    changed = _keep_beside(root, path)
    names = [one.name for one in _files(root)]
    found = [beside for name in names if (beside := path.with_name(name or "none")).is_file()]
    if not found:
        raise ElsewhereError(f"it is the OME-XML of a set whose pixels are in other files ({', '.join(names[:5])})")
    return _text(root) if changed else xml, found[0]


def beside_only(xml: str, path: Path) -> str | None:
    """Return a document that names no file of another folder, None where its own names none.

    Args:
        xml: What stands in the file.
        path: The file.

    Raises:
        ElsewhereError: It names a file of Galaxy's as one of its own.
    """
    root = _parsed(xml)
    return _text(root) if _keep_beside(root, path) else None


def _parsed(xml: str) -> ET.Element:
    try:
        # expat since 2.4.1 refuses entity bombs, and ElementTree loads no external entity.
        return ET.fromstring(xml)  # noqa: S314
    except ET.ParseError as error:
        raise ElsewhereError(f"its OME-XML is broken ({error})") from error


def _keep_beside(root: ET.Element, path: Path) -> bool:
    """Let a document name only files beside its own: tifffile opens what it names, wherever that is.

    Returns:
        Whether something was changed.

    Raises:
        ElsewhereError: It names a file of Galaxy's as one of its own.
    """
    changed = False
    for uuid in root.iter():
        said = uuid.get("FileName") if uuid.tag.endswith("UUID") else None
        if said is not None and said != (plain := _plain(said, path)):
            uuid.set("FileName", plain)
            changed = True
    return changed


def _plain(name: str, path: Path) -> str:
    """Return the last part of a name, which cannot lead to another folder.

    Raises:
        ElsewhereError: It is that of another dataset of Galaxy.
    """
    plain = PurePosixPath(name.replace("\\", "/")).name
    if GALAXY_FILE.fullmatch(plain) and plain != path.name:
        raise ElsewhereError(f"it names the dataset {plain!r} of Galaxy as one of its files")
    return plain


def _text(root: ET.Element) -> str:
    """Return a document in which tifffile sees no axes within axes; `as_written` makes them visible again."""
    return ET.tostring(root, encoding="unicode").replace(MODULO, HIDDEN_MODULO)


def as_written(xml: str | None) -> str | None:
    """Return a document with the annotations that `document_of_pages` hides."""
    return xml.replace(HIDDEN_MODULO, MODULO) if xml else xml


def _without_places(root: ET.Element) -> bool:
    """Add what says that pages follow each other where a document says nothing; return whether it did."""
    every = list(root.iterfind("{*}Image/{*}Pixels"))
    if not every or any(one.find(f"{{*}}{name}") is not None for one in every for name in PLACES):
        return False
    first = 0
    for one in every:
        # A Channel may stand for the three samples of a colour.
        channels = len(one.findall("{*}Channel")) or int(one.get("SizeC", "1"))
        planes = channels * math.prod(int(one.get(f"Size{axis}", "1")) for axis in "ZT")
        ET.SubElement(one, f"{one.tag.removesuffix('Pixels')}TiffData", IFD=str(first), PlaneCount=str(planes))
        first += planes
    return True


def _companion(pointer: ET.Element, path: Path) -> str:
    name = _plain(pointer.get("MetadataFile", ""), path)
    companion = path.with_name(name) if name else None
    if companion is None or not companion.is_file():
        raise ElsewhereError(f"it is one file of an OME-TIFF of several, which {name or 'another file'!r} describes")
    from tifffile import TiffFile, TiffFileError

    try:
        with TiffFile(companion) as tiff:
            return str(tiff.ome_metadata)
    except TiffFileError:
        return companion.read_text(encoding="utf-8")


def _files(root: ET.Element) -> list[FileOfSet]:
    """Return the distinct files that a document names."""
    found = {
        FileOfSet(uuid.text or "", uuid.get("FileName", ""))
        for data in root.iter()
        if data.tag.endswith("}TiffData")
        for uuid in data.findall("{*}UUID")
    }
    return sorted(found, key=lambda one: one.name)
