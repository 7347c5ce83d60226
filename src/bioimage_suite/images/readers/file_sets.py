"""Files that form one image: an OME-TIFF, an OIF of Olympus, or an ICS of version 1; or all of them in one zip file.

Each file of an OME-TIFF has a UUID, by which the document of the set calls it; files without one must have kept their
names. https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html#multi-file-ome-tiff-filesets
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.untrusted_files import MAX_UNPACKED_BYTES, open_zip, unpack_member
from bioimage_suite.images.readers.formats import is_ics, is_oif
from bioimage_suite.images.readers.opening import TIFF_STARTS, ZIP_START

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_TIMES_PACKED = 20  # a zip file may unpack to so many times its size: pixels are never packed better


@contextmanager
def joined(files: dict[str, Path]) -> Iterator[Path]:
    """Yield the path by which a set is opened, in a folder where its files lie beside each other under their names.

    Args:
        files: Path of each file by its name: TIFF files, and perhaps one with their OME-XML (`.companion.ome`); an OIF
            with the files of its folder; an ICS with its pixels; or one zip file of such a set.

    Raises:
        UserError: They are no such set, or two.
    """
    with TemporaryDirectory(prefix="set_") as temporary:
        folder = Path(temporary, "set")
        folder.mkdir()
        if [_kind(path) for path in files.values()] == ["zip"]:
            files = _unpacked(*next(iter(files.items())), Path(temporary, "zip"))
        kinds = {name: _kind(path) for name, path in files.items()}
        head = _head(kinds)
        yield folder / (_place_parts(folder, files, head, kinds[head]) if head else _place_ome(folder, files, kinds))


def _kind(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(512)
    if start[:4] in TIFF_STARTS:
        return "TIFF"
    if start.startswith(ZIP_START):
        return "zip"
    if is_oif(start):
        return "OIF"
    if is_ics(start):
        return "ICS"
    return "XML" if b"<OME" in start else ""


def _head(kinds: dict[str, str]) -> str:
    """Return the name of the head of an OIF or ICS; an empty text if there is none.

    Raises:
        UserError: There are several.
    """
    heads = [name for name, kind in kinds.items() if kind in {"OIF", "ICS"}]
    # The settings of a plane of an OIF may look like those of the whole.
    heads = [name for name in heads if name.lower().endswith((".oif", ".ics"))] or heads
    if len(heads) > 1:
        raise UserError(f"Files {', '.join(heads)}: each is the head of an image. Give the files of one image.")
    return heads[0] if heads else ""


def _unpacked(name: str, path: Path, folder: Path) -> dict[str, Path]:
    """Unpack the files of a zip file, without what macOS adds; return them by the last part of their names."""
    folder.mkdir()
    found: dict[str, Path] = {}
    most = max(MAX_UNPACKED_BYTES, MOST_TIMES_PACKED * path.stat().st_size)
    with open_zip(path, name, most) as archive:
        for number, member in enumerate(archive.infolist()):
            called = _plain(member.filename)
            if member.is_dir() or called.startswith(".") or member.filename.startswith("__MACOSX/"):
                continue
            if called in found:
                raise UserError(f"File {name}: two files in it are called {called}. Pack the files of one image.")
            found[called] = folder / str(number)
            unpack_member(archive, member, found[called], name)
    if not found:
        raise UserError(f"File {name}: there are no files in it. Pack the files of one image.")
    return found


def _place_parts(folder: Path, files: dict[str, Path], head: str, kind: str) -> str:
    """Put the files of an OIF or ICS where its reader looks for them; return the name of its head.

    Raises:
        UserError: There is not one file of pixels beside an ICS of version 1.
    """
    suffix = f".{kind.lower()}"
    stem = _plain(head)
    stem = stem[: -len(suffix)] if stem.lower().endswith(suffix) else stem
    _link(folder, stem + suffix, files[head])
    others = {name: path for name, path in files.items() if name != head}
    if kind == "ICS":
        if len(others) != 1:
            raise UserError(f"File {head}: an ICS has one file of pixels (.ids), here are {len(others)}. Give one.")
        _link(folder, f"{stem}.ids", *others.values())
    else:
        inner = folder / f"{stem}{suffix}.files"
        inner.mkdir()
        for name, path in others.items():
            _link(inner, name, path)
    return stem + suffix


def _place_ome(folder: Path, files: dict[str, Path], kinds: dict[str, str]) -> str:
    """Put the files of an OME-TIFF beside each other under all their names; return the name of one to open.

    Raises:
        UserError: A file is neither a TIFF nor OME-XML, or there are two with OME-XML alone.
    """
    for name, kind in kinds.items():
        if kind not in {"TIFF", "XML"}:
            raise UserError(
                f"File {name}: neither a TIFF nor the OME-XML of a set, and there is no OIF or ICS. "
                "Give the files of one image."
            )
    companions = [name for name, kind in kinds.items() if kind == "XML"]
    if len(companions) > 1:
        raise UserError(f"Files {', '.join(companions)}: each is the OME-XML of a set. Give the files of one set.")
    if len(companions) == len(files):
        raise UserError(f"File {companions[0]}: there are no TIFF files beside it. Give all files of the set.")
    documents = {name: _document(path, kinds[name], name) for name, path in files.items()}
    known = {uuid: called for root in documents.values() if root is not None for uuid, called in _names(root)}
    for name, path in files.items():
        _link(folder, name, path)
        root = documents[name]
        uuid = root.get("UUID") if root is not None else None
        if uuid in known:
            _link(folder, known[uuid], path)
        pointer = root.find("{*}BinaryOnly") if root is not None else None
        if pointer is not None and companions:
            _link(folder, pointer.get("MetadataFile", ""), files[companions[0]])
    return _plain(companions[0] if companions else next(iter(files)))


def _document(path: Path, kind: str, name: str) -> ET.Element | None:
    """Return the OME-XML of a file, None where it has none."""
    from tifffile import TiffFile, TiffFileError

    try:
        if kind == "XML":
            # expat since 2.4.1 refuses entity bombs, and ElementTree loads no external entity.
            return ET.fromstring(path.read_bytes())  # noqa: S314
        with TiffFile(path) as tiff:
            said = tiff.pages.first.description
        return ET.fromstring(said) if "<OME" in said[:1000] else None  # noqa: S314
    except (ET.ParseError, TiffFileError, ValueError) as error:
        raise UserError(f"File {name}: damaged or cut short ({error}). Upload it again.") from error


def _names(root: ET.Element) -> Iterator[tuple[str, str]]:
    """Yield UUID and name of each file that a document names."""
    for uuid in root.iterfind(".//{*}TiffData/{*}UUID"):
        if uuid.text and uuid.get("FileName"):
            yield uuid.text.strip(), uuid.get("FileName", "")


def _plain(name: str) -> str:
    """Return the last part of a name, which cannot lead out of a folder."""
    return PurePosixPath(name.replace("\\", "/")).name


def _link(folder: Path, name: str, path: Path) -> None:
    """Give a file a name in the folder: as a hard link, because tifffile follows a symbolic one to the other folder."""
    link = folder / (_plain(name) or "file")
    if link.exists():
        return
    try:
        os.link(path.resolve(), link)
    except OSError:  # the folder is on another disk
        shutil.copy(path, link)
